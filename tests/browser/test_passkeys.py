"""Tests of passkeys in a browser with a virtual authenticator. Passkeys are the only feature that requires scripts."""

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
from tests.browser.probes.accessibility import COLOUR_SCHEMES, WINDOW_WIDTHS, find_violations
from tests.browser.probes.sizes import find_overflowing_elements, find_small_controls
from tests.browser.site import Site
from tests.browser.visit import Visit
from tests.clocks import NOON, FixedClock
from tests.http_app import PASSWORD, create_signed_in_client, create_test_app, list_rows
from tests.second_factors import AuthenticatorApp

_EMPTY_RESPONSE: list[bytes] = []
_ADD_BUTTON, _SIGN_IN_BUTTON = "Add the passkey", "Sign in with a passkey"
_REMOVE_JSON_PARSERS = """
  delete PublicKeyCredential.parseCreationOptionsFromJSON;
  delete PublicKeyCredential.parseRequestOptionsFromJSON;
"""


class _SilentHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""


@pytest.fixture
def app_and_url(_sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Flask, str]]:
    """Provide an app and a base URL with a host name, because passkeys do not work with IP addresses."""
    database = tmp_path / "eventcal.db"
    shutil.copyfile(_sqlite_template, database)
    server = make_server("127.0.0.1", 0, lambda *_: _EMPTY_RESPONSE, threaded=True, request_handler=_SilentHandler)
    base = f"http://localhost:{server.server_port}"
    with create_test_app(f"sqlite:///{database}", FixedClock(NOON), base_url=base) as app:
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
def open_context(browser: Browser, base: str, **visitor: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=base, **{"locale": "en-GB", **visitor})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def signed_in_page(browser: Browser, app_and_url: tuple[Flask, str]) -> Iterator[Page]:
    """Provide a page on which Ada is signed in and has authenticated again. A browser error fails the test."""
    app, base = app_and_url
    complaints: list[str] = []
    with open_context(browser, base) as context:
        cookie = create_signed_in_client(app, reauthenticated=True).client.get_cookie("eventcal")
        assert cookie is not None
        context.add_cookies([{"name": "eventcal", "value": cookie.value, "url": base}])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(error.message))
        yield page
    assert complaints == []


def add_virtual_authenticator(page: Page, *, verified: bool = True) -> None:
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


