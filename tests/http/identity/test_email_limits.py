"""The number of emails that strangers can cause to be sent to one address."""

from collections.abc import Callable

import pytest
from flask import Flask

from eventcal.members.enums import Role
from tests.clocks import FixedClock
from tests.factories import make_event, make_member
from tests.http_app import PASSWORD, create_signed_in_client, list_mails, post_to_api, write_session

VICTIM = "victim@example.org"


def register(app: Flask) -> int:
    return post_to_api(app, "/auth/register", {"email": VICTIM, "name": "Vic", "password": PASSWORD}).status_code


def request_reset(app: Flask) -> int:
    return post_to_api(app, "/auth/reset", {"email": VICTIM}).status_code


def request_confirmation(app: Flask) -> int:
    return post_to_api(app, "/auth/confirm", {"email": VICTIM}).status_code


def invite(app: Flask) -> int:
    """Invite the address to the team of another event each time."""
    with write_session(app) as session:
        slug = make_event(session).slug
    moderator = create_signed_in_client(app, "moderator@example.org")
    return moderator.call("PUT", f"/events/{slug}/team", {"email": VICTIM, "role": "reviewer"}).status_code


@pytest.mark.parametrize("send", [register, request_reset, request_confirmation, invite])
def test_one_address_receives_at_most_three_emails_of_a_kind_per_hour(
    mailing_app: Flask, clock: FixedClock, send: Callable[[Flask], int]
) -> None:
    with write_session(mailing_app) as session:
        make_member(session, email=VICTIM, confirmed_at=None)
        make_member(session, email="moderator@example.org", role=Role.MODERATOR, confirmed_at=clock.now())
    statuses = [send(mailing_app) for _ in range(25)]
    assert len(set(statuses)) == 1
    assert len(list_mails(mailing_app)) == 3
    clock.tick(3600)
    assert send(mailing_app) == statuses[0]
    assert len(list_mails(mailing_app)) == 4
