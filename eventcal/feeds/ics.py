"""Entries as iCalendar text (RFC 5545, 7986, 9253). The only importer of icalendar.

An entry is rendered once, when it changes. A feed is its finished entries between a head and a foot.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import quote

import icalendar
from icalendar import vCategory, vGeo, vRecur, vText, vUri

from eventcal.feeds.entry import CalendarEntry, Stamps
from eventcal.kit.localtime import zone

# Anything that changes the text of an entry must change this too, so that `db upgrade` renders the ledger anew.
RENDERER_VERSION = 1

PRODID = "-//eventcal//eventcal//EN"
_LONGEST_LINE = 75


@dataclass(frozen=True, kw_only=True)
class FeedHead:
    """What stands above a feed's entries (RFC 7986, 5): names, where it is found, when it last changed.

    `source` is None for a feed whose address is a secret.
    """

    uid: str
    name: str
    description: str
    zone: str
    url: str
    source: str | None
    changed_at: datetime | None


def render_entry(entry: CalendarEntry) -> str:
    """Return one VEVENT without its stamps, folded, with CRLF at the end of each line.

    The same in, the same bytes out. Whatever an entry holds, it stays in the property that it was meant for.
    """
    event = icalendar.Event()
    event.add("uid", _Text(entry.uid))
    event.add("created", entry.created_at.replace(microsecond=0))
    event.add("summary", _Text(entry.title))
    _add_times(event, entry)
    event.add("status", entry.status.value)
    event.add("transp", "TRANSPARENT" if entry.transparent else "OPAQUE")
    event.add("description", _Text(entry.description))
    event.add("x-alt-desc", _Text(entry.html), parameters={"FMTTYPE": "text/html"})
    _add_place(event, entry)
    event.add("url", vUri(_uri(entry.url)))
    if entry.categories:
        event.add("categories", _Categories(list(entry.categories)))
    for relation, uid in entry.related:
        event.add("related-to", _Text(uid), parameters={"RELTYPE": relation.value})
    return "".join(fold(str(line)) for line in event.content_lines() if line)


def stamped(entry: str, stamps: Stamps) -> str:
    """Return a rendered entry with its stamps: DTSTAMP, LAST-MODIFIED, SEQUENCE."""
    changed_at = f"{stamps.changed_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    lines = f"DTSTAMP:{changed_at}\r\nLAST-MODIFIED:{changed_at}\r\nSEQUENCE:{stamps.sequence}\r\n"
    return entry.replace("BEGIN:VEVENT\r\n", f"BEGIN:VEVENT\r\n{lines}", 1)


def _add_times(event: icalendar.Event, entry: CalendarEntry) -> None:
    for name, moment in (("dtstart", entry.starts), ("dtend", entry.ends)):
        if not isinstance(moment, datetime):
            event.add(name, moment)
        elif entry.needs_zone:
            event.add(name, moment.replace(tzinfo=zone(entry.zone)))
        else:
            event.add(name, moment.replace(tzinfo=zone(entry.zone)).astimezone(UTC))
    rule = _rule(entry)
    if rule is not None:
        event.add("rrule", rule)


_RULE_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST"}
)
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)


def _rule(entry: CalendarEntry) -> vRecur | None:
    """Return the recurrence as RFC 5545 has it, or None where there is none that it can say."""
    parts = dict(part.partition("=")[::2] for part in (entry.recurrence or "").upper().split(";"))
    until = parts.pop("UNTIL", None)
    if "FREQ" not in parts or not parts.keys() <= _RULE_PARTS:
        return None
    try:
        rule: vRecur = vRecur.from_ical(";".join(f"{name}={value}" for name, value in parts.items()))
        if until is not None:
            rule["UNTIL"] = [_until(until, entry)]
    except ValueError:
        return None
    return rule


def _until(written: str, entry: CalendarEntry) -> date | datetime:
    """Return UNTIL in the kind that DTSTART asks for: a date, or for times an instant in UTC (RFC 5545, 3.3.10)."""
    found = _UNTIL.fullmatch(written)
    if found is None:
        raise ValueError(f"{written} is no date and no time")
    day = datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    # A date holds its whole day.
    clock = time.fromisoformat(found[2]) if found[2] else time(23, 59, 59)
    local = datetime.combine(day, clock, tzinfo=UTC if found[3] else zone(entry.zone))
    return local.astimezone(zone(entry.zone)).date() if entry.all_day else local.astimezone(UTC)


def _add_place(event: icalendar.Event, entry: CalendarEntry) -> None:
    if entry.location:
        event.add("location", _Text(entry.location))
    if entry.geo:
        event.add("geo", _Geo(entry.geo))
    if entry.conference:
        event.add("conference", vUri(_uri(entry.conference)), parameters={"VALUE": "URI", "FEATURE": "VIDEO"})


def render_feed(head: FeedHead, *, zones: Iterable[str], entries: Iterable[str]) -> bytes:
    """Return a whole feed from its finished parts: VTIMEZONEs first, for readers that read once."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "CALSCALE:GREGORIAN",
        f"UID:{_escape(head.uid)}",
        f"NAME:{_escape(head.name)}",
        f"X-WR-CALNAME:{_escape(head.name)}",
        f"DESCRIPTION:{_escape(head.description)}",
        f"X-WR-CALDESC:{_escape(head.description)}",
        f"X-WR-TIMEZONE:{_escape(head.zone)}",
        f"URL:{_uri(head.url)}",
        *([f"SOURCE;VALUE=URI:{_uri(head.source)}"] if head.source else []),
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    if head.changed_at is not None:
        lines.append(f"LAST-MODIFIED:{head.changed_at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    parts = [*(fold(line) for line in lines), *zones, *entries, "END:VCALENDAR\r\n"]
    return "".join(parts).encode()


# Every character that some reader takes for the end of a line.
_BREAKS = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_UNSAYABLE = re.compile("[\x00-\x09\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def _escape(text: str) -> str:
    r"""Return the text as a TEXT value (RFC 5545, 3.3.11): one line, whatever is in it.

    Line breaks of every kind become \n, a tab a space, and what is no text U+FFFD.
    """
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    return _UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text).translate(_ESCAPES)


class _Text(vText):
    r"""A TEXT value; icalendar's own takes the two characters \N, as in C:\New, for a line break."""

    def to_ical(self) -> bytes:
        return _escape(self).encode()


class _Categories(vCategory):
    def to_ical(self) -> bytes:
        return ",".join(_escape(category) for category in self.cats).encode()


class _Geo(vGeo):
    """A place on six decimals (RFC 5545, 3.8.1.6): Python writes small numbers with an exponent."""

    def to_ical(self) -> str:
        # Adding zero makes -0.0 plain.
        return f"{round(self.latitude, 6) + 0.0:.6f};{round(self.longitude, 6) + 0.0:.6f}"


def _uri(value: str) -> str:
    """Return the URI in the characters that RFC 3986 has; all others percent-encoded, line breaks too."""
    return quote(value, safe="%:/?#[]@!$&'()*+,;=-._~", errors="replace")


def fold(line: str) -> str:
    """Return a content line as lines of at most 75 octets (RFC 5545, 3.1), cut in no character and no escape."""
    if len(line) <= _LONGEST_LINE and line.isascii():
        return line + "\r\n"
    parts: list[str] = []
    room, part = _LONGEST_LINE, ""
    for piece in _pieces(line):
        size = len(piece.encode())
        if size > room:
            parts.append(part)
            room, part = _LONGEST_LINE - 1, ""
        part += piece
        room -= size
    return "\r\n ".join([*parts, part]) + "\r\n"


# A backslash goes with what it escapes.
_PIECE = re.compile(r"\\.|.", re.DOTALL)
# The longest cluster that is kept whole, in characters: a family of four with skin tones has eleven.
_LONGEST_CLUSTER = 15
_JOINER = "\N{ZERO WIDTH JOINER}"


def _pieces(line: str) -> list[str]:
    """Return the line in pieces that are not to be cut: marks, joiners and selectors go with what they are for."""
    pieces: list[str] = _PIECE.findall(line)
    if line.isascii():
        return pieces
    clusters: list[str] = []
    for piece in pieces:
        if clusters and (_clings(piece) or clusters[-1].endswith(_JOINER)) and len(clusters[-1]) < _LONGEST_CLUSTER:
            clusters[-1] += piece
        else:
            clusters.append(piece)
    return clusters


def _clings(piece: str) -> bool:
    if piece.isascii() or len(piece) > 1:
        return False
    # To Unicode, skin tones are symbols of their own.
    return unicodedata.category(piece)[0] == "M" or piece == _JOINER or "\U0001f3fb" <= piece <= "\U0001f3ff"


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
