"""Events through the API: proposing, reading, publishing, cancelling, redacting, deleting."""

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

from flask import Flask

from eventcal.events.enums import EventStatus
from eventcal.events.models import Event, Room, TeamMember
from eventcal.feeds.index.models import FeedEntry
from eventcal.talks.enums import TalkState
from tests.api_client import API_URL, ApiClient, ApiResponse, count_rows, create_member_client, create_talk
from tests.clocks import FixedClock
from tests.factories import make_event
from tests.http_app import write_session

REQUIRED_FIELDS = {"title": "Xen Hackathon", "timezone": "Europe/London", "starts": "2026-05-29"}


def test_event_with_required_fields_only_has_all_defaults(member: ApiClient) -> None:
    answer = member.post("/events", REQUIRED_FIELDS)
    assert answer.status == 201
    assert answer.headers["Location"] == f"{API_URL}/events/xen-hackathon"
    assert answer.json == {
        "slug": "xen-hackathon",
        "title": "Xen Hackathon",
        "kind": "conference",
        "summary": None,
        "description": None,
        "description_html": None,
        "programme": "curated",
        "attendance": "in_person",
        "timezone": "Europe/London",
        "starts": "2026-05-29",
        "ends": "2026-05-29",
        "starts_at": "2026-05-29T00:00:00+01:00",
        "ends_at": "2026-05-30T00:00:00+01:00",
        "all_day": True,
        "location": dict.fromkeys(
            ["venue", "address", "city", "region", "country", "latitude", "longitude"],
        ),
        "online_url": None,
        "url": None,
        "registration": {"url": None, "price": None},
        "tags": [],
        "status": "pending",
        "series": None,
        "recurrence": None,
        "recurrence_overrides": {},
        "co_located_with": [],
        "call_for_talks": None,
        "tracks": [],
        "rooms": [],
        "sequence": 0,
        "revision": 1,
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00Z",
        "links": {
            "self": f"{API_URL}/events/xen-hackathon",
            "html": "http://127.0.0.1:8000/events/xen-hackathon",
            "ics": "http://127.0.0.1:8000/events/xen-hackathon.ics",
            "talks": f"{API_URL}/events/xen-hackathon/talks",
        },
        "occurrences": None,
    }
    assert list(answer.json)[-1] == "occurrences"


ALL_FIELDS: dict[str, Any] = {
    "slug": "fosdem",
    "title": "FOSDEM <b>&amp;</b> =HYPERLINK(1)",
    "kind": "meetup",
    "summary": "Free\u2028software",
    "description": "Two *days*.\r\n\r\nNo <script>alert(1)</script>",
    "programme": "listed",
    "attendance": "hybrid",
    "timezone": "Europe/Brussels",
    "starts": "2026-10-24T09:30:00",
    "ends": "2026-10-25T02:30:00",
    "location": {
        "venue": "ULB",
        "address": "Av. F. D. Roosevelt 50",
        "city": "Brüssel",
        "region": "Brussels",
        "country": "BE",
        "latitude": 50.8125,
        "longitude": 4.38,
    },
    "online_url": "https://live.example/",
    "url": "https://fosdem.example/?a=b&c=d",
    "registration": {"url": "https://tickets.example/", "price": {"amount": "12.50", "currency": "EUR"}},
    "tags": ["c++", "Ωmega", "a,b"],
    "series": "FOSDEM",
    "recurrence": "FREQ=YEARLY;COUNT=3",
    "recurrence_overrides": {
        "2027-10-24T09:30:00": {"excluded": True},
        "2028-10-24T09:30:00": {
            "ends": "2028-10-22T18:00:00",
            "online_url": "https://live.example/2028?a=b&c=d",
            "starts": "2028-10-21T10:00:00",
            "status": "tentative",
            "summary": "A\nleap year",
            "title": "FOSDEM \U0001f984 =1",
            "venue": "\u202eULB",
        },
    },
    "co_located_with": ["summit"],
}


