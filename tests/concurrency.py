"""Clients that read continuously during writes and detect responses with outdated content."""

import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from threading import Event, Lock
from typing import NamedTuple

from flask import Flask

EDIT_TITLE = re.compile(rb"Edit (\d+)")
"""The pattern of all titles during a concurrency test: the number of the edit that set the title."""

SendRequest = Callable[[str, Mapping[str, str]], "ReceivedResponse"]
"""Sends a GET request for a path with these headers to one worker or to any worker."""

MakeEdit = Callable[[int], object]
"""Makes the edit with this number and returns after the response has been received."""


class ReceivedResponse(NamedTuple):
    """A response: its status, entity tag, Last-Modified date and decoded body."""

    status: int
    etag: str
    last_modified: str | None
    body: bytes


def receive_response(status: int, header: Callable[[str], str | None], raw: bytes) -> ReceivedResponse:
    """Return the received response with its body decompressed. `header` returns the value of a header."""
    etag = header("ETag")
    assert etag is not None, (status, raw)
    body = gzip.decompress(raw) if header("Content-Encoding") == "gzip" and raw else raw
    return ReceivedResponse(status, etag, header("Last-Modified"), body)


def make_requester(app: Flask, coding: str = "identity") -> SendRequest:
    """Return a function that requests a path from an app in this content encoding."""

    def send(path: str, headers: Mapping[str, str]) -> ReceivedResponse:
        answer = app.test_client(use_cookies=False).get(path, headers={"Accept-Encoding": coding, **headers})
        return receive_response(answer.status_code, answer.headers.get, answer.data)

    return send


def newest_edit(body: bytes) -> int:
    """Return the highest edit number in a body of any format."""
    return max(_edit_numbers(body))


def newest_edit_without_gaps(body: bytes) -> int:
    """Return the highest edit number in a body that must contain every earlier edit as well."""
    found = _edit_numbers(body)
    assert set(range(1, max(found) + 1)) <= found, sorted(found)
    return max(found)


def _edit_numbers(body: bytes) -> set[int]:
    # iCalendar folds long lines: CRLF and a space do not belong to the title (RFC 5545, section 3.1).
    return {int(number) for number in EDIT_TITLE.findall(body.replace(b"\r\n ", b""))}


class WriterProgress:
    """The progress of the writer: the number of the last acknowledged edit, and whether the writer has finished."""

    def __init__(self) -> None:
        self.last_edit = 0
        self.finished = Event()

    def make_edits(self, edits: int, edit: MakeEdit) -> None:
        """Make a number of edits, each after the response to the previous one."""
        try:
            for number in range(1, edits + 1):
                edit(number)
                self.last_edit = number
        finally:
            self.finished.set()


@dataclass
class BodiesByEtag:
    """The body for each entity tag, shared by all clients. A second body for the same entity tag is an error."""

    _known: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def check_body(self, path: str, told: ReceivedResponse) -> None:
        """Record the body for its entity tag, and check that it equals the recorded body."""
        with self._lock:
            assert self._known.setdefault((path, told.etag), told.body) == told.body, (path, told.etag)


@dataclass
class PollingClient:
    """Requests paths repeatedly, with the validators of the previous response, and checks every response."""

    workers: Sequence[SendRequest]
    paths: Sequence[str]
    progress: WriterProgress
    bodies: BodiesByEtag
    edit_number_of: Callable[[bytes], int] = newest_edit
    statuses: set[int] = field(default_factory=set)
    _last_responses: dict[str, ReceivedResponse] = field(default_factory=dict)

    def poll(self) -> set[int]:
        """Request all paths until the writer has finished, then each path once more. Return all status codes."""
        workers = cycle(self.workers)
        # Each kind of request is repeated once per worker, so that every worker receives every kind.
        ways = cycle([way for way in (if_none_match, if_modified_since, unconditional) for _ in self.workers])
        while not self.progress.finished.is_set():
            for path in self.paths:
                self._poll_once(next(workers), path, next(ways))
        for path in self.paths:
            for worker in islice(workers, 2 * len(self.workers)):
                self._poll_once(worker, path, if_none_match)
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
    """Make a number of edits while one client for each set of workers polls the paths.

    `shown` returns the edit number in a body.
    """
    acknowledged, bodies = WriterProgress(), BodiesByEtag()
    readers = [
        PollingClient(workers, [*paths[i:], *paths[:i]], acknowledged, bodies, shown) for i, workers in enumerate(asks)
    ]
    with ThreadPoolExecutor(len(readers) + 1) as threads:
        reading = [threads.submit(reader.poll) for reader in readers]
        threads.submit(acknowledged.make_edits, edits, change).result()
        assert [one.result() >= {200, 304} for one in reading] == [True] * len(readers)


def if_none_match(held: ReceivedResponse) -> Mapping[str, str]:
    """Return the headers of a request by entity tag."""
    return {"If-None-Match": held.etag}


def if_modified_since(held: ReceivedResponse) -> Mapping[str, str]:
    """Return the headers of a request by modification date."""
    # Responses have no Last-Modified header in the first minute of a day.
    return {"If-Modified-Since": held.last_modified} if held.last_modified else {}


def unconditional(_held: ReceivedResponse) -> Mapping[str, str]:
    """Return no headers."""
    return {}
