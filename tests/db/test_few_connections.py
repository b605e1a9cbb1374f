"""A PostgreSQL server with few connections: threads wait for one for a short time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from eventcal.cli.open_database import count_needed_connections, list_connection_warnings
from eventcal.kit.database import Database
from tests.clocks import FixedClock

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def limited_url(postgresql_url: str) -> Iterator[str]:
    """Provide the URL of a role that may open one connection."""
    url = make_url(postgresql_url)
    name = f"limited_{url.database}"
    sessions = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = :name")
    admin = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 1"))
        yield url.set(username=name).render_as_string(hide_password=False)
        connection.execute(sessions, {"name": name})
        connection.execute(text(f"DROP ROLE {name}"))
    admin.dispose()


def select_one(database: Database) -> object:
    with database.read_connection() as connection:
        return connection.scalar(text("SELECT 1"))


def test_thread_waits_for_the_connection_of_another_process(limited_url: str, clock: FixedClock) -> None:
    here, elsewhere = Database(limited_url, clock=clock), Database(limited_url, clock=clock)
    assert select_one(elsewhere) == 1
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(select_one, here)
        while not here.engine.pool._patient.running:  # type: ignore[attr-defined]  # the class of the pool is internal
            threading.Event().wait(0.001)
        elsewhere.engine.dispose()
        assert waiting.result(30) == 1
    here.engine.dispose()


def test_thread_that_waits_too_long_for_a_connection_fails(
    limited_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.kit.postgresql._PATIENCE", 0.1)
    here, elsewhere = Database(limited_url, clock=clock), Database(limited_url, clock=clock)
    with elsewhere.read_connection() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        with pytest.raises(OperationalError, match="too many connections"):
            select_one(here)
    elsewhere.engine.dispose()
    assert select_one(here) == 1
    here.engine.dispose()


@on_postgresql
def test_too_few_connections_for_the_workers_are_reported(database: Database) -> None:
    assert database.count_allowed_connections() == 200 - 3
    assert list(list_connection_warnings(database, workers=1)) == []
    [warning] = list_connection_warnings(database, workers=64)
    assert f"64 workers can use {count_needed_connections(64)} connections" in warning


@on_sqlite
def test_sqlite_needs_no_connections(database: Database) -> None:
    assert list(list_connection_warnings(database, workers=64)) == []