def test_event_fields_are_returned_as_written(moderator: ApiClient, anonymous: ApiClient, summit: str) -> None:
    call = {
        "opens_at": "2026-04-01T00:00:00",
        "closes_at": "2026-05-02T23:59:00-04:00",
        "kinds": ["talk", "bof"],
        "note": "Be *brief*.",
    }
    answer = moderator.post("/events", ALL_FIELDS | {"call_for_talks": call})
    assert answer.status == 201, answer.json
    seen = anonymous.get("/events/fosdem").json
    assert seen == answer.json
    assert {name: seen[name] for name in ALL_FIELDS} == ALL_FIELDS
    assert seen["call_for_talks"] == call | {
        "opens_at": "2026-04-01T00:00:00+02:00",
        "closes_at": "2026-05-03T05:59:00+02:00",
        "anywhere_on_earth": False,
    }
    assert "<script" not in seen["description_html"]
    # The clocks go back in that night: 02:30 is the earlier of the two.
    assert (seen["starts_at"], seen["ends_at"]) == ("2026-10-24T09:30:00+02:00", "2026-10-25T02:30:00+02:00")
    assert (seen["status"], seen["all_day"]) == ("confirmed", False)
    assert anonymous.get(f"/events/{summit}").json["co_located_with"] == ["fosdem"]


def test_event_of_member_is_pending_until_moderator_publishes_it(
    member: ApiClient, stranger: ApiClient, anonymous: ApiClient, moderator: ApiClient
) -> None:
    slug = member.post("/events", REQUIRED_FIELDS).json["slug"]
    path = f"/events/{slug}"
    assert [api.get(path).status for api in (anonymous, stranger, member, moderator)] == [404, 404, 200, 200]
    assert anonymous.get("/events").item_values("slug") == []
    assert moderator.get("/events?status=pending").item_values("slug") == [slug]
    assert (
        stranger.get("/events?status=pending").status_and_code,
        anonymous.get("/events?status=pending").status_and_code,
    ) == (
        (403, "forbidden"),
        (401, "not-signed-in"),
    )
    published = moderator.post(f"{path}/publish")
    assert (published.status, published.json["status"]) == (200, "confirmed")
    assert anonymous.get(path).json == published.json
    assert anonymous.get("/events").item_values("slug") == [slug]
    assert moderator.get("/events?status=pending").item_values("slug") == []


def test_draft_event_is_not_listed_as_pending_until_proposed(member: ApiClient, moderator: ApiClient) -> None:
    slug = member.post("/events", REQUIRED_FIELDS | {"status": "draft"}).json["slug"]
    assert moderator.get("/events?status=pending").item_values("slug") == []
    assert moderator.post(f"/events/{slug}/publish").status_and_code == (409, "forbidden-step")
    assert member.patch(f"/events/{slug}", {"status": "pending"}).json["status"] == "pending"
    assert moderator.post(f"/events/{slug}/publish").status == 200


def test_event_proposal_requires_confirmed_address(mailing_app: Flask) -> None:
    unconfirmed = create_member_client(mailing_app, confirmed_at=None)
    refused = unconfirmed.post("/events", REQUIRED_FIELDS)
    assert refused.status_and_code == (403, "not-confirmed")
    assert "/api/v1/auth/confirm" in refused.json["detail"]
    assert create_member_client(mailing_app).post("/events", REQUIRED_FIELDS).status == 201


STATUS_AFTER: dict[str, dict[str, str]] = {
    "publish": {"pending": "confirmed"},
    "cancel": dict.fromkeys(["tentative", "confirmed", "postponed"], "cancelled"),
}
STATUS_EDITS: dict[str, set[str]] = {
    "draft": {"pending"},
    "pending": {"draft"},
    "tentative": {"confirmed", "postponed"},
    "confirmed": {"tentative", "postponed"},
    "postponed": {"tentative", "confirmed"},
    "cancelled": set(),
}


def test_each_event_status_allows_only_its_transitions(app: Flask, moderator: ApiClient) -> None:
    def event_in(status: EventStatus) -> str:
        with write_session(app) as session:
            return f"/events/{make_event(session, status=status).slug}"

    for status, (step, leads) in product(EventStatus, STATUS_AFTER.items()):
        _check_outcome(moderator.post(f"{event_in(status)}/{step}"), leads.get(status))
    for status, wanted in permutations(EventStatus, 2):
        answer = moderator.patch(event_in(status), {"status": wanted})
        _check_outcome(answer, wanted if wanted in STATUS_EDITS[status] else None)


def _check_outcome(answer: ApiResponse, expected: str | None) -> None:
    if expected is None:
        assert answer.status_and_code == (409, "forbidden-step")
    else:
        assert (answer.status, answer.json["status"]) == (200, expected)


