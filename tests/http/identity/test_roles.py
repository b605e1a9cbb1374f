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
from tests.api import Answer, Api, by_cookie, by_token, put_on_team
from tests.clocks import NOON
from tests.http_app import database_of, writing
from tests.make import (
    make_event,
    make_member,
    make_speaker,
    make_sponsor,
    make_sponsorship,
    make_talk,
    make_tier,
)


class Who(StrEnum):
    """The kinds of callers."""

    VISITOR = "visitor"
    MEMBER = "member"
    OTHER = "other"  # another member, who owns nothing here
    SUBMITTER = "submitter"
    SPEAKER = "speaker"  # a speaker of the submitter's talks
    REVIEWER = "reviewer"
    ORGANISER = "organiser"
    ELSEWHERE = "elsewhere"  # an organiser of another event
    MODERATOR = "moderator"
    ADMIN = "admin"


ANYONE = frozenset(Who)
MEMBERS = ANYONE - {Who.VISITOR}
MODERATORS = frozenset({Who.MODERATOR, Who.ADMIN})
ORGANISERS = MODERATORS | {Who.ORGANISER}
REVIEWERS = ORGANISERS | {Who.REVIEWER}
SPEAKERS = frozenset({Who.SUBMITTER, Who.SPEAKER})
ONLY_MEMBER = frozenset({Who.MEMBER})
NOBODY: frozenset[Who] = frozenset()
KNOW = REVIEWERS | SPEAKERS
"""Those who may see a talk that is not public."""

# The scope that a token needs. COOKIE: requires a session. NO_TOKEN: allowed for every request without a token.
NOTHING, READ, SUBMIT, ORGANISE, ADMIN = "nothing", "read", "submit", "organise", "admin"
COOKIE, NO_TOKEN = "cookie", "no token"
_REACH = [NOTHING, READ, SUBMIT, ORGANISE, ADMIN]


@dataclass(frozen=True)
class Row:
    """One route: who may call it, the scope a token needs, and the status of a permitted request.

    `path` uses the names of `World.names`. Callers in `sees` who lack the permission get a 403, all others a 404.
    """

    method: str
    route: str
    may: frozenset[Who]
    needs: str
    ok: int
    path: str = ""
    body: Any = None
    sees: frozenset[Who] = ANYONE


TALK = {"title": "A talk"}
EVENT = {"title": "An event", "timezone": "Europe/Berlin", "starts": "2026-09-01"}

