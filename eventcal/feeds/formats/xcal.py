"""xCal serializer (RFC 6321): iCalendar as XML 1.0.

X- properties have their actual type, because the type "unknown" is meant for converters (RFC 6321, section 5).
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.feeds.formats.components import (
    VALUE_CONVERTERS,
    Component,
    Property,
    ValueType,
    parse_rule_values,
    round_degrees,
)

MEDIA_TYPE = "application/calendar+xml; charset=utf-8"

_DOCUMENT_START = (
    '<?xml version="1.0" encoding="utf-8"?>\n<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar>'
)
_DOCUMENT_END = b"</components></vcalendar></icalendar>\n"
# The order of elements that the xCal schema requires (RFC 6321, appendix A, value-recur).
_RULE_ORDER = (
    *("freq", "until", "count", "interval", "bysecond", "byminute", "byhour"),
    *("byday", "bymonthday", "byyearday", "byweekno", "bymonth", "bysetpos", "wkst"),
)


def components_to_xml(components: Iterable[Component]) -> bytes:
    return "".join([_component_to_xml(component) for component in components]).encode()


def xcal_header_and_footer(head: Sequence[Property], *, zones: Sequence[Component]) -> tuple[bytes, bytes]:
    above = f"{_DOCUMENT_START}{_properties_to_xml(head)}<components>"
    return above.encode() + components_to_xml(zones), _DOCUMENT_END


def _component_to_xml(component: Component) -> str:
    name = component.name.lower()
    within = "".join([_component_to_xml(one) for one in component.components])
    components = f"<components>{within}</components>" if within else ""
    return f"<{name}>{_properties_to_xml(component.properties)}{components}</{name}>"


def _properties_to_xml(properties: Iterable[Property]) -> str:
    return f"<properties>{''.join([_property_to_xml(one) for one in properties])}</properties>"


def _property_to_xml(prop: Property) -> str:
    name = prop.name.lower()
    values = "".join([_value_to_xml(prop.type, value) for value in prop.values])
    return f"<{name}>{_parameters_to_xml(prop)}{values}</{name}>"


def _value_to_xml(value_type: ValueType, value: Any) -> str:  # noqa: ANN401 - the type depends on kind
    if value_type == ValueType.GEO:
        # Fixed-point notation is used, because `str` writes small numbers with an exponent.
        latitude, longitude = (f"{round_degrees(number):.6f}" for number in value)
        return f"<latitude>{latitude}</latitude><longitude>{longitude}</longitude>"
    if value_type == ValueType.RECUR:
        return f"<recur>{_rule_to_xml(value)}</recur>"
    return f"<{value_type}>{escape(str(VALUE_CONVERTERS[value_type](value)), quote=False)}</{value_type}>"


def _parameters_to_xml(prop: Property) -> str:
    """Return a property's parameters except VALUE, which the value element's name expresses (RFC 6321, section 3.5)."""
    found: dict[str, str] = {}
    for name, value in prop.parameters:
        written = "".join([_value_to_xml(ValueType.TEXT, part) for part in value.split(",")])
        found[name.lower()] = found.get(name.lower(), "") + written
    if prop.tzid is not None:
        found["tzid"] = _value_to_xml(ValueType.TEXT, prop.tzid)
    within = "".join([f"<{name}>{values}</{name}>" for name, values in found.items()])
    return f"<parameters>{within}</parameters>" if within else ""


def _rule_to_xml(value: str) -> str:
    parts = parse_rule_values(value)
    values = [(name, escape(replace_controls(one), quote=False)) for name in _RULE_ORDER for one in parts.get(name, ())]
    return "".join([f"<{name}>{value}</{name}>" for name, value in values])
