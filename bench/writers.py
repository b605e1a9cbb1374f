"""Many clients that write at once: `python -m bench writers`, and two cases of `python -m bench availability`.

Each writer stars and unstars a talk, which changes nothing public. The baseline is the median time of the
same change by one writer alone in the same run.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle
from statistics import median, quantiles

from sqlalchemy import select, update

from bench.datasets import Dataset, open_services
from bench.report import align_columns
from bench.servers import Client, Server
from eventcal.kit.ids import hash_secret, new_secret
from eventcal.members.enums import Scope
from eventcal.members.models import AccessToken, Member
from eventcal.members.service import TOKEN_PREFIX
from eventcal.talks.models import Talk
from tests.clocks import NOON
from tests.factories import make_member

_WRITERS = 32
_MAX_RATIO = 2.5
_SECONDS, _ALONE_SECONDS = 12.0, 2.0
_LOCKED_WRITERS, _EDITORS = 20, 8
_MEMBERS_PER_WRITER = 16

Write = Callable[[], bool]
"""Makes a change, and returns whether it was saved."""


@dataclass(frozen=True)
class WriterTimes:
    """The times in seconds of the changes that were saved, and the number of changes that were rejected.

    `alone` is the median time of one writer alone.
    """

    case: str
    alone: float
    seconds: Sequence[float]
    rejected: int

    @property
    def ratio(self) -> float:
        """Return the 99th percentile as a multiple of the time that all writers would need one after the other."""
        return quantiles(self.seconds, n=100)[-1] / (_WRITERS * self.alone)

    @property
    def is_met(self) -> bool:
        """Return whether no writer waits much longer than the writers before it need."""
        return self.ratio <= _MAX_RATIO


def measure_threads(dataset: Dataset) -> WriterTimes:
    """Measure writers in the threads of this process."""
    database = open_services(dataset).database

    def write() -> bool:
        with database.unit_of_work() as unit:
            unit.session.execute(update(Member).values(name=f"Writer {unit.now}"))
        return True

    try:
        return _measure("threads of one process", [write] * _WRITERS)
    finally:
        database.engine.dispose()


def measure_http(case: str, server: Server, dataset: Dataset) -> WriterTimes:
    """Measure writers that each use a connection to the server."""
    return _measure(case, _make_star_writers(server, dataset, _WRITERS))


class _StarWriter:
    """Stars and unstars a talk, in turn for several members, because the requests of each member are limited."""

    def __init__(self, client: Client, talk: str, tokens: Sequence[str]) -> None:
        self._client, self._path = client, f"/api/v1/me/stars/{talk}"
        self._requests = cycle((method, token) for token in tokens for method in ("PUT", "DELETE"))

    def __call__(self) -> bool:
        method, token = next(self._requests)
        headers = {"Authorization": f"Bearer {token}"}
        return self._client.request(self._path, headers, method=method, body=b"").status == HTTPStatus.NO_CONTENT


def _make_star_writers(server: Server, dataset: Dataset, count: int) -> Sequence[_StarWriter]:
    """Return writers with members and connections of their own."""
    talk = _list_talks(dataset)[0]
    tokens = [new_secret(TOKEN_PREFIX) for _ in range(count * _MEMBERS_PER_WRITER)]
    services = open_services(dataset)
    with services.database.unit_of_work() as unit:
        for secret in tokens:
            member = make_member(unit.session)
            token = AccessToken(member_id=member.id, name="bench", token_hash=hash_secret(secret), created_at=NOON)
            token.scopes = [scope.value for scope in Scope]
            unit.session.add(token)
    services.database.engine.dispose()
    return [_StarWriter(Client(server.port), talk, tokens[number::count]) for number in range(count)]


def _list_talks(dataset: Dataset) -> Sequence[str]:
    services = open_services(dataset)
    with services.database.read_session() as session:
        talks = session.scalars(select(Talk.id).order_by(Talk.id).limit(_WRITERS)).all()
    services.database.engine.dispose()
    return talks


def _measure(case: str, writes: Sequence[Write]) -> WriterTimes:
    alone, _ = _run_writer(writes[0], time.monotonic() + _ALONE_SECONDS)
    end = time.monotonic() + _SECONDS
    with ThreadPoolExecutor(len(writes)) as threads:
        results = list(threads.map(lambda write: _run_writer(write, end), writes))
    seconds = [one for saved, _ in results for one in saved]
    return WriterTimes(case, median(alone), seconds, sum(rejected for _, rejected in results))


def _run_writer(write: Write, end: float) -> tuple[list[float], int]:
    saved, rejected = [], 0
    while (started := time.monotonic()) < end:
        if write():
            saved.append(time.monotonic() - started)
        else:
            rejected += 1
            # The Retry-After header of a rejected change asks for a second.
            time.sleep(1)
    return saved, rejected


def format_writers(measured: Sequence[WriterTimes]) -> str:
    """Return a table with the times in each case."""
    rows: list[tuple[str, ...]] = [("writers", "alone", "median", "p99", "p99 : all alone", "saved", "rejected", "")]
    for one in measured:
        times = (one.alone, median(one.seconds), quantiles(one.seconds, n=100)[-1])
        rows.append(
            (
                f"{_WRITERS} {one.case}",
                *(f"{seconds * 1000:.1f} ms" for seconds in times),
                f"{one.ratio:.2f}",
                str(len(one.seconds)),
                str(one.rejected),
                "ok" if one.is_met else "over",
            )
        )
    return align_columns(rows)


@contextmanager
def hold_write_lock(server: Server, dataset: Dataset) -> Iterator[None]:
    """Hold the write lock in this process, while clients of the server try to write."""
    writers = _make_star_writers(server, dataset, _LOCKED_WRITERS)
    services = open_services(dataset)
    with services.database.write_session(), _keep_writing(writers):
        yield
    services.database.engine.dispose()


@contextmanager
def edit_one_talk(server: Server, dataset: Dataset) -> Iterator[None]:
    """Let clients edit the same talk, so that each response is delayed until the next second."""
    talk = _list_talks(dataset)[0]
    headers = {"Authorization": f"Bearer {dataset.token}", "Content-Type": "application/json", "If-Match": "*"}

    def make_edit(client: Client) -> Write:
        def edit() -> bool:
            body = b'{"title": "Edited at %d"}' % time.monotonic_ns()
            return client.request(f"/api/v1/talks/{talk}", headers, method="PATCH", body=body).status == HTTPStatus.OK

        return edit

    with _keep_writing([make_edit(Client(server.port)) for _ in range(_EDITORS)]):
        yield


@contextmanager
def _keep_writing(writes: Sequence[Write]) -> Iterator[None]:
    stop = threading.Event()

    def write_until_stopped(write: Write) -> None:
        while not stop.is_set():
            if not write():
                stop.wait(1)

    threads = [threading.Thread(target=write_until_stopped, args=(write,)) for write in writes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
