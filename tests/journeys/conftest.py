"""Fixtures for a server in a separate process with a migrated database."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_START_TIMEOUT = 60.0


@dataclass
class Server:
    """A running `eventcal serve`, which tests can kill to simulate a power failure."""

    process: subprocess.Popen[bytes]
    port: int

    def request(
        self, method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send a request, and return the status and the JSON or text of the response.

        Raise OSError or HTTPException if there is no response.
        """
        status, said, _ = self.request_with_headers(method, path, body=body, headers=headers)
        return status, said

    def request_with_headers(
        self, method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Send a request, and return the status, the JSON or text, and the headers of the response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            raw = None if body is None else json.dumps(body).encode()
            said = {"Content-Type": "application/json"} if raw is not None else {}
            connection.request(method, path, body=raw, headers={**said, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = "json" in (answer.headers.get("Content-Type") or "")
            return answer.status, json.loads(text) if is_json and text else text, answer.headers
        finally:
            connection.close()

    def kill(self) -> None:
        """Kill the server and its workers (SIGKILL)."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """Provide a server that uses the database of the test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")},
        "EVENTCAL_DATABASE_URL": database_url,
        "EVENTCAL_SECRET_KEY": "k" * 40,
        "EVENTCAL_INSTANCE": str(tmp_path),
        "EVENTCAL_BASE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "eventcal.cli", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:  # noqa: S603 - constant command
        running = Server(process, port)
        try:
            _wait_until_ready(running)
            yield running
        finally:
            if process.poll() is None:
                running.kill()


def _wait_until_ready(server: Server) -> None:
    end = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < end:
        try:
            if server.request("GET", "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server did not get ready")
