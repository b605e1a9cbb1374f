"""The events and sponsorship enquiries of the current user."""

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import Event
from eventcal.members.models import Member
from tests.api_client import ApiClient, add_team_member
from tests.factories import make_event, make_tier
from tests.http_app import write_session

pytestmark = pytest.mark.both_databases


@pytest.fixture
def gold_tier_id(app: Flask, summit: str) -> str:
    with write_session(app) as session:
        return make_tier(session, session.query(Event).filter_by(slug=summit).one(), name="Gold").id


def test_sponsorship_shows_contact_to_organisers_and_is_listed_for_its_enquirer(
    app: Flask, member: ApiClient, organiser: ApiClient, anonymous: ApiClient, gold_tier_id: str
) -> None:
    path = "/events/summit/sponsorships"
    made = member.post(path, {"tier": gold_tier_id, "sponsor": {"name": "Citrix"}, "note": "Call us."}).json
    assert made["contact"] == {"name": "Ada Lovelace", "email": "ada@example.org"}
    assert organiser.get(path).json["items"] == [made]
    assert member.get("/me/sponsorships").json["items"] == [made]
    assert organiser.get("/me/sponsorships").json["items"] == []
    assert anonymous.get("/me/sponsorships").status == 401
    with write_session(app) as session:
        session.delete(session.get_one(Member, member.member_id))
    assert organiser.get(path).json["items"][0]["contact"] is None


def test_own_events_are_those_whose_team_includes_the_caller(
    app: Flask, member: ApiClient, organiser: ApiClient
) -> None:
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING, starts="2026-09-01")
        make_event(session, slug="foreign")
        add_team_member(session, session.get_one(Member, organiser.member_id), "hidden", role=TeamRole.REVIEWER)
    listed = organiser.get("/me/events").json["items"]
    assert [(event["slug"], event["status"]) for event in listed] == [("hidden", "pending"), ("summit", "confirmed")]
    assert member.get("/me/events").json["items"] == []
