"""How long a worker keeps representations: the cache of finished responses."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from eventcal.web.http.representation import Rendition


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
    """What is cached for a URL; `weight` was found when its content encodings had `encoded` bytes."""

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
            if kept.rendition.encodings.size == kept.encoded:
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
        encoded = rendition.encodings.size
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
