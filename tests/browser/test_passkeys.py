"""Passkeys in a real browser with a virtual authenticator. No other feature of the site requires scripts."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from eventcal.members.models import Passkey
from tests.browser.probes.accessibility import SCHEMES, WIDTHS, violations
from tests.browser.probes.sizes import small_controls, sticking_out
from tests.browser.visit import Visit
from tests.browser.world import Site
from tests.clocks import NOON, FixedClock
from tests.http_app import PASSWORD, rows, running, signed_in
from tests.second_factors import App

_NOTHING: list[bytes] = []
_ADD, _SIGN_IN = "Add the passkey", "Sign in with a passkey"
_WITHOUT_READERS = """
  delete PublicKeyCredential.parseCreationOptionsFromJSON;
  delete PublicKeyCredential.parseRequestOptionsFromJSON;
"""


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""


@pytest.fixture
def served(_sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Flask, str]]:
    """Provide an app and its base URL with a host name, because passkeys do not work with IP addresses."""
    database = tmp_path / "eventcal.db"
    shutil.copyfile(_sqlite_template, database)
    server = make_server("127.0.0.1", 0, lambda *_: _NOTHING, threaded=True, request_handler=_Quiet)
    base = f"http://localhost:{server.server_port}"
    with running(f"sqlite:///{database}", FixedClock(NOON), base_url=base) as app:
        server.app = app
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield app, base
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@contextmanager
def opened(browser: Browser, base: str, **visitor: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=base, **{"locale": "en-GB", **visitor})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(browser: Browser, served: tuple[Flask, str]) -> Iterator[Page]:
    """Provide a page of a browser in which Ada is signed in. Any complaint of the browser fails the test."""
    app, base = served
    complaints: list[str] = []
    with opened(browser, base) as context:
        cookie = signed_in(app).client.get_cookie("eventcal")
        assert cookie is not None
        context.add_cookies([{"name": "eventcal", "value": cookie.value, "url": base}])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(error.message))
        yield page
    assert complaints == []


def plug_in(page: Page, *, verified: bool = True) -> None:
    """Add a virtual authenticator, with or without user verification."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verified,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def add(page: Page, name: str = "My laptop") -> None:
    page.goto("/me/security/passkeys/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name=_ADD).click()


@pytest.mark.parametrize("script", ["", _WITHOUT_READERS], ids=["with the browser's reader", "read by hand"])
def test_passkey_can_be_added_and_used_to_sign_in(served: tuple[Flask, str], page: Page, script: str) -> None:
    page.add_init_script(script)
    plug_in(page)
    add(page)
    expect(page.get_by_role("status")).to_have_text("The passkey is added.")
    page.goto("/me/account")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/login?next=/me/security")
    page.get_by_role("button", name=_SIGN_IN).click()
    page.wait_for_url("**/me/security")
    expect(page.get_by_text("Last used:")).to_be_visible()
    [passkey] = rows(served[0], Passkey)
    assert (passkey.name, passkey.transports, passkey.last_used_at) == ("My laptop", ["internal"], NOON)
    assert passkey.sign_count > 0


def test_device_with_a_passkey_shows_an_error_and_sends_nothing(served: tuple[Flask, str], page: Page) -> None:
    plug_in(page)
    add(page)
    page.wait_for_url("**/me/security?done=passkey")
    add(page, "Again")
    expect(page.get_by_role("alert")).to_have_text("This device has a passkey here already.")
    assert page.get_by_label("Name").input_value() == "Again"
    assert len(rows(served[0], Passkey)) == 1


def test_missing_user_verification_is_reported_in_the_language_of_the_page(
    served: tuple[Flask, str], page: Page
) -> None:
    plug_in(page, verified=False)
    page.goto("/me/security/passkeys/new?lang=de")
    form = page.locator("form[data-passkey]")
    form.locator("input[name=name]").fill("Telefon")
    form.get_by_role("button").click()
    said = form.get_attribute("data-not-allowed-error")
    expect(page.get_by_role("alert")).to_have_text(said or "nothing")
    assert rows(served[0], Passkey) == []


def test_sign_in_page_reports_a_missing_passkey(page: Page) -> None:
    page.context.clear_cookies()
    plug_in(page)
    page.goto("/login")
    page.get_by_role("button", name=_SIGN_IN).click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing happened")
    assert page.url.endswith("/login")


def test_passkey_buttons_are_hidden_without_scripts(browser: Browser, served: tuple[Flask, str]) -> None:
    app, base = served
    with opened(browser, base, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/login")
        expect(page.get_by_role("button", name=_SIGN_IN)).to_be_hidden()
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        cookie = signed_in(app).client.get_cookie("eventcal")
        assert cookie is not None
        context.add_cookies([{"name": "eventcal", "value": cookie.value, "url": base}])
        page.goto("/me/security/passkeys/new")
        expect(page.get_by_text("This browser does not do passkeys")).to_be_visible()
        expect(page.get_by_role("button", name=_ADD)).to_be_hidden()


def test_passkey_and_two_factor_pages_are_accessible(
    served: tuple[Flask, str], page: Page, axe: Callable[[], str]
) -> None:
    plug_in(page)
    visit = Visit(page, Site(served[1], {}, {}), axe)
    add(page, "A-name-without-a-gap-" * 4)
    page.wait_for_url("**/me/security?done=passkey")
    look(visit)
    [passkey] = rows(served[0], Passkey)
    for path in (f"/me/security/passkeys/{passkey.id}", "/me/security/passkeys/new", "/me/security/again"):
        page.goto(path)
        look(visit)
    page.goto("/me/security/app")
    look(visit)
    phone = App(page.inner_text("code"), FixedClock(NOON))
    page.get_by_label("Code", exact=True).fill(phone.code())
    with page.expect_navigation():
        page.get_by_role("button", name="Turn it on").click()
    look(visit)
    for path in ("/me/security", "/me/security/codes", "/me/security/app/off"):
        page.goto(path)
        look(visit)
    page.context.clear_cookies()
    page.goto("/login")
    look(visit)
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/login/code?next=%2Fme")
    look(visit)
    assert visit.complaints == []


def look(visit: Visit) -> None:
    """Check the open page, wide and narrow, light and dark."""
    for width, scheme in product(WIDTHS, SCHEMES):
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.emulate_media(color_scheme=scheme)
        assert violations(visit) == [], visit.page.url
        assert sticking_out(visit) == [], visit.page.url
    assert small_controls(visit) == [], visit.page.url


def test_message_for_browsers_without_scripts_is_hidden_with_scripts(page: Page) -> None:
    page.goto("/me/security/passkeys/new")
    expect(page.get_by_text("This browser does not do passkeys")).to_be_hidden()
    expect(page.get_by_role("button", name=_ADD)).to_be_visible()
