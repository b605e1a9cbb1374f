"""Hidden objects stay hidden: no body, count, cursor, date, version or error message reveals them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from eventcal.members.models import Member
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor
from tests.api_client import ApiClient, ApiResponse, create_session_client, create_talk, get_row
from tests.clocks import FixedClock

UNKNOWN_ID = "0000000000000000"
TALKS_PATH = "/events/summit/talks"
SECRET_TALK: dict[str, Any] = {"title": "Secret", "speakers": [{"name": "Secret", "email": "secret@example.org"}]}
SECRET_EVENT: dict[str, Any] = {"title": "Secret", "timezone": "Europe/Berlin", "starts": "2026-06-10"}

PublicResponses = dict[str, tuple[int, bytes, list[str | None]]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The callers and the public objects: the summit with a talk, its speaker and a sponsor."""

    app: Flask
    clock: FixedClock
    anonymous: ApiClient
    member: ApiClient
    stranger: ApiClient
    organiser: ApiClient
    moderator: ApiClient
    talk_id: str
    tier_id: str

    def fetch_public_responses(self) -> PublicResponses:
        """Return status, body and version headers of every public response."""
        self.clock.tick(60)
        lists = [
            *("/events", "/events?sort=updated", "/events?q=secret", "/events?cfp=open", "/events?status=draft"),
            *("/talks", "/talks?sort=updated", "/talks?limit=1", "/talks?q=secret"),
            *("/speakers", "/changes", f"/talks/{self.talk_id}", "/speakers/known", "/sponsors/holder"),
            *(f"/events/summit{part}" for part in ("", "/talks", "/tracks", "/rooms", "/tiers", "/sponsors")),
        ]
        feeds = ["/calendar.ics", "/events/summit.ics", f"/talks/{self.talk_id}.ics", "/speakers/known.ics"]
        answers = {path: self.anonymous.get(path) for path in lists}
        answers |= {path: self.anonymous.get_feed(path) for path in feeds}
        names = ("ETag", "Last-Modified", "Link")
        return {
            path: (answer.status, answer.data, [answer.headers.get(name) for name in names])
            for path, answer in answers.items()
        }


@pytest.fixture
def scenario(
    *,
    app: Flask,
    clock: FixedClock,
    anonymous: ApiClient,
    member: ApiClient,
    stranger: ApiClient,
    organiser: ApiClient,
    moderator: ApiClient,
) -> Scenario:
    known = stranger.post(TALKS_PATH, {"title": "Known", "speakers": [{"name": "Known"}]}).json["id"]
    organiser.post(f"/talks/{known}/accept")
    stranger.post(f"/talks/{known}/confirm")
    tier = organiser.post("/events/summit/tiers", {"name": "Gold", "capacity": 5}).json["id"]
    enquiry = stranger.post("/events/summit/sponsorships", {"tier": tier, "sponsor": {"name": "Holder"}}).json["id"]
    organiser.post(f"/sponsorships/{enquiry}/confirm")
    return Scenario(
        app=app,
        clock=clock,
        anonymous=anonymous,
        member=member,
        stranger=stranger,
        organiser=organiser,
        moderator=moderator,
        talk_id=known,
        tier_id=tier,
    )


