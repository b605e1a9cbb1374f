"""Clients that send a body or receive a response slowly do not keep threads, connections or memory occupied."""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any
from wsgiref.types import StartResponse

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, TestResponse

from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.web.http import slow_clients
from eventcal.web.http.body_reader import BodyReader, ReadTimeouts
from eventcal.web.request.context import attach_services
from tests import sample_calendar
from tests.feed_support.feed_client import create_calendar, fetch
from tests.http.test_every_route import UNSAFE_METHODS, iter_paths, iter_rules
from tests.http_app import create_signed_in_client, database_of, services_of

LOGIN = "/api/v1/auth/login"
_LONG = 30.0
# No body arrives within no time.
IMPATIENT = ReadTimeouts(arrived=0, stall=0, total=0)
PATIENT = ReadTimeouts(arrived=0, stall=_LONG, total=_LONG)


class StalledBody:
    """The body of a client that sends nothing until `release` is called, and then closes the connection or sends."""

    def __init__(self, app: Flask, rest: bytes = b"") -> None:
        self._app = app
        self._released = threading.Event()
        self._rest = rest
        self.reads = 0
        self.connections: set[int] = set()

    def read(self, _size: int) -> bytes:
        self.reads += 1
        self.connections.add(database_of(self._app).engine.pool.checkedout())  # type: ignore[attr-defined]  # a QueuePool
        assert self._released.wait(_LONG)
        rest, self._rest = self._rest, b""
        return rest

    def release(self) -> None:
        self._released.set()


class EndlessBody:
    """The body of a client that sends small pieces without end."""

    def read(self, _size: int) -> bytes:
        return b"x"


def use_body_reader(app: Flask, timeouts: ReadTimeouts, *, limit: int = 1, per_key: int | None = None) -> BodyReader:
    """Give the app a body reader with these timeouts and its own limiter."""
    reader = BodyReader(ConcurrencyLimiter("bodies", limit=limit, per_key=per_key), timeouts)
    attach_services(app, replace(services_of(app), body_reader=reader))
    return reader


def body_environ(body: Any, *, length: int | None = 100, content_type: str = "application/json") -> dict[str, Any]:  # noqa: ANN401 - any object with a `read` method
    """Return the WSGI environment of a body with a declared length, or without a length if it is sent in chunks."""
    declared = {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": str(length)}
    return {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_TYPE": content_type, **declared}


def send(app: Flask, body: Any, *, path: str = LOGIN, address: str = "192.0.2.1", **declared: Any) -> TestResponse:  # noqa: ANN401 - see above
    """Send a POST request with a body."""
    environ = body_environ(body, **declared) | {"REMOTE_ADDR": address}
    return app.test_client().post(path, environ_overrides=environ)


def record_start(started: list[Any]) -> StartResponse:
    """Return a `start_response` function that adds its arguments to a list."""

    def start_response(*arguments: object) -> Callable[[bytes], object]:
        started.extend(arguments)
        return lambda _: None

    return start_response


def wait_until_running(limiter: ConcurrencyLimiter, count: int) -> None:
    end = monotonic() + _LONG
    while limiter.running != count:
        assert monotonic() < end
        threading.Event().wait(0.001)


@pytest.mark.both_databases
def test_no_route_waits_for_a_body_that_does_not_arrive(app: Flask) -> None:
    sample_calendar.create_sample_calendar(app)
    browser = create_signed_in_client(app, "mo@example.org")
    limiter = use_body_reader(app, IMPATIENT).limiter
    statuses: dict[str, set[int]] = {}
    connections: set[int] = set()
    for method, rule in iter_rules(app, UNSAFE_METHODS):
        for content_type in ("application/json", "application/x-www-form-urlencoded"):
            body = StalledBody(app)
            environ = body_environ(body, content_type=content_type)
            with browser.client.open(next(iter_paths(rule)), method=method, environ_overrides=environ) as answer:
                statuses.setdefault(rule.rule, set()).add(answer.status_code)
            body.release()
            wait_until_running(limiter, 0)
            connections |= body.connections
    assert {rule: seen for rule, seen in statuses.items() if max(seen) >= 500} == {}
    assert sum(408 in seen for seen in statuses.values()) > 80
    # No request keeps a database connection while it waits.
    assert connections == {0}


def test_slow_body_returns_408_and_keeps_its_slot_until_the_read_ends(app: Flask) -> None:
    limiter = use_body_reader(app, IMPATIENT).limiter
    body = StalledBody(app)
    answer = send(app, body)
    assert (answer.status_code, answer.content_type) == (408, "application/problem+json")
    assert (answer.json or {})["code"] == "request-timeout"
    assert limiter.running == 1
    body.release()
    wait_until_running(limiter, 0)


def test_slow_form_returns_an_html_page(app: Flask) -> None:
    use_body_reader(app, IMPATIENT)
    body = StalledBody(app)
    environ = body_environ(body, content_type="application/x-www-form-urlencoded")
    answer = app.test_client().post("/login", environ_overrides=environ, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (408, "text/html")
    body.release()


def test_slow_bodies_above_the_limit_return_503_with_retry_after(app: Flask) -> None:
    limiter = use_body_reader(app, IMPATIENT, limit=2, per_key=1).limiter
    bodies = [StalledBody(app) for _ in range(4)]
    addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    answers = [send(app, body, address=address) for body, address in zip(bodies, addresses, strict=True)]
    assert [answer.status_code for answer in answers] == [408, 503, 408, 503]
    assert {answer.headers.get("Retry-After") for answer in answers if answer.status_code == 503} == {"1"}
    assert (limiter.running, limiter.refused) == (2, 2)
    for body in bodies:
        body.release()
    wait_until_running(limiter, 0)


def test_body_that_has_arrived_needs_no_slot(app: Flask) -> None:
    limiter = use_body_reader(app, ReadTimeouts(arrived=_LONG), limit=0).limiter
    answer = app.test_client().post(LOGIN, json={"email": "ada@example.org", "password": "x"})
    assert (answer.status_code, limiter.refused) == (401, 0)


def test_body_that_arrives_late_is_read_with_a_slot(app: Flask) -> None:
    limiter = use_body_reader(app, PATIENT).limiter
    content = b'{"email": "ada@example.org", "password": "x"}'
    body = StalledBody(app, rest=content)

    def release_when_waiting() -> None:
        wait_until_running(limiter, 1)
        body.release()

    thread = threading.Thread(target=release_when_waiting)
    thread.start()
    assert send(app, body, length=len(content)).status_code == 401
    thread.join()
    wait_until_running(limiter, 0)


def test_body_that_takes_too_long_in_total_is_not_read_any_further(app: Flask) -> None:
    limiter = use_body_reader(app, ReadTimeouts(arrived=0, stall=_LONG, total=0, bytes_per_second=10**12)).limiter
    assert send(app, EndlessBody(), length=1024 * 1024).status_code == 408
    wait_until_running(limiter, 0)


def test_truncated_body_returns_400(app: Flask) -> None:
    body = StalledBody(app, rest=b'{"email": "ada@example.org", "password": "x"}')
    body.release()
    assert send(app, body).status_code == 400


def test_chunked_body_is_read_to_its_end(app: Flask) -> None:
    body = StalledBody(app, rest=b'{"email": "ada@example.org", "password": "x"}')
    body.release()
    assert send(app, body, length=None).status_code == 401


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 422), (1024 * 1024 + 1, 413)])
def test_body_above_the_size_limit_is_not_read(app: Flask, size: int, status: int) -> None:
    body = StalledBody(app, rest=b'""'.ljust(size))
    body.release()
    assert send(app, body, length=size).status_code == status
    assert (body.reads > 0) == (status == 422)