def test_cancelled_event_remains_public_as_cancelled(app: Flask, organiser: ApiClient, anonymous: ApiClient) -> None:
    create_talk(app, "summit", state=TalkState.CONFIRMED)
    assert organiser.post("/events/summit/cancel").json["status"] == "cancelled"
    assert anonymous.get("/events/summit").json["status"] == "cancelled"
    assert anonymous.get("/events").item_values("status") == ["cancelled"]
    assert anonymous.get("/talks").item_values("state") == ["cancelled"]
    assert organiser.delete("/events/summit").status_and_code == (409, "was-public")


def test_unpublished_event_is_deleted_with_all_its_rows(app: Flask, member: ApiClient) -> None:
    slug = member.post("/events", REQUIRED_FIELDS | {"call_for_talks": {}, "tags": ["xen"]}).json["slug"]
    member.post(f"/events/{slug}/rooms", {"name": "Attic"})
    deleted = member.delete(f"/events/{slug}")
    assert (deleted.status, deleted.data) == (204, b"")
    assert member.get(f"/events/{slug}").status_and_code == (404, "not-found")
    assert member.delete(f"/events/{slug}").status_and_code == (404, "not-found")
    assert [count_rows(app, table) for table in (Event, Room, TeamMember, FeedEntry)] == [0, 0, 0, 0]


def test_event_with_sponsorship_enquiry_cannot_be_deleted(member: ApiClient) -> None:
    slug = member.post("/events", REQUIRED_FIELDS).json["slug"]
    tier = member.post(f"/events/{slug}/tiers", {"name": "Gold"}).json["id"]
    assert member.post(f"/events/{slug}/sponsorships", {"tier": tier, "sponsor": {"name": "Acme"}}).status == 201
    assert member.delete(f"/events/{slug}").status_and_code == (409, "in-use")
    assert member.get(f"/events/{slug}").status == 200


def test_redaction_erases_event_content_and_blocks_organisers(
    app: Flask, anonymous: ApiClient, organiser: ApiClient, moderator: ApiClient
) -> None:
    talk = create_talk(app, "summit", state=TalkState.CONFIRMED, title="Another's")
    rooms, tracks = (anonymous.get(f"/events/summit/{part}").item_values("id") for part in ("rooms", "tracks"))
    tier = organiser.post("/events/summit/tiers", {"name": "Gold"}).json["id"]
    waiting = create_talk(app, "summit")
    assert moderator.post("/events/summit/redact").status == 200
    seen = anonymous.get("/events/summit").json
    assert (seen["title"], seen["status"]) == ("[removed]", "cancelled")
    paths = ("/events/summit", "/events/summit/tiers", "/events/summit/sponsors", "/events")
    everything = b"".join(anonymous.get(path).data for path in paths) + anonymous.get_feed("/calendar.ics").data
    assert [word for word in (b"Xen", b"Three days", b"Security", b"Room 1", b"Gold") if word in everything] == []
    changed = {(item["id"], item["revision"], item["deleted"]) for item in anonymous.get("/changes").json["items"]}
    assert ("summit", seen["revision"], True) in changed
    refused = [
        organiser.patch("/events/summit", {"title": "Buy"}),
        organiser.post("/events/summit/rooms", {"name": "Buy"}),
        organiser.post("/events/summit/tracks", {"name": "Buy"}),
        organiser.post("/events/summit/tiers", {"name": "Buy"}),
        organiser.patch(f"/rooms/{rooms[0]}", {"name": "Buy"}),
        organiser.patch(f"/tracks/{tracks[0]}", {"name": "Buy"}),
        organiser.patch(f"/tiers/{tier}", {"name": "Buy"}),
        organiser.patch(f"/talks/{talk}", {"title": "Buy"}),
        organiser.post(f"/talks/{waiting}/accept"),
    ]
    assert {answer.status_and_code for answer in refused} == {(403, "forbidden")}
    assert moderator.patch("/events/summit", {"title": "A word from us"}).status == 200


def test_write_response_has_etag_of_subsequent_read(
    anonymous: ApiClient, member: ApiClient, moderator: ApiClient, organiser: ApiClient
) -> None:
    proposed = member.post("/events", REQUIRED_FIELDS)
    path = f"/events/{proposed.json['slug']}"
    assert member.get(path).etag == proposed.etag
    changes: list[Callable[[], ApiResponse]] = [
        lambda: member.patch(path, {"summary": "x"}),
        lambda: moderator.post(f"{path}/publish"),
        lambda: member.patch(path, {"status": "tentative"}),
        lambda: member.post(f"{path}/cancel"),
        lambda: moderator.post(f"{path}/redact"),
    ]
    for change in changes:
        answer = change()
        assert answer.status == 200
        assert answer.etag == moderator.get(path).etag
        assert answer.json == moderator.get(path).json
    assert organiser.patch("/events/summit", {}).etag == anonymous.get("/events/summit").etag


