"""Rate limits of signing in, registration, emails and writes. Reads are not limited."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.members.enums import Scope
from tests.clocks import FixedClock
from tests.http_app import (
    MAIL_URL,
    PASSWORD,
    call_api,
    create_signed_in_client,
    create_test_app,
    create_token_headers,
    database_of,
    get_json,
    services_of,
    status_and_code,
)


@pytest.fixture
def app(sqlite_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app; each test enables the rate limits."""
    with create_test_app(sqlite_url, clock) as app:
        yield app


@pytest.fixture
def app_with_mail(sqlite_url: str, clock: FixedClock) -> Iterator[Flask]:
    with create_test_app(sqlite_url, clock, mail_url=MAIL_URL) as app:
        app.config["RATELIMIT_ENABLED"] = True
        yield app


def make_sender(app: Flask, path: str, *, address: str = "192.0.2.1") -> Callable[[object], TestResponse]:
    """Return a function that posts bodies to `path` from the IP address `address`."""
    client = app.test_client()

    def send(body: object) -> TestResponse:
        environ = {"REMOTE_ADDR": address}
        return client.post(f"/api/v1{path}", json=body, environ_overrides=environ)

    return send


def count_allowed(send: Callable[[int], TestResponse], *, limit: int = 1000) -> int:
    """Return the number of calls before the first 429."""
    for number in range(limit):
        answer = send(number)
        if answer.status_code == 429:
            assert status_and_code(answer) == (429, "too-many")
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            return number
    return limit


def test_sign_in_is_limited_to_ten_per_minute_for_one_account(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = make_sender(app, "/auth/login")
    assert count_allowed(lambda _: send({"email": "ada@example.org", "password": "x"})) == 10
    assert send({"email": "ADA@example.org ", "password": "x"}).status_code == 429
    assert send({"email": "bob@example.org", "password": "x"}).status_code == 401


def test_sign_in_is_limited_to_sixty_per_minute_for_one_ip_address(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = make_sender(app, "/auth/login")
    assert count_allowed(lambda number: send({"email": f"{number}@example.org", "password": "x"})) == 60


def test_ipv6_addresses_of_one_network_share_a_limit(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True

    def send(number: int) -> TestResponse:
        from_there = make_sender(app, "/auth/login", address=f"2001:db8::{number:x}")
        return from_there({"email": f"{number}@example.org", "password": "x"})

    assert count_allowed(send) == 60
    other = make_sender(app, "/auth/login", address="2001:db8:0:1::1")
    assert other({"email": "ada@example.org", "password": "x"}).status_code == 401


def test_ipv6_networks_of_one_site_share_a_larger_limit(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True

    body = {"password": PASSWORD, "name": "Ada"}

    def register(number: int) -> TestResponse:
        from_there = make_sender(app, "/auth/register", address=f"2001:db8:0:{number:x}::1")
        return from_there(body | {"email": f"{number}@example.org"})

    assert count_allowed(register) == 80
    other_site = make_sender(app, "/auth/register", address="2001:db8:1::1")
    assert other_site(body | {"email": "ada@example.org"}).status_code == 201


def test_registration_is_limited_to_twenty_per_minute_for_one_ip_address(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = make_sender(app, "/auth/register")
    body = {"password": PASSWORD, "name": "Ada"}
    assert count_allowed(lambda number: send(body | {"email": f"{number}@example.org"})) == 20


@pytest.mark.parametrize("path", ["/auth/reset", "/auth/confirm"])
def test_emails_are_limited_to_five_per_recipient_and_twenty_per_ip_address(app_with_mail: Flask, path: str) -> None:
    send = make_sender(app_with_mail, path)
    assert count_allowed(lambda _: send({"email": "ada@example.org"})) == 5
    other = make_sender(app_with_mail, path, address="192.0.2.2")
    assert count_allowed(lambda number: other({"email": f"{number}@example.org"})) == 20


def test_emailed_token_attempts_are_limited_to_twenty_per_minute(app_with_mail: Flask) -> None:
    send = make_sender(app_with_mail, "/auth/confirm")
    assert count_allowed(lambda _: send({"token": "made-up"})) == 20
    assert make_sender(app_with_mail, "/auth/reset/confirm")({"token": "x", "password": PASSWORD}).status_code == 429


def test_current_password_attempts_are_limited_to_ten_per_minute(app: Flask) -> None:
    browser = create_signed_in_client(app)
    app.config["RATELIMIT_ENABLED"] = True
    body = {"password": "wrong", "new_password": "another horse"}
    assert count_allowed(lambda _: browser.post("/auth/password", body)) == 10
    assert status_and_code(browser.call("DELETE", "/me", {"password": PASSWORD})) == (429, "too-many")


def test_writes_are_limited_to_three_hundred_per_minute_for_one_member(app: Flask) -> None:
    browser, other = create_signed_in_client(app), create_signed_in_client(app, "bob@example.org")
    token = create_token_headers(browser, Scope.SUBMIT)
    app.config["RATELIMIT_ENABLED"] = True

    def send(number: int) -> TestResponse:
        if number % 2:
            return browser.call("PATCH", "/me", {"nickname": "x"})
        return call_api(app.test_client(), "PATCH", "/me", body={"nickname": "x"}, **token)

    assert count_allowed(send) == 300
    assert other.call("PATCH", "/me", {"name": "Bob"}).status_code == 200
    assert browser.get("/me").status_code == 200


def test_anonymous_writes_are_limited_by_ip_address(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    send = make_sender(app, "/me/feeds")
    assert count_allowed(lambda _: send({})) == 300


def test_reads_are_not_limited(app: Flask) -> None:
    browser = create_signed_in_client(app)
    app.config["RATELIMIT_ENABLED"] = True
    assert count_allowed(lambda _: browser.get("/me/tokens"), limit=320) == 320


def test_rate_limits_are_enabled_by_default(app: Flask) -> None:
    fresh = create_app(services_of(app).settings)
    database_of(fresh).engine.dispose()
    assert fresh.config["RATELIMIT_ENABLED"] is True


def test_rate_limits_work_without_reachable_redis(sqlite_url: str, clock: FixedClock) -> None:
    with create_test_app(sqlite_url, clock, redis_url="redis://127.0.0.1:1/0") as app:
        app.config["RATELIMIT_ENABLED"] = True
        send = make_sender(app, "/auth/login")
        assert count_allowed(lambda _: send({"email": "ada@example.org", "password": "x"})) == 10
        assert get_json(send({"email": "ada@example.org", "password": "x"}))["code"] == "too-many"
