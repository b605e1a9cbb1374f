"""The measured servers: child processes on the loopback interface that end when this process ends."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bench import processes
from bench.datasets import Dataset

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_START_TIMEOUT, _STOP_TIMEOUT, _RESPONSE_TIMEOUT = 30.0, 30.0, 120.0


@dataclass(frozen=True)
class Response:
    """A response: its status, its headers in their order, and its encoded body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of a header. Raise KeyError if the header is missing."""
        return {key.lower(): value for key, value in self.headers}[name.lower()]


class Server:
    """A server and a keep-alive connection to the server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_RESPONSE_TIMEOUT)
        self._pids: tuple[int, ...] = ()
        self._clocks: tuple[int, ...] = ()

    def request(
        self, path: str, headers: Mapping[str, str] = NO_HEADERS, *, method: str = "GET", body: bytes | None = None
    ) -> Response:
        """Send a request and return the complete response."""
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        if body is not None:
            self._connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders(body)
        answer = self._connection.getresponse()
        return Response(answer.status, tuple(answer.getheaders()), answer.read())

    def cpu_nanoseconds(self) -> int:
        """Return the CPU time of all processes and threads of the server in nanoseconds."""
        return processes.cpu_nanoseconds(self._clocks)

    def resident_bytes(self) -> int:
        """Return the resident memory of the worker, which is the largest process, in bytes."""
        return max(processes.resident_bytes(pid) for pid in self._pids)

    def wait_until_ready(self) -> None:
        """Wait until the server responds, and find its processes. Raise RuntimeError if the server ends."""
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                self.request("/healthz")
                break
            except OSError as error:
                self._connection.close()
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"The server does not start: {error}") from error
                time.sleep(0.05)
        self._pids = processes.list_process_tree(self._process.pid)
        self._clocks = tuple(processes.cpu_clock(pid) for pid in self._pids)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def serve_dataset(world: Dataset) -> Iterator[Server]:
    """Run `eventcal serve` for a dataset with one worker."""
    with _run_server(["eventcal.cli", "serve", "--workers", "1", "--port"], world.environment()) as server:
        yield server


@contextmanager
def serve_minimal_app(folder: Path, world: Dataset) -> Iterator[Server]:
    """Run the minimal app for the files in a folder."""
    with _run_server(["bench.minimal_app", str(folder)], world.environment()) as server:
        yield server


@contextmanager
def _run_server(command: list[str], environment: Mapping[str, str]) -> Iterator[Server]:
    port = _free_port()
    with subprocess.Popen(  # noqa: S603 - constant modules
        [sys.executable, "-m", *command, str(port)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=processes.end_with_parent,  # noqa: PLW1509 - there is no other thread
    ) as process:
        server = Server(process, port)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.close()
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
