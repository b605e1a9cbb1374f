"""Use case of a member who leaves: what was still theirs alone goes, what is public stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from eventcal.events.errors import LastOrganiser
from eventcal.events.models import Event, TeamMember
from eventcal.events.words import PUBLIC_STATUSES, EventStatus, TeamRole
from eventcal.kit.refusals import Sentence
from eventcal.members.caller import Caller
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.members.service import remove_member
from eventcal.speakers.models import Speaker
from eventcal.speakers.queries import find_by_member
from eventcal.talks.models import Star, Talk, TalkSpeaker
from eventcal.talks.queries import whole_talk
from eventcal.talks.rules import UNDECIDED, Step
from eventcal.talks.steps import take_step


@dataclass(frozen=True, kw_only=True)
class StaysPublic:
    """What the public goes on seeing of somebody who left: ids of talks, the slug of the speaker they were."""

    talks: tuple[str, ...]
    speaker: str | None


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """What becomes of what a member has, if they leave.

    needed_by: the events that they cannot leave, for they would have no organiser. withdrawn: talks that nobody decided
    on. decided: talks that were decided on and that only the organisers see; they stay so. public: talks that the
    public goes on seeing, and `speaker`, who they are to it. teams: the events on whose teams they are.
    """

    needed_by: Sequence[Event]
    withdrawn: Sequence[Talk]
    decided: Sequence[Talk]
    public: Sequence[Talk]
    speaker: Speaker | None
    teams: Sequence[Event]
    stars: int
    feeds: int
    tokens: int


def foresee(session: Session, member: Member, *, now: datetime) -> Leaving:
    """Return what becomes of what a member has, if they leave now; nothing is changed."""
    speaker = find_by_member(session, member.id)
    teams = select(Event).join(TeamMember, TeamMember.event_id == Event.id).where(TeamMember.member_id == member.id)
    return Leaving(
        needed_by=_events_in_need(session, member, now=now),
        withdrawn=_undecided_talks(session, member),
        decided=_decided_talks(session, member),
        public=_public_talks(session, member, speaker),
        speaker=_public_speaker(speaker),
        teams=session.scalars(teams.order_by(Event.starts_at, Event.id)).all(),
        stars=_count(session, Star, member),
        feeds=_count(session, PersonalFeed, member, PersonalFeed.revoked_at.is_(None)),
        tokens=_count(session, AccessToken, member),
    )


def leave(session: Session, member: Member, *, now: datetime) -> StaysPublic:
    """Remove a member and all that is only theirs. Returns what stays public.

    Talks of theirs that nobody decided on are withdrawn; the speaker they were is tied to nobody, and the e-mail
    forgotten; they are on no team any more. Tokens, stars and secret feeds end. Raises LastOrganiser.
    """
    needed_by = _events_in_need(session, member, now=now)
    if needed_by:
        slugs = ", ".join(event.slug for event in needed_by)
        raise LastOrganiser(
            Sentence("Name another organiser first, or cancel or delete the event: %(slugs)s.", slugs=slugs)
        )
    caller = Caller(member_id=member.id, role=member.role)
    for talk in _undecided_talks(session, member):
        take_step(session, talk, Step.WITHDRAW, caller=caller, reason=None, now=now)
    speaker = find_by_member(session, member.id)
    known = _public_speaker(speaker)
    stays = StaysPublic(
        talks=tuple(talk.id for talk in _public_talks(session, member, speaker)),
        speaker=known.slug if known is not None else None,
    )
    if speaker is not None:
        speaker.member_id = speaker.email = None
        session.flush()
    remove_member(session, member, now=now)
    return stays


def _events_in_need(session: Session, member: Member, *, now: datetime) -> Sequence[Event]:
    """Return the events that are not over and would be left without an organiser."""
    other = aliased(TeamMember)
    others = select(other).where(
        other.event_id == Event.id, other.role == TeamRole.ORGANISER, other.member_id != member.id
    )
    rows = (
        select(Event)
        .join(TeamMember, TeamMember.event_id == Event.id)
        .where(TeamMember.member_id == member.id, TeamMember.role == TeamRole.ORGANISER)
        .where(Event.ends_at > now, Event.status != EventStatus.CANCELLED, ~others.exists())
        .order_by(Event.slug)
    )
    return session.scalars(rows).all()


def _undecided_talks(session: Session, member: Member) -> Sequence[Talk]:
    rows = select(Talk).where(Talk.submitter_id == member.id, Talk.state.in_(UNDECIDED)).options(*whole_talk())
    return session.scalars(rows.order_by(Talk.id)).unique().all()


def _decided_talks(session: Session, member: Member) -> Sequence[Talk]:
    rows = (
        select(Talk)
        .join(Talk.event)
        .where(Talk.submitter_id == member.id, Talk.state.not_in(UNDECIDED))
        .where(or_(Talk.published_at.is_(None), Event.status.not_in(PUBLIC_STATUSES)))
        .order_by(Talk.sort_at, Talk.id)
    )
    return session.scalars(rows).all()


def _public_talks(session: Session, member: Member, speaker: Speaker | None) -> Sequence[Talk]:
    given = select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id == (speaker.id if speaker else None))
    rows = (
        select(Talk)
        .join(Talk.event)
        .where(or_(Talk.submitter_id == member.id, Talk.id.in_(given)))
        .where(Talk.published_at.is_not(None), Event.status.in_(PUBLIC_STATUSES))
        .order_by(Talk.sort_at, Talk.id)
    )
    return session.scalars(rows).all()


def _public_speaker(speaker: Speaker | None) -> Speaker | None:
    return speaker if speaker is not None and speaker.published_at is not None else None


def _count(
    session: Session, table: type[Star | PersonalFeed | AccessToken], member: Member, *which: ColumnElement[bool]
) -> int:
    rows = select(func.count()).select_from(table).where(table.member_id == member.id, *which)
    return session.scalars(rows).one()
