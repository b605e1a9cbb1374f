"""Services for deleting or merging objects that talks refer to: rooms, tracks, events, speakers and member accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus, TeamRole
from eventcal.events.errors import CannotDeletePublished, InUse, LastOrganiser
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.kit.errors import Message
from eventcal.members.caller import Caller
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.members.permission_checks import check_moderator
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import revoke_all_personal_feeds
from eventcal.speakers.errors import CannotMergeWithItself
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import find_speaker_by_member
from eventcal.talks.models import Star, Talk, TalkSpeaker
from eventcal.talks.queries import PUBLIC_TALK_CONDITIONS, talk_load_options
from eventcal.talks.rules import UNDECIDED_STATES, TalkAction, recompute_talk_columns
from eventcal.talks.service import set_speakers
from eventcal.talks.state_changes import apply_talk_action


def count_talks_in(session: Session, part: Room | Track) -> int:
    return session.scalars(select(func.count()).select_from(Talk).where(_talk_column_for(part) == part.id)).one()


def delete_track_or_room(session: Session, part: Room | Track) -> None:
    column = _talk_column_for(part)
    for talk in session.scalars(select(Talk).where(column == part.id)):
        setattr(talk, column.key, None)
    session.delete(part)
    session.flush()


def _talk_column_for(part: Room | Track) -> InstrumentedAttribute[str | None]:
    return Talk.room_id if isinstance(part, Room) else Talk.track_id


def delete_event(session: Session, event: Event) -> None:
    """Delete an event. Raises CannotDeletePublished if the event is public, or InUse if the event has talks."""
    if event.status in PUBLIC_STATUSES:
        detail = Message(
            "This event is already in the calendars of subscribers. Cancel it instead, so that they are informed."
        )
        raise CannotDeletePublished(detail)
    if session.scalar(select(exists().where(Talk.event_id == event.id))):
        raise InUse(Message("This event has submitted talks and cannot be deleted."))
    session.delete(event)
    session.flush()


_PROFILE_FIELDS = ("job_title", "affiliation", "bio", "links", "photo_url")
# The columns of a speaker that have a unique constraint.
_UNIQUE_COLUMNS = ("email", "member_id")


def merge_speakers(session: Session, kept: Speaker, other: Speaker, *, caller: Caller, now: datetime) -> Speaker:
    """Merge the speaker `other` into `kept`, which receives the talks and missing profile fields from `other`.

    The slug of `other` redirects to `kept`. Raises NotSignedIn or Forbidden unless the caller is a moderator, and
    CannotMergeWithItself if the speakers are identical or one of them has already been merged.
    """
    check_moderator(caller)
    if kept.id == other.id:
        raise CannotMergeWithItself(Message("Speaker “%(slug)s” cannot be merged with itself.", slug=kept.slug))
    if kept.merged_into_id is not None or other.merged_into_id is not None:
        # Merging a merged speaker again could make two speakers refer to each other.
        detail = Message("One of the speakers has already been merged. Use the slug of the remaining speaker.")
        raise CannotMergeWithItself(detail)
    rows = select(Talk).join(Talk.speaking).where(TalkSpeaker.speaker_id == other.id).options(*talk_load_options())
    for talk in session.scalars(rows).all():
        # If both speakers present a talk, `kept` takes the first of the two positions.
        speakers = list(dict.fromkeys(kept if one.id == other.id else one for one in talk.speaker_rows))
        entered = {part.speaker_id: part.entered for part in talk.speaking}
        entered.setdefault(kept.id, entered[other.id])
        set_speakers(talk, speakers, entered=entered)
        recompute_talk_columns(talk, now=now)
    _fill_empty_fields(session, kept, other)
    kept.published_at = min((when for when in (kept.published_at, other.published_at) if when), default=None)
    # Redirect to `kept` the speakers that were merged into `other`, to avoid chains of redirects.
    for earlier in session.scalars(select(Speaker).where(Speaker.merged_into_id == other.id)):
        earlier.merged_into_id = kept.id
    other.merged_into_id = kept.id
    kept.updated_at = other.updated_at = now
    session.flush()
    return kept


def _fill_empty_fields(session: Session, kept: Speaker, other: Speaker) -> None:
    for name in _PROFILE_FIELDS:
        setattr(kept, name, getattr(kept, name) or getattr(other, name))
    # The photo of `other` is no longer shown, and a reference to the photo would prevent its deletion.
    other.photo_url = None
    handed = {name: getattr(other, name) for name in _UNIQUE_COLUMNS if getattr(kept, name) is None}
    for name in handed:
        setattr(other, name, None)
    # The unique values of `other` are cleared first, to avoid violating unique constraints.
    session.flush()
    for name, value in handed.items():
        setattr(kept, name, value)


@dataclass(frozen=True, kw_only=True)
class RetainedPublicly:
    """Data that stays public after a member account is deleted: the IDs of talks and the slug of the speaker."""

    talks: tuple[str, ...]
    speaker: str | None


@dataclass(frozen=True, kw_only=True)
class DeletionPreview:
    """The effects that deleting a member's account would have.

    `events_without_organiser` contains the events that prevent the deletion, because they would lose their last
    organiser. `withdrawn` contains the undecided talks that the deletion would withdraw. `decided` contains the
    decided, non-public talks that the deletion would retain. `public` and `speaker` contain the talks and the speaker
    that remain public after the account is deleted.
    """

    events_without_organiser: Sequence[Event]
    withdrawn: Sequence[Talk]
    decided: Sequence[Talk]
    public: Sequence[Talk]
    speaker: Speaker | None
    teams: Sequence[Event]
    stars: int
    feeds: int
    tokens: int


def preview_account_deletion(session: Session, member: Member, *, now: datetime) -> DeletionPreview:
    speaker = find_speaker_by_member(session, member.id)
    is_decided = (Talk.submitter_id == member.id, Talk.state.not_in(UNDECIDED_STATES))
    return DeletionPreview(
        events_without_organiser=_list_events_without_organiser(session, member, now=now),
        withdrawn=_list_undecided_talks(session, member),
        decided=_list_talks(session, *is_decided, ~and_(*PUBLIC_TALK_CONDITIONS)),
        public=_list_public_talks(session, member, speaker),
        speaker=_if_published(speaker),
        teams=session.scalars(_select_team_events(member).order_by(Event.starts_at, Event.id)).all(),
        stars=_count_rows(session, Star, member),
        feeds=_count_rows(session, PersonalFeed, member, PersonalFeed.revoked_at.is_(None)),
        tokens=_count_rows(session, AccessToken, member),
    )


def delete_account(session: Session, member: Member, *, now: datetime) -> RetainedPublicly:
    """Delete a member account and withdraw the undecided talks of the member. Raises LastOrganiser."""
    held = ", ".join(event.slug for event in _list_events_without_organiser(session, member, now=now))
    if held:
        detail = Message(
            "You are the last organiser of: %(slugs)s. Add another organiser, or cancel or delete the event.",
            slugs=held,
        )
        raise LastOrganiser(detail)
    caller = Caller(member_id=member.id, role=member.role)
    for talk in _list_undecided_talks(session, member):
        apply_talk_action(session, talk, TalkAction.WITHDRAW, caller=caller, reason=None, now=now)
    speaker = find_speaker_by_member(session, member.id)
    known = _if_published(speaker)
    talk_ids = tuple(talk.id for talk in _list_public_talks(session, member, speaker))
    stays = RetainedPublicly(talks=talk_ids, speaker=known.slug if known is not None else None)
    if speaker is not None:
        speaker.member_id = speaker.email = None
        session.flush()
    revoke_all_personal_feeds(session, member, now=now)
    session.delete(member)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.ACCOUNT_DELETED, member_id=member.id)
    return stays


def _list_events_without_organiser(session: Session, member: Member, *, now: datetime) -> Sequence[Event]:
    other = aliased(TeamMember)
    others = (other.event_id == Event.id, other.role == TeamRole.ORGANISER, other.member_id != member.id)
    organised = _select_team_events(member).where(TeamMember.role == TeamRole.ORGANISER, Event.ends_at > now)
    rows = organised.where(Event.status != EventStatus.CANCELLED, ~select(other).where(*others).exists())
    return session.scalars(rows.order_by(Event.slug)).all()


def _select_team_events(member: Member) -> Select[Event]:
    return select(Event).join(TeamMember, TeamMember.event_id == Event.id).where(TeamMember.member_id == member.id)


def _list_undecided_talks(session: Session, member: Member) -> Sequence[Talk]:
    undecided = (Talk.submitter_id == member.id, Talk.state.in_(UNDECIDED_STATES))
    rows = select(Talk).where(*undecided).options(*talk_load_options()).order_by(Talk.id)
    return session.scalars(rows).unique().all()


def _list_public_talks(session: Session, member: Member, speaker: Speaker | None) -> Sequence[Talk]:
    given = select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id == (speaker.id if speaker else None))
    return _list_talks(session, or_(Talk.submitter_id == member.id, Talk.id.in_(given)), *PUBLIC_TALK_CONDITIONS)


def _list_talks(session: Session, *conditions: ColumnElement[bool]) -> Sequence[Talk]:
    return session.scalars(select(Talk).join(Talk.event).where(*conditions).order_by(Talk.sort_at, Talk.id)).all()


def _if_published(speaker: Speaker | None) -> Speaker | None:
    return speaker if speaker is not None and speaker.published_at is not None else None


def _count_rows(
    session: Session, table: type[Star | PersonalFeed | AccessToken], member: Member, *conditions: ColumnElement[bool]
) -> int:
    return session.scalars(select(func.count()).where(table.member_id == member.id, *conditions)).one()
