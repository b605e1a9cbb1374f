from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Event

import pytest
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from eventcal.kit.database import Change, Database, Hook, UtcDateTime, answer_not_before
from eventcal.kit.refusals import Busy, Conflict
from tests.clocks import NOON, FixedClock

Seen = tuple[str, str, frozenset[str]]


class Shelf(DeclarativeBase):
    """Tables of these tests only."""


class Book(Shelf):
    """What is added, changed and deleted here."""

    __tablename__ = "books"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    copies: Mapped[int] = mapped_column(default=0)
    bought_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    pages: Mapped[list["Leaf"]] = relationship(lazy="raise", cascade="all, delete-orphan", passive_deletes=True)


class Leaf(Shelf):
    """A part of a book that lives and dies with it."""

    __tablename__ = "leaves"

    id: Mapped[str] = mapped_column(primary_key=True)
    book_id: Mapped[str] = mapped_column(ForeignKey("books.id", ondelete="CASCADE"))


class Recorder:
    """A hook that keeps what it was shown: one list for each time it was called."""

    def __init__(self) -> None:
        self.calls: list[list[Seen]] = []
        self.moments: list[datetime] = []

    def __call__(self, _session: Session, changes: Sequence[Change], now: datetime) -> None:
        """Note what was shown."""
        self.calls.append([(change.row.id, change.done, change.fields) for change in changes])
        self.moments.append(now)


OpenDatabase = Callable[..., Database]


