"""Sessions in the database: how long they last, what ends them, and the signed cookies of earlier releases."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.jobs import prune
from eventcal.kit.ids import secret_hash
from eventcal.members.models import Member, MemberSession
from eventcal.members.words import Scope
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
    """Give somebody who holds a copy of a browser's cookie and of its CSRF token."""
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


# The table


def test_the_cookie_holds_256_random_bits_of_which_the_hash_is_stored(app: Flask) -> None:
    browser = signed_in(app)
    [stored] = rows(app, MemberSession)
    assert re.fullmatch("[A-Za-z0-9_-]{43}", cookie_of(browser))
    assert stored.secret_hash == secret_hash(cookie_of(browser))
    assert cookie_of(browser) not in {str(getattr(stored, one.name)) for one in MemberSession.__table__.columns}


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm", "/", "/me"])
def test_a_visitor_costs_no_row_and_no_more_statements(app: Flask, path: str) -> None:
    client = app.test_client()
    client.get(path)
    with statements(database_of(app)) as sent:
        client.get(path)
    assert [text for text in sent if "sessions" in text] == []
    assert rows(app, MemberSession) == []


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm"])
def test_a_form_needs_no_session_to_be_looked_up(app: Flask, path: str) -> None:
    browser = signed_in(app)
    with statements(database_of(app)) as sent:
        assert browser.client.get(path).status_code == 200
    assert [text for text in sent if "sessions" in text] == []


