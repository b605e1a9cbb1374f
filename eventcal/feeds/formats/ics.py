"""Components as iCalendar text (RFC 5545, 3.1 to 3.3): escaped, folded, with CRLF.

The same in, the same bytes out. Whatever a value holds, it stays in the property that it was meant for.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, Stamps
from eventcal.feeds.entries.sanitize import clean, uri
from eventcal.feeds.formats.components import Component, Property, ValueType, degrees
from eventcal.feeds.formats.vevent import event_components, head_properties

MEDIA_TYPE = "text/calendar; charset=utf-8"

_LONGEST_LINE = 75


def render_entry(entry: CalendarEntry) -> str:
    """Return an entry's VEVENTs without their stamps."""
    return "".join(map(write_component, event_components(entry)))


# At the start of a line only: people may write these words too.
_BEGINS = re.compile("^BEGIN:VEVENT\r\n", re.MULTILINE)


def stamped(entry: str, stamps: Stamps) -> str:
    """Return a rendered entry with its stamps: DTSTAMP, LAST-MODIFIED, SEQUENCE."""
    changed_at = _moment(stamps.changed_at.astimezone(UTC))
    lines = f"DTSTAMP:{changed_at}\r\nLAST-MODIFIED:{changed_at}\r\nSEQUENCE:{stamps.sequence}\r\n"
    return _BEGINS.sub(f"BEGIN:VEVENT\r\n{lines}", entry)


def around(head: FeedHead, zones: Iterable[Component]) -> tuple[bytes, bytes]:
    """Return what stands above and below a feed's entries: VTIMEZONEs first, for readers that read once."""
    above = "".join(["BEGIN:VCALENDAR\r\n", *map(_line, head_properties(head)), *map(_write_zone, zones)])
    return above.encode(), b"END:VCALENDAR\r\n"


def write_component(component: Component) -> str:
    """Return a component as its lines."""
    within = [write_component(one) for one in component.components]
    lines = [_line(one) for one in component.properties]
    return "".join([f"BEGIN:{component.name}\r\n", *lines, *within, f"END:{component.name}\r\n"])


# The same few zones stand above every feed.
_write_zone = lru_cache(maxsize=1024)(write_component)


def _line(one: Property) -> str:
    name = one.name
    if one.says_type:
        name = f"{name};VALUE={one.type.upper()}"
    for parameter, value in one.parameters:
        name = f"{name};{parameter}={value}"
    if one.tzid is not None:
        name = f"{name};TZID={one.tzid}"
    write = _WRITERS[one.type]
    return fold(f"{name}:{','.join([write(value) for value in one.values])}")


def _escape(text: str) -> str:
    r"""Return the text as a TEXT value (RFC 5545, 3.3.11): one line, with \n for each break in it."""
    # The backslash first. One after the other, for it takes a thirtieth of what `str.translate` does.
    return clean(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _moment(value: datetime) -> str:
    # strftime would not pad the year everywhere.
    written = value.isoformat(timespec="seconds")[:19].replace("-", "").replace(":", "")
    return written if value.tzinfo is None else f"{written}Z"


def _geo(value: tuple[float, float]) -> str:
    """Return a place on six decimals (RFC 5545, 3.8.1.6): Python writes small numbers with an exponent."""
    return ";".join(f"{degrees(number):.6f}" for number in value)


_WRITERS: Mapping[ValueType, Callable[[Any], str]] = {
    ValueType.TEXT: _escape,
    ValueType.URI: uri,
    ValueType.DATE: "{:%Y%m%d}".format,
    ValueType.DATE_TIME: _moment,
    ValueType.INTEGER: str,
    ValueType.DURATION: str,
    ValueType.RECUR: str,
    ValueType.UTC_OFFSET: str,
    ValueType.GEO: _geo,
}


def fold(line: str) -> str:
    """Return a content line as lines of at most 75 octets (RFC 5545, 3.1), cut in no character and no escape.

    Each text in a long one begins and ends a line, so that the same text in DESCRIPTION and in X-ALT-DESC is broken
    at the same words, and compresses to a reference.
    """
    if len(line.encode()) <= _LONGEST_LINE:
        return line + "\r\n"
    parts: list[str] = []
    for text in _texts(line):
        # A line that goes on begins with a space.
        room = _LONGEST_LINE - 1 if parts else _LONGEST_LINE
        parts += _cut(text, room) if text.isascii() else _cut_between(_pieces(text), room)
    return "\r\n ".join(parts) + "\r\n"


# A text begins behind a line break or a tag, and ends before a tag that ends it. No character that joins another is
# next to where it does, and no space, for some programs trim.
_EDGES = re.compile(r"\\n(?=[!-;=-\[\]-~\w])|>(?=[!-;=-\[\]-~\w])|<(?=/|br>)")
_LAST = re.compile(r"[!-=?-~\w]")


def _texts(line: str) -> Iterator[str]:
    """Give a line in pieces: each text, and what stands between two."""
    start = 0
    for edge in _EDGES.finditer(line):
        at = edge.end() if edge[0] != "<" else edge.start()
        if at > start and (edge[0] != "<" or _LAST.match(line, at - 1)):
            yield line[start:at]
            start = at
    yield line[start:]


def _cut(line: str, room: int) -> Iterator[str]:
    """Give ASCII in parts that fit; `room` is that of the first."""
    start = 0
    while len(line) - start > room:
        end = _break(line, start, start + room)
        yield line[start:end]
        start, room = end, _LONGEST_LINE - 1
    yield line[start:]


# Where lines are broken rather than elsewhere: behind the first letter of a word that follows these.
_BREAKS_AFTER = (". ", " t", " a", " ")
_SHORTEST_LINE = 20


def _break(line: str, start: int, end: int) -> int:
    """Return where to break a line of ASCII that may reach to `end`.

    What stands there decides, and not only how far it is from the start. Within a word, for some programs trim.
    """
    for before in _BREAKS_AFTER:
        found = line.rfind(before, start + _SHORTEST_LINE, end - 2)
        if found > 0:
            end = found + len(before) + before.endswith(" ")
            break
    written = line[start:end]
    # An odd backslash at the end goes with what it escapes.
    return end - (len(written) - len(written.rstrip("\\"))) % 2


def _cut_between(pieces: Iterable[str], room: int) -> Iterator[str]:
    """Give text in parts that fit, cut between its pieces alone; `room` is that of the first."""
    part = ""
    for piece in pieces:
        size = len(piece.encode())
        if size > room:
            yield part
            room, part = _LONGEST_LINE - 1, ""
        part += piece
        room -= size
    yield part


# A backslash goes with what it escapes.
_PIECE = re.compile(r"\\.|.", re.DOTALL)
# The longest cluster that is kept whole, in characters: a family of four with skin tones has eleven.
_LONGEST_CLUSTER = 15
_JOINER = "\N{ZERO WIDTH JOINER}"


def _pieces(line: str) -> list[str]:
    """Return the line in pieces that are not to be cut: marks, joiners and selectors go with what they are for."""
    clusters: list[str] = []
    for piece in _PIECE.findall(line):
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
