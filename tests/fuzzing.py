"""The OpenAPI document for schemathesis: closed response schemas, and names limited to those in tests/world.py."""

from collections.abc import Mapping
from typing import Any

from eventcal.web.api.openapi.document import response_schema_names
from tests import world
from tests.told import closed

Json = dict[str, Any]

_SLUGS = {"events": world.EVENTS, "speakers": world.SPEAKERS, "sponsors": world.SPONSORS}
# A name that nothing has, a date outside the event, a price without a currency: schema and service see these alike,
# and would refuse nearly every body that is made up. With what there is, most bodies come through to the end.
_KNOWN: Mapping[str, Mapping[str, list[Any]]] = {
    "EventFields": {
        "timezone": ["Europe/Berlin", "America/St_Johns", "UTC"],
        "starts": ["2026-06-10", "2026-06-11"],
        "ends": ["2026-06-12", "2026-06-30"],
        "recurrence": [None, "FREQ=YEARLY;COUNT=3"],
        "recurrence_overrides": [None, {}, {"2027-06-10": {"excluded": True}, "2028-06-10": {"status": "cancelled"}}],
        "co_located_with": [None, [], ["hackday"]],
        "status": ["confirmed"],
    },
    "CallForTalksIn": {
        "opens_at": [None, "2026-01-10T12:00:00"],
        "closes_at": [None, "2026-05-02T23:59:00+02:00"],
        "anywhere_on_earth": [False],
    },
    "TalkFields": {
        "track": [None, "Security"],
        "room": [None, "Attic"],
        "starts": [None, "2026-06-10T09:00:00"],
        "ends": [None],
        "reprise_of": [None, "confirmed"],
    },
    "SpeakerOnTalk": {"slug": list(world.SPEAKERS)},
    "MergeIn": {"other": list(world.SPEAKERS)},
    "TeamMemberIn": {"email": ["ada@example.org", "mo@example.org"]},
    "SponsorshipIn": {"tier": list(world.NAMES["tier_id"]), "sponsor": [*world.SPONSORS, {"name": "A new one"}]},
    "SponsorNamed": {"slug": list(world.SPONSORS)},
    "LoginIn": {"email": ["ada@example.org"]},
}
_SAME_FIELDS = {
    "EventIn": "EventFields",
    "EventPatch": "EventFields",
    "TalkIn": "TalkFields",
    "TalkPatch": "TalkFields",
}
# A public slug does not change: nearly every change that is made up would be refused for this alone.
_LEFT_OUT = {"EventPatch": "slug", "SpeakerPatch": "slug"}
_DAYS = {
    "from": ["1970-01-01", "2026-06-01"],
    "to": ["2026-06-11", "2199-12-31"],
    "updated_since": ["2026-02-01", "2026-02-01T12:00:00+01:00", "2199-12-31T23:59:59.5Z"],
}
# The filters are the same wherever they are (test_openapi.py), so one list is enough to try them at; what only feeds
# take is tried at one feed.
_LIST, _FEED = "/api/v1/events", "/calendar.ics"
_FEEDS_OWN = {"include", "cancelled", "tz", "profile"}
# Made up by their format alone, these are rarely ones that anybody has.
_SAMPLES = {
    "uri": ["https://example.org/", "http://example.org:8080/a?b=c&d=%20#e", "https://xn--e1afmkfd.example/"],
    "email": ["ada@example.org", "grace.hopper+xen@example.com", "ü@example.org"],
    "date-time": ["2026-05-02T23:59:00+02:00", "2199-12-31T23:59:59Z"],
}


def narrowed(document: Json) -> Json:
    """Return a copy whose answers have no field that is not named, and whose names are those of things there are."""
    told = closed(document)
    answered = response_schema_names(told)
    for name, schema in told["components"]["schemas"].items():
        if name not in answered:
            _narrow_body(name, schema.get("properties", {}))
    for path, item in told["paths"].items():
        for parameter in item.get("parameters", []):
            parameter["schema"] = {"enum": list(_names_in(path, parameter["name"]))}
        for operation in (one for one in item.values() if isinstance(one, dict)):
            _narrow(operation)
            if path != _LIST and any(one.get("name") == "cfp" for one in operation["parameters"]):
                _leave_filters_out(operation, but=_FEEDS_OWN if path == _FEED else set())
    return told


def _narrow_body(name: str, fields: Json) -> None:
    fields.pop(_LEFT_OUT.get(name, ""), None)
    for field in fields.values():
        if field.get("format") in _SAMPLES:
            field["enum"] = [*_SAMPLES[field.pop("format")], *[None] * ("null" in field.pop("type"))]
    for field, values in _KNOWN.get(_SAME_FIELDS.get(name, name), {}).items():
        if field in fields:
            fields[field] = {"enum": values}


def _names_in(path: str, parameter: str) -> tuple[str, ...]:
    if parameter != "slug":
        return world.NAMES[parameter]
    return _SLUGS[path.partition("/{slug}")[0].rpartition("/")[2]]


def _narrow(operation: Json) -> None:
    # No cursor can be made up; what is done with the wrong ones, test_paging.py says.
    operation["parameters"] = [one for one in operation["parameters"] if one.get("name") != "cursor"]
    for parameter in operation["parameters"]:
        if parameter.get("name") in _DAYS:
            parameter["schema"] = {"enum": _DAYS[parameter["name"]]}
    # The two types are read by the same lines.
    operation.get("requestBody", {}).get("content", {}).pop("application/merge-patch+json", None)


def _leave_filters_out(operation: Json, *, but: set[str]) -> None:
    operation["parameters"] = [one for one in operation["parameters"] if one.get("in") != "query" or one["name"] in but]
