"""Permissions: a table of every API route, checked for every role with every kind of credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as listeners
from sqlalchemy.engine import Connection

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.members.enums import Role, Scope
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.members.sessions import build_session
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.enums import TalkState
from eventcal.web.identity.permissions import AccessRule
from tests.api_client import ApiClient, ApiResponse, add_team_member, create_session_client, create_token_client
from tests.clocks import NOON
from tests.factories import (
    make_event,
    make_member,
    make_speaker,
    make_sponsor,
    make_sponsorship,
    make_talk,
    make_tier,
)
from tests.http_app import database_of, write_session


class CallerKind(StrEnum):
    """The kinds of callers."""

    ANONYMOUS = "visitor"
    MEMBER = "member"
    OTHER_MEMBER = "other"  # another member, who owns nothing here
    SUBMITTER = "submitter"
    SPEAKER = "speaker"  # a speaker of the submitter's talks
    REVIEWER = "reviewer"
    ORGANISER = "organiser"
    OTHER_EVENT_ORGANISER = "elsewhere"  # an organiser of another event
    MODERATOR = "moderator"
    ADMIN = "admin"


ANYONE = frozenset(CallerKind)
MEMBERS = ANYONE - {CallerKind.ANONYMOUS}
MODERATORS = frozenset({CallerKind.MODERATOR, CallerKind.ADMIN})
ORGANISERS = MODERATORS | {CallerKind.ORGANISER}
REVIEWERS = ORGANISERS | {CallerKind.REVIEWER}
SPEAKERS = frozenset({CallerKind.SUBMITTER, CallerKind.SPEAKER})
ONLY_MEMBER = frozenset({CallerKind.MEMBER})
NOBODY: frozenset[CallerKind] = frozenset()
TALK_VIEWERS = REVIEWERS | SPEAKERS
"""Those who may see a talk that is not public."""

# The scope that a token needs. COOKIE: requires a session. NO_TOKEN: allowed for every request without a token.
NO_CREDENTIALS, READ, SUBMIT, ORGANISE, ADMIN = "nothing", "read", "submit", "organise", "admin"
COOKIE, NO_TOKEN = "cookie", "no token"
_SCOPE_ORDER = [NO_CREDENTIALS, READ, SUBMIT, ORGANISE, ADMIN]


@dataclass(frozen=True)
class ExpectedAccess:
    """One route: who may call it, the scope a token needs, and the status of a permitted request.

    `path` uses the names of `Scenario.path_values`. Callers in `visible_to` who lack the permission get a 403, all
    others a 404.
    """

    method: str
    route: str
    allowed: frozenset[CallerKind]
    required_scope: str
    success_status: int
    path: str = ""
    body: Any = None
    visible_to: frozenset[CallerKind] = ANYONE


TALK_BODY = {"title": "A talk"}
EVENT_BODY = {"title": "An event", "timezone": "Europe/Berlin", "starts": "2026-09-01"}

ACCESS_RULES = [
    # Signing in and emailed tokens need no current user. A 422 for the empty body shows that access was granted.
    ExpectedAccess("POST", "/auth/register", ANYONE, NO_CREDENTIALS, 422, body={}),
    ExpectedAccess("POST", "/auth/login", ANYONE, NO_CREDENTIALS, 422, body={}),
    ExpectedAccess("POST", "/auth/logout", ANYONE, NO_TOKEN, 204),
    ExpectedAccess("POST", "/auth/confirm", ANYONE, NO_CREDENTIALS, 422, body={}),
    ExpectedAccess("POST", "/auth/reset", ANYONE, NO_CREDENTIALS, 422, body={}),
    ExpectedAccess("POST", "/auth/reset/confirm", ANYONE, NO_CREDENTIALS, 422, body={}),
    ExpectedAccess("POST", "/auth/password", MEMBERS, COOKIE, 422, body={}),
    ExpectedAccess("GET", "/me", MEMBERS, READ, 200),
    ExpectedAccess("PATCH", "/me", MEMBERS, SUBMIT, 200, body={"name": "New"}),
    ExpectedAccess("DELETE", "/me", MEMBERS, COOKIE, 422, body={}),
    ExpectedAccess("GET", "/me/talks", MEMBERS, READ, 200),
    ExpectedAccess("GET", "/me/stars", MEMBERS, READ, 200),
    ExpectedAccess("PUT", "/me/stars/<talk_id>", MEMBERS, SUBMIT, 204, "/me/stars/{public}"),
    ExpectedAccess("PUT", "/me/stars/<talk_id>", NOBODY, SUBMIT, 204, "/me/stars/{submitted}", visible_to=NOBODY),
    ExpectedAccess("DELETE", "/me/stars/<talk_id>", MEMBERS, SUBMIT, 204, "/me/stars/{public}"),
    ExpectedAccess("GET", "/me/sessions", MEMBERS, COOKIE, 200),
    ExpectedAccess("DELETE", "/me/sessions", MEMBERS, COOKIE, 204),
    ExpectedAccess(
        "DELETE",
        "/me/sessions/<session_id>",
        ONLY_MEMBER,
        COOKIE,
        204,
        "/me/sessions/{session}",
        visible_to=ONLY_MEMBER,
    ),
    ExpectedAccess("GET", "/me/tokens", MEMBERS, COOKIE, 200),
    ExpectedAccess("POST", "/me/tokens", MEMBERS, COOKIE, 201, body={"name": "x", "scopes": ["read"]}),
    ExpectedAccess(
        "DELETE", "/me/tokens/<token_id>", ONLY_MEMBER, COOKIE, 204, "/me/tokens/{token}", visible_to=ONLY_MEMBER
    ),
    ExpectedAccess("GET", "/me/feeds", MEMBERS, READ, 200),
    ExpectedAccess("POST", "/me/feeds", MEMBERS, SUBMIT, 201, body={"name": "phone"}),
    ExpectedAccess(
        "DELETE", "/me/feeds/<feed_id>", ONLY_MEMBER, SUBMIT, 204, "/me/feeds/{feed}", visible_to=ONLY_MEMBER
    ),
    ExpectedAccess("GET", "/events", ANYONE, NO_CREDENTIALS, 200),
    ExpectedAccess("GET", "/events", MODERATORS, NO_CREDENTIALS, 200, "/events?status=pending"),
    ExpectedAccess("POST", "/events", MEMBERS, SUBMIT, 201, body=EVENT_BODY),
    ExpectedAccess("GET", "/events/<slug>", ANYONE, NO_CREDENTIALS, 200, "/events/summit"),
    ExpectedAccess("GET", "/events/<slug>", REVIEWERS, NO_CREDENTIALS, 200, "/events/hidden", visible_to=REVIEWERS),
    ExpectedAccess("PATCH", "/events/<slug>", ORGANISERS, ORGANISE, 200, "/events/summit", {"title": "New"}),
    ExpectedAccess(
        "PATCH", "/events/<slug>", ORGANISERS, ORGANISE, 200, "/events/hidden", {"title": "New"}, visible_to=REVIEWERS
    ),
    ExpectedAccess("DELETE", "/events/<slug>", ORGANISERS, ORGANISE, 409, "/events/summit"),
    ExpectedAccess("DELETE", "/events/<slug>", ORGANISERS, ORGANISE, 204, "/events/unused", visible_to=REVIEWERS),
    ExpectedAccess("POST", "/events/<slug>/publish", MODERATORS, ADMIN, 200, "/events/hidden/publish"),
    ExpectedAccess("POST", "/events/<slug>/cancel", ORGANISERS, ORGANISE, 200, "/events/summit/cancel"),
    ExpectedAccess(
        "POST", "/events/<slug>/cancel", ORGANISERS, ORGANISE, 409, "/events/hidden/cancel", visible_to=REVIEWERS
    ),
    ExpectedAccess("POST", "/events/<slug>/redact", MODERATORS, ADMIN, 200, "/events/summit/redact"),
    ExpectedAccess("GET", "/events/<slug>/team", ORGANISERS, ORGANISE, 200, "/events/summit/team"),
    ExpectedAccess(
        "GET", "/events/<slug>/team", ORGANISERS, ORGANISE, 200, "/events/hidden/team", visible_to=REVIEWERS
    ),
    ExpectedAccess(
        "PUT",
        "/events/<slug>/team",
        ORGANISERS,
        ORGANISE,
        200,
        "/events/summit/team",
        {"email": "other@example.org", "role": "reviewer"},
    ),
    ExpectedAccess(
        "PUT",
        "/events/<slug>/team/<member_id>",
        ORGANISERS,
        ORGANISE,
        200,
        "/events/summit/team/{other}",
        {"role": "organiser"},
    ),
    ExpectedAccess(
        "DELETE", "/events/<slug>/team/<member_id>", ORGANISERS, ORGANISE, 204, "/events/summit/team/{reviewer}"
    ),
    ExpectedAccess("GET", "/events/<slug>/tracks", ANYONE, NO_CREDENTIALS, 200, "/events/summit/tracks"),
    ExpectedAccess(
        "GET", "/events/<slug>/tracks", REVIEWERS, NO_CREDENTIALS, 200, "/events/hidden/tracks", visible_to=REVIEWERS
    ),
    ExpectedAccess(
        "POST", "/events/<slug>/tracks", ORGANISERS, ORGANISE, 201, "/events/summit/tracks", {"name": "Perf"}
    ),
    ExpectedAccess(
        "POST",
        "/events/<slug>/tracks",
        ORGANISERS,
        ORGANISE,
        201,
        "/events/hidden/tracks",
        {"name": "x"},
        visible_to=REVIEWERS,
    ),
    ExpectedAccess("PATCH", "/tracks/<track_id>", ORGANISERS, ORGANISE, 200, "/tracks/{track}", {"name": "New"}),
    ExpectedAccess(
        "PATCH",
        "/tracks/<track_id>",
        ORGANISERS,
        ORGANISE,
        200,
        "/tracks/{hidden_track}",
        {"name": "N"},
        visible_to=REVIEWERS,
    ),
    ExpectedAccess("DELETE", "/tracks/<track_id>", ORGANISERS, ORGANISE, 204, "/tracks/{track}"),
    ExpectedAccess("GET", "/events/<slug>/rooms", ANYONE, NO_CREDENTIALS, 200, "/events/summit/rooms"),
    ExpectedAccess(
        "GET", "/events/<slug>/rooms", REVIEWERS, NO_CREDENTIALS, 200, "/events/hidden/rooms", visible_to=REVIEWERS
    ),
    ExpectedAccess("POST", "/events/<slug>/rooms", ORGANISERS, ORGANISE, 201, "/events/summit/rooms", {"name": "Hall"}),
    ExpectedAccess("PATCH", "/rooms/<room_id>", ORGANISERS, ORGANISE, 200, "/rooms/{room}", {"name": "New"}),
    ExpectedAccess("DELETE", "/rooms/<room_id>", ORGANISERS, ORGANISE, 204, "/rooms/{room}"),
    ExpectedAccess(
        "DELETE", "/rooms/<room_id>", ORGANISERS, ORGANISE, 204, "/rooms/{hidden_room}", visible_to=REVIEWERS
    ),
    ExpectedAccess("GET", "/talks", ANYONE, NO_CREDENTIALS, 200),
    ExpectedAccess("GET", "/events/<slug>/talks", ANYONE, NO_CREDENTIALS, 200, "/events/summit/talks"),
    ExpectedAccess(
        "GET", "/events/<slug>/talks", REVIEWERS, NO_CREDENTIALS, 200, "/events/summit/talks?state=submitted"
    ),
    ExpectedAccess(
        "GET", "/events/<slug>/talks", REVIEWERS, NO_CREDENTIALS, 200, "/events/hidden/talks", visible_to=REVIEWERS
    ),
    ExpectedAccess("POST", "/events/<slug>/talks", MEMBERS, SUBMIT, 201, "/events/summit/talks", TALK_BODY),
    ExpectedAccess(
        "POST", "/events/<slug>/talks", REVIEWERS, SUBMIT, 409, "/events/hidden/talks", TALK_BODY, visible_to=REVIEWERS
    ),
    ExpectedAccess("GET", "/talks/<talk_id>", ANYONE, NO_CREDENTIALS, 200, "/talks/{public}"),
    ExpectedAccess(
        "GET", "/talks/<talk_id>", TALK_VIEWERS, NO_CREDENTIALS, 200, "/talks/{submitted}", visible_to=TALK_VIEWERS
    ),
    ExpectedAccess(
        "PATCH",
        "/talks/<talk_id>",
        TALK_VIEWERS - {CallerKind.REVIEWER},
        SUBMIT,
        200,
        "/talks/{submitted}",
        TALK_BODY,
        visible_to=TALK_VIEWERS,
    ),
    ExpectedAccess(
        "POST",
        "/talks/<talk_id>/submit",
        SPEAKERS,
        SUBMIT,
        200,
        "/talks/{draft}/submit",
        visible_to=SPEAKERS | MODERATORS,
    ),
    ExpectedAccess("POST", "/talks/<talk_id>/withdraw", SPEAKERS, SUBMIT, 200, "/talks/{public}/withdraw"),
    ExpectedAccess("POST", "/talks/<talk_id>/confirm", SPEAKERS, SUBMIT, 200, "/talks/{listed_accepted}/confirm"),
    ExpectedAccess(
        "POST",
        "/talks/<talk_id>/accept",
        ORGANISERS,
        ORGANISE,
        200,
        "/talks/{submitted}/accept",
        visible_to=TALK_VIEWERS,
    ),
    ExpectedAccess(
        "POST",
        "/talks/<talk_id>/reject",
        ORGANISERS,
        ORGANISE,
        200,
        "/talks/{submitted}/reject",
        visible_to=TALK_VIEWERS,
    ),
    ExpectedAccess(
        "POST",
        "/talks/<talk_id>/waitlist",
        ORGANISERS,
        ORGANISE,
        200,
        "/talks/{submitted}/waitlist",
        visible_to=TALK_VIEWERS,
    ),
    ExpectedAccess(
        "POST", "/talks/<talk_id>/cancel", ORGANISERS, ORGANISE, 200, "/talks/{public}/cancel", {"reason": "ill"}
    ),
    ExpectedAccess(
        "POST",
        "/talks/<talk_id>/accept",
        MODERATORS,
        ORGANISE,
        200,
        "/talks/{listed_submitted}/accept",
        visible_to=TALK_VIEWERS,
    ),
    ExpectedAccess("POST", "/talks/<talk_id>/cancel", MODERATORS, ORGANISE, 200, "/talks/{listed_accepted}/cancel"),
    ExpectedAccess("POST", "/talks/<talk_id>/redact", MODERATORS, ADMIN, 200, "/talks/{public}/redact"),
    ExpectedAccess("GET", "/speakers", ANYONE, NO_CREDENTIALS, 200),
    ExpectedAccess("GET", "/speakers/<slug>", ANYONE, NO_CREDENTIALS, 200, "/speakers/{speaker}"),
    ExpectedAccess(
        "GET", "/speakers/<slug>", MODERATORS, NO_CREDENTIALS, 200, "/speakers/{unknown_speaker}", visible_to=MODERATORS
    ),
    ExpectedAccess(
        "PATCH",
        "/speakers/<slug>",
        MODERATORS | {CallerKind.SPEAKER},
        SUBMIT,
        200,
        "/speakers/{speaker}",
        {"bio": "Builds."},
    ),
    ExpectedAccess(
        "PATCH",
        "/speakers/<slug>",
        MODERATORS,
        SUBMIT,
        200,
        "/speakers/{unknown_speaker}",
        {"bio": "x"},
        visible_to=MODERATORS,
    ),
    ExpectedAccess(
        "POST",
        "/speakers/<slug>/merge",
        MODERATORS,
        ADMIN,
        200,
        "/speakers/{speaker}/merge",
        {"other": "unknown-speaker"},
    ),
    ExpectedAccess("GET", "/events/<slug>/tiers", ANYONE, NO_CREDENTIALS, 200, "/events/summit/tiers"),
    ExpectedAccess(
        "GET", "/events/<slug>/tiers", REVIEWERS, NO_CREDENTIALS, 200, "/events/hidden/tiers", visible_to=REVIEWERS
    ),
    ExpectedAccess("POST", "/events/<slug>/tiers", ORGANISERS, ORGANISE, 201, "/events/summit/tiers", {"name": "Gold"}),
    ExpectedAccess("PATCH", "/tiers/<tier_id>", ORGANISERS, ORGANISE, 200, "/tiers/{tier}", {"rank": 3}),
    ExpectedAccess("DELETE", "/tiers/<tier_id>", ORGANISERS, ORGANISE, 204, "/tiers/{free_tier}"),
    ExpectedAccess("GET", "/events/<slug>/sponsors", ANYONE, NO_CREDENTIALS, 200, "/events/summit/sponsors"),
    ExpectedAccess("GET", "/events/<slug>/occurrences", ANYONE, NO_CREDENTIALS, 200, "/events/summit/occurrences"),
    ExpectedAccess(
        "GET",
        "/events/<slug>/sponsors",
        REVIEWERS,
        NO_CREDENTIALS,
        200,
        "/events/hidden/sponsors",
        visible_to=REVIEWERS,
    ),
    # A 415 for a body that is not an image shows that access was granted; test_pictures_api tests valid uploads.
    ExpectedAccess("PUT", "/speakers/<slug>/photo", MEMBERS, SUBMIT, 415, "/speakers/{speaker}/photo", {}),
    ExpectedAccess(
        "DELETE", "/speakers/<slug>/photo", MODERATORS | {CallerKind.SPEAKER}, SUBMIT, 204, "/speakers/{speaker}/photo"
    ),
    ExpectedAccess("PUT", "/sponsors/<slug>/logo", MODERATORS, ADMIN, 415, "/sponsors/holder/logo", {}),
    ExpectedAccess("DELETE", "/sponsors/<slug>/logo", MODERATORS, ADMIN, 204, "/sponsors/holder/logo"),
    ExpectedAccess("GET", "/sponsors/<slug>", ANYONE, NO_CREDENTIALS, 200, "/sponsors/holder"),
    ExpectedAccess(
        "GET", "/sponsors/<slug>", MODERATORS, NO_CREDENTIALS, 200, "/sponsors/asker", visible_to=MODERATORS
    ),
    ExpectedAccess("PATCH", "/sponsors/<slug>", MODERATORS, ADMIN, 200, "/sponsors/holder", {"name": "New"}),
    ExpectedAccess("GET", "/events/<slug>/sponsorships", ORGANISERS, ORGANISE, 200, "/events/summit/sponsorships"),
    ExpectedAccess(
        "GET",
        "/events/<slug>/sponsorships",
        ORGANISERS,
        ORGANISE,
        200,
        "/events/hidden/sponsorships",
        visible_to=REVIEWERS,
    ),
    ExpectedAccess(
        "POST",
        "/events/<slug>/sponsorships",
        MEMBERS,
        SUBMIT,
        201,
        "/events/summit/sponsorships",
        {"tier": "{tier}", "sponsor": {"name": "New", "url": "https://new.example/"}},
    ),
    ExpectedAccess(
        "GET",
        "/sponsorships/<sponsorship_id>",
        ORGANISERS | ONLY_MEMBER,
        READ,
        200,
        "/sponsorships/{enquiry}",
        visible_to=ORGANISERS | ONLY_MEMBER,
    ),
    ExpectedAccess(
        "POST",
        "/sponsorships/<sponsorship_id>/confirm",
        ORGANISERS,
        ORGANISE,
        200,
        "/sponsorships/{enquiry}/confirm",
        visible_to=ORGANISERS | ONLY_MEMBER,
    ),
    ExpectedAccess(
        "POST",
        "/sponsorships/<sponsorship_id>/cancel",
        ORGANISERS,
        ORGANISE,
        200,
        "/sponsorships/{enquiry}/cancel",
        visible_to=ORGANISERS | ONLY_MEMBER,
    ),
    ExpectedAccess("GET", "/changes", ANYONE, NO_CREDENTIALS, 200),
    ExpectedAccess("GET", "/openapi.json", ANYONE, NO_CREDENTIALS, 200),
    ExpectedAccess("GET", "/docs", ANYONE, NO_CREDENTIALS, 200),
]


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


@dataclass(frozen=True)
class Scenario:
    """The members, and the values of the names in the table's paths."""

    app: Flask
    members: dict[CallerKind, Member]
    path_values: dict[str, str]

    def send_request(self, row: ExpectedAccess, caller: ApiClient) -> ApiResponse:
        """Make the request of the row and return the response."""
        body = row.body
        if body is not None and "tier" in body:
            body = body | {"tier": self.path_values["tier"]}
        headers = {"If-Match": "*"} if row.method == "PATCH" else {}
        return caller.call(row.method, (row.path or row.route).format(**self.path_values), body, headers=headers)


