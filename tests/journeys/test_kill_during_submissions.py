"""A test that acknowledged requests are not lost if the server is killed."""

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

from sqlalchemy import create_engine, text

from eventcal.events.enums import Programme
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from eventcal.members.enums import Role, Scope
from eventcal.members.service import create_access_token
from tests.factories import make_event, make_member
from tests.journeys.conftest import Server

SUBMISSION_COUNT = 200
KILL_AFTER_RESPONSES = 60


def _create_event_and_token(database_url: str) -> str:
    """Return the access token of a moderator, who may submit any number of talks to the only event."""
    clock = SystemClock()
    database = Database(database_url, clock=clock)
    with database.unit_of_work() as unit:
        member = make_member(unit.session, role=Role.MODERATOR)
        make_event(
            unit.session, slug="fest", programme=Programme.LISTED, call=None, starts="2100-06-10", ends="2100-06-12"
        )
        _, token = create_access_token(
            unit.session,
            member,
            name="test",
            scopes=[Scope.ADMIN],
            expires_at=clock.now() + timedelta(days=1),
            now=clock.now(),
        )
    database.engine.dispose()
    return token


def test_every_acknowledged_submission_survives_kill_9(server: Server, database_url: str) -> None:
    headers = {"Authorization": f"Bearer {_create_event_and_token(database_url)}"}
    answered: list[str] = []
    enough = threading.Event()
    numbers = count()

    def submit() -> None:
        while next(numbers) < SUBMISSION_COUNT:
            try:
                status, talk = server.request("POST", "/api/v1/events/fest/talks", body={"title": "T"}, headers=headers)
            except (OSError, http.client.HTTPException):
                return
            assert status == 201
            answered.append(talk["id"])
            if len(answered) >= KILL_AFTER_RESPONSES:
                enough.set()

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(submit) for _ in range(8)]
        assert enough.wait(60)
        server.kill()
        for job in jobs:
            job.result()

    assert KILL_AFTER_RESPONSES <= len(answered) < SUBMISSION_COUNT
    engine = create_engine(database_url)
    with engine.connect() as connection:
        kept = set(connection.scalars(text("SELECT id FROM talks")))
        if engine.dialect.name == "sqlite":
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()
    assert set(answered) <= kept
    # Every stored talk is complete: it has a speaker and a recorded state change.
    with engine.connect() as connection:
        for table in ("talk_speakers", "talk_state_changes"):
            assert set(connection.scalars(text(f"SELECT talk_id FROM {table}"))) == kept  # noqa: S608 - constant table names
    engine.dispose()