def iter_private_actions(world: Scenario) -> Iterator[tuple[str, Callable[[], ApiResponse]]]:
    """Yield every action that changes only objects that are not public, with a label."""
    member, organiser, moderator = world.member, world.organiser, world.moderator
    made: dict[str, str] = {}

    def make(name: str, api: ApiClient, path: str, body: object) -> Callable[[], ApiResponse]:
        def act() -> ApiResponse:
            answer = api.post(path, body)
            made[name] = answer.json.get("slug") or answer.json["id"]
            return answer

        return act

    yield "a draft", make("draft", member, TALKS_PATH, SECRET_TALK | {"draft": True})
    yield "submitted", lambda: member.post(f"/talks/{made['draft']}/submit")
    yield "a reprise", make("reprise", member, TALKS_PATH, {"reprise_of": world.talk_id, "notes": "Secret"})
    yield "an edit", lambda: member.patch(f"/talks/{made['draft']}", {"abstract": "Secret", "tags": ["secret"]})
    yield "waitlisted", lambda: organiser.post(f"/talks/{made['draft']}/waitlist", {"reason": "Secret"})
    yield "rejected", lambda: organiser.post(f"/talks/{made['reprise']}/reject")
    yield "accepted", lambda: organiser.post(f"/talks/{made['draft']}/accept")
    times = {"starts": "2026-06-10T10:00:00", "room": "Room 1", "track": "ARM"}
    yield "scheduled", lambda: organiser.patch(f"/talks/{made['draft']}", times)
    yield "withdrawn", lambda: member.post(f"/talks/{made['draft']}/withdraw")
    yield "blanked", lambda: moderator.post(f"/talks/{made['draft']}/redact")
    yield "on a stage", make("own", member, TALKS_PATH, {"title": "Secret"})
    yield "a speaker", lambda: member.patch("/speakers/ada-lovelace", {"bio": "Secret", "name": "Secret"})
    yield "merged", lambda: moderator.post("/speakers/ada-lovelace/merge", {"other": "secret"})
    yield (
        "proposed",
        make("event", member, "/events", SECRET_EVENT | {"co_located_with": ["summit"], "tags": ["secret"]}),
    )
    yield "moved", lambda: member.patch("/events/secret", {"starts": "2026-06-11", "ends": "2026-06-11"})
    yield "named", lambda: member.patch("/events/secret", {"slug": "secret-2", "status": "draft"})
    yield "with rooms", make("room", member, "/events/secret-2/rooms", body={"name": "Secret"})
    yield "other rooms", lambda: member.patch(f"/rooms/{made['room']}", {"name": "Secret 2"})
    yield "with tiers", make("tier", member, "/events/secret-2/tiers", {"name": "Secret"})
    enquiry = {"tier": world.tier_id, "sponsor": {"name": "Secret"}}
    yield "enquired", make("enquiry", member, "/events/summit/sponsorships", enquiry)
    yield "turned down", lambda: organiser.post(f"/sponsorships/{made['enquiry']}/cancel")
    yield "removed", lambda: moderator.post("/events/secret-2/redact")
    yield "deleted", lambda: member.delete("/events/secret-2")
    yield (
        "invited to the team",
        lambda: organiser.put("/events/summit/team", {"email": "secret@example.org", "role": "reviewer"}),
    )
    yield "starred", lambda: member.put(f"/me/stars/{world.talk_id}")
    yield "a feed", make("feed", member, "/me/feeds", {"name": "Secret"})
    yield "renamed", lambda: member.patch("/me", {"name": "Secret"})
    yield "refused", lambda: member.patch(f"/talks/{world.talk_id}", {"title": "Secret"})


def test_private_actions_do_not_change_public_responses(scenario: Scenario) -> None:
    before = scenario.fetch_public_responses()
    assert {status for status, _body, _headers in before.values()} == {200}
    assert not any(b"ecret" in body for _status, body, _headers in before.values())
    for what, act in iter_private_actions(scenario):
        answer = act()
        assert (answer.status < 300) is (what != "refused"), (what, answer.data)
        assert {path: one for path, one in scenario.fetch_public_responses().items() if one != before[path]} == {}, what


@pytest.fixture
def hidden_ids(scenario: Scenario) -> dict[str, str]:
    """Create one hidden object of each kind; return their IDs and slugs."""
    member, organiser = scenario.member, scenario.organiser
    talk = member.post(TALKS_PATH, SECRET_TALK).json["id"]
    member.post("/events", SECRET_EVENT)
    room, track, tier = (
        member.post(f"/events/secret/{part}", {"name": "Secret"}).json["id"] for part in ("rooms", "tracks", "tiers")
    )
    enquiry = {"tier": scenario.tier_id, "sponsor": {"name": "Secret"}}
    sponsorship = member.post("/events/summit/sponsorships", enquiry).json["id"]
    feed = member.post("/me/feeds", {"name": "phone"}).json["id"]
    assert organiser.get(f"/talks/{talk}").status == 200
    return {
        "talk": talk,
        "event": "secret",
        "speaker": get_row(scenario.app, Speaker, name="Secret").slug,
        "sponsor": get_row(scenario.app, Sponsor, name="Secret").slug,
        "room": room,
        "track": track,
        "tier": tier,
        "sponsorship": sponsorship,
        "feed": feed,
    }


REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", "/talks/{talk}", None),
    ("PATCH", "/talks/{talk}", {"title": "x"}),
    *(
        ("POST", f"/talks/{{talk}}/{step}", None)
        for step in ("submit", "withdraw", "confirm", "accept", "reject", "waitlist", "cancel")
    ),
    ("PUT", "/me/stars/{talk}", None),
    ("GET", "/events/{event}", None),
    *(("GET", f"/events/{{event}}/{part}", None) for part in ("talks", "tracks", "rooms", "tiers", "sponsors")),
    *(("GET", f"/events/{{event}}/{part}", None) for part in ("team", "sponsorships", "talks?state=submitted")),
    *(("POST", f"/events/{{event}}/{part}", {"name": "x"}) for part in ("tracks", "rooms", "tiers")),
    ("POST", "/events/{event}/talks", {"title": "x"}),
    ("POST", "/events/{event}/sponsorships", {"tier": "x", "sponsor": {"name": "x"}}),
    ("PATCH", "/events/{event}", {"title": "x"}),
    ("DELETE", "/events/{event}", None),
    ("POST", "/events/{event}/cancel", None),
    ("PUT", "/events/{event}/team", {"email": "mallory@example.org", "role": "organiser"}),
    ("GET", "/speakers/{speaker}", None),
    ("PATCH", "/speakers/{speaker}", {"bio": "x"}),
    ("GET", "/sponsors/{sponsor}", None),
    *((method, f"/{part}s/{{{part}}}", {"name": "x"}) for method in ("PATCH", "DELETE") for part in ("room", "track")),
    ("PATCH", "/tiers/{tier}", {"name": "x"}),
    ("DELETE", "/tiers/{tier}", None),
    ("GET", "/sponsorships/{sponsorship}", None),
    ("POST", "/sponsorships/{sponsorship}/confirm", None),
    ("POST", "/sponsorships/{sponsorship}/cancel", None),
    ("DELETE", "/me/feeds/{feed}", None),
    # Hidden objects referred to in request bodies.
    ("POST", TALKS_PATH, {"title": "x", "reprise_of": "{talk}"}),
    ("POST", TALKS_PATH, {"title": "x", "speakers": [{"slug": "{speaker}"}]}),
    ("POST", "/events", SECRET_EVENT | {"slug": "mine", "co_located_with": ["{event}"]}),
    ("POST", "/events/summit/sponsorships", {"tier": "{tier}", "sponsor": {"slug": "{sponsor}"}}),
]


