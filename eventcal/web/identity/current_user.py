"""The current user, sign-in and sign-out, and CSRF tokens."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from flask import current_app, g, request
from itsdangerous import BadData
from sqlalchemy.orm import Session

from eventcal.events.enums import TeamRole
from eventcal.events.queries import TokenCaller, find_caller_by_token, team_roles_by_event
from eventcal.kit.database import Database
from eventcal.kit.errors import Forbidden, Message
from eventcal.members import service as members
from eventcal.members.authentication_factors import find_totp_secret
from eventcal.members.caller import ANONYMOUS, Caller
from eventcal.members.enums import Role, Scope
from eventcal.members.errors import CsrfFailed, InvalidToken, NotSignedIn
from eventcal.members.models import Member
from eventcal.members.security_log import SecurityEvent, log_security_event
from eventcal.members.sessions import end_sessions, find_member_of_session
from eventcal.web.request import browser_sessions
from eventcal.web.request.context import now, read_session, services, settings
from eventcal.web.request.security_log import log_rejected_request
from eventcal.web.request.signing import token_serializer

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_MEDIA_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_CSRF_SALT = "csrf-token"
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
    """Return the current user, loaded in the given database session. Raises NotSignedIn.

    The session or access token of the request is checked again, because it may have ended while the request was waiting
    for the write lock. A request that began before the end of the access therefore cannot create new access.
    """
    token_id = caller().token_id
    if token_id is not None:
        found = members.find_member_of_token(session, token_id, now=now())
    else:
        found = find_member_of_session(session, current_session_id() or "", now=now())
    if found is None:
        raise NotSignedIn(Message("Sign in or send a token."))
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
    _touch_token(found)
    whole = _require_second_factor(found.caller)
    whole = replace(whole, email_confirmed=whole.email_confirmed or settings().mail_url is None)
    if found.event_ids is not None:
        whole = whole.restrict_to_events(found.event_ids)
    if request.method in SAFE_METHODS or whole.has_scope(Scope.ORGANISE):
        return whole
    # For unsafe requests, a token without the `organise` scope grants only the permissions of an ordinary member.
    return whole.as_plain_member()


def _touch_token(found: TokenCaller) -> None:
    """Record that an access token was used, at most once per hour."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    if found.last_used_at != hour:
        database, token_id = services().database, str(found.caller.token_id)
        services().background.submit(partial(_record_token_use, database, token_id, hour))


def _record_token_use(database: Database, token_id: str, hour: datetime) -> None:
    with database.unit_of_work() as unit:
        members.record_token_use(unit.session, token_id, hour=hour)


def _require_second_factor(found: Caller) -> Caller:
    """Return the caller without a site-wide role if the site requires a second factor that the caller lacks."""
    if not settings().require_second_factor:
        return replace(found, lacks_second_factor=False)
    return found.without_site_role() if found.lacks_second_factor else found


def _caller_by_cookie() -> Caller:
    # Without a session cookie, the session is not accessed, because access would add "Vary: Cookie" to the response.
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return ANONYMOUS
    with read_session() as reader:
        stored = browser_sessions.find_stored_session(reader)
        if stored is None or stored.row.pending:
            return ANONYMOUS
        member = stored.member
        teams = team_roles_by_event(reader, member.id)
        must_have_totp = settings().require_second_factor and member.role is not Role.MEMBER
        found = Caller(
            member_id=member.id,
            role=member.role,
            organised_event_ids=frozenset(event for event, role in teams.items() if role == TeamRole.ORGANISER),
            reviewed_event_ids=frozenset(event for event, role in teams.items() if role == TeamRole.REVIEWER),
            email_confirmed=is_email_confirmed(member),
            lacks_second_factor=must_have_totp and find_totp_secret(reader, member.id) is None,
        )
        return _require_second_factor(found)


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
    """Return whether the current user has recently authenticated again in a browser that was already signed in."""
    stored = browser_sessions.find_stored_session()
    if stored is None or stored.row.reauthenticated_at is None:
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
    return str(token_serializer(_CSRF_SALT).dumps(browser_sessions.csrf_secret()))


def check_csrf() -> None:
    """Check the CSRF token in the X-CSRF-Token header or the `csrf_token` form field. Raises CsrfFailed."""
    given = request.headers.get("X-CSRF-Token")
    if given is None and request.mimetype in _FORM_MEDIA_TYPES:
        given = request.form.get("csrf_token")
    try:
        # The age of the token is not checked, because a CSRF token is valid for the whole session.
        secret = token_serializer(_CSRF_SALT).loads(given or "")
    except BadData:
        secret = None
    if not isinstance(secret, str) or not browser_sessions.is_csrf_secret(secret):
        log_rejected_request(SecurityEvent.CSRF_FAILED)
        raise CsrfFailed(Message("Send the X-CSRF-Token header with the `csrf_token` from the sign-in response."))


def clear_session_cookie() -> None:
    browser_sessions.delete_session_cookie()
    g.pop("caller", None)
