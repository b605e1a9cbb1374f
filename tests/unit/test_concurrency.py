"""Limits on concurrent operations: how many threads hold slots, in which order, and who is refused."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.errors import Overloaded
from eventcal.web.limiters import THREADS_PER_WORKER, Limiters

_LONG = 30.0


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as executor:
        yield executor


def _wait_until_waiting(limiter: ConcurrencyLimiter, count: int) -> None:
    while limiter.waiting < count:
        threading.Event().wait(0.001)


def _hold_slot(
    threads: ThreadPoolExecutor, limiter: ConcurrencyLimiter, release: threading.Event, *, key: str | None = None
) -> Future[None]:
    """Hold a slot in another thread until `release` is set. Returns when the thread holds the slot or has failed."""
    entered = threading.Event()

    def hold() -> None:
        try:
            with limiter.slot(key):
                entered.set()
                release.wait(_LONG)
        finally:
            entered.set()

    future = threads.submit(hold)
    entered.wait(_LONG)
    return future


def test_slots_above_the_limit_are_refused(threads: ThreadPoolExecutor) -> None:
    limiter, release = ConcurrencyLimiter("test", limit=2), threading.Event()
    held = [_hold_slot(threads, limiter, release) for _ in range(2)]
    assert limiter.running == 2
    with pytest.raises(Overloaded), limiter.slot():
        pass
    assert limiter.refused == 1
    release.set()
    assert [one.result(_LONG) for one in held] == [None, None]
    with limiter.slot():
        assert limiter.running == 1
    assert limiter.running == 0


def test_waiting_threads_get_slots_in_order_of_arrival(threads: ThreadPoolExecutor) -> None:
    limiter = ConcurrencyLimiter("test", limit=1, max_waiting=10, wait_seconds=_LONG)
    release, order = threading.Event(), list[int]()

    def take(number: int) -> None:
        with limiter.slot():
            order.append(number)

    first = _hold_slot(threads, limiter, release)
    later = []
    for number in range(10):
        later.append(threads.submit(take, number))
        _wait_until_waiting(limiter, number + 1)
    release.set()
    for one in (first, *later):
        one.result(_LONG)
    assert order == list(range(10))


def test_more_waiting_threads_than_allowed_are_refused(threads: ThreadPoolExecutor) -> None:
    limiter = ConcurrencyLimiter("test", limit=1, max_waiting=1, wait_seconds=_LONG)
    release = threading.Event()

    def take() -> None:
        with limiter.slot():
            pass

    held = _hold_slot(threads, limiter, release)
    waiting = threads.submit(take)
    _wait_until_waiting(limiter, 1)
    with pytest.raises(Overloaded):
        take()
    release.set()
    held.result(_LONG)
    waiting.result(_LONG)
    assert (limiter.refused, limiter.timed_out) == (1, 0)


def test_waiting_ends_with_an_error(threads: ThreadPoolExecutor) -> None:
    limiter = ConcurrencyLimiter("test", limit=1, max_waiting=1, wait_seconds=0.01)
    release = threading.Event()
    held = _hold_slot(threads, limiter, release)
    with pytest.raises(Overloaded), limiter.slot():
        pass
    assert (limiter.refused, limiter.timed_out, limiter.waiting) == (0, 1, 0)
    release.set()
    held.result(_LONG)
    assert limiter.running == 0


def test_each_key_has_its_own_limit(threads: ThreadPoolExecutor) -> None:
    limiter, release = ConcurrencyLimiter("test", limit=5, per_key=2), threading.Event()
    held = [_hold_slot(threads, limiter, release, key="a") for _ in range(2)]
    with pytest.raises(Overloaded), limiter.slot("a"):
        pass
    with limiter.slot("b"):
        assert limiter.running == 3
    release.set()
    for one in held:
        one.result(_LONG)
    with limiter.slot("a"):
        pass


def test_a_thread_needs_one_slot_for_nested_operations() -> None:
    limiter = ConcurrencyLimiter("test", limit=1)
    with limiter.slot(), limiter.slot():
        assert limiter.running == 1
    assert limiter.running == 0


def test_slots_are_released_after_errors() -> None:
    budget = ConcurrencyLimiter("budget", limit=1)
    limiter = ConcurrencyLimiter("test", limit=1, per_key=1, budget=budget)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), limiter.slot("a"):
            raise ZeroDivisionError
    assert (limiter.running, budget.running) == (0, 0)


def test_refused_slots_are_not_counted_in_the_budget(threads: ThreadPoolExecutor) -> None:
    budget, release = ConcurrencyLimiter("budget", limit=5), threading.Event()
    limiter = ConcurrencyLimiter("test", limit=1, budget=budget)
    held = _hold_slot(threads, limiter, release)
    with pytest.raises(Overloaded), limiter.slot():
        pass
    assert budget.running == 1
    release.set()
    held.result(_LONG)
    assert budget.running == 0


def test_operations_of_all_kinds_leave_threads_for_other_requests(threads: ThreadPoolExecutor) -> None:
    limiters, release = Limiters.create(), threading.Event()
    held = [_hold_slot(threads, limiter, release) for limiter in limiters.all() for _ in range(limiter.limit)]
    blocked = sum(limiter.running for limiter in limiters.all())
    release.set()
    refused = [one for one in held if isinstance(one.exception(_LONG), Overloaded)]
    assert len(held) - len(refused) == blocked < THREADS_PER_WORKER


def test_many_threads_never_exceed_the_limit(threads: ThreadPoolExecutor) -> None:
    limiter = ConcurrencyLimiter("test", limit=3, max_waiting=20, wait_seconds=_LONG)
    most, lock = [0], threading.Lock()

    def take_repeatedly() -> None:
        for _ in range(50):
            with limiter.slot(), lock:
                most[0] = max(most[0], limiter.running)

    with ExitStack() as stack:
        for one in [threads.submit(take_repeatedly) for _ in range(20)]:
            stack.callback(one.result, _LONG)
    assert most[0] <= 3
    assert (limiter.running, limiter.waiting) == (0, 0)


def test_acquired_slot_can_be_released_by_another_thread(threads: ThreadPoolExecutor) -> None:
    budget = ConcurrencyLimiter("budget", limit=1)
    limiter = ConcurrencyLimiter("test", limit=1, per_key=1, budget=budget)
    slot = limiter.acquire("key")
    assert (limiter.running, budget.running) == (1, 1)
    with pytest.raises(Overloaded):
        limiter.acquire()
    threads.submit(slot.close).result(_LONG)
    assert (limiter.running, budget.running) == (0, 0)
    with limiter.slot("key"):
        pass
