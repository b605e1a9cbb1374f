"""The session cookie, which contains either a member's random secret or the signed values of an anonymous session."""

import re
from datetime import timedelta
from typing import NamedTuple, cast

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from eventcal.config import Settings
from eventcal.members.models import Member, MemberSession
from eventcal.members.sessions import IDLE_TIMEOUT
from eventcal.web.request.signing import DIGEST_METHOD

_SECRET_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")


def init_sessions(app: Flask, settings: Settings) -> None:
    app.config.update(
        SESSION_COOKIE_NAME=session_cookie_name(settings),
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # PERMANENT_SESSION_LIFETIME is also the maximum age of a signed cookie.
        PERMANENT_SESSION_LIFETIME=IDLE_TIMEOUT,
        # By default, Flask sets the cookie of a permanent session again with every response.
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = StoredSessionInterface()


def session_cookie_name(settings: Settings) -> str:
    """Return the name of the session cookie. The `__Host-` prefix requires Secure and Path=/, and forbids Domain."""
    return "__Host-eventcal" if settings.is_https else "eventcal"


class StoredSession(NamedTuple):
    """The database row of a session, which may not have been saved yet, and the member who is signed in."""

    row: MemberSession
    member: Member


class BrowserSession(SecureCookieSession):
    """A Flask session that contains either the values from a signed cookie or the secret from a member's cookie.

    If `sets_cookie` is true, the response sets the session cookie to `secret`. `later_cookies` contains the names and
    values of further cookies, which the response sets after the session cookie, and the time for which they are kept.
    """

    secret: str | None = None
    sets_cookie = False
    looked_up = False
    stored_session: StoredSession | None = None
    later_cookies: tuple[tuple[str, str, timedelta], ...] = ()


class StoredSessionInterface(SecureCookieSessionInterface):
    """A session interface that does not query the database until `find_stored_session` is called."""

    session_class = BrowserSession
    digest_method = staticmethod(DIGEST_METHOD)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        value = request.cookies.get(self.get_cookie_name(app), "")
        if not _SECRET_PATTERN.fullmatch(value):
            return super().open_session(app, request)
        opened = BrowserSession()
        opened.secret = value
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        self._save_session_cookie(app, session, response)
        for name, value, max_age in getattr(session, "later_cookies", ()):
            secure = self.get_cookie_secure(app)
            response.set_cookie(name, value, max_age=max_age, httponly=True, secure=secure, samesite="Lax")

    def _save_session_cookie(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, BrowserSession) or not session.sets_cookie:
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
