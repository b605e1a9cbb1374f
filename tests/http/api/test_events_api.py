"""Events through the API: proposing, reading, publishing, cancelling, redacting, deleting."""

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

from flask import Flask

from eventcal.events.enums import EventStatus
from eventcal.events.models import Event, Room, TeamMember
from eventcal.feeds.index.models import FeedEntry
from eventcal.talks.enums import TalkState
from tests.api import BASE, Answer, Api, a_member, a_talk, count
from tests.clocks import FixedClock
from tests.http_app import writing
from tests.make import make_event

LEAST = {"title": "Xen Hackathon", "timezone": "Europe/London", "starts": "2026-05-29"}


def test_event_with_required_fields_only_has_all_defaults(member: Api) -> None:
    answer = member.post("/events", LEAST)
    assert answer.status == 201
    assert answer.headers["Location"] == f"{BASE}/events/xen-hackathon"
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
            "self": f"{BASE}/events/xen-hackathon",
            "html": "http://127.0.0.1:8000/events/xen-hackathon",
            "ics": "http://127.0.0.1:8000/events/xen-hackathon.ics",
            "talks": f"{BASE}/events/xen-hackathon/talks",
        },
        "occurrences": None,
    }
    assert list(answer.json)[-1] == "occurrences"


WRITTEN: dict[str, Any] = {
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


def test_event_fields_are_returned_as_written(moderator: Api, anonymous: Api, summit: str) -> None:
    call = {
        "opens_at": "2026-04-01T00:00:00",
        "closes_at": "2026-05-02T23:59:00-04:00",
        "kinds": ["talk", "bof"],
        "note": "Be *brief*.",
    }
    answer = moderator.post("/events", WRITTEN | {"call_for_talks": call})
    assert answer.status == 201, answer.json
    seen = anonymous.get("/events/fosdem").json
    assert seen == answer.json
    assert {name: seen[name] for name in WRITTEN} == WRITTEN
    assert seen["call_for_talks"] == call | {
        "opens_at": "2026-04-01T00:00:00+02:00",
        "closes_at": "2026-05-03T05:59:00+02:00",
    }
    assert "<script" not in seen["description_html"]
    # The clocks go back in that night: 02:30 is the earlier of the two.
    assert (seen["starts_at"], seen["ends_at"]) == ("2026-10-24T09:30:00+02:00", "2026-10-25T02:30:00+02:00")
    assert (seen["status"], seen["all_day"]) == ("confirmed", False)
    assert anonymous.get(f"/events/{summit}").json["co_located_with"] == ["fosdem"]


def test_event_of_member_is_pending_until_moderator_publishes_it(
    member: Api, stranger: Api, anonymous: Api, moderator: Api
) -> None:
    slug = member.post("/events", LEAST).json["slug"]
    path = f"/events/{slug}"
    assert [api.get(path).status for api in (anonymous, stranger, member, moderator)] == [404, 404, 200, 200]
    assert anonymous.get("/events").items("slug") == []
    assert moderator.get("/events?status=pending").items("slug") == [slug]
    assert (stranger.get("/events?status=pending").code, anonymous.get("/events?status=pending").code) == (
        (403, "forbidden"),
        (401, "not-signed-in"),
    )
    published = moderator.post(f"{path}/publish")
    assert (published.status, published.json["status"]) == (200, "confirmed")
    assert anonymous.get(path).json == published.json
    assert anonymous.get("/events").items("slug") == [slug]
    assert moderator.get("/events?status=pending").items("slug") == []


def test_draft_event_is_not_listed_as_pending_until_proposed(member: Api, moderator: Api) -> None:
    slug = member.post("/events", LEAST | {"status": "draft"}).json["slug"]
    assert moderator.get("/events?status=pending").items("slug") == []
    assert moderator.post(f"/events/{slug}/publish").code == (409, "forbidden-step")
    assert member.patch(f"/events/{slug}", {"status": "pending"}).json["status"] == "pending"
    assert moderator.post(f"/events/{slug}/publish").status == 200


def test_event_proposal_requires_confirmed_address(mailing_app: Flask) -> None:
    unconfirmed = a_member(mailing_app, confirmed_at=None)
    refused = unconfirmed.post("/events", LEAST)
    assert refused.code == (403, "not-confirmed")
    assert "/api/v1/auth/confirm" in refused.json["detail"]
    assert a_member(mailing_app).post("/events", LEAST).status == 201


STEPS: dict[str, dict[str, str]] = {
    "publish": {"pending": "confirmed"},
    "cancel": dict.fromkeys(["tentative", "confirmed", "postponed"], "cancelled"),
}
EDITS: dict[str, set[str]] = {
    "draft": {"pending"},
    "pending": {"draft"},
    "tentative": {"confirmed", "postponed"},
    "confirmed": {"tentative", "postponed"},
    "postponed": {"tentative", "confirmed"},
    "cancelled": set(),
}


def test_each_event_status_allows_only_its_transitions(app: Flask, moderator: Api) -> None:
    def event_in(status: EventStatus) -> str:
        with writing(app) as session:
            return f"/events/{make_event(session, status=status).slug}"

    for status, (step, leads) in product(EventStatus, STEPS.items()):
        _takes(moderator.post(f"{event_in(status)}/{step}"), leads.get(status))
    for status, wanted in permutations(EventStatus, 2):
        answer = moderator.patch(event_in(status), {"status": wanted})
        _takes(answer, wanted if wanted in EDITS[status] else None)


def _takes(answer: Answer, leads_to: str | None) -> None:
    if leads_to is None:
        assert answer.code == (409, "forbidden-step")
    else:
        assert (answer.status, answer.json["status"]) == (200, leads_to)


def test_cancelled_event_remains_public_as_cancelled(app: Flask, organiser: Api, anonymous: Api) -> None:
    a_talk(app, "summit", state=TalkState.CONFIRMED)
    assert organiser.post("/events/summit/cancel").json["status"] == "cancelled"
    assert anonymous.get("/events/summit").json["status"] == "cancelled"
    assert anonymous.get("/events").items("status") == ["cancelled"]
    assert anonymous.get("/talks").items("state") == ["cancelled"]
    assert organiser.delete("/events/summit").code == (409, "was-public")


def test_unpublished_event_is_deleted_with_all_its_rows(app: Flask, member: Api) -> None:
    slug = member.post("/events", LEAST | {"call_for_talks": {}, "tags": ["xen"]}).json["slug"]
    member.post(f"/events/{slug}/rooms", {"name": "Attic"})
    deleted = member.delete(f"/events/{slug}")
    assert (deleted.status, deleted.data) == (204, b"")
    assert member.get(f"/events/{slug}").code == (404, "not-found")
    assert member.delete(f"/events/{slug}").code == (404, "not-found")
    assert [count(app, table) for table in (Event, Room, TeamMember, FeedEntry)] == [0, 0, 0, 0]


def test_event_with_sponsorship_enquiry_cannot_be_deleted(member: Api) -> None:
    slug = member.post("/events", LEAST).json["slug"]
    tier = member.post(f"/events/{slug}/tiers", {"name": "Gold"}).json["id"]
    assert member.post(f"/events/{slug}/sponsorships", {"tier": tier, "sponsor": {"name": "Acme"}}).status == 201
    assert member.delete(f"/events/{slug}").code == (409, "in-use")
    assert member.get(f"/events/{slug}").status == 200


def test_redaction_erases_event_content_and_blocks_organisers(
    app: Flask, anonymous: Api, organiser: Api, moderator: Api
) -> None:
    talk = a_talk(app, "summit", state=TalkState.CONFIRMED, title="Another's")
    rooms, tracks = (anonymous.get(f"/events/summit/{part}").items("id") for part in ("rooms", "tracks"))
    tier = organiser.post("/events/summit/tiers", {"name": "Gold"}).json["id"]
    waiting = a_talk(app, "summit")
    assert moderator.post("/events/summit/redact").status == 200
    seen = anonymous.get("/events/summit").json
    assert (seen["title"], seen["status"]) == ("[removed]", "cancelled")
    paths = ("/events/summit", "/events/summit/tiers", "/events/summit/sponsors", "/events")
    everything = b"".join(anonymous.get(path).data for path in paths) + anonymous.outside("/calendar.ics").data
    assert [word for word in (b"Xen", b"Three days", b"Security", b"Room 1", b"Gold") if word in everything] == []
    assert {"kind": "event", "id": "summit", "revision": seen["revision"], "deleted": True} in anonymous.get(
        "/changes"
    ).json["items"]
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
    assert {answer.code for answer in refused} == {(403, "forbidden")}
    assert moderator.patch("/events/summit", {"title": "A word from us"}).status == 200


def test_write_response_has_etag_of_subsequent_read(
    anonymous: Api, member: Api, moderator: Api, organiser: Api
) -> None:
    proposed = member.post("/events", LEAST)
    path = f"/events/{proposed.json['slug']}"
    assert member.get(path).etag == proposed.etag
    changes: list[Callable[[], Answer]] = [
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


def test_slug_is_unique_and_derived_from_title_or_chosen(app: Flask, member: Api, stranger: Api) -> None:
    assert member.post("/events", LEAST | {"title": "Ünïcode! 2026"}).json["slug"] == "unicode-2026"
    assert stranger.post("/events", LEAST | {"title": "Unicode 2026"}).json["slug"] == "unicode-2026-2"
    assert member.post("/events", LEAST | {"slug": "chosen"}).json["slug"] == "chosen"
    before = count(app, Event)
    assert stranger.post("/events", LEAST | {"slug": "chosen"}).code == (409, "slug-taken")
    assert count(app, Event) == before


def test_slug_cannot_change_after_publication(member: Api, moderator: Api) -> None:
    member.post("/events", LEAST | {"slug": "first"})
    member.post("/events", LEAST | {"slug": "other"})
    assert member.patch("/events/first", {"slug": "other"}).code == (409, "slug-taken")
    changed = member.patch("/events/first", {"slug": "second"})
    assert (changed.json["slug"], changed.json["links"]["self"]) == ("second", f"{BASE}/events/second")
    assert member.get("/events/first").code == (404, "not-found")
    moderator.post("/events/second/publish")
    assert member.patch("/events/second", {"slug": "third"}).code == (409, "slug-fixed")
    assert member.patch("/events/second", {"slug": "second"}).status == 200


def test_changing_timezone_keeps_local_times_and_moves_instants(organiser: Api, clock: FixedClock) -> None:
    clock.tick(90)
    answer = organiser.patch("/events/summit", {"timezone": "America/New_York"})
    assert (answer.json["starts"], answer.json["ends"]) == ("2026-06-10", "2026-06-12")
    assert (answer.json["starts_at"], answer.json["ends_at"]) == (
        "2026-06-10T00:00:00-04:00",
        "2026-06-13T00:00:00-04:00",
    )
    assert (answer.json["created_at"], answer.json["updated_at"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:01:30Z")
