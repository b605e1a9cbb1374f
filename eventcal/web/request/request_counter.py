"""Counters of requests within a moving window, in the memory of a worker or in Redis."""

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from typing import cast

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import RedisStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.errors import Overloaded

_LOG = logging.getLogger(__name__)

# If a client needs this many keys, its oldest counters are dropped.
_MAX_KEYS = 20_000
_REDIS_TIMEOUT_SECONDS = 0.25
# After an error, Redis is not used for this time, so that few requests wait for a timeout.
_REDIS_PAUSE_SECONDS = 60.0


class MemoryCounter:
    """A thread-safe counter in memory, with a limited number of keys. `monotonic` returns a time in seconds.

    The in-memory storage of limits starts a thread for each request, which fails in a burst, and never removes a key.
    """

    def __init__(self, *, max_keys: int = _MAX_KEYS, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._max_keys, self._monotonic = max_keys, monotonic
        self._lock = threading.Lock()
        # The times of the requests by key. The keys are ordered by the time of their last request.
        self._times: dict[str, list[float]] = {}

    def __len__(self) -> int:
        return len(self._times)

    def hit(self, limit: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Count a request, which counts as `cost` requests, and return whether it is within the limit."""
        key, now = limit.key_for(*identifiers), self._monotonic()
        with self._lock:
            times = self._times.pop(key, [])
            del times[: bisect_right(times, now - limit.get_expiry())]
            is_allowed = len(times) + cost <= limit.amount
            if is_allowed:
                times.extend([now] * cost)
            self._times[key] = times
            if len(self._times) > self._max_keys:
                del self._times[next(iter(self._times))]
        return is_allowed


class RedisCounter:
    """A counter in Redis that all workers share. While Redis does not respond, each worker counts for itself.

    `slots` limits how many threads wait for Redis.
    """

    def __init__(self, url: str, *, slots: ConcurrencyLimiter, monotonic: Callable[[], float] = time.monotonic) -> None:
        # Importing redis takes time and memory, which is only needed if Redis is configured.
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        storage = storage_from_string(
            url,
            wrap_exceptions=True,
            socket_timeout=_REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        )
        cast("RedisStorage", storage).storage.set_retry(Retry(NoBackoff(), 0))
        self._redis = MovingWindowRateLimiter(storage)
        self._memory = MemoryCounter(monotonic=monotonic)
        self._slots, self._monotonic = slots, monotonic
        self._paused_until = monotonic()

    def hit(self, limit: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Count a request like `MemoryCounter.hit`."""
        if self._monotonic() >= self._paused_until:
            try:
                with self._slots.slot():
                    return self._redis.hit(limit, *identifiers, cost=cost)
            except Overloaded:
                # The threads that hold the slots find out whether Redis responds.
                pass
            except StorageError as error:
                self._paused_until = self._monotonic() + _REDIS_PAUSE_SECONDS
                _LOG.warning(
                    "Redis does not respond; this worker counts requests by itself for %d seconds: %s",
                    _REDIS_PAUSE_SECONDS,
                    error,
                )
        return self._memory.hit(limit, *identifiers, cost=cost)
