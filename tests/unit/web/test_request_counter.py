"""Counters of requests: moving windows, limited memory, bursts of threads, and Redis that does not respond."""

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from limits import RateLimitItemPerHour, RateLimitItemPerMinute

from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.web.request.request_counter import MemoryCounter, RedisCounter

LIMIT = RateLimitItemPerMinute(5, namespace="test")


class Stopwatch:
    """A clock in seconds that stands still until it is set."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """Yield a server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        server.settimeout(0)
        yield server


def _count_connections(server: socket.socket) -> int:
    count = 0
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(server.accept()[0])
            except BlockingIOError:
                return count
            count += 1


def test_requests_within_a_moving_window_are_limited(stopwatch: Stopwatch) -> None:
    counter = MemoryCounter(monotonic=stopwatch)
    assert [counter.hit(LIMIT, "a") for _ in range(7)] == [True] * 5 + [False] * 2
    stopwatch.seconds += 59
    assert not counter.hit(LIMIT, "a")
    stopwatch.seconds += 1
    assert [counter.hit(LIMIT, "a") for _ in range(6)] == [True] * 5 + [False]


def test_rejected_requests_do_not_extend_the_window(stopwatch: Stopwatch) -> None:
    counter = MemoryCounter(monotonic=stopwatch)
    allowed = []
    for second in range(120):
        stopwatch.seconds = second
        if counter.hit(LIMIT, "a"):
            allowed.append(second)
    assert allowed == [0, 1, 2, 3, 4, 60, 61, 62, 63, 64]


def test_limits_and_identifiers_are_counted_separately(stopwatch: Stopwatch) -> None:
    counter = MemoryCounter(monotonic=stopwatch)
    hourly = RateLimitItemPerHour(5, namespace="other")
    for limit, name in ((LIMIT, "a"), (LIMIT, "b"), (hourly, "a")):
        assert [counter.hit(limit, name) for _ in range(6)] == [True] * 5 + [False]


def test_expensive_requests_count_several_times(stopwatch: Stopwatch) -> None:
    counter = MemoryCounter(monotonic=stopwatch)
    assert [counter.hit(LIMIT, "a", cost=cost) for cost in (3, 3, 2, 1)] == [True, False, True, False]


def test_number_of_keys_is_limited_and_active_clients_stay_counted(stopwatch: Stopwatch) -> None:
    counter = MemoryCounter(max_keys=10, monotonic=stopwatch)
    for number in range(1000):
        counter.hit(LIMIT, f"address {number}")
        is_allowed = counter.hit(LIMIT, "attacker")
        assert is_allowed == (number < 5)
    assert len(counter) == 10


def test_burst_of_threads_is_counted_exactly(stopwatch: Stopwatch) -> None:
    counter, limit = MemoryCounter(monotonic=stopwatch), RateLimitItemPerMinute(100, namespace="burst")
    with ThreadPoolExecutor(30) as threads:
        allowed = list(threads.map(lambda _: counter.hit(limit, "a"), range(1000)))
    assert sum(allowed) == 100


def test_unresponsive_redis_is_asked_and_logged_once_a_minute(
    silent_server: socket.socket, stopwatch: Stopwatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"redis://127.0.0.1:{silent_server.getsockname()[1]}/0"
    counter = RedisCounter(url, slots=ConcurrencyLimiter("redis", limit=2), monotonic=stopwatch)
    with caplog.at_level(logging.WARNING):
        assert [counter.hit(LIMIT, "a") for _ in range(7)] == [True] * 5 + [False] * 2
        assert (_count_connections(silent_server), len(caplog.records)) == (1, 1)
        assert caplog.records[0].exc_info is None
        stopwatch.seconds += 60
        assert [counter.hit(LIMIT, "a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert (_count_connections(silent_server), len(caplog.records)) == (1, 2)


def test_threads_that_get_no_slot_for_redis_count_in_memory(silent_server: socket.socket, stopwatch: Stopwatch) -> None:
    url = f"redis://127.0.0.1:{silent_server.getsockname()[1]}/0"
    counter = RedisCounter(url, slots=ConcurrencyLimiter("redis", limit=0), monotonic=stopwatch)
    assert [counter.hit(LIMIT, "a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert _count_connections(silent_server) == 0
