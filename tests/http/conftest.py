"""What tests through HTTP share: the whole app on a database of either kind, and people who call its API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from eventcal.app import create_app, create_house
from eventcal.config import Settings
from eventcal.events.words import TeamRole
from eventcal.members.words import Role
from eventcal.web.work import move_in
from tests.api import Api, a_member, on_team
from tests.clocks import FixedClock
from tests.http_app import writing
from tests.make import make_event


def _settings(database_url: str) -> Settings:
    return Settings(instance=Path("instance"), database_url=database_url, secret_key="k" * 40)


@pytest.fixture(scope="session")
def _walls() -> Flask:
    """Give the app as it is wired, on no database yet: wiring takes longer than most tests."""
    app = create_app(_settings("sqlite:///nowhere.db"), clock=FixedClock())
    app.config["RATELIMIT_ENABLED"] = False
    return app


@pytest.fixture
def app(_walls: Flask, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Give the app on a migrated database of its own, at NOON, without mail and without rate limits."""
    house = create_house(_settings(database_url), clock=clock)
    move_in(_walls, house)
    yield _walls
    house.database.engine.dispose()


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
