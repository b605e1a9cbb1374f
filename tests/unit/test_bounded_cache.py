"""Caches that are limited in bytes: their size, which entries they keep, and their use by several threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from eventcal.events.enums import EventStatus
from eventcal.kit.bounded_cache import BoundedCache, bounded_cache, memory_size

_MAX_BYTES = 20_000


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3000))))
def test_size_is_exact_and_never_exceeds_the_limit(puts: list[tuple[int, int]]) -> None:
    cache = BoundedCache[int, str](_MAX_BYTES)
    for key, length in puts:
        cache.put(key, "x" * length)
        cache.get(key - 1)
        assert cache.measure() == cache.size <= _MAX_BYTES
    cache.clear()
    assert (cache.size, len(cache)) == (0, 0)


def test_stored_values_are_returned_and_missing_ones_are_none() -> None:
    cache = BoundedCache[str, str](_MAX_BYTES)
    cache.put("a", "1")
    cache.put("a", "2")
    assert (cache.get("a"), cache.get("b"), len(cache)) == ("2", None, 1)


def test_entries_in_use_outlive_any_number_of_others() -> None:
    cache = BoundedCache[str, str](_MAX_BYTES)
    cache.put("used", "value")
    for number in range(1000):
        cache.put(f"other {number}", "x" * 100)
        assert cache.get("used") == "value"
    assert cache.get("other 0") is None
    assert cache.get("other 999") is not None


def test_large_entry_is_not_stored_and_displaces_nothing() -> None:
    cache = BoundedCache[str, str](_MAX_BYTES)
    cache.put("small", "value")
    cache.put("large", "x" * (_MAX_BYTES // 10))
    assert (cache.get("small"), cache.get("large")) == ("value", None)


def test_function_is_called_once_per_arguments() -> None:
    calls = []

    @bounded_cache(_MAX_BYTES)
    def concatenate(first: str, second: str = "", *, third: str = "") -> str | None:
        """Return the texts as one."""
        calls.append((first, second, third))
        return first + second + third or None

    for _ in range(2):
        assert [concatenate("a", "b"), concatenate("a", third="b"), concatenate("")] == ["ab", "ab", None]
    assert calls == [("a", "b", ""), ("a", "", "b"), ("", "", "")]
    assert concatenate.__doc__ == "Return the texts as one."


def test_errors_are_not_cached() -> None:
    calls = []

    @bounded_cache(_MAX_BYTES)
    def fail_once(number: int) -> int:
        calls.append(number)
        return 1 // (len(calls) - 1)

    for _ in range(2):
        try:
            result = fail_once(1)
        except ZeroDivisionError:
            result = 0
    assert (result, len(calls), len(fail_once.cache)) == (1, 2, 1)


def test_threads_share_a_cache_without_exceeding_its_limit() -> None:
    cache = BoundedCache[int, str](_MAX_BYTES)

    def use(offset: int) -> None:
        for number in range(2000):
            cache.put((number * 7 + offset) % 300, "x" * (number % 500))
            cache.get((number * 11 + offset) % 300)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
    assert 0 < cache.measure() == cache.size <= _MAX_BYTES


@dataclass(frozen=True)
class _Query:
    text: str
    tags: tuple[str, ...]


def test_memory_size_includes_what_a_value_refers_to() -> None:
    long = "x" * 10_000
    for value in (
        long,
        [long],
        (long,),
        {"a": long},
        {long: 1},
        _Query(long, ()),
        _Query("", (long,)),
        Exception(long),
    ):
        assert 10_000 < memory_size(value) < 11_000 or isinstance(value, Exception)
    assert memory_size(EventStatus.CONFIRMED) == memory_size(None) == memory_size(_Query) == 0
