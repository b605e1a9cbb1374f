"""The queue for the write lock: its order within a process and between processes, and what waiting writers occupy."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.pool import QueuePool

from eventcal.kit.database import Database
from eventcal.kit.errors import Conflict, DatabaseBusy
from tests.sample_models import Book, OpenDatabase, insert_books, list_titles

_LONG = 30.0

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Provide a pool with more threads than the tests use."""
    with ThreadPoolExecutor(20) as executor:
        yield executor


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, or fail."""
    for _ in range(int(_LONG * 1000)):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError(condition)


def queue_writers(threads: ThreadPoolExecutor, database: Database, *names: str) -> list[Future[None]]:
    """Let writers that each insert a book wait for the lock, in the order of the names."""
    return [_queue_writer(threads, database, name) for name in names]


def _queue_writer(threads: ThreadPoolExecutor, database: Database, name: str) -> Future[None]:
    queue = database.write_lock.queue
    length = queue.waiting
    writer = threads.submit(insert_books, database, Book(id=name, title=name))
    wait_until(lambda: queue.waiting > length)
    return writer


def count_used_connections(database: Database) -> int:
    """Return the number of connections that are not idle in the pool."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def test_waiting_writers_get_the_lock_in_the_order_of_their_arrival(
    open_sample_database: OpenDatabase, threads: ThreadPoolExecutor
) -> None:
    committed: list[str] = []
    database = open_sample_database(lambda _session, changes, _now: committed.extend(one.row.id for one in changes))
    names = list("qwertyuiop")
    with database.unit_of_work():
        queued = queue_writers(threads, database, *names)
    for writer in queued:
        writer.result(_LONG)
    assert committed == names


def test_waiting_writers_hold_no_connection(open_sample_database: OpenDatabase, threads: ThreadPoolExecutor) -> None:
    database = open_sample_database(pool_size=2)
    with database.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        queued = queue_writers(threads, database, *"bcdefg")
        assert count_used_connections(database) == 1
        # The second connection is free for readers.
        assert list_titles(database) == []
    for writer in queued:
        writer.result(_LONG)
    assert list_titles(database) == ["Emma", *"bcdefg"]


def test_writers_that_leave_the_queue_are_counted_and_save_nothing(
    open_sample_database: OpenDatabase, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.kit.write_lock.LOCK_SECONDS", 0.05)
    database = open_sample_database()
    with database.unit_of_work():
        queued = [threads.submit(insert_books, database, Book(id=name)) for name in "abc"]
        assert [type(writer.exception(_LONG)) for writer in queued] == [DatabaseBusy] * 3
    assert (database.write_lock.queue.timed_out, database.write_lock.queue.waiting) == (3, 0)
    insert_books(database, Book(id="d", title="Emma"))
    assert list_titles(database) == ["Emma"]


def test_failed_unit_of_work_passes_the_lock_on(
    open_sample_database: OpenDatabase, threads: ThreadPoolExecutor
) -> None:
    database = open_sample_database()

    def fail_while_another_writer_waits() -> None:
        with database.unit_of_work():
            queue_writers(threads, database, "a")
            raise Conflict("No.")

    with pytest.raises(Conflict):
        fail_while_another_writer_waits()
    wait_until(lambda: list_titles(database) == ["a"])


@on_sqlite
def test_waiting_process_gets_the_lock_before_the_process_that_releases_it(
    open_sample_database: OpenDatabase, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    # A lock on a folder belongs to an open file, so two databases in one process compete like two processes.
    committed: list[str] = []
    record = lambda _session, changes, _now: committed.extend(one.row.id for one in changes)  # noqa: E731 - a hook
    here, elsewhere = open_sample_database(record), open_sample_database(record)
    with here.unit_of_work():
        other = threads.submit(insert_books, elsewhere, Book(id="elsewhere"))
        wait_until(lambda: is_turn_taken(tmp_path))
        queued = queue_writers(threads, here, "here 1", "here 2")
    for writer in [other, *queued]:
        writer.result(_LONG)
    assert committed == ["elsewhere", "here 1", "here 2"]
    assert not is_turn_taken(tmp_path)


@on_sqlite
def test_writer_that_does_not_get_its_turn_raises_busy(
    open_sample_database: OpenDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.kit.write_lock.LOCK_SECONDS", 0.05)
    here, elsewhere = open_sample_database(), open_sample_database()
    with here.unit_of_work() as unit:
        unit.session.add(Book(id="a", title="Emma"))
        with pytest.raises(DatabaseBusy):
            insert_books(elsewhere, Book(id="b"))
    assert not is_turn_taken(tmp_path)
    with elsewhere.read_session() as session:
        assert session.scalars(select(Book.id)).all() == ["a"]


def is_turn_taken(folder: Path) -> bool:
    """Return whether a process waits for the write lock of the SQLite database in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
