"""What tests through HTTP share: the whole app on a database of either kind, and people who call its API."""

from collections.abc import Iterator

import pytest
from flask import Flask

from eventcal.app import create_app
from eventcal.events.words import TeamRole
from eventcal.members.words import Role
from tests.api import Api, a_member, on_team
from tests.clocks import FixedClock
from tests.http_app import MAIL_URL, housed, settings_of, writing
from tests.make import make_event


@pytest.fixture(scope="session")
def _walls() -> Flask:
    """Give the app as it is wired, on no database yet: wiring takes longer than most tests."""
    app = create_app(settings_of("sqlite:///nowhere.db"), clock=FixedClock())
    app.config["RATELIMIT_ENABLED"] = False
    return app


@pytest.fixture
def app(_walls: Flask, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Give the app on a migrated database of its own, at NOON, without mail and without rate limits."""
    with housed(_walls, database_url, clock) as app:
        yield app


@pytest.fixture
def mailing_app(_walls: Flask, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Give the app where mail is sent, so that members have to confirm their address."""
    with housed(_walls, database_url, clock, mail_url=MAIL_URL) as app:
        yield app


@pytest.fixture
def anonymous(app: Flask) -> Api:
    """Give somebody whom nobody knows."""
    return Api(app)


@pytest.fixture
def member(app: Flask) -> Api:
    """Give a plain member, Ada Lovelace."""
    return a_member(app, email="ada@example.org")


@pytest.fixture
def stranger(app: Flask) -> Api:
    """Give another plain member, Mallory."""
    return a_member(app, name="Mallory", email="mallory@example.org")


@pytest.fixture
def moderator(app: Flask) -> Api:
    """Give a moderator."""
    return a_member(app, role=Role.MODERATOR, name="Mo", email="mo@example.org")


@pytest.fixture
def summit(app: Flask) -> str:
    """Give the slug of a public, curated event of 10 to 12 June 2026 in Berlin, open for talks until it begins."""
    with writing(app) as session:
        make_event(
            session,
            slug="summit",
            description="Three days of *Xen*.",
            city="Berlin",
            country="DE",
            tags=["xen"],
            tracks=["Security", "ARM"],
            rooms=["Room 1", "Room 2"],
        )
    return "summit"


@pytest.fixture
def organiser(app: Flask, summit: str) -> Api:
    """Give an organiser of the summit."""
    return on_team(app, summit, name="Olga", email="olga@example.org")


@pytest.fixture
def reviewer(app: Flask, summit: str) -> Api:
    """Give a reviewer of the summit."""
    return on_team(app, summit, TeamRole.REVIEWER, name="Rita", email="rita@example.org")
