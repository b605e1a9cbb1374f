"""State changes of talks through the API: transitions, permissions, and public visibility."""

import json
from itertools import product
from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import Programme
from eventcal.members.models import IdempotencyRecord, Member
from eventcal.outbox.models import OutboxMessage
from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient, add_team_member, create_talk, create_team_client
from tests.clocks import FixedClock
from tests.factories import make_event, make_speaker
from tests.http_app import list_mails, list_rows, write_session

pytestmark = pytest.mark.usefixtures("summit")

STATE_AFTER: dict[str, dict[str, str]] = {
    "submit": {"draft": "submitted"},
    "waitlist": {"submitted": "waitlisted"},
    "accept": {"submitted": "accepted", "waitlisted": "accepted"},
    "reject": {"submitted": "rejected", "waitlisted": "rejected"},
    "confirm": {"accepted": "confirmed"},
    "withdraw": dict.fromkeys(["draft", "submitted", "waitlisted", "accepted", "confirmed"], "withdrawn"),
    "cancel": {"accepted": "cancelled", "confirmed": "cancelled"},
}


def test_each_talk_state_allows_only_its_transitions(app: Flask, member: ApiClient) -> None:
    with write_session(app) as session:
        add_team_member(session, session.get_one(Member, member.member_id), "summit")
    for state, (step, leads) in product(TalkState, STATE_AFTER.items()):
        talk = create_talk(app, "summit", by=member, state=state)
        before = member.get(f"/talks/{talk}")
        answer = member.post(f"/talks/{talk}/{step}")
        after = member.get(f"/talks/{talk}")
        if state in leads:
            assert (answer.status, answer.json, answer.etag) == (200, after.json, after.etag)
            own = member.get("/me/talks?limit=200").json["items"]
            [now] = [one["state"] for one in own if one["id"] == talk]
            assert (state, step, now) == (state, step, leads[state])
        else:
            assert answer.status_and_code == (409, "forbidden-step")
            assert answer.json["detail"].startswith(f"A talk with the state “{state}” cannot be ")
            assert (after.json, after.etag) == (before.json, before.etag)


def test_talk_of_curated_event_is_public_once_confirmed(
    member: ApiClient, organiser: ApiClient, anonymous: ApiClient, clock: FixedClock
) -> None:
    talk = member.post("/events/summit/talks", {"title": "Xen on ARM"}).json["id"]
    path = f"/talks/{talk}"
    seen = []
    for api, step in ((organiser, "waitlist"), (organiser, "accept"), (member, "confirm"), (organiser, "cancel")):
        clock.tick(60)
        assert api.post(f"{path}/{step}").status == 200
        answer = anonymous.get(path)
        seen.append((step, answer.status, answer.json.get("state"), len(anonymous.get("/talks").json["items"])))
    assert seen == [
        ("waitlist", 404, None, 0),
        ("accept", 404, None, 0),
        ("confirm", 200, "confirmed", 1),
        ("cancel", 200, "cancelled", 1),
    ]
    assert anonymous.get(path).json["sequence"] == 1
    assert b"STATUS:CANCELLED" in anonymous.get_feed(f"{path}.ics").data
    changed = {(item["id"], item["revision"], item["deleted"]) for item in anonymous.get("/changes").json["items"]}
    assert (talk, anonymous.get(path).json["revision"], False) in changed


def test_moderator_publishes_talks_of_listed_event(
    *, app: Flask, member: ApiClient, moderator: ApiClient, anonymous: ApiClient
) -> None:
    with write_session(app) as session:
        make_event(session, slug="meetup", programme=Programme.LISTED, call=None)
    organiser = create_team_client(app, "meetup")
    times = {"starts": "2026-06-10T10:00:00", "ends": "2026-06-10T10:30:00"}
    offered = member.post("/events/meetup/talks", {"title": "T", **times}).json
    assert (offered["starts_at"], offered["ends_at"]) == ("2026-06-10T10:00:00+02:00", "2026-06-10T10:30:00+02:00")
    path = f"/talks/{offered['id']}"
    for step in ("accept", "reject", "waitlist"):
        assert organiser.post(f"{path}/{step}").status_and_code == (403, "forbidden")
    assert anonymous.get(path).status == 404
    assert moderator.post(f"{path}/accept").json["state"] == "accepted"
    assert anonymous.get(path).json["state"] == "accepted"
    assert moderator.post(f"{path}/cancel").json["state"] == "cancelled"
    assert anonymous.get("/events/meetup/talks").item_values("state") == ["cancelled"]


def test_withdrawn_public_talk_is_shown_as_cancelled(
    app: Flask, member: ApiClient, organiser: ApiClient, anonymous: ApiClient
) -> None:
    talk = create_talk(app, "summit", by=member, state=TalkState.CONFIRMED)
    assert member.post(f"/talks/{talk}/withdraw").json["state"] == "cancelled"
    assert [api.get(f"/talks/{talk}").json["state"] for api in (anonymous, member, organiser)] == ["cancelled"] * 3
    assert anonymous.get("/talks?state=cancelled").item_values("id") == [talk]
    assert anonymous.get("/talks?state=withdrawn").status_and_code == (401, "not-signed-in")
    # The submitter's and the organisers' lists show the actual state.
    assert member.get("/me/talks").item_values("state") == ["withdrawn"]
    assert organiser.get("/events/summit/talks?state=withdrawn").item_values("state") == ["withdrawn"]


def test_speaker_may_confirm_talk_of_another_submitter(app: Flask, member: ApiClient, stranger: ApiClient) -> None:
    with write_session(app) as session:
        speaker = make_speaker(session, member=session.get_one(Member, stranger.member_id)).id
    talk = create_talk(app, "summit", by=member, speaker_ids=[speaker], state=TalkState.ACCEPTED)
    assert stranger.get("/me/talks").item_values("id") == [talk]
    assert stranger.post(f"/talks/{talk}/confirm").status == 200
    assert member.post(f"/talks/{talk}/withdraw").status == 200


