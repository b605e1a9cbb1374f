from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from eventcal.kit.database import Change, commit_time
from eventcal.kit.errors import Conflict
from tests.clocks import NOON, FixedClock
from tests.sample_models import Book, OpenDatabase, Page, insert_books, list_titles

RecordedChange = tuple[str, str, frozenset[str]]


class ChangeRecorder:
    """A hook that records the changes it receives: one list per call."""

    def __init__(self) -> None:
        self.calls: list[list[RecordedChange]] = []
        self.times: list[datetime] = []

    def __call__(self, _session: Session, changes: Sequence[Change], now: datetime) -> None:
        """Record the changes."""
        self.calls.append([(change.row.id, change.action, change.changed_fields) for change in changes])
        self.times.append(now)


# Atomicity


def test_unit_of_work_commits_at_its_end(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        unit.session.flush()
        assert list_titles(database) == []
    assert list_titles(database) == ["Emma"]


def test_refusal_rolls_back_the_unit_of_work(open_sample_database: OpenDatabase) -> None:
    database = open_sample_database()

    def refuse() -> None:
        with database.unit_of_work() as unit:
            unit.session.add(Book(id="a"))
            unit.session.flush()
            raise Conflict("Not now.")

    with pytest.raises(Conflict, match="Not now"):
        refuse()
    assert list_titles(database) == []
    insert_books(database, Book(id="b", title="Next"))
    assert list_titles(database) == ["Next"]


def test_failing_hook_rolls_back_the_unit_of_work(open_sample_database: OpenDatabase) -> None:
    def fail(_session: Session, _changes: Sequence[Change], _now: datetime) -> None:
        raise ZeroDivisionError

    database = open_sample_database(fail)
    with pytest.raises(ZeroDivisionError):
        insert_books(database, Book(id="a"))
    assert list_titles(database) == []


def test_rows_can_be_read_after_the_unit_of_work(open_sample_database: OpenDatabase) -> None:
    with open_sample_database().unit_of_work() as unit:
        book = Book(id="a", title="Emma")
        unit.session.add(book)
    assert (book.id, book.title, book.copies) == ("a", "Emma", 0)


# Changes passed to hooks


def test_hook_receives_each_added_changed_or_deleted_row(open_sample_database: OpenDatabase) -> None:
    recorder = ChangeRecorder()
    database = open_sample_database(recorder)
    insert_books(database, Book(id="a", title="Emma"), Book(id="b", title="Persuasion"))
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


def test_hook_receives_the_start_time_of_the_unit_of_work(
    open_sample_database: OpenDatabase, clock: FixedClock
) -> None:
    recorder = ChangeRecorder()
    with open_sample_database(recorder).unit_of_work() as unit:
        clock.tick(5)
    assert unit.now == NOON
    assert recorder.times == [NOON]


@pytest.mark.parametrize(("passed", "told"), [(300, 300), (-300, 0)])
def test_commit_time_never_precedes_the_unit_of_work(
    open_sample_database: OpenDatabase, clock: FixedClock, passed: int, told: int
) -> None:
    with open_sample_database().unit_of_work() as unit:
        clock.tick(passed)
        assert commit_time(unit.session, started_at=unit.now) == NOON + timedelta(seconds=told)


def test_row_with_restored_values_is_not_a_change(open_sample_database: OpenDatabase) -> None:
    recorder = ChangeRecorder()
    database = open_sample_database(recorder)
    insert_books(database, Book(id="a", title="Emma", bought_at=NOON))
    with database.unit_of_work() as unit:
        book = unit.session.get_one(Book, "a")
        book.title = "Else"
        book.title = "Emma"
        book.copies = 0
        # The same instant with another UTC offset.
        book.bought_at = NOON.astimezone(timezone(timedelta(hours=2)))
    assert recorder.calls[1] == []


def test_change_names_a_field_that_was_never_loaded(open_sample_database: OpenDatabase) -> None:
    recorder = ChangeRecorder()
    database = open_sample_database(recorder)
    insert_books(database, Book(id="a", title="Emma"))
    with database.unit_of_work() as unit:
        book = unit.session.get_one(Book, "a")
        unit.session.expire(book)
        book.title = "Else"
    assert recorder.calls[1] == [("a", "changed", frozenset({"title"}))]


def test_hook_receives_the_changes_of_all_flushes(open_sample_database: OpenDatabase) -> None:
    recorder = ChangeRecorder()
    with open_sample_database(recorder).unit_of_work() as unit:
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


def test_removed_part_is_reported_as_a_change_of_its_parent(open_sample_database: OpenDatabase) -> None:
    recorder = ChangeRecorder()
    database = open_sample_database(recorder)
    insert_books(database, Book(id="a", pages=[Page(id="p1"), Page(id="p2")]))
    with database.unit_of_work() as unit:
        book = unit.session.get_one(Book, "a", options=[selectinload(Book.pages)])
        book.pages = [Page(id="p3")]
    assert sorted(recorder.calls[1]) == [("a", "changed", frozenset({"pages"})), ("p3", "added", frozenset())]
    with database.read_session() as session:
        assert list(session.scalars(select(Page.id))) == ["p3"]


def test_flush_hooks_reports_each_change_once(open_sample_database: OpenDatabase) -> None:
    recorder = ChangeRecorder()
    with open_sample_database(recorder).unit_of_work() as unit:
        unit.session.add(Book(id="a"))
        unit.flush_hooks()
        unit.session.add(Book(id="b"))
        unit.flush_hooks()
    assert recorder.calls == [[("a", "added", frozenset())], [("b", "added", frozenset())], []]


def test_changes_made_by_a_hook_are_stored_but_not_reported(open_sample_database: OpenDatabase) -> None:
    seen: list[RecordedChange] = []

    def derive(session: Session, changes: Sequence[Change], _now: datetime) -> None:
        seen.extend((change.row.id, change.action, change.changed_fields) for change in changes)
        for change in changes:
            change.row.title = change.row.title.upper()
            session.add(Book(id=f"copy of {change.row.id}", title="Copy"))

    database = open_sample_database(derive)
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        unit.flush_hooks()
        assert [book.title for book in unit.session.scalars(select(Book).order_by(Book.id))] == ["EMMA", "Copy"]
    assert seen == [("a", "added", frozenset())]
    assert list_titles(database) == ["EMMA", "Copy"]


def test_all_hooks_receive_the_same_changes(open_sample_database: OpenDatabase) -> None:
    first, second = ChangeRecorder(), ChangeRecorder()
    insert_books(open_sample_database(first, second), Book(id="a"))
    assert first.calls == second.calls == [[("a", "added", frozenset())]]
