"""jCal serializer (RFC 7265): iCalendar as JSON arrays.

X- properties have their actual type, because the type "unknown" is meant for converters (RFC 7265, section 5.1).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.feeds.formats.components import (
    NUMERIC_RULE_PARTS,
    VALUE_CONVERTERS,
    Component,
    Property,
    ValueType,
    parse_rule_values,
    round_degrees,
)

MEDIA_TYPE = "application/calendar+json; charset=utf-8"
SEPARATOR = b","


def components_to_json(components: Iterable[Component]) -> bytes:
    """Return the JSON arrays of the components in UTF-8, joined by commas."""
    return orjson.dumps([_component_to_json(component) for component in components])[1:-1]


def jcal_header_and_footer(head: Sequence[Property], *, zones: Sequence[Component]) -> tuple[bytes, bytes]:
    """Return the JSON before and after the components of a feed. A feed with `zones` must contain an entry."""
    properties = orjson.dumps([_property_to_json(one) for one in head])
    before = b"".join([components_to_json([zone]) + SEPARATOR for zone in zones])
    return b"".join([b'["vcalendar",', properties, b",[", before]), b"]]"


def _component_to_json(component: Component) -> list[Any]:
    return [
        component.name.lower(),
        [_property_to_json(one) for one in component.properties],
        [_component_to_json(one) for one in component.components],
    ]


def _property_to_json(prop: Property) -> list[Any]:
    write = _JSON_CONVERTERS[prop.type]
    # Coordinates are a single value with two parts (RFC 7265, section 3.4.1.2).
    kind = "float" if prop.type == ValueType.GEO else prop.type.value
    return [prop.name.lower(), _parameters_to_json(prop), kind, *[write(value) for value in prop.values]]


def _parameters_to_json(prop: Property) -> dict[str, str | list[str]]:
    """Return the parameters of a property except VALUE, with lists as arrays (RFC 7265, section 3.5)."""
    found: dict[str, list[str]] = {}
    for name, value in prop.parameters:
        found.setdefault(name.lower(), []).extend(replace_controls(value).split(","))
    if prop.tzid is not None:
        found["tzid"] = [replace_controls(prop.tzid)]
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _rule_to_json(value: str) -> dict[str, Any]:
    """Return a recurrence rule as a JSON object (RFC 7265, section 3.6.10)."""
    rule: dict[str, Any] = {}
    for name, written in parse_rule_values(value).items():
        values = [int(one) for one in written] if name in NUMERIC_RULE_PARTS else written
        rule[name] = values if len(values) > 1 else values[0]
    return rule


_JSON_CONVERTERS: Mapping[ValueType, Callable[[Any], Any]] = {
    **VALUE_CONVERTERS,
    ValueType.RECUR: _rule_to_json,
    ValueType.GEO: lambda value: [round_degrees(number) for number in value],
}
