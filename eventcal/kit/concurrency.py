"""Limits on the number of threads that perform an operation that can block, such as waiting for a lock."""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

from eventcal.kit.errors import Message, Overloaded

_OVERLOADED = Message("The server is busy with other requests. Try again in a few seconds.")


class ConcurrencyLimiter:
    """Limits how many threads hold a slot at the same time. Waiting threads get slots in the order of their arrival.

    Up to `max_waiting` threads wait for a slot, each for up to `wait_seconds`. With `per_key`, each key, such as a
    client address, has at most this number of slots and waiting threads. A thread that holds or waits for a slot also
    holds a slot of `budget`, which limits the total of several limiters.

    `refused` and `timed_out` count the calls of `slot` that have failed at once and after waiting.
    """

    def __init__(
        self,
        name: str,
        *,
        limit: int,
        max_waiting: int = 0,
        wait_seconds: float = 0.0,
        per_key: int | None = None,
        budget: "ConcurrencyLimiter | None" = None,
    ) -> None:
        self.name = name
        self.limit = limit
        self.running = self.refused = self.timed_out = 0
        self._max_waiting, self._wait_seconds, self._per_key = max_waiting, wait_seconds, per_key
        self.budget = budget
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._threads_by_key: Counter[str] = Counter()
        self._held_by_thread = threading.local()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @contextmanager
    def slot(self, key: str | None = None) -> Iterator[None]:
        """Hold a slot during the block. A thread that already holds a slot does not need another one.

        Raises Overloaded if too many threads hold or wait for slots, or if no slot becomes free in time.
        """
        held = self._held_by_thread
        if getattr(held, "is_held", False):
            yield
            return
        with self.budget.slot() if self.budget is not None else nullcontext():
            self._acquire(key)
            held.is_held = True
            try:
                yield
            finally:
                held.is_held = False
                self._release(key)

    def acquire(self, key: str | None = None) -> ExitStack:
        """Acquire a slot that is not bound to this thread. Any thread can release the slot by closing the result.

        Raises Overloaded in the same cases as `slot`.
        """
        with ExitStack() as slot:
            if self.budget is not None:
                slot.enter_context(self.budget.acquire())
            self._acquire(key)
            slot.callback(self._release, key)
            return slot.pop_all()

    def _acquire(self, key: str | None) -> None:
        with self._lock:
            is_key_exhausted = (
                self._per_key is not None and key is not None and self._threads_by_key[key] >= self._per_key
            )
            if is_key_exhausted or (self.running >= self.limit and len(self._waiting) >= self._max_waiting):
                self.refused += 1
                raise Overloaded(_OVERLOADED)
            if key is not None:
                self._threads_by_key[key] += 1
            if self.running < self.limit:
                self.running += 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=self._wait_seconds):
            return
        with self._lock:
            # The slot may have been handed over after the timeout.
            if turn in self._waiting:
                self._waiting.remove(turn)
                self._forget(key)
                self.timed_out += 1
                raise Overloaded(_OVERLOADED)

    def _release(self, key: str | None) -> None:
        with self._lock:
            self._forget(key)
            if self._waiting:
                # The slot is handed over, so that no thread that arrives later can take it.
                self._waiting.popleft().release()
            else:
                self.running -= 1

    def _forget(self, key: str | None) -> None:
        if key is not None:
            self._threads_by_key[key] -= 1
            if not self._threads_by_key[key]:
                del self._threads_by_key[key]
