"""The in-memory state of a worker: the background tasks, and the counts of feed fetches, responses and refusals."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from eventcal.feeds.clients import ClientKind
from eventcal.feeds.fetch_counts import FeedFetches, record_fetches
from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.database import Database
from eventcal.kit.errors import DatabaseBusy
from eventcal.kit.shared_counters import SharedCounters
from eventcal.metrics import REFUSALS, REQUESTS, format_series

_LOG = logging.getLogger(__name__)

FLUSH_INTERVAL = timedelta(seconds=60)
# The maximum number of (feed, client) pairs whose fetches are counted in memory.
MAX_COUNTERS = 1000


class BackgroundThread:
    """A queue of background tasks that run in a thread. Pending tasks are completed before the process exits.

    Background tasks do not run in `Response.close`, because servers can end the thread that calls `close` at any time.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        """`executor` must run one task at a time. The default executor is a new thread pool with one thread."""
        self.executor = executor or ThreadPoolExecutor(1, thread_name_prefix="afterwards")

    def submit(self, task: Callable[[], None]) -> None:
        """Schedule a task, which is dropped if the process is exiting. Exceptions that the task raises are logged."""
        try:
            self.executor.submit(task).add_done_callback(_log_task_failure)
        except RuntimeError:
            _LOG.info("task dropped, because the worker is shutting down: %r", task)


def _log_task_failure(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        _LOG.error("a background task failed", exc_info=error)


class _FetchCount(NamedTuple):
    """Statistics on the fetches of a feed by one kind of client. The fields are named after columns of FeedFetches."""

    first_at: datetime
    last_at: datetime
    last_status: int
    fetches: int = 1
    fetches_today: int = 1


class FetchCounter:
    """Thread-safe counts of feed fetches since the last write to the database, by feed and kind of client.

    Counts that have not been written are lost when the process exits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ClientKind], _FetchCount] = {}
        self._written_at: datetime | None = None

    def increment(self, feed_key: str, client: ClientKind, *, status: int, now: datetime) -> bool:
        """Count a fetch, and return whether to flush the counts. Only one of several concurrent calls returns True."""
        with self._lock:
            self._merge_count((feed_key, client), _FetchCount(now, now, status))
            written_at = self._written_at
            # If the system clock has been set back, `written_at` is in the future, and the counts are flushed.
            if written_at is not None and written_at <= now < written_at + FLUSH_INTERVAL:
                return False
            self._written_at = now
            return True

    def flush(self, database: Database) -> None:
        """Write the counts to the database in a separate unit of work. If writing fails, the counts stay in memory."""
        with self._lock:
            batch, self._counts = self._counts, {}
        if not batch:
            return
        try:
            with database.unit_of_work() as unit:
                rows = [FeedFetches(feed=feed, client=kind, **count._asdict()) for (feed, kind), count in batch.items()]
                record_fetches(unit.session, rows)
        except (DatabaseBusy, SQLAlchemyError):
            # The response has already been sent, so a database error is only logged.
            _LOG.warning("feed fetches could not be stored; they will be retried", exc_info=True)
            with self._lock:
                later, self._counts = self._counts, batch
                for key, count in later.items():
                    self._merge_count(key, count)

    def _merge_count(self, key: tuple[str, ClientKind], new: _FetchCount) -> None:
        known = self._counts.get(key)
        if known is not None:
            same_day = new.last_at.date() == known.last_at.date()
            # The constructor is three times as fast as `_replace`, and a count is updated by every poll.
            self._counts[key] = _FetchCount(
                known.first_at,
                new.last_at,
                new.last_status,
                known.fetches + new.fetches,
                new.fetches_today + (known.fetches_today if same_day else 0),
            )
        elif len(self._counts) < MAX_COUNTERS:
            self._counts[key] = new


UNKNOWN_ROUTE = "unknown"
"""The route of requests that match no URL rule."""


class RequestCounter:
    """Thread-safe counts of responses by route and class of status code, and of the refusals of each limiter."""

    def __init__(self, folder: Path, routes: Iterable[str], limiters: Sequence[ConcurrencyLimiter]) -> None:
        self._limiters = limiters
        keys = list(product(sorted({*routes, UNKNOWN_ROUTE}), range(1, 6)))
        self._indexes = {key: index for index, key in enumerate(keys)}
        names = [format_series(REQUESTS, route=route, status=f"{digit}xx") for route, digit in keys]
        self._first_refusals = len(names)
        for limiter, reason in product(limiters, ("full", "timeout")):
            names.append(format_series(REFUSALS, limiter=limiter.name, reason=reason))
        self._counters = SharedCounters(folder, names)

    def count_response(self, route: str, status: int) -> None:
        self._counters.increment(self._indexes[route, status // 100])

    def update_refusals(self) -> None:
        """Copy the counts of the limiters to the counters that are shared with other processes."""
        values = (value for limiter in self._limiters for value in (limiter.refused, limiter.timed_out))
        for index, value in enumerate(values, start=self._first_refusals):
            self._counters.set(index, value)
