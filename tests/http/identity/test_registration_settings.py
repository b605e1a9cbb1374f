"""Registration that is open, by invitation, closed, or restricted to domains."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest
from flask import Flask

from eventcal.config import Registration
from eventcal.members.enums import Role
from eventcal.members.models import Member
from tests.clocks import FixedClock
from tests.factories import make_event
from tests.html_browser import create_browser
from tests.http.conftest import AppRunner
from tests.http_app import (
    MAIL_URL,
    PASSWORD,
    create_signed_in_client,
    error_pointers,
    list_rows,
    post_to_api,
    status_and_code,
    write_session,
)

RunApp = Callable[..., AbstractContextManager[Flask]]


@pytest.fixture
def run_app(_shared_app: Flask, app_runner: AppRunner, sqlite_url: str, clock: FixedClock) -> RunApp:
    """Return a function that runs the app with other settings."""
    return partial(app_runner.run, _shared_app, sqlite_url, clock, mail_url=MAIL_URL)


def register(app: Flask, email: str = "ada@example.org") -> tuple[int, str]:
    """Return the status and the error code of a registration with the API."""
    answer = post_to_api(app, "/auth/register", {"email": email, "name": "Ada", "password": PASSWORD})
    return (201, "") if answer.status_code == 201 else status_and_code(answer)


def register_on_page(app: Flask, email: str = "ada@example.org") -> tuple[int, str]:
    """Return the status and the text of the page after submitting the registration form."""
    browser = create_browser(app)
    browser.visit("/register")
    text = browser.submit_form("/register", email=email, name="Ada", password=PASSWORD)
    return browser.response.status_code, text


def invite(app: Flask, email: str) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit")
    moderator = create_signed_in_client(app, "mo@example.org", role=Role.MODERATOR)
    assert moderator.call("PUT", "/events/summit/team", {"email": email, "role": "reviewer"}).status_code == 202


def test_registration_is_open_by_default(run_app: RunApp) -> None:
    with run_app() as app:
        assert register(app) == (201, "")
        assert register_on_page(app, "bob@example.org")[0] == 201


def test_closed_registration_rejects_everybody(run_app: RunApp) -> None:
    with run_app(registration=Registration.CLOSED) as app:
        invite(app, "ada@example.org")
        for email in ("ada@example.org", "mo@example.org", "bob@example.org"):
            assert register(app, email) == (403, "registration-closed")
        browser = create_browser(app)
        assert "Registration is closed." in browser.visit("/register")
        assert 'name="email"' not in browser.response.text
        assert len(list_rows(app, Member)) == 1


def test_only_invited_addresses_may_register(run_app: RunApp, clock: FixedClock) -> None:
    with run_app(registration=Registration.INVITED) as app:
        invite(app, "Ada@example.org")
        assert register(app, "ada@example.org") == (201, "")
        # An account is not revealed: its address is treated like any other address that is not invited.
        assert register(app, "mo@example.org") == register(app, "bob@example.org") == (403, "not-invited")
        assert "Registration is by invitation" in create_browser(app).visit("/register")
        status, text = register_on_page(app, "bob@example.org")
        assert (status, "Use the address to which you received an invitation." in text) == (403, True)
        clock.tick(31 * 24 * 3600)
        assert register(app, "ada@example.org") == (403, "not-invited")


def test_addresses_outside_the_domains_are_rejected(run_app: RunApp) -> None:
    with run_app(registration_domains=("example.org", "example.com")) as app:
        assert register(app, "ada@EXAMPLE.org") == (201, "")
        for email in ("ada@example.net", "ada@sub.example.org", "ada@notexample.org"):
            answer = post_to_api(app, "/auth/register", {"email": email, "name": "Ada", "password": PASSWORD})
            assert (answer.status_code, error_pointers(answer)) == (422, ["/email"])
        assert "An address at example.org, example.com." in create_browser(app).visit("/register")
        status, text = register_on_page(app, "ada@example.net")
        assert (status, "must be an address at example.org, example.com" in text) == (422, True)
