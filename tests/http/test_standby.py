"""Reads from a streaming standby that lags, stops and is promoted: no response is older than the client can notice."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.events.models import Event
from eventcal.kit.shared_counters import read_totals
from eventcal.web.feed_states import CHECK_INTERVAL, PAUSE, FeedStatesWithStandby
from tests import postgres
from tests.clocks import FixedClock
from tests.factories import make_event
from tests.feed_support.feed_client import fetch
from tests.http.standby_servers import StandbyServers
from tests.http_app import create_manual_background, database_of, get_json, make_settings, services_of, write_session
from tests.silent_server import run_silent_server


class Timer:
    """A monotonic clock that advances only in `pass_time`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def servers() -> Iterator[StandbyServers]:
    run = postgres.TestRun()
    try:
        yield StandbyServers(run.folder)
    finally:
        run.close()


class Worker:
    """A worker that may use the standby."""

    def __init__(self, app: Flask, instance: Path) -> None:
        self.app, self._instance = app, instance
        states = services_of(app).feed_states
        assert isinstance(states, FeedStatesWithStandby)
        self.states, self.timer = states, Timer()
        states.monotonic = self.timer
        states._next_check = states._next_attempt = 0.0

    def get(self, path: str = "/events/summit.ics", **headers: str) -> TestResponse:
        return fetch(self.app, path, **headers)

    def title(self, **headers: str) -> str:
        """Return the title of the event in the feed."""
        return next(line[8:] for line in self.get(**headers).text.splitlines() if line.startswith("SUMMARY:"))

    def count(self, name: str, value: str) -> int:
        label = "source" if name == "reads" else "reason"
        return read_totals(self._instance / "metrics").get(f'eventcal_{name}_total{{{label}="{value}"}}', 0)

    def use_standby(self) -> None:
        """Read from the primary once, so that the worker knows the epoch, and then from the standby."""
        self.get("/healthz")
        self.timer.seconds += CHECK_INTERVAL
        before = self.count("reads", "standby")
        self.get()
        self.get()
        assert self.count("reads", "standby") > before


def create_event(app: Flask) -> None:
    with write_session(app) as session:
        event = session.query(Event).filter_by(slug="summit").one_or_none() or make_event(session, slug="summit")
        event.title = "Before"


def rename(app: Flask, title: str) -> None:
    with write_session(app) as session:
        session.query(Event).filter_by(slug="summit").one().title = title


@contextmanager
def run_worker(url: str, read_url: str, *, clock: FixedClock, instance: Path) -> Iterator[Worker]:
    settings = make_settings(url, database_read_url=read_url, instance=instance, metrics_token="scrape-me")
    app = create_app(settings, clock=clock, background=create_manual_background())
    app.config["RATELIMIT_ENABLED"] = False
    try:
        yield Worker(app, instance)
    finally:
        database_of(app).engine.dispose()
        states = services_of(app).feed_states
        assert isinstance(states, FeedStatesWithStandby)
        states.standby.engine.dispose()


