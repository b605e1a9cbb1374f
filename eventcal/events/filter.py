"""The filter for lists of events and talks, and the corresponding SQL conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, false, func, or_, select
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
    """Filter criteria. A criterion with its default value does not restrict the result.

    `from_day` and `to_day` select entries that overlap an inclusive date range in the time zone of the event. `q`
    selects entries in which every search word is a prefix of some word. `tags` selects entries that have all of the
    given tags. `languages` contains language ranges (RFC 4647, section 3.3.1). `states` contains event statuses and
    talk states. `call_open` selects events with an open call for talks, and the talks at those events.
    `accepting_talks` also selects listed events without a call, which accept talks until they are over. `scheduled`
    selects only talks that have a time if it is True, and only talks that have no time if it is False.
    `excluded_event_ids` contains the sorted IDs of recurring events without an occurrence in the date range (see
    `queries.exclude_without_occurrence`).
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
    accepting_talks: bool = False
    scheduled: bool | None = None
    updated_since: datetime | None = None
    excluded_event_ids: tuple[str, ...] = ()


NO_FILTER = Filter()


def sort_keys(sort: Sort, table: type[ListingMixin], starts: InstrumentedAttribute[datetime]) -> list[SortKey]:
    """Return the sort keys for a list of events or talks. `starts` is the column that contains the start time."""
    if sort == Sort.UPDATED:
        return [SortKey(table.updated_at, datetime), SortKey(table.id, str)]
    falls = sort == Sort.STARTS_DOWN
    return [SortKey(starts, datetime, falls), SortKey(table.id, str, falls)]


def search_conditions(column: InstrumentedAttribute[str], q: str | None) -> list[ColumnElement[bool]]:
    """Return conditions for rows in which every word of `q` is a prefix of some word in the search column."""
    # Words from `split_query` contain no LIKE wildcards.
    return [column.like(f"% {word}%") for word in split_query(q or "")]


def in_conditions(*pairs: tuple[SQLColumnExpression[Any], Sequence[str]]) -> list[ColumnElement[bool]]:
    """Return an IN condition for each column. Columns with an empty sequence of values are skipped."""
    return [column.in_(values) for column, values in pairs if values]


def event_attribute_conditions(filters: Filter) -> list[ColumnElement[bool]]:
    """Return the conditions on events that apply to both event lists and talk lists."""
    countries = [country.upper() for country in filters.countries]
    places = in_conditions((Event.country, countries), (Event.city, filters.cities))
    return places + in_conditions((Event.slug, filters.events), (Event.series, filters.series))


def date_range_conditions(filters: Filter, table: type[ListingMixin]) -> list[ColumnElement[bool]]:
    """Return conditions for rows that potentially overlap the date range (see `queries.exclude_without_occurrence`)."""
    conditions: list[ColumnElement[bool]] = []
    if filters.from_day:
        conditions.append(table.last_day >= filters.from_day.isoformat())
    if filters.to_day:
        conditions.append(table.first_day <= filters.to_day.isoformat())
    return conditions


def shared_conditions(filters: Filter, table: type[ListingMixin], *, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that apply to both events and talks. Talk queries must join `Event`."""
    conditions = event_attribute_conditions(filters) + date_range_conditions(filters, table)
    conditions += search_conditions(table.search, filters.q)
    if filters.call_open:
        conditions.append(open_call_condition(now))
    if filters.accepting_talks:
        conditions.append(accepting_talks_condition(now))
    if filters.updated_since:
        conditions.append(table.updated_at >= filters.updated_since)
    return conditions


def open_call_condition(now: datetime) -> ColumnElement[bool]:
    """Return a condition for events whose call for talks is open at `now`."""
    second = truncate_to_second(now)
    window = CallForTalks.event_id == Event.id
    opened = or_(CallForTalks.opens_at.is_(None), CallForTalks.opens_at <= now)
    not_closed = or_(CallForTalks.closes_at >= second, CallForTalks.closes_at.is_(None) & (Event.starts_at > now))
    return and_(
        Event.status.in_(ACTIVE_STATUSES),
        or_(Event.last_ends_at.is_(None), Event.last_ends_at > now),
        select(CallForTalks.event_id).where(window, opened, not_closed).exists(),
    )


def accepting_talks_condition(now: datetime) -> ColumnElement[bool]:
    """Return a condition for events that accept talks at `now`, equivalent to `rules.is_accepting_talks`."""
    without_call = and_(
        Event.status.in_(ACTIVE_STATUSES),
        or_(Event.last_ends_at.is_(None), Event.last_ends_at > now),
        Event.programme == Programme.LISTED,
        ~select(CallForTalks.event_id).where(CallForTalks.event_id == Event.id).exists(),
    )
    return or_(open_call_condition(now), without_call)


def language_condition(column: SQLColumnExpression[str | None], ranges: Sequence[str]) -> ColumnElement[bool]:
    """Return a condition for language tags that match a language range by prefix (RFC 4647, section 3.3.1)."""
    tag = func.lower(column)
    # Language ranges contain no LIKE wildcards.
    return or_(*(or_(tag == one.lower(), tag.like(f"{one.lower()}-%")) for one in ranges))


def event_conditions(filters: Filter, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return conditions for events that match the filter. A filter with talk criteria matches no events."""
    conditions = shared_conditions(filters, Event, now=now)
    conditions += [Event.id.in_(select(EventTag.event_id).where(EventTag.tag == tag)) for tag in filters.tags]
    conditions += in_conditions((Event.kind, filters.kinds), (Event.status, filters.states))
    if filters.excluded_event_ids:
        conditions.append(Event.id.not_in(filters.excluded_event_ids))
    if filters.scheduled is False or filters.tracks or filters.rooms or filters.speakers or filters.languages:
        conditions.append(false())
    return conditions


def tombstone_visible_condition(day: date, *columns: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    """Return a condition for rows that are visible on `day` (UTC). The `columns` store tombstone expiry times."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return and_(*(or_(column.is_(None), column > start) for column in columns))
