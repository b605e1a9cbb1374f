"""Every way to end access to an account, and which sessions, tokens, feeds and links each of them ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from eventcal.kit.ids import new_secret
from eventcal.kit.models import Base
from eventcal.members.access import suspend_member
from eventcal.members.enums import Role, Scope
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.members.sessions import build_session
from eventcal.web.identity.accounts import confirmation_token, reset_token
from tests.clocks import NOON, FixedClock
from tests.html_browser import create_browser
from tests.http_app import (
    PASSWORD,
    SessionClient,
    call_api,
    create_signed_in_client,
    create_token_headers,
    database_of,
    get_json,
    list_rows,
    post_to_api,
    write_session,
)
from tests.second_factors import set_up_app

OTHER_PASSWORD = "another quiet bicycle"
EMAIL = "ada@example.org"

HERE, ELSEWHERE, PENDING = "session of this browser", "session of another browser", "pending sign-in"
TOKEN, FEED, RESET_LINK, CONFIRM_LINK = "access token", "secret feed", "reset link", "confirmation link"
SESSIONS = {HERE, ELSEWHERE, PENDING}
LINKS = {RESET_LINK, CONFIRM_LINK}
EVERYTHING = {*SESSIONS, *LINKS, TOKEN, FEED}


@dataclass
class Account:
    """The account of Ada, with one of each kind of access."""

    app: Flask
    clock: FixedClock
    here: SessionClient
    elsewhere: SessionClient
    pending: SessionClient
    token: Mapping[str, str]
    feed_url: str
    reset_link: str
    confirm_link: str

    def live(self) -> set[str]:
        """Return the kinds of access that work."""
        client = self.app.test_client()
        # A password that only the account rejects shows that the link is valid, and changes nothing.
        reset, confirm = {"token": self.reset_link, "password": EMAIL}, {"token": self.confirm_link}
        works = {
            HERE: self.here.get("/me").status_code == 200,
            ELSEWHERE: self.elsewhere.get("/me").status_code == 200,
            PENDING: self.pending.client.get("/login/code").status_code == 200,
            TOKEN: call_api(client, "GET", "/me", **self.token).status_code == 200,
            FEED: client.get(self.feed_url).status_code == 200,
            RESET_LINK: _error_code(post_to_api(self.app, "/auth/reset/confirm", reset)) == "invalid",
            CONFIRM_LINK: _error_code(post_to_api(self.app, "/auth/confirm", confirm)) == "invalid",
        }
        return {kind for kind, is_live in works.items() if is_live}


def _error_code(response: Any) -> str:  # noqa: ANN401 - werkzeug's response
    return str(get_json(response)["code"])


def create_account(app: Flask, clock: FixedClock, **fields: Any) -> Account:
    here = create_signed_in_client(app, EMAIL, **fields)
    token = create_token_headers(here, Scope.SUBMIT)
    feed_url = get_json(here.post("/me/feeds", {"name": "phone"}))["url"]
    with app.test_request_context(), write_session(app) as session:
        member = session.get_one(Member, here.member["id"])
        secret = new_secret("")
        session.add(build_session(member, secret=secret, user_agent=None, now=NOON, pending=True))
        links = reset_token(member), confirmation_token(member)
    waiting = app.test_client()
    waiting.set_cookie("eventcal", secret)
    pending = SessionClient(waiting, {}, "")
    return Account(app, clock, here, create_signed_in_client(app, EMAIL), pending, token, feed_url, *links)


def sign_out(account: Account) -> None:
    assert account.here.post("/auth/logout").status_code == 204


def end_other_sessions(account: Account) -> None:
    assert account.here.call("DELETE", "/me/sessions").status_code == 204


def change_password(account: Account) -> None:
    body = {"password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert account.here.post("/auth/password", body).status_code == 200


def change_password_and_revoke_tokens(account: Account) -> None:
    body = {"password": PASSWORD, "new_password": OTHER_PASSWORD, "revoke_tokens": True}
    assert account.here.post("/auth/password", body).status_code == 200


def set_up_authenticator_app(account: Account) -> None:
    browser = create_browser(account.app)
    browser.client = account.here.client
    set_up_app(browser, account.clock)


def reset_password(account: Account) -> None:
    body = {"token": account.reset_link, "password": OTHER_PASSWORD}
    assert post_to_api(account.app, "/auth/reset/confirm", body).status_code == 204


def confirm_while_signed_in(account: Account) -> None:
    assert account.here.post("/auth/confirm", {"token": account.confirm_link}).status_code == 200


def confirm_with_password(account: Account) -> None:
    body = {"token": account.confirm_link, "password": PASSWORD}
    assert post_to_api(account.app, "/auth/confirm", body).status_code == 200


def confirm_with_new_password(account: Account) -> None:
    body = {"token": account.confirm_link, "new_password": OTHER_PASSWORD}
    assert post_to_api(account.app, "/auth/confirm", body).status_code == 200


def change_address(account: Account) -> None:
    with account.app.test_request_context(), database_of(account.app).read_session() as session:
        member = session.get_one(Member, account.here.member["id"])
        token = confirmation_token(member, new_email="countess@example.org")
    assert account.here.post("/auth/confirm", {"token": token}).status_code == 200


def suspend(account: Account) -> None:
    assert _as_admin(account, "suspend") == 200


def suspend_and_reinstate(account: Account) -> None:
    assert (_as_admin(account, "suspend"), _as_admin(account, "reinstate")) == (200, 200)


def end_sessions_as_admin(account: Account) -> None:
    assert _as_admin(account, "end-sessions") == 200


def _as_admin(account: Account, action: str) -> int:
    admin = create_signed_in_client(account.app, "adam@example.org", role=Role.ADMIN)
    return admin.post(f"/members/{account.here.member['id']}/{action}").status_code


def delete_account(account: Account) -> None:
    assert account.here.call("DELETE", "/me", {"password": PASSWORD}).status_code == 200


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("end", "ended"),
    [
        (sign_out, {HERE}),
        (end_other_sessions, {ELSEWHERE, PENDING}),
        (change_password, {ELSEWHERE, PENDING} | LINKS),
        (change_password_and_revoke_tokens, {ELSEWHERE, PENDING, TOKEN} | LINKS),
        (set_up_authenticator_app, {ELSEWHERE, PENDING}),
        (reset_password, SESSIONS | LINKS | {TOKEN}),
        (change_address, {ELSEWHERE, PENDING} | LINKS),
        (suspend, EVERYTHING),
        (suspend_and_reinstate, EVERYTHING),
        (end_sessions_as_admin, SESSIONS | LINKS),
        (delete_account, EVERYTHING),
    ],
)
def test_ending_access_of_confirmed_member(
    mailing_app: Flask, clock: FixedClock, end: Callable[[Account], None], ended: set[str]
) -> None:
    account = create_account(mailing_app, clock)
    assert account.live() == EVERYTHING
    end(account)
    assert account.live() == EVERYTHING - ended


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("end", "ended"),
    [
        (confirm_while_signed_in, {ELSEWHERE, PENDING, TOKEN}),
        (confirm_with_password, SESSIONS | {TOKEN}),
        # Another person registered the address.
        (confirm_with_new_password, EVERYTHING),
        (reset_password, EVERYTHING),
        (change_address, {ELSEWHERE, PENDING, TOKEN} | LINKS),
    ],
)
def test_confirming_address_ends_access_from_before(
    mailing_app: Flask, clock: FixedClock, end: Callable[[Account], None], ended: set[str]
) -> None:
    account = create_account(mailing_app, clock, confirmed_at=None)
    assert account.live() == EVERYTHING
    end(account)
    assert account.live() == EVERYTHING - ended
    assert [one.confirmed_at for one in list_rows(mailing_app, Member) if one.id == account.here.member["id"]] == [NOON]


# Requests that began before the access ended


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("path", "body", "table"),
    [("/me/tokens", {"name": "x", "scopes": ["read"]}, AccessToken), ("/me/feeds", {"name": "x"}, PersonalFeed)],
)
def test_request_waiting_during_suspension_creates_no_access(
    app: Flask, monkeypatch: pytest.MonkeyPatch, *, path: str, body: dict[str, Any], table: type[Base]
) -> None:
    browser = create_signed_in_client(app)
    begin = database_of(app).unit_of_work

    def suspend_then_begin() -> Any:  # noqa: ANN401 - the context manager of a unit of work
        # The request has been authenticated, and now waits for the write lock.
        monkeypatch.undo()
        with begin() as unit:
            suspend_member(unit.session, unit.session.get_one(Member, browser.member["id"]), now=unit.now)
        return begin()

    monkeypatch.setattr(database_of(app), "unit_of_work", suspend_then_begin)
    answer = browser.post(path, body)
    assert (answer.status_code, get_json(answer)["code"]) == (401, "not-signed-in")
    assert list_rows(app, table) == []


@pytest.mark.both_databases
def test_sign_in_during_suspension_starts_no_session(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = create_signed_in_client(app).member["id"]
    begin = database_of(app).unit_of_work

    def suspend_then_begin() -> Any:  # noqa: ANN401 - the context manager of a unit of work
        monkeypatch.undo()
        with begin() as unit:
            suspend_member(unit.session, unit.session.get_one(Member, member_id), now=unit.now)
        return begin()

    monkeypatch.setattr(database_of(app), "unit_of_work", suspend_then_begin)
    answer = post_to_api(app, "/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 401


@pytest.mark.both_databases
def test_second_use_of_confirmation_link_changes_nothing(mailing_app: Flask, clock: FixedClock) -> None:
    account = create_account(mailing_app, clock, confirmed_at=None)
    confirm_while_signed_in(account)
    account.token = create_token_headers(account.here, Scope.SUBMIT)
    account.elsewhere = create_signed_in_client(mailing_app, EMAIL)
    confirm_while_signed_in(account)
    confirm_with_password(account)
    assert account.live() == EVERYTHING - {PENDING}
    answer = post_to_api(mailing_app, "/auth/confirm", {"token": account.confirm_link, "new_password": OTHER_PASSWORD})
    assert [error["pointer"] for error in get_json(answer)["errors"]] == ["/new_password"]
    assert account.live() == EVERYTHING - {PENDING}
