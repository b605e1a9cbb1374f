"""The database, and the unit of work that alone ends a transaction.

A unit that writes takes the one write lock first, on both databases: BEGIN IMMEDIATE on SQLite, an advisory lock
on PostgreSQL. Writers follow one another, so a check made inside a unit still holds when it commits, and the
revisions handed out at its end are in commit order. See docs/decisions/0004-one-writer.md.
"""

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
from eventcal.kit.models import Base
from eventcal.kit.refusals import Busy, Sentence

# The advisory lock that writers on PostgreSQL take; any number would do, as long as it stays the same.
_WRITE_LOCK = 0x6576636C
_LOCK_TIMEOUT_MS = 15_000
# In one statement, for each is a way to another process and back; for this transaction alone.
_LOCK_POSTGRESQL = text("SELECT set_config('lock_timeout', :within, true), pg_advisory_xact_lock(:key)")

MIGRATIONS = Path(__file__).parents[1] / "migrations"
"""Where the numbered steps from one schema to the next are."""


@dataclass(frozen=True)
class Change:
    """One row that a unit of work touched: what was done, and which of its fields changed (all, if new).

    before: what changed columns held, as far as the session knew it.
    """

    row: Any
    done: Literal["added", "changed", "deleted"]
    fields: frozenset[str] = frozenset()
    before: Mapping[str, Any] = field(default_factory=dict, compare=False)


Hook = Callable[[Session, Sequence[Change], datetime], None]


class Database:
    """One database, SQLite or PostgreSQL, and the two ways into it: `reading()` and `unit_of_work()`."""

    def __init__(self, url: str, *, clock: Clock, hooks: Sequence[Hook] = (), pool_size: int = 16) -> None:
        # No values of ours in the text of an exception: it may end in a log.
        self.engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_LOCK_TIMEOUT_MS / 1000,
            # The connection that was used last knows most of what is asked next.
            pool_use_lifo=True,
        )
        self.clock = clock
        self.hooks = tuple(hooks)
        if self.engine.dialect.name == "sqlite":
            # Write ahead, and let an answered write outlive the power.
            set_up_sqlite(
                self.engine,
                f"busy_timeout = {_LOCK_TIMEOUT_MS}",
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
            )
            self._reading = self._glancing = self.engine
        else:
            # Several statements of one reader must see one moment: a version and the rows that it describes.
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # One statement by itself needs no transaction, whose begin and end are two more on the way.
            self._glancing = self.engine.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=True)
        self._writing = self.engine.execution_options(eventcal_writes=True)

    def reading(self) -> Session:
        """Return a session that sees one moment of the database and changes nothing; close it, as `with` does."""
        return Session(self._reading, autoflush=False, expire_on_commit=False)

    def connection(self) -> Connection:
        """Return a bare connection for reading: a version is asked for far more often than the rows behind it."""
        return self._reading.connect()

    def glance(self) -> Connection:
        """Return a bare connection for one statement that reads."""
        return self._glancing.connect()

    def is_migrated(self) -> bool:
        """Say whether the database has exactly the schema that this code expects."""
        with self.connection() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return False
            return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [_last_migration()]

    @contextmanager
    def unit_of_work(self) -> Iterator["Unit"]:
        """Begin a transaction that is committed at the end of the block, or rolled back if the block raises.

        The write lock is held from the start. When the block ends, `Unit.flush_hooks` flushes the session and runs
        the hooks that were given to this database, in their order, with every row that was added, changed or deleted;
        then the transaction is committed. The app has one hook, `FeedIndex.follow` (see app.py). A hook may ask with
        `answer_not_before` that this method returns only once a time has come, to the second.

        Raises Busy when other writers hold the lock, or all connections, for too long.
        """
        with Session(self._writing, expire_on_commit=False) as session:
            _take_write_lock(session)
            unit = Unit(session, self.hooks, self.clock)
            yield unit
            unit.flush_hooks()
            session.commit()
            moment = session.info.get("answer_not_before")
        if moment is not None:
            self.clock.wait_until(moment)