TABLE = [
    # Signing in and emailed tokens need no current user. A 422 for the empty body shows that access was granted.
    Row("POST", "/auth/register", ANYONE, NOTHING, 422, body={}),
    Row("POST", "/auth/login", ANYONE, NOTHING, 422, body={}),
    Row("POST", "/auth/logout", ANYONE, NO_TOKEN, 204),
    Row("POST", "/auth/confirm", ANYONE, NOTHING, 422, body={}),
    Row("POST", "/auth/reset", ANYONE, NOTHING, 422, body={}),
    Row("POST", "/auth/reset/confirm", ANYONE, NOTHING, 422, body={}),
    Row("POST", "/auth/password", MEMBERS, COOKIE, 422, body={}),
    Row("GET", "/me", MEMBERS, READ, 200),
    Row("PATCH", "/me", MEMBERS, SUBMIT, 200, body={"name": "New"}),
    Row("DELETE", "/me", MEMBERS, COOKIE, 422, body={}),
    Row("GET", "/me/talks", MEMBERS, READ, 200),
    Row("GET", "/me/stars", MEMBERS, READ, 200),
    Row("PUT", "/me/stars/<talk_id>", MEMBERS, SUBMIT, 204, "/me/stars/{public}"),
    Row("PUT", "/me/stars/<talk_id>", NOBODY, SUBMIT, 204, "/me/stars/{submitted}", sees=NOBODY),
    Row("DELETE", "/me/stars/<talk_id>", MEMBERS, SUBMIT, 204, "/me/stars/{public}"),
    Row("GET", "/me/sessions", MEMBERS, COOKIE, 200),
    Row("DELETE", "/me/sessions", MEMBERS, COOKIE, 204),
    Row("DELETE", "/me/sessions/<session_id>", ONLY_MEMBER, COOKIE, 204, "/me/sessions/{session}", sees=ONLY_MEMBER),
    Row("GET", "/me/tokens", MEMBERS, COOKIE, 200),
    Row("POST", "/me/tokens", MEMBERS, COOKIE, 201, body={"name": "x", "scopes": ["read"]}),
    Row("DELETE", "/me/tokens/<token_id>", ONLY_MEMBER, COOKIE, 204, "/me/tokens/{token}", sees=ONLY_MEMBER),
    Row("GET", "/me/feeds", MEMBERS, READ, 200),
    Row("POST", "/me/feeds", MEMBERS, SUBMIT, 201, body={"name": "phone"}),
    Row("DELETE", "/me/feeds/<feed_id>", ONLY_MEMBER, SUBMIT, 204, "/me/feeds/{feed}", sees=ONLY_MEMBER),
    Row("GET", "/events", ANYONE, NOTHING, 200),
    Row("GET", "/events", MODERATORS, NOTHING, 200, "/events?status=pending"),
    Row("POST", "/events", MEMBERS, SUBMIT, 201, body=EVENT),
    Row("GET", "/events/<slug>", ANYONE, NOTHING, 200, "/events/summit"),
    Row("GET", "/events/<slug>", REVIEWERS, NOTHING, 200, "/events/hidden", sees=REVIEWERS),
    Row("PATCH", "/events/<slug>", ORGANISERS, ORGANISE, 200, "/events/summit", {"title": "New"}),
    Row("PATCH", "/events/<slug>", ORGANISERS, ORGANISE, 200, "/events/hidden", {"title": "New"}, sees=REVIEWERS),
    Row("DELETE", "/events/<slug>", ORGANISERS, ORGANISE, 409, "/events/summit"),
    Row("DELETE", "/events/<slug>", ORGANISERS, ORGANISE, 204, "/events/unused", sees=REVIEWERS),
    Row("POST", "/events/<slug>/publish", MODERATORS, ADMIN, 200, "/events/hidden/publish"),
    Row("POST", "/events/<slug>/cancel", ORGANISERS, ORGANISE, 200, "/events/summit/cancel"),
    Row("POST", "/events/<slug>/cancel", ORGANISERS, ORGANISE, 409, "/events/hidden/cancel", sees=REVIEWERS),
    Row("POST", "/events/<slug>/redact", MODERATORS, ADMIN, 200, "/events/summit/redact"),
    Row("GET", "/events/<slug>/team", ORGANISERS, ORGANISE, 200, "/events/summit/team"),
    Row("GET", "/events/<slug>/team", ORGANISERS, ORGANISE, 200, "/events/hidden/team", sees=REVIEWERS),
    Row(
        "PUT",
        "/events/<slug>/team",
        ORGANISERS,
        ORGANISE,
        200,
        "/events/summit/team",
        {"email": "other@example.org", "role": "reviewer"},
    ),
    Row(
        "PUT",
        "/events/<slug>/team/<member_id>",
        ORGANISERS,
        ORGANISE,
        200,
        "/events/summit/team/{other}",
        {"role": "organiser"},
    ),
    Row("DELETE", "/events/<slug>/team/<member_id>", ORGANISERS, ORGANISE, 204, "/events/summit/team/{reviewer}"),
    Row("GET", "/events/<slug>/tracks", ANYONE, NOTHING, 200, "/events/summit/tracks"),
    Row("GET", "/events/<slug>/tracks", REVIEWERS, NOTHING, 200, "/events/hidden/tracks", sees=REVIEWERS),
    Row("POST", "/events/<slug>/tracks", ORGANISERS, ORGANISE, 201, "/events/summit/tracks", {"name": "Perf"}),
    Row(
        "POST",
        "/events/<slug>/tracks",
        ORGANISERS,
        ORGANISE,
        201,
        "/events/hidden/tracks",
        {"name": "x"},
        sees=REVIEWERS,
    ),
    Row("PATCH", "/tracks/<track_id>", ORGANISERS, ORGANISE, 200, "/tracks/{track}", {"name": "New"}),
    Row(
        "PATCH",
        "/tracks/<track_id>",
        ORGANISERS,
        ORGANISE,
        200,
        "/tracks/{hidden_track}",
        {"name": "N"},
        sees=REVIEWERS,
    ),
    Row("DELETE", "/tracks/<track_id>", ORGANISERS, ORGANISE, 204, "/tracks/{track}"),
    Row("GET", "/events/<slug>/rooms", ANYONE, NOTHING, 200, "/events/summit/rooms"),
    Row("GET", "/events/<slug>/rooms", REVIEWERS, NOTHING, 200, "/events/hidden/rooms", sees=REVIEWERS),
    Row("POST", "/events/<slug>/rooms", ORGANISERS, ORGANISE, 201, "/events/summit/rooms", {"name": "Hall"}),
    Row("PATCH", "/rooms/<room_id>", ORGANISERS, ORGANISE, 200, "/rooms/{room}", {"name": "New"}),
    Row("DELETE", "/rooms/<room_id>", ORGANISERS, ORGANISE, 204, "/rooms/{room}"),
    Row("DELETE", "/rooms/<room_id>", ORGANISERS, ORGANISE, 204, "/rooms/{hidden_room}", sees=REVIEWERS),
    Row("GET", "/talks", ANYONE, NOTHING, 200),
    Row("GET", "/events/<slug>/talks", ANYONE, NOTHING, 200, "/events/summit/talks"),
    Row("GET", "/events/<slug>/talks", REVIEWERS, NOTHING, 200, "/events/summit/talks?state=submitted"),
    Row("GET", "/events/<slug>/talks", REVIEWERS, NOTHING, 200, "/events/hidden/talks", sees=REVIEWERS),
    Row("POST", "/events/<slug>/talks", MEMBERS, SUBMIT, 201, "/events/summit/talks", TALK),
    Row("POST", "/events/<slug>/talks", REVIEWERS, SUBMIT, 409, "/events/hidden/talks", TALK, sees=REVIEWERS),
    Row("GET", "/talks/<talk_id>", ANYONE, NOTHING, 200, "/talks/{public}"),
    Row("GET", "/talks/<talk_id>", KNOW, NOTHING, 200, "/talks/{submitted}", sees=KNOW),
    Row("PATCH", "/talks/<talk_id>", KNOW - {Who.REVIEWER}, SUBMIT, 200, "/talks/{submitted}", TALK, sees=KNOW),
    Row("POST", "/talks/<talk_id>/submit", SPEAKERS, SUBMIT, 200, "/talks/{draft}/submit", sees=SPEAKERS | MODERATORS),
    Row("POST", "/talks/<talk_id>/withdraw", SPEAKERS, SUBMIT, 200, "/talks/{public}/withdraw"),
    Row("POST", "/talks/<talk_id>/confirm", SPEAKERS, SUBMIT, 200, "/talks/{listed_accepted}/confirm"),
    Row("POST", "/talks/<talk_id>/accept", ORGANISERS, ORGANISE, 200, "/talks/{submitted}/accept", sees=KNOW),
    Row("POST", "/talks/<talk_id>/reject", ORGANISERS, ORGANISE, 200, "/talks/{submitted}/reject", sees=KNOW),
    Row("POST", "/talks/<talk_id>/waitlist", ORGANISERS, ORGANISE, 200, "/talks/{submitted}/waitlist", sees=KNOW),
    Row("POST", "/talks/<talk_id>/cancel", ORGANISERS, ORGANISE, 200, "/talks/{public}/cancel", {"reason": "ill"}),
    Row("POST", "/talks/<talk_id>/accept", MODERATORS, ORGANISE, 200, "/talks/{listed_submitted}/accept", sees=KNOW),
    Row("POST", "/talks/<talk_id>/cancel", MODERATORS, ORGANISE, 200, "/talks/{listed_accepted}/cancel"),
    Row("POST", "/talks/<talk_id>/redact", MODERATORS, ADMIN, 200, "/talks/{public}/redact"),
    Row("GET", "/speakers", ANYONE, NOTHING, 200),
    Row("GET", "/speakers/<slug>", ANYONE, NOTHING, 200, "/speakers/{speaker}"),
    Row("GET", "/speakers/<slug>", MODERATORS, NOTHING, 200, "/speakers/{unknown_speaker}", sees=MODERATORS),
    Row(
        "PATCH", "/speakers/<slug>", MODERATORS | {Who.SPEAKER}, SUBMIT, 200, "/speakers/{speaker}", {"bio": "Builds."}
    ),
    Row(
        "PATCH",
        "/speakers/<slug>",
        MODERATORS,
        SUBMIT,
        200,
        "/speakers/{unknown_speaker}",
        {"bio": "x"},
        sees=MODERATORS,
    ),
    Row(
        "POST",
        "/speakers/<slug>/merge",
        MODERATORS,
        ADMIN,
        200,
        "/speakers/{speaker}/merge",
        {"other": "unknown-speaker"},
    ),
    Row("GET", "/events/<slug>/tiers", ANYONE, NOTHING, 200, "/events/summit/tiers"),
    Row("GET", "/events/<slug>/tiers", REVIEWERS, NOTHING, 200, "/events/hidden/tiers", sees=REVIEWERS),
    Row("POST", "/events/<slug>/tiers", ORGANISERS, ORGANISE, 201, "/events/summit/tiers", {"name": "Gold"}),
    Row("PATCH", "/tiers/<tier_id>", ORGANISERS, ORGANISE, 200, "/tiers/{tier}", {"rank": 3}),
    Row("DELETE", "/tiers/<tier_id>", ORGANISERS, ORGANISE, 204, "/tiers/{free_tier}"),
    Row("GET", "/events/<slug>/sponsors", ANYONE, NOTHING, 200, "/events/summit/sponsors"),
    Row("GET", "/events/<slug>/occurrences", ANYONE, NOTHING, 200, "/events/summit/occurrences"),
    Row("GET", "/events/<slug>/sponsors", REVIEWERS, NOTHING, 200, "/events/hidden/sponsors", sees=REVIEWERS),
    # A 415 for a body that is not an image shows that access was granted; test_pictures_api tests valid uploads.
    Row("PUT", "/speakers/<slug>/photo", MEMBERS, SUBMIT, 415, "/speakers/{speaker}/photo", {}),
    Row("DELETE", "/speakers/<slug>/photo", MODERATORS | {Who.SPEAKER}, SUBMIT, 204, "/speakers/{speaker}/photo"),
    Row("PUT", "/sponsors/<slug>/logo", MODERATORS, ADMIN, 415, "/sponsors/holder/logo", {}),
    Row("DELETE", "/sponsors/<slug>/logo", MODERATORS, ADMIN, 204, "/sponsors/holder/logo"),
    Row("GET", "/sponsors/<slug>", ANYONE, NOTHING, 200, "/sponsors/holder"),
    Row("GET", "/sponsors/<slug>", MODERATORS, NOTHING, 200, "/sponsors/asker", sees=MODERATORS),
    Row("PATCH", "/sponsors/<slug>", MODERATORS, ADMIN, 200, "/sponsors/holder", {"name": "New"}),
    Row("GET", "/events/<slug>/sponsorships", ORGANISERS, ORGANISE, 200, "/events/summit/sponsorships"),
    Row("GET", "/events/<slug>/sponsorships", ORGANISERS, ORGANISE, 200, "/events/hidden/sponsorships", sees=REVIEWERS),
    Row(
        "POST",
        "/events/<slug>/sponsorships",
        MEMBERS,
        SUBMIT,
        201,
        "/events/summit/sponsorships",
        {"tier": "{tier}", "sponsor": {"name": "New", "url": "https://new.example/"}},
    ),
    Row(
        "GET",
        "/sponsorships/<sponsorship_id>",
        ORGANISERS | ONLY_MEMBER,
        READ,
        200,
        "/sponsorships/{enquiry}",
        sees=ORGANISERS | ONLY_MEMBER,
    ),
    Row(
        "POST",
        "/sponsorships/<sponsorship_id>/confirm",
        ORGANISERS,
        ORGANISE,
        200,
        "/sponsorships/{enquiry}/confirm",
        sees=ORGANISERS | ONLY_MEMBER,
    ),
    Row(
        "POST",
        "/sponsorships/<sponsorship_id>/cancel",
        ORGANISERS,
        ORGANISE,
        200,
        "/sponsorships/{enquiry}/cancel",
        sees=ORGANISERS | ONLY_MEMBER,
    ),
    Row("GET", "/changes", ANYONE, NOTHING, 200),
    Row("GET", "/openapi.json", ANYONE, NOTHING, 200),
    Row("GET", "/docs", ANYONE, NOTHING, 200),
]


