"""Use case of a member who leaves: what was still theirs alone goes, what is public stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from eventcal.events.errors import LastOrganiser
from eventcal.events.models import Event, TeamMember
from eventcal.events.words import PUBLIC_STATUSES, EventStatus, TeamRole
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.service import remove_member
from eventcal.speakers.models import Speaker
from eventcal.speakers.queries import find_by_member
from eventcal.talks.models import Talk, TalkSpeaker
from eventcal.talks.queries import whole_talk
from eventcal.talks.rules import UNDECIDED, Step
from eventcal.talks.steps import take_step


@dataclass(frozen=True, kw_only=True)
class StaysPublic:
    """What the public goes on seeing of somebody who left: ids of talks, the slug of the speaker they were."""

    talks: tuple[str, ...]
    speaker: str | None


def leave(session: Session, member: Member, *, now: datetime) -> StaysPublic:
    """Remove a member and all that is only theirs. Returns what stays public.

    Talks of theirs that nobody decided on are withdrawn; the speaker they were is tied to nobody, and the e-mail
    forgotten; they are on no team any more. Tokens, stars and secret feeds end. Raises LastOrganiser.
    """
    _check_not_needed(session, member, now=now)
    caller = Caller(member_id=member.id, role=member.role)
    for talk in _undecided_talks(session, member):
        take_step(session, talk, Step.WITHDRAW, caller=caller, reason=None, now=now)
    speaker = find_by_member(session, member.id)
    stays = StaysPublic(
        talks=_public_talks(session, member, speaker),
        speaker=speaker.slug if speaker is not None and speaker.published_at is not None else None,
    )
    if speaker is not None:
        speaker.member_id = speaker.email = None
        session.flush()
    remove_member(session, member, now=now)
    return stays


def _check_not_needed(session: Session, member: Member, *, now: datetime) -> None:
    """Refuse where an event that is not over would be left without an organiser."""
    other = aliased(TeamMember)
    others = select(other).where(
        other.event_id == Event.id, other.role == TeamRole.ORGANISER, other.member_id != member.id
    )
    rows = (
        select(Event.slug)
        .join(TeamMember, TeamMember.event_id == Event.id)
        .where(TeamMember.member_id == member.id, TeamMember.role == TeamRole.ORGANISER)
        .where(Event.ends_at > now, Event.status != EventStatus.CANCELLED, ~others.exists())
        .order_by(Event.slug)
    )
    slugs = session.scalars(rows).all()
    if slugs:
        raise LastOrganiser(f"Name another organiser first, or cancel or delete the event: {', '.join(slugs)}.")


def _undecided_talks(session: Session, member: Member) -> Sequence[Talk]:
    rows = select(Talk).where(Talk.submitter_id == member.id, Talk.state.in_(UNDECIDED)).options(*whole_talk())
    return session.scalars(rows.order_by(Talk.id)).unique().all()


def _public_talks(session: Session, member: Member, speaker: Speaker | None) -> tuple[str, ...]:
    given = select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id == (speaker.id if speaker else None))
    rows = (
        select(Talk.id)
        .join(Talk.event)
        .where(or_(Talk.submitter_id == member.id, Talk.id.in_(given)))
        .where(Talk.published_at.is_not(None), Event.status.in_(PUBLIC_STATUSES))
        .order_by(Talk.sort_at, Talk.id)
    )
    return tuple(session.scalars(rows))
