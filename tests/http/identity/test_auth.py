"""Registration, signing in and out, passwords and emailed tokens, with the complete app."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from statistics import median
from time import perf_counter

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select

from eventcal.members.enums import Scope
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.outbox.models import OutboxMessage
from eventcal.web.identity import accounts, passwords
from eventcal.web.identity.schemas import OwnPasswordIn
from tests.clocks import NOON, FixedClock
from tests.http_app import (
    MAIL_URL,
    PASSWORD,
    PRODUCTION_COST,
    Browser,
    call,
    database_of,
    housed,
    json_of,
    mails,
    pointers,
    post,
    problem,
    rows,
    running,
    sign_in,
    signed_in,
    token_of,
    writing,
)
from tests.make import make_event
from tests.statements import statements

ADA = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada"}
KEYS = {"email": "ada@example.org", "password": PASSWORD}
OTHER = "another horse"


@pytest.fixture
def mailing(_walls: Flask, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with mail configured."""
    with housed(_walls, database_url, clock, mail_url=MAIL_URL) as app:
        yield app


def register(app: Flask, **changes: str) -> None:
    assert post(app, "/auth/register", ADA | changes).status_code == 201


def only_member(app: Flask) -> Member:
    [member] = rows(app, Member)
    assert isinstance(member, Member)
    return member


def mailed_token(app: Flask) -> str:
    """Return the token in the newest email that contains one."""
    for row in reversed(rows(app, OutboxMessage)):
        if found := re.search(r"token=(\S+)", row.payload.get("text", "")):
            return found[1]
    raise AssertionError("No mail with a token")


# -- registering -------------------------------------------------------------------------------------------------------


def test_member_registers_signs_in_and_signs_out(app: Flask) -> None:
    answer = post(app, "/auth/register", ADA)
    assert (answer.status_code, answer.json) == (201, {"email": "ada@example.org", "name": "Ada", "confirmed": True})
    assert answer.headers["Location"].endswith("/api/v1/me")
    browser = sign_in(app)
    assert browser.member == {
        "id": only_member(app).id,
        "email": "ada@example.org",
        "name": "Ada",
        "role": "member",
        "confirmed": True,
        "created_at": "2026-03-01T12:00:00Z",
        "speaker": None,
        "teams": [],
    }
    assert browser.get("/me").json == browser.member
    assert browser.post("/auth/logout").status_code == 204
    assert browser.get("/me").status_code == 401
    assert browser.post("/auth/logout").status_code == 204


def test_email_address_is_case_insensitive_and_stored_as_written(app: Flask) -> None:
    register(app, email="Ada.L@Example.ORG")
    assert only_member(app).email == "Ada.L@example.org"
    assert problem(post(app, "/auth/register", ADA | {"email": "ada.l@example.org"})) == (409, "address-taken")
    sign_in(app, "ADA.L@example.org")