class Unit:
    """A unit of work: its session, the time when it began (UTC), and the rows that it has changed so far.

    `now` is the same for the whole unit, so that all rows that it writes agree. See `commit_time` for what readers
    are told about the time of the change.
    """

    def __init__(self, session: Session, hooks: Sequence[Hook], clock: Clock) -> None:
        self.session = session
        self.now = clock.now()
        session.info["clock"] = clock
        self._hooks = hooks
        self._changes: list[Change] = []
        self._follows = False
        event.listen(session, "before_flush", self._note_changes)

    def _note_changes(self, session: Session, *_: object) -> None:
        # What the hooks themselves write is followed by nobody.
        if not self._follows:
            self._changes.extend(_changes_in(session))

    def flush_hooks(self) -> None:
        """Flush, and run the hooks with what was changed since the last time, so that every derived value is right.

        Called before the commit. Code that returns derived values inside the block calls it earlier.
        """
        if self.session.new or self.session.deleted:
            # What a row refers to, its columns tell once it is there.
            self.session.flush()
        else:
            # What the hooks set is written with what they follow.
            self._note_changes(self.session)
        changes = tuple(self._changes)
        self._changes.clear()
        self._follows = True
        try:
            for hook in self._hooks:
                hook(self.session, changes, self.now)
            self.session.flush()
        finally:
            self._follows = False


@cache
def _last_migration() -> str:
    """Return the number of the last migration: they are one line, 0001 onwards."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def is_shown_otherwise(row: Base) -> bool:
    """Say whether anything of a row that others may see was set to something else, and is not flushed yet."""
    return are_shown(type(row), _changed(row))


def are_shown(table: type[Base], fields: Iterable[str]) -> bool:
    """Say whether others may see any of these fields: a relation, or a column that is not private."""
    columns = inspect(table).columns
    return any(not (name in columns and columns[name].info.get("private")) for name in fields)


def commit_time(session: Session, *, began: datetime) -> datetime:
    """Return the current time (UTC) by the clock of a session's unit of work, never one before the unit began.

    Last-Modified goes by this time and not by `Unit.now`: a unit that waited for the write lock, or took long, becomes
    visible to readers only at its commit.
    """
    clock: Clock | None = session.info.get("clock")
    return began if clock is None else max(began, clock.now())


def answer_not_before(session: Session, moment: datetime) -> None:
    """Ask that this unit's caller is answered no earlier than `moment` (UTC)."""
    session.info["answer_not_before"] = max(moment, session.info.get("answer_not_before", moment))


def _changes_in(session: Session) -> Iterator[Change]:
    for row in session.new:
        yield Change(row, "added")
    for row in session.dirty:
        changed = _changed(row)
        if changed:
            before = {name: history.deleted[0] for name, history in changed.items() if history.deleted}
            yield Change(row, "changed", frozenset(changed), before)
    for row in session.deleted:
        yield Change(row, "deleted")


def _changed(row: object) -> dict[str, History]:
    """Return what was set to something else since the row was last loaded or flushed."""
    state = inspect(row)
    histories = {name: state.attrs[name].history for name in list(state.committed_state)}
    return {name: history for name, history in histories.items() if history.has_changes()}


def _take_write_lock(session: Session) -> None:
    try:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(_LOCK_POSTGRESQL, {"within": f"{_LOCK_TIMEOUT_MS}ms", "key": _WRITE_LOCK})
    except (DBAPIError, NoConnectionError) as error:
        raise Busy(Sentence("Too much is being written at this moment; try again in a few seconds.")) from error


def set_up_sqlite(engine: Engine, *pragmas: str) -> None:
    """Run these pragmas on every connection, and begin transactions ourselves.

    With the execution option `eventcal_writes`, a transaction takes the write lock when it begins.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - a DBAPI connection
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
            # Every answer begins with this, which cannot fail; SQLAlchemy's way costs ten times as much.
            connection.connection.cursor().execute("BEGIN").close()
