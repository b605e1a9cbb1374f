"""Decisions on several talks, reinstated talks, deleted drafts, and talks at a pending event."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import Programme
from eventcal.outbox.models import OutboxMessage
from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient, create_team_client
from tests.factories import make_event, make_talk
from tests.http_app import database_of, write_session

DECIDE_PATH = "/events/summit/talks/decide"


@pytest.fixture
def organiser(app: Flask) -> ApiClient:
    """Return an organiser of the event `summit`."""
    with write_session(app) as session:
        make_event(session, slug="summit", call={})
    return create_team_client(app, "summit")


def submit(member: ApiClient, **fields: Any) -> str:
    """Submit a talk, and return its ID."""
    return str(member.post("/events/summit/talks", {"title": "Xen on ARM", **fields}).json["id"])


def count_emails(app: Flask) -> int:
    with database_of(app).read_session() as session:
        return len(session.scalars(select(OutboxMessage)).all())


@pytest.mark.both_databases
def test_decision_changes_all_talks_and_informs_their_submitters(
    app: Flask, organiser: ApiClient, member: ApiClient
) -> None:
    ids = [submit(member, title=f"Talk {number}") for number in range(20)]
    answer = organiser.post(DECIDE_PATH, {"step": "accept", "talks": ids, "reason": "Welcome."})
    assert answer.item_values("id") == ids
    assert set(answer.item_values("state")) == {"accepted"}
    assert count_emails(app) == 20


def test_failed_decision_changes_nothing_and_names_each_talk(organiser: ApiClient, member: ApiClient) -> None:
    first, second = submit(member), submit(member)
    assert organiser.post(f"/talks/{second}/reject").status == 200
    answer = organiser.post(DECIDE_PATH, {"step": "accept", "talks": [first, second]})
    assert answer.status_and_code == (409, "bulk-failed")
    assert [one["pointer"] for one in answer.json["errors"]] == ["/talks/1"]
    answer = organiser.post(DECIDE_PATH, {"step": "accept", "talks": ["unknown", first]})
    assert [one["pointer"] for one in answer.json["errors"]] == ["/talks/0"]
    assert member.get(f"/talks/{first}").json["state"] == "submitted"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"step": "accept", "talks": []}, "/talks"),
        ({"step": "accept", "talks": ["a"] * 201}, "/talks"),
        ({"step": "confirm", "talks": ["a"]}, "/step"),
    ],
)
def test_invalid_decision_is_rejected(organiser: ApiClient, body: object, pointer: str) -> None:
    assert list(organiser.post(DECIDE_PATH, body).errors) == [pointer]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("steps", "restored", "emails"),
    [
        (["reject"], "submitted", 2),
        (["waitlist", "reject"], "waitlisted", 3),
        (["accept", "cancel"], "accepted", 3),
        (["accept", "confirm", "cancel"], "confirmed", 3),
        (["withdraw"], "submitted", 1),
        (["accept", "confirm", "withdraw"], "confirmed", 2),
    ],
)
def test_organiser_reinstates_a_talk_in_its_previous_state_and_informs_the_submitter(
    *, app: Flask, organiser: ApiClient, member: ApiClient, steps: list[str], restored: str, emails: int
) -> None:
    path = f"/talks/{submit(member)}"
    for step in steps:
        caller = member if step in {"confirm", "withdraw"} else organiser
        assert caller.post(f"{path}/{step}").status == 200
    before = member.get(path).json
    after = organiser.post(f"{path}/reinstate")
    assert (after.status, member.get(path).json["state"]) == (200, restored)
    assert after.json["sequence"] == before["sequence"] + (restored == "confirmed")
    assert count_emails(app) == emails
    assert organiser.post(f"{path}/reinstate").status_and_code == (409, "forbidden-step")


def test_speaker_reinstates_only_a_withdrawn_talk(app: Flask, organiser: ApiClient, member: ApiClient) -> None:
    withdrawn, rejected = submit(member), submit(member)
    assert member.post(f"/talks/{withdrawn}/withdraw").status == 200
    assert member.post(f"/talks/{withdrawn}/reinstate").json["state"] == "submitted"
    assert count_emails(app) == 0
    assert organiser.post(f"/talks/{rejected}/reject").status == 200
    assert member.post(f"/talks/{rejected}/reinstate").status_and_code == (403, "forbidden")


def test_erased_talk_cannot_be_reinstated(organiser: ApiClient, member: ApiClient, moderator: ApiClient) -> None:
    path = f"/talks/{submit(member)}"
    assert moderator.post(f"{path}/redact").status == 200
    assert organiser.post(f"{path}/reinstate").status_and_code == (409, "forbidden-step")


@pytest.mark.usefixtures("organiser")
def test_draft_is_private_and_can_be_deleted_by_its_submitter(member: ApiClient, moderator: ApiClient) -> None:
    draft = submit(member, draft=True)
    reprise = submit(member, draft=True, reprise_of=draft)
    assert moderator.get(f"/talks/{draft}").status_and_code == (404, "not-found")
    assert member.delete(f"/talks/{draft}").status == 204
    assert member.get(f"/talks/{draft}").status_and_code == (404, "not-found")
    assert member.post(f"/talks/{reprise}/submit").status == 200
    assert member.delete(f"/talks/{reprise}").status_and_code == (409, "forbidden-step")


def test_proposer_submits_talks_to_their_pending_event(member: ApiClient, moderator: ApiClient) -> None:
    event = {"title": "Hackday", "slug": "hackday", "timezone": "UTC", "starts": "2026-05-04", "programme": "listed"}
    assert member.post("/events", event).json["status"] == "pending"
    talk = member.post("/events/hackday/talks", {"title": "Early"})
    assert (talk.status, talk.json["state"]) == (201, "submitted")
    assert moderator.post("/events/hackday/talks", {"title": "Other"}).status_and_code == (409, "talks-closed")


def test_unscheduled_talks_of_an_event_are_reinstated_in_feeds(app: Flask, moderator: ApiClient) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="hackday", programme=Programme.LISTED)
        talk_id = make_talk(session, event, state=TalkState.SUBMITTED, starts="2026-06-10T10:00:00").id
    for step in ("accept", "cancel", "reinstate"):
        assert moderator.post(f"/talks/{talk_id}/{step}").status == 200
    assert b"STATUS:CANCELLED" not in moderator.get_feed(f"/talks/{talk_id}.ics").data
