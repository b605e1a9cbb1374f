"""The database and the unit of work. Only units of work commit transactions.

Each unit of work first acquires a global write lock: BEGIN IMMEDIATE on SQLite, an advisory lock on PostgreSQL. Because
units of work never overlap, a condition checked in a unit of work still holds when the transaction is committed,
and revisions are assigned in commit order. See docs/decisions/0004-one-writer.md.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    Connection,
    Engine,
    QueuePool,
    String,
    column,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import History
from sqlalchemy.pool import ConnectionPoolEntry

from eventcal.kit.clock import Clock
from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.models import Base
from eventcal.kit.write_lock import DEADLINE_OPTION, WriteLock, begin_immediate, begin_write_transaction

# The time for which a thread waits for a pooled connection, and a SQLite connection for the lock of another process.
_BUSY_TIMEOUT_MS = 5_000

POOL_SIZE = 16
"""The maximum number of pooled connections of a process, which are used by one thread each."""

# Some connections are reserved for administrators. `reserved_connections` is unknown to servers before version 16.
_ALLOWED_CONNECTIONS_SELECT = text(
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true), '0')::int"
)

# The key of the folder of the database file in the information on a SQLite connection.
_FOLDER_KEY = "eventcal_folder"

_LOG_TIMEOUT_MS = 1000
# The key in the `info` of a session that erases personal data.
_ERASES = "erases"

# The row of the feed state (`FeedStateRow`), of which only the epoch is read here.
_EPOCH_SELECT = select(column("epoch", String)).select_from(table("feed_state"))

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@dataclass(frozen=True)
class Change:
    """A row that a unit of work added, changed or deleted, with the known previous values of the changed attributes."""

    row: Any
    action: Literal["added", "changed", "deleted"]
    changed_fields: frozenset[str] = frozenset()
    old_values: Mapping[str, Any] = field(default_factory=dict, compare=False)


ChangeHook = Callable[[Session, Sequence[Change], datetime], None]


class Database:
    """A SQLite or PostgreSQL database. Use `read_session()` to read and `unit_of_work()` to write."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        hooks: Sequence[ChangeHook] = (),
        pool_size: int = POOL_SIZE,
        slow_answers: ConcurrencyLimiter | None = None,
    ) -> None:
        """`slow_answers` limits the threads that wait for a PostgreSQL server that does not answer at once."""
        self.clock = clock
        self.hooks = tuple(hooks)
        self.write_lock = WriteLock()
        if make_url(url).get_backend_name() == "sqlite":
            self.engine = _create_engine(url, pool_size=pool_size)
            # In WAL mode, writers do not block readers. With FULL synchronisation, commits survive a power failure.
            # With `secure_delete`, deleted data is overwritten with zeros.
            pragmas = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
            set_up_sqlite(self.engine, *pragmas)
            self._reading = self._glancing = self.engine
            self.check_responds: Callable[[], None] = _is_assumed
        else:
            # psycopg, which takes 30 ms to import, is not needed for SQLite.
            from eventcal.kit.postgresql import PatientPool, ServerWatch, watch_connections  # noqa: PLC0415 - see above

            self.engine = _create_engine(url, pool_size=pool_size, poolclass=PatientPool)
            watch = ServerWatch(slow_answers or ConcurrencyLimiter("slow answers", limit=pool_size))
            watch_connections(self.engine, watch)
            self.check_responds = watch.check
            # All queries in a read transaction use the same snapshot, so that the revision and the rows are consistent.
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # A single statement needs no explicit transaction. Omitting BEGIN and COMMIT saves two round trips.
            self._glancing = self.engine.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=True)

    def read_session(self) -> Session:
        """Return a read-only session on a snapshot of the database. The caller must close the session.

        Like all methods that return a connection or a session, `read_session` raises DatabaseBusy if the server has
        stopped responding.
        """
        self.check_responds()
        return Session(self._reading, autoflush=False, expire_on_commit=False)

    def read_connection(self) -> Connection:
        """Return a read-only connection to a snapshot of the database, without the overhead of a session."""
        self.check_responds()
        return self._reading.connect()

    def single_select_connection(self) -> Connection:
        """Return a connection for a single SELECT statement. On PostgreSQL, no transaction is started."""
        self.check_responds()
        return self._glancing.connect()

    def is_migrated(self) -> bool:
        with self.read_connection() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return False
            return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [_last_migration()]

    def count_allowed_connections(self) -> int | None:
        """Return the number of connections that the PostgreSQL server allows, or None for SQLite."""
        if self.engine.dialect.name == "sqlite":
            return None
        with self.single_select_connection() as connection:
            allowed: int = connection.execute(_ALLOWED_CONNECTIONS_SELECT).scalar_one()
            return allowed

    @contextmanager
    def write_session(self) -> Iterator[Session]:
        """Yield a session that holds the write lock. At the end of the block, uncommitted changes are rolled back.

        Raises DatabaseBusy if the write lock or a connection does not become available in time.
        """
        self.check_responds()
        # The thread waits without a connection, so that waiting writers leave the pool to readers.
        with self.write_lock.wait_in_queue() as deadline, Session(self.engine, expire_on_commit=False) as session:
            begin_write_transaction(session, deadline=deadline)
            yield session

    @contextmanager
    def unit_of_work(self) -> Iterator["UnitOfWork"]:
        """Begin a transaction that is committed at the end of the block, or rolled back if the block raises an error.

        The write lock is held for the whole block. Before the commit, `UnitOfWork.flush_hooks` flushes the session and
        calls the hooks in order, passing the added, changed and deleted rows. Raises DatabaseBusy like `write_session`.
        """
        with self.write_session() as session:
            unit = UnitOfWork(session, self.hooks, self.clock)
            yield unit
            unit.flush_hooks()
            session.commit()
            erases = session.info.get(_ERASES, False)
        if erases:
            self.truncate_log()

    def truncate_log(self) -> None:
        """Delete the write-ahead log of SQLite, which contains earlier versions of changed rows.

        The log is not deleted if readers or writers use it for longer than a second.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {_LOG_TIMEOUT_MS}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")


class UnitOfWork:
    """A unit of work: a session, and the row changes that have not been passed to the hooks yet.

    `now` is the start time of the unit of work in UTC. Last-Modified dates are based on `commit_time`, because readers
    do not see changes before the transaction is committed.
    """

    def __init__(self, session: Session, hooks: Sequence[ChangeHook], clock: Clock) -> None:
        self.session = session
        self.now = clock.now()
        session.info["clock"] = clock
        self._hooks = hooks
        self._changes: list[Change] = []
        self._in_hooks = False
        event.listen(session, "before_flush", self._record_changes)

    def _record_changes(self, session: Session, *_: object) -> None:
        if not self._in_hooks:
            self._changes.extend(_iter_changes(session))

    def flush_hooks(self) -> None:
        """Flush the session, and call the hooks with all changes since the previous call of `flush_hooks`.

        Hooks update derived values. An explicit call is required only to read derived values before the commit.
        """
        if self.session.new or self.session.deleted:
            # The foreign keys of new rows are not set until the session is flushed.
            self.session.flush()
        else:
            # If no rows are new or deleted, a single flush after the hooks is sufficient.
            self._record_changes(self.session)
        changes, self._changes = tuple(self._changes), []
        self._in_hooks = True
        try:
            for hook in self._hooks:
                hook(self.session, changes, self.now)
            self.session.flush()
        finally:
            self._in_hooks = False


@cache
def _last_migration() -> str:
    """Return the number of the latest migration: the highest number, because the migration history is linear."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def read_epoch(session: Session) -> str:
    """Return the epoch of the database, a random text that changes when the database is restored from a backup.

    A restored database has fewer changes than clients have seen. Entity tags and cursors contain the epoch, so that
    clients do not confuse versions of the restored database with earlier versions of the same number.
    """
    epoch: str = session.execute(_EPOCH_SELECT).scalar_one()
    return epoch


