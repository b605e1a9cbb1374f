"""The session cookie: a random secret for a member, signed values for a visitor."""

import re
from typing import NamedTuple, cast

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from eventcal.config import Settings
from eventcal.members.models import Member, MemberSession
from eventcal.members.sessions import IDLE_TIMEOUT

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def start_sessions(app: Flask, settings: Settings) -> None:
    """Set up the session cookie of `app`."""
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name(settings),
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # Also how old a signed cookie may be.
        PERMANENT_SESSION_LIFETIME=IDLE_TIMEOUT,
        # Else every answer sets the cookie of a visitor anew.
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = SessionInterface()


def cookie_name(settings: Settings) -> str:
    """Return the name of the session cookie; __Host- requires Secure, Path=/ and no Domain."""
    return "__Host-eventcal" if settings.https else "eventcal"


class Stored(NamedTuple):
    """A session of the table, or one that is about to take the place of a signed cookie there, and its member."""

    row: MemberSession
    member: Member


class BrowserSession(SecureCookieSession):
    """Flask's session: the values of a visitor's signed cookie, or the secret that is all of a member's.

    sends_secret: whether the answer sets the cookie to the secret.
    """

    secret: str | None = None
    sends_secret = False
    looked_up = False
    stored: Stored | None = None


class SessionInterface(SecureCookieSessionInterface):
    """Reads and writes the session cookie. It never asks the database: `find_stored` does, where a view needs it."""

    session_class = BrowserSession

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session that the request's cookie stands for, else an empty one."""
        value = request.cookies.get(self.get_cookie_name(app), "")
        if not _SECRET.fullmatch(value):
            return super().open_session(app, request)
        opened = BrowserSession()
        opened.secret = value
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie, or remove it, where that is called for."""
        if not isinstance(session, BrowserSession) or not session.sends_secret:
            super().save_session(app, session, response)
            return
        response.vary.add("Cookie")
        response.set_cookie(
            self.get_cookie_name(app),
            cast("str", session.secret),
            expires=self.get_expiration_time(app, session),
            httponly=self.get_cookie_httponly(app),
            path=self.get_cookie_path(app),
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
        )
