"""Database-independent business rules for talks: transitions, derived columns and schedule conflicts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

from eventcal.events.enums import PUBLIC_STATUSES, Programme, TalkKind
from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import has_occurrence_between, is_cancelled_on, iter_slots_between
from eventcal.events.rules import start_end_errors, to_instant_or_gap_end, tombstone_until
from eventcal.kit.errors import FieldError, Message, Transition
from eventcal.kit.localtime import get_zone, parse_local
from eventcal.kit.text import build_search_text
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk


class TalkAction(StrEnum):
    """An action on a talk, as used in URLs."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    ACCEPT = "accept"
    REJECT = "reject"
    WAITLIST = "waitlist"
    CANCEL = "cancel"
    REINSTATE = "reinstate"


# The states in which the submitter is allowed to edit a talk.
UNDECIDED_STATES = frozenset({TalkState.DRAFT, TalkState.SUBMITTED, TalkState.WAITLISTED})

AWAITING_DECISION_STATES = frozenset({TalkState.SUBMITTED, TalkState.WAITLISTED})

PROGRAMME_STATES = frozenset({TalkState.ACCEPTED, TalkState.CONFIRMED})

GONE_STATES = frozenset({TalkState.WITHDRAWN, TalkState.CANCELLED})

TALK_TRANSITIONS: Mapping[TalkAction, Transition[TalkState]] = {
    TalkAction.SUBMIT: Transition(frozenset({TalkState.DRAFT}), TalkState.SUBMITTED),
    TalkAction.WAITLIST: Transition(frozenset({TalkState.SUBMITTED}), TalkState.WAITLISTED),
    TalkAction.ACCEPT: Transition(AWAITING_DECISION_STATES, TalkState.ACCEPTED),
    TalkAction.REJECT: Transition(AWAITING_DECISION_STATES, TalkState.REJECTED),
    TalkAction.CONFIRM: Transition(frozenset({TalkState.ACCEPTED}), TalkState.CONFIRMED),
    TalkAction.WITHDRAW: Transition(UNDECIDED_STATES | PROGRAMME_STATES, TalkState.WITHDRAWN),
    TalkAction.CANCEL: Transition(PROGRAMME_STATES, TalkState.CANCELLED),
}
"""The transitions to a fixed state. A reinstated talk returns to its previous state."""

ACTION_SOURCES: Mapping[TalkAction, frozenset[TalkState]] = {
    **{action: transition.sources for action, transition in TALK_TRANSITIONS.items()},
    TalkAction.REINSTATE: GONE_STATES | {TalkState.REJECTED},
}
"""The states in which each action is allowed."""

SPEAKER_ACTIONS = frozenset({TalkAction.SUBMIT, TalkAction.WITHDRAW, TalkAction.CONFIRM})
ORGANISER_ACTIONS = (
    TalkAction.ACCEPT,
    TalkAction.WAITLIST,
    TalkAction.REJECT,
    TalkAction.CANCEL,
    TalkAction.REINSTATE,
)
"""The actions of organisers in display order."""

DEFAULT_MINUTES: Mapping[TalkKind, int] = {
    TalkKind.TALK: 45,
    TalkKind.KEYNOTE: 60,
    TalkKind.PANEL: 60,
    TalkKind.BOF: 60,
    TalkKind.POSTER: 60,
    TalkKind.LIGHTNING: 10,
    TalkKind.WORKSHOP: 120,
    TalkKind.TUTORIAL: 180,
}


def is_public_state(programme: Programme, state: TalkState) -> bool:
    """Return whether a talk becomes public when it reaches this state."""
    return state in PROGRAMME_STATES if programme == Programme.LISTED else state == TalkState.CONFIRMED


def talk_duration(kind: TalkKind, duration_minutes: int | None) -> timedelta:
    return timedelta(minutes=duration_minutes or DEFAULT_MINUTES[kind])


def talk_time_errors(talk: Talk) -> list[FieldError]:
    for name in ("starts", "ends"):
        if getattr(talk, name) is not None and "T" not in getattr(talk, name):
            return [FieldError(f"/{name}", Message("must be a date-time such as 2014-06-04T13:30:00"))]
    if talk.ends is not None and talk.starts is None:
        return [FieldError("/starts", Message("is required if `ends` is set"))]
    errors = start_end_errors(talk.starts, talk.ends, talk.event.timezone)
    if not errors and talk.starts and not talk.event.first_day <= talk.starts[:10] <= talk.event.last_day:
        days = {"first": talk.event.first_day, "last": talk.event.last_day}
        errors.append(FieldError("/starts", Message("must be within the event's days, %(first)s to %(last)s", **days)))
    elif not errors and talk.starts and talk.event.recurrence:
        errors += _occurrence_errors(talk.event, date.fromisoformat(talk.starts[:10]))
    return errors


