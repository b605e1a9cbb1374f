"""Editing an event through the API: If-Match, merge patch, all errors in one response, and no partial changes."""

import json
from typing import Any

from flask import Flask

from eventcal.events.enums import EventStatus
from tests.api_client import ApiClient
from tests.factories import make_event
from tests.http_app import write_session

EVENT_PATH = "/events/summit"


def test_event_edit_requires_current_if_match(organiser: ApiClient, anonymous: ApiClient) -> None:
    etag = anonymous.get(EVENT_PATH).etag
    assert organiser.patch(EVENT_PATH, {"title": "New"}, if_match=None).status_and_code == (
        428,
        "precondition-required",
    )
    changed = organiser.patch(EVENT_PATH, {"title": "New"}, if_match=etag)
    assert (changed.status, changed.json["title"]) == (200, "New")
    stale = organiser.patch(EVENT_PATH, {"title": "Newer"}, if_match=etag)
    assert stale.status_and_code == (412, "stale")
    assert str(changed.json["revision"]) in stale.json["detail"]
    assert anonymous.get(EVENT_PATH).json["title"] == "New"


def test_if_match_accepts_etag_of_any_encoding(organiser: ApiClient, anonymous: ApiClient) -> None:
    for coding in ("br", "gzip", "zstd", "identity"):
        etag = anonymous.get(EVENT_PATH, Accept_Encoding=coding).etag
        assert (coding, organiser.patch(EVENT_PATH, {"title": coding}, if_match=etag).status) == (coding, 200)


def test_if_match_accepts_star_or_list_with_strong_comparison(organiser: ApiClient, anonymous: ApiClient) -> None:
    etag = anonymous.get(EVENT_PATH).etag
    for wrong in (f"W/{etag}", '"0.x"', "", "nonsense", '"'):
        assert (wrong, organiser.patch(EVENT_PATH, {"title": "New"}, if_match=wrong).status_and_code) == (
            wrong,
            (412, "stale"),
        )
    for turn, right in enumerate(("*", " * ", '"0.x", {etag}', '{etag},"0.x"')):
        given = right.replace("{etag}", anonymous.get(EVENT_PATH).etag)
        assert (right, organiser.patch(EVENT_PATH, {"title": str(turn)}, if_match=given).status) == (right, 200)


def test_merge_patch_and_json_media_types_are_equivalent(organiser: ApiClient) -> None:
    for kind in ("application/json", "application/merge-patch+json", "application/json; charset=utf-8"):
        answer = organiser.patch(EVENT_PATH, json.dumps({"summary": kind}).encode(), Content_Type=kind)
        assert (answer.status, answer.json["summary"]) == (200, kind)


ALL_FIELDS: dict[str, Any] = {
    "summary": "Short",
    "location": {"city": "Ghent", "country": "BE", "latitude": 51.05, "longitude": 3.73},
    "registration": {"url": "https://tickets.example/", "price": {"amount": "10.00", "currency": "EUR"}},
    "call_for_talks": {"closes_at": "2026-05-01T12:00:00Z", "kinds": ["talk"], "note": "Hurry"},
    "tags": ["a", "b"],
}


def test_patch_merges_objects_replaces_lists_and_clears_with_null(organiser: ApiClient) -> None:
    organiser.patch(EVENT_PATH, ALL_FIELDS)
    merged = organiser.patch(
        EVENT_PATH,
        {
            "summary": None,
            "location": {"city": "Bruges", "latitude": None, "longitude": None},
            "registration": {"url": None},
            "call_for_talks": {"note": None},
            "tags": ["b"],
        },
    ).json
    assert merged["summary"] is None
    assert {name: value for name, value in merged["location"].items() if value} == {"city": "Bruges", "country": "BE"}
    assert merged["registration"] == {"url": None, "price": {"amount": "10.00", "currency": "EUR"}}
    assert merged["call_for_talks"] == {
        "opens_at": None,
        "closes_at": "2026-05-01T14:00:00+02:00",
        "anywhere_on_earth": False,
        "kinds": ["talk"],
        "note": None,
    }
    assert merged["tags"] == ["b"]
    cleared = organiser.patch(
        EVENT_PATH, {"location": None, "registration": None, "call_for_talks": None, "tags": None, "description": None}
    ).json
    assert set(cleared["location"].values()) == {None}
    assert cleared["registration"] == {"url": None, "price": None}
    assert [cleared[name] for name in ("call_for_talks", "tags", "description_html")] == [None, [], None]


def test_patch_without_changes_keeps_revision(organiser: ApiClient, anonymous: ApiClient) -> None:
    before = anonymous.get(EVENT_PATH)
    again = {name: before.json[name] for name in ("title", "tags", "starts", "timezone", "location", "description")}
    unchanged: list[dict[str, Any]] = [{}, again, {"call_for_talks": {}}, {"co_located_with": []}]
    for body in unchanged:
        assert organiser.patch(EVENT_PATH, body, if_match=before.etag).etag == before.etag
    assert anonymous.get("/changes").json["next"].partition(".")[2] == str(before.json["revision"])


