"""An authenticator app for tests, implemented from RFC 6238, and members who use an authenticator app."""

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import datetime

from tests.clocks import FixedClock
from tests.html_browser import HtmlBrowser
from tests.html_pages import parse_html
from tests.http_app import PASSWORD

APP_SETUP_PATH = "/me/security/app"


@dataclass(frozen=True)
class AuthenticatorApp:
    """An authenticator app that uses the clock of the test."""

    secret: str
    clock: FixedClock

    def current_code(self, *, steps: int = 0) -> str:
        """Return the current code, or the code a number of 30-second time steps later."""
        key = base64.b32decode(self.secret.replace("-", ""))
        counter = _time_step(self.clock.now()) + steps
        digest = hmac.digest(key, struct.pack(">Q", counter), hashlib.sha1)
        at = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"

    def wrong_code(self) -> str:
        """Return a code that is invalid for all time steps close to the current time."""
        near = {self.current_code(steps=steps) for steps in range(-2, 3)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in near)


def _time_step(moment: datetime) -> int:
    return int(moment.timestamp()) // 30


def log_in(browser: HtmlBrowser, email: str = "ada@example.org", password: str = PASSWORD) -> str:
    """Sign in on the sign-in page and return the main text of the next page."""
    browser.visit("/login")
    return browser.submit_form("/login", email=email, password=password)


def read_secret(browser: HtmlBrowser) -> str:
    """Return the secret that the page shows for manual entry."""
    [secret] = [one.text or "" for one in parse_html(browser.response.text).iter("code")]
    return secret


def read_recovery_codes(browser: HtmlBrowser) -> list[str]:
    """Return the recovery codes that the page shows."""
    return [one.text or "" for one in parse_html(browser.response.text).iter("code")]


def set_up_app(
    browser: HtmlBrowser, clock: FixedClock, *, password: str = PASSWORD
) -> tuple[AuthenticatorApp, list[str]]:
    """Set up an app for the signed-in member, and return the app and the recovery codes.

    The clock is advanced, because the code used for the setup cannot be used again.
    """
    if "Is it you?" in browser.visit(APP_SETUP_PATH):
        browser.submit_form("/me/security/again", password=password)
    app = AuthenticatorApp(read_secret(browser), clock)
    browser.submit_form(APP_SETUP_PATH, code=app.current_code())
    assert browser.response.status_code == 201, browser.main_text()
    clock.tick(30)
    return app, read_recovery_codes(browser)