@pytest.fixture
def scenario(app: Flask) -> Scenario:
    """Create all members, a public and a hidden event, and objects of each kind in them."""
    with write_session(app) as session:
        people = {
            who: make_member(session, name=who.title(), email=f"{who}@example.org", role=_ROLES.get(who, Role.MEMBER))
            for who in MEMBERS
        }
        member, submitter = people[CallerKind.MEMBER], people[CallerKind.SUBMITTER]
        summit = make_event(session, slug="summit", tracks=["ARM"], rooms=["Room 1"])
        hidden = make_event(
            session, slug="hidden", status=EventStatus.PENDING, tracks=["Secret"], rooms=["Cellar"], title="Hidden"
        )
        make_event(session, slug="unused", status=EventStatus.DRAFT)
        make_event(session, slug="elsewhere")
        meetup = make_event(session, slug="meetup", programme=Programme.LISTED, call=None)
        for slug in ("summit", "hidden", "unused", "meetup"):
            add_team_member(session, people[CallerKind.ORGANISER], slug)
            add_team_member(session, people[CallerKind.REVIEWER], slug, role=TeamRole.REVIEWER)
        # The organiser of another event.
        add_team_member(session, people[CallerKind.OTHER_EVENT_ORGANISER], "elsewhere")
        speaker = make_speaker(session, member=people[CallerKind.SPEAKER], slug="grace-hopper", published_at=NOON)
        unknown = make_speaker(session, slug="unknown-speaker")
        made: dict[str, Any] = {"submitter": submitter, "speakers": [speaker]}
        talks = {
            "public": make_talk(session, summit, state=TalkState.CONFIRMED, **made),
            "submitted": make_talk(session, summit, state=TalkState.SUBMITTED, **made),
            "draft": make_talk(session, summit, state=TalkState.DRAFT, **made),
            "listed_accepted": make_talk(session, meetup, state=TalkState.ACCEPTED, **made),
            "listed_submitted": make_talk(session, meetup, state=TalkState.SUBMITTED, **made),
        }
        tier, free_tier = make_tier(session, summit), make_tier(session, summit)
        holder = make_sponsor(session, slug="holder")
        make_sponsorship(session, tier, sponsor=holder, state=SponsorshipState.CONFIRMED)
        enquiry = make_sponsorship(session, tier, sponsor=make_sponsor(session, slug="asker"), enquirer=member)
        token = AccessToken(member_id=member.id, name="x", token_hash="0" * 64, scopes=["read"], created_at=NOON)
        feed = PersonalFeed(member_id=member.id, name="x", secret_hash="0" * 64, created_at=NOON)
        browser = build_session(member, secret="x", user_agent=None, now=NOON)
        session.add_all([token, feed, browser])
        session.flush()
        names = {name: talk.id for name, talk in talks.items()} | {
            "other": people[CallerKind.OTHER_MEMBER].id,
            "reviewer": people[CallerKind.REVIEWER].id,
            "track": summit.tracks[0].id,
            "hidden_track": hidden.tracks[0].id,
            "room": summit.rooms[0].id,
            "hidden_room": hidden.rooms[0].id,
            "speaker": speaker.slug,
            "unknown_speaker": unknown.slug,
            "tier": tier.id,
            "free_tier": free_tier.id,
            "enquiry": enquiry.id,
            "token": token.id,
            "feed": feed.id,
            "session": browser.id,
        }
    return Scenario(app, people, names)


