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
from eventcal.worker import delete_expired_data
from tests import http_app
from tests.browsing import browser_of
from tests.clocks import NOON, FixedClock
from tests.http_app import (
    PASSWORD,
    Browser,
    call,
    catch_up,
    database_of,
    house_of,
    json_of,
    problem,
    rows,
    signed_in,
    token_of,
    writing,
)
from tests.second_factors import log_in, set_up
from tests.statements import statements

SESSIONS = "/me/sessions"
SECURITY = "/me/security"
OTHER = "another quiet bicycle"


def cookie_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie("eventcal")
    assert cookie is not None
    return cookie.value


def thief_of(app: Flask, browser: Browser) -> Browser:
    """Return a browser with a copy of another browser's cookie and CSRF token."""
    client = app.test_client()
    client.set_cookie("eventcal", cookie_of(browser))
    return Browser(client, browser.member, browser.csrf)


def listed(browser: Browser) -> list[dict[str, Any]]:
    answer = browser.get(SESSIONS)
    assert answer.status_code == 200, answer.text
    items = json_of(answer)["items"]
    assert isinstance(items, list)
    return items


def is_in(browser: Browser) -> bool:
    return browser.get("/me").status_code == 200


# Storage


def test_cookie_holds_256_random_bits_and_only_their_hash_is_stored(app: Flask) -> None:
    browser = signed_in(app)
    [stored] = rows(app, MemberSession)
    assert re.fullmatch("[A-Za-z0-9_-]{43}", cookie_of(browser))
    assert stored.secret_hash == hash_secret(cookie_of(browser))
    assert cookie_of(browser) not in {str(getattr(stored, one.name)) for one in MemberSession.__table__.columns}


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm", "/", "/me"])
def test_anonymous_request_neither_reads_nor_stores_a_session(app: Flask, path: str) -> None:
    client = app.test_client()
    client.get(path)
    with statements(database_of(app)) as sent:
        client.get(path)
    assert [text for text in sent if "sessions" in text] == []
    assert rows(app, MemberSession) == []


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm"])
def test_public_form_does_not_read_session(app: Flask, path: str) -> None:
    browser = signed_in(app)
    with statements(database_of(app)) as sent:
        assert browser.client.get(path).status_code == 200
    assert [text for text in sent if "sessions" in text] == []


