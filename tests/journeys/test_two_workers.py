"""A test with two processes and one database: no process sends older content than the other process has sent."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from eventcal.app import build_services
from eventcal.kit.clock import SystemClock
from eventcal.members.enums import Scope
from eventcal.members.service import create_access_token
from eventcal.talks.enums import TalkState
from tests.api_client import add_team_member
from tests.concurrency import ReceivedResponse, newest_edit_without_gaps, poll_while_editing, receive_response
from tests.factories import make_event, make_member, make_talk
from tests.http_app import make_settings

START_TIMEOUT = 60.0
GetHeader = Callable[[str], str | None]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
TALK_COUNT = 20
POLLED_PATHS = [
    "/calendar.ics?from=2100-01-01",
    "/calendar.jcal?from=2100-01-01",
    "/calendar.atom",
    "/events/fest.ics",
    "/events/fest/schedule.json",
    "/api/v1/talks",
    "/api/v1/events/fest/talks",
]


def create_event_and_token(database_url: str) -> tuple[str, list[str]]:
    """Create an event with many talks titled "Edit 0", and return an organiser's token and the ids of the talks."""
    house = build_services(make_settings(database_url), clock=SystemClock())
    with house.database.unit_of_work() as unit:
        fest = make_event(unit.session, slug="fest", starts="2100-06-10", ends="2100-06-12")
        member = make_member(unit.session)
        add_team_member(unit.session, member, "fest")
        shown: dict[str, Any] = {"state": TalkState.CONFIRMED, "starts": "2100-06-10T10:00:00", "title": "Edit 0"}
        talks = [make_talk(unit.session, fest, **shown).id for _ in range(TALK_COUNT)]
        _, token = create_access_token(
            unit.session,
            member,
            name="test",
            scopes=list(Scope),
            expires_at=house.clock.now() + timedelta(days=1),
            now=house.clock.now(),
        )
    house.database.engine.dispose()
    return token, talks


@contextmanager
def run_two_workers(database_url: str, instance: Path) -> Iterator[tuple[int, int]]:
    """Run a server with two processes; provide its port, which either of them may serve, and its METRICS_PORT."""
    port, metrics_port = find_free_ports()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")}
    environment |= {
        "EVENTCAL_DATABASE_URL": database_url,
        "EVENTCAL_SECRET_KEY": "k" * 40,
        "EVENTCAL_INSTANCE": str(instance),
        "EVENTCAL_METRICS_PORT": str(metrics_port),
    }
    command = [sys.executable, "-m", "eventcal.cli", "serve", "--port", str(port), "--workers", "2"]
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:  # noqa: S603 - constant command
        try:
            wait_until_ready(port)
            yield port, metrics_port
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def find_free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def wait_until_ready(port: int) -> None:
    """Wait until the server responds."""
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end:
        try:
            send_request(port, "GET", "/readyz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not get ready")


def send_request(
    port: int, method: str, path: str, *, headers: Mapping[str, str] = NO_HEADERS, body: object = None
) -> tuple[int, GetHeader, bytes]:
    """Send a request on a new connection.

    Return the status, a function that returns the value of a header, and the body of the response.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, body=raw, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers.get, answer.read()
    finally:
        connection.close()


def test_no_process_serves_data_older_than_an_acknowledged_change(database_url: str, tmp_path: Path) -> None:
    token, talks = create_event_and_token(database_url)
    said = {"Authorization": f"Bearer {token}", "If-Match": "*", "Content-Type": "application/json"}
    polls = []
    with run_two_workers(database_url, tmp_path) as (port, metrics_port):

        def ask(path: str, headers: Mapping[str, str]) -> ReceivedResponse:
            polls.append(path)
            return receive_response(*send_request(port, "GET", path, headers=headers))

        # Each edit changes another talk, because a second edit of a talk within a second waits for the next second.
        def change(number: int) -> None:
            path = f"/api/v1/talks/{talks[number - 1]}"
            assert send_request(port, "PATCH", path, headers=said, body={"title": f"Edit {number}"})[0] == 200

        # Each of the four clients polls with two workers, and either worker may accept a connection.
        poll_while_editing(
            [[ask, ask]] * 4, POLLED_PATHS, edits=TALK_COUNT, change=change, shown=newest_edit_without_gaps
        )
        assert count_requests_in_metrics(metrics_port) == len(polls) + TALK_COUNT


def count_requests_in_metrics(metrics_port: int) -> int:
    """Return the number of requests that both processes have counted, except health checks."""
    status, _header, body = send_request(metrics_port, "GET", "/metrics")
    assert status == 200
    lines = [line for line in body.decode().splitlines() if line.startswith("eventcal_requests_total")]
    is_check = re.compile("/(healthz|readyz)").search
    return sum(int(line.rpartition(" ")[2]) for line in lines if not is_check(line))
