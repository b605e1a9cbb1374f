"""A PostgreSQL server that stops responding: waits are limited, and only a few threads wait."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from eventcal.feeds.index.models import FEED_STATE_SELECT
from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.database import Database
from eventcal.kit.errors import DatabaseBusy
from eventcal.kit.postgresql import _CONNECTION_PARAMETERS
from eventcal.kit.row_reader import create_row_reader
from tests.clocks import FixedClock
from tests.silent_server import SilentServer, run_silent_server

SLOTS, THREADS = 3, 12


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits for a silent server."""
    monkeypatch.setattr("eventcal.kit.postgresql._QUICK_ANSWER", 0.02)
    monkeypatch.setattr("eventcal.kit.postgresql.READ_SECONDS", 0.3)
    monkeypatch.setattr("eventcal.kit.postgresql._WRITE_SECONDS", 0.3)
    monkeypatch.setitem(_CONNECTION_PARAMETERS, "connect_timeout", 1)


@pytest.fixture
def server(postgresql_url: str) -> Iterator[SilentServer]:
    """Provide a server that responds until the test sets `silent`."""
    with (
        tempfile.TemporaryDirectory(prefix="evs-") as folder,
        run_silent_server(postgresql_url, Path(folder)) as server,
    ):
        yield server


@pytest.fixture
def slow_answers() -> ConcurrencyLimiter:
    """Return the limiter of the threads that wait for a slow answer."""
    return ConcurrencyLimiter("slow answers", limit=SLOTS)


@pytest.fixture
def silent_database(server: SilentServer, clock: FixedClock, slow_answers: ConcurrencyLimiter) -> Iterator[Database]:
    """Provide a database whose server stops responding in the test."""
    database = Database(server.url, clock=clock, pool_size=THREADS, slow_answers=slow_answers)
    yield database
    server.silent.clear()
    database.engine.dispose()


def make_read(database: Database) -> Callable[[], object]:
    return database.is_migrated


def make_write(database: Database) -> Callable[[], object]:
    return partial(insert_nothing, database)


def make_read_row(database: Database) -> Callable[[], object]:
    return create_row_reader(database, FEED_STATE_SELECT).read_row_and_generation


def insert_nothing(database: Database) -> None:
    with database.unit_of_work():
        pass


@pytest.mark.parametrize("make_use", [make_read, make_write, make_read_row])
def test_wait_for_a_silent_server_ends_and_the_database_recovers(
    silent_database: Database,
    server: SilentServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    make_use: Callable[[Database], Callable[[], object]],
) -> None:
    monkeypatch.setattr("eventcal.kit.postgresql._PROBE_INTERVAL", 0.0)
    use = make_use(silent_database)
    use()
    server.silent.set()
    with pytest.raises((DatabaseBusy, SQLAlchemyError)):
        use()
    server.silent.clear()
    use()
    pool = silent_database.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0


def test_server_that_does_not_accept_connections_is_silent(silent_database: Database, server: SilentServer) -> None:
    server.silent.set()
    with pytest.raises(SQLAlchemyError):
        silent_database.is_migrated()
    with pytest.raises(DatabaseBusy):
        silent_database.is_migrated()


def test_few_threads_wait_for_a_silent_server(
    silent_database: Database, server: SilentServer, slow_answers: ConcurrencyLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.kit.postgresql.READ_SECONDS", 60.0)
    connections = [silent_database.read_connection() for _ in range(THREADS)]
    failed = threading.Semaphore(0)

    def read_and_count(number: int) -> None:
        try:
            connections[number].exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            failed.release()

    server.silent.set()
    with ThreadPoolExecutor(THREADS) as threads:
        for number in range(THREADS):
            threads.submit(read_and_count, number)
        for _ in range(THREADS - SLOTS):
            assert failed.acquire(timeout=30)
        assert slow_answers.running == SLOTS
        # While the server is silent, other threads do not wait at all.
        refused = slow_answers.refused
        with pytest.raises(DatabaseBusy):
            silent_database.read_session()
        with pytest.raises(DatabaseBusy), silent_database.unit_of_work():
            pass
        assert slow_answers.refused == refused
        server.silent.clear()
    assert not failed.acquire(blocking=False)
    # The answers show that the server responds again.
    silent_database.read_session().close()
    for connection in connections:
        connection.close()


def test_one_thread_at_a_time_asks_a_silent_server(
    silent_database: Database, server: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.kit.postgresql._PROBE_INTERVAL", 0.0)
    silent_database.is_migrated()
    server.silent.set()
    with pytest.raises(SQLAlchemyError):
        silent_database.is_migrated()
    monkeypatch.setattr("eventcal.kit.postgresql._PROBE_INTERVAL", 60.0)
    silent_database.check_responds()
    with pytest.raises(DatabaseBusy):
        silent_database.check_responds()
