"""Cached documents are rendered once, all others for each request."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.feeds.index.models import FeedState
from eventcal.feeds.stored_json_queries import list_talk_json
from eventcal.talks.models import Talk
from eventcal.web.api import talks
from eventcal.web.documents import Document, RenderedBody, Snapshot, serve_cached, serve_uncached
from eventcal.web.feeds.endpoints import FEEDS
from eventcal.web.http.representation import RenderSource, Representation
from eventcal.web.request.context import attach_services
from eventcal.web.response_cache import ResponseCache, ResponseKey
from tests.clocks import NOON, FixedClock
from tests.feed_support.feed_client import create_calendar, fetch, set_title
from tests.http_app import load_feed_state, services_of
from tests.tracing import trace_files

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class CountingDocument(Document):
    """A document that counts how often it is rendered."""

    media_type: str = "text/plain"
    render_count: int = 0

    def load(self, _snapshot: Snapshot, /) -> None:
        """Do nothing: the note needs no database lookup."""

    def render(self, _snapshot: Snapshot, _earlier: RenderSource | None, /) -> RenderedBody:
        """Return the same body each time."""
        self.render_count += 1
        return RenderedBody(b"note " * 100)


def request_document(app: Flask, document: CountingDocument) -> None:
    with app.test_request_context("/note"):
        assert serve_cached(document).status_code == 200


def test_document_is_rendered_once_per_revision_and_day(app: Flask, clock: FixedClock) -> None:
    create_calendar(app)
    note = CountingDocument()
    for renderings in (1, 1):
        request_document(app, note)
        assert note.render_count == renderings
    set_title(app, Talk, "scheduled", title="Else")
    for renderings in (2, 2):
        request_document(app, note)
        assert note.render_count == renderings
    clock.tick(86400)
    for renderings in (3, 3):
        request_document(app, note)
        assert note.render_count == renderings


def test_undated_document_is_rendered_for_each_request(app: Flask) -> None:
    note = CountingDocument(cacheable=False)
    for renderings in (1, 2):
        request_document(app, note)
        assert note.render_count == renderings


def test_uncached_document_is_rendered_for_each_request(app: Flask) -> None:
    note = CountingDocument()
    for renderings in (1, 2):
        with app.test_request_context("/note"):
            serve_uncached(note)
        assert note.render_count == renderings
    request_document(app, note)
    assert note.render_count == 3


def test_document_is_rendered_once_per_language(app: Flask) -> None:
    notes = CountingDocument(language="en"), CountingDocument(language="de")
    for _ in range(2):
        for note in notes:
            request_document(app, note)
    assert [note.render_count for note in notes] == [1, 1]


def test_unchanged_body_keeps_its_encodings_across_revisions(app: Flask) -> None:
    create_calendar(app)

    def cached() -> Representation:
        found = services_of(app).responses.get(ResponseKey.build("/note?", load_feed_state(app), NOON))
        assert found is not None
        return found.representation

    note = CountingDocument()
    request_document(app, note)
    packed = cached().encoded_body("gzip")
    set_title(app, Talk, "scheduled", title="Else")
    request_document(app, note)
    assert note.render_count == 2
    assert cached().encoded_body("gzip") is packed
    set_title(app, Talk, "scheduled", title="Else again")
    note.link = "</other>; rel=next"
    request_document(app, note)
    assert cached().link == note.link


@pytest.mark.parametrize(
    ("changed_at", "expected"),
    [
        (NOON - timedelta(days=3), (MIDNIGHT, NOON - timedelta(days=3))),
        (NOON - timedelta(hours=1), (NOON - timedelta(hours=1), NOON - timedelta(hours=1))),
    ],
)
def test_daily_document_is_last_modified_at_midnight_or_later(
    changed_at: datetime, expected: tuple[datetime, datetime]
) -> None:
    state = FeedState(
        revision=7,
        changed_at=changed_at,
        full_rebuild_revision=0,
        epoch="e1",
        epoch_started_at=NOON - timedelta(days=9),
    )
    daily, steady, undated = (
        CountingDocument(),
        CountingDocument(changes_daily=False),
        CountingDocument(cacheable=False),
    )
    assert (daily.last_modified(state, NOON), steady.last_modified(state, NOON)) == expected
    assert undated.last_modified(state, NOON) is None


class LockCountingCache(ResponseCache):
    """A cache that counts the requests that hold its lock or wait for it."""

    def __init__(self) -> None:
        super().__init__(10_000_000)
        self.lock_requests = threading.Semaphore(0)

    def get_render_lock(self, key: ResponseKey) -> threading.Lock:
        """Return the lock and count the call."""
        self.lock_requests.release()
        return super().get_render_lock(key)


def test_concurrent_requests_for_a_list_read_it_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    create_calendar(app)
    cache = LockCountingCache()
    attach_services(app, replace(services_of(app), responses=cache))
    reads = []

    def read_slowly(*wanted: Any, **paged: Any) -> Any:  # noqa: ANN401 - as talk_resources
        reads.append(paged)
        # Wait until the other request has asked for the lock, too.
        assert all(cache.lock_requests.acquire(timeout=30) for _ in range(2))
        return list_talk_json(*wanted, **paged)

    monkeypatch.setattr(talks, "list_talk_json", read_slowly)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda path: fetch(app, path), ["/api/v1/talks"] * 2))
    assert len(reads) == 1
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].data == answers[1].data


def test_registered_feed_routes_equal_the_feed_table(app: Flask) -> None:
    routes = {
        rule.endpoint: rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in {"calendars", "documents"}
    }
    assert routes == {endpoint: feed.rule for endpoint, feed in FEEDS.items()}


def test_unchanged_feed_request_enters_few_source_files(app: Flask) -> None:
    create_calendar(app)
    tag = fetch(app, "/calendar.ics").headers["ETag"]

    def poll() -> TestResponse:
        return fetch(app, "/calendar.ics", If_None_Match=tag)

    poll()
    with trace_files() as seen:
        assert poll().status_code == 304
    assert "web/cache_middleware.py" in seen
    assert len(seen) <= 13, "\n".join(sorted(seen))
