"""The database: its base class and column types, and the unit of work that alone ends a transaction.

A unit that writes takes the one write lock first, on both databases: BEGIN IMMEDIATE on SQLite, an advisory lock
on PostgreSQL. Writers follow one another, so a check made inside a unit still holds when it commits, and the
revisions handed out at its end are in commit order. See docs/decisions/0004-one-writer.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

from sqlalchemy import JSON, DateTime, Dialect, Engine, Enum, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.orm.attributes import History
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from eventcal.kit.clock import Clock
from eventcal.kit.refusals import Busy, Sentence

# The advisory lock that writers on PostgreSQL take; any number would do, as long as it stays the same.
_WRITE_LOCK = 0x6576636C
_LOCK_TIMEOUT_MS = 15_000
# In one statement, for each is a way to another process and back; for this transaction alone.
_LOCK_POSTGRESQL = text("SELECT set_config('lock_timeout', :within, true), pg_advisory_xact_lock(:key)")

# A column so marked is nobody's business outside: a change to it alone is no change to the public.
PRIVATE: dict[Any, Any] = {"private": True}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database, whatever the database thinks of time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into UTC; a naive one is a mistake of ours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs its zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table stands on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        list[str]: JSON,
        dict[str, Any]: JSON,
    }


def word_column(words: type[StrEnum], *, default: StrEnum | None = None) -> Any:  # noqa: ANN401 - typed by Mapped
    """Return a column that holds one of `words`, stored as the word itself."""
    kind = Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda e: [w.value for w in e],
    )
    return mapped_column(kind, default=default) if default is not None else mapped_column(kind)


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
            _set_up_sqlite(self.engine)
            self._reading = self._glancing = self.engine
        else:
            # Several statements of one reader must see one moment: a version and the rows that it describes.
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # One statement by itself needs no transaction, whose begin and end are two more on the way.
            self._glancing = self.engine.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=True)
        self._writing = self.engine.execution_options(eventcal_writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one moment of the database and changes nothing."""
        with Session(self._reading, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give a bare connection for reading: a version is asked for far more often than the rows behind it."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Give a bare connection for one statement that reads."""
        with self._glancing.connect() as connection:
            yield connection

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


def _set_up_sqlite(engine: Engine) -> None:
    """Let us say BEGIN ourselves, keep foreign keys, write ahead, and let an answered write outlive the power."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {_LOCK_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("eventcal_writes", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            # Every answer begins with this, which cannot fail; SQLAlchemy's way costs ten times as much.
            connection.connection.cursor().execute("BEGIN").close()
