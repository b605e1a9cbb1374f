"""Checks for property values, including the escaping of text (RFC 5545, section 3.3.11)."""

import re
from collections.abc import Callable, Iterator

from eventcal.kit.validators import STRAY_PERCENT
from eventcal.lint.parser import Component, ParsedFile, Property
from eventcal.lint.rules import Finding, finding, quote_excerpt
from eventcal.lint.time_values import parse_duration

_STATUSES = {
    "VEVENT": {"TENTATIVE", "CONFIRMED", "CANCELLED"},
    "VTODO": {"NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"},
    "VJOURNAL": {"DRAFT", "FINAL", "CANCELLED"},
}
_DECIMAL = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,30})?", re.ASCII)
_INTEGER = re.compile(r"\+?\d{1,10}", re.ASCII)
# The characters that RFC 3986 allows in a URI.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~%-]+")
_URI_PROPERTIES = ("URL", "SOURCE", "CONFERENCE", "TZURL", "ORGANIZER", "ATTENDEE")
_LIST_PROPERTIES = frozenset({"CATEGORIES", "RESOURCES"})
_TEXT_PROPERTIES = _LIST_PROPERTIES | frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "NAME", "UID", "RELATED-TO", "PRODID", "TZNAME"}
    | {"X-WR-CALNAME", "X-WR-CALDESC"}
)
# The end of an element, a line break or paragraph, and elements that are useless without an attribute.
_HTML = re.compile(
    r"</(?:a|b|body|div|em|font|h[1-6]|html|i|li|ol|p|pre|small|span|strong|table|td|tr|u|ul)>"
    r"|<(?:br|p) ?/?>|<(?:a href|img src)=",
    re.IGNORECASE,
)
# RFC 7986 allows the names of CSS colours, which consist of letters.
_COLOR_NAME = re.compile(r"[a-z]+", re.IGNORECASE)
_ESCAPE_SEQUENCE = re.compile(r"\\[\\;,nN]")


def check_properties(file: ParsedFile) -> Iterator[Finding]:
    for component in file.components:
        yield from _check_value_sets(component)
        yield from _check_uris(component.list_properties(*_URI_PROPERTIES))
        for written in component.list_properties("IMAGE"):
            if written.value_type is None:
                yield finding("image-value", written.line, "IMAGE lacks VALUE=URI or VALUE=BINARY")
        for written in component.list_properties("REFRESH-INTERVAL"):
            yield from _check_refresh_interval(written)
        yield from _check_texts(component)


def _check_value_sets(component: Component) -> Iterator[Finding]:
    statuses = _STATUSES.get(component.name)
    for written in component.list_properties("STATUS"):
        if statuses and written.value.upper() not in statuses:
            yield finding("status", written.line, written.label)
    for name, is_right in _IS_VALID_VALUE.items():
        for written in component.list_properties(name):
            if not is_right(written.value):
                yield finding(name.lower(), written.line, written.label)


def _is_valid_geo(value: str) -> bool:
    latitude, separator, longitude = value.partition(";")
    if not separator or not _DECIMAL.fullmatch(latitude) or not _DECIMAL.fullmatch(longitude):
        return False
    return abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180  # noqa: PLR2004 - degrees


_IS_VALID_VALUE: dict[str, Callable[[str], bool]] = {
    "TRANSP": lambda value: value.upper() in {"OPAQUE", "TRANSPARENT"},
    "CLASS": lambda value: value.upper() in {"PUBLIC", "PRIVATE", "CONFIDENTIAL"},
    "SEQUENCE": lambda value: bool(_INTEGER.fullmatch(value)) and int(value) < 2**31,
    "PRIORITY": lambda value: bool(re.fullmatch("[0-9]", value)),
    "GEO": _is_valid_geo,
    "COLOR": lambda value: bool(_COLOR_NAME.fullmatch(value)),
}


def _check_uris(properties: list[Property]) -> Iterator[Finding]:
    for written in properties:
        if not _URI.fullmatch(written.value) or STRAY_PERCENT.search(written.value):
            yield finding("url", written.line, f"{written.label}, which is not a URI")
        if written.name in {"SOURCE", "CONFERENCE"} and written.value_type != "URI":
            yield finding("value-uri", written.line, f"{written.name} lacks VALUE=URI")


def _check_refresh_interval(prop: Property) -> Iterator[Finding]:
    duration = parse_duration(prop.value)
    if duration is None or not duration.total_seconds() > 0:
        yield finding("refresh-interval-form", prop.line, prop.label)
    elif prop.value_type != "DURATION":
        yield finding("refresh-interval-form", prop.line, "REFRESH-INTERVAL lacks VALUE=DURATION")


def _check_texts(component: Component) -> Iterator[Finding]:
    for written in component.properties:
        if written.name in _TEXT_PROPERTIES and written.value_type in {None, "TEXT"}:
            yield from _check_text_escaping(written)
    for written in component.list_properties("SUMMARY", "DESCRIPTION"):
        if found := _HTML.search(written.value):
            yield finding("text-html", written.line, f"{written.name} contains the HTML {quote_excerpt(found[0])}")


def _check_text_escaping(prop: Property) -> Iterator[Finding]:
    bare = _ESCAPE_SEQUENCE.sub("", prop.value)
    if "\\" in bare:
        follows = quote_excerpt(bare[bare.index("\\") :][:2])
        yield finding("text-escape", prop.line, f"{prop.name} contains the unknown escape sequence {follows}")
    for sign, word in ((",", "comma"), (";", "semicolon")):
        if sign in bare and not (sign == "," and prop.name in _LIST_PROPERTIES):
            yield finding("text-separator", prop.line, f"{prop.name} contains an unescaped {word}")
            return
