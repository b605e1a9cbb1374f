"""Queries for organisers and reviewers: the programme, state changes, and all submissions except drafts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, joinedload

from eventcal.events.enums import ACTIVE_STATUSES, Programme
from eventcal.events.filter import search_conditions
from eventcal.events.models import Event
from eventcal.kit.pagination import Page, PageRequest, SortKey
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import TalkNotFound
from eventcal.talks.models import Talk, TalkSpeaker, TalkStateChange
from eventcal.talks.queries import fetch_talk_page, get_talk, talk_load_options
from eventcal.talks.rules import AWAITING_DECISION_STATES, PROGRAMME_STATES, TalkSlot

_OLDEST_FIRST = [SortKey(Talk.created_at, datetime), SortKey(Talk.id, str)]


def count_submissions_by_state(session: Session, event: Event) -> dict[TalkState, int]:
    """Return the number of submissions for an event by state. States without talks are omitted."""
    rows = select(Talk.state, func.count()).where(Talk.event_id == event.id, _not_draft()).group_by(Talk.state)
    return dict(session.execute(rows).all())


def count_undecided_talks(session: Session, event_ids: Iterable[str]) -> dict[str, dict[TalkState, int]]:
    """Return the number of undecided talks by event ID and state. Events without undecided talks are omitted."""
    rows = select(Talk.event_id, Talk.state, func.count()).where(Talk.event_id.in_(list(event_ids)))
    found: dict[str, dict[TalkState, int]] = {}
    grouped = rows.where(Talk.state.in_(AWAITING_DECISION_STATES)).group_by(Talk.event_id, Talk.state)
    for event_id, state, count in session.execute(grouped):
        found.setdefault(event_id, {})[state] = count
    return found


def list_event_submissions(
    session: Session, event: Event, states: Iterable[TalkState], *, q: str = "", paging: PageRequest
) -> Page[Talk]:
    rows = select(Talk).where(Talk.event_id == event.id, Talk.state.in_(list(states)), _not_draft())
    return fetch_talk_page(session, rows.where(*search_conditions(Talk.search, q)), _OLDEST_FIRST, paging=paging)


def list_undecided_talks_for_moderators(session: Session, *, paging: PageRequest) -> Page[Talk]:
    """Return a page of the undecided talks at active events whose programme is `listed`, oldest first."""
    rows = select(Talk).join(Talk.event).where(Event.programme == Programme.LISTED, Event.status.in_(ACTIVE_STATUSES))
    waiting = rows.where(Talk.state.in_(AWAITING_DECISION_STATES))
    return fetch_talk_page(session, waiting, _OLDEST_FIRST, paging=paging)


def get_submission(session: Session, event: Event, talk_id: str, *, caller: Caller) -> Talk:
    """Return a fully loaded submission. Raises TalkNotFound if the talk is a draft or belongs to another event."""
    talk = get_talk(session, talk_id, caller)
    if talk.event_id != event.id or talk.state == TalkState.DRAFT:
        raise TalkNotFound(talk_id)
    return talk


def list_submissions_by_id(session: Session, event: Event, talk_ids: Sequence[str]) -> list[Talk]:
    """Return the fully loaded submissions for this event with the given IDs, in the order of the IDs."""
    # An ID from a form can contain NUL, which PostgreSQL rejects in text values.
    ids = [talk_id for talk_id in talk_ids if "\x00" not in talk_id]
    rows = select(Talk).where(Talk.event_id == event.id, Talk.id.in_(ids), _not_draft()).options(*talk_load_options())
    found = {talk.id: talk for talk in session.scalars(rows)}
    return [found[talk_id] for talk_id in dict.fromkeys(talk_ids) if talk_id in found]


def submission_times(session: Session, talks: Iterable[Talk]) -> dict[str, datetime]:
    """Return submission times by talk ID. The submission time of a former draft differs from its creation time."""
    among = {talk.id: talk.created_at for talk in talks}
    last = select(TalkStateChange.talk_id, func.max(TalkStateChange.created_at)).group_by(TalkStateChange.talk_id)
    rows = last.where(TalkStateChange.to_state == TalkState.SUBMITTED, TalkStateChange.talk_id.in_(among))
    return among | dict(session.execute(rows).all())


def submitters_to_notify(session: Session, talks: Iterable[Talk]) -> Mapping[str, Member]:
    """Return the active submitters who are notified of decisions, keyed by talk ID."""
    rows = select(Talk.id, Member).join(Member, Member.id == Talk.submitter_id)
    told = rows.where(Talk.id.in_([talk.id for talk in talks]), Member.active)
    return dict(session.execute(told).all())


def list_state_changes(session: Session, talk: Talk) -> list[tuple[TalkStateChange, Member | None]]:
    rows = select(TalkStateChange, Member).outerjoin(Member, Member.id == TalkStateChange.member_id)
    found = session.execute(rows.where(TalkStateChange.talk_id == talk.id).order_by(TalkStateChange.id))
    return [(step, member) for step, member in found]


def find_previous_state(session: Session, talk: Talk) -> TalkState | None:
    """Return the state from which a talk last reached its current state, or None if no change is recorded."""
    rows = select(TalkStateChange.from_state).where(TalkStateChange.talk_id == talk.id)
    last = rows.where(TalkStateChange.to_state == talk.state).order_by(TalkStateChange.id.desc()).limit(1)
    return session.scalars(last).one_or_none()


def list_programme_talks(session: Session, event: Event, *, day: str | None = None, paging: PageRequest) -> Page[Talk]:
    """Return a page of an event's programme. If `day` is an empty string, only talks without a time are returned."""
    rows = select(Talk).where(_programme_condition(event))
    if day is not None:
        rows = rows.where(Talk.starts_at.is_not(None) & (Talk.first_day == day) if day else Talk.starts_at.is_(None))
    has_time = case((Talk.starts_at.is_(None), 0), else_=1)
    order = [SortKey(has_time, int), SortKey(Talk.sort_at, datetime), SortKey(Talk.id, str)]
    return fetch_talk_page(session, rows, order, paging=paging)


