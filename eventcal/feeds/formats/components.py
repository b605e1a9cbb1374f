"""iCalendar's data model (RFC 5545, 3): components and properties, apart from how they are written.

ics.py, jcal.py and xcal.py are three notations of the same components, so no two of them can disagree. Below are
values that several formats write alike, above all jCal and xCal (RFC 7265, 3.6; RFC 6321, 3.6).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from eventcal.feeds.entries.sanitize import clean
from eventcal.feeds.entries.sanitize import uri as clean_uri
from eventcal.kit.localtime import format_local, format_utc
from eventcal.kit.rrule import parse_rule, parse_until


class ValueType(StrEnum):
    """The types of RFC 5545, 3.3 that we write, by the names that jCal and xCal have for them."""

    TEXT = "text"
    URI = "uri"
    # A date, a naive time that is local to the property's TZID (floating without one), or an instant in UTC.
    DATE = "date"
    DATE_TIME = "date-time"
    INTEGER = "integer"
    DURATION = "duration"
    RECUR = "recur"
    UTC_OFFSET = "utc-offset"
    # Latitude and longitude in degrees, as GEO has them.
    GEO = "geo"


Value = str | int | date | datetime | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Property:
    """One property: its name in upper case, its values, all of one type, and its parameters beside VALUE and TZID.

    values: str for TEXT, URI, DURATION, RECUR and UTC_OFFSET (the last three as RFC 5545 writes them); a datetime
    is naive with `tzid`, else in UTC; nearly always one, several for CATEGORIES and EXDATE.
    says_type: whether RFC 5545's notation has to say the type (VALUE=…), for it is not the property's usual one.
    """

    name: str
    type: ValueType
    values: tuple[Value, ...]
    parameters: tuple[tuple[str, str], ...] = ()
    tzid: str | None = None
    says_type: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """One component: its name in upper case, its properties and the components within it."""

    name: str
    properties: tuple[Property, ...]
    components: tuple["Component", ...] = field(default=())


def text(name: str, value: str, *parameters: tuple[str, str]) -> Property:
    """Return a property that holds one text."""
    return Property(name, ValueType.TEXT, (value,), parameters)


def uri(name: str, value: str, *parameters: tuple[str, str], says_type: bool = False) -> Property:
    """Return a property that holds one URI."""
    return Property(name, ValueType.URI, (value,), parameters, says_type=says_type)


def moments(name: str, values: Iterable[date | datetime], tzid: str | None) -> Property:
    """Return a property that holds dates, local times of a zone, or instants in UTC: all of one kind."""
    several = tuple(values)
    if not isinstance(several[0], datetime):
        return Property(name, ValueType.DATE, several, says_type=True)
    return Property(name, ValueType.DATE_TIME, several, tzid=tzid)


# The parts of a rule that are numbers, or lists of them.
NUMBERS = frozenset(
    {"interval", "count", "bysecond", "byminute", "byhour", "bymonthday", "byyearday", "byweekno", "bymonth"}
    | {"bysetpos"}
)


def moment(value: datetime) -> str:
    """Return `2014-06-04T13:30:00` for a naive time, the same with a Z for one in UTC."""
    return format_local(value) if value.tzinfo is None else format_utc(value)


def offset(value: str) -> str:
    """Return `-05:00` for the UTC-OFFSET `-0500` (RFC 5545, 3.3.14); seconds stay where there are some."""
    return ":".join([value[:3], value[3:5], *([value[5:]] if value[5:] else [])])


def degrees(number: float) -> float:
    """Return a latitude or longitude on six decimals (RFC 5545, 3.8.1.6), without a negative zero."""
    return round(number, 6) + 0.0


def rule_parts(rule: str) -> Mapping[str, Sequence[str]]:
    """Return the values of each part of a RECUR as RFC 5545 writes it, by its name in lower case, in their order.

    UNTIL is `2014-06-04` or `2014-06-04T13:30:00Z`, all else is as it was.
    """
    return {
        name.lower(): [_until(value)] if name == "UNTIL" else value.split(",")
        for name, value in parse_rule(rule).items()
    }


def _until(value: str) -> str:
    until = parse_until(value)
    return str(until.day) if until.clock is None else f"{until.day}T{until.clock}{'Z' if until.in_utc else ''}"


PLAIN: Mapping[ValueType, Callable[[Any], str | int]] = {
    ValueType.TEXT: clean,
    ValueType.URI: clean_uri,
    ValueType.DATE: date.isoformat,
    ValueType.DATE_TIME: moment,
    ValueType.INTEGER: int,
    ValueType.DURATION: clean,
    ValueType.UTC_OFFSET: offset,
}
"""What jCal and xCal hold of a value, by its type; they differ only in recurrence rules and places."""
