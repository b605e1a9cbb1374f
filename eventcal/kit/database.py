"""The database, and the unit of work, which is the only code that commits.

Each unit of work first takes a global write lock: BEGIN IMMEDIATE on SQLite, an advisory lock on PostgreSQL. Units of
work therefore run one after another: a check made inside one still holds at its commit, and revisions are assigned in
commit order. See docs/decisions/0004-one-writer.md.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import History
from sqlalchemy.pool import ConnectionPoolEntry

from eventcal.kit.clock import Clock
from eventcal.kit.errors import DatabaseBusy, Message
from eventcal.kit.models import Base

# The key of the advisory lock on PostgreSQL. The number is arbitrary, but must not change.
_WRITE_LOCK_KEY = 0x6576636C
_LOCK_TIMEOUT_MS = 15_000
# One statement instead of two saves a round trip. The timeout applies to this transaction only.
_POSTGRESQL_LOCK_STATEMENT = text("SELECT set_config('lock_timeout', :within, true), pg_advisory_xact_lock(:key)")

MIGRATIONS = Path(__file__).parents[1] / "migrations"
"""The folder of the Alembic migrations."""


@dataclass(frozen=True)
class Change:
    """A row that a unit of work added, changed or deleted.

    `changed_fields` are the changed attributes (empty unless the row was changed). `old_values` holds their known old
    values.
    """

    row: Any
    action: Literal["added", "changed", "deleted"]
    changed_fields: frozenset[str] = frozenset()
    old_values: Mapping[str, Any] = field(default_factory=dict, compare=False)


ChangeHook = Callable[[Session, Sequence[Change], datetime], None]


class Database:
    """A SQLite or PostgreSQL database. Read with `read_session()`, write with `unit_of_work()`."""

    def __init__(self, url: str, *, clock: Clock, hooks: Sequence[ChangeHook] = (), pool_size: int = 16) -> None:
        # `hide_parameters` keeps personal data out of exception messages, which may be logged.
        self.engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_LOCK_TIMEOUT_MS / 1000,
            # The most recently used connection has the warmest caches.
            pool_use_lifo=True,
        )
        self.clock = clock
        self.hooks = tuple(hooks)
        if self.engine.dialect.name == "sqlite":
            # WAL lets readers work during a write. FULL keeps committed transactions after a power failure.
            set_up_sqlite(
                self.engine,
                f"busy_timeout = {_LOCK_TIMEOUT_MS}",
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
            )
            self._reading = self._glancing = self.engine
        else:
            # All statements of a reader must see the same snapshot, such as a revision and the rows it describes.
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # A single statement needs no transaction; BEGIN and COMMIT would cost two more round trips.
            self._glancing = self.engine.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=True)
        self._writing = self.engine.execution_options(eventcal_writes=True)

    def read_session(self) -> Session:
        """Return a read-only session that sees one snapshot. The caller must close it, for example with `with`."""
        return Session(self._reading, autoflush=False, expire_on_commit=False)

    def read_connection(self) -> Connection:
        """Return a read-only connection that sees one snapshot, without the overhead of a session."""
        return self._reading.connect()

    def autocommit_connection(self) -> Connection:
        """Return a connection for a single SELECT, without a transaction on PostgreSQL."""
        return self._glancing.connect()

    def is_migrated(self) -> bool:
        """Return whether the database has exactly the schema that this code expects."""
        with self.read_connection() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return False
            return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [_last_migration()]

    @contextmanager
    def unit_of_work(self) -> Iterator["UnitOfWork"]:
        """Begin a transaction that is committed at the end of the block, or rolled back if the block raises.

        The write lock is held from the start. When the block ends, `UnitOfWork.flush_hooks` flushes the session and
        calls this database's hooks, in order, with the rows that were added, changed or deleted. Then the transaction
        is committed. The app has one hook, `FeedIndex.follow` (see app.py). A hook may call `delay_return_until` to
        delay the end of the `with` block until a given time.

        Raises DatabaseBusy if the write lock, or a connection, does not become available in time.
        """
        with Session(self._writing, expire_on_commit=False) as session:
            _take_write_lock(session)
            unit = UnitOfWork(session, self.hooks, self.clock)
            yield unit
            unit.flush_hooks()
            session.commit()
            moment = session.info.get("answer_not_before")
        if moment is not None:
            self.clock.wait_until(moment)


class UnitOfWork:
    """A unit of work: a session, and the changes that its hooks have not yet been called with.

    `now` is the start of the unit of work (UTC) and does not advance, so that all timestamps that it writes agree.
    Last-Modified uses `commit_time` instead.
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
        # Changes made by the hooks themselves are not passed to hooks.
        if not self._in_hooks:
            self._changes.extend(_iter_changes(session))

    def flush_hooks(self) -> None:
        """Flush, and call the hooks with the changes since the last call, so that derived values are up to date.

        This runs before the commit. Call it earlier to read derived values inside the block.
        """
        if self.session.new or self.session.deleted:
            # The foreign keys of new rows are set only by the flush.
            self.session.flush()
        else:
            # Without new or deleted rows, one flush after the hooks writes both their changes and these.
            self._record_changes(self.session)
        changes = tuple(self._changes)
        self._changes.clear()
        self._in_hooks = True
        try:
            for hook in self._hooks:
                hook(self.session, changes, self.now)
            self.session.flush()
        finally:
            self._in_hooks = False


