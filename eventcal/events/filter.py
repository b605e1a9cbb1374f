"""The filter shared by JSON lists, pages, embeds and feeds, and its SQL conditions for events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from eventcal.events.enums import ACTIVE_STATUSES, Programme
from eventcal.events.models import CallForTalks, Event, EventTag, ListingMixin
from eventcal.kit.clock import truncate_to_second
from eventcal.kit.pagination import SortKey
from eventcal.kit.text import split_query


class Sort(StrEnum):
    """The sort orders of a list."""

    STARTS = "starts"
    STARTS_DOWN = "-starts"
    UPDATED = "updated"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Filter criteria. None or () does not restrict the result.

    from_day, to_day: only entries that overlap these days (inclusive), in the time zone of their event.
    q: all words must match, each as a prefix. tags: all of them must be present.
    states: statuses of events and states of talks.
    call_open: only events with an open call for talks, and their talks.
    scheduled: True for talks that have a time, False for talks that do not.
    excluded_event_ids: sorted ids of recurring events without an occurrence in these days; see
    `queries.exclude_without_occurrence`.
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
    excluded_event_ids: tuple[str, ...] = ()


NO_FILTER = Filter()


def sort_keys(sort: Sort, table: type[ListingMixin], starts: InstrumentedAttribute[datetime]) -> list[SortKey]:
    """Return the sort keys for a list of events or talks; `starts` is the column of their start."""
    if sort == Sort.UPDATED:
        return [SortKey(table.updated_at, datetime), SortKey(table.id, str)]
    falls = sort == Sort.STARTS_DOWN
    return [SortKey(starts, datetime, falls), SortKey(table.id, str, falls)]


def search_conditions(column: InstrumentedAttribute[str], q: str | None) -> list[ColumnElement[bool]]:
    """Return conditions that require every word of `q`, as a prefix, in a search text."""
    # Folded words consist of letters and digits, so they contain no LIKE wildcards.
    return [column.like(f"% {word}%") for word in split_query(q or "")]


def in_conditions(
    *pairs: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], Sequence[str]],
) -> list[ColumnElement[bool]]:
    """Return conditions that require one of the given values in each column. Without values, a column is skipped."""
    return [column.in_(values) for column, values in pairs if values]


def event_attribute_conditions(filters: Filter) -> list[ColumnElement[bool]]:
    """Return the conditions on an event that apply both to events and to their talks."""
    return in_conditions(
        (Event.country, [country.upper() for country in filters.countries]),
        (Event.city, filters.cities),
        (Event.slug, filters.events),
        (Event.series, filters.series),
    )


def date_range_conditions(filters: Filter, table: type[ListingMixin]) -> list[ColumnElement[bool]]:
    """Return conditions for rows that can overlap the days of the filter.

    See also `queries.exclude_without_occurrence`.
    """
    conditions: list[ColumnElement[bool]] = []
    if filters.from_day:
        conditions.append(table.last_day >= filters.from_day.isoformat())
    if filters.to_day:
        conditions.append(table.first_day <= filters.to_day.isoformat())
    return conditions


def shared_conditions(filters: Filter, table: type[ListingMixin], *, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that apply to both events and talks. A query for talks must join their event."""
    conditions = (
        event_attribute_conditions(filters)
        + date_range_conditions(filters, table)
        + search_conditions(table.search, filters.q)
    )
    if filters.call_open:
        conditions.append(open_call_condition(now))
    if filters.updated_since:
        conditions.append(table.updated_at >= filters.updated_since)
    return conditions


def open_call_condition(now: datetime) -> ColumnElement[bool]:
    """Return a condition for events that accept talks at `now`. See `rules.is_accepting_talks` for a single event."""
    second = truncate_to_second(now)
    window = CallForTalks.event_id == Event.id
    opened = or_(CallForTalks.opens_at.is_(None), CallForTalks.opens_at <= now)
    not_closed = or_(CallForTalks.closes_at >= second, CallForTalks.closes_at.is_(None) & (Event.starts_at > now))
    return and_(
        Event.status.in_(ACTIVE_STATUSES),
        or_(Event.last_ends_at.is_(None), Event.last_ends_at > now),
        or_(
            select(CallForTalks.event_id).where(window, opened, not_closed).exists(),
            and_(Event.programme == Programme.LISTED, ~select(CallForTalks.event_id).where(window).exists()),
        ),
    )


def event_conditions(filters: Filter, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return conditions for events that match the filter. Criteria that apply only to talks match no event."""
    conditions = shared_conditions(filters, Event, now=now)
    conditions += [Event.id.in_(select(EventTag.event_id).where(EventTag.tag == tag)) for tag in filters.tags]
    conditions += in_conditions((Event.kind, filters.kinds), (Event.status, filters.states))
    if filters.excluded_event_ids:
        conditions.append(Event.id.not_in(filters.excluded_event_ids))
    if filters.scheduled is False or filters.tracks or filters.rooms or filters.speakers or filters.languages:
        conditions.append(false())
    return conditions


def shown_until_condition(day: date, *columns: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    """Return a condition for tombstones that are still shown on `day` (UTC). `columns` hold the end of that period."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return and_(*(or_(column.is_(None), column > start) for column in columns))
