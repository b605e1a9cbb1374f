"""The write lock of the database, which one thread of one process holds at a time.

Within a process, threads queue for the write lock in the order of their arrival, before they take a connection from the
pool. The database decides between processes. PostgreSQL grants advisory locks in the order of the requests. SQLite
grants its lock to the process that asks next, and waiting processes ask at increasing intervals, so that a process that
has just released the lock would nearly always get it again. Processes therefore queue for SQLite's lock.
"""

import fcntl
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session

from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.errors import DatabaseBusy, Message, Overloaded

LOCK_SECONDS = 15.0
"""The time for which a thread waits for the write lock, including the time in the queue."""

DEADLINE_OPTION = "eventcal_write_deadline"
"""The execution option of a connection that writes: the time (time.monotonic) until which it waits for the lock."""

# The key of the PostgreSQL advisory lock, an arbitrary number that must not change.
_WRITE_LOCK_KEY = 0x6576636C
# A single statement sets the lock timeout and acquires the lock, which saves a round trip.
_POSTGRESQL_LOCK_STATEMENT = text("SELECT set_config('lock_timeout', :within, true), pg_advisory_xact_lock(:key)")
_BUSY = Message("The database is busy with other changes. Try again in a few seconds.")
# The intervals in seconds at which a process asks for its turn and for SQLite's write lock.
_MIN_INTERVAL, _MAX_INTERVAL, _INTERVAL_GROWTH = 0.0002, 0.01, 1.1
# The low byte of an extended SQLite result code is the primary result code.
_PRIMARY_CODE_MASK = 0xFF


class WriteLock:
    """The write lock of a database. `queue` counts the threads of this process that hold or wait for the lock."""

    def __init__(self) -> None:
        self.queue = ConcurrencyLimiter("write lock", limit=1, max_waiting=sys.maxsize, wait_seconds=LOCK_SECONDS)

    @contextmanager
    def wait_in_queue(self) -> Iterator[float]:
        """Yield the time (time.monotonic) until which the thread at the head of the queue may wait for the lock.

        The next thread becomes the head of the queue at the end of the block. Raises DatabaseBusy if this thread does
        not become the head of the queue in time.
        """
        deadline = time.monotonic() + LOCK_SECONDS
        with ExitStack() as place:
            try:
                place.enter_context(self.queue.slot())
            except Overloaded as error:
                raise DatabaseBusy(_BUSY) from error
            yield deadline


def begin_write_transaction(session: Session, *, deadline: float) -> None:
    """Begin a transaction that holds the write lock. Raises DatabaseBusy if the lock is not free by the deadline."""
    try:
        connection = session.connection(execution_options={DEADLINE_OPTION: deadline})
        if connection.dialect.name == "postgresql":
            within = f"{_milliseconds_until(deadline)}ms"
            connection.execute(_POSTGRESQL_LOCK_STATEMENT, {"within": within, "key": _WRITE_LOCK_KEY})
    except (DBAPIError, NoConnectionError) as error:
        raise DatabaseBusy(_BUSY) from error


def begin_immediate(connection: Connection, *, deadline: float, folder: str, busy_timeout_ms: int) -> None:
    """Begin a write transaction on SQLite. `folder` contains the database file, or is empty.

    A process that waits for the lock has the turn: it holds a lock on the folder, for which the other processes wait.
    The lock on the folder does not protect any data, and is not required if the file system does not support it.
    """
    cursor = connection.connection.cursor()
    # The intervals of SQLite's own busy handler would leave the lock free for up to half of the time.
    cursor.execute("PRAGMA busy_timeout = 0")
    try:
        with _hold_turn(folder, deadline):
            for _ in _attempts_until(deadline):
                try:
                    cursor.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & _PRIMARY_CODE_MASK != sqlite3.SQLITE_BUSY:
                        break
                else:
                    return
            # SQLAlchemy converts the exception of the last attempt.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}").close()


@contextmanager
def _hold_turn(folder: str, deadline: float) -> Iterator[None]:
    """Hold the lock on the folder during the block, or no lock if it is not free by the deadline."""
    if not folder:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            _wait_for_turn(descriptor, deadline)
        yield
    finally:
        os.close(descriptor)


def _wait_for_turn(descriptor: int, deadline: float) -> None:
    for _ in _attempts_until(deadline):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return


def _attempts_until(deadline: float) -> Iterator[None]:
    """Yield at increasing intervals until the deadline."""
    interval = _MIN_INTERVAL
    while time.monotonic() < deadline:
        yield
        time.sleep(interval)
        interval = min(interval * _INTERVAL_GROWTH, _MAX_INTERVAL)


def _milliseconds_until(deadline: float) -> int:
    # PostgreSQL waits without limit if the lock timeout is 0.
    return max(1, round((deadline - time.monotonic()) * 1000))
