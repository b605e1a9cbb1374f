"""The session cookie and the OpenAPI security schemes."""

from flask import Flask

from eventcal.config import Settings
from eventcal.members.sessions import IDLE_TIMEOUT
from eventcal.web.identity.permissions import register_token_refusals
from eventcal.web.request.sessions import SessionInterface


def start_security(app: Flask, settings: Settings) -> None:
    """Set up sign-in on `app`: the session cookie, and how a refused token is answered."""
    app.config.update(_cookie_config(settings))
    app.session_interface = SessionInterface()
    register_token_refusals(app)


def security_schemes(settings: Settings) -> dict[str, dict[str, str]]:
    """Return the OpenAPI security schemes that the access marks name."""
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal access token. The scopes are read, submit, organise and admin; each holds "
            "what the ones before it hold.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name(settings),
            "description": "The session cookie. Unsafe calls also need the header X-CSRF-Token, with the csrf_token "
            "that signing in gave.",
        },
    }


def cookie_name(settings: Settings) -> str:
    """Return what the session cookie is called; __Host- demands Secure, Path=/ and no Domain."""
    return "__Host-eventcal" if settings.https else "eventcal"


def _cookie_config(settings: Settings) -> dict[str, object]:
    return {
        "SESSION_COOKIE_NAME": cookie_name(settings),
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        # Also how old a signed cookie may be.
        "PERMANENT_SESSION_LIFETIME": IDLE_TIMEOUT,
        # Else every answer sets the cookie of a visitor anew.
        "SESSION_REFRESH_EACH_REQUEST": False,
    }
