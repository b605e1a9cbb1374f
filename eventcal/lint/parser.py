"""A lenient iCalendar parser (RFC 5545, section 3.1), which accepts any octets and records line numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from eventcal.lint.rules import quote_excerpt

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class PhysicalLine:
    """A line before unfolding, numbered from 1. `line_ending` is CRLF, LF, or empty at the end of the file."""

    number: int
    octets: bytes
    line_ending: bytes


@dataclass(frozen=True, slots=True)
class ContentLine:
    """A line after unfolding. `physical_parts` contains the physical lines without the white space at each fold."""

    number: int
    text: str
    physical_parts: tuple[bytes, ...]
    is_valid_utf_8: bool


@dataclass(frozen=True, slots=True)
class Property:
    """A property with upper-case property and parameter names, unquoted parameter values, and an escaped value.

    `parameters` contains the first occurrence of each parameter.
    """

    line: int
    name: str
    parameters: dict[str, tuple[str, ...]]
    value: str
    repeated_parameters: tuple[str, ...] = ()

    @property
    def tzid(self) -> str | None:
        return self.parameters.get("TZID", (None,))[0]

    @property
    def label(self) -> str:
        return f"{self.name} is {quote_excerpt(self.value)}"

    @property
    def value_type(self) -> str | None:
        """The value of the VALUE parameter in upper case, or None if the parameter is missing."""
        return self.parameters["VALUE"][0].upper() if "VALUE" in self.parameters else None


@dataclass(eq=False, repr=False, slots=True)
class Component:
    """A component between BEGIN and END. `has_end` is False if the END line is missing."""

    name: str
    line: int
    parent: "Component | None"
    outermost: "Component | None"
    properties: list[Property] = field(default_factory=list)
    children: list["Component"] = field(default_factory=list)
    has_end: bool = False
    properties_by_name: dict[str, list[Property]] = field(default_factory=dict)

    @property
    def root(self) -> "Component":
        """The outermost enclosing component, or the component itself if it is not nested."""
        return self.outermost or self

    def list_properties(self, *names: str) -> list[Property]:
        return [prop for name in names for prop in self.properties_by_name.get(name, ())]

    def find_property(self, name: str) -> Property | None:
        return next(iter(self.properties_by_name.get(name, ())), None)


@dataclass(eq=False, repr=False, slots=True)
class ParsedFile:
    """A parsed file with its lines, its components in order of their BEGIN lines, and content outside components."""

    octets: bytes
    physical_lines: list[PhysicalLine]
    content_lines: list[ContentLine]
    components: list[Component] = field(default_factory=list)
    invalid_lines: list[ContentLine] = field(default_factory=list)
    stray_ends: list[Property] = field(default_factory=list)
    outside_properties: list[Property] = field(default_factory=list)

    @property
    def calendars(self) -> list[Component]:
        """The VCALENDAR components that are not nested in another component."""
        return [component for component in self.components if component.name == "VCALENDAR" and not component.parent]

    @property
    def entries(self) -> list[Component]:
        return [component for component in self.components if component.name in ENTRY_NAMES]


ENTRY_NAMES = ("VEVENT", "VTODO", "VJOURNAL")


def parse_file(octets: bytes) -> ParsedFile:
    """Parse octets as iCalendar in linear time. Invalid content does not raise an exception."""
    physical = list(_iter_physical_lines(octets.removeprefix(BYTE_ORDER_MARK)))
    reading = ParsedFile(octets, physical, list(_unfold_lines(physical)))
    _build_components(reading)
    return reading


def _iter_physical_lines(data: bytes) -> Iterator[PhysicalLine]:
    lines = data.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        crlf = line.endswith(b"\r")
        yield PhysicalLine(number, line[:-1] if crlf else line, b"\r\n" if crlf else b"\n")
    if lines[-1]:
        yield PhysicalLine(len(lines), lines[-1], b"")


def _unfold_lines(physical: Iterable[PhysicalLine]) -> Iterator[ContentLine]:
    number, parts = 0, list[bytes]()
    for line in physical:
        # An extra CR before the CRLF is part of the line ending and not of the value.
        octets = line.octets.rstrip(b"\r")
        if parts and octets.startswith((b" ", b"\t")):
            parts.append(octets[1:])
            continue
        if parts:
            yield _build_content_line(number, parts)
        number, parts = line.number, [octets] if octets else []
    if parts:
        yield _build_content_line(number, parts)


def _build_content_line(number: int, parts: list[bytes]) -> ContentLine:
    octets = b"".join(parts)
    return ContentLine(number, octets.decode(errors="replace"), tuple(parts), is_valid_utf_8=is_utf_8(octets))


def is_utf_8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r";([A-Za-z0-9-]+)=")
_PARAMETER_VALUE = re.compile(r'"([^"]*)"|([^";:,]*)')


def _parse_property(line: ContentLine) -> Property | None:
    name = _NAME.match(line.text)
    if name is None:
        return None
    at, parameters, repeated = name.end(), dict[str, tuple[str, ...]](), list[str]()
    while found := _PARAMETER.match(line.text, at):
        values, at = _parse_parameter_values(line.text, found.end())
        if found[1].upper() in parameters:
            repeated.append(found[1].upper())
        parameters.setdefault(found[1].upper(), values)
    if line.text[at : at + 1] != ":":
        return None
    return Property(line.number, name[0].upper(), parameters, line.text[at + 1 :], tuple(repeated))


def _parse_parameter_values(text: str, start: int) -> tuple[tuple[str, ...], int]:
    values = list[str]()
    while found := _PARAMETER_VALUE.match(text, start):
        values.append(found[1] if found[1] is not None else found[2])
        start = found.end()
        if text[start : start + 1] != ",":
            break
        start += 1
    return tuple(values), start


def _build_components(file: ParsedFile) -> None:
    stack, open_names = list[Component](), Counter[str]()
    for line in file.content_lines:
        written = _parse_property(line)
        if written is None:
            file.invalid_lines.append(line)
        elif written.name == "BEGIN":
            parent, outermost = (stack[-1], stack[0]) if stack else (None, None)
            component = Component(written.value.upper(), written.line, parent, outermost)
            if parent:
                parent.children.append(component)
            file.components.append(component)
            stack.append(component)
            open_names[component.name] += 1
        elif written.name == "END":
            _close_component(file, written, stack, open_names=open_names)
        elif stack:
            stack[-1].properties.append(written)
            stack[-1].properties_by_name.setdefault(written.name, []).append(written)
        else:
            file.outside_properties.append(written)


def _close_component(file: ParsedFile, prop: Property, stack: list[Component], *, open_names: Counter[str]) -> None:
    name = prop.value.upper()
    # Searching the stack for each stray END instead of using a counter would take quadratic time.
    if not open_names[name]:
        file.stray_ends.append(prop)
        return
    while (component := stack.pop()).name != name:
        open_names[component.name] -= 1
    open_names[name] -= 1
    component.has_end = True
