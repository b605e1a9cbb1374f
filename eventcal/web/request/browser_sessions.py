"""The session of a request: a database row for a member, or a signed cookie for an anonymous user.

A member's cookie contains only a random secret. Anonymous users get a session only when a form is shown. The values of
an anonymous session are stored in the signed cookie, so that anonymous requests never write to the database. Users can
read and replay the values in a signed cookie.
"""

import base64
import hmac
import secrets
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from flask import request, session
from sqlalchemy.orm import Session

from eventcal.kit.database import Database
from eventcal.kit.errors import Message
from eventcal.members import sessions as table
from eventcal.members.errors import NotSignedIn
from eventcal.members.models import Member, MemberSession
from eventcal.web.request.context import read_session, services, settings, unit_of_work
from eventcal.web.request.session_cookie import BrowserSession, StoredSession

_LONGEST_USER_AGENT = 300
# The key of the CSRF secret in the signed cookie of an anonymous user.
_SIGNED_CSRF_KEY = "csrf_token"
# The purpose is part of the HMAC, so that the HMAC cannot be used for another purpose.
_CSRF_PURPOSE = b"eventcal: CSRF secret of a session"


def find_stored_session(db_session: Session | None = None) -> StoredSession | None:
    """Return the active session of the request, or None."""
    browser = _browser_session()
    if not browser.looked_up:
        if browser.secret is not None:
            with read_session() if db_session is None else nullcontext(db_session) as session_to_read:
                found = table.find_session(session_to_read, browser.secret, now=services().clock.now())
            browser.stored_session = None if found is None else StoredSession(*found)
        browser.looked_up = True
    return browser.stored_session


def start_session(member: Member, *, pending: bool = False) -> None:
    """Start a session for a member, and end the browser's current session. Raises NotSignedIn.

    A session is `pending` if a second-factor code is still required. If the browser is already signed in to the same
    account, the member has re-authenticated.
    """
    former = find_stored_session()
    secret = secrets.token_urlsafe(32)
    reauthenticated = former is not None and former.member.id == member.id and not former.row.pending
    row = _new_session_row(member, secret, pending=pending, reauthenticated=reauthenticated and not pending)
    with unit_of_work() as unit:
        if former is not None:
            table.end_session(unit, former.row)
        # The account may have been deleted or suspended, or its password changed, since `member` was loaded.
        current = unit.get(Member, member.id)
        if current is None or not current.active or current.fs_uniquifier != member.fs_uniquifier:
            raise NotSignedIn(Message("The account has changed in the meantime. Sign in again."))
        unit.add(row)
        unit.flush()
    _set_session_cookie(secret, StoredSession(row, member))


def end_current_session() -> None:
    found = find_stored_session()
    if found is not None:
        with unit_of_work() as unit:
            table.end_session(unit, found.row)
    delete_session_cookie()


def delete_session_cookie() -> None:
    """Delete the session cookie and the values of an anonymous session."""
    browser = _browser_session()
    browser.clear()
    browser.secret, browser.sets_cookie = None, False
    browser.looked_up, browser.stored_session = True, None


def touch_session() -> None:
    """Record that the session was used, at most once per hour, and renew its cookie."""
    found, moment = find_stored_session(), services().clock.now()
    secret = _browser_session().secret
    if found is not None and secret is not None and moment - found.row.last_seen_at >= table.TOUCH_INTERVAL:
        _set_session_cookie(secret, found)
        services().background.submit(partial(_record_last_seen, services().database, found.row.id, moment))


def set_temp(key: str, **state: str) -> None:
    """Store a temporary value in a member's stored session or in an anonymous user's signed cookie."""
    noted = {**state, "at": services().clock.now().timestamp()}
    found, browser = find_stored_session(), _browser_session()
    if found is not None:
        _update_session(data={**found.row.data, key: noted})
        return
    if browser.secret is not None:
        # The cookie of an ended session is replaced, but the CSRF secret is kept, so that open forms remain valid.
        browser.setdefault(_SIGNED_CSRF_KEY, csrf_secret())
        browser.secret = None
    browser[key] = noted


def get_temp(key: str, *, max_age: timedelta) -> dict[str, Any] | None:
    """Return a temporary value from the session, or None if the value is missing or older than `max_age`."""
    found = find_stored_session()
    state: dict[str, Any] | None = _browser_session().get(key) if found is None else found.row.data.get(key)
    if state is None or not 0 <= services().clock.now().timestamp() - state["at"] < max_age.total_seconds():
        return None
    return state


def pop_temp(key: str) -> None:
    found = find_stored_session()
    if found is None:
        _browser_session().pop(key, None)
    elif key in found.row.data:
        _update_session(data={name: kept for name, kept in found.row.data.items() if name != key})


def csrf_secret() -> str:
    """Return the secret for the browser's CSRF token. The secret of an anonymous user is created if necessary.

    The CSRF secret of a stored session is derived from the cookie, so that rendering a form requires no SQL statement.
    """
    browser = _browser_session()
    if browser.secret is not None:
        return _derive_csrf_secret(browser.secret)
    return str(browser.setdefault(_SIGNED_CSRF_KEY, secrets.token_urlsafe(32)))


def is_csrf_secret(secret: str) -> bool:
    browser = _browser_session()
    known = browser.get(_SIGNED_CSRF_KEY) if browser.secret is None else _derive_csrf_secret(browser.secret)
    return isinstance(known, str) and hmac.compare_digest(secret.encode(), known.encode())


def _browser_session() -> BrowserSession:
    # Accessing Flask's session proxy adds "Vary: Cookie" to the response.
    return cast("BrowserSession", session)


def _new_session_row(member: Member, secret: str, *, pending: bool, reauthenticated: bool) -> MemberSession:
    printable = "".join(letter for letter in request.headers.get("User-Agent", "") if letter.isprintable())
    agent, moment = printable[:_LONGEST_USER_AGENT] or None, services().clock.now()
    return table.build_session(
        member, secret=secret, user_agent=agent, now=moment, pending=pending, reauthenticated=reauthenticated
    )


def _derive_csrf_secret(session_secret: str) -> str:
    message = b"\0".join([_CSRF_PURPOSE, session_secret.encode()])
    digest = hmac.digest(settings().secret_key.encode(), message, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _update_session(**values: object) -> None:
    found = find_stored_session()
    if found is not None:
        with unit_of_work() as unit:
            table.update_session(unit, found.row.id, **values)
        for column, value in values.items():
            setattr(found.row, column, value)


def _set_session_cookie(secret: str, stored: StoredSession) -> None:
    """Set the session cookie. The cookie of a pending sign-in is deleted when the browser is closed."""
    browser = _browser_session()
    browser.clear()
    browser.permanent = not stored.row.pending
    browser.secret, browser.sets_cookie = secret, True
    browser.looked_up, browser.stored_session = True, stored


def _record_last_seen(database: Database, session_id: str, now: datetime) -> None:
    with database.unit_of_work() as unit:
        table.touch_session(unit.session, session_id, now=now)
