"""Limits on guessing passwords and codes, counted per account over all addresses and workers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from eventcal.members.models import GuessCounter
from eventcal.outbox.models import OutboxMessage
from tests.clocks import FixedClock
from tests.html_browser import HtmlBrowser, create_browser
from tests.http_app import (
    MAIL_URL,
    PASSWORD,
    create_signed_in_client,
    create_test_app,
    database_of,
    list_mails,
    list_rows,
    sign_in_with_password,
    status_and_code,
)
from tests.second_factors import log_in, set_up_app

FREE_ATTEMPTS = 10

pytestmark = pytest.mark.both_databases


@pytest.fixture
def workers(database_url: str, clock: FixedClock) -> Iterator[list[Flask]]:
    """Yield two workers without Redis, and with a member, Ada."""
    with (
        create_test_app(database_url, clock, mail_url=MAIL_URL) as one,
        create_test_app(database_url, clock, mail_url=MAIL_URL) as other,
    ):
        create_signed_in_client(one, "ada@example.org", name="Ada", confirmed_at=clock.now())
        for app in (one, other):
            app.config["RATELIMIT_ENABLED"] = True
        yield [one, other]


def try_password(app: Flask, number: int, *, email: str = "ada@example.org", password: str = "x") -> TestResponse:  # noqa: S107 - a wrong password
    """Sign in from an address of its own."""
    body = {"email": email, "password": password}
    environ = {"REMOTE_ADDR": f"198.51.{number // 250}.{number % 250}"}
    return app.test_client().post("/api/v1/auth/login", json=body, environ_overrides=environ)


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org", "unknown@example.org"])
def test_wrong_passwords_are_counted_over_all_addresses_and_workers(
    workers: list[Flask], clock: FixedClock, email: str
) -> None:
    # Known and unknown accounts must be indistinguishable.
    seen = []
    for number in range(40):
        answer = try_password(workers[number % 2], number, email=email)
        seen.append((answer.status_code, answer.headers.get("Retry-After")))
        if answer.status_code == 429:
            assert status_and_code(answer) == (429, "too-many")
            clock.tick(int(answer.headers["Retry-After"]))
    delays = [int(after) for status, after in seen if status == 429 and after is not None]
    assert [status for status, _ in seen[:FREE_ATTEMPTS]] == [401] * FREE_ATTEMPTS
    assert delays == [1, 2, 4, 8, 16, 32, *[60] * 9]
    assert seen[FREE_ATTEMPTS:] == [pair for delay in delays for pair in ((429, str(delay)), (401, None))]


def test_correct_password_is_not_checked_during_the_delay_and_ends_it_afterwards(
    workers: list[Flask], clock: FixedClock
) -> None:
    for number in range(FREE_ATTEMPTS):
        try_password(workers[0], number)
    assert try_password(workers[1], 99, password=PASSWORD).status_code == 429
    clock.tick(1)
    assert try_password(workers[1], 99, password=PASSWORD).status_code == 200
    assert list_counters(workers[0]) == []
    assert try_password(workers[0], 98).status_code == 401


def list_counters(app: Flask) -> list[int]:
    with database_of(app).read_session() as session:
        return list(session.scalars(select(GuessCounter.attempts)))


def guess_until_delayed(workers: list[Flask]) -> None:
    for number in range(FREE_ATTEMPTS):
        try_password(workers[number % 2], number)
    assert try_password(workers[0], 99, password=PASSWORD).status_code == 429


def log_in_with(browser: FlaskClient, *, email: str = "ada@example.org", password: str = PASSWORD) -> int:
    return browser.post("/api/v1/auth/login", json={"email": email, "password": password}).status_code


def test_guesses_elsewhere_do_not_delay_a_browser_of_the_owner(workers: list[Flask], clock: FixedClock) -> None:
    browser = workers[0].test_client()
    assert log_in_with(browser) == 200
    browser.delete_cookie("eventcal")
    clock.tick(100 * 24 * 3600)
    guess_until_delayed(workers)
    assert [log_in_with(browser, password="x") for _ in range(FREE_ATTEMPTS)] == [401] * FREE_ATTEMPTS
    # Wrong passwords in the browser are also limited.
    assert log_in_with(browser) == 429
    clock.tick(1)
    assert log_in_with(browser) == 200


def test_cookie_of_a_browser_is_valid_for_one_account_only(workers: list[Flask]) -> None:
    browser = workers[0].test_client()
    create_signed_in_client(workers[0], "eve@example.org", name="Eve")
    assert log_in_with(browser, email="eve@example.org") == 200
    guess_until_delayed(workers)
    assert log_in_with(browser) == 429


@pytest.mark.parametrize("value", ["", "nonsense", "WzEsMl0.aaaa.bbbb"])
def test_forged_cookie_of_a_browser_is_ignored(workers: list[Flask], value: str) -> None:
    guess_until_delayed(workers)
    browser = workers[0].test_client()
    browser.set_cookie("eventcal-browser", value)
    assert log_in_with(browser) == 429


def test_owner_who_resets_the_password_is_not_delayed(workers: list[Flask]) -> None:
    browser = workers[0].test_client()
    guess_until_delayed(workers)
    browser.post("/api/v1/auth/reset", json={"email": "ada@example.org"})
    token = list_rows(workers[0], OutboxMessage)[-1].payload["text"].partition("/reset?token=")[2].split()[0]
    new = "a quiet green bicycle"
    assert browser.post("/api/v1/auth/reset/confirm", json={"token": token, "password": new}).status_code == 204
    assert log_in_with(browser, password=new) == 200


def test_other_accounts_are_not_delayed(workers: list[Flask]) -> None:
    for number in range(FREE_ATTEMPTS + 1):
        try_password(workers[0], number)
    assert try_password(workers[0], 99, email="eve@example.org").status_code == 401


def test_owner_is_notified_once(workers: list[Flask], clock: FixedClock) -> None:
    for number in range(FREE_ATTEMPTS + 4):
        try_password(workers[0], number)
        try_password(workers[0], number, email="unknown@example.org")
        clock.tick(60)
    assert list_mails(workers[0]) == [("ada@example.org", "eventcal: failed attempts to sign in")]


def test_concurrent_attempts_are_all_counted(workers: list[Flask]) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: try_password(workers[number % 2], number), range(30)))
    assert sorted(answer.status_code for answer in answers) == [401] * FREE_ATTEMPTS + [429] * 20


def test_guesses_by_a_signed_in_browser_count_like_its_sign_ins(workers: list[Flask]) -> None:
    browser = sign_in_with_password(workers[0])
    body = {"password": "wrong", "new_password": "another horse"}
    statuses = [browser.post("/auth/password", body).status_code for _ in range(FREE_ATTEMPTS + 1)]
    assert statuses == [422] * FREE_ATTEMPTS + [429]
    assert log_in_with(browser.client) == 429


def test_codes_are_counted_over_all_workers(workers: list[Flask], clock: FixedClock) -> None:
    browser = HtmlBrowser(create_signed_in_client(workers[0]).client, create_browser(workers[0]).response)
    app, _codes = set_up_app(browser, clock)
    half_way = []
    for worker in workers * (FREE_ATTEMPTS // 2 + 1):
        other = create_browser(worker)
        log_in(other)
        half_way.append(other)
    for other in half_way[:FREE_ATTEMPTS]:
        other.submit_form("/login/code", code=app.wrong_code())
        assert other.response.status_code == 401
    half_way[-1].submit_form("/login/code", code=app.current_code())
    assert half_way[-1].response.status_code == 429
    clock.tick(30)
    half_way[-1].submit_form("/login/code", code=app.current_code())
    assert half_way[-1].response.status_code == 200
    assert list_counters(workers[0]) == []
