"""Who calls: the holder of a token, or the member whose session cookie it is; that cookie and its CSRF token."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, cast

from flask import current_app, g, request, session
from flask_security import login_user as remember_in_session
from flask_wtf.csrf import generate_csrf, validate_csrf
from sqlalchemy.orm import Session

from eventcal.events.holders import find_token_caller
from eventcal.events.queries import teams_of
from eventcal.events.words import TeamRole
from eventcal.kit.refusals import Forbidden
from eventcal.kit.sentences import Sentence
from eventcal.members.caller import VISITOR, Caller
from eventcal.members.errors import CsrfRefused, InvalidToken, NotSignedIn
from eventcal.members.models import Member
from eventcal.members.queries import find_active_member
from eventcal.members.words import Role, Scope
from eventcal.web.request.context import house, now, reading, settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# Flask-Login's name in the session. Read here and not through current_user, whose way to the session leads past its
# remember cookie: not ours, and not proof against bytes that are not ASCII.
_WHO = "_user_id"
_PROVED_FOR = timedelta(minutes=15)


@dataclass(frozen=True)
class Visit:
    """Who calls, and what shows it."""

    caller: Caller = VISITOR
    by: Literal["nothing", "cookie", "token"] = "nothing"


def caller() -> Caller:
    """Return who calls: the holder of the token, else the member whose cookie it is, else VISITOR.

    Raises InvalidToken for a token that is none, or no longer.
    """
    return visit().caller


def current_member_id() -> str:
    """Return the id of the member who calls. Raises NotSignedIn."""
    member_id = caller().member_id
    if member_id is None:
        raise NotSignedIn(Sentence("Sign in first, or send a token."))
    return member_id


def current_member(unit: Session) -> Member:
    """Return the row of the member who calls, of this session. Raises NotSignedIn."""
    found = unit.get(Member, current_member_id())
    if found is None:
        raise NotSignedIn(Sentence("This account is gone."))
    return found


def load_signed_in(key: str) -> Member | None:
    """Return the active member whose sessions hold this key, read in a short session of its own."""
    with reading() as reader:
        return find_active_member(reader, key)


def visit() -> Visit:
    """Return who calls, looked at once. Raises InvalidToken."""
    if "visit" not in g:
        token = bearer()
        g.visit = _visit_by_cookie() if token is None else _visit_by_token(token)
    return cast("Visit", g.visit)


def bearer() -> str | None:
    """Return the token in the Authorization header (RFC 6750, 2.1); another scheme is none of ours."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _visit_by_token(token: str) -> Visit:
    with house().database.glance() as connection:
        found = find_token_caller(connection, token, now=now())
    if found is None:
        raise InvalidToken(Sentence("This token is unknown, revoked or too old; make another at /api/v1/me/tokens."))
    whole = replace(found, confirmed=found.confirmed or settings().mail_url is None)
    if request.method in SAFE or whole.holds(Scope.ORGANISE):
        return Visit(whole, "token")
    # It changes what a plain member may change, whatever else its member is.
    return Visit(replace(whole, role=Role.MEMBER, organises=frozenset(), reviews=frozenset()), "token")


def _visit_by_cookie() -> Visit:
    # A session that is not looked at does not make the answer vary by cookie.
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return Visit()
    key = session.get(_WHO)
    if not isinstance(key, str):
        return Visit()
    with reading() as reader:
        found = find_active_member(reader, key)
        return Visit() if found is None else Visit(_caller_of(reader, found), "cookie")


def _caller_of(reader: Session, member_row: Member) -> Caller:
    teams = teams_of(reader, member_row.id)
    return Caller(
        member_id=member_row.id,
        role=member_row.role,
        organises=frozenset(event for event, role in teams.items() if role == TeamRole.ORGANISER),
        reviews=frozenset(event for event, role in teams.items() if role == TeamRole.REVIEWER),
        confirmed=is_confirmed(member_row),
    )


def is_confirmed(member_row: Member) -> bool:
    """Say whether the member need not confirm their address (any more): without mail nobody can."""
    return settings().mail_url is None or member_row.confirmed_at is not None


def sign_in(found: Member) -> str:
    """Begin a new session for the member and return its CSRF token; call it after the unit has committed."""
    end_session()
    session.permanent = True
    session["day"] = _today()
    prove()
    remember_in_session(found, remember=False, authn_via=["password"])
    return csrf_token()


def prove() -> None:
    """Note that the member has just shown who they are."""
    session["proved_at"] = house().clock.now().timestamp()


def has_proved_lately() -> bool:
    """Say whether the member showed within some minutes who they are: a browser left alone must not be enough."""
    age = house().clock.now().timestamp() - session.get("proved_at", 0)
    return bool(0 <= age < _PROVED_FOR.total_seconds())


def sign_out() -> None:
    """End this browser's session, if there is one, and take its cookie back. Raises Forbidden, CsrfRefused."""
    here = visit()
    if here.by == "token":
        raise Forbidden(Sentence("A token has no session to end; revoke it at /api/v1/me/tokens."))
    if here.by == "cookie":
        check_csrf()
    if current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        end_session()


def csrf_token() -> str:
    """Return the CSRF token of this session, for whoever is signed in."""
    return cast("str", generate_csrf())


def check_csrf() -> None:
    """Refuse a call whose X-CSRF-Token, or form field csrf_token, is not this session's (CsrfRefused)."""
    given = request.headers.get("X-CSRF-Token")
    if given is None and request.mimetype in _FORMS:
        given = request.form.get("csrf_token")
    try:
        validate_csrf(given)
    except ValueError as refused:  # WTForms' ValidationError is one
        raise CsrfRefused(Sentence("Send X-CSRF-Token with the csrf_token that signing in gave.")) from refused


def renew() -> None:
    """Sign the cookie anew once a day, so that fourteen days count from the last visit.

    Not on public pages: an answer that caches may keep sets no cookie.
    """
    if session.get("day") != _today():
        session["day"] = _today()


def _today() -> str:
    return house().clock.now().date().isoformat()


def end_session() -> None:
    """Forget everything, the CSRF secret too: what was planted before the sign-in must not outlive it."""
    session.clear()
    g.pop("csrf_token", None)
    g.pop("visit", None)
