"""Sessions, open forms, emailed tokens and password hashes of the release with signed session cookies remain valid.

That release created these values, with Flask-Security 5.9.2 and the secret key of the tests, at NOON.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from itsdangerous import TimestampSigner
from sqlalchemy import select

from eventcal.members.models import Member, MemberSession
from eventcal.members.sessions import find_session
from eventcal.retention import delete_expired_data
from tests.clocks import NOON, FixedClock
from tests.factories import make_member
from tests.http_app import (
    MAIL_URL,
    PASSWORD,
    SessionClient,
    attach_test_services,
    call_api,
    database_of,
    get_json,
    list_rows,
    post_to_api,
    services_of,
    sign_in_with_password,
    status_and_code,
    write_session,
)

SESSION_KEY = "the-key-of-ada"
SESSION_COOKIE = (
    ".eJw9juGKAjEMhN-lv11J2zRtfJklmyZ4yKnsroIc9-5XEe5fZiYzfD9h9tW2czjt68MOYf7q4RQgO3CRqOPoas0tmTDWXM2"
    "5U1Is5OJEnaqIsnGvS3Iq2FKMIkuNvagVLQWsouYoUIrFCMuwIyZWV0dbGsHYViQQUPKWQasXDgPkbuu3XO26_6M9Nls_fPv"
    "Zpou9pptP0mV867b6vN8udn3TLzlZ64tiAjFo3Ac3RaQ8FFJlRYDMOHpdXqOQINEEeYI4LN9m1WFutn_UXSScYmWCTBX4iJw"
    "YWj2E-3p7Wp9lf8c1ZaKxe4TfP5vZYR8.aaQqQA.ldqcE9MYRdch3LmugncQsZHcfhQ"
)
CSRF_TOKEN = "IjBiMzJlOGRiYzQyMGFlMDg5ZDM3ZTYxNDYzYWUwNDY3OWM0MDAzOTQi.aaQqQA.BUMhYhADmOGGs0mshtMAQT9A8g4"
ANONYMOUS_COOKIE = (
    "eyJjc3JmX3Rva2VuIjoiYTYwMTc1MGFhZDQ5MzJiZjY5OWYwYWEwMDIzNmZhNDgzZjEyMTUyYiJ9.aaQqQA.j0436VmII3hn_fM9F97wnPOiHQ8"
)
ANONYMOUS_CSRF_TOKEN = "ImE2MDE3NTBhYWQ0OTMyYmY2OTlmMGFhMDAyMzZmYTQ4M2YxMjE1MmIi.aaQqQA.206Dt_uit72IIfOApOZ-KGH2DXQ"
CONFIRMATION_TOKEN = (
    ".eJwFwTEOgDAIBdC7dLYJUkA8i3Eo7ScmDi4u3t73jvJeqDe--mTts5eljATRnBBD7sJGa2bP2MHOCid29RAjqFt4I40mMla"
    "EszXdZjl_O1wX2A.aaQqQA._zhBsstzOkVxYahmKFdYL-CVtPs"
)
RESET_TOKEN = (
    ".eJwFwTEOgCAMBdC7MEsC0hZ6FuNA209MHFxcvL3vHem9kG98-Vl5xkxbEm-Bttcxi4dGbWpsgiDyoD6KsjngoGLcdweHcZu"
    "iIgvRldL5A0KxGMs.aaQqQA.hmMWutgAMSk_utihTEGxJFiI-cU"
)
PASSWORD_HASH = "$argon2id$v=19$m=64,t=1,p=1$sTbmvPce49y7N4ZwjjGGMA$PvJp2ItIIVQTTknqazYuAJiIxLbRdIdWOalk/Z7KXPI"
OTHER_PASSWORD = "another quiet bicycle"


@pytest.fixture(autouse=True)
def _signing_clock(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the time of signatures from the test clock."""
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: int(clock.now().timestamp()))