@contextmanager
def nothing_lasts(app: Flask) -> Iterator[None]:
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
class World:
    """The members, and the values of the names in the table's paths."""

    app: Flask
    people: dict[Who, Member]
    names: dict[str, str]

    def answers(self, row: Row, caller: Api) -> Answer:
        """Make the request of the row and return the response."""
        body = row.body
        if body is not None and "tier" in body:
            body = body | {"tier": self.names["tier"]}
        headers = {"If-Match": "*"} if row.method == "PATCH" else {}
        return caller.call(row.method, (row.path or row.route).format(**self.names), body, headers=headers)


@pytest.fixture
def world(app: Flask) -> World:
    """Create all members, a public and a hidden event, and objects of each kind in them."""
    with writing(app) as session:
        people = {
            who: make_member(session, name=who.title(), email=f"{who}@example.org", role=_ROLES.get(who, Role.MEMBER))
            for who in MEMBERS
        }
        member, submitter = people[Who.MEMBER], people[Who.SUBMITTER]
        summit = make_event(session, slug="summit", tracks=["ARM"], rooms=["Room 1"])
        hidden = make_event(
            session, slug="hidden", status=EventStatus.PENDING, tracks=["Secret"], rooms=["Cellar"], title="Hidden"
        )
        make_event(session, slug="unused", status=EventStatus.DRAFT)
        make_event(session, slug="elsewhere")
        meetup = make_event(session, slug="meetup", programme=Programme.LISTED, call=None)
        for slug in ("summit", "hidden", "unused", "meetup"):
            put_on_team(session, people[Who.ORGANISER], slug)
            put_on_team(session, people[Who.REVIEWER], slug, role=TeamRole.REVIEWER)
        # The organiser of another event.
        put_on_team(session, people[Who.ELSEWHERE], "elsewhere")
        speaker = make_speaker(session, member=people[Who.SPEAKER], slug="grace-hopper", published_at=NOON)
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
            "other": people[Who.OTHER].id,
            "reviewer": people[Who.REVIEWER].id,
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
    return World(app, people, names)