def _fill_placeholders(template: Any, values: dict[str, str]) -> Any:  # noqa: ANN401 - a path, or a body of any kind
    text = json.dumps(template)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


@pytest.mark.parametrize("who", ["anonymous", "stranger"])
def test_hidden_object_gets_same_response_as_missing_one(
    scenario: Scenario, hidden_ids: dict[str, str], who: str
) -> None:
    api: ApiClient = getattr(scenario, who)
    nothing = dict.fromkeys(hidden_ids, UNKNOWN_ID)

    def told(names: dict[str, str], method: str, path: str, body: object) -> tuple[int, str, list[str | None]]:
        answer = api.call(
            method, _fill_placeholders(path, names), _fill_placeholders(body, names), headers={"If-Match": "*"}
        )
        text = answer.data.decode()
        for name in names.values():
            text = text.replace(name, "NAME")
        return answer.status, text, [answer.headers.get(name) for name in ("ETag", "Last-Modified", "Cache-Control")]

    for method, path, body in REQUESTS:
        seen = told(hidden_ids, method, path, body)
        assert seen == told(nothing, method, path, body)
        assert seen[0] in {401, 403, 404, 422}, (method, path, seen)


@pytest.mark.parametrize("condition", [{"If_None_Match": "*"}, {"If_Modified_Since": "Sun, 01 Mar 2026 11:00:00 GMT"}])
def test_conditional_request_does_not_reveal_hidden_object(
    scenario: Scenario, hidden_ids: dict[str, str], condition: dict[str, str]
) -> None:
    for path in ("/talks/{talk}", "/events/{event}", "/events/{event}/talks", "/speakers/{speaker}"):
        assert scenario.stranger.get(_fill_placeholders(path, hidden_ids), **condition).status_and_code == (
            404,
            "not-found",
        )
    for path in ("/talks/{talk}.ics", "/events/{event}.ics", "/speakers/{speaker}.ics"):
        assert scenario.anonymous.get_feed(_fill_placeholders(path, hidden_ids), **condition).status_and_code == (
            404,
            "not-found",
        )


def test_restricted_response_is_private_and_unavailable_to_others(
    scenario: Scenario, hidden_ids: dict[str, str]
) -> None:
    for path in ("/talks/{talk}", f"{TALKS_PATH}?state=submitted"):
        private = scenario.organiser.get(_fill_placeholders(path, hidden_ids))
        assert (private.status, private.headers["Cache-Control"]) == (200, "private, no-cache")
        assert "Last-Modified" not in private.headers
    private = scenario.member.get("/events/secret")
    assert (private.status, private.headers["Cache-Control"]) == (200, "private, no-cache")
    assert scenario.anonymous.get(_fill_placeholders("/talks/{talk}", hidden_ids)).status == 404
    assert scenario.anonymous.get(f"{TALKS_PATH}?state=submitted").status == 401
    assert scenario.stranger.get(f"{TALKS_PATH}?state=submitted").status == 403
    assert scenario.anonymous.get("/events/secret").status == 404


def test_public_response_is_the_same_for_every_caller(scenario: Scenario) -> None:
    member = get_row(scenario.app, Member, id=scenario.organiser.member_id)
    callers = [
        scenario.anonymous,
        scenario.stranger,
        scenario.organiser,
        scenario.moderator,
        create_session_client(scenario.app, member),
    ]
    create_talk(scenario.app, "summit")
    for path in (
        "/events",
        "/talks",
        TALKS_PATH,
        "/events/summit",
        f"/talks/{scenario.talk_id}",
        "/speakers/known",
        "/changes",
    ):
        answers = [api.get(path) for api in callers]
        assert len({(answer.data, answer.etag) for answer in answers}) == 1, path
        assert {answer.headers["Cache-Control"].partition(",")[0] for answer in answers} == {"public"}
        assert not any("Set-Cookie" in answer.headers for answer in answers)