def _occurrence_errors(event: Event, day: date) -> list[FieldError]:
    if has_occurrence_between(event, day, day):
        return []
    following = next(iter_slots_between(event, day, None), None)
    if following is None:
        return [FieldError("/starts", Message("must be on a day on which the event occurs"))]
    wrong = Message("must be on a day on which the event occurs; the next one is %(day)s", day=following.starts[:10])
    return [FieldError("/starts", wrong)]


def talk_kind_errors(talk: Talk) -> list[FieldError]:
    kinds = talk.event.call.kinds if talk.event.call else []
    if not kinds or talk.kind in kinds:
        return []
    wrong = Message("is not accepted by this call for talks; it accepts: %(kinds)s", kinds=", ".join(kinds))
    return [FieldError("/kind", wrong)]


def recompute_talk_columns(talk: Talk, *, now: datetime) -> None:
    """Set the derived columns of a talk. The event, speakers and tags of the talk must be loaded."""
    names = [speaker.name for speaker in talk.speakers]
    search = build_search_text(talk.title, talk.abstract, *names, *(tag.tag for tag in talk.tags))
    for name, value in {**_derived_times(talk, talk.event), "search": search}.items():
        # Assigning equal values would cause an UPDATE statement for every talk in a renamed room.
        if name not in talk.__dict__ or talk.__dict__[name] != value:
            setattr(talk, name, value)
    stands_open = talk.event.status in PUBLIC_STATUSES
    if talk.published_at is None and stands_open and is_public_state(talk.event.programme, talk.state):
        talk.published_at = now
    if talk.state not in GONE_STATES and not talk.is_occurrence_cancelled:
        if talk.tombstone_until is not None:
            talk.tombstone_until = None
    elif talk.tombstone_until is None:
        talk.tombstone_until = tombstone_until(talk.ends_at or talk.event.ends_at, now=now)


def _derived_times(talk: Talk, event: Event) -> dict[str, Any]:
    """Return the derived time columns of a talk. A talk without a time spans the days of its event."""
    starts = parse_local(talk.starts) if talk.starts else None
    if not isinstance(starts, datetime):
        days = {"first_day": event.first_day, "last_day": event.last_day}
        return {
            "starts_at": None,
            "ends_at": None,
            "sort_at": event.starts_at,
            "is_occurrence_cancelled": False,
            **days,
        }
    ends = parse_local(talk.ends) if talk.ends else None
    starts_at = to_instant_or_gap_end(starts, event.timezone)
    if isinstance(ends, datetime):
        ends_at = max(to_instant_or_gap_end(ends, event.timezone), starts_at)
    else:
        ends_at = starts_at + talk_duration(talk.kind, talk.duration_minutes)
    return {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "sort_at": starts_at,
        "is_occurrence_cancelled": event.recurrence is not None and is_cancelled_on(event, starts.date()),
        "first_day": starts.date().isoformat(),
        "last_day": ends_at.astimezone(get_zone(event.timezone)).date().isoformat(),
    }


@dataclass(frozen=True)
class TalkSlot:
    """The time, room ID and speaker IDs of a talk. `ends_at` is exclusive."""

    talk_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    room_id: str | None
    speakers: frozenset[str] = field(kw_only=True)


@dataclass(frozen=True)
class ScheduleConflict:
    """Two overlapping talks that share a room or a speaker. `first` is the talk that starts first."""

    first: TalkSlot
    second: TalkSlot
    room_id: str | None
    speakers: frozenset[str]


def iter_schedule_conflicts(slots: Iterable[TalkSlot]) -> Iterator[ScheduleConflict]:
    """Yield all pairs of overlapping talks that share a room or a speaker, ordered by the start of the later talk."""
    running: list[TalkSlot] = []
    for slot in sorted(slots, key=attrgetter("starts_at", "talk_id")):
        running = [other for other in running if other.ends_at > slot.starts_at]
        for other in running:
            room = slot.room_id if slot.room_id == other.room_id else None
            shared = slot.speakers & other.speakers
            if room is not None or shared:
                yield ScheduleConflict(other, slot, room, shared)
        running.append(slot)


def list_slots_outside_event(slots: Iterable[TalkSlot], *, starts_at: datetime, ends_at: datetime) -> list[TalkSlot]:
    wrong = (slot for slot in slots if slot.starts_at < starts_at or slot.ends_at > ends_at)
    return sorted(wrong, key=attrgetter("starts_at", "talk_id"))