_ROLES = {Who.MODERATOR: Role.MODERATOR, Who.ADMIN: Role.ADMIN}


def expected(row: Row, who: Who, shows: str) -> int:
    """Return the expected status for a request with a cookie, with a token of a scope, or without credentials."""
    if shows == NOTHING:
        if row.needs not in {NOTHING, NO_TOKEN}:
            return 401
        return row.ok if who in row.may else 401 if who in row.sees else 404
    by_token = shows != COOKIE
    if by_token and (row.needs in {COOKIE, NO_TOKEN} or _REACH.index(shows) < _REACH.index(row.needs)):
        return 403
    if by_token and row.method != "GET" and _REACH.index(shows) < _REACH.index(ORGANISE) and who not in _PLAIN:
        # With such a token, a member may only change what an ordinary member may change.
        who = Who.OTHER
    return row.ok if who in row.may else 403 if who in row.sees else 404


_PLAIN = {Who.MEMBER, Who.OTHER, *SPEAKERS}


def _callers(app: Flask, member: Member) -> Iterator[tuple[str, Api]]:
    yield COOKIE, by_cookie(app, member)
    if database_of(app).engine.dialect.name == "sqlite":
        # Scopes do not depend on the database system, so testing them with one of them is enough.
        for scope in Scope:
            yield scope.value, by_token(app, member, scope)


