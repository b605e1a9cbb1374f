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
from eventcal.web.identity import accounts, password_hashes
from eventcal.web.identity.schemas import OwnPasswordIn
from tests.clocks import NOON, FixedClock
from tests.factories import make_event
from tests.http_app import (
    MAIL_URL,
    PASSWORD,
    PRODUCTION_ARGON2_COST,
    SessionClient,
    attach_test_services,
    call_api,
    create_signed_in_client,
    create_test_app,
    create_token_headers,
    database_of,
    error_pointers,
    get_json,
    list_mails,
    list_rows,
    post_to_api,
    sign_in_with_password,
    status_and_code,
    write_session,
)
from tests.sql_statements import record_statements

REGISTRATION = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada"}
CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}
OTHER_PASSWORD = "another horse"


@pytest.fixture
def app_with_mail(_shared_app: Flask, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with mail configured."""
    with attach_test_services(_shared_app, database_url, clock, mail_url=MAIL_URL) as app:
        yield app


def register_ada(app: Flask, **changes: str) -> None:
    assert post_to_api(app, "/auth/register", REGISTRATION | changes).status_code == 201


def only_member(app: Flask) -> Member:
    [member] = list_rows(app, Member)
    assert isinstance(member, Member)
    return member


def mailed_token(app: Flask) -> str:
    """Return the token in the newest email that contains one."""
    for row in reversed(list_rows(app, OutboxMessage)):
        if found := re.search(r"token=(\S+)", row.payload.get("text", "")):
            return found[1]
    raise AssertionError("No mail with a token")


# -- registering -------------------------------------------------------------------------------------------------------


def test_member_registers_signs_in_and_signs_out(app: Flask) -> None:
    answer = post_to_api(app, "/auth/register", REGISTRATION)
    assert (answer.status_code, answer.json) == (201, {"email": "ada@example.org", "name": "Ada", "confirmed": True})
    assert answer.headers["Location"].endswith("/api/v1/me")
    browser = sign_in_with_password(app)
    assert browser.member == {
        "id": only_member(app).id,
        "email": "ada@example.org",
        "name": "Ada",
        "language": "en",
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
    register_ada(app, email="Ada.L@Example.ORG")
    assert only_member(app).email == "Ada.L@example.org"
    assert status_and_code(post_to_api(app, "/auth/register", REGISTRATION | {"email": "ada.l@example.org"})) == (
        409,
        "address-taken",
    )
    sign_in_with_password(app, "ADA.L@example.org")


@pytest.fixture
def app_with_slow_hashing(database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Return an app that hashes passwords as in production."""
    monkeypatch.setattr(password_hashes, "ARGON2_COST", PRODUCTION_ARGON2_COST)
    with create_test_app(database_url, clock) as app:
        yield app


def test_passwords_use_argon2_and_unicode_normalisation(app_with_slow_hashing: Flask) -> None:
    app = app_with_slow_hashing
    register_ada(app, password="schlüssel-ﬁn")
    assert str(only_member(app).password).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    sign_in_with_password(app, password="schlu\u0308ssel-fin")


def test_concurrent_registrations_create_one_member(app: Flask) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(post_to_api(app, "/auth/register", REGISTRATION).status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]


def test_registration_reports_errors_of_all_fields(app: Flask) -> None:
    answer = post_to_api(app, "/auth/register", {"email": "nobody", "password": "short", "name": "", "age": 7})
    assert status_and_code(answer) == (422, "invalid")
    assert error_pointers(answer) == ["/age", "/email", "/name", "/password"]


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
    answer = post_to_api(app, "/auth/register", REGISTRATION | {field: value})
    assert (answer.status_code, error_pointers(answer)) == (422, [f"/{field}"])


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/reset", "/auth/confirm"])
def test_form_encoded_body_returns_415(app: Flask, path: str) -> None:
    answer = app.test_client().post(f"/api/v1{path}", data=REGISTRATION)
    assert status_and_code(answer) == (415, "unsupported-media-type")


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
    register_ada(app)
    answer = post_to_api(app, "/auth/login", keys)
    assert status_and_code(answer) == (401, "sign-in-refused")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in answer.headers


def test_member_without_password_cannot_sign_in(app: Flask) -> None:
    register_ada(app)
    with write_session(app) as session:
        session.scalars(select(Member)).one().password = None
    assert status_and_code(post_to_api(app, "/auth/login", CREDENTIALS)) == (401, "sign-in-refused")


def test_deactivated_member_is_signed_out_immediately(app: Flask) -> None:
    register_ada(app)
    browser = sign_in_with_password(app)
    with write_session(app) as session:
        session.scalars(select(Member)).one().active = False
    assert browser.get("/me").status_code == 401
    assert status_and_code(post_to_api(app, "/auth/login", CREDENTIALS)) == (401, "sign-in-refused")


def test_sign_in_with_unknown_email_takes_as_long_as_with_wrong_password(app_with_slow_hashing: Flask) -> None:
    app = app_with_slow_hashing
    register_ada(app)

    def usually(email: str) -> float:
        took = []
        for _ in range(5):
            start = perf_counter()
            assert post_to_api(app, "/auth/login", {"email": email, "password": "wrong horse"}).status_code == 401
            took.append(perf_counter() - start)
        return median(took)

    assert 0.4 < usually("ada@example.org") / usually("bob@example.org") < 2.5


def test_sign_in_stores_session_and_rehashes_outdated_hash(app_with_slow_hashing: Flask) -> None:
    app = app_with_slow_hashing
    register_ada(app)
    with record_statements(database_of(app)) as sent:
        sign_in_with_password(app)
    written = [text for text in sent if not text.startswith(("SELECT", "BEGIN", "SET"))]
    assert [text.split()[:3] for text in written] == [["INSERT", "INTO", "sessions"]]
    with write_session(app) as session:
        weaker = PasswordHasher(memory_cost=19456, time_cost=1, parallelism=1).hash(PASSWORD)
        session.scalars(select(Member)).one().password = weaker
    sign_in_with_password(app)
    assert str(only_member(app).password).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


# -- passwords and emailed tokens --------------------------------------------------------------------------------------


def test_password_change_ends_other_sessions_and_keeps_current_one(app: Flask) -> None:
    here, there = create_signed_in_client(app), create_signed_in_client(app)
    answer = here.post("/auth/password", {"password": PASSWORD, "new_password": OTHER_PASSWORD})
    assert (answer.status_code, get_json(answer)["member"]) == (200, here.member)
    assert (here.get("/me").status_code, there.get("/me").status_code) == (200, 401)
    assert status_and_code(here.post("/me/feeds", {"name": "phone"})) == (403, "csrf")
    here.csrf_token = get_json(answer)["csrf_token"]
    assert here.post("/me/feeds", {"name": "phone"}).status_code == 201
    assert status_and_code(post_to_api(app, "/auth/login", CREDENTIALS)) == (401, "sign-in-refused")
    sign_in_with_password(app, password=OTHER_PASSWORD)


def test_password_change_reports_both_wrong_and_invalid_password(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = browser.post("/auth/password", {"password": "wrong", "new_password": "short"})
    assert (answer.status_code, error_pointers(answer)) == (422, ["/new_password", "/password"])
    sign_in_with_password(app)


def test_current_password_is_checked_even_if_other_fields_are_invalid(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = browser.post("/auth/password", {"password": "wrong"})
    assert error_pointers(answer) == ["/new_password", "/password"]
    answer = browser.call("DELETE", "/me", {"password": "wrong", "reason": "none", "zone": "none"})
    assert error_pointers(answer) == ["/password", "/reason", "/zone"]


def test_schema_does_not_check_current_password() -> None:
    assert OwnPasswordIn().load({"password": "any"}) == {"password": "any"}


def test_emailed_token_confirms_address_and_is_idempotent(app_with_mail: Flask, clock: FixedClock) -> None:
    register_ada(app_with_mail)
    assert list_mails(app_with_mail) == [("ada@example.org", "eventcal: confirm your address")]
    assert sign_in_with_password(app_with_mail).member["confirmed"] is False
    token = mailed_token(app_with_mail)
    body = {"token": token, "password": PASSWORD}
    assert post_to_api(app_with_mail, "/auth/confirm", body).json == {"confirmed": True}
    clock.tick()
    assert post_to_api(app_with_mail, "/auth/confirm", body).status_code == 200
    assert only_member(app_with_mail).confirmed_at == NOON
    assert sign_in_with_password(app_with_mail).member["confirmed"] is True


def test_talk_submission_requires_confirmed_address(app_with_mail: Flask) -> None:
    register_ada(app_with_mail)
    with write_session(app_with_mail) as session:
        make_event(session, slug="summit")
    browser = sign_in_with_password(app_with_mail)
    talk = {"title": "Xen on ARM"}
    assert status_and_code(browser.post("/events/summit/talks", talk)) == (403, "not-confirmed")
    assert browser.post("/auth/confirm", {"token": mailed_token(app_with_mail)}).status_code == 200
    assert browser.post("/events/summit/talks", talk).status_code == 201


def test_resending_confirmation_does_not_reveal_accounts(app_with_mail: Flask) -> None:
    register_ada(app_with_mail)
    known = post_to_api(app_with_mail, "/auth/confirm", {"email": "ADA@example.org"})
    unknown = post_to_api(app_with_mail, "/auth/confirm", {"email": "bob@example.org"})
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, known.data)
    assert [to for to, _ in list_mails(app_with_mail)] == ["ada@example.org", "ada@example.org"]
    post_to_api(app_with_mail, "/auth/confirm", {"token": mailed_token(app_with_mail), "password": PASSWORD})
    assert post_to_api(app_with_mail, "/auth/confirm", {"email": "ada@example.org"}).data == known.data
    assert len(list_mails(app_with_mail)) == 2


@pytest.mark.parametrize("body", [{}, {"token": "x", "email": "ada@example.org"}])
def test_confirmation_requires_either_token_or_email(app: Flask, body: dict[str, str]) -> None:
    answer = post_to_api(app, "/auth/confirm", body)
    assert (answer.status_code, error_pointers(answer)) == (422, ["/token"])


def test_registration_without_mail_rejects_existing_address(app: Flask) -> None:
    register_ada(app)
    assert status_and_code(post_to_api(app, "/auth/register", REGISTRATION | {"email": "ADA@example.org"})) == (
        409,
        "address-taken",
    )


def test_registration_with_mail_hides_existing_address_and_emails_owner(app_with_mail: Flask) -> None:
    first = post_to_api(app_with_mail, "/auth/register", REGISTRATION)
    other = post_to_api(app_with_mail, "/auth/register", REGISTRATION | {"password": "somebody else's"})
    assert (first.status_code, first.data) == (other.status_code, other.data)
    assert first.headers.to_wsgi_list() == other.headers.to_wsgi_list()
    assert list_mails(app_with_mail)[1:] == [("ada@example.org", "eventcal: you have an account already")]
    sign_in_with_password(app_with_mail)


def test_emails_contain_no_text_from_requester(app_with_mail: Flask) -> None:
    register_ada(app_with_mail, name="Buy now: https://spam.example")
    register_ada(app_with_mail, name="Buy now: https://spam.example")
    post_to_api(app_with_mail, "/auth/reset", {"email": "ada@example.org"})
    texts = [row.payload["text"] for row in list_rows(app_with_mail, OutboxMessage)]
    assert len(texts) == 3
    assert [text for text in texts if "spam" in text] == []


def test_password_reset_request_does_not_reveal_accounts(app_with_mail: Flask) -> None:
    register_ada(app_with_mail)
    with record_statements(database_of(app_with_mail)) as for_known:
        known = post_to_api(app_with_mail, "/auth/reset", {"email": "ada@example.org"})
    with record_statements(database_of(app_with_mail)) as for_unknown:
        unknown = post_to_api(app_with_mail, "/auth/reset", {"email": "bob@example.org"})
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, known.data)
    assert len(for_known) == len(for_unknown)
    assert list_mails(app_with_mail)[1:] == [("ada@example.org", "eventcal: choose a new password")]


def test_without_mail_server_no_email_is_queued(app: Flask) -> None:
    browser = create_signed_in_client(app)
    post_to_api(app, "/auth/reset", {"email": "ada@example.org"})
    browser.post("/auth/password", {"password": PASSWORD, "new_password": OTHER_PASSWORD})
    assert list_mails(app) == []


def test_emailed_token_resets_password_once_and_ends_sessions_and_tokens(app_with_mail: Flask) -> None:
    browser = create_signed_in_client(app_with_mail)
    token = create_token_headers(browser, Scope.ORGANISE)
    browser.post("/me/feeds", {"name": "phone"})
    post_to_api(app_with_mail, "/auth/reset", {"email": "ada@example.org"})
    body = {"token": mailed_token(app_with_mail), "password": OTHER_PASSWORD}
    assert post_to_api(app_with_mail, "/auth/reset/confirm", body).status_code == 204
    assert browser.get("/me").status_code == 401
    assert call_api(app_with_mail.test_client(), "GET", "/me", **token).status_code == 401
    assert list_rows(app_with_mail, AccessToken) == []
    assert [feed.revoked_at for feed in list_rows(app_with_mail, PersonalFeed)] == [None]
    assert status_and_code(post_to_api(app_with_mail, "/auth/reset/confirm", body)) == (422, "token-refused")
    sign_in_with_password(app_with_mail, password=OTHER_PASSWORD)
    assert [subject for _, subject in list_mails(app_with_mail)][-1] == "eventcal: your password was changed"


def test_password_reset_of_unconfirmed_account_revokes_its_feeds(app_with_mail: Flask) -> None:
    register_ada(app_with_mail)
    sign_in_with_password(app_with_mail).post("/me/feeds", {"name": "a thief's"})
    post_to_api(app_with_mail, "/auth/reset", {"email": "ada@example.org"})
    body = {"token": mailed_token(app_with_mail), "password": OTHER_PASSWORD}
    assert post_to_api(app_with_mail, "/auth/reset/confirm", body).status_code == 204
    assert only_member(app_with_mail).confirmed_at == NOON
    assert [feed.revoked_at for feed in list_rows(app_with_mail, PersonalFeed)] == [NOON]


def test_confirmation_token_cannot_reset_password(app_with_mail: Flask) -> None:
    register_ada(app_with_mail)
    body = {"token": mailed_token(app_with_mail), "password": OTHER_PASSWORD}
    assert status_and_code(post_to_api(app_with_mail, "/auth/reset/confirm", body)) == (422, "token-refused")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü", ".", "\u2028"])
def test_invalid_confirmation_token_is_rejected(app: Flask, token: str) -> None:
    assert status_and_code(post_to_api(app, "/auth/confirm", {"token": token})) == (422, "token-refused")


@pytest.mark.parametrize(("asks", "setting"), [("confirm", "CONFIRM_MAX_AGE"), ("reset/confirm", "RESET_MAX_AGE")])
def test_expired_emailed_token_is_rejected(
    app_with_mail: Flask, asks: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_ada(app_with_mail)
    if asks != "confirm":
        post_to_api(app_with_mail, "/auth/reset", {"email": "ada@example.org"})
    monkeypatch.setattr(accounts, setting, timedelta(seconds=-1))
    body = {"token": mailed_token(app_with_mail)} | ({} if asks == "confirm" else {"password": OTHER_PASSWORD})
    assert status_and_code(post_to_api(app_with_mail, f"/auth/{asks}", body)) == (422, "token-refused")


def test_confirmation_token_of_inactive_member_is_rejected(app_with_mail: Flask) -> None:
    register_ada(app_with_mail)
    with write_session(app_with_mail) as session:
        session.scalars(select(Member)).one().active = False
    assert status_and_code(post_to_api(app_with_mail, "/auth/confirm", {"token": mailed_token(app_with_mail)})) == (
        422,
        "token-refused",
    )


# -- the cookie --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("base_url", "named"), [("http://h", "eventcal"), ("https://h", "__Host-eventcal")])
def test_base_url_sets_cookie_name_and_attributes(
    sqlite_url: str, clock: FixedClock, base_url: str, named: str
) -> None:
    with create_test_app(sqlite_url, clock, base_url=base_url) as app:
        register_ada(app)
        answer = app.test_client().post("/api/v1/auth/login", json=CREDENTIALS, base_url=base_url)
    cookies = SimpleCookie("; ".join(answer.headers.getlist("Set-Cookie")))
    assert list(cookies) == [named]
    given = {key: cookies[named][key] for key in ("path", "domain", "secure", "httponly", "samesite")}
    secure = True if base_url.startswith("https") else ""
    assert given == {"path": "/", "domain": "", "secure": secure, "httponly": True, "samesite": "Lax"}
    assert cookies[named]["expires"]


def test_sign_in_starts_new_session(app: Flask) -> None:
    register_ada(app)
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(csrf_token="planted", anything="planted")
    planted = client.get_cookie("eventcal")
    answer = call_api(client, "POST", "/auth/login", body=CREDENTIALS)
    assert planted is not None
    assert client.get_cookie("eventcal") != planted
    with client.session_transaction() as session:
        assert dict(session) == {}
    browser = SessionClient(client, {}, get_json(answer)["csrf_token"])
    assert browser.post("/auth/logout").status_code == 204


def test_sign_out_deletes_cookie(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = browser.post("/auth/logout")
    assert "eventcal=; Expires=Thu, 01 Jan 1970" in answer.headers["Set-Cookie"]
    assert browser.client.get_cookie("eventcal") is None


def test_sign_out_requires_csrf_token_and_rejects_access_token(app: Flask) -> None:
    browser = create_signed_in_client(app)
    assert status_and_code(call_api(browser.client, "POST", "/auth/logout")) == (403, "csrf")
    assert status_and_code(post_to_api(app, "/auth/logout", **create_token_headers(browser, Scope.ORGANISE))) == (
        403,
        "forbidden",
    )
    assert browser.get("/me").status_code == 200


def test_auth_responses_are_never_cached(app: Flask) -> None:
    register_ada(app)
    answers = [
        post_to_api(app, "/auth/login", CREDENTIALS),
        post_to_api(app, "/auth/login", {}),
        post_to_api(app, "/auth/register", REGISTRATION),
    ]
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * 3
