"""Pages of other origins may read what is public, and nothing else."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.clocks import FixedClock
from tests.http_app import running


@pytest.fixture
def visitor(sqlite_url: str, clock: FixedClock) -> Iterator[FlaskClient]:
    """Give a client that nobody is signed in to."""
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
def test_reading_is_free_for_any_origin(visitor: FlaskClient, path: str) -> None:
    assert _preflight(visitor, path, "GET") == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "Accept, If-Modified-Since, If-None-Match",
        "Access-Control-Max-Age": "86400",
    }


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_writing_is_not(visitor: FlaskClient, method: str) -> None:
    assert _preflight(visitor, "/api/v1/events", method) == {}


def test_what_is_read_never_comes_with_credentials(visitor: FlaskClient) -> None:
    answer = visitor.get("/api/v1/events", headers={"Origin": "https://community.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
