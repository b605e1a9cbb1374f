"""The measured servers: child processes on the loopback interface that end when this process ends."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType

from bench import processes
from bench.datasets import Dataset
from bench.processes import MemoryUsage, read_memory_usage

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

# Debian installs nginx in a folder that is not in the PATH of all users.
_PROGRAM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
_NGINX_CONFIGURATION = """
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
    }}
}}
"""
_CONNECTION_CLOSED = "The server closed the connection."
# The number of bytes of a body that are read at once.
_BUFFER_SIZE = 64 * 1024
# The size of the receive buffer in bytes. If the kernel chose the size, it would differ between connections, and with
# it the CPU time that the server needs for a large body.
_RECEIVE_BUFFER_SIZE = 4 * 1024 * 1024
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

    def find_header(self, name: str) -> str | None:
        """Return the value of a header, or None if the header is missing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Client:
    """A keep-alive connection to a server.

    The client does little work between the arrival and the reading of a response. While a client such as `http.client`
    parses the headers, the server waits for space in the buffer of the socket, which costs the server CPU time.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None
        self._file: BufferedReader | None = None
        self._buffer = memoryview(bytearray(_BUFFER_SIZE))

    def request(
        self, path: str, headers: Mapping[str, str] = NO_HEADERS, *, method: str = "GET", body: bytes | None = None
    ) -> Response:
        """Send a request and return the complete response. Raise OSError if the connection ends."""
        file = self._send(path, headers, method=method, body=body)
        response = _read_head(file)
        received = file.read(_body_length(response))
        if len(received) < _body_length(response):
            raise ConnectionResetError(_CONNECTION_CLOSED)
        return replace(response, body=received)

    def request_status(self, path: str, headers: Mapping[str, str] = NO_HEADERS) -> int:
        """Send a GET request and return the status of the response. Raise OSError if the connection ends.

        The body is read into the same small buffer again and again. A client that stores large bodies displaces the
        data of the server from the caches of the processor.
        """
        file = self._send(path, headers)
        response = _read_head(file)
        missing = _body_length(response)
        while missing:
            received = file.readinto1(self._buffer[:missing])
            if not received:
                raise ConnectionResetError(_CONNECTION_CLOSED)
            missing -= received
        return response.status

    def _send(
        self, path: str, headers: Mapping[str, str], *, method: str = "GET", body: bytes | None = None
    ) -> BufferedReader:
        """Send a request, and return the file from which the response is read."""
        if self._socket is None or self._file is None:
            self._socket = socket.socket()
            self._socket.settimeout(_RESPONSE_TIMEOUT)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_SIZE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.connect(("127.0.0.1", self.port))
            self._file = self._socket.makefile("rb")
        sent = {"Host": f"127.0.0.1:{self.port}", **headers}
        if body is not None:
            sent["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        self._socket.sendall("\r\n".join(lines).encode() + (body or b""))
        return self._file

    def close(self) -> None:
        """Close the connection. The next request opens a new connection."""
        if self._socket is not None and self._file is not None:
            self._file.close()
            self._socket.close()
        self._socket = self._file = None


def _read_head(file: BufferedReader) -> Response:
    """Return the status and the headers of the next response, without its body."""
    status_line, *header_lines = iter(partial(_read_line, file), b"\r\n")
    fields = [line.decode("latin-1").partition(":") for line in header_lines]
    return Response(int(status_line.split()[1]), tuple((name, value.strip()) for name, _, value in fields), b"")


def _body_length(response: Response) -> int:
    if response.status == HTTPStatus.NOT_MODIFIED:
        return 0
    return int(response.find_header("Content-Length") or 0)


def _read_line(file: BufferedReader) -> bytes:
    line = file.readline()
    if not line:
        raise ConnectionResetError(_CONNECTION_CLOSED)
    return line


class Server(Client):
    """A server process with its child processes, and a keep-alive connection to the server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        super().__init__(port)
        self._process = process
        self._pids: tuple[int, ...] = ()
        self._clocks: tuple[int, ...] = ()

    def cpu_nanoseconds(self) -> int:
        """Return the CPU time of all processes and threads of the server in nanoseconds."""
        return processes.cpu_nanoseconds(self._clocks)

    def worker_memory(self) -> MemoryUsage:
        """Return the memory of the worker, which is the largest process."""
        return max((read_memory_usage(pid) for pid in self._pids), key=lambda usage: usage.resident)

    def master_memory(self) -> MemoryUsage:
        """Return the memory of the process that started the workers."""
        return read_memory_usage(self._process.pid)

    def move_to_measured_processor(self) -> None:
        """Run the server on one processor. Waking up threads on other processors would take a varying CPU time."""
        for pid in self._pids:
            processes.move_to_measured_processor(pid)

    def wait_until_ready(self) -> None:
        """Wait until the server responds, and find its processes. Raise RuntimeError if the server ends."""
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                self.request("/healthz")
                break
            except OSError as error:
                self.close()
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"The server does not start: {error}") from error
                time.sleep(0.05)
        self._pids = processes.list_process_tree(self._process.pid)
        self._clocks = tuple(processes.cpu_clock(pid) for pid in self._pids)


@contextmanager
def serve_dataset(world: Dataset, *, workers: int = 1) -> Iterator[Server]:
    """Run `eventcal serve` for a dataset."""
    port = _free_port()
    command = [sys.executable, "-m", "eventcal.cli", "serve", "--workers", str(workers), "--port", str(port)]
    with _run_server(command, port, world.environment()) as server:
        yield server


@contextmanager
def serve_baselines(folder: Path, world: Dataset) -> Iterator[Mapping[str, Server]]:
    """Run the baseline servers for the files in a folder, and provide them by name. nginx runs if it is installed."""
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        for name in ("flask", "wsgi"):
            port = _free_port()
            command = [sys.executable, "-m", "bench.baseline_apps", name, str(folder), str(port)]
            servers[name] = stack.enter_context(_run_server(command, port, world.environment()))
        nginx = find_nginx()
        if nginx is not None:
            port = _free_port()
            command = _nginx_command(nginx, folder, port)
            servers["nginx"] = stack.enter_context(_run_server(command, port, os.environ))
        for server in servers.values():
            server.move_to_measured_processor()
        yield servers


def find_nginx() -> str | None:
    """Return the path of the nginx program, or None if nginx is not installed."""
    return shutil.which("nginx", path=_PROGRAM_PATH)


def _nginx_command(nginx: str, root: Path, port: int) -> list[str]:
    """Return the command that serves the files in a folder, after writing the configuration next to the folder."""
    folder = root.with_name(f"{root.name}-nginx")
    folder.mkdir()
    configuration = folder / "nginx.conf"
    user = pwd.getpwuid(os.geteuid()).pw_name
    configuration.write_text(_NGINX_CONFIGURATION.format(user=user, folder=folder, port=port, root=root))
    return [nginx, "-p", str(folder), "-c", str(configuration), "-e", "stderr", "-g", "daemon off;"]


@contextmanager
def _run_server(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    with subprocess.Popen(  # noqa: S603 - constant programs
        command,
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
