"""Clients that read continuously during writes and detect responses with outdated content."""

import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from threading import Event, Lock
from typing import NamedTuple

EDIT_TITLE = re.compile(rb"Edit (\d+)")
"""What every title of the calendar is while it is hammered: the number of the edit that gave it."""

SendRequest = Callable[[str, Mapping[str, str]], "ReceivedResponse"]
"""Asks one worker, or whichever comes, for a path with these headers."""

MakeEdit = Callable[[int], object]
"""Makes the edit of a number, and returns once it was answered."""


class ReceivedResponse(NamedTuple):
    """What came back: a status, the entity tag, the date of last change, and the body."""

    status: int
    etag: str
    last_modified: str | None
    body: bytes


def receive_response(status: int, header: Callable[[str], str | None], raw: bytes) -> ReceivedResponse:
    """Return what came back, its body as it is behind its coding; `header` gives a header by its name."""
    etag = header("ETag")
    assert etag is not None, (status, raw)
    body = gzip.decompress(raw) if header("Content-Encoding") == "gzip" and raw else raw
    return ReceivedResponse(status, etag, header("Last-Modified"), body)


def newest_edit(body: bytes) -> int:
    """Return the number of the latest edit that a body of any format shows."""
    return max(_edit_numbers(body))


def newest_edit_without_gaps(body: bytes) -> int:
    """Return the same, where each edit is of another title and all are shown: none before the latest is missing."""
    found = _edit_numbers(body)
    assert set(range(1, max(found) + 1)) <= found, sorted(found)
    return max(found)


def _edit_numbers(body: bytes) -> set[int]:
    # A line of iCalendar may go on in the next one, behind a space.
    return {int(number) for number in EDIT_TITLE.findall(body.replace(b"\r\n ", b""))}


class WriterProgress:
    """How far the writer is: the number of the last edit that was answered, and whether no more will come."""

    def __init__(self) -> None:
        self.last_edit = 0
        self.finished = Event()

    def make_edits(self, edits: int, edit: MakeEdit) -> None:
        """Make so many edits, each once the one before was answered."""
        try:
            for number in range(1, edits + 1):
                edit(number)
                self.last_edit = number
        finally:
            self.finished.set()


@dataclass
class BodiesByEtag:
    """Which body each entity tag named, for all readers: it may name one only."""

    _known: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def check_body(self, path: str, told: ReceivedResponse) -> None:
        """Note a body, and hold it against the one that its tag named before."""
        with self._lock:
            assert self._known.setdefault((path, told.etag), told.body) == told.body, (path, told.etag)


@dataclass
class PollingClient:
    """Asks for paths again and again, each time with what it was told the last time, and judges every answer."""

    workers: Sequence[SendRequest]
    paths: Sequence[str]
    progress: WriterProgress
    bodies: BodiesByEtag
    edit_number_of: Callable[[bytes], int] = newest_edit
    statuses: set[int] = field(default_factory=set)
    _last_responses: dict[str, ReceivedResponse] = field(default_factory=dict)

    def poll(self) -> set[int]:
        """Ask until the writer is done, and once more all round. Return the statuses that were answered."""
        workers = cycle(self.workers)
        # Each way to ask meets each path, and each worker each of both.
        ways = cycle([way for way in (_if_none_match, _if_modified_since, _unconditional) for _ in self.workers])
        while not self.progress.finished.is_set():
            for path in self.paths:
                self._poll_once(next(workers), path, next(ways))
        for path in self.paths:
            for worker in islice(workers, 2 * len(self.workers)):
                self._poll_once(worker, path, _if_none_match)
            assert self.edit_number_of(self._last_responses[path].body) == self.progress.last_edit
        return self.statuses

    def _poll_once(self, worker: SendRequest, path: str, way: Callable[[ReceivedResponse], Mapping[str, str]]) -> None:
        held = self._last_responses.get(path)
        known = self.progress.last_edit
        told = worker(path, way(held) if held else {})
        self.statuses.add(told.status)
        if told.status == 304:
            assert held is not None
            told = held
        else:
            assert told.status == 200, (path, told)
            self.bodies.check_body(path, told)
            self._last_responses[path] = told
        shown = self.edit_number_of(told.body)
        assert shown >= known, f"{path}: Edit {known} was answered before this was asked, and it is of Edit {shown}"
        if held is not None:
            assert shown >= self.edit_number_of(held.body), f"{path}: went back to Edit {shown}"


def poll_while_editing(
    asks: Sequence[Sequence[SendRequest]],
    paths: Sequence[str],
    *,
    edits: int,
    change: MakeEdit,
    shown: Callable[[bytes], int] = newest_edit,
) -> None:
    """Let one reader for each of these sets of workers read while so many edits are made; `shown` reads a body."""
    acknowledged, bodies = WriterProgress(), BodiesByEtag()
    readers = [
        PollingClient(workers, [*paths[i:], *paths[:i]], acknowledged, bodies, shown) for i, workers in enumerate(asks)
    ]
    with ThreadPoolExecutor(len(readers) + 1) as threads:
        reading = [threads.submit(reader.poll) for reader in readers]
        threads.submit(acknowledged.make_edits, edits, change).result()
        assert [one.result() >= {200, 304} for one in reading] == [True] * len(readers)


def _if_none_match(held: ReceivedResponse) -> Mapping[str, str]:
    return {"If-None-Match": held.etag}


def _if_modified_since(held: ReceivedResponse) -> Mapping[str, str]:
    # In the first minute of a day no date is told.
    return {"If-Modified-Since": held.last_modified} if held.last_modified else {}


def _unconditional(_held: ReceivedResponse) -> Mapping[str, str]:
    return {}
