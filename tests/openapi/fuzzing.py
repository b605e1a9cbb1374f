"""The OpenAPI document for schemathesis, with closed response schemas and with the names of sample_calendar.py."""

from collections.abc import Mapping
from typing import Any

from eventcal.web.api.openapi.build import response_schema_names
from tests import sample_calendar
from tests.openapi.conformance import forbid_extra_fields

Json = dict[str, Any]

_SLUGS = {
    "events": sample_calendar.EVENT_SLUGS,
    "speakers": sample_calendar.SPEAKER_SLUGS,
    "sponsors": sample_calendar.SPONSOR_SLUGS,
}
# Generated values for these fields would fail validation in nearly every request.
# With values from the sample calendar, most requests succeed.
_KNOWN_VALUES: Mapping[str, Mapping[str, list[Any]]] = {
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
    "SpeakerOnTalk": {"slug": list(sample_calendar.SPEAKER_SLUGS)},
    "MergeIn": {"other": list(sample_calendar.SPEAKER_SLUGS)},
    "TeamMemberIn": {"email": ["ada@example.org", "mo@example.org"]},
    "SponsorshipIn": {
        "tier": list(sample_calendar.IDS_BY_PARAMETER["tier_id"]),
        "sponsor": [*sample_calendar.SPONSOR_SLUGS, {"name": "A new one"}],
    },
    "SponsorNamed": {"slug": list(sample_calendar.SPONSOR_SLUGS)},
    "LoginIn": {"email": ["ada@example.org"]},
}
_BASE_SCHEMAS = {
    "EventIn": "EventFields",
    "EventPatch": "EventFields",
    "TalkIn": "TalkFields",
    "TalkPatch": "TalkFields",
}
# A public slug cannot change, so nearly every generated change would be rejected.
_EXCLUDED_FIELDS = {"EventPatch": "slug", "SpeakerPatch": "slug"}
_DATE_VALUES = {
    "from": ["1970-01-01", "2026-06-01"],
    "to": ["2026-06-11", "2199-12-31"],
    "updated_since": ["2026-02-01", "2026-02-01T12:00:00+01:00", "2199-12-31T23:59:59.5Z"],
}
# Testing one list is enough, because all lists have the same filters (see test_openapi.py).
# One feed is tested for the parameters that only feeds have.
_LIST_PATH, _FEED_PATH = "/api/v1/events", "/calendar.ics"
_FEED_ONLY_PARAMETERS = {"include", "cancelled", "tz", "profile"}
# Values generated from the format alone rarely exist in the sample calendar.
_FORMAT_SAMPLES = {
    "uri": ["https://example.org/", "http://example.org:8080/a?b=c&d=%20#e", "https://xn--e1afmkfd.example/"],
    "email": ["ada@example.org", "grace.hopper+xen@example.com", "ü@example.org"],
    "date-time": ["2026-05-02T23:59:00+02:00", "2199-12-31T23:59:59Z"],
}


def narrow_document(document: Json) -> Json:
    """Return a copy of the document with closed response schemas and with names that exist in the sample calendar."""
    told = forbid_extra_fields(document)
    answered = response_schema_names(told)
    for name, schema in told["components"]["schemas"].items():
        if name not in answered:
            _narrow_body(name, schema.get("properties", {}))
    for path, item in told["paths"].items():
        for parameter in item.get("parameters", []):
            parameter["schema"] = {"enum": list(_known_names(path, parameter["name"]))}
        for operation in (one for one in item.values() if isinstance(one, dict)):
            _narrow_operation(operation)
            if path != _LIST_PATH and any(one.get("name") == "cfp" for one in operation["parameters"]):
                _remove_filters(operation, but=_FEED_ONLY_PARAMETERS if path == _FEED_PATH else set())
    return told


def _narrow_body(name: str, fields: Json) -> None:
    fields.pop(_EXCLUDED_FIELDS.get(name, ""), None)
    for field in fields.values():
        if field.get("format") in _FORMAT_SAMPLES:
            field["enum"] = [*_FORMAT_SAMPLES[field.pop("format")], *[None] * ("null" in field.pop("type"))]
    for field, values in _KNOWN_VALUES.get(_BASE_SCHEMAS.get(name, name), {}).items():
        if field in fields:
            fields[field] = {"enum": values}


def _known_names(path: str, parameter: str) -> tuple[str, ...]:
    if parameter != "slug":
        return sample_calendar.IDS_BY_PARAMETER[parameter]
    return _SLUGS[path.partition("/{slug}")[0].rpartition("/")[2]]


def _narrow_operation(operation: Json) -> None:
    # A valid cursor cannot be generated. test_paging.py tests invalid cursors.
    operation["parameters"] = [one for one in operation["parameters"] if one.get("name") != "cursor"]
    for parameter in operation["parameters"]:
        if parameter.get("name") in _DATE_VALUES:
            parameter["schema"] = {"enum": _DATE_VALUES[parameter["name"]]}
    # Both media types are parsed by the same code.
    operation.get("requestBody", {}).get("content", {}).pop("application/merge-patch+json", None)


def _remove_filters(operation: Json, *, but: set[str]) -> None:
    operation["parameters"] = [one for one in operation["parameters"] if one.get("in") != "query" or one["name"] in but]
