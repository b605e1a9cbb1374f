"""Concurrent fetches of a feed during changes: each response is a consistent snapshot."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

import pytest
from flask import Flask

from eventcal.events.models import Event
from eventcal.talks.models import Talk
from tests.api_client import get_row
from tests.clocks import FixedClock
from tests.feed_support.feed_client import create_calendar, fetch, fetch_titles, set_title
from tests.feed_support.ics_reader import feed_errors
from tests.http_app import create_test_app

pytestmark = pytest.mark.both_databases

PATHS = ("/calendar.ics", "/calendar.ics?profile=rich", "/events/summit.jscal", "/speakers/grace.ics")


@pytest.fixture(autouse=True)
def ids(app: Flask) -> dict[str, str]:
    return create_calendar(app)


def test_concurrent_fetch_returns_a_consistent_snapshot(app: Flask, database_url: str, clock: FixedClock) -> None:
    over = Signal()

    def fetch_all() -> Mapping[tuple[str, str], bytes]:
        seen: dict[tuple[str, str], bytes] = {}
        while not over.is_set():
            for path in PATHS:
                answer = fetch(app, path)
                assert answer.status_code == 200
                # For one path, an ETag always identifies the same bytes.
                assert seen.setdefault((path, answer.headers["ETag"]), answer.data) == answer.data
        return seen

    with ThreadPoolExecutor(4) as readers:
        reading = [readers.submit(fetch_all) for _ in range(4)]
        try:
            summit = get_row(app, Event, slug="summit").id
            for number in range(20):
                # The first change updates the cached feed; the second requires a full rebuild.
                set_title(app, Talk, "scheduled", title=f"Talk {number}")
                set_title(app, Event, summit, title=f"Summit {number}")
        finally:
            over.set()
        seen = [one.result(timeout=60) for one in reading]
    together: dict[tuple[str, str], bytes] = {}
    for of_one in seen:
        assert all(together.setdefault(name, body) == body for name, body in of_one.items())
    assert [body for (path, _), body in together.items() if path == "/calendar.ics" and feed_errors(body)] == []
    assert fetch_titles(app, "/calendar.ics") == ["Summit 19", "Talk 19"]
    with create_test_app(database_url, clock) as other:
        for path in PATHS:
            assert (path, fetch(app, path).data) == (path, fetch(other, path).data)
