"""Queries for talks. Unless stated otherwise, queries return only talks that the caller is allowed to see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, or_, select, true
from sqlalchemy.orm import Session, aliased, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus
from eventcal.events.filter import (
    Filter,
    Sort,
    in_conditions,
    language_condition,
    shared_conditions,
    sort_keys,
    tombstone_visible_condition,
)
from eventcal.events.models import Event, Room, Track
from eventcal.kit.errors import require
from eventcal.kit.models import UtcDateTime
from eventcal.kit.pagination import Page, PageRequest, SortKey, fetch_page
from eventcal.members.caller import Caller
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkRole, TalkState
from eventcal.talks.errors import TalkNotFound
from eventcal.talks.models import Star, Talk, TalkSpeaker, TalkStateChange, TalkTag

PUBLIC_TALK_CONDITIONS = (Talk.published_at.is_not(None), Event.status.in_(PUBLIC_STATUSES))
"""The SQL conditions for public talks, equivalent to `is_public`. Queries must join the event."""

_A_DAY = timedelta(days=1)
_PLACE_OPTIONS = (joinedload(Talk.event), joinedload(Talk.track), joinedload(Talk.room))


def talk_load_options() -> tuple[ORMOption, ...]:
    """Return loader options for all relationships used by the API resource and feed entry of a talk."""
    return (
        *_PLACE_OPTIONS,
        # Few talks are reprises, and `selectinload` executes no statement for talks that are not reprises.
        selectinload(Talk.reprise_of).joinedload(Talk.event),
        selectinload(Talk.speaking).joinedload(TalkSpeaker.speaker),
        selectinload(Talk.tags),
    )


# The statement for loading a single talk is built once, because building it took most of the time to edit a talk.
# Lists do not use joined loading of speakers and tags, because the Cartesian product would have too many rows.
# The earlier talk of a reprise is loaded separately, because a loader option would slow down loading all other talks.
_SELECT_TALK = (
    select(Talk)
    .where(Talk.id == bindparam("talk_id"))
    .options(*_PLACE_OPTIONS, joinedload(Talk.speaking).joinedload(TalkSpeaker.speaker), joinedload(Talk.tags))
)

_SELECT_EARLIER_TALK = select(Talk).where(Talk.id == bindparam("talk_id")).options(joinedload(Talk.event))


def find_talk(session: Session, talk_id: str, caller: Caller) -> Talk | None:
    """Return the fully loaded talk, or None if the talk is missing or hidden from the caller."""
    talk = session.scalars(_SELECT_TALK, {"talk_id": talk_id}).unique().one_or_none()
    if talk is None:
        return None
    # Drafts are private to their submitters and speakers.
    offered = caller.is_operator or (talk.state != TalkState.DRAFT and caller.can_review(talk.event_id))
    if not (offered or is_public(talk) or is_submitter_or_speaker(talk, caller)):
        return None
    earlier = None
    if talk.reprise_of_id is not None:
        earlier = session.scalars(_SELECT_EARLIER_TALK, {"talk_id": talk.reprise_of_id}).one()
    set_committed_value(talk, "reprise_of", earlier)
    return talk


def find_earlier_talk(session: Session, talk_id: str, caller: Caller) -> Talk | None:
    """Return the talk if it is public or the caller's own, or else None. The command line can use all talks.

    A reprise copies the texts of the earlier talk, so the submissions of other members must not be used, even if the
    caller is allowed to read them.
    """
    talk = find_talk(session, talk_id, caller)
    if talk is None or caller.is_operator:
        return talk
    return talk if is_public(talk) or is_submitter_or_speaker(talk, caller) else None


def get_talk(session: Session, talk_id: str, caller: Caller) -> Talk:
    """Return the fully loaded talk. Raises TalkNotFound if the talk is missing or hidden from the caller."""
    return require(find_talk(session, talk_id, caller), TalkNotFound(talk_id))


def is_public(talk: Talk) -> bool:
    return talk.published_at is not None and talk.event.status in PUBLIC_STATUSES


def is_submitter_or_speaker(talk: Talk, caller: Caller) -> bool:
    """Return whether the caller is the submitter or a speaker of this talk."""
    if caller.member_id is None:
        return False
    return talk.submitter_id == caller.member_id or any(s.member_id == caller.member_id for s in talk.speaker_rows)


def select_public_talks(filters: Filter, *, now: datetime) -> Select[Talk]:
    """Return a SELECT statement for the public talks that match the filter, including visible tombstones."""
    shown = tombstone_visible_condition(now.date(), Talk.tombstone_until, Event.tombstone_until)
    rows = select(Talk).join(Talk.event).where(*PUBLIC_TALK_CONDITIONS, shown)
    return rows.where(*talk_conditions(filters, now=now), *_public_state_conditions(filters.states))


def talk_conditions(filters: Filter, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return SQL conditions for the filter criteria except `states`, for use in queries that join the event."""
    conditions = shared_conditions(filters, Talk, now=now) + _sort_time_conditions(filters)
    conditions += [Talk.id.in_(select(TalkTag.talk_id).where(TalkTag.tag == tag)) for tag in filters.tags]
    conditions += in_conditions((Talk.kind, filters.kinds))
    if filters.languages:
        conditions.append(language_condition(Talk.language, filters.languages))
    if filters.scheduled is not None:
        conditions.append(Talk.starts_at.is_not(None) if filters.scheduled else Talk.starts_at.is_(None))
    if filters.tracks:
        conditions.append(Talk.track_id.in_(select(Track.id).where(Track.name.in_(filters.tracks))))
    if filters.rooms:
        conditions.append(Talk.room_id.in_(select(Room.id).where(Room.name.in_(filters.rooms))))
    if filters.speakers:
        # The slug of a merged speaker selects the speaker to which the slug redirects.
        named = select(func.coalesce(Speaker.merged_into_id, Speaker.id)).where(Speaker.slug.in_(filters.speakers))
        public = select(Speaker.id).where(Speaker.published_at.is_not(None))
        # A filter must not reveal which speaker has the email address that a submitter entered.
        is_shown = or_(TalkSpeaker.entered.is_(None), TalkSpeaker.speaker_id.in_(public))
        spoken = select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id.in_(named), is_shown)
        conditions.append(Talk.id.in_(spoken))
    return conditions


