"""Clients that read continuously during writes and detect responses with outdated content."""

import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from threading import Event, Lock
from typing import NamedTuple

WORD = re.compile(rb"Edit (\d+)")
"""What every title of the calendar is while it is hammered: the number of the edit that gave it."""

Ask = Callable[[str, Mapping[str, str]], "Told"]
"""Asks one worker, or whichever comes, for a path with these headers."""

Change = Callable[[int], object]
"""Makes the edit of a number, and returns once it was answered."""


class Told(NamedTuple):
    """What came back: a status, the entity tag, the date of last change, and the body."""

    status: int
    etag: str
    last_modified: str | None
    body: bytes


def told(status: int, header: Callable[[str], str | None], raw: bytes) -> Told:
    """Return what came back, its body as it is behind its coding; `header` gives a header by its name."""
    etag = header("ETag")
    assert etag is not None, (status, raw)
    body = gzip.decompress(raw) if header("Content-Encoding") == "gzip" and raw else raw
    return Told(status, etag, header("Last-Modified"), body)


def newest_edit(body: bytes) -> int:
    """Return the number of the latest edit that a body of any format shows."""
    return max(_edits(body))


def unbroken_edits(body: bytes) -> int:
    """Return the same, where each edit is of another title and all are shown: none before the latest is missing."""
    found = _edits(body)
    assert set(range(1, max(found) + 1)) <= found, sorted(found)
    return max(found)


def _edits(body: bytes) -> set[int]:
    # A line of iCalendar may go on in the next one, behind a space.
    return {int(number) for number in WORD.findall(body.replace(b"\r\n ", b""))}


class Acknowledged:
    """How far the writer is: the number of the last edit that was answered, and whether no more will come."""

    def __init__(self) -> None:
        self.number = 0
        self.over = Event()

    def write(self, edits: int, edit: Change) -> None:
        """Make so many edits, each once the one before was answered."""
        try:
            for number in range(1, edits + 1):
                edit(number)
                self.number = number
        finally:
            self.over.set()


@dataclass
class Bodies:
    """Which body each entity tag named, for all readers: it may name one only."""

    _known: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def hold(self, path: str, told: Told) -> None:
        """Note a body, and hold it against the one that its tag named before."""
        with self._lock:
            assert self._known.setdefault((path, told.etag), told.body) == told.body, (path, told.etag)


@dataclass
class Reader:
    """Asks for paths again and again, each time with what it was told the last time, and judges every answer."""

    workers: Sequence[Ask]
    paths: Sequence[str]
    acknowledged: Acknowledged
    bodies: Bodies
    shown: Callable[[bytes], int] = newest_edit
    statuses: set[int] = field(default_factory=set)
    _held: dict[str, Told] = field(default_factory=dict)

    def read(self) -> set[int]:
        """Ask until the writer is done, and once more all round. Return the statuses that were answered."""
        workers = cycle(self.workers)
        # Each way to ask meets each path, and each worker each of both.
        ways = cycle([way for way in (_by_tag, _by_date, _by_neither) for _ in self.workers])
        while not self.acknowledged.over.is_set():
            for path in self.paths:
                self._ask(next(workers), path, next(ways))
        for path in self.paths:
            for worker in islice(workers, 2 * len(self.workers)):
                self._ask(worker, path, _by_tag)
            assert self.shown(self._held[path].body) == self.acknowledged.number
        return self.statuses

    def _ask(self, worker: Ask, path: str, way: Callable[[Told], Mapping[str, str]]) -> None:
        held = self._held.get(path)
        known = self.acknowledged.number
        told = worker(path, way(held) if held else {})
        self.statuses.add(told.status)
        if told.status == 304:
            assert held is not None
            told = held
        else:
            assert told.status == 200, (path, told)
            self.bodies.hold(path, told)
            self._held[path] = told
        shown = self.shown(told.body)
        assert shown >= known, f"{path}: Edit {known} was answered before this was asked, and it is of Edit {shown}"
        if held is not None:
            assert shown >= self.shown(held.body), f"{path}: went back to Edit {shown}"


def hammer(
    asks: Sequence[Sequence[Ask]],
    paths: Sequence[str],
    *,
    edits: int,
    change: Change,
    shown: Callable[[bytes], int] = newest_edit,
) -> None:
    """Let one reader for each of these sets of workers read while so many edits are made; `shown` reads a body."""
    acknowledged, bodies = Acknowledged(), Bodies()
    readers = [Reader(workers, [*paths[i:], *paths[:i]], acknowledged, bodies, shown) for i, workers in enumerate(asks)]
    with ThreadPoolExecutor(len(readers) + 1) as threads:
        reading = [threads.submit(reader.read) for reader in readers]
        threads.submit(acknowledged.write, edits, change).result()
        assert [one.result() >= {200, 304} for one in reading] == [True] * len(readers)


def _by_tag(held: Told) -> Mapping[str, str]:
    return {"If-None-Match": held.etag}


def _by_date(held: Told) -> Mapping[str, str]:
    # In the first minute of a day no date is told.
    return {"If-Modified-Since": held.last_modified} if held.last_modified else {}


def _by_neither(_held: Told) -> Mapping[str, str]:
    return {}
