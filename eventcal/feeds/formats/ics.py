"""iCalendar serializer (RFC 5545, 3.1 to 3.3): escaping, line folding, CRLF.

The output is deterministic, and no value can affect anything outside its own property.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, Stamps
from eventcal.feeds.entries.sanitize import strip_controls, uri
from eventcal.feeds.formats.components import Component, Property, ValueType, degrees
from eventcal.feeds.formats.vevent import event_components, head_properties

MEDIA_TYPE = "text/calendar; charset=utf-8"

_LONGEST_LINE = 75


def render_entry(entry: CalendarEntry) -> str:
    """Return the VEVENTs of an entry without DTSTAMP, LAST-MODIFIED and SEQUENCE."""
    return "".join(map(write_component, event_components(entry)))


# Matches at the start of a line only, because a text may contain these words too.
_BEGINS = re.compile("^BEGIN:VEVENT\r\n", re.MULTILINE)


def with_timestamps(entry: str, stamps: Stamps) -> str:
    """Return a rendered entry with DTSTAMP, LAST-MODIFIED and SEQUENCE added."""
    changed_at = _moment(stamps.changed_at.astimezone(UTC))
    lines = f"DTSTAMP:{changed_at}\r\nLAST-MODIFIED:{changed_at}\r\nSEQUENCE:{stamps.sequence}\r\n"
    return _BEGINS.sub(f"BEGIN:VEVENT\r\n{lines}", entry)


def around(head: FeedHead, zones: Iterable[Component]) -> tuple[bytes, bytes]:
    """Return the text before and after a feed's entries. VTIMEZONEs come first, for single-pass parsers."""
    above = "".join(["BEGIN:VCALENDAR\r\n", *map(_line, head_properties(head)), *map(_write_zone, zones)])
    return above.encode(), b"END:VCALENDAR\r\n"


def write_component(component: Component) -> str:
    """Return a component as content lines."""
    within = [write_component(one) for one in component.components]
    lines = [_line(one) for one in component.properties]
    return "".join([f"BEGIN:{component.name}\r\n", *lines, *within, f"END:{component.name}\r\n"])


# Cached, because most feeds contain the same few zones.
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
    r"""Return the text as a TEXT value (RFC 5545, 3.3.11), with \n for line breaks."""
    # The backslash must come first. Chained `replace` calls take a thirtieth of the time of `str.translate`.
    return strip_controls(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _moment(value: datetime) -> str:
    # strftime does not pad the year on every platform.
    written = value.isoformat(timespec="seconds")[:19].replace("-", "").replace(":", "")
    return written if value.tzinfo is None else f"{written}Z"


def _geo(value: tuple[float, float]) -> str:
    """Return coordinates with six decimals (RFC 5545, 3.8.1.6); `str` writes small numbers with an exponent."""
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
    """Return a content line folded into lines of at most 75 octets (RFC 5545, 3.1), never within a character or escape.

    In a long line, each text starts and ends a line, so that the same text in DESCRIPTION and X-ALT-DESC is folded at
    the same words, and the second one compresses well.
    """
    if len(line.encode()) <= _LONGEST_LINE:
        return line + "\r\n"
    parts: list[str] = []
    for text in _texts(line):
        # Continuation lines begin with a space.
        room = _LONGEST_LINE - 1 if parts else _LONGEST_LINE
        parts += _cut(text, room) if text.isascii() else _cut_between(_pieces(text), room)
    return "\r\n ".join(parts) + "\r\n"


# A text starts after a line break or a tag, and ends before a closing tag or <br>. Neither combining characters nor
# spaces may be next to a fold, because some programs trim spaces.
_EDGES = re.compile(r"\\n(?=[!-;=-\[\]-~\w])|>(?=[!-;=-\[\]-~\w])|<(?=/|br>)")
_LAST = re.compile(r"[!-=?-~\w]")


def _texts(line: str) -> Iterator[str]:
    """Yield the parts of a line: the texts and what separates them."""
    start = 0
    for edge in _EDGES.finditer(line):
        at = edge.end() if edge[0] != "<" else edge.start()
        if at > start and (edge[0] != "<" or _LAST.match(line, at - 1)):
            yield line[start:at]
            start = at
    yield line[start:]


def _cut(line: str, room: int) -> Iterator[str]:
    """Yield parts of an ASCII line that fit; `room` is the size of the first part."""
    start = 0
    while len(line) - start > room:
        end = _break(line, start, start + room)
        yield line[start:end]
        start, room = end, _LONGEST_LINE - 1
    yield line[start:]


# Preferred positions for a fold: after the first letter of a word that follows one of these.
_BREAKS_AFTER = (". ", " t", " a", " ")
_SHORTEST_LINE = 20


def _break(line: str, start: int, end: int) -> int:
    """Return the position at which to fold an ASCII line that may extend to `end`.

    It depends on the text more than on the distance from the start. It is within a word, as some programs trim spaces.
    """
    for before in _BREAKS_AFTER:
        found = line.rfind(before, start + _SHORTEST_LINE, end - 2)
        if found > 0:
            end = found + len(before) + before.endswith(" ")
            break
    written = line[start:end]
    # A backslash must stay with the character that it escapes.
    return end - (len(written) - len(written.rstrip("\\"))) % 2


def _cut_between(pieces: Iterable[str], room: int) -> Iterator[str]:
    """Yield parts that fit, split only between the pieces; `room` is the size of the first part."""
    part = ""
    for piece in pieces:
        size = len(piece.encode())
        if size > room:
            yield part
            room, part = _LONGEST_LINE - 1, ""
        part += piece
        room -= size
    yield part


# A backslash stays with the character that it escapes.
_PIECE = re.compile(r"\\.|.", re.DOTALL)
# The maximum number of characters that are kept together: a family of four with skin tones has eleven.
_LONGEST_CLUSTER = 15
_JOINER = "\N{ZERO WIDTH JOINER}"


def _pieces(line: str) -> list[str]:
    """Return the unbreakable pieces of a line: marks, joiners and selectors stay with their base character."""
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
    # Skin tone modifiers have their own Unicode category (symbol).
    return unicodedata.category(piece)[0] == "M" or piece == _JOINER or "\U0001f3fb" <= piece <= "\U0001f3ff"
