"""Serializer for Atom feeds (RFC 4287), which show announcements and changes in a feed reader."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, ParticipantType, StoredEntry
from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.kit.localtime import format_utc

MEDIA_TYPE = "application/atom+xml; charset=utf-8"

# Never change this namespace, because the IDs of all feeds and entries are derived from it.
_NAMESPACE = UUID("693ae964-ceee-5528-9c3c-e8051b5f510a")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The names of days and months are always English, whereas the result of `strftime` depends on the locale.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def atom_feed(
    head: FeedHead, entries: Sequence[StoredEntry], *, self_url: str, author: str, generated_version: str
) -> bytes:
    """Return an Atom feed in UTF-8. `author` is the author of entries without speakers (RFC 4287, section 4.1.1)."""
    feed = Element("feed", xmlns="http://www.w3.org/2005/Atom")
    _add_text_element(feed, "id", _atom_id(head.uid))
    _add_text_element(feed, "title", head.name)
    if head.description:
        _add_text_element(feed, "subtitle", head.description)
    stamps = [kept.stamps.changed_at for kept in entries]
    _add_text_element(feed, "updated", format_utc(max(stamps, default=head.changed_at or _EPOCH)))
    _add_link(feed, "self", MEDIA_TYPE.partition(";")[0], url=self_url)
    _add_link(feed, "alternate", "text/html", url=head.url)
    _add_text_element(SubElement(feed, "author"), "name", author)
    SubElement(feed, "generator", version=generated_version).text = "eventcal"
    for kept in entries:
        _add_entry(feed, kept)
    indent(feed, space=" ")
    return bytes(tostring(feed, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add_text_element(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = replace_controls(text)


def _add_link(parent: Element, relation: str, media_type: str, *, url: str) -> None:
    SubElement(parent, "link", rel=relation, type=media_type, href=replace_controls(url))


def _atom_id(uid: str) -> str:
    return uuid5(_NAMESPACE, replace_controls(uid)).urn


def _add_entry(feed: Element, stored: StoredEntry) -> None:
    entry = stored.entry
    element = SubElement(feed, "entry")
    _add_text_element(element, "id", _atom_id(entry.uid))
    _add_text_element(element, "title", entry.title)
    _add_text_element(element, "updated", format_utc(stored.stamps.changed_at))
    _add_text_element(element, "published", format_utc(entry.created_at))
    _add_link(element, "alternate", "text/html", url=entry.url)
    if entry.website:
        _add_link(element, "related", "text/html", url=entry.website)
    for one in entry.participants:
        if one.part == ParticipantType.SPEAKER:
            person = SubElement(element, "author")
            _add_text_element(person, "name", one.name)
            if one.url:
                _add_text_element(person, "uri", one.url)
    for category in dict.fromkeys(map(replace_controls, entry.categories)):
        SubElement(element, "category", term=category)
    _add_text_element(element, "summary", _format_time_and_place(entry))
    SubElement(element, "content", type="html").text = replace_controls(entry.html)


def _format_time_and_place(entry: CalendarEntry) -> str:
    """Return text such as `Wednesday 10 June 2026, 13:30 to 14:15 (Europe/Berlin), Room 1, Berlin`."""
    repeats = f"repeated by the rule {entry.recurrence}" if entry.recurrence else None
    return ", ".join(part for part in (_format_time(entry), repeats, entry.location) if part)


def _format_time(entry: CalendarEntry) -> str:
    starts, ends = entry.starts, entry.ends
    if not (isinstance(starts, datetime) and isinstance(ends, datetime)):
        last = ends - timedelta(days=1)
        days = _format_day(starts) if last <= starts else f"{_format_day(starts)} to {_format_day(last)}"
        return f"{days} ({entry.zone})"
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else f"{_format_day(ends)}, {ends:%H:%M}"
    return f"{_format_day(starts)}, {starts:%H:%M} to {until} ({entry.zone})"


def _format_day(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