def has_public_change(row: Base) -> bool:
    return any_public(type(row), _changed_attributes(row))


def any_public(table: type[Base], fields: Iterable[str]) -> bool:
    """Return whether any of the attributes is a relationship or a column that is not marked as `PRIVATE_COLUMN`."""
    columns = inspect(table).columns
    return any(not (name in columns and columns[name].info.get("private")) for name in fields)


def commit_time(session: Session, *, started_at: datetime) -> datetime:
    """Return the current time (UTC) from the clock of the unit of work, or `started_at` if `started_at` is later."""
    clock: Clock | None = session.info.get("clock")
    return started_at if clock is None else max(started_at, clock.now())


def truncate_log_after_commit(session: Session) -> None:
    """Make `Database.unit_of_work` delete the write-ahead log after the commit, because personal data was erased."""
    session.info[_ERASES] = True


def _iter_changes(session: Session) -> Iterator[Change]:
    for row in session.new:
        yield Change(row, "added")
    for row in session.dirty:
        if changed := _changed_attributes(row):
            before = {name: history.deleted[0] for name, history in changed.items() if history.deleted}
            yield Change(row, "changed", frozenset(changed), before)
    for row in session.deleted:
        yield Change(row, "deleted")


def _changed_attributes(row: object) -> dict[str, History]:
    state = inspect(row)
    histories = {name: state.attrs[name].history for name in list(state.committed_state)}
    return {name: history for name, history in histories.items() if history.has_changes()}


def _create_engine(url: str, *, pool_size: int, poolclass: type[QueuePool] = QueuePool) -> Engine:
    return create_engine(
        url,
        # This keeps personal data out of exception messages, which can be logged.
        hide_parameters=True,
        poolclass=poolclass,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_BUSY_TIMEOUT_MS / 1000,
        # The most recently used connection is likely to have the warmest caches.
        pool_use_lifo=True,
    )


def _is_assumed() -> None:
    """Assume that an embedded database responds."""


def set_up_sqlite(engine: Engine, *pragmas: str) -> None:
    """Run the pragmas on every new connection, and disable the implicit transactions of the driver.

    If the execution option DEADLINE_OPTION is set, a transaction acquires the write lock when it begins.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        _make_new_file_private(connection)
        for pragma in (f"busy_timeout = {_BUSY_TIMEOUT_MS}", *pragmas):
            connection.execute(f"PRAGMA {pragma}").close()
        path = _database_path(connection)
        entry.info[_FOLDER_KEY] = str(path.parent) if path is not None else ""

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        deadline = connection.get_execution_options().get(DEADLINE_OPTION)
        if deadline is not None:
            folder = connection.info[_FOLDER_KEY]
            begin_immediate(connection, deadline=deadline, folder=folder, busy_timeout_ms=_BUSY_TIMEOUT_MS)
        else:
            # Every read executes BEGIN, for which a DBAPI cursor is ten times as fast as `exec_driver_sql`.
            connection.connection.cursor().execute("BEGIN").close()


def _make_new_file_private(connection: sqlite3.Connection) -> None:
    """Deny other users access to a database file that was just created. SQLite copies the permissions to its log."""
    path = _database_path(connection)
    if path is not None and path.exists() and path.stat().st_size == 0:
        path.chmod(0o600)


def _database_path(connection: sqlite3.Connection) -> Path | None:
    """Return the path of the database file, or None for a database in memory."""
    path = next(path for _, name, path in connection.execute("PRAGMA database_list") if name == "main")
    return Path(path) if path else None