def test_event_patch_reports_all_schema_errors(organiser: ApiClient) -> None:
    wrong = {
        "title": "x" * 201,
        "slug": "No Slug",
        "kind": "party",
        "starts": "10 June",
        "location": {"country": "de", "latitude": 91, "planet": "Earth"},
        "registration": {"price": {"amount": "1,50"}},
        "tags": ["ok", "", "x" * 51],
        "url": "javascript:alert(1)",
        "timezone": None,
        "colour": "red",
        "revision": 7,
    }
    assert organiser.patch(EVENT_PATH, wrong).errors == {
        "/title": "must have at most 200 characters",
        "/slug": "must be words of lower-case letters a-z and digits joined by hyphens, with at most 80 characters",
        "/kind": "must be one of: conference, meetup, hackathon, workshop, webinar",
        "/starts": "'10 June' is neither a date (2014-08-18) nor a local date-time (2014-06-04T13:30:00)",
        "/location/country": "must be an ISO 3166-1 code of two capital letters, such as DE",
        "/location/latitude": "must be between -90 and 90",
        "/location/planet": "is not a known field; remove it",
        "/registration/price/amount": 'must be a decimal string such as "12.50"',
        "/registration/price/currency": "is required",
        "/tags/1": "must not be blank",
        "/tags/2": "must have at most 50 characters",
        "/url": "must be a URL that starts with https:// or http:// and a host name",
        "/timezone": "must not be null; omit it instead",
        "/colour": "is not a known field; remove it",
        "/revision": "is not a known field; remove it",
    }


def test_event_patch_reports_all_domain_errors(app: Flask, organiser: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING)
    wrong = {
        "starts": "2026-03-29T02:30:00",
        "ends": "2026-03-28",
        "location": {"latitude": 1},
        "call_for_talks": {"opens_at": "2026-05-02T00:00:00", "closes_at": "2026-05-01T00:00:00"},
        "co_located_with": ["summit", "hidden", "nowhere"],
    }
    assert organiser.patch(EVENT_PATH, wrong).errors == {
        "/starts": "2026-03-29T02:30:00 does not exist in Europe/Berlin because of a clock change; the next valid "
        "time is 2026-03-29T03:00:00",
        "/location": "latitude and longitude must be set together",
        "/call_for_talks/closes_at": "must be later than `opens_at`",
        "/co_located_with/0": "is not a public event: “summit”",
        "/co_located_with/1": "is not a public event: “hidden”",
        "/co_located_with/2": "is not a public event: “nowhere”",
    }


INVALID_EDITS: list[tuple[dict[str, Any], str]] = [
    ({"ends": "2026-06-09"}, "/ends"),
    ({"starts": "2026-06-10T09:00:00"}, "/ends"),
    ({"timezone": "Mars/Olympus"}, "/timezone"),
    ({"recurrence": "FREQ=SECONDLY"}, "/recurrence"),
    ({"recurrence": "whenever"}, "/recurrence"),
    ({"recurrence": "FREQ=WEEKLY;BYDAY=MO"}, "/recurrence"),
    ({"recurrence_overrides": {"2026-06-10": {"title": "New"}}}, "/recurrence_overrides"),
    ({"call_for_talks": {"closes_at": "2026-05-01"}}, "/call_for_talks/closes_at"),
    ({"call_for_talks": {"closes_at": "soon", "anywhere_on_earth": True}}, "/call_for_talks/closes_at"),
    ({"co_located_with": ["other", "other"]}, "/co_located_with/1"),
]


def test_rejected_event_patch_changes_nothing(app: Flask, organiser: ApiClient, anonymous: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")

    def everything() -> list[tuple[Any, str]]:
        answers = [anonymous.get(path) for path in (EVENT_PATH, "/events/other", "/changes")]
        return [(answer.json, answer.etag) for answer in answers]

    before = everything()
    for body, pointer in INVALID_EDITS:
        refused = organiser.patch(EVENT_PATH, {"title": "New", "tags": ["new"], "location": {"city": "X"}, **body})
        assert (body, list(refused.errors)) == (body, [pointer])
        assert everything() == before


def test_co_location_is_shown_on_both_events(app: Flask, organiser: ApiClient, anonymous: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")
    before = anonymous.get("/events/other").etag
    organiser.patch(EVENT_PATH, {"co_located_with": ["other"]})
    assert anonymous.get("/events/other").json["co_located_with"] == ["summit"]
    assert anonymous.get("/events/other").etag != before
    organiser.patch(EVENT_PATH, {"co_located_with": []})
    assert anonymous.get("/events/other").json["co_located_with"] == []
