"""What one worker keeps in its memory: finished responses, what is done after an answer, and the fetches of feeds."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from eventcal.feeds.clients import ClientKind
from eventcal.feeds.fetches import FeedFetches, note_fetches
from eventcal.kit.database import Database
from eventcal.kit.refusals import Busy
from eventcal.web.http.representation import Rendition

_LOG = logging.getLogger(__name__)

# How often a worker writes the fetches of feeds at most.
WRITTEN_EVERY = timedelta(seconds=60)
# How many pairs of feed and program are counted between two writes.
MOST_KEYS = 1000


class RenditionKey(NamedTuple):
    """Which rendition: the URL with its query, the calendar's revision, and the day (UTC), which moves windows."""

    url: str
    generation: int
    day: date

    @classmethod
    def at(cls, url: str, generation: int, moment: datetime) -> "RenditionKey":
        """Return the key of a URL at a moment."""
        return cls(url, generation, moment.astimezone(UTC).date())


def url_of(environ: Mapping[str, str], language: str | None = None) -> str:
    """Return what a request's answer is kept under: its path and query as they came; for a page, in a language."""
    url = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
    return url if language is None else f"{url}#{language}"


class _Cached(NamedTuple):
    """What is cached for a URL; `weight` was found when it had `encoded` content encodings."""

    key: RenditionKey
    rendition: Rendition
    weight: int
    encoded: int


class RenditionCache:
    """The renditions that were asked for last, within a bound in bytes; one for each URL, for all threads."""

    # What a rendition costs beside its bytes, roughly.
    _OVERHEAD = 1000

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Cached] = OrderedDict()
        self._total = 0
        self._turns = tuple(threading.Lock() for _ in range(64))

    def knows(self, url: str) -> bool:
        """Say whether anything is kept for a URL, at whatever state of the data."""
        return url in self._kept

    def get(self, key: RenditionKey) -> Rendition | None:
        """Return what is kept for exactly this key."""
        with self._lock:
            kept = self._kept.get(key.url)
            if kept is None or kept.key != key:
                return None
            if len(kept.rendition.encodings) == kept.encoded:
                self._kept.move_to_end(key.url)
            else:
                self._put(key, kept.rendition)
            return kept.rendition

    def get_earlier(self, key: RenditionKey) -> Rendition | None:
        """Return what is kept for this URL and day, at this state of the data or an earlier one."""
        with self._lock:
            kept = self._kept.get(key.url)
            if kept is None or kept.key.day != key.day or kept.key.generation > key.generation:
                return None
            return kept.rendition

    def put(self, key: RenditionKey, rendition: Rendition) -> None:
        """Keep a rendition in place of an earlier one of its URL, unless it is larger than the bound."""
        with self._lock:
            kept = self._kept.get(key.url)
            if kept is None or (kept.key.day, kept.key.generation) <= (key.day, key.generation):
                self._put(key, rendition)

    def turn(self, key: RenditionKey) -> threading.Lock:
        """Return the lock to hold while making what is kept for a URL: others wait for it instead of making it too."""
        return self._turns[hash(key.url) % len(self._turns)]

    def _put(self, key: RenditionKey, rendition: Rendition) -> None:
        self._drop(key.url)
        encoded = len(rendition.encodings)
        weight = rendition.weight() + len(key.url) + self._OVERHEAD
        if weight > self._largest:
            return
        self._kept[key.url] = _Cached(key, rendition, weight, encoded)
        self._total += weight
        while self._total > self._largest:
            self._drop(next(iter(self._kept)))

    def _drop(self, url: str) -> None:
        kept = self._kept.pop(url, None)
        if kept is not None:
            self._total -= kept.weight


class Afterwards:
    """Does things in their order. The thread starts with the first of them; a worker that ends does the rest first.

    Nothing is done in an answer's `close`: servers call it from threads that they end whatever it does.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        """Use an executor that does one thing at a time; without one, a thread of its own."""
        self.executor = executor or ThreadPoolExecutor(1, thread_name_prefix="afterwards")

    def do(self, job: Callable[[], None]) -> None:
        """Have this done soon. What fails is logged; what comes when the worker is ending is left undone."""
        try:
            self.executor.submit(job).add_done_callback(_log_failure)
        except RuntimeError:
            _LOG.info("not done any more, for the worker is ending: %r", job)


def _log_failure(done: Future[None]) -> None:
    error = done.exception()
    if error is not None:
        _LOG.error("what was to be done after an answer failed", exc_info=error)


class _Count(NamedTuple):
    """The fetches of one feed by one kind of program, under the names of the columns of FeedFetches."""

    first_at: datetime
    last_at: datetime
    last_status: int
    fetches: int = 1
    fetches_today: int = 1


class FetchTally:
    """The fetches of feeds since the last write, by feed and kind of program; for all threads.

    What was counted and not yet written when the process ends is lost; it was only a count.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ClientKind], _Count] = {}
        self._written_at: datetime | None = None

    def note(self, feed: str, client: ClientKind, *, status: int, moment: datetime) -> bool:
        """Count a fetch: what the feed is counted under, who came, how it was answered, and when.

        Returns whether it is time to `write`, which is said to one caller alone.
        """
        with self._lock:
            self._add((feed, client), _Count(moment, moment, status))
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
                rows = [
                    FeedFetches(feed=feed, client=kind, **count._asdict()) for (feed, kind), count in counts.items()
                ]
                note_fetches(unit.session, rows)
        except (Busy, SQLAlchemyError):
            # The reader has been answered, and is not to hear of it.
            _LOG.warning("the fetches of feeds were not written down; the next time will do", exc_info=True)
            with self._lock:
                later, self._counts = self._counts, counts
                for key, count in later.items():
                    self._add(key, count)

    def _add(self, key: tuple[str, ClientKind], new: _Count) -> None:
        known = self._counts.get(key)
        if known is not None:
            same_day = new.last_at.date() == known.last_at.date()
            self._counts[key] = new._replace(
                first_at=known.first_at,
                fetches=known.fetches + new.fetches,
                fetches_today=new.fetches_today + (known.fetches_today if same_day else 0),
            )
        elif len(self._counts) < MOST_KEYS:
            self._counts[key] = new
