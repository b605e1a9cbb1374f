"""A check that no response is older than a change that was acknowledged before the request.

Two servers share a database, and writers change talks over HTTP and from this process. Readers send requests by ETag,
by date and unconditionally. The check is repeated while database connections are lost, after the database file was
replaced, and in forked processes.
"""

import json
import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import psycopg
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from bench.databases import Databases
from bench.datasets import Dataset, create_first_dataset
from bench.external_writer import ExternalWriter
from bench.http_measurements import LIST_PATH, report_progress
from bench.report import align_columns
from bench.servers import Client, serve_dataset
from eventcal.app import create_app
from eventcal.kit.errors import DatabaseBusy
from tests.concurrency import ReceivedResponse, SendRequest, receive_response
from tests.http_app import create_manual_background, database_of
from tests.stale_responses import BY_DATE, BY_ETAG, ReadCounts, StaleResponseDetector, edit_title

# Two writers send requests to one server each, and one writer changes the database from this process.
_WRITERS = 3
_TALKS_PER_WRITER = 10
_READERS = 4
_FORKED_READERS = 2
# The pauses of each writer between edits, in seconds. The rate limit of the API is 300 changes per minute.
_SHORT_PAUSES = (0.25, 0.25, 0.05)
# Each change advances the modification date by at least one second, so 304 responses by date require rare edits.
_LONG_PAUSES = (3.0, 4.0, 5.0)
# The rounds with forked processes or replaced files, and the seconds until the date of an edit is in the past.
_ROUNDS, _DATE_PAUSE = 10, 2.0
_TERMINATION_INTERVAL = 0.2
_BARRIER_TIMEOUT = 120.0
# The share of the reads in each trial except the trial with rare edits.
_TRIAL_SHARE = 0.15
_TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_FAILED = ReceivedResponse(HTTPStatus.SERVICE_UNAVAILABLE, "", None, b"")

MakeEdit = Callable[[str, str], bool]
"""Sets the title of a talk, and returns whether the change was acknowledged."""


class Trial(NamedTuple):
    """One part of the check: the number of acknowledged edits, and the responses."""

    name: str
    edits: int
    counts: ReadCounts


@dataclass
class _Writer:
    """A writer that edits its own talks in turn."""

    number: int
    talks: Sequence[str]
    acknowledged: MutableSequence[int]
    last_edit: int = 0

    def __post_init__(self) -> None:
        self._next_talks = cycle(self.talks)

    def edit(self, make_edit: MakeEdit) -> None:
        """Edit the next talk."""
        self.last_edit += 1
        if make_edit(next(self._next_talks), edit_title(self.number, self.last_edit)):
            self.acknowledged[self.number] = self.last_edit

    def edit_until(self, finished: threading.Event, make_edit: MakeEdit, pause: float) -> None:
        """Edit talks with pauses until the event is set."""
        while not finished.wait(pause):
            self.edit(make_edit)


@contextmanager
def open_staleness_check(databases: Databases) -> Iterator["StalenessCheck"]:
    """Create a dataset, start two servers for it, and provide the check."""
    dataset = create_first_dataset(databases, "staleness", talks=_WRITERS * _TALKS_PER_WRITER)
    # The anonymous memory of the array is shared with forked processes.
    acknowledged: MutableSequence[int] = multiprocessing.Array("q", _WRITERS, lock=False)
    with closing(ExternalWriter(dataset)) as external:
        talks = external.talks
    writers = [_Writer(number, talks[number::_WRITERS], acknowledged) for number in range(_WRITERS)]
    with serve_dataset(dataset) as first, serve_dataset(dataset) as second:
        yield StalenessCheck(dataset, (first.port, second.port), acknowledged, writers)