def test_a_form_of_a_session_that_has_ended_can_be_sent(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    assert here.call("DELETE", SESSIONS).status_code == 204
    answer = there.client.post("/logout", data={"csrf_token": there.csrf})
    assert (answer.status_code, there.client.get_cookie("eventcal")) == (303, None)


def test_a_request_with_a_session_looks_it_up_once(app: Flask) -> None:
    browser = signed_in(app)
    with statements(database_of(app)) as sent:
        browser.get("/me")
    assert len([text for text in sent if "sessions" in text]) == 1


def test_a_cookie_that_is_no_session_is_a_visitor_s(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("eventcal", "x" * 43)
    assert problem(call(client, "GET", "/me")) == (401, "not-signed-in")
    assert client.get("/login").status_code == 200


def test_the_user_agent_is_kept_as_one_short_line(app: Flask) -> None:
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


def test_no_log_holds_a_secret_of_a_session(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser = http_app.sign_in(app) if rows(app, Member) else signed_in(app)
        is_in(browser)
        listed(browser)
    [stored] = rows(app, MemberSession)
    for secret in (cookie_of(browser), stored.secret_hash, browser.csrf):
        assert secret not in caplog.text


# How long


def test_a_session_ends_after_fourteen_days_without_use(app: Flask, clock: FixedClock) -> None:
    browser = signed_in(app)
    clock.move(NOON + timedelta(days=14, seconds=-1))
    assert is_in(browser)
    catch_up(app)
    clock.move(NOON + timedelta(days=28, seconds=-2))
    assert is_in(browser)
    clock.move(NOON + timedelta(days=28, seconds=-1))
    assert problem(browser.get("/me")) == (401, "not-signed-in")


def test_a_session_ends_after_thirty_days_in_any_case(app: Flask, clock: FixedClock) -> None:
    browser = signed_in(app)
    for day in (10, 20, 29):
        clock.move(NOON + timedelta(days=day))
        assert is_in(browser)
        catch_up(app)
    clock.move(NOON + timedelta(days=30))
    assert not is_in(browser)


def test_the_last_use_is_written_once_an_hour_and_the_cookie_is_renewed_with_it(app: Flask, clock: FixedClock) -> None:
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


def test_the_worker_deletes_expired_sessions(app: Flask, clock: FixedClock) -> None:
    signed_in(app)
    clock.move(NOON + timedelta(days=7))
    later = signed_in(app)
    clock.move(NOON + timedelta(days=14))
    prune(database_of(app), house_of(app).settings)
    assert [one.created_at for one in rows(app, MemberSession)] == [NOON + timedelta(days=7)]
    assert is_in(later)


# What ends a session


def end_by_logout(browser: Browser) -> None:
    assert browser.post("/auth/logout").status_code == 204


def end_by_password(browser: Browser) -> None:
    answer = browser.post("/auth/password", {"password": PASSWORD, "new_password": OTHER})
    browser.csrf = json_of(answer)["csrf_token"]


def end_by_deletion(browser: Browser) -> None:
    assert browser.call("DELETE", "/me", {"password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("end", [end_by_logout, end_by_password, end_by_deletion])
def test_a_stolen_cookie_is_useless_afterwards(app: Flask, end: Callable[[Browser], None]) -> None:
    browser = signed_in(app)
    thief = thief_of(app, browser)
    assert is_in(thief)
    end(browser)
    assert not is_in(thief)
    assert problem(thief.post("/me/tokens", {"name": "x", "scopes": ["read"]})) == (401, "not-signed-in")


def test_signing_out_ends_this_session_only(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    end_by_logout(here)
    assert (is_in(here), is_in(there)) == (False, True)
    assert len(rows(app, MemberSession)) == 1


def test_signing_in_again_ends_the_session_that_this_browser_had(app: Flask) -> None:
    browser = signed_in(app)
    thief = thief_of(app, browser)
    answer = call(browser.client, "POST", "/auth/login", {"email": "ada@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    assert (is_in(browser), is_in(thief)) == (True, False)


def test_a_new_second_factor_ends_all_other_sessions(app: Flask, clock: FixedClock) -> None:
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


def test_a_pending_sign_in_is_no_session_of_the_member_s(app: Flask, clock: FixedClock) -> None:
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


def test_a_password_set_by_another_process_ends_sessions(app: Flask) -> None:
    browser = signed_in(app)
    with writing(app) as session:
        session.scalars(select(Member)).one().fs_uniquifier = "new"
    assert not is_in(browser)


# Listed and ended by the member


def test_a_member_sees_their_sessions(app: Flask, clock: FixedClock) -> None:
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


def test_a_member_ends_one_session(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    [other] = [one["id"] for one in listed(here) if not one["current"]]
    assert here.call("DELETE", f"{SESSIONS}/{other}").status_code == 204
    assert (is_in(here), is_in(there)) == (True, False)
    assert problem(here.call("DELETE", f"{SESSIONS}/{other}")) == (404, "not-found")


def test_a_member_ends_the_session_that_they_use(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    [current] = [one["id"] for one in listed(here) if one["current"]]
    answer = here.call("DELETE", f"{SESSIONS}/{current}")
    assert answer.status_code == 204
    assert "eventcal=;" in answer.headers["Set-Cookie"]
    assert (is_in(here), is_in(there)) == (False, True)


def test_a_member_ends_all_other_sessions(app: Flask) -> None:
    here, there, bob = signed_in(app), signed_in(app), signed_in(app, "bob@example.org")
    assert here.call("DELETE", SESSIONS).status_code == 204
    assert (is_in(here), is_in(there), is_in(bob)) == (True, False, True)


def test_nobody_sees_or_ends_another_s_session(app: Flask) -> None:
    ada, bob = signed_in(app), signed_in(app, "bob@example.org")
    [hers] = listed(ada)
    assert problem(bob.call("DELETE", f"{SESSIONS}/{hers['id']}")) == (404, "not-found")
    token = token_of(ada, Scope.ADMIN)
    assert problem(call(app.test_client(), "GET", SESSIONS, **token)) == (403, "forbidden")
    assert is_in(ada)


def test_the_page_lists_sessions_and_ends_them(app: Flask) -> None:
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


def test_the_page_ends_the_session_that_it_is_read_with(app: Flask) -> None:
    here = signed_in(app)
    [current] = listed(here)
    answer = here.client.post(f"{SECURITY}/sessions/{current['id']}", data={"csrf_token": here.csrf})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert not is_in(here)