_ROLES = {CallerKind.MODERATOR: Role.MODERATOR, CallerKind.ADMIN: Role.ADMIN}


def expected_status(row: ExpectedAccess, caller_kind: CallerKind, credentials: str) -> int:
    """Return the expected status for a request with a cookie, with a token of a scope, or without credentials."""
    if credentials == NO_CREDENTIALS:
        if row.required_scope not in {NO_CREDENTIALS, NO_TOKEN}:
            return 401
        return row.success_status if caller_kind in row.allowed else 401 if caller_kind in row.visible_to else 404
    by_token = credentials != COOKIE
    if by_token and (
        row.required_scope in {COOKIE, NO_TOKEN}
        or _SCOPE_ORDER.index(credentials) < _SCOPE_ORDER.index(row.required_scope)
    ):
        return 403
    if (
        by_token
        and row.method != "GET"
        and _SCOPE_ORDER.index(credentials) < _SCOPE_ORDER.index(ORGANISE)
        and caller_kind not in _ORDINARY_MEMBERS
    ):
        # With such a token, a member may only change what an ordinary member may change.
        caller_kind = CallerKind.OTHER_MEMBER
    return row.success_status if caller_kind in row.allowed else 403 if caller_kind in row.visible_to else 404


_ORDINARY_MEMBERS = {CallerKind.MEMBER, CallerKind.OTHER_MEMBER, *SPEAKERS}


