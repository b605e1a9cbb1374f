"""The baseline of rendering: the time icalendar takes to write the entries of a feed from prepared values.

The values are read from our own feed, so that both write the same properties with the same content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from icalendar import Calendar, Event
from icalendar.prop import vCategory, vDDDTypes, vGeo, vInt, vText, vUri


@dataclass(frozen=True)
class Property:
    """A property's name, plain Python value, and parameters."""

    name: str
    value: Any
    parameters: dict[str, str]


Prepared = Sequence[Property]


def prepare(feed: bytes) -> list[Prepared]:
    """Return the properties of each VEVENT of a feed, as a program has them before rendering."""
    return [_prepared(event) for event in Calendar.from_ical(feed).walk("VEVENT")]


def render_one(entry: Prepared) -> bytes:
    """Render one entry with icalendar: an Event, add() for each property, to_ical()."""
    return bytes(_event(entry).to_ical())


def render_all(entries: Sequence[Prepared]) -> bytes:
    """Render a whole calendar with icalendar, without VTIMEZONE."""
    calendar = Calendar()
    calendar.add("prodid", "-//bench//")
    calendar.add("version", "2.0")
    for entry in entries:
        calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _event(entry: Prepared) -> Event:
    event = Event()
    for one in entry:
        event.add(one.name, one.value, parameters=one.parameters)
    return event


def _prepared(event: Any) -> Prepared:  # noqa: ANN401 - a component as icalendar reads it
    properties = event.property_items(recursive=False, sorted=False)
    return [_property(name, value) for name, value in properties if name not in {"BEGIN", "END"}]


def _property(name: str, value: Any) -> Property:  # noqa: ANN401 - one of icalendar's many types
    # icalendar derives these from the value.
    parameters = {key: str(given) for key, given in value.params.items() if key not in {"TZID", "VALUE"}}
    return Property(name, _plain(value), parameters)


def _plain(value: Any) -> Any:  # noqa: ANN401 - as above
    match value:
        case vDDDTypes():
            return value.dt
        case vCategory():
            return [str(category) for category in value.cats]
        case vGeo():
            return (value.latitude, value.longitude)
        case vInt():
            return int(value)
        case vText() | vUri():
            return str(value)
        case _:
            return str(value)
