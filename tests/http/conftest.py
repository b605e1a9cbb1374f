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
from eventcal.web.process_state import FetchCounter
from eventcal.web.request.context import Services, attach_services
from eventcal.web.request.request_counter import MemoryCounter
from eventcal.web.response_cache import ResponseCache
from tests.api_client import ApiClient, create_member_client, create_team_client
from tests.clocks import FixedClock
from tests.factories import make_event
from tests.http_app import MAIL_URL, PatientClient, create_manual_background, make_settings, write_session


class AppRunner:
    """Run the app for one test after another: each with its own database, all with the same engines.

    Compiling the statements takes longer than most tests, and an engine caches compiled statements.
    """

    def __init__(self) -> None:
        self._services_by_database: dict[str, Services] = {}
        self._database_url = ""

    @contextmanager
    def run(
        self,
        app: Flask,
        database_url: str,
        clock: FixedClock,
        **changes: Any,
    ) -> Iterator[Flask]:
        """Yield the app with this database and this clock, without any state of the previous test."""
        self._database_url = database_url
        # Most tests use the same PostgreSQL database, but each uses its own SQLite database.
        key = "sqlite" if database_url.startswith("sqlite:") else database_url
        if key not in self._services_by_database:
            self._services_by_database[key] = self._build_services(database_url, clock)
        settings = make_settings(database_url, **changes)
        house = replace(
            self._services_by_database[key],
            settings=settings,
            clock=clock,
            responses=ResponseCache(10_000_000),
            fetch_counter=FetchCounter(),
            background=create_manual_background(),
        )
        house.database.clock = clock
        attach_services(app, house)
        # The tests share the app, and the rate limiter counts requests for a minute.
        app.extensions["eventcal_limits"] = MemoryCounter()
        try:
            yield app
        finally:
            house.database.engine.dispose()

    def _build_services(self, database_url: str, clock: FixedClock) -> Services:
        house = build_services(make_settings(database_url), clock=clock)

        @listeners.listens_for(house.database.engine, "do_connect")
        def _on_connect(dialect: Any, _record: object, arguments: list[Any], named: dict[str, Any]) -> None:  # noqa: ANN401 - as SQLAlchemy has it
            there, how = dialect.create_connect_args(make_url(self._database_url))
            arguments[:] = there
            named.clear()
            named.update(how)

        return house


@pytest.fixture(scope="session")
def app_runner() -> AppRunner:
    """Return the `Street` that all tests of a worker share."""
    return AppRunner()


@pytest.fixture(scope="session")
def _shared_app() -> Flask:
    """Return the app without a database. The tests share it, because creating it takes longer than most tests."""
    app = create_app(make_settings("sqlite:///nowhere.db"), clock=FixedClock())
    app.config["RATELIMIT_ENABLED"] = False
    app.test_client_class = PatientClient
    return app


@pytest.fixture
def app(_shared_app: Flask, app_runner: AppRunner, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with its own migrated database, at NOON, without mail and without rate limits."""
    with app_runner.run(_shared_app, database_url, clock) as app:
        yield app


@pytest.fixture
def mailing_app(_shared_app: Flask, app_runner: AppRunner, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with mail configured, so that members have to confirm their email address."""
    with app_runner.run(_shared_app, database_url, clock, mail_url=MAIL_URL) as app:
        yield app


@pytest.fixture
def anonymous(app: Flask) -> ApiClient:
    """Return an API client that is not signed in."""
    return ApiClient(app)


@pytest.fixture
def member(app: Flask) -> ApiClient:
    """Return an ordinary member, Ada Lovelace."""
    return create_member_client(app, email="ada@example.org")


@pytest.fixture
def stranger(app: Flask) -> ApiClient:
    """Return another ordinary member, Mallory."""
    return create_member_client(app, name="Mallory", email="mallory@example.org")


@pytest.fixture
def moderator(app: Flask) -> ApiClient:
    """Return a moderator."""
    return create_member_client(app, role=Role.MODERATOR, name="Mo", email="mo@example.org")


@pytest.fixture
def summit(app: Flask) -> str:
    """Create a public, curated event of 10 to 12 June 2026 in Berlin with an open call for talks; return its slug."""
    with write_session(app) as session:
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
def organiser(app: Flask, summit: str) -> ApiClient:
    """Return an organiser of the summit."""
    return create_team_client(app, summit, name="Olga", email="olga@example.org")


@pytest.fixture
def reviewer(app: Flask, summit: str) -> ApiClient:
    """Return a reviewer of the summit."""
    return create_team_client(app, summit, TeamRole.REVIEWER, name="Rita", email="rita@example.org")