@cache
def _last_migration() -> str:
    """Return the number of the latest migration. The history is linear, so this is the highest number."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def has_public_change(row: Base) -> bool:
    """Return whether a public attribute of the row has changes that are not flushed yet."""
    return any_public(type(row), _changed_attributes(row))


def any_public(table: type[Base], fields: Iterable[str]) -> bool:
    """Return whether any of these attributes is public: a relationship, or a column that is not `PRIVATE_COLUMN`."""
    columns = inspect(table).columns
    return any(not (name in columns and columns[name].info.get("private")) for name in fields)


def commit_time(session: Session, *, started_at: datetime) -> datetime:
    """Return the current time (UTC) according to the clock of the unit of work, but not earlier than `started_at`.

    Last-Modified uses this time and not `UnitOfWork.now`, because a unit of work that ran for long becomes visible to
    readers only when it commits.
    """
    clock: Clock | None = session.info.get("clock")
    return started_at if clock is None else max(started_at, clock.now())


def delay_return_until(session: Session, moment: datetime) -> None:
    """Delay the end of the unit of work, after its commit, until `moment` (UTC)."""
    session.info["answer_not_before"] = max(moment, session.info.get("answer_not_before", moment))


def _iter_changes(session: Session) -> Iterator[Change]:
    for row in session.new:
        yield Change(row, "added")
    for row in session.dirty:
        changed = _changed_attributes(row)
        if changed:
            before = {name: history.deleted[0] for name, history in changed.items() if history.deleted}
            yield Change(row, "changed", frozenset(changed), before)
    for row in session.deleted:
        yield Change(row, "deleted")


def _changed_attributes(row: object) -> dict[str, History]:
    """Return the attributes that changed since the row was last loaded or flushed."""
    state = inspect(row)
    histories = {name: state.attrs[name].history for name in list(state.committed_state)}
    return {name: history for name, history in histories.items() if history.has_changes()}


def _take_write_lock(session: Session) -> None:
    try:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(_POSTGRESQL_LOCK_STATEMENT, {"within": f"{_LOCK_TIMEOUT_MS}ms", "key": _WRITE_LOCK_KEY})
    except (DBAPIError, NoConnectionError) as error:
        raise DatabaseBusy(Message("Too much is being written at this moment; try again in a few seconds.")) from error


def set_up_sqlite(engine: Engine, *pragmas: str) -> None:
    """Run these pragmas on every new connection, and emit BEGIN instead of the driver.

    With the execution option `eventcal_writes`, a transaction takes the write lock when it begins.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("eventcal_writes", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            # Every read starts with this BEGIN, which cannot fail. `exec_driver_sql` costs ten times as much.
            connection.connection.cursor().execute("BEGIN").close()