def test_sign_out_form_of_ended_session_is_accepted(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    assert here.call("DELETE", SESSIONS).status_code == 204
    answer = there.client.post("/logout", data={"csrf_token": there.csrf})
    assert (answer.status_code, there.client.get_cookie("eventcal")) == (303, None)


def test_request_reads_its_session_once(app: Flask) -> None:
    browser = signed_in(app)
    with statements(database_of(app)) as sent:
        browser.get("/me")
    assert len([text for text in sent if "sessions" in text]) == 1


def test_unknown_cookie_is_treated_as_anonymous(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("eventcal", "x" * 43)
    assert problem(call(client, "GET", "/me")) == (401, "not-signed-in")
    assert client.get("/login").status_code == 200


def test_user_agent_is_stored_without_control_characters_and_truncated(app: Flask) -> None:
    client = app.test_client()
    signed_in(app)
    answer = client.post(
        "/api/v1/auth/login",
        json={"email": "ada@example.org", "password": PASSWORD},
        headers={"User-Agent": "A\tbrowser\x85" + "x" * 400},
    )
    browser = Browser(client, {}, json_of(answer)["csrf_token"])
    [current] = [one for one in listed(browser) if one["current"]]
    assert current["user_agent"] == "Abrowser" + "x" * 292


def test_log_contains_no_session_secrets(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser = http_app.sign_in(app) if rows(app, Member) else signed_in(app)
        is_in(browser)
        listed(browser)
    [stored] = rows(app, MemberSession)
    for secret in (cookie_of(browser), stored.secret_hash, browser.csrf):
        assert secret not in caplog.text


# Lifetime


def test_session_expires_after_fourteen_days_without_use(app: Flask, clock: FixedClock) -> None:
    browser = signed_in(app)
    clock.move(NOON + timedelta(days=14, seconds=-1))
    assert is_in(browser)
    catch_up(app)
    clock.move(NOON + timedelta(days=28, seconds=-2))
    assert is_in(browser)
    clock.move(NOON + timedelta(days=28, seconds=-1))
    assert problem(browser.get("/me")) == (401, "not-signed-in")


def test_session_expires_after_thirty_days_despite_use(app: Flask, clock: FixedClock) -> None:
    browser = signed_in(app)
    for day in (10, 20, 29):
        clock.move(NOON + timedelta(days=day))
        assert is_in(browser)
        catch_up(app)
    clock.move(NOON + timedelta(days=30))
    assert not is_in(browser)


def test_last_use_is_stored_hourly_and_renews_cookie(app: Flask, clock: FixedClock) -> None:
    browser = signed_in(app)
    clock.move(NOON + timedelta(minutes=59))
    assert "Set-Cookie" not in browser.get("/me").headers
    catch_up(app)
    assert rows(app, MemberSession)[0].last_seen_at == NOON
    clock.move(NOON + timedelta(hours=1))
    value = cookie_of(browser)
    assert "Set-Cookie" in browser.get("/me").headers
    catch_up(app)
    assert cookie_of(browser) == value
    [stored] = rows(app, MemberSession)
    assert (stored.last_seen_at, stored.expires_at) == (clock.now(), clock.now() + timedelta(days=14))


def test_worker_deletes_expired_sessions(app: Flask, clock: FixedClock) -> None:
    signed_in(app)
    clock.move(NOON + timedelta(days=7))
    later = signed_in(app)
    clock.move(NOON + timedelta(days=14))
    delete_expired_data(database_of(app), house_of(app).settings)
    assert [one.created_at for one in rows(app, MemberSession)] == [NOON + timedelta(days=7)]
    assert is_in(later)


# Ending sessions


def end_by_logout(browser: Browser) -> None:
    assert browser.post("/auth/logout").status_code == 204


def end_by_password(browser: Browser) -> None:
    answer = browser.post("/auth/password", {"password": PASSWORD, "new_password": OTHER})
    browser.csrf = json_of(answer)["csrf_token"]


def end_by_deletion(browser: Browser) -> None:
    assert browser.call("DELETE", "/me", {"password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("end", [end_by_logout, end_by_password, end_by_deletion])
def test_stolen_cookie_is_rejected_after_session_ends(app: Flask, end: Callable[[Browser], None]) -> None:
    browser = signed_in(app)
    thief = thief_of(app, browser)
    assert is_in(thief)
    end(browser)
    assert not is_in(thief)
    assert problem(thief.post("/me/tokens", {"name": "x", "scopes": ["read"]})) == (401, "not-signed-in")


def test_sign_out_ends_only_current_session(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    end_by_logout(here)
    assert (is_in(here), is_in(there)) == (False, True)
    assert len(rows(app, MemberSession)) == 1


def test_signing_in_again_ends_previous_session_of_browser(app: Flask) -> None:
    browser = signed_in(app)
    thief = thief_of(app, browser)
    answer = call(browser.client, "POST", "/auth/login", body={"email": "ada@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    assert (is_in(browser), is_in(thief)) == (True, False)


def test_changing_second_factor_ends_all_other_sessions(app: Flask, clock: FixedClock) -> None:
    here, there = signed_in(app), signed_in(app)
    phone, _ = set_up(pages_of(app, here), clock)
    assert (is_in(here), is_in(there)) == (True, False)
    there = signed_in(app)
    browser = pages_of(app, here)
    browser.go(f"{SECURITY}/app/off")
    browser.send(f"{SECURITY}/app/off", proof=PASSWORD)
    assert (is_in(here), is_in(there)) == (True, False)
    del phone


def pages_of(app: Flask, browser: Browser) -> Any:  # noqa: ANN401 - the browser of tests.browsing, which reads pages
    pages = browser_of(app)
    pages.client = browser.client
    return pages


def test_pending_sign_in_is_not_listed_as_session(app: Flask, clock: FixedClock) -> None:
    here = signed_in(app)
    set_up(pages_of(app, here), clock)
    pending = browser_of(app)
    log_in(pending)
    assert "One more step" in pending.at.text
    assert call(pending.client, "GET", "/me").status_code == 401
    cookie = pending.client.get_cookie("eventcal")
    assert cookie is not None
    assert cookie.expires is None
    assert [one["current"] for one in listed(here)] == [True]
    stored = [one for one in rows(app, MemberSession) if one.pending]
    assert [one.expires_at - one.created_at for one in stored] == [timedelta(minutes=10)]


def test_password_set_by_another_process_ends_sessions(app: Flask) -> None:
    browser = signed_in(app)
    with writing(app) as session:
        session.scalars(select(Member)).one().fs_uniquifier = "new"
    assert not is_in(browser)


# Listed and ended by the member


def test_member_lists_their_sessions(app: Flask, clock: FixedClock) -> None:
    there = signed_in(app)
    clock.tick()
    here = signed_in(app)
    signed_in(app, "bob@example.org")
    items = listed(here)
    assert [one["current"] for one in items] == [True, False]
    assert items[1] == {
        "id": listed(there)[1]["id"],
        "created_at": "2026-03-01T12:00:00Z",
        "last_seen_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-15T12:00:00Z",
        "user_agent": items[1]["user_agent"],
        "current": False,
    }


def test_member_ends_one_session(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    [other] = [one["id"] for one in listed(here) if not one["current"]]
    assert here.call("DELETE", f"{SESSIONS}/{other}").status_code == 204
    assert (is_in(here), is_in(there)) == (True, False)
    assert problem(here.call("DELETE", f"{SESSIONS}/{other}")) == (404, "not-found")


def test_member_ends_current_session(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    [current] = [one["id"] for one in listed(here) if one["current"]]
    answer = here.call("DELETE", f"{SESSIONS}/{current}")
    assert answer.status_code == 204
    assert "eventcal=;" in answer.headers["Set-Cookie"]
    assert (is_in(here), is_in(there)) == (False, True)


def test_member_ends_all_other_sessions(app: Flask) -> None:
    here, there, bob = signed_in(app), signed_in(app), signed_in(app, "bob@example.org")
    assert here.call("DELETE", SESSIONS).status_code == 204
    assert (is_in(here), is_in(there), is_in(bob)) == (True, False, True)


def test_member_cannot_see_or_end_session_of_another(app: Flask) -> None:
    ada, bob = signed_in(app), signed_in(app, "bob@example.org")
    [hers] = listed(ada)
    assert problem(bob.call("DELETE", f"{SESSIONS}/{hers['id']}")) == (404, "not-found")
    token = token_of(ada, Scope.ADMIN)
    assert problem(call(app.test_client(), "GET", SESSIONS, **token)) == (403, "forbidden")
    assert is_in(ada)


def test_security_page_lists_and_ends_sessions(app: Flask) -> None:
    here, one, other = signed_in(app), signed_in(app), signed_in(app)
    page = pages_of(app, here)
    assert "This browser" in page.go(SECURITY)
    [first, second] = re.findall(rf'action="({SECURITY}/sessions/\w+)"', page.at.text)
    assert here.client.post(first).status_code == 403
    assert "The session has ended." in page.send(first)
    assert sorted([is_in(one), is_in(other)]) == [False, True]
    assert "Every other session has ended." in page.send(f"{SECURITY}/sessions")
    assert (is_in(here), is_in(one), is_in(other)) == (True, False, False)
    assert "End all other sessions" not in page.go(SECURITY)
    assert here.client.post(second, data={"csrf_token": here.csrf}).status_code == 404


def test_security_page_ends_current_session(app: Flask) -> None:
    here = signed_in(app)
    [current] = listed(here)
    answer = here.client.post(f"{SECURITY}/sessions/{current['id']}", data={"csrf_token": here.csrf})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert not is_in(here)
