"""Reading a row through the driver: every read queries the database, and lost connections are replaced."""

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text, update
from sqlalchemy.exc import SQLAlchemyError

from eventcal.feeds.index.models import FEED_STATE_SELECT, FeedStateRow, read_feed_state
from eventcal.kit.database import Database
from eventcal.kit.row_reader import create_row_reader
from eventcal.kit.row_reader.base import RowReader
from tests.clocks import FixedClock

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def reader(database: Database) -> RowReader:
    """Return a reader of the feed state."""
    return create_row_reader(database, FEED_STATE_SELECT)


@pytest.fixture
def sqlite_path(database_url: str) -> Path:
    """Return the path of the SQLite file of the test."""
    return Path(database_url.removeprefix("sqlite:///"))


@pytest.fixture
def admin(database_url: str) -> Iterator[Connection]:
    """Provide a connection that is independent of the database under test."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def set_revision(connection: Connection, revision: int) -> None:
    """Change the row."""
    connection.execute(update(FeedStateRow).values(revision=revision))


def end_other_sessions(admin: Connection) -> None:
    """Make the server close all other connections to the database."""
    admin.execute(
        text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    ).all()


def test_row_equals_the_row_that_sqlalchemy_reads(database: Database, reader: RowReader) -> None:
    with database.read_connection() as connection:
        assert reader.read_row_and_generation() == (read_feed_state(connection)[:-2], 0)


def test_every_read_returns_the_committed_row(reader: RowReader, admin: Connection) -> None:
    for revision in range(100, 200):
        set_revision(admin, revision)
        assert reader.read_row_and_generation()[0][0] == revision


def test_concurrent_reads_return_the_row(reader: RowReader, admin: Connection) -> None:
    set_revision(admin, 41)
    with ThreadPoolExecutor(20) as pool:
        rows = [future.result() for future in [pool.submit(reader.read_row_and_generation) for _ in range(400)]]
    assert {(row[0], generation) for row, generation in rows} == {(41, 0)}


def test_reader_does_not_occupy_pooled_connections(database_url: str, clock: FixedClock) -> None:
    database = Database(database_url, clock=clock, pool_size=1)
    reader = create_row_reader(database, FEED_STATE_SELECT)
    reader.read_row_and_generation()
    with database.read_connection():
        assert reader.read_row_and_generation()
    database.engine.dispose()


def test_uncommitted_change_is_not_read(database: Database, reader: RowReader) -> None:
    reader.read_row_and_generation()
    with database.unit_of_work() as unit:
        set_revision(unit.session.connection(), 77)
        assert reader.read_row_and_generation()[0][0] != 77
    assert reader.read_row_and_generation()[0][0] == 77


def test_disposing_of_the_engine_opens_new_connections(database: Database, reader: RowReader) -> None:
    row, generation = reader.read_row_and_generation()
    database.engine.dispose()
    assert reader.read_row_and_generation() == (row, generation + 1)


@on_postgresql
def test_lost_connections_are_replaced(reader: RowReader, admin: Connection) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: reader.read_row_and_generation(), range(100)))
    end_other_sessions(admin)
    set_revision(admin, 300)
    row, generation = reader.read_row_and_generation()
    assert (row[0], generation) == (300, 1)
    assert reader.read_row_and_generation() == (row, generation)


@on_postgresql
def test_unknown_prepared_statement_is_sent_as_text(reader: RowReader) -> None:
    expected = reader.read_row_and_generation()
    [connection] = reader._idle
    connection.pgconn.exec_(b"DEALLOCATE ALL")
    assert reader.read_row_and_generation() == expected
    assert reader._idle == [connection]


@on_postgresql
def test_failing_statement_raises_and_closes_its_connection(reader: RowReader, admin: Connection) -> None:
    reader.read_row_and_generation()
    admin.execute(text("ALTER TABLE feed_state RENAME TO feed_state_before"))
    with pytest.raises(SQLAlchemyError):
        reader.read_row_and_generation()
    assert reader._idle == []
    admin.execute(text("ALTER TABLE feed_state_before RENAME TO feed_state"))
    assert reader.read_row_and_generation()[0]


@on_sqlite
def test_replaced_sqlite_file_is_noticed(
    database: Database, reader: RowReader, sqlite_path: Path, admin: Connection
) -> None:
    backup = sqlite_path.with_name("backup.db")
    set_revision(admin, 1)
    admin.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(sqlite_path, backup)
    set_revision(admin, 2)
    assert reader.read_row_and_generation()[0][0] == 2
    for suffix in ("-wal", "-shm"):
        sqlite_path.with_name(sqlite_path.name + suffix).unlink(missing_ok=True)
    backup.replace(sqlite_path)
    row, generation = reader.read_row_and_generation()
    assert (row[0], generation) == (1, 1)
    with database.read_connection() as connection:
        assert read_feed_state(connection).revision == 1


@on_sqlite
def test_missing_sqlite_file_raises_sqlalchemy_error(reader: RowReader, sqlite_path: Path) -> None:
    reader.read_row_and_generation()
    sqlite_path.unlink()
    with pytest.raises(SQLAlchemyError):
        reader.read_row_and_generation()


def test_forked_process_opens_its_own_connections(database: Database, reader: RowReader) -> None:
    expected = reader.read_row_and_generation()
    [connection] = reader._idle

    def read_in_child(results: "multiprocessing.Queue[Any]") -> None:
        read = reader.read_row_and_generation()
        results.put((read, connection in reader._idle))
        results.close()
        results.join_thread()
        os._exit(0)

    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[Any] = context.Queue()
    child = context.Process(target=read_in_child, args=(results,))
    child.start()
    (row, _), is_shared = results.get(timeout=30)
    child.join(30)
    assert (row, is_shared) == (expected[0], False)
    # The child has not ended the session of the parent.
    assert reader.read_row_and_generation() == expected
    assert reader._idle == [connection]
    with database.read_connection() as other:
        assert read_feed_state(other)[:-2] == expected[0]
