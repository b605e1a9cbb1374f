"""Reads of talks: each asks only for what the caller may see."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from eventcal.events.filter import Filter, Sort, one_of, shared_conditions, sort_keys, still_shown
from eventcal.events.models import Event, Room, Track
from eventcal.events.words import PUBLIC_STATUSES, EventStatus
from eventcal.kit.paging import Key, Page, Paging, fetch_page
from eventcal.kit.refusals import required
from eventcal.members.caller import Caller
from eventcal.speakers.models import Speaker
from eventcal.talks.errors import NoSuchTalk
from eventcal.talks.models import Star, Talk, TalkSpeaker, TalkStep, TalkTag
from eventcal.talks.words import TalkState

IS_PUBLIC = (Talk.published_at.is_not(None), Event.status.in_(PUBLIC_STATUSES))
"""What a talk, joined to its event, must satisfy so that anybody may know of it; see `is_public`."""

_PLACE = (joinedload(Talk.event), joinedload(Talk.track), joinedload(Talk.room))


def whole_talk() -> tuple[ORMOption, ...]:
    """Return the load options for everything that a talk's resource and entry show."""
    return (
        *_PLACE,
        # Few talks are given again; the others pay nothing for it.
        selectinload(Talk.reprise_of).joinedload(Talk.event),
        selectinload(Talk.speaking).joinedload(TalkSpeaker.speaker),
        selectinload(Talk.tags),
    )


# One talk comes in one statement, made once: what an edit spent most of its time on. For many, the rows of speakers
# times tags would be too many. The few that were given before take another statement, for which SQLAlchemy would
# prepare each time.
_ONE_TALK = (
    select(Talk)
    .where(Talk.id == bindparam("talk_id"))
    .options(*_PLACE, joinedload(Talk.speaking).joinedload(TalkSpeaker.speaker), joinedload(Talk.tags))
)

_EARLIER_TALK = select(Talk).where(Talk.id == bindparam("talk_id")).options(joinedload(Talk.event))


def find_talk(session: Session, talk_id: str, caller: Caller) -> Talk | None:
    """Return the talk, whole, or None where there is none that the caller may know of."""
    talk = session.scalars(_ONE_TALK, {"talk_id": talk_id}).unique().one_or_none()
    if talk is None or not may_see_talk(talk, caller):
        return None
    earlier = None
    if talk.reprise_of_id is not None:
        earlier = session.scalars(_EARLIER_TALK, {"talk_id": talk.reprise_of_id}).one()
    set_committed_value(talk, "reprise_of", earlier)
    return talk


def get_talk(session: Session, talk_id: str, caller: Caller) -> Talk:
    """Return the talk, whole. Raises NoSuchTalk, also for what the caller may not know of."""
    return required(find_talk(session, talk_id, caller), NoSuchTalk(talk_id))


def is_public(talk: Talk) -> bool:
    """Say whether anybody may know of this talk."""
    return talk.published_at is not None and talk.event.status in PUBLIC_STATUSES


def is_own(talk: Talk, caller: Caller) -> bool:
    """Say whether the caller offered this talk or gives it."""
    if caller.member_id is None:
        return False
    return talk.submitter_id == caller.member_id or any(s.member_id == caller.member_id for s in talk.speakers)


def may_see_talk(talk: Talk, caller: Caller) -> bool:
    """Say whether the caller may know of this talk; a draft is its submitter's own, but for moderators' eyes."""
    offered = caller.moderates or (talk.state != TalkState.DRAFT and caller.may_review(talk.event_id))
    return offered or is_public(talk) or is_own(talk, caller)


def public_talks(asked: Filter, *, now: datetime) -> Select[Talk]:
    """Return the statement for every public talk that is asked for, tombstones still on show among them."""
    shown = still_shown(now.date(), Talk.shown_until, Event.shown_until)
    rows = select(Talk).join(Talk.event).where(*IS_PUBLIC, shown)
    return rows.where(*talk_conditions(asked, now=now), *_shown_state_in(asked.states))


