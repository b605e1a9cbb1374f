"""A signed cookie that identifies browsers in which the owner of an account has entered the password.

Wrong passwords from such a browser are counted separately. An attacker who guesses the password of an account from many
addresses therefore delays only sign-ins from other browsers. See OWASP, "Slow Down Online Guessing Attacks with Device
Cookies".
"""

import secrets
from datetime import timedelta
from typing import cast

from flask import request, session
from itsdangerous import BadSignature

from eventcal.kit.ids import hash_secret
from eventcal.kit.text import email_key
from eventcal.web.request.context import settings
from eventcal.web.request.session_cookie import BrowserSession
from eventcal.web.request.signing import token_serializer

_SALT = "eventcal known browser"
_LIFETIME = timedelta(days=180)


def find_known_browser(email: str) -> str | None:
    """Return the random id of the browser if the cookie was set for the account with this email address, or None."""
    value = request.cookies.get(_cookie_name())
    if value is None:
        return None
    try:
        key, browser = token_serializer(_SALT).loads(value, max_age=int(_LIFETIME.total_seconds()))
    except (BadSignature, ValueError, TypeError):
        return None
    return cast("str", browser) if key == _account_key(email) else None


def remember_browser(email: str) -> None:
    """Set the cookie with the response, unless the browser already has the cookie for this account."""
    if find_known_browser(email) is not None:
        return
    value = token_serializer(_SALT).dumps([_account_key(email), secrets.token_urlsafe(16)])
    cast("BrowserSession", session).later_cookies = ((_cookie_name(), value, _LIFETIME),)


def _account_key(email: str) -> str:
    # The cookie does not reveal the email address to other users of the device.
    return hash_secret(email_key(email))


def _cookie_name() -> str:
    return "__Host-eventcal-browser" if settings().is_https else "eventcal-browser"