def test_decision_is_emailed_to_submitter_and_its_reason_stays_private(
    app: Flask, member: ApiClient, organiser: ApiClient
) -> None:
    talk = create_talk(app, "summit", by=member)
    answer = organiser.post(f"/talks/{talk}/reject", {"reason": "Too much <sales>\nin it"})
    assert (answer.status, b"sales" in answer.data) == (200, False)
    assert list_mails(app) == [("ada@example.org", "Xen on ARM: rejected")]
    [mail] = list_rows(app, OutboxMessage)
    assert mail.payload["text"].endswith("Too much <sales>\nin it")
    assert b"sales" not in member.get("/me/talks").data + organiser.get("/events/summit/talks?state=rejected").data


BODIES: list[tuple[bytes | None, str, int]] = [
    (None, "", 200),
    (b"", "application/json", 200),
    (b"{}", "application/json", 200),
    (b'{"reason": null}', "application/merge-patch+json", 200),
    (b"reason=x", "application/x-www-form-urlencoded", 415),
    (b"{", "application/json", 400),
    (b'{"reason": 1}', "application/json", 422),
    (b'{"why": "x"}', "application/json", 422),
    (b'"because"', "application/json", 422),
    (b"x" * (1024 * 1024 + 1), "application/json", 413),
]


def test_state_change_accepts_optional_reason(app: Flask, organiser: ApiClient) -> None:
    for body, kind, status in BODIES:
        talk = create_talk(app, "summit")
        headers = {"Content_Type": kind} if kind else {}
        answer = organiser.post(f"/talks/{talk}/accept", body, **headers)
        seen = organiser.get(f"/talks/{talk}").json["state"]
        assert ((body or b"")[:20], answer.status) == ((body or b"")[:20], status)
        assert seen == ("accepted" if status == 200 else "submitted")


def test_redacted_public_talk_becomes_read_only_tombstone(
    *, app: Flask, member: ApiClient, organiser: ApiClient, moderator: ApiClient, anonymous: ApiClient
) -> None:
    fields: dict[str, Any] = {"abstract": "Buy", "slides_url": "https://buy.example/", "language": "en"}
    talk = create_talk(app, "summit", by=member, state=TalkState.CONFIRMED, title="Buy", tags=["buy"], **fields)
    blanked = moderator.post(f"/talks/{talk}/redact")
    assert blanked.status == 200
    seen = anonymous.get(f"/talks/{talk}")
    assert (seen.json, seen.etag) == (blanked.json, blanked.etag)
    assert (seen.json["title"], seen.json["state"], seen.json["speakers"]) == ("[removed]", "cancelled", [])
    places = ["/talks", "/events/summit/talks", "/changes", "/me/talks"]
    everything = b"".join(member.get(path).data for path in places) + anonymous.get_feed("/events/summit.ics").data
    assert b"buy" not in everything.lower()
    assert [one["deleted"] for one in anonymous.get("/changes").json["items"] if one["id"] == talk] == [True]
    for api in (member, organiser):
        assert api.patch(f"/talks/{talk}", {"title": "Buy"}).status_and_code == (403, "forbidden")


def test_redaction_deletes_stored_idempotent_responses(app: Flask, member: ApiClient, moderator: ApiClient) -> None:
    talk = member.post("/events/summit/talks", {"title": "Buy"}, Idempotency_Key="k-1").json["id"]
    member.post("/events", {"title": "Buy", "timezone": "UTC", "starts": "2026-09-01"}, Idempotency_Key="k-2")
    member.post("/events/summit/talks", {"title": "Kept"}, Idempotency_Key="k-3")
    assert (moderator.post(f"/talks/{talk}/redact").status, moderator.post("/events/buy/redact").status) == (200, 200)
    assert [json.loads(answer.body)["title"] for answer in list_rows(app, IdempotencyRecord)] == ["Kept"]


def test_redacted_unpublished_talk_stays_hidden(
    app: Flask, member: ApiClient, moderator: ApiClient, anonymous: ApiClient
) -> None:
    talk = create_talk(app, "summit", by=member, title="Buy")
    assert moderator.post(f"/talks/{talk}/redact").json["state"] == "rejected"
    assert anonymous.get(f"/talks/{talk}").status_and_code == (404, "not-found")
    assert member.get(f"/talks/{talk}").json["title"] == "[removed]"
    assert talk not in str(anonymous.get("/changes").json)


def test_stars_are_private_and_only_for_public_talks(app: Flask, member: ApiClient, stranger: ApiClient) -> None:
    public, waiting = create_talk(app, "summit", state=TalkState.CONFIRMED), create_talk(app, "summit", by=member)
    for _ in range(2):
        assert member.put(f"/me/stars/{public}").status == 204
    assert member.put(f"/me/stars/{waiting}").status_and_code == (404, "not-found")
    assert member.put("/me/stars/0000000000000000").status_and_code == (404, "not-found")
    assert (member.get("/me/stars").item_values("id"), stranger.get("/me/stars").item_values("id")) == ([public], [])
    for _ in range(2):
        assert member.delete(f"/me/stars/{public}").status == 204
    assert member.get("/me/stars").item_values("id") == []


def test_own_talks_are_listed_in_every_state_newest_first(app: Flask, member: ApiClient, clock: FixedClock) -> None:
    for state in TalkState:
        clock.tick()
        create_talk(app, "summit", by=member, state=state, now=clock.now())
    assert member.get("/me/talks").item_values("state") == [state.value for state in reversed(TalkState)]
