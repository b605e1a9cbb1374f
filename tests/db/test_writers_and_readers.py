from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Event

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from eventcal.kit.database import Database
from eventcal.kit.refusals import Busy, Conflict
from tests.clocks import FixedClock
from tests.shelf import Book, OpenShelf, put, titles


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait longer than a fifth of a second."""
    monkeypatch.setattr("eventcal.kit.database._LOCK_TIMEOUT_MS", 200)


# Several at once


def test_writers_follow_one_another(open_shelf: OpenShelf) -> None:
    database = open_shelf()
    put(database, Book(id="a"))

    def count(times: int) -> None:
        for _ in range(times):
            with database.unit_of_work() as unit:
                book = unit.session.get_one(Book, "a")
                book.copies += 1

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(count, [10] * 4))
    with database.reading() as session:
        assert session.scalar(select(Book.copies)) == 40


def test_the_second_writer_sees_what_the_first_wrote(open_shelf: OpenShelf) -> None:
    database = open_shelf()
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


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_waits_too_long_is_told_that_we_are_busy(open_shelf: OpenShelf) -> None:
    database = open_shelf()
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        with pytest.raises(Busy):
            put(database, Book(id="b"))
    put(database, Book(id="c", title="Persuasion"))
    assert titles(database) == ["Emma", "Persuasion"]


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_gets_no_connection_is_told_that_we_are_busy(open_shelf: OpenShelf) -> None:
    database = open_shelf(pool_size=1)
    with database.unit_of_work(), pytest.raises(Busy):
        put(database, Book(id="b"))
    put(database, Book(id="c", title="Persuasion"))
    assert titles(database) == ["Persuasion"]


@pytest.mark.usefixtures("impatient")
def test_a_reader_does_not_keep_writers_waiting(open_shelf: OpenShelf) -> None:
    database = open_shelf()
    with database.reading() as session:
        assert session.scalars(select(Book.id)).all() == []
        put(database, Book(id="a", title="Emma"))
    assert titles(database) == ["Emma"]


def test_a_reader_sees_one_moment(open_shelf: OpenShelf) -> None:
    database = open_shelf()
    put(database, Book(id="a", copies=1))
    copies = select(Book.copies)
    with database.reading() as session, database.connection() as connection:
        assert (session.scalar(copies), connection.scalar(copies)) == (1, 1)
        with database.unit_of_work() as unit:
            unit.session.get_one(Book, "a").copies = 2
        assert (session.scalar(copies), connection.scalar(copies)) == (1, 1)
    with database.reading() as session, database.connection() as connection:
        assert (session.scalar(copies), connection.scalar(copies)) == (2, 2)


def test_reading_stores_nothing(open_shelf: OpenShelf) -> None:
    database = open_shelf()
    with database.reading() as session:
        session.add(Book(id="a"))
    assert titles(database) == []


def test_every_connection_goes_back_however_the_work_ended(open_shelf: OpenShelf) -> None:
    database = open_shelf(pool_size=1)
    for _ in range(3):
        with pytest.raises(Conflict), database.unit_of_work():
            raise Conflict("No.")
        with pytest.raises(Conflict), database.reading():
            raise Conflict("No.")
        with pytest.raises(Conflict), database.connection():
            raise Conflict("No.")
    put(database, Book(id="a", title="Emma"))
    assert titles(database) == ["Emma"]


# Instants


def test_an_instant_comes_back_in_utc_whatever_its_zone_was(open_shelf: OpenShelf) -> None:
    database = open_shelf()
    moment = datetime(2026, 3, 29, 2, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    put(database, Book(id="a", bought_at=moment))
    with database.reading() as session:
        found = session.scalar(select(Book.bought_at))
        same = session.scalar(select(Book.id).where(Book.bought_at == moment.astimezone(UTC)))
    assert found == moment
    assert found.tzinfo is UTC
    assert same == "a"


def test_an_instant_without_a_zone_is_a_mistake_of_ours(open_shelf: OpenShelf) -> None:
    with pytest.raises(StatementError, match="needs its zone"):
        put(open_shelf(), Book(id="a", bought_at=datetime(2026, 3, 1)))  # noqa: DTZ001 - what is tested


# What SQLite has to be told


def test_sqlite_keeps_references_and_outlives_the_power(sqlite_url: str, clock: FixedClock) -> None:
    database = Database(sqlite_url, clock=clock)
    with database.connection() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("foreign_keys", "journal_mode", "synchronous")
        }
    database.engine.dispose()
    assert said == {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}
