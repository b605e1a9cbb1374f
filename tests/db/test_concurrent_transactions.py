from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Event

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from eventcal.kit.database import Database
from eventcal.kit.errors import Conflict, DatabaseBusy
from tests.clocks import FixedClock
from tests.sample_models import Book, OpenDatabase, insert_books, list_titles


@pytest.fixture
def short_lock_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the time to wait for a lock or a connection to 200 ms."""
    monkeypatch.setattr("eventcal.kit.write_lock.LOCK_SECONDS", 0.2)
    monkeypatch.setattr("eventcal.kit.database._BUSY_TIMEOUT_MS", 200)


# Concurrency


def test_concurrent_writers_are_serialised(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    insert_books(database, Book(id="a"))

    def count(times: int) -> None:
        for _ in range(times):
            with database.unit_of_work() as unit:
                book = unit.session.get_one(Book, "a")
                book.copies += 1

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(count, [10] * 4))
    with database.read_session() as session:
        assert session.scalar(select(Book.copies)) == 40


def test_second_writer_sees_the_changes_of_the_first(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    waiting = Event()

    def second() -> int:
        waiting.set()
        with database.unit_of_work() as unit:
            return unit.session.scalars(select(func.count()).select_from(Book)).one()

    with ThreadPoolExecutor(1) as other:
        with database.unit_of_work() as unit:
            found = other.submit(second)
            assert waiting.wait(10)
            unit.session.add(Book(id="a"))
        assert found.result(10) == 1


@pytest.mark.usefixtures("short_lock_timeout")
def test_writer_that_waits_too_long_for_the_lock_raises_busy(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        with pytest.raises(DatabaseBusy):
            insert_books(database, Book(id="b"))
    insert_books(database, Book(id="c", title="Persuasion"))
    assert list_titles(database) == ["Emma", "Persuasion"]


@pytest.mark.usefixtures("short_lock_timeout")
def test_writer_that_gets_no_connection_raises_busy(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database(pool_size=1)
    with database.unit_of_work(), pytest.raises(DatabaseBusy):
        insert_books(database, Book(id="b"))
    insert_books(database, Book(id="c", title="Persuasion"))
    assert list_titles(database) == ["Persuasion"]


@pytest.mark.usefixtures("short_lock_timeout")
def test_reader_does_not_block_writers(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    with database.read_session() as session:
        assert session.scalars(select(Book.id)).all() == []
        insert_books(database, Book(id="a", title="Emma"))
    assert list_titles(database) == ["Emma"]


def test_reader_sees_a_consistent_snapshot(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    insert_books(database, Book(id="a", copies=1))
    copies = select(Book.copies)
    with database.read_session() as session, database.read_connection() as connection:
        assert (session.scalar(copies), connection.scalar(copies)) == (1, 1)
        with database.unit_of_work() as unit:
            unit.session.get_one(Book, "a").copies = 2
        assert (session.scalar(copies), connection.scalar(copies)) == (1, 1)
    with database.read_session() as session, database.read_connection() as connection:
        assert (session.scalar(copies), connection.scalar(copies)) == (2, 2)


def test_reading_stores_nothing(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    with database.read_session() as session:
        session.add(Book(id="a"))
    assert list_titles(database) == []


def test_connections_are_returned_to_the_pool_after_errors(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database(pool_size=1)
    for _ in range(3):
        with pytest.raises(Conflict), database.unit_of_work():
            raise Conflict("No.")
        with pytest.raises(Conflict), database.read_session():
            raise Conflict("No.")
        with pytest.raises(Conflict), database.read_connection():
            raise Conflict("No.")
    insert_books(database, Book(id="a", title="Emma"))
    assert list_titles(database) == ["Emma"]


# Date-times


def test_datetime_is_loaded_in_utc(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    moment = datetime(2026, 3, 29, 2, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    insert_books(database, Book(id="a", bought_at=moment))
    with database.read_session() as session:
        found = session.scalar(select(Book.bought_at))
        same = session.scalar(select(Book.id).where(Book.bought_at == moment.astimezone(UTC)))
    assert found == moment
    assert found.tzinfo is UTC
    assert same == "a"


def test_naive_datetime_is_rejected(open_sample_database: OpenDatabase) -> None:
    with pytest.raises(StatementError, match="needs its zone"):
        insert_books(open_sample_database(), Book(id="a", bought_at=datetime(2026, 3, 1)))  # noqa: DTZ001 - the subject of this test


# SQLite pragmas


def test_sqlite_enforces_foreign_keys_and_full_durability(sqlite_url: str, clock: FixedClock) -> None:
    database = Database(sqlite_url, clock=clock)
    with database.read_connection() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("foreign_keys", "journal_mode", "synchronous")
        }
    database.engine.dispose()
    assert said == {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}
