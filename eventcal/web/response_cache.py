"""The response cache of a worker process, which stores representations and the responses created from them."""

import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import NamedTuple

from eventcal.feeds.index.models import FeedState
from eventcal.web.http.conditional import ConditionalResponse, evaluate_conditions
from eventcal.web.http.representation import Representation


class ResponseKey(NamedTuple):
    """A cache key. The key contains the day (UTC), because the default period of feeds advances every day."""

    url: str
    database_generation: int
    day: date
    epoch: str
    revision: int

    @classmethod
    def build(cls, url: str, state: FeedState, now: datetime) -> "ResponseKey":
        return cls(url, state.database_generation, now.astimezone(UTC).date(), state.epoch, state.revision)

    def is_newer_than(self, other: "ResponseKey") -> bool:
        """Return whether this key is newer. Keys of different epochs cannot be compared, because epochs are random."""
        return self.epoch == other.epoch and self > other


def request_url(environ: Mapping[str, str], language: str | None = None) -> str:
    """Return the URL under which the response to a request is cached. Each language of a page is cached separately."""
    url = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
    return url if language is None else f"{url}#{language}"


class CachedRepresentation:
    """A cached representation, and its responses to recent combinations of request headers.

    `cost` is the CPU time in seconds for rendering the representation. `size` is the memory size in bytes.
    """

    _MAX_RESPONSES = 8
    _MAX_HEADERS_LENGTH = 300
    # The approximate memory overhead in bytes.
    _OVERHEAD = 1000
    _RESPONSE_OVERHEAD = 1000

    def __init__(self, key: ResponseKey, representation: Representation, cost: float) -> None:
        self.key = key
        self.representation = representation
        self.cost = cost
        self.priority = 0.0
        self.size = 0
        self._measured_parts = 0
        self._responses: dict[tuple[str | None, ...], tuple[datetime, ConditionalResponse]] = {}

    def respond(self, environ: Mapping[str, str], now: datetime) -> ConditionalResponse:
        """Return the response to a GET or HEAD request. `now` must be on the day of the cache key."""
        headers = (
            environ.get("HTTP_ACCEPT_ENCODING"),
            environ.get("HTTP_IF_NONE_MATCH"),
            environ.get("HTTP_IF_MODIFIED_SINCE"),
        )
        stored = self._responses.get(headers)
        if stored is not None and stored[0] <= now:
            return stored[1]
        response = evaluate_conditions(self.representation, environ, now)
        constant_from = response.constant_from
        if constant_from is not None and sum(len(value or "") for value in headers) <= self._MAX_HEADERS_LENGTH:
            if len(self._responses) >= self._MAX_RESPONSES:
                self._responses.clear()
            self._responses[headers] = constant_from, response
        return response

    def has_grown(self) -> bool:
        """Return whether an encoded body or a response was added since the size was measured."""
        return len(self.representation.encodings) + len(self._responses) > self._measured_parts

    def drop_encoded_bodies(self) -> None:
        self.representation.encodings.clear()
        self._responses.clear()

    def measure(self) -> None:
        """Update the size."""
        responses = len(self._responses)
        self._measured_parts = len(self.representation.encodings) + responses
        self.size = (
            self.representation.memory_size() + len(self.key.url) + self._OVERHEAD + responses * self._RESPONSE_OVERHEAD
        )


class ResponseCache:
    """A thread-safe cache of representations with one entry per URL, limited to `max_size` bytes.

    The cache evicts the representations that are cheapest to render in relation to their size, unless they have been
    requested recently. See Cao and Irani, "Cost-Aware WWW Proxy Caching Algorithms" (1997): GreedyDual-Size.
    """

    # Several entries are evicted together, so that the cost of sorting the entries is shared.
    _SIZE_AFTER_EVICTION = 0.9

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._lock = threading.Lock()
        self._entries: dict[str, CachedRepresentation] = {}
        self._total_size = 0
        self._last_evicted_priority = 0.0
        self._render_locks = tuple(threading.Lock() for _ in range(64))

    def has_url(self, url: str) -> bool:
        return url in self._entries

    def get(self, key: ResponseKey) -> CachedRepresentation | None:
        entry = self._entries.get(key.url)
        if entry is None or entry.key != key:
            return None
        if entry.has_grown():
            self._store(entry)
        self._update_priority(entry)
        return entry

    def get_same_or_earlier(self, key: ResponseKey) -> Representation | None:
        """Return the representation cached for the URL and day under the same or an earlier revision, or None."""
        entry = self._entries.get(key.url)
        if entry is None or entry.key[:-1] != key[:-1] or entry.key.revision > key.revision:
            return None
        return entry.representation

    def put(self, key: ResponseKey, representation: Representation, *, cost: float) -> None:
        """Cache a representation unless it exceeds the size limit or a newer representation is cached for the URL."""
        self._store(CachedRepresentation(key, representation, cost))

    def get_render_lock(self, key: ResponseKey) -> threading.Lock:
        """Return the lock that prevents concurrent requests from rendering the same document."""
        return self._render_locks[hash(key.url) % len(self._render_locks)]

    def _store(self, entry: CachedRepresentation) -> None:
        url = entry.key.url
        with self._lock:
            previous = self._entries.get(url)
            if previous is not None:
                if previous.key.is_newer_than(entry.key):
                    return
                self._remove(previous)
                # After an eviction, the representation cannot be rendered incrementally.
                entry.cost = max(entry.cost, previous.cost)
            entry.measure()
            if entry.size > self._max_size:
                # Encoding a body takes less time than rendering the representation again.
                entry.drop_encoded_bodies()
                entry.measure()
            if entry.size > self._max_size:
                return
            self._entries[url] = entry
            self._total_size += entry.size
            self._update_priority(entry)
            if self._total_size > self._max_size:
                self._evict()

    def _evict(self) -> None:
        for entry in sorted(self._entries.values(), key=attrgetter("priority")):
            self._remove(entry)
            self._last_evicted_priority = entry.priority
            if self._total_size <= self._max_size * self._SIZE_AFTER_EVICTION:
                break

    def _remove(self, entry: CachedRepresentation) -> None:
        del self._entries[entry.key.url]
        self._total_size -= entry.size

    def _update_priority(self, entry: CachedRepresentation) -> None:
        entry.priority = self._last_evicted_priority + entry.cost / entry.size
