"""/me/feeds: secret URLs of a member's agenda, shown once and revoked after confirmation."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from eventcal.members.models import IdempotencyRecord, PersonalFeed
from tests.clocks import FixedClock
from tests.feed_support.feed_client import fetch
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import parse_html
from tests.http_app import create_signed_in_client, database_of, list_rows, run_background_tasks

HOSTILE = "<script>alert(1)</script>\"'><img src=x>"
FEED_URL_PATTERN = re.compile(r"/feeds/([\w-]{43})\.ics")


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    browser = create_browser(app)
    browser.client = create_signed_in_client(app).client
    return browser


def create_feed(browser: HtmlBrowser, name: str = "My phone") -> str:
    """Create a feed and return the path of its URL."""
    browser.visit("/me/feeds")
    browser.submit_form("/me/feeds", name=name)
    assert browser.response.status_code == 201
    field = next(one for one in parse_html(browser.response.text).iter("input") if one.get("id") == "address")
    return field.get("value", "").removeprefix("http://127.0.0.1:8000")


def test_new_feed_url_is_shown_once_with_links_for_calendar_apps(app: Flask, member_browser: HtmlBrowser) -> None:
    path = create_feed(member_browser)
    ways = [one.get("href", "") for one in parse_html(member_browser.response.text).iter("a")]
    assert f"webcal://127.0.0.1:8000{path}" in ways
    for there in ("https://calendar.google.com/", "https://outlook.live.com/", "https://outlook.office.com/"):
        assert any(way.startswith(there) for way in ways)
    assert "Thunderbird" in member_browser.main_text()
    assert fetch(app, path).status_code == 200
    member_browser.visit("/me/feeds")
    assert FEED_URL_PATTERN.findall(member_browser.response.text) == []
    assert "My phone Not fetched yet." in member_browser.main_text()


def test_page_with_the_secret_is_not_stored_and_sends_no_referrer(member_browser: HtmlBrowser) -> None:
    create_feed(member_browser)
    headers = member_browser.response.headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Location" not in headers
    assert FEED_URL_PATTERN.findall(f"{headers}") == []


def test_resubmitted_form_creates_no_second_feed_and_shows_no_secret(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/feeds")
    form = member_browser.form_values("/me/feeds") | {"name": "My phone"}
    first = member_browser.client.post("/me/feeds", data=form)
    [secret] = set(FEED_URL_PATTERN.findall(first.text))
    again = member_browser.client.post("/me/feeds", data=form, follow_redirects=True)
    assert (first.status_code, again.status_code, len(list_rows(app, PersonalFeed))) == (201, 200, 1)
    assert secret not in again.text
    assert "This address was made before" in again.text
    # The next form has a new key.
    create_feed(member_browser, "My desk")
    assert [feed.name for feed in list_rows(app, PersonalFeed)] != ["My phone"]


def test_form_key_may_be_any_text_and_is_scoped_to_the_member(app: Flask, member_browser: HtmlBrowser) -> None:
    bob = create_browser(app)
    bob.client = create_signed_in_client(app, "bob@example.org").client
    for browser in (member_browser, bob):
        browser.visit("/me/feeds")
        form = browser.form_values("/me/feeds") | {"name": "phone", "form_key": "\x00 \N{SNOWMAN}" * 500}
        assert browser.client.post("/me/feeds", data=form).status_code == 201
    assert len(list_rows(app, PersonalFeed)) == 2


def test_secret_is_neither_logged_nor_stored(
    app: Flask, member_browser: HtmlBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        [secret] = FEED_URL_PATTERN.findall(create_feed(member_browser))
    assert secret not in caplog.text
    with database_of(app).read_session() as session:
        for table in ("personal_feeds", "idempotency_keys"):
            assert secret not in str(session.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608 - names above


def test_response_with_the_secret_is_not_stored_for_idempotent_retries(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/feeds")
    form = member_browser.form_values("/me/feeds") | {"name": "My phone"}
    answer = member_browser.client.post("/me/feeds", data=form, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 201
    assert [kept.body for kept in list_rows(app, IdempotencyRecord)] == [""]


def test_concurrent_submissions_of_the_same_form_create_one_feed(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/feeds")
    form = member_browser.form_values("/me/feeds") | {"name": "My phone"}
    [cookie] = [one for one in [member_browser.client.get_cookie("eventcal")] if one]

    def send(_: int) -> int:
        client = app.test_client()
        client.set_cookie("eventcal", cookie.value)
        return client.post("/me/feeds", data=form).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, range(4))) == [201, 303, 303, 303]
    assert len(list_rows(app, PersonalFeed)) == 1


def test_page_shows_the_last_fetch_and_a_revoked_feed_returns_410(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock
) -> None:
    path = create_feed(member_browser)
    fetch(app, path)
    run_background_tasks(app)
    clock.tick(60)
    assert "Last fetched: Sun, Mar 1, 2026, 12:00" in member_browser.visit("/me/feeds")
    [feed] = list_rows(app, PersonalFeed)
    assert "is told that the calendar is gone (410)" in member_browser.visit(f"/me/feeds/{feed.id}")
    assert fetch(app, path).status_code == 200
    assert "The address is revoked." in member_browser.submit_form(f"/me/feeds/{feed.id}")
    assert "There are none yet." in member_browser.main_text()
    assert fetch(app, path).status_code == 410
    assert member_browser.client.get(f"/me/feeds/{feed.id}").status_code == 404


def test_invalid_name_is_rejected_and_creates_no_feed(app: Flask, member_browser: HtmlBrowser) -> None:
    for name in ("", " ", "x" * 101, "a\nb"):
        member_browser.visit("/me/feeds")
        member_browser.submit_form("/me/feeds", name=name)
        assert member_browser.response.status_code == 422
        invalid = [
            one.get("name") for one in parse_html(member_browser.response.text).iter() if one.get("aria-invalid")
        ]
        assert invalid == ["name"]
    assert list_rows(app, PersonalFeed) == []


def test_hostile_name_is_escaped_everywhere(app: Flask, member_browser: HtmlBrowser) -> None:
    create_feed(member_browser, HOSTILE)
    assert HOSTILE in member_browser.main_text()
    [feed] = list_rows(app, PersonalFeed)
    for path in ("/me/feeds", f"/me/feeds/{feed.id}"):
        assert HOSTILE in member_browser.visit(path)
        assert "<script>alert" not in member_browser.response.text
        assert "x" not in {one.get("src") for one in parse_html(member_browser.response.text).iter("img")}


def test_feed_of_another_member_is_neither_visible_nor_revocable(app: Flask, member_browser: HtmlBrowser) -> None:
    path = create_feed(member_browser, "Ada's own")
    [feed] = list_rows(app, PersonalFeed)
    bob = create_browser(app)
    bob.client = create_signed_in_client(app, "bob@example.org").client
    assert "Ada's own" not in bob.visit("/me/feeds")
    form = bob.form_values("/me/feeds")
    assert bob.client.get(f"/me/feeds/{feed.id}").status_code == 404
    assert bob.client.post(f"/me/feeds/{feed.id}", data=form).status_code == 404
    assert fetch(app, path).status_code == 200


def test_feed_forms_without_csrf_token_are_rejected(app: Flask, member_browser: HtmlBrowser) -> None:
    assert member_browser.client.post("/me/feeds", data={"name": "phone"}).status_code == 403
    assert list_rows(app, PersonalFeed) == []
    path = create_feed(member_browser)
    [feed] = list_rows(app, PersonalFeed)
    assert member_browser.client.post(f"/me/feeds/{feed.id}").status_code == 403
    assert app.test_client().post(f"/me/feeds/{feed.id}").status_code == 401
    assert fetch(app, path).status_code == 200
