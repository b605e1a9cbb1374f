"""Invitations to the team of an event through the API."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import TeamRole
from eventcal.events.models import Event
from eventcal.invitations.models import Invitation
from eventcal.invitations.rules import LIFETIME
from eventcal.invitations.service import OPEN_INVITATION_QUOTA, invite_to_team
from eventcal.members.caller import Caller
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.outbox.models import OutboxMessage
from eventcal.retention import delete_expired_data
from tests.api_client import (
    TEAM_PATH,
    ApiClient,
    count_rows,
    create_member_client,
    create_team_client,
    invite_team_member,
)
from tests.clocks import NOON, FixedClock
from tests.http_app import database_of, services_of, write_session
from tests.sql_statements import record_statements


@pytest.mark.both_databases
def test_number_of_open_invitations_is_limited_per_event(app: Flask, organiser: ApiClient, clock: FixedClock) -> None:
    with write_session(app) as session:
        event = session.scalars(select(Event).where(Event.slug == "summit")).one()
        caller = Caller(member_id=event.proposer_id, role=Role.MEMBER)
        for number in range(OPEN_INVITATION_QUOTA.limit):
            address = f"person{number}@example.org"
            invite_to_team(session, event, email=address, role=TeamRole.REVIEWER, caller=caller, now=NOON)
    wanted = {"email": "one.more@example.org", "role": "reviewer"}
    refused = organiser.put(TEAM_PATH, wanted)
    assert refused.status_and_code == (409, "quota-exceeded")
    assert "50 invitations" in refused.json["detail"]
    # Inviting the same address again replaces the earlier invitation.
    invite_team_member(organiser, "person7@example.org", role="organiser")
    [first, *_] = organiser.get(TEAM_PATH).json["invitations"]
    assert organiser.delete(f"{TEAM_PATH}/invitations/{first['id']}").status == 204
    assert organiser.put(TEAM_PATH, wanted).status < 300
    clock.set_time(NOON + LIFETIME)
    assert organiser.put(TEAM_PATH, wanted | {"email": "another@example.org"}).status < 300


@pytest.mark.both_databases
def test_role_begins_when_the_invited_member_accepts(organiser: ApiClient, member: ApiClient) -> None:
    invitation = invite_team_member(organiser, "ADA@example.org", role="organiser")
    expires_at = "2026-03-31T12:00:01Z"
    assert organiser.get(TEAM_PATH).json["invitations"] == [
        {"id": invitation, "email": "ADA@example.org", "role": "organiser", "expires_at": expires_at}
    ]
    received = {
        "id": invitation,
        "kind": "team",
        "event": "summit",
        "event_title": "Xen Summit",
        "role": "organiser",
        "state": "open",
        "created_at": "2026-03-01T12:00:01Z",
        "expires_at": expires_at,
    }
    assert member.get("/me/invitations").json == {"items": [received], "next": None}
    assert member.patch("/events/summit", {"title": "New"}).status_and_code == (403, "forbidden")
    accepted = member.post(f"/me/invitations/{invitation}/accept")
    assert (accepted.status, accepted.json) == (200, received | {"state": "accepted"})
    assert member.patch("/events/summit", {"title": "New"}).status == 200
    assert member.get("/me/invitations").json["items"] == organiser.get(TEAM_PATH).json["invitations"] == []
    assert [one["name"] for one in organiser.get(TEAM_PATH).json["members"]] == ["Ada Lovelace", "Olga"]


def test_declined_invitation_grants_nothing(organiser: ApiClient, member: ApiClient) -> None:
    invitation = invite_team_member(organiser)
    assert member.post(f"/me/invitations/{invitation}/decline").json["state"] == "declined"
    assert organiser.get(TEAM_PATH).json["invitations"] == []
    assert member.get(TEAM_PATH).status_and_code == (403, "forbidden")


@pytest.mark.both_databases
@pytest.mark.parametrize("change", ["removed", "demoted", "suspended"])
def test_invitation_by_a_former_organiser_cannot_be_accepted(
    app: Flask, organiser: ApiClient, member: ApiClient, moderator: ApiClient, change: str
) -> None:
    former = create_team_client(app, "summit", name="Mallory")
    path = f"/me/invitations/{invite_team_member(former)}"
    response = {
        "removed": lambda: organiser.delete(f"{TEAM_PATH}/{former.member_id}"),
        "demoted": lambda: organiser.put(f"{TEAM_PATH}/{former.member_id}", {"role": "reviewer"}),
        "suspended": lambda: moderator.post(f"/members/{former.member_id}/suspend"),
    }[change]()
    assert response.status in {200, 204}
    assert member.post(f"{path}/accept").status_and_code == (410, "invitation-expired")
    assert member.get(TEAM_PATH).status == 403
    assert member.post(f"{path}/decline").status == 200


@pytest.mark.parametrize("first", ["accept", "decline"])
@pytest.mark.parametrize("second", ["accept", "decline"])
def test_invitation_is_answered_once(organiser: ApiClient, member: ApiClient, first: str, second: str) -> None:
    path = f"/me/invitations/{invite_team_member(organiser)}"
    assert member.post(f"{path}/{first}").status == 200
    assert member.post(f"{path}/{second}").status_and_code == (409, "invitation-answered")
    assert len(organiser.get(TEAM_PATH).json["members"]) == (2 if first == "accept" else 1)


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_invitation_ends_after_thirty_days(
    organiser: ApiClient, member: ApiClient, clock: FixedClock, answer: str
) -> None:
    path = f"/me/invitations/{invite_team_member(organiser)}/{answer}"
    clock.set_time(clock.now() + timedelta(days=30))
    assert member.get("/me/invitations").json["items"] == organiser.get(TEAM_PATH).json["invitations"] == []
    assert member.post(path).status_and_code == (410, "invitation-expired")
    assert len(organiser.get(TEAM_PATH).json["members"]) == 1


def test_invitation_can_be_accepted_until_it_ends(organiser: ApiClient, member: ApiClient, clock: FixedClock) -> None:
    path = f"/me/invitations/{invite_team_member(organiser)}/accept"
    clock.set_time(NOON + timedelta(days=30, seconds=-1))
    assert member.post(path).status == 200


def test_invitation_for_another_address_is_hidden(organiser: ApiClient, member: ApiClient, stranger: ApiClient) -> None:
    invitation = invite_team_member(organiser)
    assert stranger.get("/me/invitations").json["items"] == []
    for caller in (stranger, organiser):
        for answer in ("accept", "decline"):
            assert caller.post(f"/me/invitations/{invitation}/{answer}").status_and_code == (404, "not-found")
    assert member.post(f"/me/invitations/{invitation}/accept").status == 200


@pytest.mark.both_databases
def test_responses_are_the_same_for_known_and_unknown_addresses(
    organiser: ApiClient, member: ApiClient, reviewer: ApiClient
) -> None:
    assert member.member_id != reviewer.member_id
    emails = ["ada@example.org", "rita@example.org", "olga@example.org", "nobody@example.org"]
    answers = [organiser.put(TEAM_PATH, {"email": email, "role": "reviewer"}) for email in emails]
    assert {(answer.status, answer.data, tuple(sorted(answer.headers.keys()))) for answer in answers} == {
        (202, answers[0].data, tuple(sorted(answers[0].headers.keys())))
    }
    listed = organiser.get(TEAM_PATH).json["invitations"]
    assert sorted(one["email"] for one in listed) == sorted(emails)
    assert {frozenset(one) for one in listed} == {frozenset(["id", "email", "role", "expires_at"])}


def test_inviting_takes_the_same_statements_for_known_and_unknown_addresses(
    app: Flask, organiser: ApiClient, member: ApiClient
) -> None:
    assert member.member_id
    executed = []
    for email in ("ada@example.org", "nobody@example.org"):
        with record_statements(database_of(app)) as statements:
            invite = organiser.put(TEAM_PATH, {"email": email, "role": "reviewer"})
        assert invite.status == 202
        executed.append(list(statements))
    assert executed[0] == executed[1]


def test_invalid_invitation_reports_all_errors(organiser: ApiClient) -> None:
    assert organiser.put(TEAM_PATH, {"email": "nobody", "role": "king"}).errors == {
        "/email": "must be an email address such as ada@example.org",
        "/role": "must be one of: organiser, reviewer",
    }


def test_inviting_an_address_again_replaces_the_invitation(
    organiser: ApiClient, member: ApiClient, clock: FixedClock
) -> None:
    earlier = invite_team_member(organiser)
    clock.set_time(NOON + timedelta(days=1))
    later = invite_team_member(organiser, role="organiser")
    [received] = member.get("/me/invitations").json["items"]
    assert (received["id"], received["role"]) == (later, "organiser")
    assert received["expires_at"] == "2026-04-01T12:00:00Z"
    assert member.post(f"/me/invitations/{earlier}/accept").status_and_code == (404, "not-found")


def test_withdrawn_invitation_cannot_be_accepted(organiser: ApiClient, member: ApiClient) -> None:
    invitation = invite_team_member(organiser)
    assert organiser.delete(f"{TEAM_PATH}/invitations/{invitation}").status == 204
    assert organiser.delete(f"{TEAM_PATH}/invitations/{invitation}").status_and_code == (404, "not-found")
    assert member.post(f"/me/invitations/{invitation}/accept").status_and_code == (404, "not-found")


def test_accepted_invitation_cannot_be_withdrawn(organiser: ApiClient, member: ApiClient) -> None:
    invitation = invite_team_member(organiser)
    member.post(f"/me/invitations/{invitation}/accept")
    assert organiser.delete(f"{TEAM_PATH}/invitations/{invitation}").status_and_code == (404, "not-found")


def test_last_organiser_cannot_accept_a_lower_role(organiser: ApiClient) -> None:
    invitation = invite_team_member(organiser, "olga@example.org", role="reviewer")
    assert organiser.post(f"/me/invitations/{invitation}/accept").status_and_code == (409, "last-organiser")
    assert [one["id"] for one in organiser.get("/me/invitations").json["items"]] == [invitation]


def test_invitations_are_deleted_with_their_event(app: Flask, member: ApiClient) -> None:
    proposed = member.post("/events", {"title": "Meetup", "timezone": "Europe/Berlin", "starts": "2026-09-01"})
    slug = proposed.json["slug"]
    assert member.put(f"/events/{slug}/team", {"email": "bo@example.org", "role": "reviewer"}).status == 202
    assert member.delete(f"/events/{slug}").status == 204
    assert count_rows(app, Invitation) == 0


def test_changing_to_an_invited_address_requires_acceptance(app: Flask, organiser: ApiClient) -> None:
    invite_team_member(organiser, "new@example.org", role="organiser")
    bob = create_member_client(app, email="bob@example.org")
    with write_session(app) as session:
        row = session.get_one(Member, bob.member_id)
        row.email = row.email_key = "new@example.org"
    assert bob.get(TEAM_PATH).status_and_code == (403, "forbidden")
    assert len(bob.get("/me/invitations").json["items"]) == 1


def test_no_email_is_queued_if_email_is_disabled(app: Flask, organiser: ApiClient) -> None:
    invite_team_member(organiser)
    assert count_rows(app, OutboxMessage) == 0


def test_expired_invitations_are_deleted_after_another_thirty_days(
    app: Flask, organiser: ApiClient, clock: FixedClock
) -> None:
    invite_team_member(organiser)
    for days, expected in ((60, 1), (61, 0)):
        clock.set_time(NOON + timedelta(days=days))
        delete_expired_data(database_of(app), services_of(app).settings)
        assert count_rows(app, Invitation) == expected
