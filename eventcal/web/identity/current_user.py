"""The current user, identified by access token or session; starting and ending sessions; CSRF tokens."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from flask import current_app, g, request
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from eventcal.events.queries import find_caller_by_token, team_roles_by_event
from eventcal.events.words import TeamRole
from eventcal.kit.refusals import Forbidden, Message
from eventcal.members.caller import ANONYMOUS, Caller
from eventcal.members.errors import CsrfFailed, InvalidToken, NotSignedIn
from eventcal.members.models import Member
from eventcal.members.sessions import end_sessions
from eventcal.members.words import Role, Scope
from eventcal.web.request import sessions
from eventcal.web.request.context import now, reading, services, settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# The salt of Flask-WTF, so that forms rendered before it was replaced are still accepted.
_CSRF_SALT = "wtf-csrf-token"
_PROVED_FOR = timedelta(minutes=15)


def caller() -> Caller:
    """Return the caller, identified by access token, else by session cookie, else VISITOR. Cached for the request.

    Raises InvalidToken if the token is unknown, revoked or expired.
    """
    if "caller" not in g:
        token = bearer()
        g.caller = _caller_by_cookie() if token is None else _caller_by_token(token)
    return cast("Caller", g.caller)


def current_member_id() -> str:
    """Return the id of the current user. Raises NotSignedIn."""
    member_id = caller().member_id
    if member_id is None:
        raise NotSignedIn(Message("Sign in first, or send a token."))
    return member_id


def current_member(unit: Session) -> Member:
    """Return the current user, loaded in this database session. Raises NotSignedIn."""
    found = unit.get(Member, current_member_id())
    if found is None:
        raise NotSignedIn(Message("This account is gone."))
    return found


def bearer() -> str | None:
    """Return the bearer token in the Authorization header (RFC 6750, section 2.1), or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _caller_by_token(token: str) -> Caller:
    with services().database.autocommit_connection() as connection:
        found = find_caller_by_token(connection, token, now=now())
    if found is None:
        raise InvalidToken(Message("This token is unknown, revoked or too old; make another at /api/v1/me/tokens."))
    whole = replace(found, email_confirmed=found.email_confirmed or settings().mail_url is None)
    if request.method in SAFE or whole.has_scope(Scope.ORGANISE):
        return whole
    # With a narrower scope, unsafe requests have the permissions of a plain member only.
    return replace(whole, role=Role.MEMBER, organised_event_ids=frozenset(), reviewed_event_ids=frozenset())


def _caller_by_cookie() -> Caller:
    # Do not access the session without a cookie, because this would add "Vary: Cookie" to the response.
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return ANONYMOUS
    with reading() as reader:
        stored = sessions.find_stored(reader)
        if stored is None or stored.row.pending:
            return ANONYMOUS
        teams = team_roles_by_event(reader, stored.member.id)
        return Caller(
            member_id=stored.member.id,
            role=stored.member.role,
            organised_event_ids=frozenset(event for event, role in teams.items() if role == TeamRole.ORGANISER),
            reviewed_event_ids=frozenset(event for event, role in teams.items() if role == TeamRole.REVIEWER),
            email_confirmed=is_confirmed(stored.member),
        )


def is_confirmed(member_row: Member) -> bool:
    """Return whether the member's email address is confirmed. Without email, every address counts as confirmed."""
    return settings().mail_url is None or member_row.confirmed_at is not None


def sign_in(found: Member) -> str:
    """Start a new session for the member, replacing the one of this browser, and return its CSRF token.

    Call this after the unit of work has committed. Raises NotSignedIn if the account has just been deleted.
    """
    sessions.start(found)
    g.pop("caller", None)
    return csrf_token()


def recently_authenticated() -> bool:
    """Return whether the current user has authenticated recently, so that an unattended browser cannot be misused."""
    stored = sessions.find_stored()
    return stored is not None and timedelta() <= services().clock.now() - stored.row.reauthenticated_at < _PROVED_FOR


def sign_out() -> None:
    """End this browser's session, if there is one, and delete its cookie. Raises Forbidden, CsrfFailed."""
    if caller().scopes is not None:
        raise Forbidden(Message("A token has no session to end; revoke it at /api/v1/me/tokens."))
    if caller().is_signed_in:
        check_csrf()
    if current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        sessions.end()
        g.pop("caller", None)


def current_session_id() -> str | None:
    """Return the id of the session of this request, or None without a member's session cookie."""
    stored = sessions.find_stored()
    return None if stored is None else stored.row.id


def end_other_sessions(unit: Session, found: Member) -> None:
    """End all sessions of a member except the current one."""
    end_sessions(unit, found, except_id=current_session_id())


def csrf_token() -> str:
    """Return the CSRF token of this browser's session, which anonymous users also have."""
    return str(_csrf_serializer().dumps(sessions.csrf_secret()))


def check_csrf() -> None:
    """Check the CSRF token in X-CSRF-Token or the form field csrf_token. Raises CsrfFailed."""
    given = request.headers.get("X-CSRF-Token")
    if given is None and request.mimetype in _FORMS:
        given = request.form.get("csrf_token")
    try:
        # A token is valid as long as its session, so its age is not checked.
        secret = _csrf_serializer().loads(given or "")
    except BadData:
        secret = None
    if not isinstance(secret, str) or not sessions.is_csrf_secret(secret):
        raise CsrfFailed(Message("Send X-CSRF-Token with the csrf_token that signing in gave."))


def forget_session() -> None:
    """Delete the cookie of a session that was ended by deleting the member or the session."""
    sessions.forget()
    g.pop("caller", None)


def _csrf_serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt=_CSRF_SALT)
