"""What a reader asks for: one Filter for JSON, pages, embeds and feeds alike, and its meaning for events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from eventcal.events.models import CallForTalks, Event, EventTag, Listed
from eventcal.events.words import STANDING_STATUSES, Programme
from eventcal.kit.clock import whole_second
from eventcal.kit.paging import Key
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


def sort_keys(sort: Sort, table: type[Listed], starts: InstrumentedAttribute[datetime]) -> list[Key]:
    """Return the keys of the order of a list of events or talks; `starts` is the column that holds their time."""
    if sort == Sort.UPDATED:
        return [Key(table.updated_at, datetime), Key(table.id, str)]
    falls = sort == Sort.STARTS_DOWN
    return [Key(starts, datetime, falls), Key(table.id, str, falls)]


def words_match(column: InstrumentedAttribute[str], q: str | None) -> list[ColumnElement[bool]]:
    """Return what a search text must satisfy to hold every word of `q` as a prefix."""
    # Folded words are letters and digits only, so nothing in them means anything to LIKE.
    return [column.like(f"% {word}%") for word in query_words(q or "")]


def one_of(*pairs: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], Sequence[str]]) -> list[ColumnElement[bool]]:
    """Return the conditions that each column holds one of its values; no values ask for nothing."""
    return [column.in_(values) for column, values in pairs if values]


def place_matches(asked: Filter) -> list[ColumnElement[bool]]:
    """Return what the event must satisfy, whether it is listed itself or only its talks are."""
    return one_of(
        (Event.country, [country.upper() for country in asked.countries]),
        (Event.city, asked.cities),
        (Event.slug, asked.events),
        (Event.series, asked.series),
    )


def days_match(asked: Filter, table: type[Listed]) -> list[ColumnElement[bool]]:
    """Return what a row must satisfy to overlap the days that are asked for, or a recurring event, to be able to."""
    conditions: list[ColumnElement[bool]] = []
    if asked.from_day:
        conditions.append(table.last_day >= asked.from_day.isoformat())
    if asked.to_day:
        conditions.append(table.first_day <= asked.to_day.isoformat())
    return conditions


def shared_conditions(asked: Filter, table: type[Listed], *, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that mean the same for events and for talks, which are joined to their event."""
    conditions = place_matches(asked) + days_match(asked, table) + words_match(table.search, asked.q)
    if asked.call_open:
        conditions.append(call_is_open(now))
    if asked.updated_since:
        conditions.append(table.updated_at >= asked.updated_since)
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
    """Return what an event must satisfy to be what `asked` asks for; filters that only talks have leave no event."""
    conditions = shared_conditions(asked, Event, now=now)
    conditions += [Event.id.in_(select(EventTag.event_id).where(EventTag.tag == tag)) for tag in asked.tags]
    conditions += one_of((Event.kind, asked.kinds), (Event.status, asked.states))
    if asked.absent:
        conditions.append(Event.id.not_in(asked.absent))
    if asked.scheduled is False or asked.tracks or asked.rooms or asked.speakers or asked.languages:
        conditions.append(false())
    return conditions


def still_shown(day: date, *columns: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    """Return what a tombstone must satisfy to be still on show on `day` (UTC): `columns` say until when."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return and_(*(or_(column.is_(None), column > start) for column in columns))
