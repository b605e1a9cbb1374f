"""Permissions: one table of all routes, checked for every kind of caller with every kind of credentials.

Each row of ACCESS is a request with an empty body, or with a form that has only the given field. A caller without
permission must receive 401, 403, 404 or a redirect to the sign-in page, but never an error about the body or the query
string.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import event as listeners
from sqlalchemy.engine import Connection
from werkzeug.routing import Rule

from eventcal.events.enums import TeamRole
from eventcal.members.enums import Role, Scope
from eventcal.members.models import Member, Passkey
from eventcal.web.identity.current_user import csrf_token, sign_in
from eventcal.web.identity.permissions import AccessRule
from eventcal.web.request import browser_sessions
from tests import sample_calendar
from tests.api_client import (
    ApiClient,
    ApiResponse,
    add_team_member,
    create_browser_client,
    create_session_client,
    create_token_client,
    get_row,
)
from tests.clocks import NOON
from tests.factories import make_event, make_member
from tests.http_app import database_of, write_session


class Who(StrEnum):
    """The kinds of callers."""

    ANONYMOUS = "anonymous"
    SIGNING_IN = "signing in"  # a member who has entered the password, but no second factor
    UNCONFIRMED = "unconfirmed"  # a member whose email address is not confirmed
    MEMBER = "member"  # a member who owns nothing in the sample calendar
    OWNER = "owner"  # the member who submitted the talks, speaks at them, enquired, and proposed the hidden events
    REVIEWER = "reviewer"
    ORGANISER = "organiser"
    ELSEWHERE = "elsewhere"  # the organiser of another event
    MODERATOR = "moderator"
    ADMIN = "admin"
    SUSPENDED = "suspended"  # a suspended administrator and organiser


NOT_SIGNED_IN = frozenset({Who.ANONYMOUS, Who.SIGNING_IN, Who.SUSPENDED})
SIGNED_IN = frozenset(Who) - NOT_SIGNED_IN
CONFIRMED = SIGNED_IN - {Who.UNCONFIRMED}
MODERATORS = frozenset({Who.MODERATOR, Who.ADMIN})
ORGANISERS = MODERATORS | {Who.ORGANISER}
REVIEWERS = ORGANISERS | {Who.REVIEWER}
OWNER = frozenset({Who.OWNER})
EVERYONE = frozenset(Who)
NOBODY: frozenset[Who] = frozenset()


class Token(StrEnum):
    """How a route treats access tokens, apart from routes that require a scope."""

    IGNORED = "ignored"  # the response does not depend on credentials
    OPTIONAL = "optional"  # invalid tokens are rejected, and any scope is sufficient
    REJECTED = "rejected"  # the route requires a session


@dataclass(frozen=True)
class Access:
    """Who is allowed to send a request, and the scope of the access token that it requires.

    All other callers receive 403 if they are in `visible_to`, or else 404 as for a resource that does not exist. If the
    request `is_sign_in`, all other callers have to sign in.
    """

    allowed: frozenset[Who]
    token: Scope | Token = Token.REJECTED
    visible_to: frozenset[Who] = EVERYONE
    is_sign_in: bool = False


_CALENDAR_URL = quote("http://127.0.0.1:8000/calendar.ics", safe="")
_SUMMIT_URL = quote("http://127.0.0.1:8000/events/summit", safe="")

# To add a route, add a row for a request to it. The paths contain the names of objects in tests/sample_calendar.py.
ACCESS: Mapping[Access, tuple[str, ...]] = {
    # -- public responses that do not depend on the caller -------------------------------------------------------------
    Access(EVERYONE, Token.IGNORED): (
        "GET /",
        "GET /calendar.atom",
        "GET /calendar.csv",
        "GET /calendar.ics",
        "GET /calendar.jcal",
        "GET /calendar.jscal",
        "GET /calendar.xcal",
        "GET /deadlines.ics",
        "GET /deadlines.jcal",
        "GET /deadlines.jscal",
        "GET /deadlines.xcal",
        "GET /embed",
        "GET /embed.js",
        "GET /embed/listing",
        "GET /events/summit",
        "GET /events/summit.atom",
        "GET /events/summit.ics",
        "GET /events/summit.jcal",
        "GET /events/summit.jscal",
        "GET /events/summit.xcal",
        "GET /events/summit/schedule",
        "GET /events/summit/schedule.json",
        "GET /events/summit/schedule.xml",
        "GET /favicon.ico",
        "GET /feeds/feed-secret.ics",
        "GET /feeds/feed-secret.jcal",
        "GET /feeds/feed-secret.jscal",
        "GET /feeds/feed-secret.xcal",
        f"GET /feeds/check?url={_CALENDAR_URL}",
        "GET /healthz",
        "GET /language/de",
        f"GET /oembed?url={_SUMMIT_URL}",
        "GET /readyz",
        "GET /robots.txt",
        "GET /sitemap-1.xml",
        "GET /sitemap.xml",
        "GET /speakers/ada",
        "GET /speakers/ada.ics",
        "GET /speakers/ada.jcal",
        "GET /speakers/ada.jscal",
        "GET /speakers/ada.xcal",
        "GET /static/site.css",
        "GET /subscribe",
        "GET /talks/confirmed",
        "GET /talks/confirmed.ics",
        "GET /talks/confirmed.jcal",
        "GET /talks/confirmed.jscal",
        "GET /talks/confirmed.xcal",
    ),
    # Public pages and feeds do not show hidden objects, not even to callers who may see them.
    Access(NOBODY, Token.IGNORED, visible_to=NOBODY): (
        "GET /events/proposed",
        "GET /events/proposed.atom",
        "GET /events/proposed.ics",
        "GET /events/proposed/schedule",
        "GET /events/proposed/schedule.json",
        "GET /events/proposed/schedule.xml",
        "GET /feeds/unknown-secret.ics",
        f"GET /media/{'0' * 64}",
        "GET /metrics",
        "GET /speakers/twin",
        "GET /speakers/twin.ics",
        "GET /talks/submitted",
        "GET /talks/submitted.ics",
    ),
    # -- public responses of the API, and forms without a current user -------------------------------------------------
    Access(EVERYONE, Token.OPTIONAL): (
        "GET /api/v1/changes",
        "GET /api/v1/docs",
        "GET /api/v1/events",
        "GET /api/v1/events/summit",
        "GET /api/v1/events/summit/occurrences",
        "GET /api/v1/events/summit/rooms",
        "GET /api/v1/events/summit/sponsors",
        "GET /api/v1/events/summit/talks",
        "GET /api/v1/events/summit/tiers",
        "GET /api/v1/events/summit/tracks",
        "GET /api/v1/openapi.json",
        "GET /api/v1/speakers",
        "GET /api/v1/speakers/ada",
        "GET /api/v1/sponsors/rackspace",
        "GET /api/v1/talks",
        "GET /api/v1/talks/confirmed",
        "GET /confirm",
        "GET /invitations/invitation-ada",
        "GET /login",
        "GET /me/account/deleted",
        "GET /register",
        "GET /reset",
        "POST /api/v1/auth/confirm",
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/register",
        "POST /api/v1/auth/reset",
        "POST /api/v1/auth/reset/confirm",
    ),
    # Forms require the CSRF token of a session.
    Access(EVERYONE): (
        "POST /api/v1/auth/logout",
        "POST /confirm",
        "POST /invitations/invitation-ada do=decline",
        "POST /login",
        "POST /logout",
        "POST /register",
        "POST /reset",
    ),
    Access(frozenset({Who.SIGNING_IN}), is_sign_in=True): ("GET /login/code", "POST /login/code"),
    Access(NOBODY, is_sign_in=True): ("POST /login/passkey",),
    Access(REVIEWERS, Token.OPTIONAL): ("GET /api/v1/events/summit/talks?state=submitted",),
    Access(MODERATORS, Token.OPTIONAL): ("GET /api/v1/events?status=pending",),
    Access(OWNER | MODERATORS, Token.OPTIONAL, visible_to=NOBODY): (
        "GET /api/v1/events/proposed",
        "GET /api/v1/events/proposed/occurrences",
        "GET /api/v1/events/proposed/rooms",
        "GET /api/v1/events/proposed/sponsors",
        "GET /api/v1/events/proposed/talks",
        "GET /api/v1/events/proposed/tiers",
        "GET /api/v1/events/proposed/tracks",
    ),
    Access(OWNER, Token.OPTIONAL, visible_to=NOBODY): ("GET /api/v1/talks/draft",),
    Access(OWNER | REVIEWERS, Token.OPTIONAL, visible_to=NOBODY): ("GET /api/v1/talks/submitted",),
    Access(MODERATORS, Token.OPTIONAL, visible_to=NOBODY): (
        "GET /api/v1/speakers/twin",
        "GET /api/v1/sponsors/citrix",
    ),
    # -- members -------------------------------------------------------------------------------------------------------
    Access(SIGNED_IN, Scope.READ): (
        "GET /api/v1/me",
        "GET /api/v1/me/feeds",
        "GET /api/v1/me/events",
        "GET /api/v1/me/invitations",
        "GET /api/v1/me/sponsorships",
        "GET /api/v1/me/stars",
        "GET /api/v1/me/talks",
    ),
    Access(SIGNED_IN, Scope.SUBMIT): (
        "DELETE /api/v1/me/stars/confirmed",
        "PATCH /api/v1/me",
        "POST /api/v1/me/feeds",
        "PUT /api/v1/me/stars/confirmed",
    ),
    Access(CONFIRMED, Scope.SUBMIT): (
        "POST /api/v1/events",
        "POST /api/v1/events/summit/sponsorships",
        "POST /api/v1/events/summit/talks",
    ),
    Access(SIGNED_IN): (
        "DELETE /api/v1/me",
        "DELETE /api/v1/me/sessions",
        "GET /api/v1/me/sessions",
        "GET /api/v1/me/tokens",
        "GET /me",
        "GET /me/account",
        "GET /me/account/delete",
        "GET /me/account/email",
        "GET /me/feeds",
        "GET /me/security",
        "GET /me/security/again",
        "GET /me/security/app",
        "GET /me/security/app/off",
        "GET /me/security/codes",
        "GET /me/security/passkeys/new",
        "GET /me/speaker",
        "GET /me/stars",
        "GET /me/stars/confirmed",
        "GET /me/tokens",
        "GET /organise",
        "GET /propose",
        "GET /submit",
        "POST /api/v1/auth/password",
        "POST /api/v1/me/tokens",
        "POST /me/account",
        "POST /me/account/confirmation",
        "POST /me/account/delete",
        "POST /me/account/email",
        "POST /me/account/password",
        "POST /me/feeds",
        "POST /me/security/again",
        "POST /me/security/app",
        "POST /me/security/app/off",
        "POST /me/security/codes",
        "POST /me/security/passkeys/new",
        "POST /me/security/sessions",
        "POST /me/stars/confirmed",
        "POST /me/tokens",
    ),
    Access(CONFIRMED): ("POST /propose", "POST /submit event=summit"),
    # -- objects that belong to a member -------------------------------------------------------------------------------
    Access(OWNER, visible_to=NOBODY): (
        "DELETE /api/v1/me/sessions/session-old",
        "DELETE /api/v1/me/tokens/token-old",
        "GET /me/feeds/feed-phone",
        "GET /me/security/passkeys/passkey-ada",
        "GET /me/talks/draft",
        "GET /me/talks/submitted/withdraw",
        "GET /me/tokens/token-old",
        "POST /me/feeds/feed-phone",
        "POST /me/security/passkeys/passkey-ada",
        "POST /me/security/sessions/session-old",
        "POST /me/speaker",
        "POST /me/talks/draft",
        "POST /me/tokens/token-old",
    ),
    Access(OWNER, Scope.SUBMIT, visible_to=NOBODY): ("DELETE /api/v1/me/feeds/feed-phone",),
    # No response tells unconfirmed members which invitations exist.
    Access(OWNER, Scope.SUBMIT, visible_to=frozenset({Who.UNCONFIRMED})): (
        "POST /api/v1/me/invitations/invited-ada/accept",
        "POST /api/v1/me/invitations/invited-ada/decline",
    ),
    Access(OWNER, visible_to=frozenset({Who.UNCONFIRMED})): ("POST /me/invitations/invited-ada do=accept",),
    Access(OWNER | ORGANISERS, Scope.READ, visible_to=NOBODY): ("GET /api/v1/sponsorships/enquiry",),
    Access(OWNER | ORGANISERS, Scope.SUBMIT, visible_to=OWNER | REVIEWERS): (
        "PATCH /api/v1/talks/submitted",
        "POST /api/v1/talks/withdrawn/reinstate",
    ),
    Access(OWNER | ORGANISERS, Scope.SUBMIT): ("PATCH /api/v1/talks/confirmed",),
    Access(OWNER, Scope.SUBMIT, visible_to=OWNER): ("DELETE /api/v1/talks/draft", "POST /api/v1/talks/draft/submit"),
    Access(OWNER, Scope.SUBMIT): ("POST /api/v1/talks/confirmed/confirm", "POST /api/v1/talks/confirmed/withdraw"),
    Access(OWNER | MODERATORS, Scope.SUBMIT, visible_to=NOBODY): ("POST /api/v1/events/proposed/talks",),
    Access(OWNER | MODERATORS, Scope.SUBMIT): (
        "DELETE /api/v1/speakers/ada/photo",
        "PATCH /api/v1/speakers/ada",
        "PUT /api/v1/speakers/ada/photo",
    ),
    Access(MODERATORS, Scope.SUBMIT, visible_to=MODERATORS): ("PATCH /api/v1/speakers/twin",),
    Access(OWNER | MODERATORS): ("GET /speakers/ada/edit", "POST /speakers/ada/edit"),
    # -- organisers and reviewers --------------------------------------------------------------------------------------
    Access(ORGANISERS, Scope.ORGANISE): (
        "DELETE /api/v1/events/summit",
        "DELETE /api/v1/events/summit/team/invitations/invited-ada",
        "DELETE /api/v1/events/summit/team/member-olga",
        "DELETE /api/v1/rooms/attic",
        "DELETE /api/v1/tiers/silver",
        "DELETE /api/v1/tracks/security",
        "GET /api/v1/events/summit/sponsorships",
        "GET /api/v1/events/summit/team",
        "PATCH /api/v1/events/summit",
        "PATCH /api/v1/rooms/attic",
        "PATCH /api/v1/tiers/silver",
        "PATCH /api/v1/tracks/security",
        "POST /api/v1/events/summit/cancel",
        "POST /api/v1/events/summit/talks/decide",
        "POST /api/v1/events/summit/rooms",
        "POST /api/v1/events/summit/tiers",
        "POST /api/v1/events/summit/tracks",
        "POST /api/v1/talks/confirmed/cancel",
        "PUT /api/v1/events/summit/team",
        "PUT /api/v1/events/summit/team/member-olga",
    ),
    Access(ORGANISERS, Scope.ORGANISE, visible_to=OWNER | REVIEWERS): (
        "POST /api/v1/talks/submitted/accept",
        "POST /api/v1/talks/submitted/reject",
        "POST /api/v1/talks/submitted/waitlist",
    ),
    Access(ORGANISERS, Scope.ORGANISE, visible_to=OWNER | ORGANISERS): (
        "POST /api/v1/sponsorships/enquiry/cancel",
        "POST /api/v1/sponsorships/enquiry/confirm",
    ),
    Access(OWNER | MODERATORS, Scope.ORGANISE, visible_to=NOBODY): (
        "DELETE /api/v1/events/proposed",
        "GET /api/v1/events/proposed/sponsorships",
        "GET /api/v1/events/proposed/team",
        "PATCH /api/v1/events/proposed",
        "POST /api/v1/events/proposed/cancel",
        "POST /api/v1/events/proposed/rooms",
        "POST /api/v1/events/proposed/tiers",
        "POST /api/v1/events/proposed/tracks",
        "PUT /api/v1/events/proposed/team",
    ),
    Access(MODERATORS, Scope.ORGANISE): ("POST /api/v1/talks/announced/cancel",),
    Access(MODERATORS, Scope.ORGANISE, visible_to=OWNER | REVIEWERS): (
        "POST /api/v1/talks/offered/accept",
        "POST /api/v1/talks/offered/reject",
    ),
    Access(REVIEWERS): (
        "GET /organise/summit",
        "GET /organise/summit/schedule",
        "GET /organise/summit/talks/submitted",
    ),
    Access(ORGANISERS): (
        "GET /organise/summit/decide?do=accept&talk=submitted",
        "GET /organise/summit/event",
        "GET /organise/summit/parts",
        "GET /organise/summit/parts/attic/remove",
        "GET /organise/summit/publishing",
        "GET /organise/summit/publishing/cancel",
        "GET /organise/summit/sponsors",
        "GET /organise/summit/sponsors/enquiry/cancel",
        "GET /organise/summit/sponsors/tiers/silver/remove",
        "GET /organise/summit/team",
        "GET /organise/summit/team/member-olga/remove",
        "POST /organise/summit/decide do=accept",
        "POST /organise/summit/event",
        "POST /organise/summit/parts do=add-track",
        "POST /organise/summit/publishing do=cancel",
        "POST /organise/summit/schedule",
        "POST /organise/summit/sponsors do=add-tier",
        "POST /organise/summit/talks/submitted",
        "POST /organise/summit/team do=add",
    ),
    Access(OWNER | MODERATORS, visible_to=NOBODY): ("GET /organise/proposed", "POST /organise/proposed/event"),
    # -- moderators ----------------------------------------------------------------------------------------------------
    # All other callers are rejected with 403, even if the object does not exist.
    Access(MODERATORS, Scope.ADMIN): (
        "DELETE /api/v1/sponsors/rackspace/logo",
        "PATCH /api/v1/members/member-ada",
        "PATCH /api/v1/sponsors/rackspace",
        "POST /api/v1/events/proposed/publish",
        "POST /api/v1/events/summit/redact",
        "POST /api/v1/members/member-ada/reinstate",
        "POST /api/v1/members/member-ada/suspend",
        "POST /api/v1/speakers/ada/merge",
        "POST /api/v1/talks/confirmed/redact",
        "PUT /api/v1/sponsors/rackspace/logo",
    ),
    Access(frozenset({Who.ADMIN}), Scope.ADMIN): (
        "GET /api/v1/members",
        "GET /api/v1/members/member-ada",
        "POST /api/v1/members/member-ada/end-sessions",
    ),
    Access(MODERATORS): (
        "GET /organise/summit/talks/submitted/redact",
        "GET /sponsors/rackspace/edit",
        "POST /organise/summit/talks/submitted/redact",
        "POST /sponsors/rackspace/edit",
    ),
}


ROWS = {request: access for access, requests in ACCESS.items() for request in requests}


def test_every_row_is_listed_once() -> None:
    assert sum(map(len, ACCESS.values())) == len(ROWS)


def test_every_route_has_a_row(app: Flask) -> None:
    routes = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in _methods(rule)}
    covered = {(request.partition(" ")[0], _match_rule(app, request).rule) for request in ROWS}
    missing = sorted(f"{method} {rule}" for method, rule in routes - covered)
    assert not missing, (
        f"Add a row to ACCESS in {__name__}, which states who may call the route, for each of: {', '.join(missing)}"
    )


def test_every_route_has_an_access_decorator(app: Flask) -> None:
    ours = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}
    unmarked = {name for name in ours if not isinstance(getattr(app.view_functions[name], "access", None), AccessRule)}
    assert unmarked == set()


def _methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def _match_rule(app: Flask, request: str) -> Rule:
    method, url, *_form = request.split(" ")
    matched: Rule = app.url_map.bind("127.0.0.1").match(url.partition("?")[0], method, return_rule=True)[0]
    return matched


# -- the callers -------------------------------------------------------------------------------------------------------


@pytest.fixture
def members(mailing_app: Flask) -> Mapping[Who, Member]:
    """Fill the sample calendar; return a member of each kind. Email is enabled, so that confirmation is required."""
    sample_calendar.create_sample_calendar(mailing_app)
    with write_session(mailing_app) as session:
        make_event(session, slug="elsewhere")
        people = {
            Who.UNCONFIRMED: make_member(session, email="una@example.org", confirmed_at=None),
            Who.MEMBER: make_member(session, email="mallory@example.org"),
            Who.REVIEWER: make_member(session, email="rita@example.org"),
            Who.ORGANISER: make_member(session, id="member-olga", email="olga@example.org"),
            Who.ELSEWHERE: make_member(session, email="else@example.org"),
            Who.ADMIN: make_member(session, email="adam@example.org", role=Role.ADMIN),
            Who.SUSPENDED: make_member(session, email="sue@example.org", role=Role.ADMIN),
        }
        session.add(
            Passkey(
                id="passkey-ada",
                member_id="member-ada",
                user_handle=b"ada",
                credential_id=b"credential",
                public_key=b"key",
                sign_count=0,
                transports=[],
                name="A key",
                created_at=NOON,
            )
        )
        add_team_member(session, people[Who.ELSEWHERE], "elsewhere")
        for slug in ("summit", "hackday"):
            add_team_member(session, people[Who.REVIEWER], slug, role=TeamRole.REVIEWER)
            add_team_member(session, people[Who.ORGANISER], slug)
            add_team_member(session, people[Who.SUSPENDED], slug)
    return people | {
        Who.OWNER: get_row(mailing_app, Member, id="member-ada"),
        Who.MODERATOR: get_row(mailing_app, Member, id="member-mo"),
    }


def start_pending_session(member: Member) -> str:
    """Start the session of a member whose second factor is required; return its CSRF token."""
    browser_sessions.start_session(member, pending=True)
    return csrf_token()


def start_reauthenticated_session(member: Member) -> str:
    """Start the session of a member who has authenticated again; return its CSRF token."""
    sign_in(member)
    return sign_in(member)


def suspend(app: Flask, member: Member) -> None:
    with write_session(app) as session:
        session.get_one(Member, member.id).active = False


@contextmanager
def roll_back_transactions(app: Flask) -> Iterator[None]:
    """Roll back every transaction, so that each request finds the same database."""

    def undo(connection: Connection) -> None:
        connection.connection.rollback()

    engine = database_of(app).engine
    listeners.listen(engine, "commit", undo)
    try:
        yield
    finally:
        listeners.remove(engine, "commit", undo)


def send(caller: ApiClient, request: str) -> ApiResponse:
    method, url, *form = request.split(" ")
    if form:
        caller = caller.with_headers(Content_Type="application/x-www-form-urlencoded")
    is_json = url.startswith("/api/") and method != "GET"
    return caller.call(method, f"http://127.0.0.1:8000{url}", {} if is_json else "".join(form).encode())


# -- the outcomes ------------------------------------------------------------------------------------------------------

ALLOWED, SIGN_IN = "allowed", "redirect to sign-in"


def outcome(response: ApiResponse) -> str:
    if response.status == 303 and response.headers["Location"].startswith("/login?next="):
        return SIGN_IN
    return str(response.status) if response.status in {401, 403, 404} else ALLOWED


def expected_outcome(request: str, access: Access, who: Who) -> str:
    """Return the expected outcome of a request with a session cookie, or without credentials."""
    if who in access.allowed:
        return ALLOWED
    if access.is_sign_in or (who in NOT_SIGNED_IN and access.token not in {Token.IGNORED, Token.OPTIONAL}):
        return SIGN_IN if request.startswith("GET ") and " /api/" not in request else "401"
    if who not in access.visible_to:
        return "404"
    return "401" if who in NOT_SIGNED_IN else "403"


def expected_outcome_with_token(request: str, access: Access, who: Who, scope: Scope) -> str:
    """Return the expected outcome of a request with an access token of this scope."""
    order = list(Scope).index
    if access.token == Token.IGNORED:
        return expected_outcome(request, access, Who.ANONYMOUS)
    if who == Who.SUSPENDED:
        return "401"
    if request == "GET /login/code":
        return SIGN_IN
    if access.token == Token.REJECTED or (isinstance(access.token, Scope) and order(scope) < order(access.token)):
        return "403"
    is_team_member = who in REVIEWERS | {Who.ELSEWHERE} or (who == Who.OWNER and "/proposed" in request)
    if is_team_member and order(scope) < order(Scope.ORGANISE) and not request.startswith("GET "):
        # With such a token, a member may change only what an ordinary member may change.
        who = Who.MEMBER
    return expected_outcome(request, access, who)


def check_outcomes(app: Flask, caller: ApiClient, expected: Mapping[str, str]) -> None:
    with roll_back_transactions(app):
        seen = {request: outcome(send(caller, request)) for request in expected}
    wrong = [
        f"{request}: {seen[request]} instead of {expected[request]}"
        for request in seen
        if seen[request] != expected[request]
    ]
    assert not wrong, "\n".join(wrong)


# One caller is tested with both database systems.
@pytest.mark.parametrize(
    "who", [*sorted(set(Who) - {Who.ADMIN}), pytest.param(Who.ADMIN, marks=pytest.mark.both_databases)]
)
def test_each_caller_may_send_exactly_the_requests_in_the_table(
    mailing_app: Flask, members: Mapping[Who, Member], who: Who
) -> None:
    if who == Who.ANONYMOUS:
        caller = create_browser_client(mailing_app, csrf_token)
    elif who == Who.SIGNING_IN:
        caller = create_browser_client(mailing_app, lambda: start_pending_session(members[Who.MEMBER]))
    else:
        caller = create_browser_client(mailing_app, lambda: start_reauthenticated_session(members[who]))
    if who == Who.SUSPENDED:
        suspend(mailing_app, members[who])
    expected = {
        request: expected_outcome(request, access, who)
        for request, access in ROWS.items()
        # The cookies of two callers show that a route ignores credentials.
        if access.token != Token.IGNORED or who in {Who.ANONYMOUS, Who.ADMIN}
    }
    check_outcomes(mailing_app, caller, expected)


_ALL_ROWS = {(Who.ADMIN, Scope.ADMIN), (Who.SUSPENDED, Scope.ADMIN)}


@pytest.mark.parametrize(
    ("who", "scope"),
    [
        *((Who.ADMIN, scope) for scope in Scope),
        *((Who.ORGANISER, scope) for scope in Scope),
        *((who, Scope.ADMIN) for who in (Who.UNCONFIRMED, Who.MEMBER, Who.OWNER, Who.SUSPENDED)),
        (Who.OWNER, Scope.SUBMIT),
    ],
)
def test_each_token_may_send_exactly_the_requests_in_the_table(
    mailing_app: Flask, members: Mapping[Who, Member], who: Who, scope: Scope
) -> None:
    caller = create_token_client(mailing_app, members[who], scope)
    if who == Who.SUSPENDED:
        suspend(mailing_app, members[who])
    expected = {
        request: expected_outcome_with_token(request, access, who, scope)
        for request, access in ROWS.items()
        # Other routes treat all tokens in the same way.
        if isinstance(access.token, Scope) or access.token == Token.OPTIONAL or (who, scope) in _ALL_ROWS
    }
    check_outcomes(mailing_app, caller, expected)


# -- credentials that are rejected on every route ----------------------------------------------------------------------


def test_unsafe_request_without_matching_csrf_token_is_rejected_on_every_route(
    mailing_app: Flask, members: Mapping[Who, Member]
) -> None:
    own, other = (create_session_client(mailing_app, members[Who.ADMIN]) for _ in range(2))
    only_cookie = ApiClient(mailing_app, {"Cookie": own.headers["Cookie"]})
    wrong = own.with_headers(**{"X-CSRF-Token": other.headers["X-CSRF-Token"]})
    unsafe = [
        request
        for request, access in ROWS.items()
        if not request.startswith("GET ") and isinstance(access.token, Scope)
    ]
    unsafe += [request for request in ROWS if request.startswith("POST ") and " /api/" not in request]
    rejected = {send(caller, request).status_and_code for request in unsafe for caller in (only_cookie, wrong)}
    assert rejected == {(403, "csrf")}


def test_invalid_token_is_rejected_on_every_route_that_reads_tokens(app: Flask) -> None:
    caller = ApiClient(app, {"Authorization": "Bearer evc_nonsense"})
    requests = [request for request, access in ROWS.items() if access.token != Token.IGNORED]
    seen = {request: send(caller, request).status_and_code for request in requests}
    assert {request: one for request, one in seen.items() if one != (401, "invalid-token")} == {}


@pytest.mark.usefixtures("members")
def test_response_that_ignores_tokens_is_the_same_with_any_credentials(mailing_app: Flask) -> None:
    anonymous, wrong = ApiClient(mailing_app), ApiClient(mailing_app, {"Authorization": "Bearer evc_nonsense"})
    for request in (request for request, access in ROWS.items() if access.token == Token.IGNORED):
        one, other = send(anonymous, request), send(wrong, request)
        assert (request, one.status, one.data) == (request, other.status, other.data)