def _callers(app: Flask, member: Member) -> Iterator[tuple[str, ApiClient]]:
    yield COOKIE, create_session_client(app, member)
    if database_of(app).engine.dialect.name == "sqlite":
        # Scopes do not depend on the database system, so testing them with one of them is enough.
        for scope in Scope:
            yield scope.value, create_token_client(app, member, scope)


def _needs_testing(row: ExpectedAccess, credentials: str) -> bool:
    """Return whether the row needs to be tested with these credentials.

    Tested are cookies, the lowest sufficient scope, the highest insufficient scope, and the first scope with which
    members keep the permissions of their role.
    """
    if credentials in {COOKIE, NO_CREDENTIALS}:
        return True
    if row.required_scope in {COOKIE, NO_TOKEN}:
        return credentials == ADMIN
    reach = _SCOPE_ORDER.index(row.required_scope)
    return credentials in {_SCOPE_ORDER[max(reach, 1)], _SCOPE_ORDER[max(reach - 1, 1)]} or (
        row.required_scope == SUBMIT and credentials == ORGANISE
    )


# One role is tested with both database systems, which covers every API route once.
@pytest.mark.parametrize(
    "who", [*sorted(ANYONE - {CallerKind.ADMIN}), pytest.param(CallerKind.ADMIN, marks=pytest.mark.both_databases)]
)
def test_each_role_has_exactly_the_permissions_in_the_table(scenario: Scenario, who: CallerKind) -> None:
    callers = (
        dict(_callers(scenario.app, scenario.members[who]))
        if who in scenario.members
        else {NO_CREDENTIALS: ApiClient(scenario.app)}
    )
    seen, said = {}, {}
    with roll_back_transactions(scenario.app):
        for shows, caller in callers.items():
            for row in ACCESS_RULES:
                if not _needs_testing(row, shows):
                    continue
                what = (row.method, row.path or row.route, shows)
                answer = scenario.send_request(row, caller)
                seen[what], said[what] = answer.status, expected_status(row, who, shows)
                assert answer.status < 400 or answer.status_and_code[0] == answer.status
    assert seen == said


