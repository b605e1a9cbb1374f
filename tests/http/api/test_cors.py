"""CORS: pages of other origins may only read public responses."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.clocks import FixedClock
from tests.http_app import running


@pytest.fixture
def visitor(sqlite_url: str, clock: FixedClock) -> Iterator[FlaskClient]:
    """Yield a client that is not signed in."""
    with running(sqlite_url, clock) as app:
        yield app.test_client()


def _preflight(visitor: FlaskClient, path: str, method: str) -> dict[str, str]:
    asked = {
        "Origin": "https://community.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "if-none-match",
    }
    answer = visitor.options(path, headers=asked)
    assert answer.status_code == 200
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}


@pytest.mark.parametrize("path", ["/api/v1/events", "/calendar.ics", "/api/v1/talks/x"])
def test_preflight_allows_reads_from_any_origin(visitor: FlaskClient, path: str) -> None:
    assert _preflight(visitor, path, "GET") == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "Accept, If-Modified-Since, If-None-Match",
        "Access-Control-Max-Age": "86400",
    }


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_preflight_does_not_allow_writes(visitor: FlaskClient, method: str) -> None:
    assert _preflight(visitor, "/api/v1/events", method) == {}


def test_cross_origin_response_does_not_allow_credentials(visitor: FlaskClient) -> None:
    answer = visitor.get("/api/v1/events", headers={"Origin": "https://community.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
