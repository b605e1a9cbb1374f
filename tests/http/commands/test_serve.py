import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from granian.server import MPServer
from sqlalchemy import select

from eventcal.cli.server import list_warnings
from eventcal.cli.worker_processes import WorkerServer
from eventcal.feeds.fetch_counts import FeedFetches
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from eventcal.outbox.enums import MailKind
from eventcal.outbox.service import queue_mail
from tests.http_app import make_settings
from tests.mail_server import run_mail_server

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 60.0


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def run_server(instance: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run `eventcal serve` as a shell would start it; kill it at the end if it is still running."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")}
    environment |= {"EVENTCAL_INSTANCE": str(instance), "PYTHONUNBUFFERED": "1", **settings}
    command = [sys.executable, "-m", "eventcal.cli", "serve", "--port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def fetch_status(url: str, *, data: bytes | None = None) -> int | None:
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own server
            code: int = answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
    return code


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_requests_and_sends_email_until_signalled(
    tmp_path: Path, sqlite_url: str, end: signal.Signals
) -> None:
    database = Database(sqlite_url, clock=SystemClock())
    with database.unit_of_work() as unit:
        queue_mail(unit.session, MailKind.DECISION, to="ada@example.org", subject="Hello", text="Words.", now=unit.now)
    database.engine.dispose()
    port = find_free_port()
    base = f"http://127.0.0.1:{port}"
    with run_mail_server() as mail, run_server(tmp_path, port, EVENTCAL_MAIL_URL=mail.url) as process:
        assert process.stdout is not None
        ready = f"Serving on {base}. Press Ctrl-C to stop.\n"
        at_start = list(takewhile(lambda line: line != ready, process.stdout))
        # The server accepts connections when it prints its address.
        assert fetch_status(f"{base}/readyz") == 200
        assert fetch_status(f"{base}/calendar.ics") == 200
        assert fetch_status(f"{base}/feeds/a-secret.ics") == 404
        assert fetch_status(f"{base}/api/v1/auth/login", data=b'{"email": "ada@example.org", "password": "x"}') == 401
        wait_until(lambda: mail.recipients == ["ada@example.org"])
        process.send_signal(end)
        said, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 0, said
    # The feeds had not been rendered yet.
    assert re.fullmatch(
        r"The feeds were rendered by another release.*\n(Warning: eventcal runs as root.*\n)?", "".join(at_start)
    )
    # The log contains security events, but no requests.
    assert re.fullmatch(
        r'\{"time": "[^"]+Z", "event": "sign-in-failed", "client": "127\.0\.0\.1", '
        r'"route": "POST /api/v1/auth/login"\}\n',
        said,
    )
    # The fetch was counted before the worker ended.
    with database.read_session() as session:
        assert session.scalars(select(FeedFetches.fetches)).all() == [1]
    database.engine.dispose()


def test_workers_end_after_the_master_has_been_killed(tmp_path: Path, sqlite_url: str) -> None:
    port = find_free_port()
    base = f"http://127.0.0.1:{port}"
    with run_server(tmp_path, port, EVENTCAL_DATABASE_URL=sqlite_url, EVENTCAL_SECRET_KEY="k" * 40) as process:
        wait_until(lambda: fetch_status(f"{base}/healthz") == 200)
        process.kill()
        # The workers have the socket and the output of the master.
        process.communicate(timeout=TIMEOUT_SECONDS)
        assert fetch_status(f"{base}/healthz") is None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> WorkerServer:
    """Return a server of two workers that have not been started."""
    monkeypatch.setattr(MPServer, "_respawn_workers", lambda *_, **__: None)
    return WorkerServer("127.0.0.1", find_free_port(), workers=2)


@pytest.mark.parametrize(("age", "is_crash_loop"), [(60.0, False), (1.0, True)])
def test_crash_loop_of_one_worker_does_not_end_the_others(
    server: WorkerServer, age: float, *, is_crash_loop: bool
) -> None:
    ages = [0.0, age]
    workers: Any = [
        SimpleNamespace(birth=time.monotonic() - age, inner=SimpleNamespace(is_alive=lambda: True)) for age in ages
    ]
    server.wrks = workers
    server.respawned_wrks = {0: time.monotonic()}
    server._respawn_workers([0], None, None)
    # Granian ends if it has respawned the same worker within the last seconds.
    assert bool(server.respawned_wrks) == is_crash_loop


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT exists on Linux only")
def test_connections_of_clients_that_stop_reading_have_a_timeout(server: WorkerServer) -> None:
    server._init_shared_socket()
    with server._sso as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


@pytest.mark.parametrize(
    ("uid", "address", "base_url", "warnings"),
    [
        (1000, "127.0.0.1", "http://127.0.0.1:8000", []),
        (1000, "0.0.0.0", "https://events.example.org", []),  # noqa: S104 - not opened
        (0, "::1", "http://127.0.0.1:8000", ["root"]),
        (0, "0.0.0.0", "http://events.example.org", ["root", "without encryption"]),  # noqa: S104 - not opened
    ],
)
def test_serve_warns_of_unsafe_settings(
    monkeypatch: pytest.MonkeyPatch, uid: int, address: str, *, base_url: str, warnings: list[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    found = list(list_warnings(make_settings("sqlite://", base_url=base_url), address))
    assert [part in text for part, text in zip(warnings, found, strict=True)] == [True] * len(warnings)


def test_wsgi_module_offers_the_app_to_other_servers(sqlite_url: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")}
    environment |= {"EVENTCAL_INSTANCE": str(tmp_path), "EVENTCAL_DATABASE_URL": sqlite_url}
    environment["EVENTCAL_SECRET_KEY"] = "k" * 40
    asking = "import wsgi; print(wsgi.app.test_client().get('/readyz').status)"
    command = [sys.executable, "-c", asking]
    run = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == "200 OK\n"
