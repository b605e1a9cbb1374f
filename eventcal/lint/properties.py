"""Rules about what single properties may say."""

import re
from collections.abc import Callable, Iterator

from eventcal.kit.values import STRAY_PERCENT
from eventcal.lint.findings import Finding, Rule, error, quoted, warning
from eventcal.lint.moments import read_duration
from eventcal.lint.reading import Property, Reading

STATUS = error(
    "status",
    "RFC 5545, 3.8.1.11",
    "STATUS is none of those that there are for this kind of entry; for an event TENTATIVE, CONFIRMED, CANCELLED.",
)
TRANSP = error("transp", "RFC 5545, 3.8.2.7", "TRANSP is neither OPAQUE nor TRANSPARENT.")
SEQUENCE = error("sequence", "RFC 5545, 3.8.7.4", "SEQUENCE is no whole number from 0 to 2147483647.")
PRIORITY = error("priority", "RFC 5545, 3.8.1.9", "PRIORITY is no number from 0 to 9.")
GEO = error(
    "geo",
    "RFC 5545, 3.8.1.6",
    "GEO is not a latitude from -90 to 90, a semicolon, and a longitude from -180 to 180, in degrees.",
)
URL = error(
    "url",
    "RFC 5545, 3.3.13",
    "URL, SOURCE, CONFERENCE or TZURL is no URI with a scheme, or holds characters that have to be percent-encoded.",
)
INTERVAL = error(
    "refresh-interval-form",
    "RFC 7986, 5.7",
    "REFRESH-INTERVAL is no positive duration, or does not say VALUE=DURATION, which it has to.",
)
URI_PARAMETER = error(
    "value-uri",
    "RFC 7986, 5.8",
    "SOURCE or CONFERENCE does not say VALUE=URI, which it has to.",
)
CLASS = warning(
    "class",
    "RFC 5545, 3.8.1.3",
    "CLASS is none of PUBLIC, PRIVATE, CONFIDENTIAL; programs take any other for PRIVATE.",
)


RULES = (STATUS, TRANSP, SEQUENCE, PRIORITY, GEO, URL, INTERVAL, URI_PARAMETER, CLASS)

_STATUSES = {
    "VEVENT": {"TENTATIVE", "CONFIRMED", "CANCELLED"},
    "VTODO": {"NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"},
    "VJOURNAL": {"DRAFT", "FINAL", "CANCELLED"},
}
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,30})?", re.ASCII)
_INTEGER = re.compile(r"\+?\d{1,10}", re.ASCII)
# The characters that RFC 3986 has.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~%-]+")
_LARGEST = 2**31 - 1


def check_properties(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with single properties."""
    for component in reading.components:
        statuses = _STATUSES.get(component.name)
        for written in component.all("STATUS"):
            if statuses and written.value.upper() not in statuses:
                yield STATUS.at(written.line, f"STATUS is {quoted(written.value)}")
        for name, (rule, is_right) in _VALUES.items():
            for written in component.all(name):
                if not is_right(written.value):
                    yield rule.at(written.line, f"{name} is {quoted(written.value)}")
        yield from _check_uris(component.all("URL", "SOURCE", "CONFERENCE", "TZURL"))
        for written in component.all("REFRESH-INTERVAL"):
            yield from _check_interval(written)


def _is_transp(value: str) -> bool:
    return value.upper() in {"OPAQUE", "TRANSPARENT"}


def _is_class(value: str) -> bool:
    return value.upper() in {"PUBLIC", "PRIVATE", "CONFIDENTIAL"}


def _is_sequence(value: str) -> bool:
    return bool(_INTEGER.fullmatch(value)) and int(value) <= _LARGEST


def _is_priority(value: str) -> bool:
    return bool(re.fullmatch("[0-9]", value))


def _is_geo(value: str) -> bool:
    latitude, separator, longitude = value.partition(";")
    if not separator or not _NUMBER.fullmatch(latitude) or not _NUMBER.fullmatch(longitude):
        return False
    return abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180  # noqa: PLR2004 - degrees


_VALUES: dict[str, tuple[Rule, Callable[[str], bool]]] = {
    "TRANSP": (TRANSP, _is_transp),
    "CLASS": (CLASS, _is_class),
    "SEQUENCE": (SEQUENCE, _is_sequence),
    "PRIORITY": (PRIORITY, _is_priority),
    "GEO": (GEO, _is_geo),
}


def _check_uris(properties: list[Property]) -> Iterator[Finding]:
    for written in properties:
        if not _URI.fullmatch(written.value) or STRAY_PERCENT.search(written.value):
            yield URL.at(written.line, f"{written.name} is {quoted(written.value)}, no URI")
        if written.name in {"SOURCE", "CONFERENCE"} and written.kind != "URI":
            yield URI_PARAMETER.at(written.line, f"{written.name} does not say VALUE=URI")


def _check_interval(written: Property) -> Iterator[Finding]:
    duration = read_duration(written.value)
    if duration is None or not duration.total_seconds() > 0:
        yield INTERVAL.at(written.line, f"REFRESH-INTERVAL is {quoted(written.value)}")
    elif written.kind != "DURATION":
        yield INTERVAL.at(written.line, "REFRESH-INTERVAL does not say VALUE=DURATION")
