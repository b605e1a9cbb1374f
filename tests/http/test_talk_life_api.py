"""The life of a talk through the API: edits, steps, who takes them, and what the public sees of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from eventcal.events.words import Programme
from eventcal.outbox.models import OutboxMessage
from eventcal.talks.words import TalkState
from tests.api import Api, a_talk, put_on_team
from tests.clocks import FixedClock
from tests.http_app import mails, rows, writing
from tests.make import make_event, make_member

pytestmark = pytest.mark.usefixtures("summit")

LEADS: dict[str, dict[str, str]] = {
    "submit": {"draft": "submitted"},
    "waitlist": {"submitted": "waitlisted"},
    "accept": {"submitted": "accepted", "waitlisted": "accepted"},
    "reject": {"submitted": "rejected", "waitlisted": "rejected"},
    "confirm": {"accepted": "confirmed"},
    "withdraw": dict.fromkeys(["draft", "submitted", "waitlisted", "accepted", "confirmed"], "withdrawn"),
    "cancel": {"accepted": "cancelled", "confirmed": "cancelled"},
}


@pytest.fixture
def both(app: Flask, member: Api) -> Api:
    """Give a member who offers talks to the summit and organises it."""
    with writing(app) as session:
        put_on_team(session, session.merge(make_member(session)), "summit")
        put_on_team(session, _member(session, member), "summit")
    return member
