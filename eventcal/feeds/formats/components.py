"""iCalendar's data model (RFC 5545, 3): components and properties, apart from how they are written.

ics.py, jcal.py and xcal.py are three notations of the same components, so no two of them can disagree.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


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
