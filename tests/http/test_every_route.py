"""Every route works with both database systems: each accepts the route's SQL statements."""

import threading
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests import world
from tests.feed_support.fetching import fetch
from tests.http_app import Browser, house_of, signed_in

pytestmark = pytest.mark.both_databases

# Required query parameters; without them, the response is a 422.
QUERIES = {
    "/feeds/check": f"?url={quote('http://127.0.0.1:8000/calendar.ics')}",
    "/organise/<slug>/decide": "?do=accept&talk=submitted",
    "/oembed": f"?url={quote('http://127.0.0.1:8000/events/summit')}",
}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# Values of the URL variables that tests.world does not define.
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "code": ("de",),
    "filename": ("site.css",),
    "name": ("0" * 64,),
    "part_id": (*world.NAMES["room_id"], *world.NAMES["track_id"]),
    "step": ("cancel", "publish"),
}
MOST_PATHS = 12


# Routes that return an error to both members, because the calendar has no passkeys and no uploaded images.
NOTHING_THERE = {"/me/security/passkeys/<passkey_id>", "/media/<name>"}


@pytest.fixture
def people(app: Flask) -> tuple[Browser, Browser]:
    """Fill the calendar with one object of every kind; return a member and a moderator."""
    world.build(app)
    return signed_in(app, "ada@example.org"), signed_in(app, "mo@example.org")


def rules(app: Flask, methods: set[str]) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & methods):
            yield method, rule


def paths(rule: Rule) -> Iterator[str]:
    """Yield at most `MOST_PATHS` paths of a rule, built from the objects in the calendar."""
    names = {**world.NAMES, **OTHER_NAMES, "slug": (*world.EVENTS, *world.SPEAKERS, *world.SPONSORS)}
    arguments = sorted(rule.arguments)
    for values in islice(product(*(names.get(name, ("1",)) for name in arguments)), MOST_PATHS):
        built = rule.build(dict(zip(arguments, values, strict=True)))
        assert built is not None
        yield built[1] + QUERIES.get(rule.rule, "")


def status_of(person: Browser, path: str) -> int:
    with person.client.get(path) as answer:
        return answer.status_code


def test_every_get_route_responds_without_server_error(app: Flask, people: tuple[Browser, Browser]) -> None:
    statuses = {
        rule.rule: {status_of(one, path) for path in paths(rule) for one in people}
        for _method, rule in rules(app, {"GET"})
    }
    assert {rule: seen for rule, seen in statuses.items() if max(seen) >= 500} == {}
    assert {rule for rule, seen in statuses.items() if min(seen) >= 400} == NOTHING_THERE


class _OneTurn:
    """A single lock for all URLs. Acquiring it twice fails instead of causing a deadlock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.taken = 0

    def __enter__(self) -> None:
        assert self._lock.acquire(blocking=False)
        self.taken += 1

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.usefixtures("people")
def test_no_route_serves_a_document_while_serving_another(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    one = _OneTurn()
    monkeypatch.setattr(house_of(app).responses, "_turns", (one,))
    for _method, rule in rules(app, {"GET"}):
        for path in paths(rule):
            with fetch(app, path) as answer:
                assert (path, answer.status_code < 500) == (path, True)
    assert one.taken > 100


def test_every_unsafe_route_responds_without_server_error(app: Flask, people: tuple[Browser, Browser]) -> None:
    moderator = people[1]
    statuses: dict[str, set[int]] = {}
    for method, rule in rules(app, UNSAFE):
        for path in paths(rule):
            body: Any = {"json": {}} if path.startswith("/api/") else {"data": {"csrf_token": moderator.csrf}}
            headers = {"X-CSRF-Token": moderator.csrf, "If-Match": "*"}
            answer = moderator.client.open(path, method=method, headers=headers, **body)
            statuses.setdefault(f"{method} {rule.rule}", set()).add(answer.status_code)
    assert {rule: seen for rule, seen in statuses.items() if max(seen) >= 500} == {}