def _sort_time_conditions(filters: Filter) -> list[ColumnElement[bool]]:
    """Return conditions on `sort_at` that exclude only talks outside the date range. The database can use an index."""
    conditions: list[ColumnElement[bool]] = []
    if filters.from_day:
        # A local day starts less than a day before or after the same day in UTC.
        begins = literal(datetime.combine(filters.from_day, time(), UTC) - _A_DAY, UtcDateTime())
        multi_day = aliased(Talk)
        is_under_way = and_(multi_day.sort_at < begins, multi_day.last_day >= filters.from_day.isoformat())
        first = select(func.min(multi_day.sort_at)).where(multi_day.first_day < multi_day.last_day, is_under_way)
        conditions.append(Talk.sort_at >= func.coalesce(first.scalar_subquery(), begins))
    # A talk without a time is sorted by the start of its event, which can be later than the first occurrence.
    if filters.to_day and filters.scheduled:
        conditions.append(Talk.sort_at < datetime.combine(filters.to_day, time(), UTC) + 2 * _A_DAY)
    return conditions


def _public_state_conditions(states: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """Return conditions for talks whose `public_state` is one of the given states."""
    if not states:
        return []
    off = or_(Event.status == EventStatus.CANCELLED, Talk.is_occurrence_cancelled)
    plain = [state for state in states if state not in {TalkState.WITHDRAWN, TalkState.CANCELLED}]
    either: list[ColumnElement[bool]] = [Talk.state.in_(plain) & ~off]
    if TalkState.CANCELLED in states:
        either.append(or_(off, Talk.state.in_([TalkState.WITHDRAWN, TalkState.CANCELLED])))
    return [or_(*either)]


def list_talks(session: Session, filters: Filter, *, sort: Sort, paging: PageRequest, now: datetime) -> Page[Talk]:
    rows = select_public_talks(filters, now=now)
    return fetch_talk_page(session, rows, sort_keys(sort, Talk, Talk.sort_at), paging=paging)


def list_submissions(
    session: Session, filters: Filter, *, caller: Caller, sort: Sort, paging: PageRequest, now: datetime
) -> Page[Talk]:
    """Return a page of the talks in the given states that the caller has submitted, presents, or may review.

    Drafts of other members are omitted.
    """
    reviewed = Talk.event_id.in_(caller.organised_event_ids | caller.reviewed_event_ids)
    offered = (true() if caller.is_moderator else reviewed) & (Talk.state != TalkState.DRAFT)
    seen = (Talk.state.in_(filters.states), or_(_own_talk_condition(caller.member_id), offered))
    rows = select(Talk).join(Talk.event).where(*talk_conditions(filters, now=now), *seen)
    return fetch_talk_page(session, rows, sort_keys(sort, Talk, Talk.sort_at), paging=paging)


def list_submitted_talk_ids(session: Session, event: Event, *, submitter_id: str | None) -> Sequence[str]:
    """Return the IDs of the talks in the state `submitted` that a member has submitted to an event, oldest first."""
    rows = select(Talk.id).where(Talk.event_id == event.id, Talk.submitter_id == submitter_id)
    return session.scalars(rows.where(Talk.state == TalkState.SUBMITTED).order_by(Talk.created_at, Talk.id)).all()


@dataclass(frozen=True, kw_only=True)
class OwnTalksFilter:
    """Criteria for the talks of a member: the roles of the member, the states, and the slugs of the events."""

    roles: tuple[TalkRole, ...] = ()
    states: tuple[TalkState, ...] = ()
    events: tuple[str, ...] = ()


def list_own_talks(
    session: Session, caller: Caller, filters: OwnTalksFilter = OwnTalksFilter(), *, paging: PageRequest
) -> Page[Talk]:
    """Return a page of the talks that the caller has submitted or presents, newest first."""
    member_id = caller.member_id
    by_role = {TalkRole.SUBMITTER: Talk.submitter_id == member_id, TalkRole.SPEAKER: _spoken_condition(member_id)}
    rows = select(Talk).where(or_(*(by_role[role] for role in filters.roles or TalkRole)))
    if filters.states:
        rows = rows.where(Talk.state.in_(filters.states))
    if filters.events:
        rows = rows.where(Talk.event_id.in_(select(Event.id).where(Event.slug.in_(filters.events))))
    order = [SortKey(Talk.created_at, datetime, descending=True), SortKey(Talk.id, str, descending=True)]
    return fetch_talk_page(session, rows, order, paging=paging)


def _own_talk_condition(member_id: str | None, *id_queries: Select[str]) -> ColumnElement[bool]:
    """Return a condition for talks that a member submitted or presents, or whose IDs any of `id_queries` returns."""
    starred = [Talk.id.in_(ids) for ids in id_queries]
    return or_(Talk.submitter_id == member_id, _spoken_condition(member_id), *starred)


def _spoken_condition(member_id: str | None) -> ColumnElement[bool]:
    return Talk.id.in_(select(TalkSpeaker.talk_id).join(Speaker).where(Speaker.member_id == member_id))


def _select_starred_ids(member_id: str | None) -> Select[str]:
    return select(Star.talk_id).where(Star.member_id == member_id)


def last_state_change_reasons(session: Session, talks: Iterable[Talk]) -> dict[str, str]:
    """Return the reasons for the last state changes of talks, keyed by talk ID. Talks without a reason are omitted."""
    last = select(func.max(TalkStateChange.id)).where(TalkStateChange.talk_id.in_([talk.id for talk in talks]))
    is_last = TalkStateChange.id.in_(last.group_by(TalkStateChange.talk_id))
    rows = select(TalkStateChange.talk_id, TalkStateChange.reason).where(is_last, TalkStateChange.reason.is_not(None))
    return {talk_id: reason for talk_id, reason in session.execute(rows) if reason is not None}


def starred_and_own_talk_ids(session: Session, member_id: str) -> set[str]:
    """Return the IDs of all talks that a member starred, submitted or presents, including non-public talks."""
    return set(session.scalars(select(Talk.id).where(_own_talk_condition(member_id, _select_starred_ids(member_id)))))


def list_starred_and_own_talks(
    session: Session, caller: Caller, filters: Filter, *, sort: Sort, paging: PageRequest, now: datetime
) -> Page[Talk]:
    on_agenda = select(Talk.id).where(_own_talk_condition(caller.member_id, _select_starred_ids(caller.member_id)))
    rows = select_public_talks(filters, now=now).where(Talk.id.in_(on_agenda))
    return fetch_talk_page(session, rows, sort_keys(sort, Talk, Talk.sort_at), paging=paging)


def list_starred_talks(session: Session, caller: Caller, *, paging: PageRequest, now: datetime) -> Page[Talk]:
    rows = select_public_talks(Filter(), now=now).where(Talk.id.in_(_select_starred_ids(caller.member_id)))
    return fetch_talk_page(session, rows, sort_keys(Sort.STARTS, Talk, Talk.sort_at), paging=paging)


def starred_talk_ids(session: Session, caller: Caller, talks: Iterable[Talk]) -> set[str]:
    among = Star.talk_id.in_([talk.id for talk in talks])
    return set(session.scalars(_select_starred_ids(caller.member_id).where(among)))


def fetch_talk_page(session: Session, rows: Select[Talk], order: list[SortKey], *, paging: PageRequest) -> Page[Talk]:
    return fetch_page(session, rows.options(*talk_load_options()), order=order, paging=paging)
