"""Factories for flushed database rows. Each factory has defaults for all fields that a test does not specify."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.events.models import CallForTalks, Event, EventTag, Room, TeamMember, Track
from eventcal.events.rules import recompute_event_columns
from eventcal.invitations.enums import InvitationKind
from eventcal.invitations.models import Invitation
from eventcal.invitations.rules import LIFETIME
from eventcal.kit.ids import new_id
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.speakers.models import Speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkSpeaker, TalkTag
from eventcal.talks.rules import is_public_state, recompute_talk_columns
from tests.clocks import NOON

MODERATOR_CALLER = Caller(role=Role.MODERATOR)

OPEN_CALL: Mapping[str, Any] = MappingProxyType({})
"""A call for talks without times: it is open until the event begins."""

_numbers = itertools.count(1)


def make_member(session: Session, *, now: datetime = NOON, **fields: Any) -> Member:
    """Return a new member with a confirmed and unique email address."""
    email = fields.pop("email", f"member-{next(_numbers)}@example.org")
    values = {"id": new_id(), "name": "Ada Lovelace", "role": Role.MEMBER, "confirmed_at": now, "created_at": now}
    values["fs_uniquifier"] = new_id()
    member = Member(email=email, email_key=email_key(email), **(values | fields))
    session.add(member)
    session.flush()
    return member


def make_caller(member: Member, *, organises: Sequence[Event] = (), reviews: Sequence[Event] = ()) -> Caller:
    """Return the caller for a signed-in member."""
    return Caller(
        member_id=member.id,
        role=member.role,
        organised_event_ids=frozenset(event.id for event in organises),
        reviewed_event_ids=frozenset(event.id for event in reviews),
    )


def make_organiser(session: Session, event: Event, **fields: Any) -> Caller:
    """Return the caller for a new organiser of the event."""
    member = make_member(session, **fields)
    session.add(TeamMember(event_id=event.id, member_id=member.id, role=TeamRole.ORGANISER))
    session.flush()
    return make_caller(member, organises=[event])


def make_event(
    session: Session,
    *,
    call: Mapping[str, Any] | None = OPEN_CALL,
    talks_close_at: datetime | str | None = None,
    tags: Sequence[str] = (),
    tracks: Sequence[str] = (),
    rooms: Sequence[str] = (),
    now: datetime = NOON,
    **fields: Any,
) -> Event:
    """Return a public event in Berlin, 10 to 12 June 2026, with a call for talks that is open until the event begins.

    `call` contains the columns of the call for talks, or is None for an event without a call.
    `talks_close_at` is the closing time, as an instant or as the text that a user entered.
    """
    columns = dict(call) if call is not None else None
    if talks_close_at is not None:
        closes = talks_close_at if isinstance(talks_close_at, str) else talks_close_at.isoformat()
        columns = {**(columns or {}), "closes": closes}
    values: dict[str, Any] = {
        "title": "Xen Summit",
        "timezone": "Europe/Berlin",
        "starts": "2026-06-10",
        "ends": "2026-06-12",
        "status": EventStatus.CONFIRMED,
        "programme": Programme.CURATED,
        "recurrence": None,
        "created_at": now,
        "updated_at": now,
    }
    event = Event(
        id=new_id(),
        slug=fields.pop("slug", f"event-{next(_numbers)}"),
        tags=[EventTag(position=i, tag=tag) for i, tag in enumerate(tags)],
        tracks=[Track(position=i, name=name) for i, name in enumerate(tracks)],
        rooms=[Room(position=i, name=name) for i, name in enumerate(rooms)],
        call=CallForTalks(**{"anywhere_on_earth": False, "kinds": [], **columns}) if columns is not None else None,
        neighbours=[],
        **(values | fields),
    )
    recompute_event_columns(event, now=now)
    session.add(event)
    session.flush()
    return event


def make_speaker(session: Session, *, member: Member | None = None, now: datetime = NOON, **fields: Any) -> Speaker:
    """Return a speaker without public talks."""
    values = {"slug": f"speaker-{next(_numbers)}", "name": "Grace Hopper", "created_at": now, "updated_at": now}
    speaker = Speaker(id=new_id(), member_id=member.id if member else None, **(values | fields))
    session.add(speaker)
    session.flush()
    return speaker


def make_talk(
    session: Session,
    event: Event,
    *,
    state: TalkState = TalkState.SUBMITTED,
    submitter: Member | None = None,
    speakers: Sequence[Speaker] = (),
    tags: Sequence[str] = (),
    track: str | None = None,
    room: str | None = None,
    now: datetime = NOON,
    **fields: Any,
) -> Talk:
    """Return a submitted talk without times. Talks in a public state have a publication time."""
    public = is_public_state(event.programme, state)
    values: dict[str, Any] = {
        "id": new_id(),
        "title": "Xen on ARM",
        "kind": "talk",
        "reprise_of": None,
        "published_at": now if public else None,
        "created_at": now,
        "updated_at": now,
    }
    talk = Talk(
        event=event,
        state=state,
        submitter_id=submitter.id if submitter else None,
        speaking=[TalkSpeaker(speaker=speaker, position=i) for i, speaker in enumerate(speakers)],
        tags=[TalkTag(position=i, tag=tag) for i, tag in enumerate(tags)],
        track=next(one for one in event.tracks if one.name == track) if track else None,
        room=next(one for one in event.rooms if one.name == room) if room else None,
        **(values | fields),
    )
    recompute_talk_columns(talk, now=now)
    session.add(talk)
    session.flush()
    return talk


def make_team_invitation(
    session: Session, event: Event, *, email: str, now: datetime = NOON, **fields: Any
) -> Invitation:
    """Return an open invitation to the team of an event, as a reviewer. Nobody knows its token."""
    values: dict[str, Any] = {"id": new_id(), "kind": InvitationKind.TEAM, "role": TeamRole.REVIEWER}
    values |= {"token_hash": new_id(), "created_at": now, "expires_at": now + LIFETIME}
    invitation = Invitation(event_id=event.id, email=email, email_key=email_key(email), **(values | fields))
    session.add(invitation)
    session.flush()
    return invitation


def make_tier(session: Session, event: Event, **fields: Any) -> Tier:
    """Return a tier of rank 1 with unlimited capacity."""
    values: dict[str, Any] = {"id": new_id(), "name": f"Tier {next(_numbers)}", "rank": 1, "benefits": []}
    tier = Tier(event=event, **(values | fields))
    session.add(tier)
    session.flush()
    return tier


def make_sponsor(session: Session, *, now: datetime = NOON, **fields: Any) -> Sponsor:
    """Return a sponsor without sponsorships."""
    values = {"slug": f"sponsor-{next(_numbers)}", "name": "Rackspace", "url": "https://rackspace.example"}
    sponsor = Sponsor(id=new_id(), created_at=now, updated_at=now, **(values | fields))
    session.add(sponsor)
    session.flush()
    return sponsor


def make_sponsorship(
    session: Session,
    tier: Tier,
    *,
    sponsor: Sponsor | None = None,
    state: SponsorshipState = SponsorshipState.ENQUIRY,
    enquirer: Member | None = None,
    now: datetime = NOON,
    **fields: Any,
) -> Sponsorship:
    """Return a sponsorship in a tier, by default in the state `enquiry`."""
    values: dict[str, Any] = {"id": new_id(), "created_at": now, "updated_at": now}
    row = Sponsorship(
        tier=tier,
        sponsor=sponsor or make_sponsor(session, now=now),
        state=state,
        enquirer_id=enquirer.id if enquirer else None,
        **(values | fields),
    )
    session.add(row)
    session.flush()
    return row


def flush_and_expunge(session: Session) -> None:
    """Flush the session and expunge all objects, so that later queries load the rows as in a new request."""
    session.flush()
    session.expunge_all()
