"""Metrics: who may read them, and what they count in all worker processes together."""

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from eventcal.kit.shared_counters import SharedCounters, delete_counters_of_ended_processes, read_totals
from eventcal.metrics import create_metrics_server, render_metrics
from eventcal.outbox.enums import MailKind
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import queue_mail
from tests import sample_calendar
from tests.clocks import NOON, FixedClock
from tests.feed_support.feed_client import fetch
from tests.http_app import create_test_app, database_of, make_settings, services_of, write_session

TOKEN = "scrape-me"
pytestmark = pytest.mark.both_databases


@contextmanager
def run_app(database_url: str, clock: FixedClock, instance: Path, **settings: Any) -> Iterator[Flask]:
    with create_test_app(database_url, clock, instance=instance, **settings) as app:
        yield app


@pytest.fixture
def metered_app(database_url: str, clock: FixedClock, tmp_path: Path) -> Iterator[Flask]:
    with run_app(database_url, clock, tmp_path, metrics_token=TOKEN) as app:
        sample_calendar.create_sample_calendar(app)
        clock.tick(600)
        yield app


def scrape(app: Flask) -> Mapping[str, int]:
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return parse(answer.text)


def parse(text: str) -> Mapping[str, int]:
    values = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: int(value) for name, _, value in values}


def requests_series(route: str, status: str) -> str:
    return f'eventcal_requests_total{{route="{route}",status="{status}"}}'


def test_metrics_do_not_exist_without_settings(app: Flask) -> None:
    assert fetch(app, "/metrics").status_code == 404
    assert not services_of(app).settings.counters_folder.exists()


@pytest.mark.parametrize("given", [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \u00fc"])
def test_metrics_require_the_token(metered_app: Flask, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    answer = metered_app.test_client().get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="eventcal"')


def test_port_alone_opens_metrics_only_on_that_port(database_url: str, clock: FixedClock, tmp_path: Path) -> None:
    with run_app(database_url, clock, tmp_path, metrics_port=9100) as app:
        assert fetch(app, "/metrics").status_code == 404
        assert fetch(app, "/healthz").status_code == 200
        assert read_totals(tmp_path / "metrics")[requests_series("/healthz", "2xx")] == 1


def test_responses_are_counted_by_route_and_status(metered_app: Flask) -> None:
    for path in ("/calendar.ics", "/calendar.ics", "/events/summit.ics", "/events/hackday.ics", "/nothing"):
        tag = fetch(metered_app, path).headers.get("ETag", '"none"')
        fetch(metered_app, path, If_None_Match=tag)
    counts = {name: value for name, value in scrape(metered_app).items() if name.startswith("eventcal_requests")}
    assert counts == {
        requests_series("/calendar.ics", "2xx"): 2,
        requests_series("/calendar.ics", "3xx"): 2,
        requests_series("/events/<slug>.ics", "2xx"): 2,
        requests_series("/events/<slug>.ics", "3xx"): 2,
        requests_series("unknown", "4xx"): 2,
    }
    assert scrape(metered_app)[requests_series("/metrics", "2xx")] == 1


def test_refusals_are_counted_by_limiter(metered_app: Flask) -> None:
    images = services_of(metered_app).limiters.images
    images.refused, images.timed_out = 3, 1
    fetch(metered_app, "/healthz")
    found = scrape(metered_app)
    assert found['eventcal_refusals_total{limiter="images",reason="full"}'] == 3
    assert found['eventcal_refusals_total{limiter="images",reason="timeout"}'] == 1
    assert found['eventcal_refusals_total{limiter="writes",reason="full"}'] == 0
    assert found['eventcal_refusals_total{limiter="blocked threads",reason="full"}'] == 0


def test_email_queue_and_revision_are_read_from_the_database(metered_app: Flask) -> None:
    before = scrape(metered_app)
    with write_session(metered_app) as session:
        for _ in range(3):
            queue_mail(session, MailKind.DECISION, to="ada@example.org", subject="Hello", text="Words.", now=NOON)
        session.flush()
        sent, failed, _waiting = session.query(OutboxMessage).order_by(OutboxMessage.id)
        sent.sent_at = failed.failed_at = NOON
    found = scrape(metered_app)
    assert found['eventcal_email_queue{state="waiting"}'] - before['eventcal_email_queue{state="waiting"}'] == 1
    assert found['eventcal_email_queue{state="failed"}'] == 1
    assert found["eventcal_database_up"] == 1
    assert found["eventcal_feed_revision"] == services_of(metered_app).feed_states.read_primary().revision


def test_metrics_report_a_database_that_cannot_be_read(metered_app: Flask) -> None:
    with database_of(metered_app).engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE outbox_messages")
    found = scrape(metered_app)
    assert found["eventcal_database_up"] == 0
    assert "eventcal_feed_revision" not in found


def test_metrics_server_serves_nothing_else(metered_app: Flask, tmp_path: Path) -> None:
    fetch(metered_app, "/healthz")
    settings = make_settings("sqlite://", instance=tmp_path, metrics_token=TOKEN, metrics_port=1)
    server = create_metrics_server(database_of(metered_app), replace(settings, metrics_port=0))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert server.server_address[0] == "127.0.0.1"
        statuses = {
            (path, token): _get(server.server_address[1], path, token)[0]
            for path in ("/metrics", "/", "/calendar.ics")
            for token in (None, TOKEN)
        }
        body = _get(server.server_address[1], "/metrics", TOKEN)[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert statuses == dict.fromkeys(statuses, 404) | {("/metrics", None): 401, ("/metrics", TOKEN): 200}
    assert body == render_metrics(database_of(metered_app), services_of(metered_app).settings).decode()
    assert parse(body)[requests_series("/healthz", "2xx")] == 1


def _get(port: int, path: str, token: str | None) -> tuple[int, str]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_counts_are_added_up_over_processes_and_survive_their_end(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from eventcal.kit.shared_counters import SharedCounters\n"
        "counters = SharedCounters(Path(sys.argv[1]), ['a', 'b'])\n"
        "for _ in range(1000): counters.increment(1)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)  # noqa: S603 - our own program
    own = SharedCounters(tmp_path, ["b", "c"])

    def count() -> None:
        for _ in range(1000):
            own.increment(0)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_totals(tmp_path) == {"a": 0, "b": 6000, "c": 0}
    delete_counters_of_ended_processes(tmp_path)
    assert read_totals(tmp_path) == {"b": 4000, "c": 0}
