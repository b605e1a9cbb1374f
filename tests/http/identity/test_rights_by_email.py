"""Rights granted to an email address: none takes effect without a confirmed member."""

from collections.abc import Callable

import pytest
from flask import Flask

from eventcal.events.enums import TeamRole
from eventcal.members.enums import Role
from eventcal.members.models import Member
from tests.api_client import ApiClient, add_team_member, create_session_client, create_token_client
from tests.clocks import NOON
from tests.factories import make_event, make_member
from tests.http_app import write_session

CLIENTS = [create_session_client, create_token_client]


def add_unconfirmed_member(app: Flask, *, role: Role = Role.MEMBER) -> Member:
    """Add a member whose address may belong to another person."""
    with write_session(app) as session:
        return make_member(session, email="victim@corp.example", role=role, confirmed_at=None)


def confirm(app: Flask, member: Member) -> None:
    """Confirm the address of a member."""
    with write_session(app) as session:
        session.get_one(Member, member.id).confirmed_at = NOON


@pytest.mark.both_databases
@pytest.mark.parametrize("create_client", CLIENTS)
@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_site_role_takes_effect_only_once_the_address_is_confirmed(
    mailing_app: Flask, create_client: Callable[[Flask, Member], ApiClient], role: Role
) -> None:
    member = add_unconfirmed_member(mailing_app, role=role)
    client = create_client(mailing_app, member)
    assert client.get("/events?status=pending").status_and_code == (403, "forbidden")
    confirm(mailing_app, member)
    assert client.get("/events?status=pending").status == 200


@pytest.mark.both_databases
@pytest.mark.parametrize("create_client", CLIENTS)
@pytest.mark.parametrize(
    ("role", "path"),
    [(TeamRole.ORGANISER, "/events/summit/team"), (TeamRole.REVIEWER, "/events/summit/talks?state=submitted")],
)
def test_team_role_takes_effect_only_once_the_address_is_confirmed(
    mailing_app: Flask, create_client: Callable[[Flask, Member], ApiClient], *, role: TeamRole, path: str
) -> None:
    member = add_unconfirmed_member(mailing_app)
    with write_session(mailing_app) as session:
        make_event(session, slug="summit")
        add_team_member(session, member, "summit", role=role)
    client = create_client(mailing_app, member)
    assert client.get(path).status_and_code == (403, "forbidden")
    confirm(mailing_app, member)
    assert client.get(path).status == 200


def test_members_need_no_confirmation_if_email_is_disabled(app: Flask) -> None:
    moderator = add_unconfirmed_member(app, role=Role.MODERATOR)
    assert create_session_client(app, moderator).get("/events?status=pending").status == 200
