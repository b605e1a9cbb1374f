"""Checks for property values, including the escaping of text (RFC 5545, section 3.3.11)."""

import re
from collections.abc import Callable, Iterator

from eventcal.kit.validators import STRAY_PERCENT
from eventcal.lint.parser import ParsedFile, Property
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
_LIST_PROPERTIES = frozenset({"CATEGORIES", "RESOURCES"})
_TEXT_PROPERTIES = _LIST_PROPERTIES | frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "NAME", "UID", "RELATED-TO", "PRODID", "TZNAME"}
    | {"X-WR-CALNAME", "X-WR-CALDESC"}
)
_ESCAPE_SEQUENCE = re.compile(r"\\[\\;,nN]")


def check_properties(file: ParsedFile) -> Iterator[Finding]:
    for component in file.components:
        statuses = _STATUSES.get(component.name)
        for written in component.list_properties("STATUS"):
            if statuses and written.value.upper() not in statuses:
                yield finding("status", written.line, written.label)
        for name, is_right in _IS_VALID_VALUE.items():
            for written in component.list_properties(name):
                if not is_right(written.value):
                    yield finding(name.lower(), written.line, written.label)
        yield from _check_uris(component.list_properties("URL", "SOURCE", "CONFERENCE", "TZURL"))
        for written in component.list_properties("REFRESH-INTERVAL"):
            yield from _check_refresh_interval(written)
        for written in component.properties:
            if written.name in _TEXT_PROPERTIES and written.value_type in {None, "TEXT"}:
                yield from _check_text_escaping(written)


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


def _check_text_escaping(prop: Property) -> Iterator[Finding]:
    bare = _ESCAPE_SEQUENCE.sub("", prop.value)
    if "\\" in bare:
        follows = quote_excerpt(bare[bare.index("\\") :][:2])
        yield finding("text-escape", prop.line, f"{prop.name} contains the unknown escape sequence {follows}")
    for sign, word in ((",", "comma"), (";", "semicolon")):
        if sign in bare and not (sign == "," and prop.name in _LIST_PROPERTIES):
            yield finding("text-separator", prop.line, f"{prop.name} contains an unescaped {word}")
            return
