"""xCal serializer (RFC 6321): iCalendar as XML 1.0.

The output is deterministic. X- properties have their actual type, because it is known here; "unknown" is for
converters that do not know it (RFC 6321, 5).
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from eventcal.feeds.entries.sanitize import strip_controls
from eventcal.feeds.formats.components import PLAIN, Component, Property, ValueType, degrees, rule_parts

MEDIA_TYPE = "application/calendar+xml; charset=utf-8"

_ABOVE = '<?xml version="1.0" encoding="utf-8"?>\n<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar>'
_BELOW = b"</components></vcalendar></icalendar>\n"
# The order required by the schema of RFC 6321 (appendix A, value-recur).
_RULE_ORDER = (
    *("freq", "until", "count", "interval", "bysecond", "byminute", "byhour"),
    *("byday", "bymonthday", "byyearday", "byweekno", "bymonth", "bysetpos", "wkst"),
)


def piece(components: Iterable[Component]) -> bytes:
    """Return the elements of the components in UTF-8."""
    return "".join([_component(component) for component in components]).encode()


def around(head: Sequence[Property], *, zones: Sequence[Component]) -> tuple[bytes, bytes]:
    """Return the XML before and after the pieces of a feed."""
    above = f"{_ABOVE}{_properties(head)}<components>"
    return above.encode() + piece(zones), _BELOW


def _component(component: Component) -> str:
    name = component.name.lower()
    within = "".join([_component(one) for one in component.components])
    components = f"<components>{within}</components>" if within else ""
    return f"<{name}>{_properties(component.properties)}{components}</{name}>"


def _properties(properties: Iterable[Property]) -> str:
    return f"<properties>{''.join([_property(one) for one in properties])}</properties>"


def _property(one: Property) -> str:
    name = one.name.lower()
    return f"<{name}>{_parameters(one)}{''.join([_value(one.type, value) for value in one.values])}</{name}>"


def _value(kind: ValueType, value: Any) -> str:  # noqa: ANN401 - the type depends on kind
    if kind == ValueType.GEO:
        return _geo(value)
    within = _rule(value) if kind == ValueType.RECUR else escape(str(PLAIN[kind](value)), quote=False)
    return f"<{kind}>{within}</{kind}>"


def _parameters(one: Property) -> str:
    """Return the parameters except VALUE, which is the element of the value (RFC 6321, 3.5)."""
    found: dict[str, str] = {}
    for name, value in one.parameters:
        written = "".join([_value(ValueType.TEXT, part) for part in value.split(",")])
        found[name.lower()] = found.get(name.lower(), "") + written
    if one.tzid is not None:
        found["tzid"] = _value(ValueType.TEXT, one.tzid)
    within = "".join([f"<{name}>{values}</{name}>" for name, values in found.items()])
    return f"<parameters>{within}</parameters>" if within else ""


def _rule(value: str) -> str:
    parts = rule_parts(value)
    within = [
        f"<{name}>{escape(strip_controls(one), quote=False)}</{name}>"
        for name in _RULE_ORDER
        for one in parts.get(name, ())
    ]
    return "".join(within)


def _geo(value: tuple[float, float]) -> str:
    """Return the two elements of GEO (RFC 6321, 3.4.1.2)."""
    # `str` writes small numbers with an exponent.
    latitude, longitude = (f"{degrees(number):.6f}" for number in value)
    return f"<latitude>{latitude}</latitude><longitude>{longitude}</longitude>"