def _tells(row: Row, shows: str) -> bool:
    """Return whether the row needs to be tested with these credentials.

    Tested are cookies, the lowest sufficient scope, the highest insufficient scope, and the first scope with which
    members keep the permissions of their role.
    """
    if shows in {COOKIE, NOTHING}:
        return True
    if row.needs in {COOKIE, NO_TOKEN}:
        return shows == ADMIN
    reach = _REACH.index(row.needs)
    return shows in {_REACH[max(reach, 1)], _REACH[max(reach - 1, 1)]} or (row.needs == SUBMIT and shows == ORGANISE)


# One role is tested with both database systems, which covers every API route once.
@pytest.mark.parametrize(
    "who", [*sorted(ANYONE - {Who.ADMIN}), pytest.param(Who.ADMIN, marks=pytest.mark.both_databases)]
)
def test_each_role_has_exactly_the_permissions_in_the_table(world: World, who: Who) -> None:
    callers = dict(_callers(world.app, world.people[who])) if who in world.people else {NOTHING: Api(world.app)}
    seen, said = {}, {}
    with nothing_lasts(world.app):
        for shows, caller in callers.items():
            for row in TABLE:
                if not _tells(row, shows):
                    continue
                what = (row.method, row.path or row.route, shows)
                answer = world.answers(row, caller)
                seen[what], said[what] = answer.status, expected(row, who, shows)
                assert answer.status < 400 or answer.code[0] == answer.status
    assert seen == said


