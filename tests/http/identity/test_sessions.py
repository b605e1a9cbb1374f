"""Sessions in the database: lifetime, ending, and the member's list of sessions."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.kit.ids import hash_secret
from eventcal.members.enums import Scope
from eventcal.members.models import Member, MemberSession
from eventcal.retention import delete_expired_data
from tests import http_app
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
    run_background_tasks,
    services_of,
    status_and_code,
    write_session,
)
from tests.second_factors import log_in, set_up_app
from tests.sql_statements import record_statements

SESSIONS_PATH = "/me/sessions"
SECURITY_PATH = "/me/security"
OTHER_PASSWORD = "another quiet bicycle"


def session_cookie(browser: SessionClient) -> str:
    cookie = browser.client.get_cookie("eventcal")
    assert cookie is not None
    return cookie.value


def copy_browser(app: Flask, browser: SessionClient) -> SessionClient:
    """Return a browser with a copy of another browser's cookie and CSRF token."""
    client = app.test_client()
    client.set_cookie("eventcal", session_cookie(browser))
    return SessionClient(client, browser.member, browser.csrf_token)


def list_sessions(browser: SessionClient) -> list[dict[str, Any]]:
    answer = browser.get(SESSIONS_PATH)
    assert answer.status_code == 200, answer.text
    items = get_json(answer)["items"]
    assert isinstance(items, list)
    return items


def is_signed_in(browser: SessionClient) -> bool:
    return browser.get("/me").status_code == 200


# Storage


def test_cookie_holds_256_random_bits_and_only_their_hash_is_stored(app: Flask) -> None:
    browser = create_signed_in_client(app)
    [stored] = list_rows(app, MemberSession)
    assert re.fullmatch("[A-Za-z0-9_-]{43}", session_cookie(browser))
    assert stored.secret_hash == hash_secret(session_cookie(browser))
    assert session_cookie(browser) not in {str(getattr(stored, one.name)) for one in MemberSession.__table__.columns}


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm", "/", "/me"])
def test_anonymous_request_neither_reads_nor_stores_a_session(app: Flask, path: str) -> None:
    client = app.test_client()
    client.get(path)
    with record_statements(database_of(app)) as sent:
        client.get(path)
    assert [text for text in sent if "sessions" in text] == []
    assert list_rows(app, MemberSession) == []


@pytest.mark.parametrize("path", ["/login", "/register", "/reset"])
def test_public_form_does_not_read_session(app: Flask, path: str) -> None:
    browser = create_signed_in_client(app)
    with record_statements(database_of(app)) as sent:
        assert browser.client.get(path).status_code == 200
    assert [text for text in sent if "sessions" in text] == []


def test_sign_out_form_of_ended_session_is_accepted(app: Flask) -> None:
    here, there = create_signed_in_client(app), create_signed_in_client(app)
    assert here.call("DELETE", SESSIONS_PATH).status_code == 204
    answer = there.client.post("/logout", data={"csrf_token": there.csrf_token})
    assert (answer.status_code, there.client.get_cookie("eventcal")) == (303, None)


def test_request_reads_its_session_once(app: Flask) -> None:
    browser = create_signed_in_client(app)
    with record_statements(database_of(app)) as sent:
        browser.get("/me/stars")
    assert len([text for text in sent if "sessions" in text]) == 1


