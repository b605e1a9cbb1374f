"""Caches whose memory is limited in bytes, for values that are derived from the input of clients.

`functools.lru_cache` limits the number of entries but not their size, so that a few long headers or query strings
would fill the memory.
"""

import dataclasses
import sys
import threading
from collections.abc import Callable, Iterable
from enum import Enum
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
Key = TypeVar("Key")
Value = TypeVar("Value")

# The approximate size in bytes of an entry of a dictionary.
_ENTRY_OVERHEAD = 200
# The approximate size in bytes of a string without its characters.
_STRING_OVERHEAD = 50
# An entry larger than this part of a generation is not stored, because it would displace many other entries.
_LARGEST_PART = 8


class BoundedCache(Generic[Key, Value]):
    """A thread-safe cache whose entries have at most `max_bytes` bytes, as measured by `memory_size`.

    Entries are kept in two generations of half the size. When the younger generation is full, it replaces the older
    one. Entries of the older generation that are used move to the younger generation, so that the entries that are
    dropped have not been used recently. A hit in the younger generation needs no lock.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._younger: dict[Key, tuple[Value, int]] = {}
        self._older: dict[Key, tuple[Value, int]] = {}
        self._younger_bytes = self._older_bytes = 0

    @property
    def size(self) -> int:
        """The size of all entries in bytes."""
        return self._younger_bytes + self._older_bytes

    def __len__(self) -> int:
        return len(self._younger) + len(self._older)

    def measure(self) -> int:
        """Return the size of all entries in bytes, measured again."""
        with self._lock:
            stored = [(key, entry[0]) for entries in (self._younger, self._older) for key, entry in entries.items()]
        return sum(_entry_size(key, value) for key, value in stored)

    def get(self, key: Key) -> Value | None:
        entry = self.find_entry(key)
        return entry and entry[0]

    def find_entry(self, key: Key) -> tuple[Value, int] | None:
        """Return a value, which can be None, and the size of its entry, or None if the key is not in the cache."""
        entry = self._younger.get(key)
        if entry is None:
            with self._lock:
                entry = self._older.pop(key, None)
                if entry is not None:
                    self._older_bytes -= entry[1]
                    self._store(key, entry)
        return entry

    def put(self, key: Key, value: Value) -> None:
        """Store a value unless its entry is too large."""
        size = _entry_size(key, value)
        if size > self.max_bytes // 2 // _LARGEST_PART:
            return
        with self._lock:
            self._store(key, (value, size))

    def clear(self) -> None:
        with self._lock:
            self._younger, self._older = {}, {}
            self._younger_bytes = self._older_bytes = 0

    def _store(self, key: Key, entry: tuple[Value, int]) -> None:
        replaced = self._younger.pop(key, None)
        if replaced is not None:
            self._younger_bytes -= replaced[1]
        if self._younger_bytes + entry[1] > self.max_bytes // 2:
            self._older, self._older_bytes = self._younger, self._younger_bytes
            self._younger, self._younger_bytes = {}, 0
        superseded = self._older.pop(key, None)
        if superseded is not None:
            self._older_bytes -= superseded[1]
        self._younger[key] = entry
        self._younger_bytes += entry[1]


class CachedFunction(Generic[P, Value]):
    """A function whose results are stored in a bounded cache. See `bounded_cache`."""

    def __init__(self, function: Callable[P, Value], cache: BoundedCache[Any, Value]) -> None:
        update_wrapper(self, function)
        self._function = function
        self.cache = cache

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Value:
        # Most functions have positional arguments only.
        key: Any = (args, tuple(kwargs.items())) if kwargs else args
        entry = self.cache.find_entry(key)
        if entry is not None:
            return entry[0]
        value = self._function(*args, **kwargs)
        self.cache.put(key, value)
        return value


def bounded_cache(max_bytes: int) -> Callable[[Callable[P, Value]], CachedFunction[P, Value]]:
    """Cache the results of a function, like `functools.lru_cache`, but limited to `max_bytes` bytes.

    The arguments must be hashable and the results must not be modified. Arguments that come from a client should be
    truncated and normalised, so that few entries suffice for the requests of ordinary clients.
    """
    return lambda function: CachedFunction(function, BoundedCache(max_bytes))


def _entry_size(key: object, value: object) -> int:
    return _ENTRY_OVERHEAD + memory_size(key) + memory_size(value)


def memory_size(value: object) -> int:
    """Return the approximate memory size in bytes of a value and everything that it refers to.

    Members of enumerations, classes and functions are shared, and thus not counted.
    """
    if value is None or isinstance(value, (bool, Enum, type)) or callable(value):
        return 0
    if isinstance(value, str):
        # `sys.getsizeof` would return less for a string until it is encoded for the first time.
        return _STRING_OVERHEAD + len(value) * (1 if value.isascii() else 6)
    if isinstance(value, dict):
        parts: Iterable[object] = (*value, *value.values())
    elif isinstance(value, (tuple, list, set, frozenset)):
        parts = value
    elif dataclasses.is_dataclass(value):
        parts = (getattr(value, field.name) for field in dataclasses.fields(value))
    else:
        parts = vars(value).values() if hasattr(value, "__dict__") else ()
    return sys.getsizeof(value) + sum(map(memory_size, parts))
