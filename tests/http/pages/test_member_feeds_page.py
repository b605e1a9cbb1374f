"""/me/feeds: secret addresses of a member's agenda, shown once and revoked by a page that asks."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from eventcal.members.models import KeptAnswer, PersonalFeed
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
    """Make an address, and return its path."""
    browser.go("/me/feeds")
    browser.send("/me/feeds", name=name)
    assert browser.at.status_code == 201
    field = next(one for one in tree_of(browser.at.text).iter("input") if one.get("id") == "address")
    return field.get("value", "").removeprefix("http://127.0.0.1:8000")


def test_an_address_is_shown_once_with_the_way_of_each_program(app: Flask, ada: Browser) -> None:
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


def test_the_page_with_the_secret_is_kept_by_nothing_and_named_to_nobody(ada: Browser) -> None:
    make(ada)
    headers = ada.at.headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Location" not in headers
    assert SECRET.findall(f"{headers}") == []


def test_loaded_again_the_form_makes_no_second_address_and_shows_no_secret(app: Flask, ada: Browser) -> None:
    ada.go("/me/feeds")
    form = ada.fields("/me/feeds") | {"name": "My phone"}
    first = ada.client.post("/me/feeds", data=form)
    [secret] = set(SECRET.findall(first.text))
    again = ada.client.post("/me/feeds", data=form, follow_redirects=True)
    assert (first.status_code, again.status_code, len(rows(app, PersonalFeed))) == (201, 200, 1)
    assert secret not in again.text
    assert "This address was made before" in again.text
    # The next form is another.
    make(ada, "My desk")
    assert [feed.name for feed in rows(app, PersonalFeed)] != ["My phone"]


def test_a_form_key_is_one_members_own_and_of_any_form(app: Flask, ada: Browser) -> None:
    bob = browser_of(app)
    bob.client = signed_in(app, "bob@example.org").client
    for browser in (ada, bob):
        browser.go("/me/feeds")
        form = browser.fields("/me/feeds") | {"name": "phone", "form_key": "\x00 \N{SNOWMAN}" * 500}
        assert browser.client.post("/me/feeds", data=form).status_code == 201
    assert len(rows(app, PersonalFeed)) == 2


def test_the_secret_is_in_no_log_and_in_no_table(app: Flask, ada: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        [secret] = SECRET.findall(make(ada))
    assert secret not in caplog.text
    with database_of(app).reading() as session:
        for table in ("personal_feeds", "kept_answers"):
            assert secret not in str(session.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608 - names above


def test_a_page_with_a_secret_is_not_kept_for_a_retry_either(app: Flask, ada: Browser) -> None:
    ada.go("/me/feeds")
    form = ada.fields("/me/feeds") | {"name": "My phone"}
    answer = ada.client.post("/me/feeds", data=form, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 201
    assert [kept.body for kept in rows(app, KeptAnswer)] == [""]


def test_of_two_that_send_the_same_form_at_once_one_makes_the_address(app: Flask, ada: Browser) -> None:
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


def test_a_device_that_came_is_seen_and_a_revoked_one_is_told_that_it_is_gone(
    app: Flask, ada: Browser, clock: FixedClock
) -> None:
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


def test_a_name_that_does_not_go_is_given_back_and_nothing_is_made(app: Flask, ada: Browser) -> None:
    for name in ("", " ", "x" * 101, "a\nb"):
        ada.go("/me/feeds")
        ada.send("/me/feeds", name=name)
        assert ada.at.status_code == 422
        invalid = [one.get("name") for one in tree_of(ada.at.text).iter() if one.get("aria-invalid")]
        assert invalid == ["name"]
    assert rows(app, PersonalFeed) == []


def test_a_hostile_name_is_text_everywhere(app: Flask, ada: Browser) -> None:
    make(ada, HOSTILE)
    assert HOSTILE in ada.says()
    [feed] = rows(app, PersonalFeed)
    for path in ("/me/feeds", f"/me/feeds/{feed.id}"):
        assert HOSTILE in ada.go(path)
        assert "<script>alert" not in ada.at.text
        assert "x" not in {one.get("src") for one in tree_of(ada.at.text).iter("img")}


def test_nobody_sees_or_revokes_somebody_elses_address(app: Flask, ada: Browser) -> None:
    path = make(ada, "Ada's own")
    [feed] = rows(app, PersonalFeed)
    bob = browser_of(app)
    bob.client = signed_in(app, "bob@example.org").client
    assert "Ada's own" not in bob.go("/me/feeds")
    form = bob.fields("/me/feeds")
    assert bob.client.get(f"/me/feeds/{feed.id}").status_code == 404
    assert bob.client.post(f"/me/feeds/{feed.id}", data=form).status_code == 404
    assert fetch(app, path).status_code == 200


def test_another_site_neither_makes_nor_revokes_an_address(app: Flask, ada: Browser) -> None:
    assert ada.client.post("/me/feeds", data={"name": "phone"}).status_code == 403
    assert rows(app, PersonalFeed) == []
    path = make(ada)
    [feed] = rows(app, PersonalFeed)
    assert ada.client.post(f"/me/feeds/{feed.id}").status_code == 403
    assert app.test_client().post(f"/me/feeds/{feed.id}").status_code == 401
    assert fetch(app, path).status_code == 200
