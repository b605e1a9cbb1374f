"""Checks of the values of single properties, and of the escaping of texts (RFC 5545, 3.3.11)."""

import re
from collections.abc import Callable, Iterator

from eventcal.kit.values import STRAY_PERCENT
from eventcal.lint.moments import read_duration
from eventcal.lint.reading import Property, Reading
from eventcal.lint.rules import Finding, finding, quoted

_STATUSES = {
    "VEVENT": {"TENTATIVE", "CONFIRMED", "CANCELLED"},
    "VTODO": {"NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"},
    "VJOURNAL": {"DRAFT", "FINAL", "CANCELLED"},
}
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,30})?", re.ASCII)
_INTEGER = re.compile(r"\+?\d{1,10}", re.ASCII)
# The characters that RFC 3986 allows.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~%-]+")
_LARGEST = 2**31 - 1
_LISTS = frozenset({"CATEGORIES", "RESOURCES"})
_TEXTS = _LISTS | frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "NAME", "UID", "RELATED-TO", "PRODID", "TZNAME"}
    | {"X-WR-CALNAME", "X-WR-CALDESC"}
)
_ESCAPED = re.compile(r"\\[\\;,nN]")


def check_properties(reading: Reading) -> Iterator[Finding]:
    """Yield findings about the values of single properties."""
    for component in reading.components:
        statuses = _STATUSES.get(component.name)
        for written in component.all("STATUS"):
            if statuses and written.value.upper() not in statuses:
                yield finding("status", written.line, written.shown)
        for name, is_right in _VALUES.items():
            for written in component.all(name):
                if not is_right(written.value):
                    yield finding(name.lower(), written.line, written.shown)
        yield from _check_uris(component.all("URL", "SOURCE", "CONFERENCE", "TZURL"))
        for written in component.all("REFRESH-INTERVAL"):
            yield from _check_interval(written)
        for written in component.properties:
            if written.name in _TEXTS and written.kind in {None, "TEXT"}:
                yield from _check_text(written)


def _is_geo(value: str) -> bool:
    latitude, separator, longitude = value.partition(";")
    if not separator or not _NUMBER.fullmatch(latitude) or not _NUMBER.fullmatch(longitude):
        return False
    return abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180  # noqa: PLR2004 - degrees


# Each property is checked by the rule whose code is its name in lower case.
_VALUES: dict[str, Callable[[str], bool]] = {
    "TRANSP": lambda value: value.upper() in {"OPAQUE", "TRANSPARENT"},
    "CLASS": lambda value: value.upper() in {"PUBLIC", "PRIVATE", "CONFIDENTIAL"},
    "SEQUENCE": lambda value: bool(_INTEGER.fullmatch(value)) and int(value) <= _LARGEST,
    "PRIORITY": lambda value: bool(re.fullmatch("[0-9]", value)),
    "GEO": _is_geo,
}


def _check_uris(properties: list[Property]) -> Iterator[Finding]:
    for written in properties:
        if not _URI.fullmatch(written.value) or STRAY_PERCENT.search(written.value):
            yield finding("url", written.line, f"{written.shown}, no URI")
        if written.name in {"SOURCE", "CONFERENCE"} and written.kind != "URI":
            yield finding("value-uri", written.line, f"{written.name} does not say VALUE=URI")


def _check_interval(written: Property) -> Iterator[Finding]:
    duration = read_duration(written.value)
    if duration is None or not duration.total_seconds() > 0:
        yield finding("refresh-interval-form", written.line, written.shown)
    elif written.kind != "DURATION":
        yield finding("refresh-interval-form", written.line, "REFRESH-INTERVAL does not say VALUE=DURATION")


def _check_text(written: Property) -> Iterator[Finding]:
    bare = _ESCAPED.sub("", written.value)
    if "\\" in bare:
        follows = quoted(bare[bare.index("\\") :][:2])
        yield finding("text-escape", written.line, f"{written.name} has the escape {follows}, which there is not")
    for sign, word in ((",", "comma"), (";", "semicolon")):
        if sign in bare and not (sign == "," and written.name in _LISTS):
            yield finding("text-separator", written.line, f"{written.name} has a {word} without its backslash")
            return
