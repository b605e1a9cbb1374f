"""The data model of iCalendar (RFC 5545, 3): components and properties, independent of their serialization.

ics.py, jcal.py and xcal.py serialize the same components, so that they cannot disagree. This module also has the
value conversions that several formats share, mainly jCal and xCal (RFC 7265, 3.6; RFC 6321, 3.6).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from eventcal.feeds.entries.sanitize import percent_encode_url as clean_uri
from eventcal.feeds.entries.sanitize import strip_controls
from eventcal.kit.localtime import format_local, format_utc
from eventcal.kit.rrule import parse_rule, parse_until


class ValueType(StrEnum):
    """The value types of RFC 5545, 3.3 that eventcal writes, by their jCal and xCal names."""

    TEXT = "text"
    URI = "uri"
    # A date; a naive time, local to the property's TZID or floating without one; or an instant in UTC.
    DATE = "date"
    DATE_TIME = "date-time"
    INTEGER = "integer"
    DURATION = "duration"
    RECUR = "recur"
    UTC_OFFSET = "utc-offset"
    # Latitude and longitude in degrees, as in the GEO property.
    GEO = "geo"


Value = str | int | date | datetime | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its upper-case name, its values of one type, and its parameters except VALUE and TZID.

    values: str for TEXT, URI, DURATION, RECUR and UTC_OFFSET (the last three in RFC 5545 notation); a datetime is naive
    with `tzid`, otherwise in UTC. Only CATEGORIES and EXDATE may have several values.
    explicit_type: whether RFC 5545 requires VALUE=…, because the type is not the property's default.
    """

    name: str
    type: ValueType
    values: tuple[Value, ...]
    parameters: tuple[tuple[str, str], ...] = ()
    tzid: str | None = None
    explicit_type: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """A component: its upper-case name, its properties and its subcomponents."""

    name: str
    properties: tuple[Property, ...]
    components: tuple["Component", ...] = field(default=())


def text_property(name: str, value: str, *parameters: tuple[str, str]) -> Property:
    """Return a property with one text value."""
    return Property(name, ValueType.TEXT, (value,), parameters)


def uri_property(name: str, value: str, *parameters: tuple[str, str], explicit_type: bool = False) -> Property:
    """Return a property with one URI value."""
    return Property(name, ValueType.URI, (value,), parameters, explicit_type=explicit_type)


def date_time_property(name: str, values: Iterable[date | datetime], tzid: str | None) -> Property:
    """Return a property with dates, local times of a zone, or instants in UTC; all values must be of one kind."""
    several = tuple(values)
    if not isinstance(several[0], datetime):
        return Property(name, ValueType.DATE, several, explicit_type=True)
    return Property(name, ValueType.DATE_TIME, several, tzid=tzid)


# The parts of a recurrence rule whose values are numbers.
NUMERIC_RULE_PARTS = frozenset(
    {"interval", "count", "bysecond", "byminute", "byhour", "bymonthday", "byyearday", "byweekno", "bymonth"}
    | {"bysetpos"}
)


def format_date_time(value: datetime) -> str:
    """Return `2014-06-04T13:30:00` for a naive time, with a Z appended for a time in UTC."""
    return format_local(value) if value.tzinfo is None else format_utc(value)


def format_utc_offset(value: str) -> str:
    """Return `-05:00` for the UTC-OFFSET `-0500` (RFC 5545, 3.3.14), with the seconds if there are any."""
    return ":".join([value[:3], value[3:5], *([value[5:]] if value[5:] else [])])


def round_degrees(number: float) -> float:
    """Return a latitude or longitude rounded to six decimals (RFC 5545, 3.8.1.6), without a negative zero."""
    return round(number, 6) + 0.0


def parse_rule_values(rule: str) -> Mapping[str, Sequence[str]]:
    """Return the values of each part of an RFC 5545 recurrence rule, by lower-case name, in order.

    UNTIL is converted to `2014-06-04` or `2014-06-04T13:30:00Z`; all other values are unchanged.
    """
    return {
        name.lower(): [_format_until(value)] if name == "UNTIL" else value.split(",")
        for name, value in parse_rule(rule).items()
    }


def _format_until(value: str) -> str:
    until = parse_until(value)
    return (
        str(until.day) if until.time_of_day is None else f"{until.day}T{until.time_of_day}{'Z' if until.is_utc else ''}"
    )


VALUE_CONVERTERS: Mapping[ValueType, Callable[[Any], str | int]] = {
    ValueType.TEXT: strip_controls,
    ValueType.URI: clean_uri,
    ValueType.DATE: date.isoformat,
    ValueType.DATE_TIME: format_date_time,
    ValueType.INTEGER: int,
    ValueType.DURATION: strip_controls,
    ValueType.UTC_OFFSET: format_utc_offset,
}
"""Conversions of values for jCal and xCal, by type. Recurrence rules and coordinates differ and are not included."""