def test_unknown_cookie_is_treated_as_anonymous(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("eventcal", "x" * 43)
    assert status_and_code(call_api(client, "GET", "/me")) == (401, "not-signed-in")
    assert client.get("/login").status_code == 200


def test_user_agent_is_stored_without_control_characters_and_truncated(app: Flask) -> None:
    client = app.test_client()
    create_signed_in_client(app)
    answer = client.post(
        "/api/v1/auth/login",
        json={"email": "ada@example.org", "password": PASSWORD},
        headers={"User-Agent": "A\tbrowser\x85" + "x" * 400},
    )
    browser = SessionClient(client, {}, get_json(answer)["csrf_token"])
    [current] = [one for one in list_sessions(browser) if one["current"]]
    assert current["user_agent"] == "Abrowser" + "x" * 292


def test_log_contains_no_session_secrets(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser = http_app.sign_in_with_password(app) if list_rows(app, Member) else create_signed_in_client(app)
        is_signed_in(browser)
        list_sessions(browser)
    [stored] = list_rows(app, MemberSession)
    for secret in (session_cookie(browser), stored.secret_hash, browser.csrf_token):
        assert secret not in caplog.text


# Lifetime


def test_session_expires_after_fourteen_days_without_use(app: Flask, clock: FixedClock) -> None:
    browser = create_signed_in_client(app)
    clock.set_time(NOON + timedelta(days=14, seconds=-1))
    assert is_signed_in(browser)
    run_background_tasks(app)
    clock.set_time(NOON + timedelta(days=28, seconds=-2))
    assert is_signed_in(browser)
    clock.set_time(NOON + timedelta(days=28, seconds=-1))
    assert status_and_code(browser.get("/me")) == (401, "not-signed-in")


def test_session_expires_after_thirty_days_despite_use(app: Flask, clock: FixedClock) -> None:
    browser = create_signed_in_client(app)
    for day in (10, 20, 29):
        clock.set_time(NOON + timedelta(days=day))
        assert is_signed_in(browser)
        run_background_tasks(app)
    clock.set_time(NOON + timedelta(days=30))
    assert not is_signed_in(browser)


def test_last_use_is_stored_hourly_and_renews_cookie(app: Flask, clock: FixedClock) -> None:
    browser = create_signed_in_client(app)
    clock.set_time(NOON + timedelta(minutes=59))
    assert "Set-Cookie" not in browser.get("/me").headers
    run_background_tasks(app)
    assert list_rows(app, MemberSession)[0].last_seen_at == NOON
    clock.set_time(NOON + timedelta(hours=1))
    value = session_cookie(browser)
    assert "Set-Cookie" in browser.get("/me").headers
    run_background_tasks(app)
    assert session_cookie(browser) == value
    [stored] = list_rows(app, MemberSession)
    assert (stored.last_seen_at, stored.expires_at) == (clock.now(), clock.now() + timedelta(days=14))


def test_worker_deletes_expired_sessions(app: Flask, clock: FixedClock) -> None:
    create_signed_in_client(app)
    clock.set_time(NOON + timedelta(days=7))
    later = create_signed_in_client(app)
    clock.set_time(NOON + timedelta(days=14))
    delete_expired_data(database_of(app), services_of(app).settings)
    assert [one.created_at for one in list_rows(app, MemberSession)] == [NOON + timedelta(days=7)]
    assert is_signed_in(later)


# Ending sessions


def end_by_logout(browser: SessionClient) -> None:
    assert browser.post("/auth/logout").status_code == 204


def end_by_password_change(browser: SessionClient) -> None:
    answer = browser.post("/auth/password", {"password": PASSWORD, "new_password": OTHER_PASSWORD})
    browser.csrf_token = get_json(answer)["csrf_token"]


def end_by_account_deletion(browser: SessionClient) -> None:
    assert browser.call("DELETE", "/me", {"password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("end", [end_by_logout, end_by_password_change, end_by_account_deletion])
def test_stolen_cookie_is_rejected_after_session_ends(app: Flask, end: Callable[[SessionClient], None]) -> None:
    browser = create_signed_in_client(app)
    thief = copy_browser(app, browser)
    assert is_signed_in(thief)
    end(browser)
    assert not is_signed_in(thief)
    assert status_and_code(thief.post("/me/tokens", {"name": "x", "scopes": ["read"]})) == (401, "not-signed-in")


def test_sign_out_ends_only_current_session(app: Flask) -> None:
    here, there = create_signed_in_client(app), create_signed_in_client(app)
    end_by_logout(here)
    assert (is_signed_in(here), is_signed_in(there)) == (False, True)
    assert len(list_rows(app, MemberSession)) == 1


def test_signing_in_again_ends_previous_session_of_browser(app: Flask) -> None:
    browser = create_signed_in_client(app)
    thief = copy_browser(app, browser)
    answer = call_api(browser.client, "POST", "/auth/login", body={"email": "ada@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    assert (is_signed_in(browser), is_signed_in(thief)) == (True, False)


def test_changing_second_factor_ends_all_other_sessions(app: Flask, clock: FixedClock) -> None:
    here, there = create_signed_in_client(app), create_signed_in_client(app)
    phone, _ = set_up_app(page_browser(app, here), clock)
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)
    there = create_signed_in_client(app)
    browser = page_browser(app, here)
    browser.visit(f"{SECURITY_PATH}/app/off")
    browser.submit_form(f"{SECURITY_PATH}/app/off", proof=PASSWORD)
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)
    del phone


def page_browser(app: Flask, browser: SessionClient) -> Any:  # noqa: ANN401 - the browser of tests.html_browser, which reads pages
    pages = create_browser(app)
    pages.client = browser.client
    return pages


def test_pending_sign_in_is_not_listed_as_session(app: Flask, clock: FixedClock) -> None:
    here = create_signed_in_client(app)
    set_up_app(page_browser(app, here), clock)
    pending = create_browser(app)
    log_in(pending)
    assert "One more step" in pending.response.text
    assert call_api(pending.client, "GET", "/me").status_code == 401
    cookie = pending.client.get_cookie("eventcal")
    assert cookie is not None
    assert cookie.expires is None
    assert [one["current"] for one in list_sessions(here)] == [True]
    stored = [one for one in list_rows(app, MemberSession) if one.pending]
    assert [one.expires_at - one.created_at for one in stored] == [timedelta(minutes=10)]


def test_password_set_by_another_process_ends_sessions(app: Flask) -> None:
    browser = create_signed_in_client(app)
    with write_session(app) as session:
        session.scalars(select(Member)).one().fs_uniquifier = "new"
    assert not is_signed_in(browser)


# Listed and ended by the member


def test_member_lists_their_sessions(app: Flask, clock: FixedClock) -> None:
    there = create_signed_in_client(app)
    clock.tick()
    here = create_signed_in_client(app)
    create_signed_in_client(app, "bob@example.org")
    items = list_sessions(here)
    assert [one["current"] for one in items] == [True, False]
    assert items[1] == {
        "id": list_sessions(there)[1]["id"],
        "created_at": "2026-03-01T12:00:00Z",
        "last_seen_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-15T12:00:00Z",
        "user_agent": items[1]["user_agent"],
        "current": False,
    }


def test_member_ends_one_session(app: Flask) -> None:
    here, there = create_signed_in_client(app), create_signed_in_client(app)
    [other] = [one["id"] for one in list_sessions(here) if not one["current"]]
    assert here.call("DELETE", f"{SESSIONS_PATH}/{other}").status_code == 204
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)
    assert status_and_code(here.call("DELETE", f"{SESSIONS_PATH}/{other}")) == (404, "not-found")


def test_member_ends_current_session(app: Flask) -> None:
    here, there = create_signed_in_client(app), create_signed_in_client(app)
    [current] = [one["id"] for one in list_sessions(here) if one["current"]]
    answer = here.call("DELETE", f"{SESSIONS_PATH}/{current}")
    assert answer.status_code == 204
    assert "eventcal=;" in answer.headers["Set-Cookie"]
    assert (is_signed_in(here), is_signed_in(there)) == (False, True)


def test_member_ends_all_other_sessions(app: Flask) -> None:
    here, there, bob = (
        create_signed_in_client(app),
        create_signed_in_client(app),
        create_signed_in_client(app, "bob@example.org"),
    )
    assert here.call("DELETE", SESSIONS_PATH).status_code == 204
    assert (is_signed_in(here), is_signed_in(there), is_signed_in(bob)) == (True, False, True)


def test_member_cannot_see_or_end_session_of_another(app: Flask) -> None:
    ada, bob = create_signed_in_client(app), create_signed_in_client(app, "bob@example.org")
    [hers] = list_sessions(ada)
    assert status_and_code(bob.call("DELETE", f"{SESSIONS_PATH}/{hers['id']}")) == (404, "not-found")
    token = create_token_headers(ada, Scope.ORGANISE)
    assert status_and_code(call_api(app.test_client(), "GET", SESSIONS_PATH, **token)) == (403, "forbidden")
    assert is_signed_in(ada)


def test_security_page_lists_and_ends_sessions(app: Flask) -> None:
    here, one, other = create_signed_in_client(app), create_signed_in_client(app), create_signed_in_client(app)
    page = page_browser(app, here)
    assert "This browser" in page.visit(SECURITY_PATH)
    [first, second] = re.findall(rf'action="({SECURITY_PATH}/sessions/\w+)"', page.response.text)
    assert here.client.post(first).status_code == 403
    assert "The session has ended." in page.submit_form(first)
    assert sorted([is_signed_in(one), is_signed_in(other)]) == [False, True]
    assert "Every other session has ended." in page.submit_form(f"{SECURITY_PATH}/sessions")
    assert (is_signed_in(here), is_signed_in(one), is_signed_in(other)) == (True, False, False)
    assert "End all other sessions" not in page.visit(SECURITY_PATH)
    assert here.client.post(second, data={"csrf_token": here.csrf_token}).status_code == 404


def test_security_page_ends_current_session(app: Flask) -> None:
    here = create_signed_in_client(app)
    [current] = list_sessions(here)
    answer = here.client.post(f"{SECURITY_PATH}/sessions/{current['id']}", data={"csrf_token": here.csrf_token})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert not is_signed_in(here)
