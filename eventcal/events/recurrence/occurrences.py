"""The occurrences of a recurring event with overrides applied, in chronological order.

An event without a recurrence rule has a single occurrence.

Each occurrence has "the same exact duration" (RFC 5545, section 3.8.5.3), measured in elapsed time instead of local
time. An event from 22:00 to 06:00 lasts eight hours, and ends at 07:00 if the clocks go forward during the night.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, Protocol

from sqlalchemy.orm import Session

from eventcal.events.enums import ACTIVE_STATUSES, EventStatus
from eventcal.events.recurrence.clock_changes import local_starts_at_clock_changes
from eventcal.events.recurrence.expansion import RuleExpansion, expand_rule
from eventcal.kit.errors import FieldError, Invalid, Message
from eventcal.kit.localtime import (
    LAST_YEAR,
    day_end,
    day_start,
    format_local,
    get_zone,
    local_to_utc_lenient,
    parse_local,
)
from eventcal.kit.pagination import Page, PageRequest, build_cursor, parse_cursor

DEFAULT_PERIOD = timedelta(days=400)
"""The length of a date range if only one of its ends is given."""

_LAST_DATE = date(LAST_YEAR, 12, 31)
LAST_DAY = _LAST_DATE.isoformat()
# The minimum duration, for events whose start and end coincide after a time zone database update.
_MIN_DURATION = timedelta(minutes=1)
# A local time in a gap can move to the next day, because time zones that crossed the date line skipped a whole day.
_GAP_MARGIN = timedelta(days=2)
_CURSOR_PATTERN = re.compile(r"(\d{8}T\d{6})Z_(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d))?", re.ASCII)

SortPosition = tuple[datetime, str]
"""The position of an occurrence in chronological order: its start (UTC) and its identifier."""


class RecurringEvent(Protocol):
    """The fields of a valid event that determine its occurrences.

    `starts` and `ends` are dates or local times. `recurrence_overrides` maps occurrence IDs to changed fields.
    """

    timezone: str
    starts: str
    ends: str
    recurrence: str | None
    recurrence_overrides: dict[str, Any]
    title: str
    summary: str | None
    status: EventStatus
    venue: str | None
    online_url: str | None


@dataclass(frozen=True, kw_only=True)
class OccurrenceSlot:
    """The time of an occurrence.

    `occurrence` is the ID of the occurrence: the start according to the rule, in the format of the event's `starts`.
    `starts` and `ends` are local times or inclusive dates. `starts_at` and `ends_at` are in UTC, and `ends_at` is
    exclusive.
    """

    occurrence: str
    starts: str
    ends: str
    starts_at: datetime
    ends_at: datetime

    @property
    def sort_position(self) -> SortPosition:
        return self.starts_at, self.occurrence

    def overlaps(self, first: date | None, last: date | None) -> bool:
        """Return whether the occurrence overlaps the inclusive date range, which can be open-ended."""
        starts_in_time = last is None or self.starts[:10] <= last.isoformat()
        return starts_in_time and (first is None or self.ends[:10] >= first.isoformat())


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """An occurrence of an event with its override applied."""

    slot: OccurrenceSlot
    title: str
    summary: str | None
    status: EventStatus
    venue: str | None
    online_url: str | None


def build_occurrence_slot(event: RecurringEvent, occurrence: str, override: Mapping[str, Any]) -> OccurrenceSlot:
    """Return the time of an occurrence after applying a valid override."""
    tzid = event.timezone
    start = parse_local(override.get("starts", occurrence))
    end = parse_local(override["ends"]) if "ends" in override else None
    if isinstance(start, datetime):
        starts_at = local_to_utc_lenient(start, tzid)
        ends_at = local_to_utc_lenient(end, tzid) if isinstance(end, datetime) else starts_at + _event_duration(event)
        ends_at = max(ends_at, starts_at + _MIN_DURATION)
        starts, ends = (format_local(at.astimezone(get_zone(tzid)).replace(tzinfo=None)) for at in (starts_at, ends_at))
    else:
        last = end or start + (date.fromisoformat(event.ends) - date.fromisoformat(event.starts))
        starts_at, ends_at = day_start(start, tzid), day_end(min(last, _LAST_DATE), tzid)
        starts, ends = start.isoformat(), last.isoformat()
    return OccurrenceSlot(occurrence=occurrence, starts=starts, ends=ends, starts_at=starts_at, ends_at=ends_at)


def _event_duration(event: RecurringEvent) -> timedelta:
    starts, ends = (datetime.fromisoformat(written) for written in (event.starts, event.ends))
    return local_to_utc_lenient(ends, event.timezone) - local_to_utc_lenient(starts, event.timezone)


def occurrences_between(
    event: RecurringEvent, first: date | None, last: date | None, *, limit: int, after: SortPosition | None = None
) -> list[Occurrence]:
    """Return up to `limit` occurrences that overlap the inclusive date range in the time zone of the event.

    Excluded occurrences are omitted, but cancelled occurrences are included.
    """
    return [_apply_override(event, slot) for slot in islice(iter_slots_between(event, first, last, after=after), limit)]


def list_occurrences(
    session: Session, event: RecurringEvent, *, first: date, last: date, paging: PageRequest
) -> Page[Occurrence]:
    """Return a page of the occurrences between two days.

    Raises Invalid if the cursor is malformed, or CursorExpired if it is from another epoch.
    """
    after = _parse_cursor(session, paging.cursor) if paging.cursor is not None else None
    found = occurrences_between(event, first, last, limit=paging.limit + 1, after=after)
    kept = tuple(found[: paging.limit])
    if len(found) <= paging.limit:
        return Page(kept, None)
    starts_at, occurrence = kept[-1].slot.sort_position
    return Page(kept, build_cursor(session, f"{starts_at:%Y%m%dT%H%M%SZ}_{re.sub('[-:]', '', occurrence)}"))


def _parse_cursor(session: Session, cursor: str) -> SortPosition:
    try:
        found = _CURSOR_PATTERN.fullmatch(parse_cursor(session, cursor))
        if found is None:
            raise ValueError
        starts_at, *day_and_time = found.groups()
        occurrence = "-".join(day_and_time[:3]) + (f"T{':'.join(day_and_time[3:])}" if day_and_time[3] else "")
        return datetime.strptime(starts_at, "%Y%m%dT%H%M%S").replace(tzinfo=UTC), occurrence
    except ValueError as error:
        unknown = Message("is not a valid cursor of this list; omit it to start from the first page")
        raise Invalid(errors=[FieldError("?cursor", unknown)]) from error


def complete_day_range(first: date | None, last: date | None) -> tuple[date, date] | None:
    """Return the date range, which spans 400 days if one end is None, or return None if both ends are None."""
    if first is not None:
        return first, last or first + DEFAULT_PERIOD
    return (last - DEFAULT_PERIOD, last) if last is not None else None


def has_occurrence_between(event: RecurringEvent, first: date | None, last: date | None) -> bool:
    return next(iter_slots_between(event, first, last), None) is not None


def is_cancelled_on(event: RecurringEvent, day: date) -> bool:
    """Return whether all occurrences on a day are cancelled or excluded, although the event is not cancelled."""
    overrides = event.recurrence_overrides or {}
    slots = list(iter_slots_between(event, day, day))
    if slots:
        return all(overrides.get(slot.occurrence, {}).get("status") == EventStatus.CANCELLED for slot in slots)
    return any(occurrence[:10] == day.isoformat() for occurrence in excluded_occurrence_ids(event))


def list_explicit_occurrences(event: RecurringEvent) -> list[Occurrence]:
    """Return the occurrences that the rule does not describe fully: those with an override or at a change of clocks."""
    slots = [*_list_overridden_slots(event), *_iter_slots_at_clock_changes(event)]
    return [_apply_override(event, slot) for slot in sorted(slots, key=attrgetter("occurrence"))]


def _iter_slots_at_clock_changes(event: RecurringEvent) -> Iterator[OccurrenceSlot]:
    if not event.recurrence or "T" not in event.starts:
        return
    for local in local_starts_at_clock_changes(event.recurrence, event.starts, event.ends, tzid=event.timezone):
        occurrence = format_local(local)
        if occurrence not in (event.recurrence_overrides or {}):
            yield build_occurrence_slot(event, occurrence, {})


def excluded_occurrence_ids(event: RecurringEvent) -> list[str]:
    overrides = event.recurrence_overrides or {}
    return sorted(occurrence for occurrence, override in overrides.items() if override.get("excluded"))


def iter_slots_between(
    event: RecurringEvent, first: date | None, last: date | None, *, after: SortPosition | None = None
) -> Iterator[OccurrenceSlot]:
    moved = sorted(_list_overridden_slots(event), key=lambda slot: slot.sort_position)
    regular = _iter_regular_slots(event, _expansion_start(event, first, after), last)
    for slot in merge(regular, moved, key=lambda slot: slot.sort_position):
        if slot.overlaps(first, last) and (after is None or slot.sort_position > after):
            yield slot


def occurrence_day_range(event: RecurringEvent) -> tuple[str, str]:
    """Return the first and last day with an occurrence. The last day is LAST_DAY if the recurrence never ends."""
    others = _list_overridden_slots(event)
    own = build_occurrence_slot(event, event.starts, {})
    rule = _expand_event_rule(event)
    first = min([own.starts[:10], *(slot.starts[:10] for slot in others)])
    if rule is not None and not rule.has_end:
        return first, LAST_DAY
    latest = own
    if rule is not None and rule.last_date:
        latest = build_occurrence_slot(event, _format_occurrence_id(event, rule.last_date), {})
    return first, min(LAST_DAY, max([latest.ends[:10], *(slot.ends[:10] for slot in others)]))


def _list_overridden_slots(event: RecurringEvent) -> list[OccurrenceSlot]:
    overrides = event.recurrence_overrides or {}
    kept = [(occurrence, override) for occurrence, override in overrides.items() if not override.get("excluded")]
    return [build_occurrence_slot(event, occurrence, override) for occurrence, override in sorted(kept)]


def _iter_regular_slots(event: RecurringEvent, first_day: date, last: date | None) -> Iterator[OccurrenceSlot]:
    """Yield the slots of occurrences without an override, starting from `first_day`."""
    overrides = event.recurrence_overrides or {}
    rule = _expand_event_rule(event)
    for local in rule.iter_from(first_day) if rule else [datetime.fromisoformat(event.starts)]:
        if last is not None and local.date() > last:
            return
        occurrence = _format_occurrence_id(event, local)
        if occurrence not in overrides:
            slot = build_occurrence_slot(event, occurrence, {})
            if slot.ends[:10] > LAST_DAY:
                return
            yield slot


def _expand_event_rule(event: RecurringEvent) -> RuleExpansion | None:
    return expand_rule(event.recurrence, event.starts, event.timezone) if event.recurrence else None


def _expansion_start(event: RecurringEvent, first: date | None, after: SortPosition | None) -> date:
    """Return a day such that all earlier occurrences end before `first` or precede `after`."""
    days = [date.fromisoformat(event.starts[:10])]
    if first is not None:
        days.append(first - (date.fromisoformat(event.ends[:10]) - days[0]) - _GAP_MARGIN)
    if after is not None:
        days.append(after[0].astimezone(UTC).date() - _GAP_MARGIN)
    return max(days)


def _format_occurrence_id(event: RecurringEvent, local: datetime) -> str:
    return format_local(local if "T" in event.starts else local.date())


def _apply_override(event: RecurringEvent, slot: OccurrenceSlot) -> Occurrence:
    override = (event.recurrence_overrides or {}).get(slot.occurrence, {})
    # The status of an event that is cancelled or not public applies to every occurrence.
    status = override.get("status", event.status) if event.status in ACTIVE_STATUSES else event.status
    return Occurrence(
        slot=slot,
        title=override.get("title", event.title),
        summary=override.get("summary", event.summary),
        status=EventStatus(status),
        venue=override.get("venue", event.venue),
        online_url=override.get("online_url", event.online_url),
    )
