"""Every route works with both database systems: each accepts the route's SQL statements."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice, product
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy.pool import QueuePool
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.web.request.context import attach_services
from tests import sample_calendar
from tests.clocks import FixedClock
from tests.feed_support.feed_client import fetch
from tests.http_app import SessionClient, create_signed_in_client, create_test_app, database_of, services_of
from tests.sql_statements import record_statements

pytestmark = pytest.mark.both_databases

# Required query parameters; without them, the response is a 422.
QUERIES = {
    "/feeds/check": f"?url={quote('http://127.0.0.1:8000/calendar.ics')}",
    "/organise/<slug>/decide": "?do=accept&talk=submitted",
    "/oembed": f"?url={quote('http://127.0.0.1:8000/events/summit')}",
}
UNSAFE_METHODS = {"POST", "PUT", "PATCH", "DELETE"}
# Values of the URL variables that tests.sample_calendar does not define.
OTHER_VALUES: Mapping[str, tuple[str, ...]] = {
    "code": ("de",),
    "filename": ("site.css",),
    "name": ("0" * 64,),
    "part_id": (*sample_calendar.IDS_BY_PARAMETER["room_id"], *sample_calendar.IDS_BY_PARAMETER["track_id"]),
    "step": ("cancel", "publish"),
}
MAX_PATHS = 12
# The GET route that stores the secret of an authenticator app in the session of the member.
WRITING_GET_ROUTES = {"/me/security/app"}
# A lower bound on the number of routes that write when they receive an empty request.
MIN_WRITING_ROUTES = 40


# Routes that return an error to both members. The calendar has no passkeys, no uploaded images and no metrics.
UNREACHABLE_ROUTES = {
    "/me/security/passkeys/<passkey_id>",
    "/media/<name>",
    "/metrics",
    "/confirm",
    "/api/v1/members",
    "/api/v1/members/<member_id>",
}


@pytest.fixture
def member_and_moderator(app: Flask) -> tuple[SessionClient, SessionClient]:
    """Fill the calendar with one object of every kind; return a member and a moderator."""
    sample_calendar.create_sample_calendar(app)
    ada, mo = (
        create_signed_in_client(app, email, reauthenticated=True) for email in ("ada@example.org", "mo@example.org")
    )
    return ada, mo


def iter_rules(app: Flask, methods: set[str]) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & methods):
            yield method, rule


def iter_paths(rule: Rule) -> Iterator[str]:
    """Yield at most `MOST_PATHS` paths of a rule, built from the objects in the calendar."""
    names = {
        **sample_calendar.IDS_BY_PARAMETER,
        **OTHER_VALUES,
        "slug": (*sample_calendar.EVENT_SLUGS, *sample_calendar.SPEAKER_SLUGS, *sample_calendar.SPONSOR_SLUGS),
    }
    arguments = sorted(rule.arguments)
    for values in islice(product(*(names.get(name, ("1",)) for name in arguments)), MAX_PATHS):
        built = rule.build(dict(zip(arguments, values, strict=True)))
        assert built is not None
        yield built[1] + QUERIES.get(rule.rule, "")


def fetch_status(browser: SessionClient, path: str) -> int:
    with browser.client.get(path) as answer:
        return answer.status_code


def test_every_get_route_responds_without_server_error(
    app: Flask, member_and_moderator: tuple[SessionClient, SessionClient]
) -> None:
    statuses = {
        rule.rule: {fetch_status(one, path) for path in iter_paths(rule) for one in member_and_moderator}
        for _method, rule in iter_rules(app, {"GET"})
    }
    assert {rule: seen for rule, seen in statuses.items() if max(seen) >= 500} == {}
    assert {rule for rule, seen in statuses.items() if min(seen) >= 400} == UNREACHABLE_ROUTES


def test_every_response_has_security_headers(
    app: Flask, member_and_moderator: tuple[SessionClient, SessionClient]
) -> None:
    anonymous = SessionClient(app.test_client(), {}, "")
    rules = iter_rules(app, {"GET"} | UNSAFE_METHODS)
    requests = [(method, next(iter_paths(rule))) for method, rule in rules]
    # The second GET request is served from the cache. The other paths and methods lead to errors.
    requests += [("GET", path) for method, path in requests if method == "GET"]
    requests += [
        ("OPTIONS", "/calendar.ics"),
        ("PUT", "/calendar.ics"),
        ("GET", "/nothing"),
        ("GET", "/api/v1/nothing"),
    ]
    missing = {}
    for (method, path), browser in product(requests, (anonymous, member_and_moderator[1])):
        with browser.client.open(path, method=method) as answer:
            is_complete = (
                answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]
                and answer.headers.get_all("Referrer-Policy") in (["no-referrer"], ["strict-origin-when-cross-origin"])
                and len(answer.headers.get_all("Content-Security-Policy")) == 1
                and answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
            )
            if not is_complete:
                missing[method, path, answer.status_code] = list(answer.headers)
    assert missing == {}


def test_responses_over_https_require_https(database_url: str, clock: FixedClock) -> None:
    with create_test_app(database_url, clock, base_url="https://calendar.example") as app:
        for path in ("/", "/", "/calendar.ics", "/calendar.ics", "/api/v1/events", "/nothing"):
            with fetch(app, path) as answer:
                assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


class _NonReentrantLock:
    """A single lock for all URLs. Acquiring it twice fails instead of causing a deadlock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.acquisitions = 0

    def __enter__(self) -> None:
        assert self._lock.acquire(blocking=False)
        self.acquisitions += 1

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.usefixtures("member_and_moderator")
def test_no_route_serves_a_document_while_serving_another(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    one = _NonReentrantLock()
    monkeypatch.setattr(services_of(app).responses, "_render_locks", (one,))
    for _method, rule in iter_rules(app, {"GET"}):
        for path in iter_paths(rule):
            with fetch(app, path) as answer:
                assert (path, answer.status_code < 500) == (path, True)
    assert one.acquisitions > 100


@pytest.mark.usefixtures("member_and_moderator")
def test_unchanged_public_response_needs_one_statement_and_no_flask(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [path for _method, rule in iter_rules(app, {"GET"}) for path in iter_paths(rule)]
    cached = []
    for path in paths:
        with fetch(app, path) as answer:
            is_cached = "Last-Modified" in answer.headers and "public" in answer.headers["Cache-Control"]
            if answer.status_code == 200 and is_cached:
                cached.append((path, answer.headers["ETag"]))
    assert len(cached) > 50

    def full_dispatch_request() -> None:
        raise AssertionError

    monkeypatch.setattr(app, "full_dispatch_request", full_dispatch_request)
    for path, tag in cached:
        with record_statements(database_of(app)) as seen, fetch(app, path, If_None_Match=tag) as answer:
            assert (path, answer.status_code, len(seen)) == (path, 304, 1)


def send_unsafe_requests(app: Flask, moderator: SessionClient) -> Iterator[tuple[str, TestResponse]]:
    """Send an empty request to every path of every unsafe route; yield the method and rule with the response."""
    for method, rule in iter_rules(app, UNSAFE_METHODS):
        for path in iter_paths(rule):
            body: Any = {"json": {}} if path.startswith("/api/") else {"data": {"csrf_token": moderator.csrf_token}}
            headers = {"X-CSRF-Token": moderator.csrf_token, "If-Match": "*"}
            yield f"{method} {rule.rule}", moderator.client.open(path, method=method, headers=headers, **body)


def test_every_unsafe_route_responds_without_server_error(
    app: Flask, member_and_moderator: tuple[SessionClient, SessionClient]
) -> None:
    statuses: dict[str, set[int]] = {}
    for rule, answer in send_unsafe_requests(app, member_and_moderator[1]):
        statuses.setdefault(rule, set()).add(answer.status_code)
    assert {rule: seen for rule, seen in statuses.items() if max(seen) >= 500} == {}


def test_no_route_waits_for_the_write_lock_with_a_connection(
    app: Flask, member_and_moderator: tuple[SessionClient, SessionClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, used = database_of(app), []
    pool, wait_in_queue = database.engine.pool, database.write_lock.wait_in_queue
    assert isinstance(pool, QueuePool)

    def wait_and_record() -> AbstractContextManager[float]:
        used.append(pool.checkedout())
        return wait_in_queue()

    monkeypatch.setattr(database.write_lock, "wait_in_queue", wait_and_record)
    for _rule, _answer in send_unsafe_requests(app, member_and_moderator[1]):
        pass
    assert set(used) == {0}


def take_all_write_slots(app: Flask) -> None:
    services = services_of(app)
    limiters = replace(services.limiters, writes=ConcurrencyLimiter("writes", limit=0))
    attach_services(app, replace(services, limiters=limiters))


def test_no_route_writes_while_all_write_slots_are_taken(
    app: Flask, member_and_moderator: tuple[SessionClient, SessionClient]
) -> None:
    take_all_write_slots(app)
    refused = set()
    with record_statements(database_of(app)) as statements:
        for rule, answer in send_unsafe_requests(app, member_and_moderator[1]):
            if answer.status_code == 503:
                refused.add(rule)
                assert int(answer.headers["Retry-After"]) >= 1
    assert [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE"))] == []
    assert database_of(app).write_lock.queue.timed_out == 0
    assert len(refused) > MIN_WRITING_ROUTES


def test_get_routes_respond_while_all_write_slots_are_taken(
    app: Flask, member_and_moderator: tuple[SessionClient, SessionClient]
) -> None:
    take_all_write_slots(app)
    refused = {
        rule.rule
        for _method, rule in iter_rules(app, {"GET"})
        for path in iter_paths(rule)
        if max(fetch_status(one, path) for one in member_and_moderator) >= 500
    }
    assert refused == WRITING_GET_ROUTES