def add_passkey(page: Page, name: str = "My laptop") -> None:
    page.goto("/me/security/passkeys/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name=_ADD_BUTTON).click()


@pytest.mark.parametrize("script", ["", _REMOVE_JSON_PARSERS], ids=["with the browser's reader", "read by hand"])
def test_passkey_can_be_added_and_used_to_sign_in(
    app_and_url: tuple[Flask, str], signed_in_page: Page, script: str
) -> None:
    signed_in_page.add_init_script(script)
    add_virtual_authenticator(signed_in_page)
    add_passkey(signed_in_page)
    expect(signed_in_page.get_by_role("status")).to_have_text("The passkey is added.")
    signed_in_page.goto("/me/account")
    signed_in_page.get_by_role("button", name="Sign out").click()
    signed_in_page.goto("/login?next=/me/security")
    signed_in_page.get_by_role("button", name=_SIGN_IN_BUTTON).click()
    signed_in_page.wait_for_url("**/me/security")
    expect(signed_in_page.get_by_text("Last used:")).to_be_visible()
    [passkey] = list_rows(app_and_url[0], Passkey)
    assert (passkey.name, passkey.transports, passkey.last_used_at) == ("My laptop", ["internal"], NOON)
    assert passkey.sign_count > 0


def test_device_with_a_passkey_shows_an_error_and_sends_nothing(
    app_and_url: tuple[Flask, str], signed_in_page: Page
) -> None:
    add_virtual_authenticator(signed_in_page)
    add_passkey(signed_in_page)
    signed_in_page.wait_for_url("**/me/security?done=passkey")
    add_passkey(signed_in_page, "Again")
    expect(signed_in_page.get_by_role("alert")).to_have_text("This device already has a passkey for this account.")
    assert signed_in_page.get_by_label("Name").input_value() == "Again"
    assert len(list_rows(app_and_url[0], Passkey)) == 1


def test_missing_user_verification_is_reported_in_the_language_of_the_page(
    app_and_url: tuple[Flask, str], signed_in_page: Page
) -> None:
    add_virtual_authenticator(signed_in_page, verified=False)
    signed_in_page.goto("/me/security/passkeys/new?lang=de")
    form = signed_in_page.locator("form[data-passkey]")
    form.locator("input[name=name]").fill("Telefon")
    form.get_by_role("button").click()
    said = form.get_attribute("data-not-allowed-error")
    expect(signed_in_page.get_by_role("alert")).to_have_text(said or "nothing")
    assert list_rows(app_and_url[0], Passkey) == []


def test_sign_in_page_reports_a_missing_passkey(signed_in_page: Page) -> None:
    signed_in_page.context.clear_cookies()
    add_virtual_authenticator(signed_in_page)
    signed_in_page.goto("/login")
    signed_in_page.get_by_role("button", name=_SIGN_IN_BUTTON).click()
    expect(signed_in_page.get_by_role("alert")).to_contain_text("Nothing happened")
    assert signed_in_page.url.endswith("/login")


def test_passkey_buttons_are_hidden_without_scripts(browser: Browser, app_and_url: tuple[Flask, str]) -> None:
    app, base = app_and_url
    with open_context(browser, base, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/login")
        expect(page.get_by_role("button", name=_SIGN_IN_BUTTON)).to_be_hidden()
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        cookie = create_signed_in_client(app, reauthenticated=True).client.get_cookie("eventcal")
        assert cookie is not None
        context.add_cookies([{"name": "eventcal", "value": cookie.value, "url": base}])
        page.goto("/me/security/passkeys/new")
        expect(page.get_by_text("This browser does not do passkeys")).to_be_visible()
        expect(page.get_by_role("button", name=_ADD_BUTTON)).to_be_hidden()


def test_passkey_and_two_factor_pages_are_accessible(
    app_and_url: tuple[Flask, str], signed_in_page: Page, axe_source: Callable[[], str]
) -> None:
    add_virtual_authenticator(signed_in_page)
    visit = Visit(signed_in_page, Site(app_and_url[1], {}, {}), axe_source)
    add_passkey(signed_in_page, "A-name-without-a-gap-" * 4)
    signed_in_page.wait_for_url("**/me/security?done=passkey")
    check_accessibility(visit)
    [passkey] = list_rows(app_and_url[0], Passkey)
    for path in (f"/me/security/passkeys/{passkey.id}", "/me/security/passkeys/new", "/me/security/again"):
        signed_in_page.goto(path)
        check_accessibility(visit)
    signed_in_page.goto("/me/security/app")
    check_accessibility(visit)
    phone = AuthenticatorApp(signed_in_page.inner_text("code"), FixedClock(NOON))
    signed_in_page.get_by_label("Code", exact=True).fill(phone.current_code())
    with signed_in_page.expect_navigation():
        signed_in_page.get_by_role("button", name="Turn it on").click()
    check_accessibility(visit)
    for path in ("/me/security", "/me/security/codes", "/me/security/app/off"):
        signed_in_page.goto(path)
        check_accessibility(visit)
    signed_in_page.context.clear_cookies()
    signed_in_page.goto("/login")
    check_accessibility(visit)
    signed_in_page.get_by_label("E-mail address").fill("ada@example.org")
    signed_in_page.get_by_label("Password", exact=True).fill(PASSWORD)
    signed_in_page.get_by_role("button", name="Sign in", exact=True).click()
    signed_in_page.wait_for_url("**/login/code?next=%2Fme")
    check_accessibility(visit)
    assert visit.browser_errors == []


def check_accessibility(visit: Visit) -> None:
    """Check the accessibility of the open page in a wide and a narrow window, in light and dark mode."""
    for width, scheme in product(WINDOW_WIDTHS, COLOUR_SCHEMES):
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.emulate_media(color_scheme=scheme)
        assert find_violations(visit) == [], visit.page.url
        assert find_overflowing_elements(visit) == [], visit.page.url
    assert find_small_controls(visit) == [], visit.page.url


def test_message_for_browsers_without_scripts_is_hidden_with_scripts(signed_in_page: Page) -> None:
    signed_in_page.goto("/me/security/passkeys/new")
    expect(signed_in_page.get_by_text("This browser does not do passkeys")).to_be_hidden()
    expect(signed_in_page.get_by_role("button", name=_ADD_BUTTON)).to_be_visible()