@pytest.fixture
def app_with_mail(_shared_app: Flask, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with mail configured."""
    with attach_test_services(_shared_app, database_url, clock, mail_url=MAIL_URL) as app:
        yield app


def add_ada(app: Flask) -> None:
    with write_session(app) as session:
        make_member(
            session,
            email="ada@example.org",
            password=PASSWORD_HASH,
            fs_uniquifier=SESSION_KEY,
            signed_cookies=True,
            confirmed_at=None,
        )


def browser_with_old_cookie(app: Flask) -> SessionClient:
    """Return a browser with Ada's cookie of the earlier release."""
    client = app.test_client()
    client.set_cookie("eventcal", SESSION_COOKIE)
    return SessionClient(client, {}, CSRF_TOKEN)


def is_signed_in(browser: SessionClient) -> bool:
    return browser.get("/me").status_code == 200


def test_next_request_replaces_signed_cookie_with_stored_session(app: Flask, clock: FixedClock) -> None:
    add_ada(app)
    clock.set_time(NOON + timedelta(days=13))
    browser = browser_with_old_cookie(app)
    answer = browser.get("/me")
    assert get_json(answer)["email"] == "ada@example.org"
    [stored] = list_rows(app, MemberSession)
    cookie = browser.client.get_cookie("eventcal")
    assert cookie is not None
    with database_of(app).read_session() as session:
        found = find_session(session, cookie.value, now=clock.now())
    assert found is not None
    assert (found[0].id, stored.created_at, stored.reauthenticated_at) == (stored.id, clock.now(), NOON)
    assert is_signed_in(browser)
    assert len(list_rows(app, MemberSession)) == 1


def test_csrf_token_of_signed_cookie_remains_valid(app: Flask) -> None:
    add_ada(app)
    browser = browser_with_old_cookie(app)
    assert status_and_code(call_api(browser.client, "POST", "/me/feeds", body={"name": "x"})) == (403, "csrf")
    for name in ("with the signed cookie", "with the stored session"):
        assert browser.post("/me/feeds", {"name": name}).status_code == 201


def test_two_requests_with_signed_cookie_create_one_session(app: Flask) -> None:
    add_ada(app)
    one, other = browser_with_old_cookie(app), browser_with_old_cookie(app)
    assert (is_signed_in(one), is_signed_in(other)) == (True, True)
    assert one.client.get_cookie("eventcal") == other.client.get_cookie("eventcal")
    assert len(list_rows(app, MemberSession)) == 1


def test_public_response_does_not_replace_signed_cookie(app: Flask) -> None:
    add_ada(app)
    browser = browser_with_old_cookie(app)
    assert "Set-Cookie" not in browser.get("/events").headers
    assert list_rows(app, MemberSession) == []


def test_signed_cookie_is_rejected_after_its_session_signs_out(app: Flask, clock: FixedClock) -> None:
    add_ada(app)
    browser, thief = browser_with_old_cookie(app), browser_with_old_cookie(app)
    assert is_signed_in(browser)
    assert browser.post("/auth/logout").status_code == 204
    assert not is_signed_in(thief)
    delete_expired_data(database_of(app), services_of(app).settings)
    assert not is_signed_in(browser_with_old_cookie(app))
    clock.set_time(NOON + timedelta(days=14, seconds=1))
    delete_expired_data(database_of(app), services_of(app).settings)
    assert list_rows(app, MemberSession) == []
    assert not is_signed_in(browser_with_old_cookie(app))


def test_signed_cookie_is_rejected_after_signing_out_with_it(app: Flask) -> None:
    add_ada(app)
    assert browser_with_old_cookie(app).post("/auth/logout").status_code == 204
    assert not is_signed_in(browser_with_old_cookie(app))


def test_signed_cookie_is_rejected_after_password_change(app: Flask) -> None:
    add_ada(app)
    browser = browser_with_old_cookie(app)
    body = {"password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert browser.post("/auth/password", body).status_code == 200
    assert is_signed_in(browser)
    assert not is_signed_in(browser_with_old_cookie(app))


def test_signed_cookie_is_rejected_after_all_other_sessions_are_ended(app: Flask) -> None:
    add_ada(app)
    browser = sign_in_with_password(app)
    assert browser.call("DELETE", "/me/sessions").status_code == 204
    assert (is_signed_in(browser), is_signed_in(browser_with_old_cookie(app))) == (True, False)


def test_signed_cookie_is_rejected_if_member_does_not_accept_them(app: Flask) -> None:
    add_ada(app)
    with write_session(app) as session:
        session.scalars(select(Member)).one().signed_cookies = None
    assert status_and_code(browser_with_old_cookie(app).get("/me")) == (401, "not-signed-in")


def test_signed_cookie_expires_after_fourteen_days(app: Flask, clock: FixedClock) -> None:
    add_ada(app)
    clock.set_time(NOON + timedelta(days=14, seconds=1))
    assert not is_signed_in(browser_with_old_cookie(app))


def test_open_sign_in_form_of_earlier_release_is_accepted(app: Flask) -> None:
    add_ada(app)
    client = app.test_client()
    client.set_cookie("eventcal", ANONYMOUS_COOKIE)
    form = {"email": "ada@example.org", "password": PASSWORD, "csrf_token": ANONYMOUS_CSRF_TOKEN}
    assert client.post("/login", data=form).status_code == 303
    assert call_api(client, "GET", "/me").status_code == 200


def test_confirmation_token_of_earlier_release_is_valid_for_two_days(app_with_mail: Flask, clock: FixedClock) -> None:
    add_ada(app_with_mail)
    clock.set_time(NOON + timedelta(days=2))
    assert post_to_api(app_with_mail, "/auth/confirm", {"token": CONFIRMATION_TOKEN}).json == {"confirmed": True}
    clock.set_time(NOON + timedelta(days=2, seconds=1))
    assert status_and_code(post_to_api(app_with_mail, "/auth/confirm", {"token": CONFIRMATION_TOKEN})) == (
        422,
        "token-refused",
    )


def test_confirmation_token_for_another_address_is_rejected(app_with_mail: Flask) -> None:
    add_ada(app_with_mail)
    with write_session(app_with_mail) as session:
        session.scalars(select(Member)).one().email = "countess@example.org"
    assert status_and_code(post_to_api(app_with_mail, "/auth/confirm", {"token": CONFIRMATION_TOKEN})) == (
        422,
        "token-refused",
    )


def test_reset_token_of_earlier_release_is_valid_once_within_an_hour(app_with_mail: Flask, clock: FixedClock) -> None:
    add_ada(app_with_mail)
    body = {"token": RESET_TOKEN, "password": OTHER_PASSWORD}
    clock.set_time(NOON + timedelta(hours=1))
    assert post_to_api(app_with_mail, "/auth/reset/confirm", body).status_code == 204
    assert status_and_code(post_to_api(app_with_mail, "/auth/reset/confirm", body)) == (422, "token-refused")
    sign_in_with_password(app_with_mail, password=OTHER_PASSWORD)


def test_reset_token_of_earlier_release_is_rejected_after_an_hour(app_with_mail: Flask, clock: FixedClock) -> None:
    add_ada(app_with_mail)
    clock.set_time(NOON + timedelta(hours=1, seconds=1))
    body = {"token": RESET_TOKEN, "password": OTHER_PASSWORD}
    assert status_and_code(post_to_api(app_with_mail, "/auth/reset/confirm", body)) == (422, "token-refused")


def test_password_hash_of_earlier_release_is_accepted_unchanged(app: Flask) -> None:
    add_ada(app)
    sign_in_with_password(app)
    assert [one.password for one in list_rows(app, Member)] == [PASSWORD_HASH]
