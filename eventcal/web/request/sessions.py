"""The session of a request: a row of the table for a member, a signed cookie for a visitor.

A member's cookie holds a random secret, and the table everything else. A visitor has a session only once a form is
shown to them; its values are signed in the cookie itself, so that no visitor causes a write. Releases before sessions
were stored signed members' sessions in the same way. Such a cookie is accepted, and replaced by a stored session at
the first request whose answer may set a cookie.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import Flask, Request, Response, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from sqlalchemy.orm import Session

from eventcal.kit.refusals import Sentence
from eventcal.members import sessions as table
from eventcal.members.errors import NotSignedIn
from eventcal.members.models import Member, MemberSession
from eventcal.web.request.context import house, reading, settings, unit_of_work

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST_USER_AGENT = 300
# What the signed cookie of a member holds, in releases before sessions were stored.
_SIGNED_MEMBER, _SIGNED_CSRF, _SIGNED_PROOF = "_user_id", "csrf_token", "proved_at"
# What HMACs under the secret key are made for.
_FOR_CSRF, _FOR_SIGNED_COOKIE = b"eventcal: CSRF secret of a session", b"eventcal: session in place of a signed cookie"
_PERMANENT = SecureCookieSession({"_permanent": True})


@dataclass
class Stored:
    """The stored session of a request, and its member. `saved` is false while it stands for a signed cookie."""

    row: MemberSession
    member: Member
    saved: bool = True


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
        value = request.cookies.get(self.get_cookie_name(app))
        if value is None:
            return BrowserSession()
        if _SECRET.fullmatch(value):
            opened = BrowserSession()
            opened.secret = value
            return opened
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie, or remove it, where that is called for."""
        if not isinstance(session, BrowserSession) or not session.sends_secret:
            super().save_session(app, session, response)
            return
        pending = session.stored is not None and session.stored.row.pending
        response.vary.add("Cookie")
        response.set_cookie(
            self.get_cookie_name(app),
            cast("str", session.secret),
            # Until the code is given, the cookie ends with the browser.
            expires=None if pending else self.get_expiration_time(app, _PERMANENT),
            httponly=self.get_cookie_httponly(app),
            path=self.get_cookie_path(app),
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
        )


def find_stored(reader: Session | None = None) -> Stored | None:
    """Return the stored session of this request, looked up once; None where there is none, or it has ended.

    A signed cookie of a member counts as one that is not saved yet. reader: a database session that is open already.
    """
    browser = _browser()
    if not browser.looked_up:
        with reading() if reader is None else nullcontext(reader) as session_to_read:
            browser.stored = _look_up(session_to_read, browser)
        browser.looked_up = True
    return browser.stored


def start(member: Member, *, pending: bool = False) -> None:
    """Start a new session for a member, in place of the one that this browser had. Raises NotSignedIn.

    pending: only the password was given, and a code is still to follow.
    """
    former = find_stored()
    moment = house().clock.now()
    secret = secrets.token_urlsafe(32)
    row = table.new_session(member, secret=secret, user_agent=_user_agent(), now=moment, pending=pending)
    if former is not None:
        _ensure_saved(former)
    with unit_of_work() as unit:
        if former is not None:
            table.end_session(unit, former.row, now=moment)
        # The account may have been deleted meanwhile. Had the password been changed, the session would be void.
        if unit.get(Member, member.id) is None:
            raise NotSignedIn(Sentence("This account is gone."))
        unit.add(row)
        unit.flush()
    _use(secret, Stored(row, member))


def end() -> None:
    """End this browser's session, and have the answer remove its cookie."""
    found = find_stored()
    if found is not None:
        _ensure_saved(found)
        with unit_of_work() as unit:
            table.end_session(unit, found.row, now=house().clock.now())
    forget()


def forget() -> None:
    """Have the answer remove the cookie of a session that has ended, with everything that a visitor's holds."""
    browser = _browser()
    browser.clear()
    browser.secret, browser.sends_secret = None, False
    browser.looked_up, browser.stored = True, None


def keep_alive() -> None:
    """Save a session that stands for a signed cookie, and note from time to time that a session was used.

    Only for answers that no cache keeps: it may set the cookie.
    """
    found = find_stored()
    if found is None:
        return
    moment = house().clock.now()
    if not found.saved:
        _ensure_saved(found)
        return
    browser = _browser()
    if browser.secret is None:
        # The answer that replaced the signed cookie has not reached the browser yet.
        _use(_secret_of_signed_cookie(browser), found)
    if table.needs_touch(found.row, now=moment):
        browser.sends_secret = True
        house().afterwards.do(_touch_job(found.row.id, moment))


def save_notes(found: Stored, notes: dict[str, object]) -> None:
    """Replace the notes of a stored session."""
    _ensure_saved(found)
    with unit_of_work() as unit:
        table.save_notes(unit, found.row.id, notes)
    found.row.notes = notes