def test_body_of_a_rejected_request_is_not_read(app: Flask) -> None:
    body = StalledBody(app)
    assert send(app, body, path="/api/v1/events").status_code == 401
    assert body.reads == 0


def test_connection_is_closed_if_the_body_has_not_arrived(app: Flask) -> None:
    use_body_reader(app, IMPATIENT)
    body = StalledBody(app)
    environ = EnvironBuilder(LOGIN, method="POST").get_environ() | body_environ(body)
    started: list[Any] = []
    chunks = app.wsgi_app(environ, record_start(started))
    # Granian closes a connection if an iterator yields less than the declared length.
    assert not isinstance(chunks, list)
    assert int(dict(started[1])["Content-Length"]) == len(b"".join(chunks)) + 1
    body.release()


@pytest.mark.both_databases
def test_no_response_needs_its_thread_while_it_is_sent(app: Flask) -> None:
    sample_calendar.create_sample_calendar(app)
    for _method, rule in iter_rules(app, {"GET"}):
        environ = EnvironBuilder(next(iter_paths(rule))).get_environ()
        chunks = app.wsgi_app(environ, record_start([]))
        assert (rule.rule, type(chunks)) == (rule.rule, list)


def test_large_bodies_are_refused_while_memory_is_short(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    create_calendar(app)
    get = partial(fetch, app, "/calendar.ics")
    tag = get().headers["ETag"]
    monkeypatch.setattr(slow_clients, "_LARGE_BODY_BYTES", 100)
    monkeypatch.setattr(slow_clients, "_MAX_RESIDENT_BYTES", sys.maxsize)
    assert get().status_code == 200
    monkeypatch.setattr(slow_clients, "_MAX_RESIDENT_BYTES", 0)
    refused = get()
    assert (refused.status_code, (refused.json or {})["code"]) == (503, "overloaded")
    assert refused.headers["Retry-After"] == "1"
    # A response that is not cached is refused as well. Small responses are still sent.
    assert fetch(app, "/calendar.ics?tag=none").status_code == 503
    assert get(If_None_Match=tag).status_code == 304
    assert fetch(app, "/healthz").status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(slow_clients, "_MEMORY_STATISTICS", slow_clients._MEMORY_STATISTICS / "missing")
        slow_clients._open_memory_statistics.cache_clear()
        assert get().status_code == 200
    slow_clients._open_memory_statistics.cache_clear()
    assert get().status_code == 503
