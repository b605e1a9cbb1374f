"""Who may call what: every route, by everybody, with everything that they can show. The table says it all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as listeners
from sqlalchemy.engine import Connection

from eventcal.events.words import EventStatus, Programme, TeamRole
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.members.words import Role, Scope
from eventcal.sponsors.models import SponsorshipState
from eventcal.talks.words import TalkState
from eventcal.web.access import Access
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
    """Everybody there is."""

    VISITOR = "visitor"
    MEMBER = "member"
    OTHER = "other"  # another member, of whom nothing here is
    SUBMITTER = "submitter"
    SPEAKER = "speaker"  # on stage in the submitter's talks
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

# What a token must reach; COOKIE is for what no token may do.
NOTHING, READ, SUBMIT, ORGANISE, ADMIN, COOKIE = "nothing", "read", "submit", "organise", "admin", "cookie"
_REACH = [NOTHING, READ, SUBMIT, ORGANISE, ADMIN]


@dataclass(frozen=True)
class Row:
    """One route: who may, what a token must reach, what whoever may is answered, and what the others are.

    `path` names things by what the world below calls them. `no` is 404 where others may not know of the thing.
    """

    method: str
    route: str
    may: frozenset[Who]
    needs: str
    ok: int
    path: str = ""
    body: Any = None
    no: int = 403


TALK = {"title": "A talk"}
EVENT = {"title": "An event", "timezone": "Europe/Berlin", "starts": "2026-09-01"}

TABLE = [
    # Signing in and mailed tokens ask for no caller: an empty body shows who got as far as having it read.
    Row("POST", "/auth/register", ANYONE, NOTHING, 422, body={}),
    Row("POST", "/auth/login", ANYONE, NOTHING, 422, body={}),
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
    Row("PUT", "/me/stars/<talk_id>", frozenset(), SUBMIT, 204, "/me/stars/{submitted}", no=404),
    Row("DELETE", "/me/stars/<talk_id>", MEMBERS, SUBMIT, 204, "/me/stars/{public}"),
    Row("GET", "/me/tokens", MEMBERS, COOKIE, 200),
    Row("POST", "/me/tokens", MEMBERS, COOKIE, 201, body={"name": "x", "scopes": ["read"]}),
    Row("DELETE", "/me/tokens/<token_id>", ONLY_MEMBER, COOKIE, 204, "/me/tokens/{token}", no=404),
    Row("GET", "/me/feeds", MEMBERS, READ, 200),
    Row("POST", "/me/feeds", MEMBERS, SUBMIT, 201, body={"name": "phone"}),
    Row("DELETE", "/me/feeds/<feed_id>", ONLY_MEMBER, SUBMIT, 204, "/me/feeds/{feed}", no=404),
    Row("GET", "/events", ANYONE, NOTHING, 200),
    Row("GET", "/events", MODERATORS, NOTHING, 200, "/events?status=pending"),
    Row("POST", "/events", MEMBERS, SUBMIT, 201, body=EVENT),
    Row("GET", "/events/<slug>", ANYONE, NOTHING, 200, "/events/summit"),
    Row("GET", "/events/<slug>", REVIEWERS, NOTHING, 200, "/events/hidden", no=404),
    Row("PATCH", "/events/<slug>", ORGANISERS, ORGANISE, 200, "/events/summit", {"title": "New"}),
    Row("PATCH", "/events/<slug>", ORGANISERS, ORGANISE, 200, "/events/hidden", {"title": "New"}, no=404),
    Row("DELETE", "/events/<slug>", ORGANISERS, ORGANISE, 409, "/events/summit"),
    Row("DELETE", "/events/<slug>", ORGANISERS, ORGANISE, 204, "/events/unused", no=404),
    Row("POST", "/events/<slug>/publish", MODERATORS, ADMIN, 200, "/events/hidden/publish"),
    Row("POST", "/events/<slug>/cancel", ORGANISERS, ORGANISE, 200, "/events/summit/cancel"),
    Row("POST", "/events/<slug>/cancel", ORGANISERS, ORGANISE, 409, "/events/hidden/cancel", no=404),
    Row("POST", "/events/<slug>/redact", MODERATORS, ADMIN, 200, "/events/summit/redact"),
    Row("GET", "/events/<slug>/team", ORGANISERS, ORGANISE, 200, "/events/summit/team"),
    Row("GET", "/events/<slug>/team", ORGANISERS, ORGANISE, 200, "/events/hidden/team", no=404),
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
    Row("GET", "/events/<slug>/tracks", REVIEWERS, NOTHING, 200, "/events/hidden/tracks", no=404),
    Row("POST", "/events/<slug>/tracks", ORGANISERS, ORGANISE, 201, "/events/summit/tracks", {"name": "Perf"}),
    Row("POST", "/events/<slug>/tracks", ORGANISERS, ORGANISE, 201, "/events/hidden/tracks", {"name": "x"}, no=404),
    Row("PATCH", "/tracks/<track_id>", ORGANISERS, ORGANISE, 200, "/tracks/{track}", {"name": "New"}),
    Row("PATCH", "/tracks/<track_id>", ORGANISERS, ORGANISE, 200, "/tracks/{hidden_track}", {"name": "N"}, no=404),
    Row("DELETE", "/tracks/<track_id>", ORGANISERS, ORGANISE, 204, "/tracks/{track}"),
    Row("GET", "/events/<slug>/rooms", ANYONE, NOTHING, 200, "/events/summit/rooms"),
    Row("GET", "/events/<slug>/rooms", REVIEWERS, NOTHING, 200, "/events/hidden/rooms", no=404),
    Row("POST", "/events/<slug>/rooms", ORGANISERS, ORGANISE, 201, "/events/summit/rooms", {"name": "Hall"}),
    Row("PATCH", "/rooms/<room_id>", ORGANISERS, ORGANISE, 200, "/rooms/{room}", {"name": "New"}),
    Row("DELETE", "/rooms/<room_id>", ORGANISERS, ORGANISE, 204, "/rooms/{room}"),
    Row("DELETE", "/rooms/<room_id>", ORGANISERS, ORGANISE, 204, "/rooms/{hidden_room}", no=404),
    Row("GET", "/talks", ANYONE, NOTHING, 200),
    Row("GET", "/events/<slug>/talks", ANYONE, NOTHING, 200, "/events/summit/talks"),
    Row("GET", "/events/<slug>/talks", REVIEWERS, NOTHING, 200, "/events/summit/talks?state=submitted"),
    Row("GET", "/events/<slug>/talks", REVIEWERS, NOTHING, 200, "/events/hidden/talks", no=404),
    Row("POST", "/events/<slug>/talks", MEMBERS, SUBMIT, 201, "/events/summit/talks", TALK),
    Row("POST", "/events/<slug>/talks", REVIEWERS, SUBMIT, 409, "/events/hidden/talks", TALK, no=404),
    Row("GET", "/talks/<talk_id>", ANYONE, NOTHING, 200, "/talks/{public}"),
    Row("GET", "/talks/<talk_id>", REVIEWERS | SPEAKERS, NOTHING, 200, "/talks/{submitted}", no=404),
    Row("PATCH", "/talks/<talk_id>", ORGANISERS, SUBMIT, 200, "/talks/{public}", TALK),
    Row("POST", "/talks/<talk_id>/submit", SPEAKERS, SUBMIT, 200, "/talks/{draft}/submit"),
    Row("POST", "/talks/<talk_id>/withdraw", SPEAKERS, SUBMIT, 200, "/talks/{public}/withdraw"),
    Row("POST", "/talks/<talk_id>/confirm", SPEAKERS, SUBMIT, 200, "/talks/{listed_accepted}/confirm"),
    Row("POST", "/talks/<talk_id>/accept", ORGANISERS, ORGANISE, 409, "/talks/{public}/accept"),
    Row("POST", "/talks/<talk_id>/reject", ORGANISERS, ORGANISE, 409, "/talks/{public}/reject"),
    Row("POST", "/talks/<talk_id>/waitlist", ORGANISERS, ORGANISE, 409, "/talks/{public}/waitlist"),
    Row("POST", "/talks/<talk_id>/cancel", ORGANISERS, ORGANISE, 200, "/talks/{public}/cancel", {"reason": "ill"}),
    Row("POST", "/talks/<talk_id>/cancel", MODERATORS, ORGANISE, 200, "/talks/{listed_accepted}/cancel"),
    Row("POST", "/talks/<talk_id>/redact", MODERATORS, ADMIN, 200, "/talks/{public}/redact"),
    Row("GET", "/speakers", ANYONE, NOTHING, 200),
    Row("GET", "/speakers/<slug>", ANYONE, NOTHING, 200, "/speakers/{speaker}"),
    Row("GET", "/speakers/<slug>", MODERATORS, NOTHING, 200, "/speakers/{unknown_speaker}", no=404),
    Row(
        "PATCH", "/speakers/<slug>", MODERATORS | {Who.SPEAKER}, SUBMIT, 200, "/speakers/{speaker}", {"bio": "Builds."}
    ),
    Row("PATCH", "/speakers/<slug>", MODERATORS, SUBMIT, 200, "/speakers/{unknown_speaker}", {"bio": "x"}, no=404),
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
    Row("GET", "/events/<slug>/tiers", REVIEWERS, NOTHING, 200, "/events/hidden/tiers", no=404),
    Row("POST", "/events/<slug>/tiers", ORGANISERS, ORGANISE, 201, "/events/summit/tiers", {"name": "Gold"}),
    Row("PATCH", "/tiers/<tier_id>", ORGANISERS, ORGANISE, 200, "/tiers/{tier}", {"rank": 3}),
    Row("DELETE", "/tiers/<tier_id>", ORGANISERS, ORGANISE, 204, "/tiers/{free_tier}"),
    Row("GET", "/events/<slug>/sponsors", ANYONE, NOTHING, 200, "/events/summit/sponsors"),
    Row("GET", "/events/<slug>/sponsors", REVIEWERS, NOTHING, 200, "/events/hidden/sponsors", no=404),
    Row("GET", "/sponsors/<slug>", ANYONE, NOTHING, 200, "/sponsors/holder"),
    Row("GET", "/sponsors/<slug>", MODERATORS, NOTHING, 200, "/sponsors/asker", no=404),
    Row("PATCH", "/sponsors/<slug>", MODERATORS, ADMIN, 200, "/sponsors/holder", {"name": "New"}),
    Row("GET", "/events/<slug>/sponsorships", ORGANISERS, ORGANISE, 200, "/events/summit/sponsorships"),
    Row("GET", "/events/<slug>/sponsorships", ORGANISERS, ORGANISE, 200, "/events/hidden/sponsorships", no=404),
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
        no=404,
    ),
    Row(
        "POST",
        "/sponsorships/<sponsorship_id>/confirm",
        ORGANISERS,
        ORGANISE,
        200,
        "/sponsorships/{enquiry}/confirm",
        no=404,
    ),
    Row(
        "POST",
        "/sponsorships/<sponsorship_id>/cancel",
        ORGANISERS,
        ORGANISE,
        200,
        "/sponsorships/{enquiry}/cancel",
        no=404,
    ),
    Row("GET", "/changes", ANYONE, NOTHING, 200),
    Row("GET", "/openapi.json", ANYONE, NOTHING, 200),
    Row("GET", "/docs", ANYONE, NOTHING, 200),
]
