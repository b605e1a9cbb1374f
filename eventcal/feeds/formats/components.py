"""The data model of iCalendar (RFC 5545, section 3), which the `ics`, `jcal` and `xcal` modules serialise."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from eventcal.feeds.entries.sanitize import percent_encode_url as clean_uri
from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.kit.localtime import format_local, format_utc
from eventcal.kit.rrule_syntax import parse_rule, parse_until


class ValueType(StrEnum):
    """The value types of properties (RFC 5545, section 3.3), with their names in jCal and xCal."""

    TEXT = "text"
    URI = "uri"
    DATE = "date"
    # A local time in the zone of the TZID parameter, a floating time if TZID is missing, or an instant in UTC.
    DATE_TIME = "date-time"
    INTEGER = "integer"
    DURATION = "duration"
    RECUR = "recur"
    UTC_OFFSET = "utc-offset"
    # The latitude and longitude in degrees, as in the GEO property.
    GEO = "geo"


Value = str | int | date | datetime | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Property:
    """A property with an upper-case name. `parameters` contains all parameters except VALUE and TZID.

    Datetime values are naive if `tzid` is set. `explicit_type` is true if RFC 5545 requires the VALUE parameter.
    """

    name: str
    type: ValueType
    values: tuple[Value, ...]
    parameters: tuple[tuple[str, str], ...] = ()
    tzid: str | None = None
    explicit_type: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """A component with an upper-case name, properties and subcomponents."""

    name: str
    properties: tuple[Property, ...]
    components: tuple["Component", ...] = field(default=())


def text_property(name: str, value: str, *parameters: tuple[str, str]) -> Property:
    return Property(name, ValueType.TEXT, (value,), parameters)


def uri_property(name: str, value: str, *parameters: tuple[str, str], explicit_type: bool = False) -> Property:
    return Property(name, ValueType.URI, (value,), parameters, explicit_type=explicit_type)


def date_time_property(name: str, values: Iterable[date | datetime], tzid: str | None) -> Property:
    """Return a property with values of one kind: dates, local times in a zone, or instants in UTC."""
    moments = tuple(values)
    if not isinstance(moments[0], datetime):
        return Property(name, ValueType.DATE, moments, explicit_type=True)
    return Property(name, ValueType.DATE_TIME, moments, tzid=tzid)


# The parts of a recurrence rule that have numeric values.
NUMERIC_RULE_PARTS = frozenset({"interval", "count", "bymonthday", "byyearday", "byweekno", "bymonth", "bysetpos"})


def format_utc_offset(value: str) -> str:
    """Return a UTC-OFFSET value such as `-0500` (RFC 5545, section 3.3.14) in the form `-05:00`."""
    return ":".join([value[:3], value[3:5], *([value[5:]] if value[5:] else [])])


def round_degrees(number: float) -> float:
    """Return a latitude or longitude rounded to six decimals (RFC 5545, section 3.8.1.6), with -0.0 replaced by 0.0."""
    return round(number, 6) + 0.0


def parse_rule_values(rule: str) -> Mapping[str, Sequence[str]]:
    """Return the values of each part of a recurrence rule, keyed by lower-case name. UNTIL is in ISO 8601 format."""
    return {
        name.lower(): [_format_until(value)] if name == "UNTIL" else value.split(",")
        for name, value in parse_rule(rule).items()
    }


def _format_until(value: str) -> str:
    end = parse_until(value)
    return str(end.day) if end.time_of_day is None else f"{end.day}T{end.time_of_day}{'Z' if end.is_utc else ''}"


VALUE_CONVERTERS: Mapping[ValueType, Callable[[Any], str | int]] = {
    ValueType.TEXT: replace_controls,
    ValueType.URI: clean_uri,
    ValueType.DATE: date.isoformat,
    ValueType.DATE_TIME: lambda value: format_local(value) if value.tzinfo is None else format_utc(value),
    ValueType.INTEGER: int,
    ValueType.DURATION: replace_controls,
    ValueType.UTC_OFFSET: format_utc_offset,
}
"""Conversions of values for jCal and xCal, except recurrence rules and coordinates, which differ."""