@pytest.fixture
def costly_app(database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Return an app that hashes passwords as in production."""
    monkeypatch.setattr(passwords, "ARGON2_COST", PRODUCTION_COST)
    with running(database_url, clock) as app:
        yield app


def test_passwords_use_argon2_and_unicode_normalisation(costly_app: Flask) -> None:
    app = costly_app
    register(app, password="schlüssel-ﬁn")
    assert str(only_member(app).password).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    sign_in(app, password="schlu\u0308ssel-fin")


def test_concurrent_registrations_create_one_member(app: Flask) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(post(app, "/auth/register", ADA).status_code)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]


def test_registration_reports_errors_of_all_fields(app: Flask) -> None:
    answer = post(app, "/auth/register", {"email": "nobody", "password": "short", "name": "", "age": 7})
    assert problem(answer) == (422, "invalid")
    assert pointers(answer) == ["/age", "/email", "/name", "/password"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "x" * 7),
        ("password", "x" * 129),
        ("password", "a\x00bcdefgh"),
        ("password", None),
        ("password", 12345678),
        ("email", "a@localhost"),
        ("email", "Ada <ada@example.org>"),
        ("email", "ada@example.org\r\nBcc: all@example.org"),
        ("name", "a\x00b"),
        ("name", " "),
        ("name", "x" * 201),
    ],
)
def test_invalid_registration_field_returns_422(app: Flask, field: str, value: object) -> None:
    answer = post(app, "/auth/register", ADA | {field: value})
    assert (answer.status_code, pointers(answer)) == (422, [f"/{field}"])


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/reset", "/auth/confirm"])
def test_form_encoded_body_returns_415(app: Flask, path: str) -> None:
    answer = app.test_client().post(f"/api/v1{path}", data=ADA)
    assert problem(answer) == (415, "unsupported-media-type")


# -- signing in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        {"email": "ada@example.org", "password": "wrong horse"},
        {"email": "bob@example.org", "password": PASSWORD},
        {"email": "nobody", "password": PASSWORD},
        {"email": "ada@example.org", "password": ""},
    ],
)
def test_sign_in_requires_correct_email_and_password(app: Flask, keys: dict[str, str]) -> None:
    register(app)
    answer = post(app, "/auth/login", keys)
    assert problem(answer) == (401, "sign-in-refused")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in answer.headers


def test_member_without_password_cannot_sign_in(app: Flask) -> None:
    register(app)
    with writing(app) as session:
        session.scalars(select(Member)).one().password = None
    assert problem(post(app, "/auth/login", KEYS)) == (401, "sign-in-refused")


def test_deactivated_member_is_signed_out_immediately(app: Flask) -> None:
    register(app)
    browser = sign_in(app)
    with writing(app) as session:
        session.scalars(select(Member)).one().active = False
    assert browser.get("/me").status_code == 401
    assert problem(post(app, "/auth/login", KEYS)) == (401, "sign-in-refused")


def test_sign_in_with_unknown_email_takes_as_long_as_with_wrong_password(costly_app: Flask) -> None:
    app = costly_app
    register(app)

    def usually(email: str) -> float:
        took = []
        for _ in range(5):
            start = perf_counter()
            assert post(app, "/auth/login", {"email": email, "password": "wrong horse"}).status_code == 401
            took.append(perf_counter() - start)
        return median(took)

    assert 0.4 < usually("ada@example.org") / usually("bob@example.org") < 2.5


def test_sign_in_stores_session_and_rehashes_outdated_hash(costly_app: Flask) -> None:
    app = costly_app
    register(app)
    with statements(database_of(app)) as sent:
        sign_in(app)
    written = [text for text in sent if not text.startswith(("SELECT", "BEGIN", "SET"))]
    assert [text.split()[:3] for text in written] == [["INSERT", "INTO", "sessions"]]
    with writing(app) as session:
        weaker = PasswordHasher(memory_cost=19456, time_cost=1, parallelism=1).hash(PASSWORD)
        session.scalars(select(Member)).one().password = weaker
    sign_in(app)
    assert str(only_member(app).password).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


# -- passwords and emailed tokens --------------------------------------------------------------------------------------


def test_password_change_ends_other_sessions_and_keeps_current_one(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    answer = here.post("/auth/password", {"password": PASSWORD, "new_password": OTHER})
    assert (answer.status_code, json_of(answer)["member"]) == (200, here.member)
    assert (here.get("/me").status_code, there.get("/me").status_code) == (200, 401)
    assert problem(here.post("/me/feeds", {"name": "phone"})) == (403, "csrf")
    here.csrf = json_of(answer)["csrf_token"]
    assert here.post("/me/feeds", {"name": "phone"}).status_code == 201
    assert problem(post(app, "/auth/login", KEYS)) == (401, "sign-in-refused")
    sign_in(app, password=OTHER)


def test_password_change_reports_both_wrong_and_invalid_password(app: Flask) -> None:
    browser = signed_in(app)
    answer = browser.post("/auth/password", {"password": "wrong", "new_password": "short"})
    assert (answer.status_code, pointers(answer)) == (422, ["/new_password", "/password"])
    sign_in(app)


def test_current_password_is_checked_even_if_other_fields_are_invalid(app: Flask) -> None:
    browser = signed_in(app)
    answer = browser.post("/auth/password", {"password": "wrong"})
    assert pointers(answer) == ["/new_password", "/password"]
    answer = browser.call("DELETE", "/me", {"password": "wrong", "reason": "none", "zone": "none"})
    assert pointers(answer) == ["/password", "/reason", "/zone"]


def test_schema_does_not_check_current_password() -> None:
    assert OwnPasswordIn().load({"password": "any"}) == {"password": "any"}


def test_emailed_token_confirms_address_and_is_idempotent(mailing: Flask, clock: FixedClock) -> None:
    register(mailing)
    assert mails(mailing) == [("ada@example.org", "eventcal: confirm your address")]
    assert sign_in(mailing).member["confirmed"] is False
    token = mailed_token(mailing)
    assert post(mailing, "/auth/confirm", {"token": token}).json == {"confirmed": True}
    clock.tick()
    assert post(mailing, "/auth/confirm", {"token": token}).status_code == 200
    assert only_member(mailing).confirmed_at == NOON
    assert sign_in(mailing).member["confirmed"] is True


def test_talk_submission_requires_confirmed_address(mailing: Flask) -> None:
    register(mailing)
    with writing(mailing) as session:
        make_event(session, slug="summit")
    browser = sign_in(mailing)
    talk = {"title": "Xen on ARM"}
    assert problem(browser.post("/events/summit/talks", talk)) == (403, "not-confirmed")
    post(mailing, "/auth/confirm", {"token": mailed_token(mailing)})
    assert browser.post("/events/summit/talks", talk).status_code == 201


def test_resending_confirmation_does_not_reveal_accounts(mailing: Flask) -> None:
    register(mailing)
    known = post(mailing, "/auth/confirm", {"email": "ADA@example.org"})
    unknown = post(mailing, "/auth/confirm", {"email": "bob@example.org"})
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, known.data)
    assert [to for to, _ in mails(mailing)] == ["ada@example.org", "ada@example.org"]
    post(mailing, "/auth/confirm", {"token": mailed_token(mailing)})
    assert post(mailing, "/auth/confirm", {"email": "ada@example.org"}).data == known.data
    assert len(mails(mailing)) == 2


@pytest.mark.parametrize("body", [{}, {"token": "x", "email": "ada@example.org"}])
def test_confirmation_requires_either_token_or_email(app: Flask, body: dict[str, str]) -> None:
    answer = post(app, "/auth/confirm", body)
    assert (answer.status_code, pointers(answer)) == (422, ["/token"])


def test_registration_without_mail_rejects_existing_address(app: Flask) -> None:
    register(app)
    assert problem(post(app, "/auth/register", ADA | {"email": "ADA@example.org"})) == (409, "address-taken")


def test_registration_with_mail_hides_existing_address_and_emails_owner(mailing: Flask) -> None:
    first = post(mailing, "/auth/register", ADA)
    other = post(mailing, "/auth/register", ADA | {"password": "somebody else's"})
    assert (first.status_code, first.data) == (other.status_code, other.data)
    assert first.headers.to_wsgi_list() == other.headers.to_wsgi_list()
    assert mails(mailing)[1:] == [("ada@example.org", "eventcal: you have an account already")]
    sign_in(mailing)


def test_emails_contain_no_text_from_requester(mailing: Flask) -> None:
    register(mailing, name="Buy now: https://spam.example")
    register(mailing, name="Buy now: https://spam.example")
    post(mailing, "/auth/reset", {"email": "ada@example.org"})
    texts = [row.payload["text"] for row in rows(mailing, OutboxMessage)]
    assert len(texts) == 3
    assert [text for text in texts if "spam" in text] == []


def test_password_reset_request_does_not_reveal_accounts(mailing: Flask) -> None:
    register(mailing)
    with statements(database_of(mailing)) as for_known:
        known = post(mailing, "/auth/reset", {"email": "ada@example.org"})
    with statements(database_of(mailing)) as for_unknown:
        unknown = post(mailing, "/auth/reset", {"email": "bob@example.org"})
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, known.data)
    assert len(for_known) == len(for_unknown)
    assert mails(mailing)[1:] == [("ada@example.org", "eventcal: choose a new password")]


def test_without_mail_server_no_email_is_queued(app: Flask) -> None:
    browser = signed_in(app)
    post(app, "/auth/reset", {"email": "ada@example.org"})
    browser.post("/auth/password", {"password": PASSWORD, "new_password": OTHER})
    assert mails(app) == []


def test_emailed_token_resets_password_once_and_ends_sessions_and_tokens(mailing: Flask) -> None:
    browser = signed_in(mailing)
    token = token_of(browser, Scope.ADMIN)
    browser.post("/me/feeds", {"name": "phone"})
    post(mailing, "/auth/reset", {"email": "ada@example.org"})
    body = {"token": mailed_token(mailing), "password": OTHER}
    assert post(mailing, "/auth/reset/confirm", body).status_code == 204
    assert browser.get("/me").status_code == 401
    assert call(mailing.test_client(), "GET", "/me", **token).status_code == 401
    assert rows(mailing, AccessToken) == []
    assert [feed.revoked_at for feed in rows(mailing, PersonalFeed)] == [None]
    assert problem(post(mailing, "/auth/reset/confirm", body)) == (422, "token-refused")
    sign_in(mailing, password=OTHER)
    assert [subject for _, subject in mails(mailing)][-1] == "eventcal: your password was changed"


def test_password_reset_of_unconfirmed_account_revokes_its_feeds(mailing: Flask) -> None:
    register(mailing)
    sign_in(mailing).post("/me/feeds", {"name": "a thief's"})
    post(mailing, "/auth/reset", {"email": "ada@example.org"})
    body = {"token": mailed_token(mailing), "password": OTHER}
    assert post(mailing, "/auth/reset/confirm", body).status_code == 204
    assert only_member(mailing).confirmed_at == NOON
    assert [feed.revoked_at for feed in rows(mailing, PersonalFeed)] == [NOON]


def test_confirmation_token_cannot_reset_password(mailing: Flask) -> None:
    register(mailing)
    body = {"token": mailed_token(mailing), "password": OTHER}
    assert problem(post(mailing, "/auth/reset/confirm", body)) == (422, "token-refused")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü", ".", "\u2028"])
def test_invalid_confirmation_token_is_rejected(app: Flask, token: str) -> None:
    assert problem(post(app, "/auth/confirm", {"token": token})) == (422, "token-refused")


@pytest.mark.parametrize(("asks", "setting"), [("confirm", "CONFIRM_MAX_AGE"), ("reset/confirm", "RESET_MAX_AGE")])
def test_expired_emailed_token_is_rejected(
    mailing: Flask, asks: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(mailing)
    if asks != "confirm":
        post(mailing, "/auth/reset", {"email": "ada@example.org"})
    monkeypatch.setattr(accounts, setting, timedelta(seconds=-1))
    body = {"token": mailed_token(mailing)} | ({} if asks == "confirm" else {"password": OTHER})
    assert problem(post(mailing, f"/auth/{asks}", body)) == (422, "token-refused")


def test_confirmation_token_of_inactive_member_is_rejected(mailing: Flask) -> None:
    register(mailing)
    with writing(mailing) as session:
        session.scalars(select(Member)).one().active = False
    assert problem(post(mailing, "/auth/confirm", {"token": mailed_token(mailing)})) == (422, "token-refused")


# -- the cookie --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("base_url", "named"), [("http://h", "eventcal"), ("https://h", "__Host-eventcal")])
def test_base_url_sets_cookie_name_and_attributes(
    sqlite_url: str, clock: FixedClock, base_url: str, named: str
) -> None:
    with running(sqlite_url, clock, base_url=base_url) as app:
        register(app)
        answer = app.test_client().post("/api/v1/auth/login", json=KEYS, base_url=base_url)
    cookies = SimpleCookie("; ".join(answer.headers.getlist("Set-Cookie")))
    assert list(cookies) == [named]
    given = {key: cookies[named][key] for key in ("path", "domain", "secure", "httponly", "samesite")}
    secure = True if base_url.startswith("https") else ""
    assert given == {"path": "/", "domain": "", "secure": secure, "httponly": True, "samesite": "Lax"}
    assert cookies[named]["expires"]


def test_sign_in_starts_new_session(app: Flask) -> None:
    register(app)
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(csrf_token="planted", anything="planted")
    planted = client.get_cookie("eventcal")
    answer = call(client, "POST", "/auth/login", body=KEYS)
    assert planted is not None
    assert client.get_cookie("eventcal") != planted
    with client.session_transaction() as session:
        assert dict(session) == {}
    browser = Browser(client, {}, json_of(answer)["csrf_token"])
    assert browser.post("/auth/logout").status_code == 204


def test_sign_out_deletes_cookie(app: Flask) -> None:
    browser = signed_in(app)
    answer = browser.post("/auth/logout")
    assert "eventcal=; Expires=Thu, 01 Jan 1970" in answer.headers["Set-Cookie"]
    assert browser.client.get_cookie("eventcal") is None


def test_sign_out_requires_csrf_token_and_rejects_access_token(app: Flask) -> None:
    browser = signed_in(app)
    assert problem(call(browser.client, "POST", "/auth/logout")) == (403, "csrf")
    assert problem(post(app, "/auth/logout", **token_of(browser, Scope.ADMIN))) == (403, "forbidden")
    assert browser.get("/me").status_code == 200


def test_auth_responses_are_never_cached(app: Flask) -> None:
    register(app)
    answers = [post(app, "/auth/login", KEYS), post(app, "/auth/login", {}), post(app, "/auth/register", ADA)]
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * 3
