"""Rules for new passwords, wherever a password is set."""

from collections.abc import Callable

import pytest
from flask import Flask

from eventcal.members.models import Member
from eventcal.web.identity.accounts import reset_token
from tests.html_browser import HtmlBrowser, create_browser
from tests.http_app import PASSWORD, create_signed_in_client, list_rows, post_to_api, sign_in_with_password

EMAIL, NAME = "ada.lovelace@example.org", "Ada Lovelace"
GOOD_PASSWORD = "a stapled battery"
BAD_PASSWORDS = [
    "short 1",
    "x" * 129,
    "password",
    "12345678",
    "PassWord1",
    "Ada Lovelace",
    "adalovelace1815",
    "lovelace!",
    "ada.lovelace@example.org",
    "Ada.Lovelace1",
    "eventcal2026",
]

SetPassword = Callable[[Flask, str], bool]
"""Tries to set the password of the member with the email address EMAIL, and returns whether it was set."""


def register_by_api(app: Flask, password: str) -> bool:
    answer = post_to_api(app, "/auth/register", {"email": EMAIL, "name": NAME, "password": password})
    return answer.status_code == 201


def register_on_page(app: Flask, password: str) -> bool:
    browser = create_browser(app)
    browser.visit("/register")
    browser.submit_form("/register", email=EMAIL, name=NAME, password=password)
    return browser.response.status_code == 201


def change_by_api(app: Flask, password: str) -> bool:
    client = create_signed_in_client(app, EMAIL, name=NAME)
    answer = client.post("/auth/password", {"password": PASSWORD, "new_password": password})
    if answer.status_code != 200:
        assert answer.json is not None
        assert [error["pointer"] for error in answer.json["errors"]] == ["/new_password"]
    return answer.status_code == 200


def change_on_page(app: Flask, password: str) -> bool:
    client = create_signed_in_client(app, EMAIL, name=NAME).client
    browser = HtmlBrowser(client, create_browser(app).response)
    browser.visit("/me/account")
    browser.submit_form("/me/account/password", password=PASSWORD, new_password=password)
    return browser.response.status_code == 200


def reset_by_api(app: Flask, password: str) -> bool:
    answer = post_to_api(app, "/auth/reset/confirm", {"token": make_reset_token(app), "password": password})
    return answer.status_code == 204


def reset_on_page(app: Flask, password: str) -> bool:
    browser = create_browser(app)
    browser.visit(f"/reset?token={make_reset_token(app)}")
    browser.submit_form("/reset", password=password)
    return browser.response.status_code == 200


def make_reset_token(app: Flask) -> str:
    create_signed_in_client(app, EMAIL, name=NAME)
    [member] = list_rows(app, Member)
    with app.app_context():
        return reset_token(member)


@pytest.fixture(
    params=[register_by_api, register_on_page, change_by_api, change_on_page, reset_by_api, reset_on_page],
    ids=lambda set_password: set_password.__name__,
)
def set_password(request: pytest.FixtureRequest) -> SetPassword:
    found: SetPassword = request.param
    return found


def test_good_password_is_accepted(app: Flask, set_password: SetPassword) -> None:
    assert set_password(app, GOOD_PASSWORD)
    sign_in_with_password(app, EMAIL, GOOD_PASSWORD)


@pytest.mark.parametrize("password", BAD_PASSWORDS)
def test_easily_guessed_password_is_rejected(app: Flask, set_password: SetPassword, password: str) -> None:
    assert not set_password(app, password)
    answer = post_to_api(app, "/auth/login", {"email": EMAIL, "password": password})
    assert answer.status_code == 401
