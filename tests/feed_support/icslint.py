"""Reads .ics as strictly as RFC 5545 is written, and finds what calendar programs have been seen to stumble over.

A reader of its own, so that nothing is right only because the library that wrote it also reads it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from eventcal.kit.localtime import known_zone, zone

_LINE = re.compile(
    r"""(?P<name>[A-Z0-9-]+)
    (?P<parameters>(?:;[A-Z0-9-]+=(?:"[^"\x00-\x1f]*"|[^";:,\x00-\x1f]*)(?:,(?:"[^"]*"|[^";:,]*))*)*)
    :(?P<value>.*)""",
    re.VERBOSE | re.DOTALL,
)
_TEXTS = frozenset({"SUMMARY", "DESCRIPTION", "LOCATION", "NAME", "UID", "X-WR-CALNAME", "X-WR-CALDESC", "X-ALT-DESC"})
_ONCE = frozenset(
    {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "URL", "STATUS", "TRANSP"}
    | {"SEQUENCE", "CREATED", "LAST-MODIFIED", "RRULE", "RECURRENCE-ID"}
)
_NEEDED = frozenset(
    {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "CREATED", "LAST-MODIFIED", "STATUS", "TRANSP", "URL"}
)
_HEAD = frozenset(
    {"VERSION", "PRODID", "CALSCALE", "UID", "NAME", "X-WR-CALNAME", "DESCRIPTION", "X-WR-CALDESC", "X-WR-TIMEZONE"}
    | {"URL", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"}
)
_NEVER = frozenset({"METHOD", "ORGANIZER", "ATTENDEE", "STRUCTURED-DATA", "DURATION"})
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One content line: its value as it stands there, with its escapes."""

    name: str
    parameters: str
    value: str

    @property
    def text(self) -> str:
        """Give the value as a text."""
        return _ESCAPE.sub(_plain, self.value)

    @property
    def texts(self) -> list[str]:
        """Give the value as a list of texts."""
        return [_ESCAPE.sub(_plain, one) for one in re.findall(r"(?:^|,)((?:[^\\,]|\\.)*)", self.value)]

    @property
    def moment(self) -> date | datetime:
        """Give the value as a date, or as a time in the zone that it names."""
        if self.parameters == ";VALUE=DATE":
            return datetime.strptime(self.value, "%Y%m%d").replace(tzinfo=UTC).date()
        if self.parameters:
            here = zone(self.parameters.removeprefix(";TZID="))
            return datetime.strptime(self.value, "%Y%m%dT%H%M%S").replace(tzinfo=here)
        return datetime.strptime(self.value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _plain(escape: re.Match[str]) -> str:
    if escape[1] not in {"\\", ";", ",", "n", "N"}:
        raise ValueError(f"there is no escape {escape[0]!r}")
    return "\n" if escape[1] in {"n", "N"} else escape[1]


@dataclass
class Component:
    """What stands between a BEGIN and its END."""

    name: str
    lines: list[Line] = field(default_factory=list)
    parts: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> list[Line]:
        """Give every property of this name."""
        return [line for line in self.lines if line.name == name]

    def get(self, name: str) -> Line:
        """Give the one property of this name."""
        (line,) = self.all(name)
        return line

    def value(self, name: str) -> str:
        """Give the value of the one property of this name, as it stands there."""
        return self.get(name).value

    def text(self, name: str) -> str:
        """Give the text of the one property of this name."""
        return self.get(name).text

    def events(self) -> list["Component"]:
        """Give the entries, in their order."""
        return [part for part in self.parts if part.name == "VEVENT"]

    def zones(self) -> list[str]:
        """Give the names of the zones that are described, in their order."""
        return [part.value("TZID") for part in self.parts if part.name == "VTIMEZONE"]


def parse(data: bytes) -> Component:
    """Return the calendar. Raises ValueError for whatever RFC 5545 does not know."""
    text = data.decode()
    if not text.endswith("\r\n"):
        raise ValueError("the last line has no end")
    root = Component("")
    stack = [root]
    for written in text.replace("\r\n ", "").split("\r\n")[:-1]:
        found = _LINE.fullmatch(written)
        if found is None:
            raise ValueError(f"no content line: {written[:60]!r}")
        line = Line(found["name"], found["parameters"], found["value"])
        if line.name == "BEGIN":
            stack[-1].parts.append(Component(line.value))
            stack.append(stack[-1].parts[-1])
        elif line.name == "END":
            if stack.pop().name != line.value:
                raise ValueError(f"END:{line.value} ends something else")
        else:
            stack[-1].lines.append(line)
    if stack != [root] or [part.name for part in root.parts] != ["VCALENDAR"] or root.lines:
        raise ValueError("not one whole VCALENDAR")
    return root.parts[0]


def faults(data: bytes) -> list[str]:
    """Return everything that is wrong with a feed, or nothing."""
    physical = list(_physical_faults(data))
    if physical:
        return physical
    try:
        calendar = parse(data)
        return [*_head_faults(calendar), *_zone_faults(calendar), *_entry_faults(calendar)]
    except ValueError as error:
        return [str(error)]


def _physical_faults(data: bytes) -> Iterator[str]:
    for number, line in enumerate(data.split(b"\r\n"), start=1):
        if len(line) > 75:
            yield f"line {number} has {len(line)} octets"
        try:
            text = line.decode()
        except UnicodeDecodeError:
            yield f"line {number} begins or ends within a character"
            continue
        found = _BREAKS.search(text)
        if found:
            yield f"line {number} holds {found[0]!a}"
        if re.search(r"(?<!\\)(\\\\)*\\$", text):
            yield f"line {number} ends within an escape"
        if not text and number <= data.count(b"\r\n"):
            yield f"line {number} is empty"


def _head_faults(calendar: Component) -> Iterator[str]:
    names = [line.name for line in calendar.lines]
    for name in sorted(_HEAD - set(names)):
        yield f"the calendar has no {name}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the calendar has more than one {name}"
    everywhere = {line.name for component in (calendar, *calendar.parts) for line in component.lines}
    for name in sorted(everywhere & _NEVER):
        yield f"there is a {name}"


def _zone_faults(calendar: Component) -> Iterator[str]:
    used = {
        line.parameters.removeprefix(";TZID=")
        for entry in calendar.events()
        for line in entry.lines
        if line.parameters.startswith(";TZID=")
    }
    if sorted(used) != calendar.zones():
        yield f"the entries use {sorted(used)}, described are {calendar.zones()}"
    for tzid in used:
        if not known_zone(tzid):
            yield f"{tzid} is no IANA zone"
    for part in calendar.parts:
        names = [observance.name for observance in part.parts]
        if part.name == "VTIMEZONE" and any(one.all("RRULE") for one in part.parts) and len(names) > len(set(names)):
            yield f"{part.value('TZID')} has {names}; Outlook reads one of each"
        if part.name == "VTIMEZONE" and any(one.all("RDATE") for one in part.parts):
            yield f"{part.value('TZID')} has an RDATE"


def _entry_faults(calendar: Component) -> Iterator[str]:
    # An occurrence that is otherwise has the UID of its series (RFC 5545, 3.8.4.4).
    names_of = [
        (entry.text("UID"), *(line.value for line in entry.all("RECURRENCE-ID"))) for entry in calendar.events()
    ]
    if len(names_of) != len(set(names_of)):
        yield "a UID is there twice"
    for entry in calendar.events():
        names = [line.name for line in entry.lines]
        for name in sorted(_NEEDED - set(names)):
            yield f"{entry.text('UID')} has no {name}"
        for name in sorted(name for name in _ONCE if names.count(name) > 1):
            yield f"{entry.text('UID')} has more than one {name}"
        if entry.parts:
            yield f"{entry.text('UID')} has components inside"
        for line in entry.lines:
            yield from (f"{entry.text('UID')}: {fault}" for fault in _line_faults(line))
        yield from _time_faults(entry)


def _line_faults(line: Line) -> Iterator[str]:
    if line.name in _TEXTS and re.search(r"(?<!\\)(?:\\\\)*[,;]", line.value):
        yield f"{line.name} has a , or ; without its escape"
    if line.name in _TEXTS:
        _ = line.text
    if line.name == "CATEGORIES" and not all(line.texts):
        yield "a category is empty"
    if line.name in {"URL", "CONFERENCE"} and not re.fullmatch(r"https?://[!#-;=?-Z_a-z\[\]~]+", line.value):
        yield f"{line.name} is no URL: {line.value}"
    if line.name == "GEO" and not re.fullmatch(r"-?\d{1,2}\.\d{6};-?\d{1,3}\.\d{6}", line.value):
        yield f"GEO is {line.value}"
    if line.name in {"DTSTAMP", "CREATED", "LAST-MODIFIED"} and not re.fullmatch(r"\d{8}T\d{6}Z", line.value):
        yield f"{line.name} is not in UTC"
    if line.name == "STATUS" and line.value not in {"TENTATIVE", "CONFIRMED", "CANCELLED"}:
        yield f"STATUS is {line.value}"
    if line.name == "RRULE" and not line.value.startswith("FREQ="):
        yield f"RRULE is {line.value}"


def _time_faults(entry: Component) -> Iterator[str]:
    starts, ends = entry.get("DTSTART").moment, entry.get("DTEND").moment
    if isinstance(starts, datetime) is not isinstance(ends, datetime):
        yield f"{entry.text('UID')} mixes dates and times"
    elif (ends.astimezone(UTC) if isinstance(ends, datetime) else ends) <= (
        starts.astimezone(UTC) if isinstance(starts, datetime) else starts
    ):
        yield f"{entry.text('UID')} ends no later than it begins"
    for line in entry.all("RRULE"):
        until = re.search(r"UNTIL=([^;]*)", line.value)
        form = r"\d{8}T\d{6}Z" if isinstance(starts, datetime) else r"\d{8}"
        if until and not re.fullmatch(form, until[1]):
            yield f"{entry.text('UID')} has {until[0]}, which does not go with its DTSTART"
