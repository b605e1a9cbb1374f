"""Fixtures of the HTTP tests: the complete app on either database system, and members who call its API."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as listeners
from sqlalchemy import make_url

from eventcal.app import build_services, create_app
from eventcal.events.enums import TeamRole
from eventcal.members.enums import Role
from eventcal.web.request.context import Services, attach_services
from eventcal.web.request.rate_limits import RateLimiter
from eventcal.web.worker_state import FetchCounter, ResponseCache
from tests.api import Api, a_member, on_team
from tests.clocks import FixedClock
from tests.http_app import MAIL_URL, settings_of, when_asked, writing
from tests.make import make_event


class Street:
    """Run the app for one test after another: each with its own database, all with the same engines.

    Compiling the statements takes longer than most tests, and an engine caches compiled statements.
    """

    def __init__(self) -> None:
        self._houses: dict[str, Services] = {}
        self._url = ""

    @contextmanager
    def lived_in(
        self,
        app: Flask,
        database_url: str,
        clock: FixedClock,
        **changes: Any,
    ) -> Iterator[Flask]:
        """Yield the app with this database and this clock, without any state of the previous test."""
        self._url = database_url
        kind = database_url.partition(":")[0]
        if kind not in self._houses:
            self._houses[kind] = self._built(database_url, clock)
        settings = settings_of(database_url, **changes)
        house = replace(
            self._houses[kind],
            settings=settings,
            clock=clock,
            responses=ResponseCache(10_000_000),
            fetch_counter=FetchCounter(),
            background=when_asked(),
        )
        house.database.clock = clock
        attach_services(app, house)
        # The tests share the app, and the rate limiter counts requests for a minute.
        app.extensions["eventcal_limits"] = RateLimiter(None)
        try:
            yield app
        finally:
            house.database.engine.dispose()

    def _built(self, database_url: str, clock: FixedClock) -> Services:
        house = build_services(settings_of(database_url), clock=clock)

        @listeners.listens_for(house.database.engine, "do_connect")
        def _on_connect(dialect: Any, _record: object, arguments: list[Any], named: dict[str, Any]) -> None:  # noqa: ANN401 - as SQLAlchemy has it
            there, how = dialect.create_connect_args(make_url(self._url))
            arguments[:] = there
            named.clear()
            named.update(how)

        return house


@pytest.fixture(scope="session")
def street() -> Street:
    """Return the `Street` that all tests of a worker share."""
    return Street()


@pytest.fixture(scope="session")
def _walls() -> Flask:
    """Return the app without a database. The tests share it, because creating it takes longer than most tests."""
    app = create_app(settings_of("sqlite:///nowhere.db"), clock=FixedClock())
    app.config["RATELIMIT_ENABLED"] = False
    return app


@pytest.fixture
def app(_walls: Flask, street: Street, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with its own migrated database, at NOON, without mail and without rate limits."""
    with street.lived_in(_walls, database_url, clock) as app:
        yield app


@pytest.fixture
def mailing_app(_walls: Flask, street: Street, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with mail configured, so that members have to confirm their email address."""
    with street.lived_in(_walls, database_url, clock, mail_url=MAIL_URL) as app:
        yield app


@pytest.fixture
def anonymous(app: Flask) -> Api:
    """Return an API client that is not signed in."""
    return Api(app)


@pytest.fixture
def member(app: Flask) -> Api:
    """Return an ordinary member, Ada Lovelace."""
    return a_member(app, email="ada@example.org")


@pytest.fixture
def stranger(app: Flask) -> Api:
    """Return another ordinary member, Mallory."""
    return a_member(app, name="Mallory", email="mallory@example.org")


@pytest.fixture
def moderator(app: Flask) -> Api:
    """Return a moderator."""
    return a_member(app, role=Role.MODERATOR, name="Mo", email="mo@example.org")


@pytest.fixture
def summit(app: Flask) -> str:
    """Create a public, curated event of 10 to 12 June 2026 in Berlin with an open call for talks; return its slug."""
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
    """Return an organiser of the summit."""
    return on_team(app, summit, name="Olga", email="olga@example.org")


@pytest.fixture
def reviewer(app: Flask, summit: str) -> Api:
    """Return a reviewer of the summit."""
    return on_team(app, summit, TeamRole.REVIEWER, name="Rita", email="rita@example.org")
