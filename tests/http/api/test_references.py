"""References to sponsors and speakers by slug or by description, and integers written with a decimal point."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.models import Event
from eventcal.members.models import Member
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient, ApiResponse, add_team_member, create_talk
from tests.factories import make_event, make_sponsor, make_sponsorship, make_tier
from tests.http_app import write_session

MISSING_REFERENCE = "is required unless `slug` refers to an existing record"
SLUG_WITH_FIELDS = "refers to an existing record; remove the other fields"


@pytest.fixture
def gold_tier_id(app: Flask, summit: str) -> str:
    """Return the ID of a tier of the summit with the sponsor Rackspace."""
    with write_session(app) as session:
        event = session.query(Event).filter_by(slug=summit).one()
        tier = make_tier(session, event, name="Gold")
        make_sponsorship(
            session, tier, sponsor=make_sponsor(session, slug="rackspace"), state=SponsorshipState.CONFIRMED
        )
        return tier.id


@pytest.mark.parametrize("known", [{"slug": "rackspace"}, "rackspace"])
def test_known_sponsor_is_referenced_by_slug_or_object(member: ApiClient, gold_tier_id: str, known: object) -> None:
    answer = member.post("/events/summit/sponsorships", {"tier": gold_tier_id, "sponsor": known})
    assert (answer.status, answer.json["sponsor"]["slug"]) == (201, "rackspace")


def test_new_sponsor_is_created_from_description(member: ApiClient, gold_tier_id: str) -> None:
    answer = member.post("/events/summit/sponsorships", {"tier": gold_tier_id, "sponsor": {"name": "Citrix"}})
    assert answer.json["sponsor"] == {
        "slug": "citrix",
        "name": "Citrix",
        "url": None,
        "logo_url": None,
        "description": None,
    }


@pytest.mark.parametrize(
    ("sponsor", "faults"),
    [
        ({}, {"/sponsor/name": MISSING_REFERENCE}),
        ({"description": "Hosting."}, {"/sponsor/name": MISSING_REFERENCE}),
        ({"slug": "rackspace", "name": "Rackspace"}, {"/sponsor/slug": SLUG_WITH_FIELDS}),
        (5, {"/sponsor": "must be a JSON object"}),
        (None, {"/sponsor": "must not be null; omit it instead"}),
    ],
)
def test_sponsor_with_neither_or_both_of_slug_and_name_is_rejected(
    member: ApiClient, gold_tier_id: str, *, sponsor: object, faults: dict[str, str]
) -> None:
    assert member.post("/events/summit/sponsorships", {"tier": gold_tier_id, "sponsor": sponsor}).errors == faults


@pytest.mark.parametrize(
    ("speaker", "faults"),
    [
        ({}, {"/speakers/0/name": MISSING_REFERENCE}),
        ({"slug": "ada", "name": "Ada"}, {"/speakers/0/slug": SLUG_WITH_FIELDS}),
    ],
)
def test_speaker_with_neither_or_both_of_slug_and_name_is_rejected(
    member: ApiClient, summit: str, *, speaker: dict[str, Any], faults: dict[str, str]
) -> None:
    assert member.post(f"/events/{summit}/talks", {"title": "Xen", "speakers": [speaker]}).errors == faults


@pytest.mark.parametrize("by", ["reviewer", "organiser", "moderator"])
def test_hidden_object_cannot_be_referenced_by_those_who_may_read_it(
    request: pytest.FixtureRequest, app: Flask, member: ApiClient, by: str
) -> None:
    caller: ApiClient = request.getfixturevalue(by)
    request.getfixturevalue("summit")
    hidden_talk = create_talk(app, "summit", by=member, title="Secret", abstract="A secret.")
    own_talk = create_talk(app, "summit", by=caller, title="Mine", abstract="My own.")
    public_talk = create_talk(app, "summit", by=member, state=TalkState.CONFIRMED, title="Known")
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING)
        add_team_member(session, session.get_one(Member, caller.member_id), "hidden")
        make_event(session, slug="meetup", programme=Programme.LISTED)
    assert caller.get(f"/talks/{hidden_talk}").status == caller.get("/events/hidden").status == 200

    def submit(earlier: str, **fields: str) -> ApiResponse:
        return caller.post("/events/meetup/talks", {"reprise_of": earlier, **fields})

    assert submit(hidden_talk).errors.keys() == submit(hidden_talk, title="x").errors.keys() | {"/title"}
    assert submit(hidden_talk, title="x").errors == _unknown("/reprise_of", "a talk", hidden_talk)
    for known, title in ((own_talk, "Mine"), (public_talk, "Known")):
        assert submit(known).json["title"] == title
    patched = caller.patch(f"/talks/{submit(public_talk).json['id']}", {"reprise_of": hidden_talk})
    assert patched.errors == _unknown("/reprise_of", "a talk", hidden_talk)
    proposal = {"title": "x", "timezone": "UTC", "starts": "2026-06-10", "co_located_with": ["hidden"]}
    assert "/co_located_with/0" in caller.post("/events", proposal).errors


def _unknown(pointer: str, kind: str, value: str) -> dict[str, str]:
    return {pointer: f"refers to {kind} that does not exist: “{value}”"}


def test_integer_may_be_written_with_decimal_point(organiser: ApiClient, summit: str) -> None:
    answer = organiser.post(
        f"/events/{summit}/rooms", b'{"name": "Attic", "capacity": 80.0}', Content_Type="application/json"
    )
    assert (answer.status, answer.json["capacity"]) == (201, 80)
    refused = organiser.post(f"/events/{summit}/rooms", {"name": "Cellar", "capacity": 80.5})
    assert refused.errors == {"/capacity": "must be an integer"}
