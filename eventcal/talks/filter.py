"""What a Filter means for talks; see events/filter.py for what it means for events."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select

from eventcal.events.filter import Filter, call_is_open, place_matches, still_shown, words_match
from eventcal.events.models import Event, Room, Track
from eventcal.events.words import PUBLIC_STATUSES, EventStatus
from eventcal.speakers.models import Speaker
from eventcal.talks.models import Talk, TalkSpeaker, TalkTag
from eventcal.talks.words import TalkState


def public_talks(asked: Filter, *, now: datetime) -> Select[Talk]:
    """Return the statement for every public talk that is asked for, tombstones still on show among them."""
    return (
        select(Talk)
        .join(Talk.event)
        .where(
            Talk.published_at.is_not(None),
            Event.status.in_(PUBLIC_STATUSES),
            still_shown(now.date(), Talk.shown_until, Event.shown_until),
            *talk_conditions(asked, now=now),
        )
        .where(*_shown_state_in(asked.states))
    )


def talk_conditions(asked: Filter, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return what a talk, joined to its event, must satisfy to be what is asked for; states apart."""
    conditions = place_matches(asked) + _when(asked)
    if asked.q:
        conditions += words_match(Talk.search, asked.q)
    conditions += [Talk.id.in_(select(TalkTag.talk_id).where(TalkTag.tag == tag)) for tag in asked.tags]
    if asked.kinds:
        conditions.append(Talk.kind.in_(asked.kinds))
    if asked.languages:
        conditions.append(Talk.language.in_(asked.languages))
    if asked.tracks:
        conditions.append(Talk.track_id.in_(select(Track.id).where(Track.name.in_(asked.tracks))))
    if asked.rooms:
        conditions.append(Talk.room_id.in_(select(Room.id).where(Room.name.in_(asked.rooms))))
    if asked.speakers:
        # The slug of somebody who was merged into another leads there, here too.
        named = select(func.coalesce(Speaker.merged_into_id, Speaker.id)).where(Speaker.slug.in_(asked.speakers))
        conditions.append(Talk.id.in_(select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id.in_(named))))
    if asked.call_open:
        conditions.append(call_is_open(now))
    return conditions


def _when(asked: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.from_day:
        conditions.append(Talk.last_day >= asked.from_day.isoformat())
    if asked.to_day:
        conditions.append(Talk.first_day <= asked.to_day.isoformat())
    if asked.scheduled is not None:
        conditions.append(Talk.starts_at.is_not(None) if asked.scheduled else Talk.starts_at.is_(None))
    if asked.updated_since:
        conditions.append(Talk.updated_at >= asked.updated_since)
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