def test_cookie_without_matching_csrf_token_is_rejected_on_every_route(world: World) -> None:
    whole = by_cookie(world.app, world.people[Who.ADMIN])
    only_cookie = Api(world.app, {"Cookie": whole.headers["Cookie"]})
    wrong = Api(
        world.app,
        {**whole.headers, "X-CSRF-Token": by_cookie(world.app, world.people[Who.ADMIN]).headers["X-CSRF-Token"]},
    )
    unsafe = [row for row in TABLE if row.method != "GET" and row.needs != NOTHING]
    refused = {world.answers(row, caller).code for row in unsafe for caller in (only_cookie, wrong)}
    assert refused == {(403, "csrf")}


def test_invalid_token_is_rejected_on_every_route(world: World) -> None:
    nobody = Api(world.app, {"Authorization": "Bearer evc_nonsense"})
    assert {world.answers(row, nobody).code for row in TABLE} == {(401, "invalid-token")}


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
    assert {(row.method, f"/api/v1{row.route}") for row in TABLE} == routes


def test_feed_is_the_same_with_any_credentials(world: World) -> None:
    for path in ("/calendar.ics", "/events/summit.ics"):
        known = by_cookie(world.app, world.people[Who.ORGANISER]).outside(path)
        wrong = Api(world.app, {"Authorization": "Bearer evc_nonsense"}).outside(path)
        assert (known.status, known.data) == (wrong.status, wrong.data) == (200, Api(world.app).outside(path).data)
        assert "Set-Cookie" not in known.headers
        assert known.headers["Vary"] == "Accept-Encoding"
