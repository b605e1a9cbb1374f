"""How often one may sign in, register, have mail sent and write; reads are never counted."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.members.words import Scope
from tests.clocks import FixedClock
from tests.http_app import (
    MAIL_URL,
    PASSWORD,
    call,
    database_of,
    house_of,
    json_of,
    problem,
    running,
    signed_in,
    token_of,
)


@pytest.fixture
def app(sqlite_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Give the app; a test switches its limits on. What they count is in no database."""
    with running(sqlite_url, clock) as app:
        yield app


@pytest.fixture
def mailing(sqlite_url: str, clock: FixedClock) -> Iterator[Flask]:
    with running(sqlite_url, clock, mail_url=MAIL_URL) as app:
        app.config["RATELIMIT_ENABLED"] = True
        yield app


def sender(app: Flask, path: str, *, address: str = "192.0.2.1") -> Callable[[object], TestResponse]:
    """Give somebody at `address` who posts bodies to `path`."""
    client = app.test_client()

    def send(body: object) -> TestResponse:
        environ = {"REMOTE_ADDR": address}
        return client.post(f"/api/v1{path}", json=body, environ_overrides=environ)

    return send


def allowed(send: Callable[[int], TestResponse], *, most: int = 1000) -> int:
    """Give how many calls are let through before the first 429."""
    for number in range(most):
        answer = send(number)
        if answer.status_code == 429:
            assert problem(answer) == (429, "too-many")
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            return number
    return most


def test_one_address_is_tried_ten_times_a_minute(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = sender(app, "/auth/login")
    assert allowed(lambda _: send({"email": "ada@example.org", "password": "x"})) == 10
    assert send({"email": "ADA@example.org ", "password": "x"}).status_code == 429
    assert send({"email": "bob@example.org", "password": "x"}).status_code == 401
    elsewhere = sender(app, "/auth/login", address="192.0.2.2")
    assert elsewhere({"email": "ada@example.org", "password": "x"}).status_code == 401


def test_one_visitor_signs_in_sixty_times_a_minute(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = sender(app, "/auth/login")
    assert allowed(lambda number: send({"email": f"{number}@example.org", "password": "x"})) == 60


def test_a_household_s_ipv6_addresses_are_one_visitor(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True

    def send(number: int) -> TestResponse:
        from_there = sender(app, "/auth/login", address=f"2001:db8::{number:x}")
        return from_there({"email": "ada@example.org", "password": "x"})

    assert allowed(send) == 10
    other = sender(app, "/auth/login", address="2001:db8:0:1::1")
    assert other({"email": "ada@example.org", "password": "x"}).status_code == 401


def test_one_visitor_registers_twenty_times_a_minute(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = sender(app, "/auth/register")
    body = {"password": PASSWORD, "name": "Ada"}
    assert allowed(lambda number: send(body | {"email": f"{number}@example.org"})) == 20


@pytest.mark.parametrize("path", ["/auth/reset", "/auth/confirm"])
def test_one_address_is_sent_five_mails_a_minute_and_one_visitor_has_twenty_sent(mailing: Flask, path: str) -> None:
    send = sender(mailing, path)
    assert allowed(lambda _: send({"email": "ada@example.org"})) == 5
    other = sender(mailing, path, address="192.0.2.2")
    assert allowed(lambda number: other({"email": f"{number}@example.org"})) == 20


def test_mailed_tokens_are_tried_twenty_times_a_minute(mailing: Flask) -> None:
    send = sender(mailing, "/auth/confirm")
    assert allowed(lambda _: send({"token": "made-up"})) == 20
    assert sender(mailing, "/auth/reset/confirm")({"token": "x", "password": PASSWORD}).status_code == 429


def test_the_own_password_is_tried_ten_times_a_minute(app: Flask) -> None:
    browser = signed_in(app)
    app.config["RATELIMIT_ENABLED"] = True
    body = {"password": "wrong", "new_password": "another horse"}
    assert allowed(lambda _: browser.post("/auth/password", body)) == 10
    assert problem(browser.call("DELETE", "/me", {"password": PASSWORD})) == (429, "too-many")


def test_a_member_writes_three_hundred_times_a_minute_from_wherever_they_are(app: Flask) -> None:
    browser, other = signed_in(app), signed_in(app, "bob@example.org")
    token = token_of(browser, Scope.SUBMIT)
    app.config["RATELIMIT_ENABLED"] = True

    def send(number: int) -> TestResponse:
        if number % 2:
            return browser.call("PATCH", "/me", {"nickname": "x"})
        return call(app.test_client(), "PATCH", "/me", {"nickname": "x"}, **token)

    assert allowed(send) == 300
    assert other.call("PATCH", "/me", {"name": "Bob"}).status_code == 200
    assert browser.get("/me").status_code == 200


def test_whoever_is_not_signed_in_is_counted_by_address(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = sender(app, "/me/feeds")
    assert allowed(lambda _: send({})) == 300


def test_reads_are_never_counted(app: Flask) -> None:
    browser = signed_in(app)
    app.config["RATELIMIT_ENABLED"] = True
    assert allowed(lambda _: browser.get("/me/tokens"), most=320) == 320


def test_limits_are_on_unless_switched_off(app: Flask) -> None:
    fresh = create_app(house_of(app).settings)
    database_of(fresh).engine.dispose()
    assert fresh.config["RATELIMIT_ENABLED"] is True


def test_a_redis_that_does_not_answer_closes_nothing(sqlite_url: str, clock: FixedClock) -> None:
    with running(sqlite_url, clock, redis_url="redis://127.0.0.1:1/0") as app:
        app.config["RATELIMIT_ENABLED"] = True
        send = sender(app, "/auth/login")
        assert allowed(lambda _: send({"email": "ada@example.org", "password": "x"})) == 10
        assert json_of(send({"email": "ada@example.org", "password": "x"}))["code"] == "too-many"
