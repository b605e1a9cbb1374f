"""A database server that does not respond: what is reported, and what is still served."""

import tempfile
from pathlib import Path

import pytest

from tests.clocks import FixedClock
from tests.feed_support.feed_client import fetch
from tests.http_app import create_test_app
from tests.silent_server import run_silent_server

pytestmark = pytest.mark.both_databases


def test_silent_database_is_reported_by_readyz_and_leaves_healthz(
    postgresql_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.kit.postgresql._QUICK_ANSWER", 0.02)
    monkeypatch.setattr("eventcal.kit.postgresql.READ_SECONDS", 0.2)
    with (
        tempfile.TemporaryDirectory(prefix="evs-") as folder,
        run_silent_server(postgresql_url, Path(folder)) as server,
        create_test_app(server.url, clock) as app,
    ):
        paths = ("/healthz", "/readyz", "/calendar.ics", "/api/v1/events", "/")
        assert [fetch(app, path).status_code for path in paths] == [200] * 5
        server.silent.set()
        # The first request finds out that the server is silent.
        assert [fetch(app, path).status_code for path in ("/readyz", *paths)] == [503, 200, 503, 503, 503, 503]
        assert int(fetch(app, "/calendar.ics").headers["Retry-After"]) >= 1
        server.silent.clear()