def test_cookie_without_matching_csrf_token_is_rejected_on_every_route(scenario: Scenario) -> None:
    whole = create_session_client(scenario.app, scenario.members[CallerKind.ADMIN])
    only_cookie = ApiClient(scenario.app, {"Cookie": whole.headers["Cookie"]})
    wrong = ApiClient(
        scenario.app,
        {
            **whole.headers,
            "X-CSRF-Token": create_session_client(scenario.app, scenario.members[CallerKind.ADMIN]).headers[
                "X-CSRF-Token"
            ],
        },
    )
    unsafe = [row for row in ACCESS_RULES if row.method != "GET" and row.required_scope != NO_CREDENTIALS]
    refused = {scenario.send_request(row, caller).status_and_code for row in unsafe for caller in (only_cookie, wrong)}
    assert refused == {(403, "csrf")}


def test_invalid_token_is_rejected_on_every_route(scenario: Scenario) -> None:
    nobody = ApiClient(scenario.app, {"Authorization": "Bearer evc_nonsense"})
    assert {scenario.send_request(row, nobody).status_and_code for row in ACCESS_RULES} == {(401, "invalid-token")}


def _routes(app: Flask) -> Iterator[tuple[str, str, Any]]:
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, rule.rule, app.view_functions[rule.endpoint]


def test_every_route_has_an_access_decorator(app: Flask) -> None:
    unmarked = {
        rule for _method, rule, view in _routes(app) if not isinstance(getattr(view, "access", None), AccessRule)
    }
    # Flask's own route for public files.
    assert unmarked == {"/static/<path:filename>"}


def test_permission_table_covers_every_api_route(app: Flask) -> None:
    routes = {(method, rule) for method, rule, _view in _routes(app) if rule.startswith("/api/v1")}
    assert {(row.method, f"/api/v1{row.route}") for row in ACCESS_RULES} == routes


def test_feed_is_the_same_with_any_credentials(scenario: Scenario) -> None:
    for path in ("/calendar.ics", "/events/summit.ics"):
        known = create_session_client(scenario.app, scenario.members[CallerKind.ORGANISER]).get_feed(path)
        wrong = ApiClient(scenario.app, {"Authorization": "Bearer evc_nonsense"}).get_feed(path)
        assert (
            (known.status, known.data)
            == (wrong.status, wrong.data)
            == (200, ApiClient(scenario.app).get_feed(path).data)
        )
        assert "Set-Cookie" not in known.headers
        assert known.headers["Vary"] == "Accept-Encoding"
