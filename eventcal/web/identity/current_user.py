"""The current user, sign-in and sign-out, and CSRF tokens."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from flask import current_app, g, request
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from eventcal.events.enums import TeamRole
from eventcal.events.queries import find_caller_by_token, team_roles_by_event
from eventcal.kit.errors import Forbidden, Message
from eventcal.members import service as members
from eventcal.members.caller import ANONYMOUS, Caller
from eventcal.members.enums import Scope
from eventcal.members.errors import CsrfFailed, InvalidToken, NotSignedIn
from eventcal.members.models import Member
from eventcal.members.security_log import SecurityEvent, log_security_event
from eventcal.members.sessions import end_sessions
from eventcal.web.request import browser_sessions
from eventcal.web.request.context import now, read_session, services, settings
from eventcal.web.request.security_log import log_rejected_request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_MEDIA_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# The salt of Flask-WTF, which created the CSRF tokens in earlier releases.
_CSRF_SALT = "wtf-csrf-token"
_REAUTHENTICATION_MAX_AGE = timedelta(minutes=15)


def caller() -> Caller:
    """Return the caller, identified by an access token or the session cookie, or ANONYMOUS. Raises InvalidToken.

    Roles take effect only once the email address is confirmed, because anybody can register any address.
    """
    if "caller" not in g:
        token = bearer_token()
        found = _caller_by_cookie() if token is None else _caller_by_token(token)
        g.caller = found if found.email_confirmed else found.as_plain_member()
    return cast("Caller", g.caller)


def current_member_id() -> str:
    """Return the ID of the current user. Raises NotSignedIn."""
    member_id = caller().member_id
    if member_id is None:
        raise NotSignedIn(Message("Sign in or send a token."))
    return member_id


def current_member(session: Session) -> Member:
    """Return the current user, loaded in the given database session. Raises NotSignedIn."""
    found = session.get(Member, current_member_id())
    if found is None:
        raise NotSignedIn(Message("This account no longer exists."))
    return found


def bearer_token() -> str | None:
    """Return the bearer token in the Authorization header (RFC 6750, section 2.1), or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _caller_by_token(token: str) -> Caller:
    with services().database.single_select_connection() as connection:
        found = find_caller_by_token(connection, token, now=now())
    if found is None:
        raise InvalidToken(Message("This token is unknown, revoked or expired. Create a new one at /api/v1/me/tokens."))
    whole = replace(found, email_confirmed=found.email_confirmed or settings().mail_url is None)
    if request.method in SAFE_METHODS or whole.has_scope(Scope.ORGANISE):
        return whole
    # For unsafe requests, a token without the `organise` scope grants only the permissions of an ordinary member.
    return whole.as_plain_member()


def _caller_by_cookie() -> Caller:
    # Without a session cookie, the session is not accessed, because access would add "Vary: Cookie" to the response.
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return ANONYMOUS
    with read_session() as reader:
        stored = browser_sessions.find_stored_session(reader)
        if stored is None or stored.row.pending:
            return ANONYMOUS
        teams = team_roles_by_event(reader, stored.member.id)
        return Caller(
            member_id=stored.member.id,
            role=stored.member.role,
            organised_event_ids=frozenset(event for event, role in teams.items() if role == TeamRole.ORGANISER),
            reviewed_event_ids=frozenset(event for event, role in teams.items() if role == TeamRole.REVIEWER),
            email_confirmed=is_email_confirmed(stored.member),
        )


def is_email_confirmed(member: Member) -> bool:
    """Return whether the member's email address is confirmed, which is always the case if email is disabled."""
    return members.is_email_confirmed(member, settings())


def sign_in(member: Member) -> str:
    """Start a new session and return its CSRF token. Never call `sign_in` in a unit of work. Raises NotSignedIn."""
    browser_sessions.start_session(member)
    g.pop("caller", None)
    log_security_event(SecurityEvent.SIGNED_IN, member_id=member.id)
    return csrf_token()


def recently_authenticated() -> bool:
    """Return whether the current user has authenticated recently enough to rule out an unattended browser."""
    stored = browser_sessions.find_stored_session()
    if stored is None:
        return False
    return timedelta() <= services().clock.now() - stored.row.reauthenticated_at < _REAUTHENTICATION_MAX_AGE


def sign_out() -> None:
    """End the current session, if any, and delete its cookie. Raises Forbidden or CsrfFailed."""
    if caller().scopes is not None:
        raise Forbidden(Message("A token has no session. Revoke it at /api/v1/me/tokens instead."))
    if caller().is_signed_in:
        check_csrf()
    if current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        browser_sessions.end_current_session()
        g.pop("caller", None)


def current_session_id() -> str | None:
    """Return the ID of the current session, or None for a request without a valid session cookie."""
    stored = browser_sessions.find_stored_session()
    return None if stored is None else stored.row.id


def end_other_sessions(session: Session, member: Member) -> None:
    end_sessions(session, member, except_id=current_session_id())


def csrf_token() -> str:
    """Return the CSRF token for the current session. Anonymous users also have a CSRF token."""
    return str(_csrf_serializer().dumps(browser_sessions.csrf_secret()))


def check_csrf() -> None:
    """Check the CSRF token in the X-CSRF-Token header or the `csrf_token` form field. Raises CsrfFailed."""
    given = request.headers.get("X-CSRF-Token")
    if given is None and request.mimetype in _FORM_MEDIA_TYPES:
        given = request.form.get("csrf_token")
    try:
        # The age of the token is not checked, because a CSRF token is valid for the whole session.
        secret = _csrf_serializer().loads(given or "")
    except BadData:
        secret = None
    if not isinstance(secret, str) or not browser_sessions.is_csrf_secret(secret):
        log_rejected_request(SecurityEvent.CSRF_FAILED)
        raise CsrfFailed(Message("Send the X-CSRF-Token header with the `csrf_token` from the sign-in response."))


def clear_session_cookie() -> None:
    browser_sessions.delete_session_cookie()
    g.pop("caller", None)


def _csrf_serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt=_CSRF_SALT)
