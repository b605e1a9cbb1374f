"""Connections to a PostgreSQL server that may stop responding or run out of connections.

The timeouts of the server have no effect if the server process is suspended or the network is interrupted. Threads
therefore limit their own waits. When a server does not respond, a few threads wait for it, and all others fail at once.
"""

import threading
import time
from contextlib import ExitStack
from typing import Any, TypeVar, cast

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready
from sqlalchemy import Connection, Engine, PoolProxiedConnection, QueuePool, event
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.pool import ConnectionPoolEntry

from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.errors import DatabaseBusy, Message, Overloaded
from eventcal.kit.write_lock import DEADLINE_OPTION

Result = TypeVar("Result")

# The time in seconds within which a server that responds usually answers.
_QUICK_ANSWER = 0.25
# The times in seconds for which a thread waits for an answer: to read, to write, and to acquire the write lock.
READ_SECONDS, _WRITE_SECONDS = 4.0, 20.0
# The time in seconds after which another thread checks whether a silent server responds again.
_PROBE_INTERVAL = 1.0
# libpq gives up if the server does not acknowledge data or a keepalive in time. A URL can contain other values.
_CONNECTION_PARAMETERS = {
    "connect_timeout": 4,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_SERVER_TIMEOUTS = "SELECT set_config('statement_timeout', '15s', false), set_config('lock_timeout', '5s', false)"
# The number of connections that a process opens at once, and the time in seconds to wait for a turn to open one.
_OPENED_AT_ONCE, _OPENING_WAIT = 4, 1.0
# The number of threads that wait for a connection when the server has none left, and the time that each waits.
_PATIENT_THREADS, _PATIENCE, _RETRY_INTERVAL = 4, 2.0, 0.05
# The messages of PostgreSQL and PgBouncer. libpq does not report the SQLSTATE of a failed connection attempt.
_NO_CONNECTION_LEFT = ("too many clients", "too many connections", "remaining connection slots", "no more connections")


class ServerSilent(psycopg.OperationalError):
    """The server did not answer in time."""


class ServerWatch:
    """Keeps the threads of a process from waiting for a server that does not respond.

    A thread that gets no answer within `_QUICK_ANSWER` takes a slot of `slow_answers` to wait longer. If no slot is
    free, or if the answer does not arrive within the longest silence, the server is considered silent until it answers
    any thread. While the server is silent, one thread a second is allowed to use it.
    """

    def __init__(self, slow_answers: ConcurrencyLimiter) -> None:
        self._slow_answers = slow_answers
        self._lock = threading.Lock()
        self._is_silent = False
        self._next_probe = 0.0

    def check(self) -> None:
        """Raise DatabaseBusy if the server is silent, except once a second."""
        if not self._is_silent:
            return
        with self._lock:
            moment = time.monotonic()
            if moment < self._next_probe:
                raise DatabaseBusy(Message("The database is busy. Try again in a few seconds."))
            self._next_probe = moment + _PROBE_INTERVAL

    def note_silence(self) -> None:
        with self._lock:
            self._is_silent, self._next_probe = True, time.monotonic() + _PROBE_INTERVAL

    def limit_silence(self, operation: PQGen[Result], longest: float) -> PQGen[Result]:
        """Perform an operation of psycopg, which yields whenever it waits for the server. Raises ServerSilent."""
        with ExitStack() as slot:
            silent_until: float | None = None
            is_answered = False
            try:
                awaited = next(operation)
                while True:
                    ready = yield awaited
                    if ready:
                        silent_until = None
                        is_answered |= bool(ready & Ready.R)
                    elif silent_until is None:
                        silent_until = time.monotonic() + longest - _QUICK_ANSWER
                        self._wait_longer(slot)
                    elif time.monotonic() >= silent_until:
                        self.note_silence()
                        raise ServerSilent("The server did not answer in time.")
                    awaited = operation.send(ready)
            except StopIteration as end:
                if is_answered:
                    self._is_silent = False
                result: Result = end.value
                return result

    def _wait_longer(self, slot: ExitStack) -> None:
        try:
            slot.enter_context(self._slow_answers.slot())
        except Overloaded as error:
            self.note_silence()
            raise ServerSilent("Too many threads wait for the server.") from error


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that is closed if the server does not answer in time. `longest_silence` is in seconds."""

    watch: ServerWatch
    longest_silence = READ_SECONDS

    def wait(self, gen: PQGen[Result], interval: float = _QUICK_ANSWER, timeout: float | None = None) -> Result:
        """Perform an operation. Raises ServerSilent."""
        try:
            return super().wait(self.watch.limit_silence(gen, self.longest_silence), interval, timeout)
        except ServerSilent:
            self.close()
            raise


class PatientPool(QueuePool):
    """A pool of connections. A few threads wait for a short time if the server has no connection left."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._patient = ConcurrencyLimiter("missing database connections", limit=_PATIENT_THREADS)

    def connect(self) -> PoolProxiedConnection:
        """Return a connection, which another thread or process may have released in the meantime."""
        give_up_at = time.monotonic() + _PATIENCE
        with ExitStack() as slot:
            while True:
                try:
                    return super().connect()
                except psycopg.OperationalError as error:
                    if not _has_no_connection_left(error) or time.monotonic() >= give_up_at:
                        raise
                    try:
                        slot.enter_context(self._patient.slot())
                    except Overloaded:
                        raise error from None
                time.sleep(_RETRY_INTERVAL)


def _has_no_connection_left(error: psycopg.OperationalError) -> bool:
    return any(message in str(error) for message in _NO_CONNECTION_LEFT)


def watch_connections(engine: Engine, watch: ServerWatch) -> None:
    """Open the connections of an engine with timeouts, and as `WatchedConnection`."""
    opening = ConcurrencyLimiter(
        "opened database connections", limit=_OPENED_AT_ONCE, max_waiting=1000, wait_seconds=_OPENING_WAIT
    )

    @event.listens_for(engine, "do_connect")
    def _on_do_connect(
        _dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[Any], parameters: dict[str, Any]
    ) -> WatchedConnection:
        try:
            with opening.slot():
                return _open_connection(watch, *arguments, **{**_CONNECTION_PARAMETERS, **parameters})
        except Overloaded as error:
            watch.note_silence()
            raise ServerSilent("Too many threads open connections to the server.") from error
        except psycopg.errors.ConnectionTimeout:
            watch.note_silence()
            raise

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes = DEADLINE_OPTION in connection.get_execution_options()
        watched = cast("WatchedConnection", connection.connection.dbapi_connection)
        watched.longest_silence = _WRITE_SECONDS if writes else READ_SECONDS


def _open_connection(watch: ServerWatch, *arguments: Any, **parameters: Any) -> WatchedConnection:
    connection = WatchedConnection.connect(*arguments, **parameters)
    connection.watch = watch
    try:
        connection.autocommit = True
        connection.execute(_SERVER_TIMEOUTS)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection
