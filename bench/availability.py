"""Response times and memory of a server while other clients are slow: `python -m bench availability`.

Each case runs for several seconds, in which new connections request the health check and a cached feed. The baseline is
the same request to the idle server in the same run. A case is a context manager that keeps the slow clients connected.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from statistics import median

from bench.datasets import Dataset
from bench.report import align_columns
from bench.servers import Client, Server
from bench.writers import edit_one_talk, hold_write_lock

_CASE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_RECONNECT_SECONDS = 1.0
MAX_SECONDS = 1.0
MAX_BYTES = 1_000_000_000
_HALF_SENT = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
)
_HEADERS = {"Accept-Encoding": "gzip"}

Case = Callable[[Server, Dataset], AbstractContextManager[None]]
"""Keeps the server busy during a `with` block."""


@dataclass(frozen=True)
class Availability:
    """The response times in seconds during a case, by path, and the largest resident memory of the worker in bytes.

    `rejected` is the number of responses with another status than 200.
    """

    case: str
    seconds: Mapping[str, Sequence[float]]
    rejected: int
    memory: int

    @property
    def is_met(self) -> bool:
        """Return whether all requests succeeded in time, and the memory is bounded."""
        is_available = max(map(max, self.seconds.values())) <= MAX_SECONDS and not self.rejected
        return is_available and self.memory <= MAX_BYTES


class _SlowClients:
    """Connections that send some bytes and then wait. Connections that the server closes are replaced every second."""

    def __init__(self, port: int, count: int, *, sent: bytes, buffer: int | None = None) -> None:
        self._port, self._sent, self._buffer = port, sent, buffer
        self._stop = threading.Event()
        self._sockets = [self._connect() for _ in range(count)]
        self._thread = threading.Thread(target=self._reconnect)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for one in self._sockets:
            one.close()

    def _connect(self) -> socket.socket:
        one = socket.socket()
        if self._buffer is not None:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        one.settimeout(0)
        with suppress(BlockingIOError):
            one.connect(("127.0.0.1", self._port))
        one.settimeout(_CASE_SECONDS)
        # Connections wait in the queue of the server, so that sending does not wait for the server.
        with suppress(OSError):
            one.sendall(self._sent)
        return one

    def _reconnect(self) -> None:
        while not self._stop.wait(_RECONNECT_SECONDS):
            for number, one in enumerate(self._sockets):
                if self._is_closed(one):
                    one.close()
                    self._sockets[number] = self._connect()

    def _is_closed(self, one: socket.socket) -> bool:
        if self._buffer is not None:
            return False
        try:
            while True:
                if not one.recv(4096, socket.MSG_DONTWAIT):
                    return True
        except BlockingIOError:
            return False
        except OSError:
            return True


@contextmanager
def _keep_connected(server: Server, *, count: int, sent: bytes, buffer: int | None = None) -> Iterator[None]:
    clients = _SlowClients(server.port, count, sent=sent, buffer=buffer)
    try:
        yield
    finally:
        clients.close()


def _half_send_bodies(server: Server, _dataset: Dataset, *, count: int) -> AbstractContextManager[None]:
    return _keep_connected(server, count=count, sent=_HALF_SENT)


def _connect_silently(server: Server, _dataset: Dataset, *, count: int) -> AbstractContextManager[None]:
    return _keep_connected(server, count=count, sent=b"")


def _stop_reading(server: Server, dataset: Dataset, *, count: int) -> AbstractContextManager[None]:
    request = f"GET {dataset.full_feed} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n".encode()
    return _keep_connected(server, count=count, sent=request, buffer=4096)


CASES: Mapping[str, Case] = {
    "idle": lambda _server, _dataset: nullcontext(),
    "8 half-sent bodies": partial(_half_send_bodies, count=8),
    "200 half-sent bodies": partial(_half_send_bodies, count=200),
    "1,100 silent connections": partial(_connect_silently, count=1100),
    "40 clients that stop reading": partial(_stop_reading, count=40),
    "20 writers while the write lock is held": hold_write_lock,
    "8 clients that edit one talk": edit_one_talk,
}


def measure_availability(server: Server, dataset: Dataset, cases: Mapping[str, Case] = CASES) -> Iterator[Availability]:
    """Yield the response times and the memory in each case. The first case is the baseline."""
    paths = ("/healthz", dataset.event_feed)
    for path in (*paths, dataset.full_feed):
        _measure_request(server.port, path)
    for name, case in cases.items():
        seconds: dict[str, list[float]] = {path: [] for path in paths}
        memory = [server.worker_memory().resident]
        rejected = 0
        with case(server, dataset):
            end = time.monotonic() + _CASE_SECONDS
            while time.monotonic() < end:
                for path in paths:
                    status, duration = _measure_request(server.port, path)
                    seconds[path].append(duration)
                    rejected += status != HTTPStatus.OK
                memory.append(server.worker_memory().resident)
                time.sleep(_PAUSE_SECONDS)
        yield Availability(name, seconds, rejected, max(memory))


def format_availability(measured: Sequence[Availability]) -> str:
    """Return a table with the median and the slowest response in each case, and the ratio to the first case."""
    rows: list[tuple[str, ...]] = [("case", "path", "median", "slowest", "slowest : idle", "rejected", "memory", "")]
    for one in measured:
        for path, seconds in one.seconds.items():
            ratio = max(seconds) / max(measured[0].seconds[path])
            rows.append(
                (
                    one.case,
                    path,
                    f"{median(seconds) * 1000:.1f} ms",
                    f"{max(seconds) * 1000:.1f} ms",
                    f"{ratio:.1f}",
                    str(one.rejected),
                    f"{one.memory / 1e6:.0f} MB",
                    "ok" if one.is_met else "over",
                )
            )
    return align_columns(rows)


def _measure_request(port: int, path: str) -> tuple[int, float]:
    """Return the status of a response and the time until a new connection has received it."""
    client = Client(port)
    started = time.monotonic()
    try:
        status = client.request_status(path, _HEADERS)
    finally:
        client.close()
    return status, time.monotonic() - started
