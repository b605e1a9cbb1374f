"""The life of a talk in a browser: a new member submits it, a moderator accepts it, and it becomes public."""

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
from tests.browser.world import serving
from tests.http_app import signed_in, writing
from tests.make import make_event

TITLE = "Xen on a pocket calculator"
ADA = {"E-mail address": "ada@example.org", "Password": "a quiet red bicycle"}
VISITORS: dict[str, dict[str, Any]] = {
    "with scripts": {"locale": "en-GB", "viewport": {"width": 1200, "height": 900}},
    "without scripts, on a phone, in the dark": {
        "locale": "en-GB",
        "viewport": {"width": 360, "height": 640},
        "java_script_enabled": False,
        "color_scheme": "dark",
    },
}
_MOST_STOPS = 80

Served = tuple[Flask, str]


@pytest.fixture
def fest(_sqlite_template: Path, tmp_path: Path) -> Iterator[Served]:
    """Provide a site with an event that accepts talks from every member, and its base URL."""
    database = tmp_path / "eventcal.db"
    shutil.copyfile(_sqlite_template, database)
    with serving(database) as (app, base):
        with writing(app) as session:
            make_event(session, slug="fest", title="Linux Fest", programme=Programme.LISTED)
        yield app, base


def press_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the wanted element has the focus."""
    for _ in range(_MOST_STOPS):
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {wanted}")


def fill_in(page: Page, typed: Mapping[str, str]) -> None:
    """Fill in a form by keyboard alone. Fields are identified by the beginning of their labels."""
    for label, words in typed.items():
        press_to(page, page.get_by_label(re.compile(f"^{label}")))
        page.keyboard.press("Control+A")
        page.keyboard.type(words)


def press(page: Page, name: str) -> None:
    """Move to a button by Tab, press it, and wait for the next page."""
    press_to(page, page.get_by_role("button", name=name, exact=True))
    with page.expect_navigation():
        page.keyboard.press("Enter")


def submit_a_talk(page: Page) -> None:
    """Register, sign in, and submit a talk after previewing it."""
    page.goto("/register")
    fill_in(page, {"Name": "Ada Lovelace", **ADA})
    press(page, "Register")
    page.goto("/submit?event=fest")
    expect(page).to_have_url("/login?next=%2Fsubmit%3Fevent%3Dfest")
    fill_in(page, ADA)
    press(page, "Sign in")
    expect(page).to_have_url("/submit?event=fest")
    fill_in(page, {"Title": TITLE, "Abstract": "Bring *yours*.", "Length": "short"})
    press_to(page, page.get_by_role("group", name="Begins").get_by_label("Time"))
    page.keyboard.type("1330")
    press(page, "Preview")
    expect(page.get_by_role("alert")).to_be_visible()
    fill_in(page, {"Length": "20"})
    press(page, "Preview")
    expect(page.locator(".preview em")).to_have_text("yours")
    press(page, "Submit")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)


def accept_what_waits(page: Page) -> None:
    """Accept the submitted talk as a moderator."""
    page.goto("/organise")
    with page.expect_navigation():
        page.get_by_role("link", name="Linux Fest", exact=True).first.click()
    page.get_by_label(f"Choose “{TITLE}”").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Accept", exact=True).click()
    page.get_by_label("Reason").fill("Gladly!")
    with page.expect_navigation():
        page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_be_visible()


def fed(base: str) -> list[str]:
    """Return the titles of the entries that icalendar finds in the feed of the event."""
    with urllib.request.urlopen(f"{base}/events/fest.ics") as answer:  # noqa: S310 - our own server
        calendar = icalendar.Calendar.from_ical(answer.read())
    return [str(entry["SUMMARY"]) for entry in calendar.walk("VEVENT")]


@pytest.mark.parametrize("who", VISITORS)
def test_talk_of_a_new_member_reaches_the_listing_and_the_feed(browser: Browser, fest: Served, who: str) -> None:
    app, base = fest
    member = browser.new_context(base_url=base, **VISITORS[who])
    page = member.new_page()
    submit_a_talk(page)
    assert TITLE not in fed(base)

    moderator = browser.new_context(base_url=base, **VISITORS[who])
    cookie = signed_in(app, "mo@example.org", role=Role.MODERATOR).client.get_cookie("eventcal")
    assert cookie is not None
    moderator.add_cookies([{"name": "eventcal", "value": cookie.value, "url": base}])
    accept_what_waits(moderator.new_page())

    page.reload()
    expect(page.get_by_text("Gladly!")).to_be_visible()
    page.goto("/?show=talks")
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    assert TITLE in fed(base)
    for context in (member, moderator):
        context.close()