@pytest.fixture
def workers(servers: StandbyServers, clock: FixedClock, tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """Provide two workers and an event, which the standby has."""
    with (
        run_worker(servers.url, servers.standby_url, clock=clock, instance=tmp_path / "a") as first,
        run_worker(servers.url, servers.standby_url, clock=clock, instance=tmp_path / "b") as second,
    ):
        create_event(first.app)
        servers.catch_up()
        clock.tick(120)
        yield first, second


def test_request_without_credentials_is_served_by_the_standby(
    servers: StandbyServers, workers: tuple[Worker, Worker]
) -> None:
    worker, other = workers
    worker.use_standby()
    servers.lag()
    rename(other.app, "After")
    # This worker has not told of the change.
    assert worker.title() == "Before"
    assert worker.title(Cookie="a=b") == "After"


def test_response_is_not_older_than_one_that_the_worker_gave(
    servers: StandbyServers, workers: tuple[Worker, Worker]
) -> None:
    worker, other = workers
    worker.use_standby()
    servers.lag()
    rename(other.app, "After")
    assert get_json(worker.get("/api/v1/events/summit", Cookie="a=b"))["title"] == "After"
    assert worker.title() == "After"
    assert worker.count("standby_skips", "behind") > 0


@pytest.mark.parametrize("by", ["ETag", "Last-Modified"])
def test_response_is_not_older_than_the_request_names(
    servers: StandbyServers, workers: tuple[Worker, Worker], by: str
) -> None:
    worker, other = workers
    worker.use_standby()
    servers.lag()
    before = worker.get()
    rename(other.app, "After")
    held = other.get(Cookie="a=b")
    condition = {"If_None_Match": held.headers["ETag"]}
    if by == "Last-Modified":
        condition = {"If_Modified_Since": "Sun, 01 Mar 2026 13:00:00 GMT"}
    assert before.headers["ETag"] != held.headers["ETag"]
    found = worker.get(**condition)
    assert found.status_code == 304 or "After" in found.text
    assert worker.get(If_None_Match=before.headers["ETag"]).status_code == 200


def test_matching_poll_does_not_read_the_primary(workers: tuple[Worker, Worker]) -> None:
    worker, _ = workers
    worker.use_standby()
    tag = worker.get().headers["ETag"]
    before = worker.count("reads", "primary")
    assert [worker.get(If_None_Match=tag).status_code for _ in range(5)] == [304] * 5
    assert worker.count("reads", "primary") == before


def test_change_is_seen_by_every_worker_after_the_check_interval(
    servers: StandbyServers, workers: tuple[Worker, Worker]
) -> None:
    worker, other = workers
    worker.use_standby()
    servers.lag()
    rename(other.app, "After")
    worker.timer.seconds += CHECK_INTERVAL
    assert worker.title() == "After"


def test_stopped_standby_is_asked_once_per_pause(servers: StandbyServers, workers: tuple[Worker, Worker]) -> None:
    worker, _ = workers
    worker.use_standby()
    servers.stop("standby")
    try:
        assert [worker.title() for _ in range(5)] == ["Before"] * 5
        assert worker.count("standby_skips", "unavailable") == 1
        worker.timer.seconds += PAUSE
        worker.title()
        assert worker.count("standby_skips", "unavailable") == 2
    finally:
        servers.start("standby")
    worker.timer.seconds += PAUSE
    before = worker.count("reads", "standby")
    worker.title()
    worker.title()
    assert worker.count("reads", "standby") > before


def test_standby_of_another_epoch_is_not_used(servers: StandbyServers, workers: tuple[Worker, Worker]) -> None:
    worker, other = workers
    worker.use_standby()
    servers.lag()
    servers.query("UPDATE feed_state SET epoch = epoch || 'x', epoch_started_at = now() RETURNING 1")
    rename(other.app, "After")
    worker.timer.seconds += CHECK_INTERVAL
    assert worker.title() == "After"
    assert worker.count("standby_skips", "other-epoch") > 0


def test_promoted_standby_is_not_used(servers: StandbyServers, workers: tuple[Worker, Worker]) -> None:
    worker, other = workers
    worker.use_standby()
    servers.promote()
    try:
        servers.query("UPDATE events SET title = 'Elsewhere' RETURNING 1", standby=True)
        rename(other.app, "After")
        assert worker.title() == "After"
        assert worker.count("standby_skips", "no-standby") == 1
        assert [worker.title() for _ in range(3)] == ["After"] * 3
        assert worker.count("standby_skips", "no-standby") == 1
    finally:
        servers.replace_standby()


def test_standby_that_does_not_respond_is_asked_once_per_pause(
    servers: StandbyServers, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.kit.postgresql._QUICK_ANSWER", 0.02)
    with (
        tempfile.TemporaryDirectory(prefix="evs-") as folder,
        run_silent_server(servers.standby_url, Path(folder)) as proxy,
        run_worker(servers.url, proxy.url, clock=clock, instance=tmp_path) as worker,
    ):
        create_event(worker.app)
        servers.catch_up()
        worker.use_standby()
        proxy.silent.set()
        assert [worker.title() for _ in range(5)] == ["Before"] * 5
        assert worker.count("standby_skips", "unavailable") == 1
        proxy.silent.clear()


def test_standby_serves_unchanged_feeds_while_the_primary_is_down(
    servers: StandbyServers, workers: tuple[Worker, Worker]
) -> None:
    worker, _ = workers
    worker.use_standby()
    tag = worker.get().headers["ETag"]
    servers.stop("data")
    try:
        worker.timer.seconds += CHECK_INTERVAL
        assert [worker.get(If_None_Match=tag).status_code, worker.get().status_code] == [304, 200]
        # The client may have a version that only the primary has.
        assert worker.get(If_None_Match='"other"').status_code == 503
        assert worker.get(Cookie="a=b").status_code == 503
        assert worker.get("/api/v1/events/summit").status_code == 200
    finally:
        servers.start("data")
