"""/members: listing, changing and suspending the accounts of other members."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.kit.ids import hash_secret
from eventcal.members.enums import Role, Scope
from eventcal.members.models import RecoveryCode, TotpSecret
from eventcal.outbox.models import OutboxMessage
from tests.clocks import FixedClock
from tests.factories import make_member
from tests.html_browser import create_browser
from tests.http_app import (
    PASSWORD,
    SessionClient,
    call_api,
    create_moderator_client,
    create_signed_in_client,
    create_test_app,
    create_token_headers,
    error_pointers,
    get_json,
    list_mails,
    list_rows,
    post_to_api,
    sign_in_with_password,
    status_and_code,
    write_session,
)
from tests.second_factors import log_in, set_up_app

ACTIONS = ("suspend", "reinstate", "end-sessions")


def create_admin_client(app: Flask) -> SessionClient:
    return create_signed_in_client(app, "adam@example.org", role=Role.ADMIN)


def add_member(app: Flask, **fields: Any) -> str:
    with write_session(app) as session:
        return make_member(session, **fields).id


@pytest.mark.both_databases
def test_admin_finds_members_by_name_and_address(app: Flask, clock: FixedClock) -> None:
    admin = create_admin_client(app)
    clock.tick()
    grace = add_member(app, name="Grace Hopper", email="grace@navy.example", created_at=clock.now())
    for text, found in {"GRACE": 1, "navy.ex": 1, "hop": 1, "100%25": 0, "_": 0}.items():
        assert len(get_json(admin.get(f"/members?q={text}"))["items"]) == found
    first = get_json(admin.get("/members?limit=1"))
    assert first["items"] == [
        {
            "id": grace,
            "email": "grace@navy.example",
            "name": "Grace Hopper",
            "role": "member",
            "confirmed": True,
            "suspended": False,
            "created_at": "2026-03-01T12:00:01Z",
        }
    ]
    assert len(get_json(admin.get(f"/members?limit=1&cursor={first['next']}"))["items"]) == 1
    assert get_json(admin.get(f"/members/{grace}")) == first["items"][0]
    assert status_and_code(admin.get("/members/none")) == (404, "not-found")


@pytest.mark.both_databases
def test_suspended_member_cannot_sign_in_until_reinstated(app: Flask) -> None:
    admin, ada = create_admin_client(app), create_signed_in_client(app)
    credentials = {"email": "ada@example.org", "password": PASSWORD}
    for action, suspended, status in (("suspend", True, 401), ("suspend", True, 401), ("reinstate", False, 200)):
        answer = admin.post(f"/members/{ada.member['id']}/{action}")
        assert (answer.status_code, get_json(answer)["suspended"]) == (200, suspended)
        assert post_to_api(app, "/auth/login", credentials).status_code == status


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
@pytest.mark.parametrize("action", ACTIONS)
def test_moderator_cannot_act_on_moderators_and_admins(app: Flask, role: Role, action: str) -> None:
    other = add_member(app, email="other@example.org", role=role)
    assert create_moderator_client(app).post(f"/members/{other}/{action}").status_code == 403
    assert create_admin_client(app).post(f"/members/{other}/{action}").status_code == 200


def test_moderator_confirms_members_but_changes_no_role(mailing_app: Flask) -> None:
    moderator, ada = create_moderator_client(mailing_app), add_member(mailing_app, confirmed_at=None)
    assert moderator.call("PATCH", f"/members/{ada}", {"role": "moderator"}).status_code == 403
    assert moderator.call("PATCH", f"/members/{ada}", {"confirmed": True, "role": "admin"}).status_code == 403
    answer = moderator.call("PATCH", f"/members/{ada}", {"confirmed": True})
    assert (get_json(answer)["confirmed"], get_json(answer)["role"]) == (True, "member")


def test_admin_changes_roles_but_not_their_own(app: Flask) -> None:
    admin, ada = create_admin_client(app), add_member(app)
    answer = admin.call("PATCH", f"/members/{ada}", {"role": "moderator"})
    assert (answer.status_code, get_json(answer)["role"]) == (200, "moderator")
    own = admin.member["id"]
    assert admin.call("PATCH", f"/members/{own}", {"role": "member"}).status_code == 403
    assert admin.post(f"/members/{own}/suspend").status_code == 403
    assert error_pointers(admin.call("PATCH", f"/members/{ada}", {"confirmed": False, "role": "king"})) == [
        "/confirmed",
        "/role",
    ]


# Changing the email address


NEW_EMAIL = "countess@example.org"


def mailed_token(app: Flask) -> str:
    """Return the token in the newest email that contains one."""
    texts = [row.payload.get("text", "") for row in list_rows(app, OutboxMessage)]
    return str(re.findall(r"token=(\S+)", "".join(texts))[-1])


@pytest.mark.both_databases
def test_address_changes_when_the_link_is_used(mailing_app: Flask) -> None:
    ada = create_signed_in_client(mailing_app)
    answer = ada.call("PATCH", "/me", {"email": "Countess@example.org", "password": PASSWORD})
    assert (answer.status_code, get_json(answer)["email"]) == (200, "ada@example.org")
    assert list_mails(mailing_app) == [
        ("Countess@example.org", "eventcal: confirm your new address"),
        ("ada@example.org", "eventcal: your address is about to change"),
    ]
    token = mailed_token(mailing_app)
    # A person who reads the mail of a mistyped address gets no access to the account.
    for proof in ({}, {"new_password": "another quiet bicycle"}, {"password": "wrong"}):
        assert post_to_api(mailing_app, "/auth/confirm", {"token": token, **proof}).status_code == 422
    assert post_to_api(mailing_app, "/auth/confirm", {"token": token, "password": PASSWORD}).status_code == 200
    again = create_signed_in_client(mailing_app, "Countess@example.org")
    assert again.member["id"] == ada.member["id"]
    assert status_and_code(post_to_api(mailing_app, "/auth/confirm", {"token": token, "password": PASSWORD})) == (
        422,
        "token-refused",
    )


def test_changing_address_does_not_reveal_accounts(mailing_app: Flask) -> None:
    ada = create_signed_in_client(mailing_app)
    add_member(mailing_app, email=NEW_EMAIL)
    answers = [
        ada.call("PATCH", "/me", {"email": email, "password": PASSWORD}) for email in (NEW_EMAIL, "free@example.org")
    ]
    assert answers[0].data == answers[1].data
    assert list_mails(mailing_app)[0] == (NEW_EMAIL, "eventcal: you have an account already")


@pytest.mark.both_databases
def test_address_taken_in_the_meantime_is_rejected(mailing_app: Flask) -> None:
    ada = create_signed_in_client(mailing_app)
    ada.call("PATCH", "/me", {"email": NEW_EMAIL, "password": PASSWORD})
    token = mailed_token(mailing_app)
    add_member(mailing_app, email=NEW_EMAIL)
    assert status_and_code(ada.post("/auth/confirm", {"token": token})) == (409, "address-taken")


def test_without_mail_the_address_changes_at_once(app: Flask) -> None:
    ada = create_signed_in_client(app)
    add_member(app, email="bob@example.org")
    answer = ada.call("PATCH", "/me", {"email": NEW_EMAIL, "password": PASSWORD})
    assert get_json(answer)["email"] == NEW_EMAIL
    taken = ada.call("PATCH", "/me", {"email": "BOB@example.org", "password": PASSWORD})
    assert status_and_code(taken) == (409, "address-taken")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"email": NEW_EMAIL}, ["/password"]),
        ({"email": NEW_EMAIL, "password": "wrong"}, ["/password"]),
        ({"email": "nobody", "password": "wrong"}, ["/email", "/password"]),
        ({"password": PASSWORD}, ["/password"]),
    ],
)
def test_changing_address_requires_password(app: Flask, body: dict[str, str], pointers: list[str]) -> None:
    assert error_pointers(create_signed_in_client(app).call("PATCH", "/me", body)) == pointers


def test_address_is_changed_on_the_account_page(mailing_app: Flask) -> None:
    browser = create_browser(mailing_app)
    browser.client = create_signed_in_client(mailing_app).client
    browser.visit("/me/account/email")
    assert "Check your inbox" in browser.submit_form("/me/account/email", email=NEW_EMAIL, password=PASSWORD)
    token = mailed_token(mailing_app)
    browser.visit(f"/confirm?token={token}")
    assert "Your address is confirmed" in browser.submit_form("/confirm")
    assert NEW_EMAIL in browser.visit("/me/account")


def test_confirmation_page_lets_the_reader_set_a_password(mailing_app: Flask) -> None:
    credentials = {"email": "ada@example.org", "password": "of another person"}
    post_to_api(mailing_app, "/auth/register", {**credentials, "name": "Ada"})
    token = mailed_token(mailing_app)
    browser = create_browser(mailing_app)
    browser.visit(f"/confirm?token={token}")
    said = browser.submit_form("/confirm", password="", new_password="another quiet bicycle")
    assert "Your address is confirmed" in said
    assert post_to_api(mailing_app, "/auth/login", credentials).status_code == 401


# A required second factor


@pytest.mark.both_databases
def test_moderators_without_authenticator_app_have_rights_of_plain_members(
    database_url: str, clock: FixedClock
) -> None:
    with create_test_app(database_url, clock, require_second_factor=True) as app:
        moderator = create_signed_in_client(app, "mo@example.org", reauthenticated=True, role=Role.MODERATOR)
        pending = "/events?status=pending"
        assert status_and_code(moderator.get(pending)) == (403, "forbidden")
        assert error_pointers(moderator.post("/me/tokens", {"name": "x", "scopes": ["admin"]})) == ["/scopes/0"]
        token = create_token_headers(moderator, Scope.READ)
        assert call_api(app.test_client(), "GET", pending, **token).status_code == 403
        browser = create_browser(app)
        browser.client = moderator.client
        _phone, codes = set_up_app(browser, clock)
        assert moderator.get(pending).status_code == 200
        assert call_api(app.test_client(), "GET", pending, **token).status_code == 200
        create_token_headers(moderator, Scope.ADMIN)
        assert all(len(code.replace("-", "")) == 24 for code in codes)


def test_recovery_code_of_earlier_release_is_accepted_once(app: Flask, clock: FixedClock) -> None:
    browser = create_browser(app)
    browser.client = create_signed_in_client(app).client
    set_up_app(browser, clock)
    with write_session(app) as session:
        member_id = session.scalars(select(TotpSecret.member_id)).one()
        session.add(RecoveryCode(member_id=member_id, code_hash=hash_secret("0123456789abcdef")))
    for status in (200, 401):
        other = create_browser(app)
        log_in(other)
        other.submit_form("/login/code", code="0123-4567-89AB-CDEF")
        assert other.response.status_code == status


# The language of email


def test_language_of_registration_becomes_the_language_of_the_member(app: Flask) -> None:
    body = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada"}
    german = app.test_client().post("/api/v1/auth/register", json=body, headers={"Accept-Language": "de-AT"})
    assert german.status_code == 201
    ada = sign_in_with_password(app)
    assert ada.member["language"] == "de"
    assert get_json(ada.call("PATCH", "/me", {"language": "en"}))["language"] == "en"
    assert get_json(ada.call("PATCH", "/me", {"language": None}))["language"] is None
    assert error_pointers(ada.call("PATCH", "/me", {"language": "xx"})) == ["/language"]
