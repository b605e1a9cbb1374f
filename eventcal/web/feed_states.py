"""The feed state of a request, and the database from which its document is rendered.

With a standby, requests without credentials read from it where that cannot be noticed. See
docs/decisions/0017-standby.md.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Boolean, Connection, func
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from eventcal.feeds.index.models import FEED_STATE_SELECT, FeedState
from eventcal.kit.database import Database
from eventcal.kit.errors import DatabaseBusy
from eventcal.kit.row_reader import create_row_reader
from eventcal.kit.shared_counters import SharedCounters
from eventcal.metrics import READS, STANDBY_SKIPS, format_series

Result = TypeVar("Result")

CHECK_INTERVAL = 1.0
"""The time in seconds after which a worker asks the primary for its feed state, although it could use the standby."""
PAUSE = 10.0
"""The time in seconds for which a worker does not use a standby that cannot be used."""

_LOG = logging.getLogger(__name__)
_STANDBY_SELECT = FEED_STATE_SELECT.add_columns(func.pg_is_in_recovery(type_=Boolean))


class FeedStates:
    """Reads the feed state from the primary database, which is the only one.

    `has_standby`: whether to call `note_primary_read` after a read and `note_commit` after a commit.
    """

    has_standby = False

    def __init__(self, database: Database) -> None:
        self.primary_reader = create_row_reader(database, FEED_STATE_SELECT)

    def read(self, _environ: Mapping[str, Any]) -> FeedState:
        """Return a state for a GET or HEAD request. Raises DatabaseBusy or SQLAlchemyError."""
        row, generation = self.primary_reader.read_row_and_generation()
        return FeedState._make((*row, generation, False))

    def read_primary(self) -> FeedState:
        """Return the current state. Raises DatabaseBusy or SQLAlchemyError."""
        return FeedStates.read(self, {})

    def confirm(self, state: FeedState) -> FeedState:
        """Return a state that is not older than anything that a client has seen. Raises like `read_primary`."""
        return state

    def note_primary_read(self) -> None:
        """Note that the response can contain anything that is in the primary database. Raises like `read_primary`."""

    def note_commit(self) -> None:
        """Note that the response can tell of a change that was just committed."""

    def render_from_standby(
        self, _render: Callable[[Session], Result], _state: FeedState, _environ: Mapping[str, Any]
    ) -> Result | None:
        """Return what is rendered from a snapshot of a standby that is at least as new as `state`, or None."""
        return None


class _Skip(StrEnum):
    """The reasons for which a request does not use the standby."""

    UNAVAILABLE = "unavailable"
    NO_STANDBY = "no-standby"
    OTHER_EPOCH = "other-epoch"
    BEHIND = "behind"
    AHEAD = "ahead"


_COUNTERS = (
    *(format_series(READS, source=source) for source in ("primary", "standby")),
    *(format_series(STANDBY_SKIPS, reason=reason) for reason in _Skip),
)
_FROM_PRIMARY, _FROM_STANDBY = 0, 1
_SKIP_INDEXES = {reason: index for index, reason in enumerate(_Skip, start=2)}


class FeedStatesWithStandby(FeedStates):
    """Reads from a standby, unless a client could notice that the standby is behind the primary.

    The floor is the latest epoch and revision of the primary that a response of this worker can contain.
    """

    has_standby = True

    def __init__(
        self,
        database: Database,
        standby: Database,
        *,
        counters: SharedCounters | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(database)
        self.standby = standby
        self.monotonic = monotonic
        self._counters = counters
        self._standby_reader = create_row_reader(standby, _STANDBY_SELECT)
        self._lock = threading.Lock()
        self._floor: FeedState | None = None
        self._next_check = monotonic()
        self._is_paused = False
        self._next_attempt = monotonic()

    def read(self, environ: Mapping[str, Any]) -> FeedState:
        """Return the state of the standby if it is not behind, or else the state of the primary.

        The state of the standby is provisional: it can be older than a version that the client has.
        """
        found = None
        if not _names_member_or_position(environ):
            found = self._find_standby_state()
        if found is None:
            self._count(_FROM_PRIMARY)
            return self.read_primary()
        self._count(_FROM_STANDBY)
        return found

    def read_primary(self) -> FeedState:
        """Return the current state of the primary, which becomes the floor."""
        state = super().read_primary()
        self._raise_floor(state)
        return state

    def confirm(self, state: FeedState) -> FeedState:
        """Return the state of the primary. Raises like `read_primary`."""
        return self.read_primary() if state.is_provisional else state

    def note_primary_read(self) -> None:
        """Raise the floor to the state of the primary. Raises like `read_primary`."""
        self.read_primary()

    def note_commit(self) -> None:
        """Raise the floor. If the primary cannot be read, the standby is not used until it can be read again."""
        try:
            self.read_primary()
        except (DatabaseBusy, SQLAlchemyError):
            with self._lock:
                self._floor = None

    def render_from_standby(
        self, render: Callable[[Session], Result], state: FeedState, environ: Mapping[str, Any]
    ) -> Result | None:
        """Return what is rendered from the standby, or None if it is not as new as `state`, or cannot be used."""
        if _names_member(environ) or self._is_paused:
            return None
        try:
            with self.standby.read_session() as session:
                found, is_standby = _read_state_of_standby(session.connection())
                if not is_standby or found.epoch != state.epoch or found.revision < state.revision:
                    return None
                # The snapshot can be newer than the state that the standby had when the request began.
                self._raise_floor(found)
                return render(session)
        except (DatabaseBusy, SQLAlchemyError):
            return None

    def _find_standby_state(self) -> FeedState | None:
        """Return the state of the standby, or None if the standby must not be used for this request."""
        floor = self._floor
        if floor is None or not self._may_attempt():
            return None
        try:
            row, _ = self._standby_reader.read_row_and_generation()
        except (DatabaseBusy, SQLAlchemyError) as error:
            self._pause(_Skip.UNAVAILABLE, str(error))
            return None
        # The primary's generation tells whether cached responses are from another database.
        found = FeedState._make((*row[:-1], self.primary_reader.generation, True))
        if not row[-1]:
            self._pause(_Skip.NO_STANDBY, "The server is not a standby.")
            return None
        self._is_paused = False
        if self.monotonic() >= self._next_check:
            floor = self._check_primary(found)
            if floor is None:
                return None
        reason = _reason_to_skip(found, floor)
        if reason is not None:
            self._count(_SKIP_INDEXES[reason])
            return None
        return found

    def _check_primary(self, found: FeedState) -> FeedState | None:
        """Return the floor after reading the primary, or None if the standby is ahead and thus follows another server.

        While the primary cannot be read, the floor remains.
        """
        self._next_check = self.monotonic() + CHECK_INTERVAL
        try:
            latest = self.read_primary()
        except (DatabaseBusy, SQLAlchemyError):
            self._next_check = self.monotonic() + PAUSE
            return self._floor
        if found.epoch == latest.epoch and found.revision > latest.revision:
            self._pause(_Skip.AHEAD, "The server has changes that the primary does not have.")
            return None
        return self._floor

    def _raise_floor(self, state: FeedState) -> None:
        floor = self._floor
        if floor is not None and floor.epoch == state.epoch and floor.revision >= state.revision:
            return
        with self._lock:
            if self._floor is None or _position(state) > _position(self._floor):
                self._floor = state

    def _may_attempt(self) -> bool:
        """Return whether to ask the standby: always, or once per pause."""
        if not self._is_paused:
            return True
        with self._lock:
            if self.monotonic() < self._next_attempt:
                return False
            self._next_attempt = self.monotonic() + PAUSE
            return True

    def _pause(self, reason: _Skip, cause: str) -> None:
        self._count(_SKIP_INDEXES[reason])
        with self._lock:
            was_paused, self._is_paused = self._is_paused, True
            self._next_attempt = self.monotonic() + PAUSE
        # A URL with several hosts can lead to another standby.
        self.standby.engine.dispose()
        if not was_paused:
            _LOG.warning("The standby is not used until it is available: %s", cause)

    def _count(self, index: int) -> None:
        if self._counters is not None:
            self._counters.increment(index)


def create_read_counters(folder: Path) -> SharedCounters:
    return SharedCounters(folder, _COUNTERS)


def _position(state: FeedState) -> tuple[Any, int]:
    """Return a value that never decreases while the database is in use."""
    return state.epoch_started_at, state.revision


def _reason_to_skip(found: FeedState, floor: FeedState) -> _Skip | None:
    if found.epoch != floor.epoch:
        return _Skip.OTHER_EPOCH
    return _Skip.BEHIND if found.revision < floor.revision else None


def _read_state_of_standby(connection: Connection) -> tuple[FeedState, bool]:
    *columns, is_standby = connection.execute(_STANDBY_SELECT).one()
    return FeedState(*columns), is_standby


def _names_member(environ: Mapping[str, Any]) -> bool:
    return "HTTP_COOKIE" in environ or "HTTP_AUTHORIZATION" in environ


def _names_member_or_position(environ: Mapping[str, Any]) -> bool:
    """Return whether the request has credentials, or a date or cursor from an earlier response of any worker.

    An entity tag is compared with the response: if it matches, the client has this version.
    """
    query = environ.get("QUERY_STRING", "")
    return (
        _names_member(environ)
        or ("HTTP_IF_MODIFIED_SINCE" in environ and "HTTP_IF_NONE_MATCH" not in environ)
        or "cursor=" in query
        or "since=" in query
    )