def test_slug_is_unique_and_derived_from_title_or_chosen(app: Flask, member: ApiClient, stranger: ApiClient) -> None:
    assert member.post("/events", REQUIRED_FIELDS | {"title": "Ünïcode! 2026"}).json["slug"] == "unicode-2026"
    assert stranger.post("/events", REQUIRED_FIELDS | {"title": "Unicode 2026"}).json["slug"] == "unicode-2026-2"
    assert member.post("/events", REQUIRED_FIELDS | {"slug": "chosen"}).json["slug"] == "chosen"
    before = count_rows(app, Event)
    assert stranger.post("/events", REQUIRED_FIELDS | {"slug": "chosen"}).status_and_code == (409, "slug-taken")
    assert count_rows(app, Event) == before


def test_slug_cannot_change_after_publication(member: ApiClient, moderator: ApiClient) -> None:
    member.post("/events", REQUIRED_FIELDS | {"slug": "first"})
    member.post("/events", REQUIRED_FIELDS | {"slug": "other"})
    assert member.patch("/events/first", {"slug": "other"}).status_and_code == (409, "slug-taken")
    changed = member.patch("/events/first", {"slug": "second"})
    assert (changed.json["slug"], changed.json["links"]["self"]) == ("second", f"{API_URL}/events/second")
    assert member.get("/events/first").status_and_code == (404, "not-found")
    moderator.post("/events/second/publish")
    assert member.patch("/events/second", {"slug": "third"}).status_and_code == (409, "slug-fixed")
    assert member.patch("/events/second", {"slug": "second"}).status == 200


def test_changing_timezone_keeps_local_times_and_moves_instants(organiser: ApiClient, clock: FixedClock) -> None:
    clock.tick(90)
    answer = organiser.patch("/events/summit", {"timezone": "America/New_York"})
    assert (answer.json["starts"], answer.json["ends"]) == ("2026-06-10", "2026-06-12")
    assert (answer.json["starts_at"], answer.json["ends_at"]) == (
        "2026-06-10T00:00:00-04:00",
        "2026-06-13T00:00:00-04:00",
    )
    assert (answer.json["created_at"], answer.json["updated_at"]) == (
        "2026-03-01T12:00:00Z",
        f"{clock.now():%Y-%m-%dT%H:%M:%SZ}",
    )


def test_call_that_closes_anywhere_on_earth_is_returned_as_entered(moderator: ApiClient, anonymous: ApiClient) -> None:
    call = {"closes_at": "2026-05-01", "anywhere_on_earth": True}
    body = {"slug": "aoe", "title": "AoE", "timezone": "Asia/Tokyo", "starts": "2026-06-10", "call_for_talks": call}
    assert moderator.post("/events", body).status == 201
    read = anonymous.get("/events/aoe").json["call_for_talks"]
    assert {name: read[name] for name in call} == call
    assert moderator.patch("/events/aoe", {"call_for_talks": read}).json["call_for_talks"] == read


def test_unknown_field_error_names_closest_known_field(moderator: ApiClient) -> None:
    body = {"titel": "A", "location": {"citty": "Bonn"}, "call_for_talks": {"close_at": "2026-05-01"}, "xyz": 1}
    assert {pointer: text for pointer, text in moderator.post("/events", body).errors.items() if "known" in text} == {
        "/titel": "is not a known field; did you mean “title”?",
        "/location/citty": "is not a known field; did you mean “city”?",
        "/call_for_talks/close_at": "is not a known field; did you mean “closes_at”?",
        "/xyz": "is not a known field; remove it",
    }


def test_other_authorization_schemes_are_answered_with_the_bearer_scheme(anonymous: ApiClient) -> None:
    for scheme in ("Token", "Basic", "token", "eyJhbGciOi"):
        response = anonymous.get("/me", Authorization=f"{scheme} abc")
        assert response.status_and_code == (401, "not-signed-in")
        assert "Authorization: Bearer" in response.json["detail"]
    assert "Bearer" not in anonymous.get("/me").json["detail"]