def talk_conditions(asked: Filter, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return what a talk, joined to its event, must satisfy to be what is asked for; states apart."""
    conditions = shared_conditions(asked, Talk, now=now)
    conditions += [Talk.id.in_(select(TalkTag.talk_id).where(TalkTag.tag == tag)) for tag in asked.tags]
    conditions += one_of((Talk.kind, asked.kinds), (Talk.language, asked.languages))
    if asked.scheduled is not None:
        conditions.append(Talk.starts_at.is_not(None) if asked.scheduled else Talk.starts_at.is_(None))
    if asked.tracks:
        conditions.append(Talk.track_id.in_(select(Track.id).where(Track.name.in_(asked.tracks))))
    if asked.rooms:
        conditions.append(Talk.room_id.in_(select(Room.id).where(Room.name.in_(asked.rooms))))
    if asked.speakers:
        # The slug of somebody who was merged into another leads there, here too.
        named = select(func.coalesce(Speaker.merged_into_id, Speaker.id)).where(Speaker.slug.in_(asked.speakers))
        conditions.append(Talk.id.in_(select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id.in_(named))))
    return conditions


def _shown_state_in(states: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """Hold the states asked for against the one that readers see (Talk.shown_state)."""
    if not states:
        return []
    off = Event.status == EventStatus.CANCELLED
    plain = [state for state in states if state not in {TalkState.WITHDRAWN, TalkState.CANCELLED}]
    either: list[ColumnElement[bool]] = [Talk.state.in_(plain) & ~off]
    if TalkState.CANCELLED in states:
        either.append(or_(off, Talk.state.in_([TalkState.WITHDRAWN, TalkState.CANCELLED])))
    return [or_(*either)]


def list_talks(session: Session, asked: Filter, *, sort: Sort, paging: Paging, now: datetime) -> Page[Talk]:
    """Return a page of public talks."""
    return fetch_talks(session, public_talks(asked, now=now), sort_keys(sort, Talk, Talk.sort_at), paging)


def list_submissions(session: Session, asked: Filter, *, sort: Sort, paging: Paging, now: datetime) -> Page[Talk]:
    """Return a page of talks in the states asked for, no drafts. The caller must review the events that are named."""
    offered = set(asked.states) - {TalkState.DRAFT}
    rows = select(Talk).join(Talk.event).where(*talk_conditions(asked, now=now), Talk.state.in_(offered))
    return fetch_talks(session, rows, sort_keys(sort, Talk, Talk.sort_at), paging)


def list_own_talks(session: Session, caller: Caller, *, paging: Paging) -> Page[Talk]:
    """Return a page of the talks that a member offered or gives, in every state, the newest first."""
    order = [Key(Talk.created_at, datetime, falls=True), Key(Talk.id, str, falls=True)]
    return fetch_talks(session, select(Talk).where(_own_or_in(caller.member_id)), order, paging)


def _own_or_in(member_id: str | None, *others: Select[str]) -> ColumnElement[bool]:
    """Return the condition that a member offered or gives a talk, or that its id is among the others."""
    spoken = select(TalkSpeaker.talk_id).join(Speaker).where(Speaker.member_id == member_id)
    return or_(Talk.submitter_id == member_id, *(Talk.id.in_(ids) for ids in (spoken, *others)))


def _starred(member_id: str | None) -> Select[str]:
    return select(Star.talk_id).where(Star.member_id == member_id)


def reasons_given(session: Session, talks: Iterable[Talk]) -> dict[str, str]:
    """Return why each of these talks is in its state, by its id, where whoever took the last step said so."""
    last = select(func.max(TalkStep.id)).where(TalkStep.talk_id.in_([talk.id for talk in talks]))
    rows = select(TalkStep.talk_id, TalkStep.reason).where(
        TalkStep.id.in_(last.group_by(TalkStep.talk_id)), TalkStep.reason.is_not(None)
    )
    return {talk_id: reason for talk_id, reason in session.execute(rows) if reason is not None}


def agenda_ids(session: Session, member_id: str) -> set[str]:
    """Return the ids of a member's stars and own talks, public or not."""
    return set(session.scalars(select(Talk.id).where(_own_or_in(member_id, _starred(member_id)))))


def list_agenda(
    session: Session, caller: Caller, asked: Filter, *, sort: Sort, paging: Paging, now: datetime
) -> Page[Talk]:
    """Return a page of what a member's secret feed holds: the public ones of their stars and own talks."""
    on_agenda = select(Talk.id).where(_own_or_in(caller.member_id, _starred(caller.member_id)))
    return fetch_talks(
        session, public_talks(asked, now=now).where(Talk.id.in_(on_agenda)), sort_keys(sort, Talk, Talk.sort_at), paging
    )


def list_stars(session: Session, caller: Caller, *, paging: Paging, now: datetime) -> Page[Talk]:
    """Return a page of the public talks on a member's agenda."""
    rows = public_talks(Filter(), now=now).where(Talk.id.in_(_starred(caller.member_id)))
    return fetch_talks(session, rows, sort_keys(Sort.STARTS, Talk, Talk.sort_at), paging)


def starred_among(session: Session, caller: Caller, talks: Iterable[Talk]) -> set[str]:
    """Return the ids of those of the talks that the caller has put on their agenda."""
    return set(session.scalars(_starred(caller.member_id).where(Star.talk_id.in_([talk.id for talk in talks]))))


def fetch_talks(session: Session, rows: Select[Talk], order: Sequence[Key], paging: Paging) -> Page[Talk]:
    """Return a page of talks, whole."""
    return fetch_page(session, rows.options(*whole_talk()), order=order, paging=paging)