def save_proof(found: Stored) -> None:
    """Note that the member of a stored session has just shown who they are."""
    moment = house().clock.now()
    _ensure_saved(found)
    with unit_of_work() as unit:
        table.save_proof(unit, found.row.id, now=moment)
    found.row.proved_at = moment


def note(what: str, value: object) -> None:
    """Keep a value in the signed cookie of a visitor."""
    browser = _browser()
    if browser.secret is not None:
        # The signed cookie takes the place of one whose session has ended; forms that are open stay good.
        browser.setdefault(_SIGNED_CSRF, csrf_secret())
        browser.secret = None
    browser[what] = value


def csrf_secret() -> str:
    """Return what the CSRF token of this browser is made from; a visitor who has none is given one.

    Of a stored session it follows from the cookie alone: no statement is needed to show a form.
    """
    browser = _browser()
    if browser.secret is not None:
        return _hmac(_FOR_CSRF, browser.secret)
    return str(browser.setdefault(_SIGNED_CSRF, secrets.token_urlsafe(32)))


def is_csrf_secret(given: str) -> bool:
    """Say whether a CSRF token of this browser is made from this secret."""
    browser = _browser()
    if browser.secret is None:
        known = browser.get(_SIGNED_CSRF)
    elif hmac.compare_digest(given.encode(), _hmac(_FOR_CSRF, browser.secret).encode()):
        return True
    else:
        stored = find_stored()
        known = None if stored is None else stored.row.signed_csrf_secret
    return isinstance(known, str) and hmac.compare_digest(given.encode(), known.encode())


def _browser() -> BrowserSession:
    # Still Flask's proxy, which notes that the answer depends on the cookie.
    return cast("BrowserSession", session)


def _look_up(reader: Session, browser: BrowserSession) -> Stored | None:
    moment = house().clock.now()
    if browser.secret is not None:
        found = table.find_session(reader, browser.secret, now=moment)
        return None if found is None else Stored(*found)
    key = browser.get(_SIGNED_MEMBER)
    if not isinstance(key, str) or not isinstance(browser.get(_SIGNED_CSRF), str):
        return None
    secret = _secret_of_signed_cookie(browser)
    found = table.find_session(reader, secret, now=moment)
    if found is not None:
        return Stored(*found)
    member = table.find_member_of_signed_cookie(reader, key)
    if member is None or table.has_ended(reader, secret):
        return None
    row = table.new_session(member, secret=secret, user_agent=_user_agent(), now=moment)
    row.signed_csrf_secret = browser[_SIGNED_CSRF]
    row.proved_at = datetime.fromtimestamp(browser.get(_SIGNED_PROOF, 0), UTC)
    return Stored(row, member, saved=False)


def _secret_of_signed_cookie(browser: BrowserSession) -> str:
    """Return the secret of the session in place of a signed cookie: always the same for one cookie.

    Whoever sends it again, or in two requests at once, gets the same session.
    """
    return _hmac(_FOR_SIGNED_COOKIE, browser[_SIGNED_MEMBER], browser[_SIGNED_CSRF])


def _hmac(purpose: bytes, *parts: str) -> str:
    message = b"\0".join([purpose, *(part.encode() for part in parts)])
    digest = hmac.digest(settings().secret_key.encode(), message, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _ensure_saved(found: Stored) -> None:
    """Save a session that stands for a signed cookie, unless another request has just done so. Raises NotSignedIn."""
    if found.saved:
        return
    secret = _secret_of_signed_cookie(_browser())
    with unit_of_work() as unit:
        known = table.find_session(unit, secret, now=house().clock.now())
        if known is not None:
            found.row = known[0]
        elif _is_accepted(unit, secret, found.row.member_key):
            unit.add(found.row)
            unit.flush()
        else:
            raise NotSignedIn(Sentence("Sign in first, or send a token."))
    found.saved = True
    _use(secret, found)


def _is_accepted(reader: Session, secret: str, key: str) -> bool:
    """Say whether a signed cookie may still be replaced by a session: neither it nor its session has ended."""
    return table.find_member_of_signed_cookie(reader, key) is not None and not table.has_ended(reader, secret)


def _use(secret: str, stored: Stored) -> None:
    """Have the answer set the cookie to this secret."""
    browser = _browser()
    browser.clear()
    browser.secret, browser.sends_secret = secret, True
    browser.looked_up, browser.stored = True, stored


def _touch_job(session_id: str, moment: datetime) -> Callable[[], None]:
    database = house().database

    def touch() -> None:
        with database.unit_of_work() as unit:
            table.touch_session(unit.session, session_id, now=moment)

    return touch


def _user_agent() -> str | None:
    named = "".join(letter for letter in request.headers.get("User-Agent", "") if letter.isprintable())
    return named[:_LONGEST_USER_AGENT] or None