@dataclass(frozen=True)
class StalenessCheck:
    """A dataset with its writers and the ports of its servers."""

    dataset: Dataset
    ports: Sequence[int]
    acknowledged: MutableSequence[int]
    writers: Sequence[_Writer]

    def run_trials(self, reads: int) -> Iterator[Trial]:
        """Run all trials for the database system."""
        share = int(reads * _TRIAL_SHARE)
        rarely = partial(self._read_during_edits, pauses=_LONG_PAUSES)
        yield self._run_trial("rare edits", rarely, reads - 3 * share)
        yield self._run_trial("forked processes", self._read_in_forked_processes, share)
        if self.dataset.url.startswith("sqlite"):
            yield self._run_trial("replaced database file", self._read_after_replacements, share)
        else:
            yield self._run_trial("lost connections", self._read_while_losing_connections, share)
        yield self._run_trial("frequent edits", self._read_during_edits, share)

    def _run_trial(self, name: str, read: Callable[[int], ReadCounts], reads: int) -> Trial:
        before = sum(self.acknowledged)
        counts = read(reads)
        report_progress(name)
        return Trial(name, sum(self.acknowledged) - before, counts)

    def _read_during_edits(self, reads: int, *, pauses: Sequence[float] = _SHORT_PAUSES) -> ReadCounts:
        """Read with several threads while all writers edit talks."""
        finished, counts = threading.Event(), ReadCounts()
        with ExitStack() as stack:
            threads = stack.enter_context(ThreadPoolExecutor(_READERS + _WRITERS))
            external = stack.enter_context(closing(ExternalWriter(self.dataset)))
            clients = [stack.enter_context(closing(Client(port))) for port in self.ports]
            edits = [
                *(_make_http_edit(client, self.dataset.token) for client in clients),
                _make_external_edit(external),
            ]
            detectors = [self._open_detector(stack, number) for number in range(_READERS)]
            writing = [
                threads.submit(writer.edit_until, finished, make_edit, pause)
                for writer, make_edit, pause in zip(self.writers, edits, pauses, strict=True)
            ]
            try:
                for one in [threads.submit(detector.read_times, reads // _READERS) for detector in detectors]:
                    one.result()
            finally:
                finished.set()
            for one in writing:
                one.result()
        for detector in detectors:
            counts.add(detector.counts)
        return counts

    def _read_while_losing_connections(self, reads: int) -> ReadCounts:
        """Read during edits while all connections to the PostgreSQL database are terminated again and again."""
        finished = threading.Event()
        url = make_url(self.dataset.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection, ThreadPoolExecutor(1) as threads:

            def terminate() -> None:
                while not finished.wait(_TERMINATION_INTERVAL):
                    connection.execute(_TERMINATE)

            terminating = threads.submit(terminate)
            try:
                counts = self._read_during_edits(reads)
            finally:
                finished.set()
            terminating.result()
        return counts

    def _read_after_replacements(self, reads: int) -> ReadCounts:
        """Replace the SQLite file with an edited copy several times, and read from both servers."""
        with ExitStack() as stack:
            detector = self._open_detector(stack, 0)
            for _ in range(_ROUNDS):
                self._replace_file(detector, reads // _ROUNDS)
        return detector.counts

    def _replace_file(self, detector: StaleResponseDetector, reads: int) -> None:
        """Replace the database file with a copy that has other content under the same revision.

        Half of the reads precede the replacement.
        """
        path = Path(str(make_url(self.dataset.url).database))
        copy = path.with_name("copy.db")
        writer = self.writers[-1]
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(ExternalWriter(self.dataset)) as external:
            writer.edit(_make_external_edit(external))
        time.sleep(_DATE_PAUSE)
        detector.read_times(reads // 2)
        with closing(ExternalWriter(replace(self.dataset, url=f"sqlite:///{copy}"))) as external:
            writer.edit(lambda talk, title: _replace_edited(external, talk, title, path=path, copy=copy))
        detector.read_times(reads // 2)

    def _read_in_forked_processes(self, reads: int) -> ReadCounts:
        """Read in this process and in forked processes, which inherit an app with open connections."""
        context = multiprocessing.get_context("fork")
        app = create_app(self.dataset.settings(), background=create_manual_background())
        client = app.test_client(use_cookies=False)

        def send(path: str, headers: Mapping[str, str]) -> ReceivedResponse:
            response = client.get(path, headers=dict(headers))
            return _receive(response.status_code, response.headers.get, response.data)

        detector = StaleResponseDetector([send], self._paths(), self.acknowledged)
        detector.read_each()
        results: multiprocessing.SimpleQueue[ReadCounts] = context.SimpleQueue()
        barrier = context.Barrier(_FORKED_READERS + 1, timeout=_BARRIER_TIMEOUT)
        reads_per_round = reads // (_FORKED_READERS + 1) // _ROUNDS

        def read_in_rounds(edit: Callable[[], None]) -> None:
            for _ in range(_ROUNDS):
                time.sleep(_DATE_PAUSE)
                barrier.wait()
                detector.read_times(reads_per_round // 2)
                edit()
                detector.read_times(reads_per_round // 2)

        def read_in_child() -> None:
            detector.counts = ReadCounts()
            read_in_rounds(lambda: None)
            results.put(detector.counts)

        children = [context.Process(target=read_in_child) for _ in range(_FORKED_READERS)]
        for child in children:
            child.start()
        with closing(ExternalWriter(self.dataset)) as external:
            read_in_rounds(partial(self.writers[-1].edit, _make_external_edit(external)))
        for child in children:
            child.join()
            if child.exitcode != 0:
                raise RuntimeError(f"A forked process exited with status {child.exitcode}.")
            detector.counts.add(results.get())
        database_of(app).engine.dispose()
        return detector.counts

    def _open_detector(self, stack: ExitStack, number: int) -> StaleResponseDetector:
        """Return a detector with its own connections. The content encoding and first path depend on its number."""
        coding = "gzip" if number % 2 else "identity"
        clients = [stack.enter_context(closing(Client(port))) for port in self.ports]
        paths = self._paths()
        return StaleResponseDetector(
            [_make_requester(client, coding) for client in clients],
            [*paths[number:], *paths[:number]],
            self.acknowledged,
        )

    def _paths(self) -> Sequence[str]:
        event = f"/events/{self.dataset.slug}"
        return (
            self.dataset.event_feed,
            self.dataset.full_feed,
            f"{event}/schedule.json",
            f"{event}/schedule",
            LIST_PATH,
            f"/api/v1{event}/talks",
        )


def format_trials(trials: Sequence[Trial]) -> str:
    """Return a table of the trials, followed by examples of stale responses."""
    rows: list[tuple[str, ...]] = [("trial", "edits", "reads", "304 by ETag", "304 by date", "failed", "stale")]
    for name, edits, counts in trials:
        not_modified = counts.not_modified
        numbers = (edits, counts.reads, not_modified[BY_ETAG], not_modified[BY_DATE], counts.failed, counts.stale)
        rows.append((name, *map(str, numbers)))
    return "\n".join([align_columns(rows), *(example for one in trials for example in one.counts.examples)])


def _make_requester(client: Client, coding: str) -> SendRequest:
    def send(path: str, headers: Mapping[str, str]) -> ReceivedResponse:
        try:
            response = client.request(path, {"Accept-Encoding": coding, **headers})
        except OSError:
            client.close()
            return _FAILED
        return _receive(response.status, response.find_header, response.body)

    return send


def _receive(status: int, find_header: Callable[[str], str | None], body: bytes) -> ReceivedResponse:
    return receive_response(status, find_header, body) if status in {200, 304} else _FAILED


def _make_http_edit(client: Client, token: str) -> MakeEdit:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "If-Match": "*"}

    def edit(talk_id: str, title: str) -> bool:
        body = json.dumps({"title": title}).encode()
        try:
            return (
                client.request(f"/api/v1/talks/{talk_id}", headers, method="PATCH", body=body).status == HTTPStatus.OK
            )
        except OSError:
            client.close()
            return False

    return edit


def _make_external_edit(external: ExternalWriter) -> MakeEdit:
    def edit(talk_id: str, title: str) -> bool:
        try:
            external.set_title(talk_id, title)
        except (DatabaseBusy, SQLAlchemyError):
            # The connection was terminated, so the change may have been committed, but is not acknowledged.
            return False
        return True

    return edit


def _replace_edited(external: ExternalWriter, talk_id: str, title: str, *, path: Path, copy: Path) -> bool:
    """Edit a talk in the copy of a database file, and replace the file with the copy."""
    external.set_title(talk_id, title)
    external.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    copy.replace(path)
    return True
