"""iCalendar serializer (RFC 5545, sections 3.1 to 3.3) with escaping, line folding and CRLF line endings."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from eventcal.feeds.entries.entry import CalendarEntry, Stamps
from eventcal.feeds.entries.sanitize import percent_encode_url, replace_controls
from eventcal.feeds.formats.components import Component, Property, ValueType, round_degrees
from eventcal.feeds.formats.vevent import event_components
from eventcal.kit.bounded_cache import bounded_cache

MEDIA_TYPE = "text/calendar; charset=utf-8"

_MAX_LINE_OCTETS = 75


def render_entry(entry: CalendarEntry) -> str:
    """Return the VEVENTs of an entry, omitting DTSTAMP, LAST-MODIFIED and SEQUENCE."""
    return "".join(map(serialize_component, event_components(entry)))


# The pattern matches only at the start of a line, because property values can contain the same text.
_BEGIN_VEVENT = re.compile("^BEGIN:VEVENT\r\n", re.MULTILINE)


def with_timestamps(entry: str, stamps: Stamps) -> str:
    changed_at = _format_date_time(stamps.changed_at.astimezone(UTC))
    lines = f"DTSTAMP:{changed_at}\r\nLAST-MODIFIED:{changed_at}\r\nSEQUENCE:{stamps.sequence}\r\n"
    return _BEGIN_VEVENT.sub(f"BEGIN:VEVENT\r\n{lines}", entry)


def ics_header_and_footer(head: Iterable[Property], *, zones: Iterable[Component]) -> tuple[bytes, bytes]:
    """Return the bytes before and after the entries. VTIMEZONEs precede the entries, as single-pass parsers require."""
    properties = map(_serialize_property, head)
    above = "".join(["BEGIN:VCALENDAR\r\n", *properties, *map(_serialize_zone, zones)])
    return above.encode(), b"END:VCALENDAR\r\n"


def serialize_component(component: Component) -> str:
    lines = [*map(_serialize_property, component.properties), *map(serialize_component, component.components)]
    return "".join([f"BEGIN:{component.name}\r\n", *lines, f"END:{component.name}\r\n"])


# Serialised VTIMEZONEs are cached, because most feeds contain the same few time zones.
_serialize_zone = bounded_cache(1_000_000)(serialize_component)


def _serialize_property(prop: Property) -> str:
    value_type = f";VALUE={prop.type.upper()}" if prop.explicit_type else ""
    parameters = "".join([f";{name}={value}" for name, value in prop.parameters])
    zone = f";TZID={prop.tzid}" if prop.tzid is not None else ""
    values = ",".join(map(_VALUE_FORMATTERS[prop.type], prop.values))
    return fold_line(f"{prop.name}{value_type}{parameters}{zone}:{values}")


def _escape_text(text: str) -> str:
    """Return the text as a TEXT value (RFC 5545, section 3.3.11)."""
    # Backslashes must be escaped first. Chained `replace` calls are 30 times as fast as `str.translate`.
    return replace_controls(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _format_date_time(value: datetime) -> str:
    # `strftime` does not pad the year on every platform.
    written = value.isoformat(timespec="seconds")[:19].replace("-", "").replace(":", "")
    return written if value.tzinfo is None else f"{written}Z"


_VALUE_FORMATTERS: Mapping[ValueType, Callable[[Any], str]] = {
    ValueType.TEXT: _escape_text,
    ValueType.URI: percent_encode_url,
    ValueType.DATE: "{:%Y%m%d}".format,
    ValueType.DATE_TIME: _format_date_time,
    ValueType.INTEGER: str,
    ValueType.DURATION: str,
    ValueType.RECUR: str,
    ValueType.UTC_OFFSET: str,
    ValueType.GEO: lambda value: ";".join(f"{round_degrees(number):.6f}" for number in value),
}


def fold_line(line: str) -> str:
    """Return a content line folded at 75 octets (RFC 5545, section 3.1), without splitting grapheme clusters.

    Long lines are also folded at the start and the end of each text, so that equal texts are folded identically.
    """
    if len(line.encode()) <= _MAX_LINE_OCTETS:
        return line + "\r\n"
    parts: list[str] = []
    for text in _split_at_texts(line):
        # A continuation line begins with a space, which counts towards the length of the line.
        room = _MAX_LINE_OCTETS - 1 if parts else _MAX_LINE_OCTETS
        parts += _split_ascii(text, room) if text.isascii() else _split_non_ascii(text, room)
    return "\r\n ".join(parts) + "\r\n"


# The ends of line breaks and HTML tags in a property value, and the beginnings of closing tags and `<br>`.
# Folds are never adjacent to spaces or combining characters.
_TEXT_EDGES = re.compile(r"\\n(?=[!-;=-\[\]-~\w])|>(?=[!-;=-\[\]-~\w])|<(?=/|br>)")
_TEXT_LAST_CHARACTER = re.compile(r"[!-=?-~\w]")


def _split_at_texts(line: str) -> Iterator[str]:
    start = 0
    for edge in _TEXT_EDGES.finditer(line):
        at = edge.end() if edge[0] != "<" else edge.start()
        if at > start and (edge[0] != "<" or _TEXT_LAST_CHARACTER.match(line, at - 1)):
            yield line[start:at]
            start = at
    yield line[start:]


def _split_ascii(line: str, first_size: int) -> Iterator[str]:
    start = 0
    while len(line) - start > first_size:
        end = _choose_fold_position(line, start, start + first_size)
        yield line[start:end]
        start, first_size = end, _MAX_LINE_OCTETS - 1
    yield line[start:]


# If possible, lines are folded after the first letter of a word that follows a preferred separator.
_PREFERRED_FOLDS = (". ", " t", " a", " ")
_MIN_LINE_LENGTH = 20


def _choose_fold_position(line: str, start: int, end: int) -> int:
    """Return the position at which to fold a line: within a word, because some programs trim spaces around folds."""
    for before in _PREFERRED_FOLDS:
        found = line.rfind(before, start + _MIN_LINE_LENGTH, end - 2)
        if found > 0:
            end = found + len(before) + before.endswith(" ")
            break
    written = line[start:end]
    # A fold must not separate a backslash from the character that it escapes.
    return end - (len(written) - len(written.rstrip("\\"))) % 2


def _split_non_ascii(line: str, first_size: int) -> Iterator[str]:
    part = ""
    for piece in _split_into_clusters(line):
        size = len(piece.encode())
        if size > first_size:
            yield part
            first_size, part = _MAX_LINE_OCTETS - 1, ""
        part += piece
        first_size -= size
    yield part


_CHARACTER_OR_ESCAPE = re.compile(r"\\.|.", re.DOTALL)
# Emoji sequences, such as a family of four with skin tones, have up to eleven code points.
_MAX_CLUSTER_LENGTH = 15
_JOINER = "\N{ZERO WIDTH JOINER}"


def _split_into_clusters(line: str) -> list[str]:
    clusters: list[str] = []
    for piece in _CHARACTER_OR_ESCAPE.findall(line):
        last = clusters[-1] if clusters else ""
        if last and (_is_combining(piece) or last.endswith(_JOINER)) and len(last) < _MAX_CLUSTER_LENGTH:
            clusters[-1] += piece
        else:
            clusters.append(piece)
    return clusters


def _is_combining(char: str) -> bool:
    if char.isascii() or len(char) > 1:
        return False
    # In Unicode, skin tone modifiers are symbols rather than marks.
    return unicodedata.category(char)[0] == "M" or char == _JOINER or "\U0001f3fb" <= char <= "\U0001f3ff"
