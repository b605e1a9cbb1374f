"""What a reader asks for: one Filter for JSON, pages, embeds and feeds alike, and its meaning for events."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from eventcal.events.models import CallForTalks, Event, EventTag
from eventcal.events.words import STANDING_STATUSES, Programme
from eventcal.kit.clock import whole_second
from eventcal.kit.text import query_words


class Sort(StrEnum):
    """The orders that a list can have."""

    STARTS = "starts"
    STARTS_DOWN = "-starts"
    UPDATED = "updated"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What is asked for; None or () asks for everything.

    from_day, to_day: whatever overlaps these days, each in its event's own zone.
    q: all words, each as a prefix. tags: all of them.
    states: an event's statuses and a talk's states, as words.
    call_open: only events whose call for talks is open, and their talks.
    scheduled: True has its times, False waits for them.
    absent: ids of recurring events that have no occurrence in these days, sorted; see queries.narrowed.
    """

    from_day: date | None = None
    to_day: date | None = None
    q: str | None = None
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    tracks: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    call_open: bool = False
    scheduled: bool | None = None
    updated_since: datetime | None = None
    absent: tuple[str, ...] = ()


EVERYTHING = Filter()


def words_match(column: InstrumentedAttribute[str], q: str) -> list[ColumnElement[bool]]:
    """Return what a search text must satisfy to hold every word of `q` as a prefix."""
    # Folded words are letters and digits only, so nothing in them means anything to LIKE.
    return [column.like(f"% {word}%") for word in query_words(q)]


def place_matches(asked: Filter) -> list[ColumnElement[bool]]:
    """Return what the event must satisfy, whether it is listed itself or only its talks are."""
    conditions: list[ColumnElement[bool]] = []
    if asked.countries:
        conditions.append(Event.country.in_([country.upper() for country in asked.countries]))
    if asked.cities:
        conditions.append(Event.city.in_(asked.cities))
    if asked.events:
        conditions.append(Event.slug.in_(asked.events))
    if asked.series:
        conditions.append(Event.series.in_(asked.series))
    return conditions


def days_may_match(asked: Filter) -> list[ColumnElement[bool]]:
    """Return what an event must satisfy to overlap the days that are asked for, or one that recurs, to be able to."""
    conditions: list[ColumnElement[bool]] = []
    if asked.from_day:
        conditions.append(Event.last_day >= asked.from_day.isoformat())
    if asked.to_day:
        conditions.append(Event.first_day <= asked.to_day.isoformat())
    return conditions


def call_is_open(now: datetime) -> ColumnElement[bool]:
    """Return what an event must satisfy to take talks at `now`, as rules.takes_talks says it for one event."""
    second = whole_second(now)
    window = CallForTalks.event_id == Event.id
    opened = or_(CallForTalks.opens_at.is_(None), CallForTalks.opens_at <= now)
    not_closed = or_(CallForTalks.closes_at >= second, CallForTalks.closes_at.is_(None) & (Event.starts_at > now))
    return and_(
        Event.status.in_(STANDING_STATUSES),
        or_(Event.over_at.is_(None), Event.over_at > now),
        or_(
            select(CallForTalks.event_id).where(window, opened, not_closed).exists(),
            and_(Event.programme == Programme.LISTED, ~select(CallForTalks.event_id).where(window).exists()),
        ),
    )


def event_conditions(asked: Filter, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return what an event must satisfy to be what `asked` asks for.

    Filters that only talks have (track, room, speaker, language) leave no event.
    """
    conditions = place_matches(asked)
    conditions += days_may_match(asked)
    if asked.absent:
        conditions.append(Event.id.not_in(asked.absent))
    if asked.q:
        conditions += words_match(Event.search, asked.q)
    conditions += [Event.id.in_(select(EventTag.event_id).where(EventTag.tag == tag)) for tag in asked.tags]
    if asked.kinds:
        conditions.append(Event.kind.in_(asked.kinds))
    if asked.states:
        conditions.append(Event.status.in_(asked.states))
    if asked.call_open:
        conditions.append(call_is_open(now))
    if asked.updated_since:
        conditions.append(Event.updated_at >= asked.updated_since)
    if asked.scheduled is False or asked.tracks or asked.rooms or asked.speakers or asked.languages:
        conditions.append(false())
    return conditions


def still_shown(day: date, *columns: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    """Return what a tombstone must satisfy to be still on show on `day` (UTC): `columns` say until when."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return and_(*(or_(column.is_(None), column > start) for column in columns))
