"""The limits on operations that can block the threads of a worker.

A part of the threads always remains free for requests that do not block, such as requests for cached feeds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import Self

from eventcal.kit.concurrency import ConcurrencyLimiter

THREADS_PER_WORKER = 16
# No thread waits for a pooled database connection. Background tasks use one of the spare connections.
POOLED_CONNECTIONS = THREADS_PER_WORKER + 4
# The number of threads that may hold or wait for slots, and of those that may wait briefly for a share of this number.
_BLOCKED_THREADS, _WAITING_THREADS = 10, 2
_SHORT_WAIT_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Limiters:
    """The limiters of a worker, by kind of operation.

    `request_bodies`: reading the body of a request. `writes`: a unit of work, including the wait for the write lock.
    `images`: decoding an uploaded image. `feed_checks`: checking a feed. `renders`: rendering a document that is not
    cached. `redis`: a command to Redis. `slow_answers`: waiting for a PostgreSQL server that does not answer at once.
    """

    request_bodies: ConcurrencyLimiter
    writes: ConcurrencyLimiter
    images: ConcurrencyLimiter
    feed_checks: ConcurrencyLimiter
    renders: ConcurrencyLimiter
    redis: ConcurrencyLimiter
    slow_answers: ConcurrencyLimiter

    @classmethod
    def create(cls) -> Self:
        limiter = partial(
            ConcurrencyLimiter,
            wait_seconds=_SHORT_WAIT_SECONDS,
            budget=ConcurrencyLimiter(
                "blocked threads",
                limit=_BLOCKED_THREADS,
                max_waiting=_WAITING_THREADS,
                wait_seconds=_SHORT_WAIT_SECONDS,
            ),
        )
        return cls(
            request_bodies=limiter("request bodies", limit=6, per_key=2),
            writes=limiter("writes", limit=8, max_waiting=2),
            images=limiter("images", limit=1, max_waiting=2),
            feed_checks=limiter("feed checks", limit=1, max_waiting=1),
            renders=limiter("renders", limit=8, max_waiting=2),
            redis=limiter("redis", limit=2, max_waiting=2),
            slow_answers=limiter("slow answers", limit=6),
        )

    def all(self) -> Iterator[ConcurrencyLimiter]:
        for field in fields(self):
            yield getattr(self, field.name)

    def all_and_budgets(self) -> set[ConcurrencyLimiter]:
        """Return all limiters, including those that limit the total of several limiters."""
        limiters = set(self.all())
        return limiters | {limiter.budget for limiter in limiters if limiter.budget is not None}
