"""jCal serializer (RFC 7265): iCalendar as JSON arrays.

The output is deterministic. X- properties have their actual type, because it is known here; "unknown" is for
converters that do not know it and copy a value in its escaped form (RFC 7265, 5.1).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from eventcal.feeds.entries.sanitize import strip_controls
from eventcal.feeds.formats.components import NUMBERS, PLAIN, Component, Property, ValueType, degrees, rule_parts

MEDIA_TYPE = "application/calendar+json; charset=utf-8"
SEPARATOR = b","


def piece(components: Iterable[Component]) -> bytes:
    """Return the arrays of the components, joined by commas, in UTF-8."""
    return orjson.dumps([_component(component) for component in components])[1:-1]


def around(head: Sequence[Property], *, zones: Sequence[Component]) -> tuple[bytes, bytes]:
    """Return the JSON before and after the pieces of a feed, which are joined by SEPARATOR.

    zones: the VTIMEZONEs that the pieces need. If there are any, at least one piece must follow.
    """
    properties = orjson.dumps([_property(one) for one in head])
    before = b"".join([piece([zone]) + SEPARATOR for zone in zones])
    return b"".join([b'["vcalendar",', properties, b",[", before]), b"]]"


def _component(component: Component) -> list[Any]:
    return [
        component.name.lower(),
        [_property(one) for one in component.properties],
        [_component(one) for one in component.components],
    ]


def _property(one: Property) -> list[Any]:
    write = _WRITERS[one.type]
    # Coordinates are one value with two parts (RFC 7265, 3.4.1.2).
    kind = "float" if one.type == ValueType.GEO else one.type.value
    return [one.name.lower(), _parameters(one), kind, *[write(value) for value in one.values]]


def _parameters(one: Property) -> dict[str, str | list[str]]:
    """Return the parameters except VALUE, which is the type; lists as arrays (RFC 7265, 3.5)."""
    found: dict[str, list[str]] = {}
    for name, value in one.parameters:
        found.setdefault(name.lower(), []).extend(strip_controls(value).split(","))
    if one.tzid is not None:
        found["tzid"] = [strip_controls(one.tzid)]
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _rule(value: str) -> dict[str, Any]:
    """Return a recurrence rule as an object, with numbers as numbers and several values as an array (3.6.10)."""
    rule: dict[str, Any] = {}
    for name, written in rule_parts(value).items():
        values = [int(one) for one in written] if name in NUMBERS else written
        rule[name] = values if len(values) > 1 else values[0]
    return rule


def _geo(value: tuple[float, float]) -> list[float]:
    return [degrees(number) for number in value]


_WRITERS: Mapping[ValueType, Callable[[Any], Any]] = {**PLAIN, ValueType.RECUR: _rule, ValueType.GEO: _geo}