@pytest.fixture
def open_database(database_url: str, clock: FixedClock) -> Iterator[OpenDatabase]:
    """Give a function that opens this test's database with the hooks it is given."""
    opened: list[Database] = []

    def open_one(*hooks: Hook, pool_size: int = 16) -> Database:
        opened.append(Database(database_url, clock=clock, hooks=hooks, pool_size=pool_size))
        Shelf.metadata.create_all(opened[-1].engine)
        return opened[-1]

    yield open_one
    for database in opened:
        database.engine.dispose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait longer than a fifth of a second."""
    monkeypatch.setattr("eventcal.kit.database._LOCK_TIMEOUT_MS", 200)


def titles(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Book.title).order_by(Book.id)))


def put(database: Database, *books: Book) -> None:
    with database.unit_of_work() as unit:
        unit.session.add_all(books)


# All or none


def test_what_a_unit_did_is_there_when_it_ends(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        unit.session.flush()
        assert titles(database) == []
    assert titles(database) == ["Emma"]


def test_a_refusal_leaves_nothing_behind(open_database: OpenDatabase) -> None:
    database = open_database()

    def refuse() -> None:
        with database.unit_of_work() as unit:
            unit.session.add(Book(id="a"))
            unit.session.flush()
            raise Conflict("Not now.")

    with pytest.raises(Conflict, match="Not now"):
        refuse()
    assert titles(database) == []
    put(database, Book(id="b", title="Next"))
    assert titles(database) == ["Next"]


def test_a_hook_that_fails_leaves_nothing_behind(open_database: OpenDatabase) -> None:
    def fail(_session: Session, _changes: Sequence[Change], _now: datetime) -> None:
        raise ZeroDivisionError

    database = open_database(fail)
    with pytest.raises(ZeroDivisionError):
        put(database, Book(id="a"))
    assert titles(database) == []


def test_rows_can_be_read_after_the_unit_has_ended(open_database: OpenDatabase) -> None:
    with open_database().unit_of_work() as unit:
        book = Book(id="a", title="Emma")
        unit.session.add(book)
    assert (book.id, book.title, book.copies) == ("a", "Emma", 0)


# What hooks see


def test_a_hook_sees_each_row_that_was_added_changed_or_deleted(open_database: OpenDatabase) -> None:
    recorder = Recorder()
    database = open_database(recorder)
    put(database, Book(id="a", title="Emma"), Book(id="b", title="Persuasion"))
    with database.unit_of_work() as unit:
        emma, persuasion = unit.session.scalars(select(Book).order_by(Book.id))
        emma.title = "Emma, again"
        emma.copies = 3
        unit.session.delete(persuasion)
        unit.session.add(Book(id="c"))
    first, second = recorder.calls
    assert sorted(first) == [("a", "added", frozenset()), ("b", "added", frozenset())]
    assert sorted(second) == [
        ("a", "changed", frozenset({"title", "copies"})),
        ("b", "deleted", frozenset()),
        ("c", "added", frozenset()),
    ]


def test_a_hook_is_told_when_the_unit_began(open_database: OpenDatabase, clock: FixedClock) -> None:
    recorder = Recorder()
    with open_database(recorder).unit_of_work() as unit:
        clock.tick(5)
    assert unit.now == NOON
    assert recorder.moments == [NOON]


def test_a_row_that_ends_as_it_was_is_no_change(open_database: OpenDatabase) -> None:
    recorder = Recorder()
    database = open_database(recorder)
    put(database, Book(id="a", title="Emma", bought_at=NOON))
    with database.unit_of_work() as unit:
        book = unit.session.get_one(Book, "a")
        book.title = "Else"
        book.title = "Emma"
        book.copies = 0
        # The same instant, written with another offset.
        book.bought_at = NOON.astimezone(timezone(timedelta(hours=2)))
    assert recorder.calls[1] == []


def test_a_field_is_named_although_it_was_never_read(open_database: OpenDatabase) -> None:
    recorder = Recorder()
    database = open_database(recorder)
    put(database, Book(id="a", title="Emma"))
    with database.unit_of_work() as unit:
        book = unit.session.get_one(Book, "a")
        unit.session.expire(book)
        book.title = "Else"
    assert recorder.calls[1] == [("a", "changed", frozenset({"title"}))]


def test_what_several_flushes_wrote_is_all_seen(open_database: OpenDatabase) -> None:
    recorder = Recorder()
    with open_database(recorder).unit_of_work() as unit:
        book = Book(id="a")
        unit.session.add(book)
        unit.session.flush()
        book.copies = 1
        unit.session.flush()
        book.title = "Emma"
    assert recorder.calls == [
        [
            ("a", "added", frozenset()),
            ("a", "changed", frozenset({"copies"})),
            ("a", "changed", frozenset({"title"})),
        ]
    ]


def test_a_part_that_is_taken_away_shows_as_a_change_of_the_whole(open_database: OpenDatabase) -> None:
    recorder = Recorder()
    database = open_database(recorder)
    put(database, Book(id="a", pages=[Leaf(id="p1"), Leaf(id="p2")]))
    with database.unit_of_work() as unit:
        book = unit.session.get_one(Book, "a", options=[selectinload(Book.pages)])
        book.pages = [Leaf(id="p3")]
    assert sorted(recorder.calls[1]) == [("a", "changed", frozenset({"pages"})), ("p3", "added", frozenset())]
    with database.reading() as session:
        assert list(session.scalars(select(Leaf.id))) == ["p3"]


def test_settling_twice_shows_each_change_once(open_database: OpenDatabase) -> None:
    recorder = Recorder()
    with open_database(recorder).unit_of_work() as unit:
        unit.session.add(Book(id="a"))
        unit.settle()
        unit.session.add(Book(id="b"))
        unit.settle()
    assert recorder.calls == [[("a", "added", frozenset())], [("b", "added", frozenset())], []]


def test_what_a_hook_derives_is_stored_and_not_shown_again(open_database: OpenDatabase) -> None:
    seen: list[Seen] = []

    def derive(session: Session, changes: Sequence[Change], _now: datetime) -> None:
        seen.extend((change.row.id, change.done, change.fields) for change in changes)
        for change in changes:
            change.row.title = change.row.title.upper()
            session.add(Book(id=f"copy of {change.row.id}", title="Copy"))

    database = open_database(derive)
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        unit.settle()
        assert [book.title for book in unit.session.scalars(select(Book).order_by(Book.id))] == ["EMMA", "Copy"]
    assert seen == [("a", "added", frozenset())]
    assert titles(database) == ["EMMA", "Copy"]


def test_hooks_follow_one_another_and_see_the_same(open_database: OpenDatabase) -> None:
    first, second = Recorder(), Recorder()
    put(open_database(first, second), Book(id="a"))
    assert first.calls == second.calls == [[("a", "added", frozenset())]]


# When the caller hears of it


def test_a_hook_can_hold_the_answer_until_a_moment(open_database: OpenDatabase, clock: FixedClock) -> None:
    def hold(session: Session, _changes: Sequence[Change], now: datetime) -> None:
        answer_not_before(session, now + timedelta(seconds=2))
        answer_not_before(session, now + timedelta(seconds=1))

    put(open_database(hold), Book(id="a"))
    assert clock.now() == NOON + timedelta(seconds=2)


def test_nobody_waits_for_a_unit_that_failed(open_database: OpenDatabase, clock: FixedClock) -> None:
    def hold_and_fail(session: Session, _changes: Sequence[Change], now: datetime) -> None:
        answer_not_before(session, now + timedelta(seconds=2))
        raise Conflict("No.")

    with pytest.raises(Conflict):
        put(open_database(hold_and_fail), Book(id="a"))
    assert clock.now() == NOON


# Several at once


def test_writers_follow_one_another(open_database: OpenDatabase) -> None:
    database = open_database()
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


def test_the_second_writer_sees_what_the_first_wrote(open_database: OpenDatabase) -> None:
    database = open_database()
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
def test_a_writer_that_waits_too_long_is_told_that_we_are_busy(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        with pytest.raises(Busy):
            put(database, Book(id="b"))
    put(database, Book(id="c", title="Persuasion"))
    assert titles(database) == ["Emma", "Persuasion"]


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_gets_no_connection_is_told_that_we_are_busy(open_database: OpenDatabase) -> None:
    database = open_database(pool_size=1)
    with database.unit_of_work(), pytest.raises(Busy):
        put(database, Book(id="b"))
    put(database, Book(id="c", title="Persuasion"))
    assert titles(database) == ["Persuasion"]


@pytest.mark.usefixtures("impatient")
def test_a_reader_does_not_keep_writers_waiting(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.reading() as session:
        assert session.scalars(select(Book.id)).all() == []
        put(database, Book(id="a", title="Emma"))
    assert titles(database) == ["Emma"]


def test_a_reader_sees_one_moment(open_database: OpenDatabase) -> None:
    database = open_database()
    put(database, Book(id="a", copies=1))
    copies = select(Book.copies)
    with database.reading() as session, database.connection() as connection:
        assert (session.scalar(copies), connection.scalar(copies)) == (1, 1)
        with database.unit_of_work() as unit:
            unit.session.get_one(Book, "a").copies = 2
        assert (session.scalar(copies), connection.scalar(copies)) == (1, 1)
    with database.reading() as session, database.connection() as connection:
        assert (session.scalar(copies), connection.scalar(copies)) == (2, 2)


def test_reading_stores_nothing(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.reading() as session:
        session.add(Book(id="a"))
    assert titles(database) == []


def test_every_connection_goes_back_however_the_work_ended(open_database: OpenDatabase) -> None:
    database = open_database(pool_size=1)
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


def test_an_instant_comes_back_in_utc_whatever_its_zone_was(open_database: OpenDatabase) -> None:
    database = open_database()
    moment = datetime(2026, 3, 29, 2, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    put(database, Book(id="a", bought_at=moment))
    with database.reading() as session:
        found = session.scalar(select(Book.bought_at))
        same = session.scalar(select(Book.id).where(Book.bought_at == moment.astimezone(UTC)))
    assert found == moment
    assert found.tzinfo is UTC
    assert same == "a"


def test_an_instant_without_a_zone_is_a_mistake_of_ours(open_database: OpenDatabase) -> None:
    with pytest.raises(StatementError, match="needs its zone"):
        put(open_database(), Book(id="a", bought_at=datetime(2026, 3, 1)))  # noqa: DTZ001 - what is tested


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
