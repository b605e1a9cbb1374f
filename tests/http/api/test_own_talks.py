"""What a member can do with talks: submissions to a pending event, lists of own talks, and private drafts."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient, create_member_client
from tests.factories import make_event, make_speaker, make_talk
from tests.http_app import write_session

pytestmark = pytest.mark.both_databases
PROPOSAL: dict[str, Any] = {"title": "FOSDEM", "timezone": "Europe/Brussels", "starts": "2026-06-10"}


def titles(answer: Any) -> list[str]:  # noqa: ANN401 - response with a list
    assert answer.status == 200, answer.json
    return sorted(item["title"] for item in answer.json["items"])


@pytest.fixture
def _talks(app: Flask, member: ApiClient) -> None:
    """Create talks that the member submits or presents, and talks of other people, at two events."""
    with write_session(app) as session:
        ada = session.get_one(Member, member.member_id)
        speaker = make_speaker(session, member=ada)
        for slug in ("alpha", "beta"):
            event = make_event(session, slug=slug)
            for state in (TalkState.SUBMITTED, TalkState.CONFIRMED, TalkState.DRAFT):
                make_talk(session, event, title=f"own {slug} {state}", submitter=ada, state=state)
                make_talk(session, event, title=f"spoken {slug} {state}", speakers=[speaker], state=state)
                make_talk(session, event, title=f"other {slug} {state}", state=state)


@pytest.mark.usefixtures("_talks")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("role=speaker&state=submitted", ["spoken alpha submitted", "spoken beta submitted"]),
        ("role=submitter&event=beta&state=draft,confirmed", ["own beta confirmed", "own beta draft"]),
        ("event=alpha&state=draft", ["own alpha draft", "spoken alpha draft"]),
        ("role=submitter,speaker&event=nowhere", []),
    ],
)
def test_own_talks_are_filtered(member: ApiClient, query: str, expected: list[str]) -> None:
    assert titles(member.get(f"/me/talks?{query}")) == expected
    assert len(titles(member.get("/me/talks"))) == 12


@pytest.mark.usefixtures("_talks")
def test_pages_of_own_talks_keep_the_filters(member: ApiClient) -> None:
    first = member.get("/me/talks?role=speaker&state=draft&limit=1")
    following = first.headers["Link"].partition("<")[2].partition(">")[0].partition("/api/v1")[2]
    assert "role=speaker" in following
    assert {*titles(first), *titles(member.get(following))} == {"spoken alpha draft", "spoken beta draft"}


def test_invalid_filters_of_own_talks_are_rejected(member: ApiClient) -> None:
    assert set(member.get("/me/talks?role=boss&state=unknown").errors) == {"?role", "?state"}


@pytest.mark.usefixtures("_talks")
def test_submissions_are_those_that_the_caller_submitted_presents_or_may_review(
    app: Flask, member: ApiClient, moderator: ApiClient, anonymous: ApiClient
) -> None:
    path = "/talks?state=submitted,draft"
    own = [f"{role} {slug} {state}" for role in ("own", "spoken") for slug in ("alpha", "beta")
           for state in ("draft", "submitted")]  # fmt: skip
    assert titles(member.get(path)) == own
    everything = [f"{role} {slug} submitted" for role in ("other", "own", "spoken") for slug in ("alpha", "beta")]
    assert titles(moderator.get(path)) == everything
    assert titles(create_member_client(app, email="eve@example.org").get(path)) == []
    assert anonymous.get(path).status_and_code == (401, "not-signed-in")
    assert "private" in member.get(path).headers["Cache-Control"]


@pytest.mark.usefixtures("_talks")
def test_draft_is_private_to_its_submitter_and_speakers(
    member: ApiClient, moderator: ApiClient, organiser: ApiClient
) -> None:
    drafts = {item["title"]: item["id"] for item in member.get("/me/talks?state=draft").json["items"]}
    for talk_id in drafts.values():
        assert member.get(f"/talks/{talk_id}").status == 200
        for caller in (moderator, organiser):
            assert caller.get(f"/talks/{talk_id}").status_and_code == (404, "not-found")
            assert caller.patch(f"/talks/{talk_id}", {"title": "Mine"}, if_match="*").status == 404
            assert caller.post(f"/talks/{talk_id}/redact").status in {403, 404}


def test_proposer_submits_talks_to_the_pending_event_and_both_are_published_together(
    app: Flask, member: ApiClient, moderator: ApiClient, anonymous: ApiClient
) -> None:
    slug = member.post("/events", PROPOSAL | {"programme": "listed"}).json["slug"]
    ids = [member.post(f"/events/{slug}/talks", {"title": title}).json["id"] for title in ("One", "Two")]
    draft = member.post(f"/events/{slug}/talks", {"title": "Later", "draft": True}).json["id"]
    others = moderator.post(f"/events/{slug}/talks", {"title": "Not by the proposer"})
    assert others.status_and_code == (409, "talks-closed")
    eve = create_member_client(app, email="eve@example.org")
    assert eve.post(f"/events/{slug}/talks", {"title": "Spam"}).status == 404
    published = moderator.post(f"/events/{slug}/publish", {"with_talks": True})
    assert (published.status, published.json["status"]) == (200, "confirmed")
    assert [anonymous.get(f"/talks/{talk_id}").json["state"] for talk_id in ids] == ["accepted"] * 2
    assert member.get(f"/talks/{draft}").json["state"] == "draft"


def test_publishing_without_talks_leaves_them_submitted(member: ApiClient, moderator: ApiClient) -> None:
    slug = member.post("/events", PROPOSAL | {"programme": "listed"}).json["slug"]
    talk = member.post(f"/events/{slug}/talks", {"title": "One"}).json["id"]
    assert moderator.post(f"/events/{slug}/publish").status == 200
    assert member.get(f"/talks/{talk}").json["state"] == "submitted"


def test_talks_of_a_curated_event_cannot_be_published_with_it(app: Flask, moderator: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="curated", status=EventStatus.PENDING, programme=Programme.CURATED)
    refused = moderator.post("/events/curated/publish", {"with_talks": True})
    assert list(refused.errors) == ["/with_talks"]
    assert moderator.get("/events/curated").json["status"] == "pending"
