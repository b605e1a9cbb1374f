"""A small calendar with one object of each kind, under names that are known in advance."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.events.models import Room, TeamMember, Track
from eventcal.kit.ids import hash_secret
from eventcal.members.enums import Role, Scope
from eventcal.members.models import AccessToken, Member, MemberSession, PersonalFeed
from eventcal.members.sessions import IDLE_TIMEOUT
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star
from tests.clocks import NOON
from tests.factories import (
    make_event,
    make_member,
    make_speaker,
    make_sponsor,
    make_sponsorship,
    make_talk,
    make_team_invitation,
    make_tier,
)
from tests.http_app import write_session

MODERATOR_TOKEN, MEMBER_TOKEN, FEED_SECRET, REVOKED_FEED_SECRET = (
    "evc_moderator",
    "evc_member",
    "feed-secret",
    "revoked-feed-secret",
)

EVENT_SLUGS = ("summit", "hackday", "proposed", "sketch", "finished")
SPEAKER_SLUGS = ("ada", "grace", "twin")
SPONSOR_SLUGS = ("rackspace", "citrix")
IDS_BY_PARAMETER: Mapping[str, tuple[str, ...]] = {
    "talk_id": ("draft", "submitted", "waitlisted", "accepted", "confirmed", "announced", "offered", "withdrawn"),
    "track_id": ("security",),
    "room_id": ("attic",),
    "tier_id": ("gold", "silver"),
    "sponsorship_id": ("enquiry", "held"),
    "invitation_id": ("invited-ada", "invited-mo"),
    "member_id": ("member-ada", "member-mo"),
    "session_id": ("session-old",),
    "token_id": ("token-old",),
    "feed_id": ("feed-phone",),
    "token": ("invitation-ada", "invitation-mo"),
    "secret": (FEED_SECRET, REVOKED_FEED_SECRET),
}
"""The values of path parameters that identify objects of the sample calendar."""


def create_sample_calendar(app: Flask) -> None:
    """Create the sample calendar in the database of the app."""
    with write_session(app) as session:
        moderator = make_member(session, id="member-mo", name="Mo", email="mo@example.org", role=Role.MODERATOR)
        ada = make_member(session, id="member-ada", name="Ada Lovelace", email="ada@example.org")
        _add_credentials(session, moderator, ada)
        _add_summit(session, ada)
        _add_other_events(session, ada)


def _add_credentials(session: Session, moderator: Member, ada: Member) -> None:
    session.add(_make_old_session(ada))
    tokens = (("token-mo", moderator, MODERATOR_TOKEN), ("token-old", ada, MEMBER_TOKEN))
    for id_, member, secret in tokens:
        scopes = [scope.value for scope in Scope]
        digest = hash_secret(secret)
        token = AccessToken(
            id=id_,
            member_id=member.id,
            name="a script",
            token_hash=digest,
            scopes=scopes,
            granted_role=member.role,
            expires_at=NOON + timedelta(days=365),
            created_at=NOON,
        )
        session.add(token)
    for id_, secret, revoked_at in (("feed-phone", FEED_SECRET, None), ("feed-lost", REVOKED_FEED_SECRET, NOON)):
        feed = PersonalFeed(id=id_, member_id=ada.id, name="My phone", secret_hash=hash_secret(secret), created_at=NOON)
        feed.revoked_at = revoked_at
        session.add(feed)
    session.flush()


def _make_old_session(ada: Member) -> MemberSession:
    return MemberSession(
        id="session-old",
        member_id=ada.id,
        member_key=ada.fs_uniquifier,
        secret_hash=hash_secret("old"),
        reauthenticated_at=NOON,
        data={},
        user_agent="A browser",
        created_at=NOON,
        last_seen_at=NOON,
        expires_at=NOON + IDLE_TIMEOUT,
    )


def _add_summit(session: Session, ada: Member) -> None:
    """Add a curated event with an open call for talks, talks in every state, tiers and sponsors."""
    speaker = make_speaker(
        session, slug="ada", name="Ada Lovelace", member=ada, bio="Wrote *notes*.", published_at=NOON
    )
    grace = make_speaker(session, slug="grace", affiliation="US Navy", published_at=NOON)
    make_speaker(session, slug="twin", name="Grace B. Hopper")
    summit = make_event(
        session, slug="summit", description="Three days of *Xen*.", city="Berlin", country="DE", tags=["xen"]
    )
    summit.tracks.append(Track(id="security", position=0, name="Security", colour="#2a7f62"))
    summit.rooms.append(Room(id="attic", position=0, name="Attic", capacity=80))
    session.flush()
    for name in ("ada", "mo"):
        secret_hash = hash_secret(f"invitation-{name}")
        make_team_invitation(session, summit, id=f"invited-{name}", email=f"{name}@example.org", token_hash=secret_hash)
    for state in ("draft", "submitted", "waitlisted", "accepted", "withdrawn"):
        make_talk(session, summit, id=state, state=TalkState(state), submitter=ada, speakers=[speaker])
    make_talk(
        session,
        summit,
        id="confirmed",
        state=TalkState.CONFIRMED,
        submitter=ada,
        speakers=[speaker, grace],
        tags=["arm"],
        track="Security",
        room="Attic",
        starts="2026-06-10T10:00:00",
        abstract="How **ARM** came to Xen.",
    )
    session.add(Star(member_id=ada.id, talk_id="confirmed", starred_at=NOON))
    gold = make_tier(session, summit, id="gold", name="Gold", price_amount=5000, price_currency="EUR", capacity=2)
    make_tier(session, summit, id="silver", name="Silver", rank=2)
    rackspace = make_sponsor(session, slug="rackspace")
    make_sponsorship(session, gold, id="held", sponsor=rackspace, state=SponsorshipState.CONFIRMED)
    citrix = make_sponsor(session, slug="citrix", name="Citrix")
    make_sponsorship(session, gold, id="enquiry", sponsor=citrix, enquirer=ada)


def _add_other_events(session: Session, ada: Member) -> None:
    """Add a listed event, an event in review, a draft and a past event."""
    hackday = make_event(
        session,
        slug="hackday",
        title="Hackday",
        kind="hackathon",
        programme=Programme.LISTED,
        starts="2026-05-02T09:00:00",
        ends="2026-05-02T18:00:00",
        timezone="America/New_York",
    )
    make_talk(session, hackday, id="announced", state=TalkState.ACCEPTED, submitter=ada)
    make_talk(session, hackday, id="offered", submitter=ada)
    for slug, status in (("proposed", EventStatus.PENDING), ("sketch", EventStatus.DRAFT)):
        event = make_event(session, slug=slug, title="An idea", status=status, proposer_id=ada.id)
        session.add(TeamMember(event_id=event.id, member_id=ada.id, role=TeamRole.ORGANISER))
    make_event(session, slug="finished", starts="2025-06-10", ends="2025-06-12")
    session.flush()
