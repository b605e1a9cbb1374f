"""A busy server: which requests are rejected, what is still served, and what is logged."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from eventcal.feeds.stored_json_queries import list_talk_json
from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.log_throttle import LogThrottle
from eventcal.web.api import talks
from eventcal.web.request.context import attach_services
from eventcal.web.request.rejection_log import THROTTLE_KEY
from tests.api_client import ApiClient, ApiResponse
from tests.clocks import NOON, FixedClock
from tests.factories import make_speaker
from tests.feed_support.feed_client import create_calendar, fetch
from tests.http_app import services_of, write_session
from tests.images import make_image, make_png_without_pixels

BASE_URL = "http://127.0.0.1:8000"
Request = Callable[[Flask, ApiClient], ApiResponse]


@contextmanager
def without_free_slots(app: Flask, kind: str) -> Iterator[ConcurrencyLimiter]:
    """Run the app with a limiter that has no slots."""
    services = services_of(app)
    full = ConcurrencyLimiter(kind, limit=0)
    attach_services(app, replace(services, limiters=replace(services.limiters, **{kind: full})))
    try:
        yield full
    finally:
        attach_services(app, services)


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the app with its own instance folder and a public calendar."""
    services = services_of(app)
    attach_services(app, replace(services, settings=replace(services.settings, instance=tmp_path)))
    create_calendar(app)
    return app


@pytest.fixture
def speaker(app: Flask, member: ApiClient) -> ApiClient:
    """Return the member as a public speaker."""
    with write_session(app) as session:
        make_speaker(session, slug="me", name="Me", published_at=NOON).member_id = member.member_id
    return member


def _get(path: str) -> Request:
    return lambda app, _: ApiClient(app).get_feed(path)


def _upload_portrait(_: Flask, speaker: ApiClient) -> ApiResponse:
    return speaker.put("/speakers/me/photo", make_image(), Content_Type="image/png")


BLOCKING_REQUESTS: dict[str, list[Request]] = {
    "renders": [
        _get("/calendar.ics?q=new"),
        _get("/events/summit"),
        _get("/api/v1/talks?q=new"),
        # Feeds that are filtered by open calls are never cached.
        _get("/calendar.ics?cfp=open"),
    ],
    "feed_checks": [_get(f"/feeds/check?url={BASE_URL}/calendar.ics")],
    "images": [_upload_portrait],
}


@pytest.mark.parametrize("kind", BLOCKING_REQUESTS)
def test_requests_without_a_slot_are_rejected_while_cached_feeds_are_served(
    app: Flask, speaker: ApiClient, kind: str
) -> None:
    first = fetch(app, "/calendar.ics")
    with without_free_slots(app, kind) as full:
        for number, request in enumerate(BLOCKING_REQUESTS[kind], start=1):
            response = request(app, speaker)
            assert response.status_and_code == (503, "overloaded")
            assert response.headers["Retry-After"] == "1"
            assert full.refused == number
        assert fetch(app, "/calendar.ics").data == first.data
        assert fetch(app, "/calendar.ics", If_None_Match=first.headers["ETag"]).status_code == 304
        assert fetch(app, "/healthz").status_code == 200
    for request in BLOCKING_REQUESTS[kind]:
        assert request(app, speaker).status == 200


def test_page_without_a_slot_is_an_error_page(app: Flask) -> None:
    with without_free_slots(app, "renders"):
        response = fetch(app, "/events/summit", Accept="text/html")
    assert (response.status_code, response.mimetype) == (503, "text/html")


def test_threads_that_wait_for_the_same_document_hold_slots(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, release = threading.Event(), threading.Event()
    limiter = ConcurrencyLimiter("renders", limit=2)
    services = services_of(app)
    attach_services(app, replace(services, limiters=replace(services.limiters, renders=limiter)))

    def list_slowly(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - wraps list_talk_json
        waiting.set()
        release.wait(30)
        return list_talk_json(*args, **named)

    monkeypatch.setattr(talks, "list_talk_json", list_slowly)
    with ThreadPoolExecutor(2) as threads:
        slow = [threads.submit(fetch, app, "/api/v1/talks") for _ in range(2)]
        waiting.wait(30)
        while limiter.running < 2:
            threading.Event().wait(0.001)
        assert fetch(app, "/api/v1/talks").status_code == 503
        release.set()
        assert [one.result(30).status_code for one in slow] == [200, 200]
    assert limiter.running == 0


def test_feed_checks_are_counted_per_client(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    try:
        statuses = [fetch(app, f"/feeds/check?url={BASE_URL}/calendar.ics").status_code for _ in range(31)]
        assert (statuses, fetch(app, "/calendar.ics").status_code) == ([200] * 30 + [429], 200)
    finally:
        app.config["RATELIMIT_ENABLED"] = False


def test_uploads_are_counted_by_pixels(app: Flask, speaker: ApiClient) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    try:
        for size, statuses in (((4000, 4000), [200, 200, 200]), ((5000, 3200), [200]), ((10, 10), [429])):
            for status in statuses:
                raw = make_png_without_pixels(*size) if status == 429 else make_image(size, mode="L", colour=0)
                assert speaker.put("/speakers/me/photo", raw, Content_Type="image/png").status == status
    finally:
        app.config["RATELIMIT_ENABLED"] = False


def test_rejections_are_logged_once_a_minute_with_their_number(
    app: Flask, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    name = "eventcal.web.request.rejection_log"
    app.extensions[THROTTLE_KEY] = LogThrottle()
    with caplog.at_level(logging.WARNING, name), without_free_slots(app, "renders"):
        for minute in range(2):
            for _ in range(50):
                fetch(app, f"/calendar.ics?q=new{minute}")
            clock.tick(60)
        fetch(app, "/events/summit")
    lines = [record.getMessage() for record in caplog.records if record.name == name]
    assert lines == [
        "503 overloaded at GET /calendar.ics; 0 more since the previous line",
        "503 overloaded at GET /calendar.ics; 49 more since the previous line",
        "503 overloaded at GET /events/<slug>; 49 more since the previous line",
    ]
