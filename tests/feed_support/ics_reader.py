"""A strict parser for the iCalendar feeds of eventcal, and checks of these feeds.

The parser and the linter share no code with the modules that write feeds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from eventcal.kit.localtime import get_zone
from eventcal.lint import lint

_LINE_PATTERN = re.compile(
    r"""(?P<name>[A-Z0-9-]+)
    (?P<parameters>(?:;[A-Z0-9-]+=(?:"[^"\x00-\x1f]*"|[^";:,\x00-\x1f]*)(?:,(?:"[^"]*"|[^";:,]*))*)*)
    :(?P<value>.*)""",
    re.VERBOSE | re.DOTALL,
)
_REQUIRED_ENTRY_PROPERTIES = frozenset(
    {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "CREATED", "LAST-MODIFIED", "STATUS", "TRANSP", "URL"}
)
_REQUIRED_CALENDAR_PROPERTIES = frozenset(
    {"VERSION", "PRODID", "CALSCALE", "NAME", "X-WR-CALNAME", "DESCRIPTION", "X-WR-CALDESC", "X-WR-TIMEZONE"}
    | {"URL", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"}
)
_FORBIDDEN_PROPERTIES = frozenset({"METHOD", "ORGANIZER", "ATTENDEE", "STRUCTURED-DATA", "DURATION"})
# Some tests serialise only the properties of a feed, set X-WR-TIMEZONE to a hostile text, or write about HTML.
_ALLOWED_LINT_CODES = frozenset({"no-entries", "calendar-zone", "text-html"})
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE_PATTERN = re.compile(r"\\(.?)", re.DOTALL)


@dataclass(frozen=True)
class ContentLine:
    """A content line with its unparsed value."""

    name: str
    parameters: str
    value: str

    @property
    def text(self) -> str:
        """Return the value without escapes."""
        return _ESCAPE_PATTERN.sub(_unescape, self.value)

    @property
    def texts(self) -> list[str]:
        """Return the values of a comma-separated list without escapes."""
        return [_ESCAPE_PATTERN.sub(_unescape, one) for one in re.findall(r"(?:^|,)((?:[^\\,]|\\.)*)", self.value)]

    @property
    def date_or_time(self) -> date | datetime:
        """Return the value as a date, or as a time in the zone of its TZID parameter."""
        if self.parameters == ";VALUE=DATE":
            return datetime.strptime(self.value, "%Y%m%d").replace(tzinfo=UTC).date()
        if self.parameters:
            here = get_zone(self.parameters.removeprefix(";TZID="))
            return datetime.strptime(self.value, "%Y%m%dT%H%M%S").replace(tzinfo=here)
        return datetime.strptime(self.value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _unescape(escape: re.Match[str]) -> str:
    if escape[1] not in {"\\", ";", ",", "n", "N"}:
        raise ValueError(f"there is no escape {escape[0]!r}")
    return "\n" if escape[1] in {"n", "N"} else escape[1]


@dataclass
class Component:
    """A component with its properties and nested components."""

    name: str
    lines: list[ContentLine] = field(default_factory=list)
    components: list["Component"] = field(default_factory=list)

    def list_properties(self, name: str) -> list[ContentLine]:
        """Return all properties with this name."""
        return [line for line in self.lines if line.name == name]

    def get_property(self, name: str) -> ContentLine:
        """Return the only property with this name."""
        (line,) = self.list_properties(name)
        return line

    def value(self, name: str) -> str:
        """Return the unparsed value of the only property with this name."""
        return self.get_property(name).value

    def text(self, name: str) -> str:
        """Return the value of the only property with this name without escapes."""
        return self.get_property(name).text

    def events(self) -> list["Component"]:
        """Return the VEVENT components in their order."""
        return [part for part in self.components if part.name == "VEVENT"]

    def timezone_ids(self) -> list[str]:
        """Return the TZID values of the VTIMEZONE components in their order."""
        return [part.value("TZID") for part in self.components if part.name == "VTIMEZONE"]


def parse_ics(data: bytes) -> Component:
    """Return the parsed calendar. Raise ValueError if the calendar violates RFC 5545."""
    text = data.decode()
    if not text.endswith("\r\n"):
        raise ValueError("the last line has no end")
    root = Component("")
    stack = [root]
    for written in text.replace("\r\n ", "").split("\r\n")[:-1]:
        found = _LINE_PATTERN.fullmatch(written)
        if found is None:
            raise ValueError(f"no content line: {written[:60]!r}")
        line = ContentLine(found["name"], found["parameters"], found["value"])
        if line.name == "BEGIN":
            stack[-1].components.append(Component(line.value))
            stack.append(stack[-1].components[-1])
        elif line.name == "END":
            if stack.pop().name != line.value:
                raise ValueError(f"END:{line.value} ends something else")
        else:
            stack[-1].lines.append(line)
    if stack != [root] or [part.name for part in root.components] != ["VCALENDAR"] or root.lines:
        raise ValueError("not one whole VCALENDAR")
    return root.components[0]


def feed_errors(data: bytes) -> list[str]:
    """Return the errors in a feed of eventcal: those that the linter finds, and violations of documented guarantees."""
    found = [
        f"line {one.line}: {one.message} ({one.code})" for one in lint(data) if one.code not in _ALLOWED_LINT_CODES
    ]
    try:
        return found or [*_text_errors(data.decode()), *_calendar_errors(parse_ics(data))]
    except ValueError as error:
        return [str(error)]


def _text_errors(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\r\n"), start=1):
        if found := _CONTROL_CHARACTERS.search(line):
            yield f"line {number} holds {found[0]!a}"


def _calendar_errors(calendar: Component) -> Iterator[str]:
    names = [line.name for line in calendar.lines]
    yield from (f"the calendar has no {name}" for name in sorted(_REQUIRED_CALENDAR_PROPERTIES - set(names)))
    yield from (f"the calendar has more than one {name}" for name in sorted({*names}) if names.count(name) > 1)
    if "UID" in names:
        yield "the calendar has a UID"
    everywhere = {line.name for component in (calendar, *calendar.components) for line in component.lines}
    yield from (f"there is a {name}" for name in sorted(everywhere & _FORBIDDEN_PROPERTIES))
    used = {
        line.parameters.removeprefix(";TZID=")
        for entry in calendar.events()
        for line in entry.lines
        if line.parameters.startswith(";TZID=")
    }
    # A feed without entries contains only its own time zone.
    described = (
        used
        if calendar.events()
        else {zone for zone in calendar.timezone_ids()[:1] if zone == calendar.text("X-WR-TIMEZONE")}
    )
    if sorted(described) != calendar.timezone_ids():
        yield f"the entries use {sorted(described)}, described are {calendar.timezone_ids()}"
    for part in calendar.components:
        if any(one.list_properties("RDATE") for one in part.components):
            yield f"{part.value('TZID')} has an RDATE"
    for entry in calendar.events():
        names = [line.name for line in entry.lines]
        yield from (f"{entry.text('UID')} has no {name}" for name in sorted(_REQUIRED_ENTRY_PROPERTIES - set(names)))
        if entry.components:
            yield f"{entry.text('UID')} has components inside"
        for line in entry.lines:
            yield from (f"{entry.text('UID')}: {fault}" for fault in _line_errors(line))


def _line_errors(line: ContentLine) -> Iterator[str]:
    if line.name == "X-ALT-DESC" and re.search(r"(?<!\\)(?:\\\\)*[,;]", line.value):
        yield f"{line.name} has a , or ; without its escape"
    if line.name == "X-ALT-DESC":
        _ = line.text
    if line.name == "CATEGORIES" and not all(line.texts):
        yield "a category is empty"
    if line.name in {"URL", "CONFERENCE"} and not line.value.startswith(("http://", "https://")):
        yield f"{line.name} is no URL of the web: {line.value}"
    if line.name == "GEO" and not re.fullmatch(r"-?\d{1,2}\.\d{6};-?\d{1,3}\.\d{6}", line.value):
        yield f"GEO is {line.value}"
    if line.name == "RRULE" and not line.value.startswith("FREQ="):
        yield f"RRULE is {line.value}"
