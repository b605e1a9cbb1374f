"""Atom feed serializer (RFC 4287), for reading announcements and changes in a feed reader."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, KeptEntry, Part
from eventcal.feeds.entries.sanitize import strip_controls
from eventcal.kit.localtime import format_utc

MEDIA_TYPE = "application/atom+xml; charset=utf-8"

# Never change it: all ids of feeds and entries are derived from it.
_NAMESPACE = UUID("693ae964-ceee-5528-9c3c-e8051b5f510a")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_A_DAY = timedelta(days=1)
# Always English; the result of strftime depends on the locale.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def atom_feed(
    head: FeedHead, entries: Sequence[KeptEntry], *, self_url: str, author: str, generated_version: str
) -> bytes:
    """Return an Atom feed in UTF-8 with the entries in the given order. The output is deterministic.

    author: the author of entries without speakers (RFC 4287, 4.1.1). generated_version: the version of this program.
    """
    feed = Element("feed", xmlns="http://www.w3.org/2005/Atom")
    _text(feed, "id", _id(head.uid))
    _text(feed, "title", head.name)
    if head.description:
        _text(feed, "subtitle", head.description)
    stamps = [kept.stamps.changed_at for kept in entries]
    _text(feed, "updated", format_utc(max(stamps, default=head.changed_at or _NEVER)))
    _link(feed, "self", MEDIA_TYPE.partition(";")[0], self_url)
    _link(feed, "alternate", "text/html", head.url)
    _text(SubElement(feed, "author"), "name", author)
    SubElement(feed, "generator", version=generated_version).text = "eventcal"
    for kept in entries:
        _add_entry(feed, kept)
    indent(feed, space=" ")
    body: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = strip_controls(text)


def _link(parent: Element, relation: str, media_type: str, url: str) -> None:
    SubElement(parent, "link", rel=relation, type=media_type, href=strip_controls(url))


def _id(uid: str) -> str:
    return uuid5(_NAMESPACE, strip_controls(uid)).urn


def _add_entry(feed: Element, kept: KeptEntry) -> None:
    entry = kept.entry
    element = SubElement(feed, "entry")
    _text(element, "id", _id(entry.uid))
    _text(element, "title", entry.title)
    _text(element, "updated", format_utc(kept.stamps.changed_at))
    _text(element, "published", format_utc(entry.created_at))
    _link(element, "alternate", "text/html", entry.url)
    for one in entry.participants:
        if one.part == Part.SPEAKER:
            person = SubElement(element, "author")
            _text(person, "name", one.name)
            if one.url:
                _text(person, "uri", one.url)
    for category in dict.fromkeys(map(strip_controls, entry.categories)):
        SubElement(element, "category", term=category)
    _text(element, "summary", _when_and_where(entry))
    SubElement(element, "content", type="html").text = strip_controls(entry.html)


def _when_and_where(entry: CalendarEntry) -> str:
    """Return the time and place as text: `Wednesday 10 June 2026, 13:30 to 14:15 (Europe/Berlin), Room 1, Berlin`."""
    repeats = f"repeated by the rule {entry.recurrence}" if entry.recurrence else None
    return ", ".join(part for part in (_when(entry), repeats, entry.location) if part)


def _when(entry: CalendarEntry) -> str:
    starts, ends = entry.starts, entry.ends
    if not (isinstance(starts, datetime) and isinstance(ends, datetime)):
        last = ends - _A_DAY
        days = _day(starts) if last <= starts else f"{_day(starts)} to {_day(last)}"
        return f"{days} ({entry.zone})"
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else f"{_day(ends)}, {ends:%H:%M}"
    return f"{_day(starts)}, {starts:%H:%M} to {until} ({entry.zone})"


def _day(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