def count_programme_talks_by_day(session: Session, event: Event) -> dict[str, int]:
    """Return the number of talks in the programme by start day. Talks without a time are counted under the key ""."""
    day = case((Talk.starts_at.is_(None), ""), else_=Talk.first_day).label("day")
    rows = select(day, func.count()).where(_programme_condition(event)).group_by(day).order_by(day)
    return dict(session.execute(rows).all())


def list_talk_slots(session: Session, event: Event) -> list[TalkSlot]:
    """Return the slots of all scheduled talks in an event's programme."""
    timed = _programme_condition(event) & Talk.starts_at.is_not(None)
    speakers: dict[str, set[str]] = {}
    speaking = select(TalkSpeaker.talk_id, TalkSpeaker.speaker_id).join(Talk, Talk.id == TalkSpeaker.talk_id)
    for talk_id, speaker_id in session.execute(speaking.where(timed)):
        speakers.setdefault(talk_id, set()).add(speaker_id)
    columns = (Talk.id, Talk.title, Talk.starts_at, Talk.ends_at, Talk.room_id)
    return [
        TalkSlot(talk_id, title, starts_at, ends_at, room_id, speakers=frozenset(speakers.get(talk_id, ())))
        for talk_id, title, starts_at, ends_at, room_id in session.execute(select(*columns).where(timed))
        if starts_at is not None and ends_at is not None
    ]


def speaker_names(session: Session, event: Event, speaker_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of speakers, as shown with their talks at the event, by speaker ID."""
    parts = select(TalkSpeaker).join(Talk, Talk.id == TalkSpeaker.talk_id).options(joinedload(TalkSpeaker.speaker))
    rows = parts.where(Talk.event_id == event.id, TalkSpeaker.speaker_id.in_(list(speaker_ids)))
    return {part.speaker_id: part.shown.name for part in session.scalars(rows)}


def _not_draft() -> ColumnElement[bool]:
    return Talk.state != TalkState.DRAFT


def _programme_condition(event: Event) -> ColumnElement[bool]:
    return (Talk.event_id == event.id) & Talk.state.in_(PROGRAMME_STATES)
