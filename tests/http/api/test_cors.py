"""CORS: pages of other origins may only read public responses."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.clocks import FixedClock
from tests.http_app import create_test_app


@pytest.fixture
def anonymous_client(sqlite_url: str, clock: FixedClock) -> Iterator[FlaskClient]:
    """Yield a client that is not signed in."""
    with create_test_app(sqlite_url, clock) as app:
        yield app.test_client()


def _send_preflight(client: FlaskClient, path: str, method: str) -> dict[str, str]:
    asked = {
        "Origin": "https://community.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "if-none-match",
    }
    answer = client.options(path, headers=asked)
    assert answer.status_code == 200
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}


@pytest.mark.parametrize("path", ["/api/v1/events", "/calendar.ics", "/api/v1/talks/x"])
def test_preflight_allows_reads_from_any_origin(anonymous_client: FlaskClient, path: str) -> None:
    assert _send_preflight(anonymous_client, path, "GET") == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "Accept, If-Modified-Since, If-None-Match",
        "Access-Control-Max-Age": "86400",
    }


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_preflight_does_not_allow_writes(anonymous_client: FlaskClient, method: str) -> None:
    assert _send_preflight(anonymous_client, "/api/v1/events", method) == {}


def test_cross_origin_response_does_not_allow_credentials(anonymous_client: FlaskClient) -> None:
    answer = anonymous_client.get("/api/v1/events", headers={"Origin": "https://community.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
