"""Counts fetches of feeds in this worker's memory, and writes them down now and then, so that no reader pays for it.

What was counted and not yet written when the process ends is lost; it was only a count.
"""

import logging
import threading
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from eventcal.feeds.clients import ClientKind
from eventcal.feeds.fetches import FeedFetches, note_fetches
from eventcal.kit.database import Database
from eventcal.kit.refusals import Busy

_LOG = logging.getLogger(__name__)

WRITTEN_EVERY = timedelta(seconds=60)
"""How often a worker writes at most."""

MOST_KEYS = 1000
"""How many pairs of feed and program are counted between two writes."""


class FetchTally:
    """The fetches since the last write, by feed and kind of program; for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ClientKind], _Count] = {}
        self._written_at: datetime | None = None

    def note(self, feed: str, client: ClientKind, *, status: int, moment: datetime) -> bool:
        """Count a fetch: what the feed is counted under, who came, how it was answered, and when.

        Returns whether it is time to `write`, which is said to one caller alone.
        """
        with self._lock:
            count = self._counts.get((feed, client))
            if count is not None:
                count.add(moment, status)
            elif len(self._counts) < MOST_KEYS:
                self._counts[feed, client] = _Count(moment, status)
            written_at = self._written_at
            # A clock that was set back must not stop the writing.
            if written_at is not None and written_at <= moment < written_at + WRITTEN_EVERY:
                return False
            self._written_at = moment
            return True

    def write(self, database: Database) -> None:
        """Write down what was counted, in a unit of work of its own; where too much else is written, the next time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            with database.unit_of_work() as unit:
                note_fetches(unit.session, [count.told(*key) for key, count in counts.items()])
        except (Busy, SQLAlchemyError):
            # The reader has been answered, and is not to hear of it.
            _LOG.warning("the fetches of feeds were not written down; the next time will do", exc_info=True)
            self._put_back(counts)

    def _put_back(self, counts: "dict[tuple[str, ClientKind], _Count]") -> None:
        with self._lock:
            for key, later in self._counts.items():
                if key in counts:
                    counts[key].join(later)
                elif len(counts) < MOST_KEYS:
                    counts[key] = later
            self._counts = counts


class _Count:
    """The fetches of one feed by one kind of program."""

    __slots__ = ("fetches", "first_at", "last_at", "status", "today")

    def __init__(self, moment: datetime, status: int) -> None:
        self.first_at = self.last_at = moment
        self.status = status
        self.fetches = self.today = 1

    def add(self, moment: datetime, status: int) -> None:
        self.today = self.today + 1 if moment.date() == self.last_at.date() else 1
        self.fetches += 1
        self.last_at = moment
        self.status = status

    def join(self, later: "_Count") -> None:
        same_day = later.last_at.date() == self.last_at.date()
        self.today = self.today + later.today if same_day else later.today
        self.fetches += later.fetches
        self.last_at = later.last_at
        self.status = later.status

    def told(self, feed: str, client: ClientKind) -> FeedFetches:
        return FeedFetches(
            feed=feed,
            client=client,
            first_at=self.first_at,
            last_at=self.last_at,
            last_status=self.status,
            fetches=self.fetches,
            fetches_today=self.today,
        )
