"""The baseline of rendering: the time in which icalendar writes the entries of a feed from prepared values.

The values are read from a feed of eventcal, so that icalendar and eventcal write the same content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from icalendar import Calendar, Event
from icalendar.prop import vCategory, vDDDTypes, vGeo, vInt, vText, vUri


@dataclass(frozen=True)
class Property:
    """The name, Python value and parameters of a property."""

    name: str
    value: Any
    parameters: dict[str, str]


EntryProperties = Sequence[Property]


def read_entries(feed: bytes) -> list[EntryProperties]:
    """Return the properties of each VEVENT component in a feed, as Python values."""
    return [_read_properties(event) for event in Calendar.from_ical(feed).walk("VEVENT")]


def render_entry(entry: EntryProperties) -> bytes:
    """Render an entry with icalendar.Event, add() for each property, and to_ical()."""
    return bytes(_build_event(entry).to_ical())


def render_feed(entries: Sequence[EntryProperties]) -> bytes:
    """Render a calendar with icalendar, without VTIMEZONE components."""
    calendar = Calendar()
    calendar.add("prodid", "-//bench//")
    calendar.add("version", "2.0")
    for entry in entries:
        calendar.add_component(_build_event(entry))
    return bytes(calendar.to_ical())


def _build_event(entry: EntryProperties) -> Event:
    event = Event()
    for one in entry:
        event.add(one.name, one.value, parameters=one.parameters)
    return event


def _read_properties(event: Any) -> EntryProperties:  # noqa: ANN401 - a component as icalendar reads it
    properties = event.property_items(recursive=False, sorted=False)
    return [_to_property(name, value) for name, value in properties if name not in {"BEGIN", "END"}]


def _to_property(name: str, value: Any) -> Property:  # noqa: ANN401 - one of icalendar's many types
    # icalendar derives these parameters from the value.
    parameters = {key: str(given) for key, given in value.params.items() if key not in {"TZID", "VALUE"}}
    return Property(name, _to_python(value), parameters)


def _to_python(value: Any) -> Any:  # noqa: ANN401 - as above
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
