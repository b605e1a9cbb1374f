"""A test of the life cycle of a talk in a browser: submission by a new member, acceptance and publication."""

import re
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import icalendar
import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect

from eventcal.events.enums import Programme
from eventcal.members.enums import Role
from tests.browser.site import serve_app
from tests.factories import make_event
from tests.http_app import create_signed_in_client, write_session

TALK_TITLE = "Xen on a pocket calculator"
ADA_FIELDS = {"E-mail address": "ada@example.org", "Password": "a quiet red bicycle"}
BROWSER_OPTIONS: dict[str, dict[str, Any]] = {
    "with scripts": {"locale": "en-GB", "viewport": {"width": 1200, "height": 900}},
    "without scripts, on a phone, in the dark": {
        "locale": "en-GB",
        "viewport": {"width": 360, "height": 640},
        "java_script_enabled": False,
        "color_scheme": "dark",
    },
}
_MAX_TAB_PRESSES = 80

AppAndUrl = tuple[Flask, str]


@pytest.fixture
def listed_event_app(_sqlite_template: Path, tmp_path: Path) -> Iterator[AppAndUrl]:
    """Provide an app with an event that accepts talks from all members, and its base URL."""
    database = tmp_path / "eventcal.db"
    shutil.copyfile(_sqlite_template, database)
    with serve_app(database) as (app, base):
        with write_session(app) as session:
            make_event(session, slug="fest", title="Linux Fest", programme=Programme.LISTED)
        yield app, base


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(_MAX_TAB_PRESSES):
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {wanted}")


def fill_in_form(page: Page, typed: Mapping[str, str]) -> None:
    """Fill in a form by keyboard. Fields are identified by the beginning of their labels."""
    for label, words in typed.items():
        tab_to(page, page.get_by_label(re.compile(f"^{label}")))
        page.keyboard.press("Control+A")
        page.keyboard.type(words)


def press_button(page: Page, name: str) -> None:
    """Move the focus to a button by Tab, press the button, and wait for the next page."""
    tab_to(page, page.get_by_role("button", name=name, exact=True))
    with page.expect_navigation():
        page.keyboard.press("Enter")


def submit_talk(page: Page) -> None:
    """Register, sign in, preview a talk and submit it."""
    page.goto("/register")
    fill_in_form(page, {"Name": "Ada Lovelace", **ADA_FIELDS})
    press_button(page, "Register")
    page.goto("/submit?event=fest")
    expect(page).to_have_url("/login?next=%2Fsubmit%3Fevent%3Dfest")
    fill_in_form(page, ADA_FIELDS)
    press_button(page, "Sign in")
    expect(page).to_have_url("/submit?event=fest")
    fill_in_form(page, {"Title": TALK_TITLE, "Abstract": "Bring *yours*.", "Length": "short"})
    tab_to(page, page.get_by_role("group", name="Begins").get_by_label("Time"))
    page.keyboard.type("1330")
    press_button(page, "Preview")
    expect(page.get_by_role("alert")).to_be_visible()
    fill_in_form(page, {"Length": "20"})
    press_button(page, "Preview")
    expect(page.locator(".preview em")).to_have_text("yours")
    press_button(page, "Submit")
    expect(page.get_by_role("heading", level=1)).to_have_text(TALK_TITLE)


def accept_submitted_talk(page: Page) -> None:
    """Accept the submitted talk as a moderator."""
    page.goto("/organise")
    with page.expect_navigation():
        page.get_by_role("link", name="Linux Fest", exact=True).first.click()
    page.get_by_label(f"Choose “{TALK_TITLE}”").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Accept", exact=True).click()
    page.get_by_label("Reason").fill("Gladly!")
    with page.expect_navigation():
        page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_be_visible()


def list_feed_titles(base: str) -> list[str]:
    """Return the titles of the entries that icalendar finds in the feed of the event."""
    with urllib.request.urlopen(f"{base}/events/fest.ics") as answer:  # noqa: S310 - our own server
        calendar = icalendar.Calendar.from_ical(answer.read())
    return [str(entry["SUMMARY"]) for entry in calendar.walk("VEVENT")]


@pytest.mark.parametrize("who", BROWSER_OPTIONS)
def test_talk_of_a_new_member_reaches_the_listing_and_the_feed(
    browser: Browser, listed_event_app: AppAndUrl, who: str
) -> None:
    app, base = listed_event_app
    member = browser.new_context(base_url=base, **BROWSER_OPTIONS[who])
    page = member.new_page()
    submit_talk(page)
    assert TALK_TITLE not in list_feed_titles(base)

    moderator = browser.new_context(base_url=base, **BROWSER_OPTIONS[who])
    cookie = create_signed_in_client(app, "mo@example.org", role=Role.MODERATOR).client.get_cookie("eventcal")
    assert cookie is not None
    moderator.add_cookies([{"name": "eventcal", "value": cookie.value, "url": base}])
    accept_submitted_talk(moderator.new_page())

    page.reload()
    expect(page.get_by_text("Gladly!")).to_be_visible()
    page.goto("/?show=talks")
    expect(page.get_by_role("link", name=TALK_TITLE)).to_be_visible()
    assert TALK_TITLE in list_feed_titles(base)
    for context in (member, moderator):
        context.close()
