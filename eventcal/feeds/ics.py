"""Entries as iCalendar text (RFC 5545, 7986, 9253). The only importer of icalendar.

An entry is rendered once, when it changes. A feed is its finished entries between a head and a foot.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import icalendar
from icalendar import vText, vUri

from eventcal.feeds.entry import CalendarEntry, Stamps
from eventcal.kit.localtime import zone

# Anything that changes the text of an entry must change this too, so that `db upgrade` renders the ledger anew.
RENDERER_VERSION = 1

PRODID = "-//eventcal//eventcal//EN"
_LONGEST_LINE = 75


@dataclass(frozen=True, kw_only=True)
class FeedHead:
    """What stands above a feed's entries (RFC 7986, 5): names, where it is found, when it last changed."""

    uid: str
    name: str
    description: str
    zone: str
    url: str
    source: str
    changed_at: datetime | None


def render_entry(entry: CalendarEntry, stamps: Stamps) -> str:
    """Return one VEVENT, folded, with CRLF at the end of each line. The same in, the same bytes out."""
    event = icalendar.Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", stamps.changed_at)
    event.add("created", entry.created_at.replace(microsecond=0))
    event.add("last-modified", stamps.changed_at)
    event.add("sequence", stamps.sequence)
    event.add("summary", entry.title)
    _add_times(event, entry)
    event.add("status", entry.status.value)
    event.add("transp", "TRANSPARENT" if entry.transparent else "OPAQUE")
    event.add("description", entry.description)
    event.add("x-alt-desc", vText(entry.html), parameters={"FMTTYPE": "text/html"})
    _add_place(event, entry)
    event.add("url", vUri(entry.url))
    if entry.categories:
        event.add("categories", list(entry.categories))
    for relation, uid in entry.related:
        event.add("related-to", vText(uid), parameters={"RELTYPE": relation.value})
    return "".join(fold(str(line)) for line in event.content_lines() if line)


def _add_times(event: icalendar.Event, entry: CalendarEntry) -> None:
    for name, moment in (("dtstart", entry.starts), ("dtend", entry.ends)):
        if isinstance(moment, datetime):
            here = UTC if not entry.needs_zone else zone(entry.zone)
            event.add(name, moment.replace(tzinfo=here))
        else:
            event.add(name, moment)
    if entry.recurrence:
        event.add("rrule", icalendar.vRecur.from_ical(entry.recurrence))


def _add_place(event: icalendar.Event, entry: CalendarEntry) -> None:
    if entry.location:
        event.add("location", entry.location)
    if entry.geo:
        event.add("geo", entry.geo)
    if entry.conference:
        event.add("conference", vUri(entry.conference), parameters={"VALUE": "URI", "FEATURE": "VIDEO"})


def render_feed(head: FeedHead, *, zones: Iterable[str], entries: Iterable[str]) -> bytes:
    """Return a whole feed from its finished parts: VTIMEZONEs first, for readers that read once."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "CALSCALE:GREGORIAN",
        f"UID:{_text(head.uid)}",
        f"NAME:{_text(head.name)}",
        f"X-WR-CALNAME:{_text(head.name)}",
        f"DESCRIPTION:{_text(head.description)}",
        f"X-WR-CALDESC:{_text(head.description)}",
        f"X-WR-TIMEZONE:{head.zone}",
        f"URL:{head.url}",
        f"SOURCE;VALUE=URI:{head.source}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    if head.changed_at is not None:
        lines.append(f"LAST-MODIFIED:{head.changed_at:%Y%m%dT%H%M%SZ}")
    parts = [*(fold(line) for line in lines), *zones, *entries, "END:VCALENDAR\r\n"]
    return "".join(parts).encode()


def _text(value: str) -> str:
    return vText(value).to_ical().decode()


def fold(line: str) -> str:
    """Return a content line as lines of at most 75 octets (RFC 5545, 3.1), cut in no character and no escape."""
    if len(line) <= _LONGEST_LINE and line.isascii():
        return line + "\r\n"
    parts: list[str] = []
    room, part = _LONGEST_LINE, ""
    for piece in _PIECES.findall(line):
        size = len(piece.encode())
        if size > room:
            parts.append(part)
            room, part = _LONGEST_LINE - 1, ""
        part += piece
        room -= size
    return "\r\n ".join([*parts, part]) + "\r\n"


# A backslash goes with what it escapes; marks, joiners and selectors with the character that they are for.
_PIECES = re.compile(r"\\.|.", re.DOTALL)

_ZONED = re.compile(r"^(DTSTART|DTEND);TZID=([^:]+):(\d{8}T\d{6})\r$", re.MULTILINE)


def in_utc(entry: str) -> str:
    """Return a rendered entry with UTC instants for its zoned times; one that recurs keeps them, for DST."""
    if "\r\nRRULE:" in entry:
        return entry
    return _ZONED.sub(_utc_line, entry)


def _utc_line(found: re.Match[str]) -> str:
    local = datetime.strptime(found[3], "%Y%m%dT%H%M%S").replace(tzinfo=zone(found[2]))
    return f"{found[1]}:{local.astimezone(UTC):%Y%m%dT%H%M%SZ}\r"


def marked_only(entry: str) -> str:
    """Return a cancelled entry with STATUS:CONFIRMED and its title's prefix, for clients that hide the other."""
    return entry.replace("\r\nSTATUS:CANCELLED\r\n", "\r\nSTATUS:CONFIRMED\r\n")
