"""/me/feeds: secret URLs of a member's agenda, shown once and revoked after confirmation."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from eventcal.members.models import IdempotencyRecord, PersonalFeed
from tests.browsing import Browser, browser_of
from tests.clocks import FixedClock
from tests.feed_support.fetching import fetch
from tests.http_app import catch_up, database_of, rows, signed_in
from tests.pages import tree_of

HOSTILE = "<script>alert(1)</script>\"'><img src=x>"
SECRET = re.compile(r"/feeds/([\w-]{43})\.ics")


@pytest.fixture
def ada(app: Flask) -> Browser:
    browser = browser_of(app)
    browser.client = signed_in(app).client
    return browser


def make(browser: Browser, name: str = "My phone") -> str:
    """Create a feed and return the path of its URL."""
    browser.go("/me/feeds")
    browser.send("/me/feeds", name=name)
    assert browser.at.status_code == 201
    field = next(one for one in tree_of(browser.at.text).iter("input") if one.get("id") == "address")
    return field.get("value", "").removeprefix("http://127.0.0.1:8000")


def test_new_feed_url_is_shown_once_with_links_for_calendar_apps(app: Flask, ada: Browser) -> None:
    path = make(ada)
    ways = [one.get("href", "") for one in tree_of(ada.at.text).iter("a")]
    assert f"webcal://127.0.0.1:8000{path}" in ways
    for there in ("https://calendar.google.com/", "https://outlook.live.com/", "https://outlook.office.com/"):
        assert any(way.startswith(there) for way in ways)
    assert "Thunderbird" in ada.says()
    assert fetch(app, path).status_code == 200
    ada.go("/me/feeds")
    assert SECRET.findall(ada.at.text) == []
    assert "My phone Not fetched yet." in ada.says()


def test_page_with_the_secret_is_not_stored_and_sends_no_referrer(ada: Browser) -> None:
    make(ada)
    headers = ada.at.headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Location" not in headers
    assert SECRET.findall(f"{headers}") == []


def test_resubmitted_form_creates_no_second_feed_and_shows_no_secret(app: Flask, ada: Browser) -> None:
    ada.go("/me/feeds")
    form = ada.fields("/me/feeds") | {"name": "My phone"}
    first = ada.client.post("/me/feeds", data=form)
    [secret] = set(SECRET.findall(first.text))
    again = ada.client.post("/me/feeds", data=form, follow_redirects=True)
    assert (first.status_code, again.status_code, len(rows(app, PersonalFeed))) == (201, 200, 1)
    assert secret not in again.text
    assert "This address was made before" in again.text
    # The next form has a new key.
    make(ada, "My desk")
    assert [feed.name for feed in rows(app, PersonalFeed)] != ["My phone"]


def test_form_key_may_be_any_text_and_is_scoped_to_the_member(app: Flask, ada: Browser) -> None:
    bob = browser_of(app)
    bob.client = signed_in(app, "bob@example.org").client
    for browser in (ada, bob):
        browser.go("/me/feeds")
        form = browser.fields("/me/feeds") | {"name": "phone", "form_key": "\x00 \N{SNOWMAN}" * 500}
        assert browser.client.post("/me/feeds", data=form).status_code == 201
    assert len(rows(app, PersonalFeed)) == 2


def test_secret_is_neither_logged_nor_stored(app: Flask, ada: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        [secret] = SECRET.findall(make(ada))
    assert secret not in caplog.text
    with database_of(app).read_session() as session:
        for table in ("personal_feeds", "idempotency_keys"):
            assert secret not in str(session.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608 - names above


def test_response_with_the_secret_is_not_stored_for_idempotent_retries(app: Flask, ada: Browser) -> None:
    ada.go("/me/feeds")
    form = ada.fields("/me/feeds") | {"name": "My phone"}
    answer = ada.client.post("/me/feeds", data=form, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 201
    assert [kept.body for kept in rows(app, IdempotencyRecord)] == [""]


def test_concurrent_submissions_of_the_same_form_create_one_feed(app: Flask, ada: Browser) -> None:
    ada.go("/me/feeds")
    form = ada.fields("/me/feeds") | {"name": "My phone"}
    [cookie] = [one for one in [ada.client.get_cookie("eventcal")] if one]

    def send(_: int) -> int:
        client = app.test_client()
        client.set_cookie("eventcal", cookie.value)
        return client.post("/me/feeds", data=form).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, range(4))) == [201, 303, 303, 303]
    assert len(rows(app, PersonalFeed)) == 1


def test_page_shows_the_last_fetch_and_a_revoked_feed_returns_410(app: Flask, ada: Browser, clock: FixedClock) -> None:
    path = make(ada)
    fetch(app, path)
    catch_up(app)
    clock.tick(60)
    assert "Last fetched: Sun, Mar 1, 2026, 12:00" in ada.go("/me/feeds")
    [feed] = rows(app, PersonalFeed)
    assert "is told that the calendar is gone (410)" in ada.go(f"/me/feeds/{feed.id}")
    assert fetch(app, path).status_code == 200
    assert "The address is revoked." in ada.send(f"/me/feeds/{feed.id}")
    assert "There are none yet." in ada.says()
    assert fetch(app, path).status_code == 410
    assert ada.client.get(f"/me/feeds/{feed.id}").status_code == 404


def test_invalid_name_is_rejected_and_creates_no_feed(app: Flask, ada: Browser) -> None:
    for name in ("", " ", "x" * 101, "a\nb"):
        ada.go("/me/feeds")
        ada.send("/me/feeds", name=name)
        assert ada.at.status_code == 422
        invalid = [one.get("name") for one in tree_of(ada.at.text).iter() if one.get("aria-invalid")]
        assert invalid == ["name"]
    assert rows(app, PersonalFeed) == []


def test_hostile_name_is_escaped_everywhere(app: Flask, ada: Browser) -> None:
    make(ada, HOSTILE)
    assert HOSTILE in ada.says()
    [feed] = rows(app, PersonalFeed)
    for path in ("/me/feeds", f"/me/feeds/{feed.id}"):
        assert HOSTILE in ada.go(path)
        assert "<script>alert" not in ada.at.text
        assert "x" not in {one.get("src") for one in tree_of(ada.at.text).iter("img")}


def test_feed_of_another_member_is_neither_visible_nor_revocable(app: Flask, ada: Browser) -> None:
    path = make(ada, "Ada's own")
    [feed] = rows(app, PersonalFeed)
    bob = browser_of(app)
    bob.client = signed_in(app, "bob@example.org").client
    assert "Ada's own" not in bob.go("/me/feeds")
    form = bob.fields("/me/feeds")
    assert bob.client.get(f"/me/feeds/{feed.id}").status_code == 404
    assert bob.client.post(f"/me/feeds/{feed.id}", data=form).status_code == 404
    assert fetch(app, path).status_code == 200


def test_feed_forms_without_csrf_token_are_rejected(app: Flask, ada: Browser) -> None:
    assert ada.client.post("/me/feeds", data={"name": "phone"}).status_code == 403
    assert rows(app, PersonalFeed) == []
    path = make(ada)
    [feed] = rows(app, PersonalFeed)
    assert ada.client.post(f"/me/feeds/{feed.id}").status_code == 403
    assert app.test_client().post(f"/me/feeds/{feed.id}").status_code == 401
    assert fetch(app, path).status_code == 200
