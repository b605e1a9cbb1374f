"""The occurrences of a recurring event as they really are, in the order of time.

An event without a recurrence has one occurrence: itself.

How long one lasts (RFC 5545, 3.8.5.3): a recurring entry that says when it ends, as ours do, gives each occurrence "the
same exact duration", which is counted in elapsed time and not on the clocks on the wall. So a call from 16:00 to 17:00
is at 16:00 on the wall all year round, and lasts an hour; and a night from 22:00 to 06:00 lasts its eight hours also
when the clocks go forward in it, until 07:00. Counted on the wall, a meeting at an hour that the clocks skip would end
as it began. Whole days are counted as days, however long they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any, Protocol

from eventcal.events.recurrence.expansion import Expansion, expansion
from eventcal.events.words import STANDING_STATUSES, EventStatus
from eventcal.kit.localtime import LAST_YEAR, day_end, day_start, format_local, local_to_utc, parse_local, zone
from eventcal.kit.paging import Page, Paging
from eventcal.kit.refusals import Fault, Invalid, Sentence

AHEAD = timedelta(days=400)
"""How far ahead occurrences are shown where nobody says."""

_LATEST = date(LAST_YEAR, 12, 31)
LAST_DAY = _LATEST.isoformat()
# Where a new time zone database leaves nothing between a start and an end.
_SHORTEST = timedelta(minutes=1)
# A gap moves a time to the next day at the most: a zone that changed sides of the date line skipped a whole one.
_SLACK = timedelta(days=2)
_CURSOR = re.compile(r"(\d{8}T\d{6})Z_(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d))?", re.ASCII)

Place = tuple[datetime, str]
"""Where an occurrence stands in the order of time: when it starts (UTC), and which one it is."""


class Recurring(Protocol):
    """What of an event says when it takes place, free of faults, and what an occurrence shows.

    `starts` and `ends` are dates or local times, `recurrence_overrides` what is otherwise, by occurrence.
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
class Slot:
    """When one occurrence is.

    occurrence: which one, by what the rule has, written as the event's `starts`. starts, ends: local, what the clocks
    show then; a date is a day that counts. starts_at, ends_at: the instants (UTC), the end exclusive.
    """

    occurrence: str
    starts: str
    ends: str
    starts_at: datetime
    ends_at: datetime

    @property
    def place(self) -> Place:
        """Give where it stands in the order of time."""
        return self.starts_at, self.occurrence

    def overlaps(self, first: date | None, last: date | None) -> bool:
        """Say whether it has a part in these days, which both count; None is open on that side."""
        return (first is None or self.ends[:10] >= first.isoformat()) and (
            last is None or self.starts[:10] <= last.isoformat()
        )


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One occurrence as it really is: when, and what it shows."""

    slot: Slot
    title: str
    summary: str | None
    status: EventStatus
    venue: str | None
    online_url: str | None


def slot_of(event: Recurring, occurrence: str, override: Mapping[str, Any]) -> Slot:
    """Return when an occurrence of the rule is with this override, which is free of faults."""
    tzid = event.timezone
    start = parse_local(override.get("starts", occurrence))
    end = parse_local(override["ends"]) if "ends" in override else None
    if isinstance(start, datetime):
        starts_at = local_to_utc(start, tzid)
        ends_at = local_to_utc(end, tzid) if isinstance(end, datetime) else starts_at + _length(event)
        ends_at = max(ends_at, starts_at + _SHORTEST)
        starts, ends = (format_local(at.astimezone(zone(tzid)).replace(tzinfo=None)) for at in (starts_at, ends_at))
    else:
        last = end or start + (date.fromisoformat(event.ends) - date.fromisoformat(event.starts))
        starts_at, ends_at = day_start(start, tzid), day_end(min(last, _LATEST), tzid)
        starts, ends = start.isoformat(), last.isoformat()
    return Slot(occurrence=occurrence, starts=starts, ends=ends, starts_at=starts_at, ends_at=ends_at)


def _length(event: Recurring) -> timedelta:
    starts, ends = (datetime.fromisoformat(written) for written in (event.starts, event.ends))
    return local_to_utc(ends, event.timezone) - local_to_utc(starts, event.timezone)


def occurrences_between(
    event: Recurring, first: date | None, last: date | None, *, limit: int, after: Place | None = None
) -> list[Occurrence]:
    """Return the occurrences that overlap these days in the event's own zone, in the order of time.

    At most `limit` of them; `after` leaves out what does not come after that place. Days are both counted; without
    `last` they end with 2199. What was excluded is left out, what was called off is there and says so.
    """
    return [_dressed(event, slot) for slot in islice(slots_between(event, first, last, after=after), limit)]


def list_occurrences(event: Recurring, first: date, last: date, *, paging: Paging) -> Page[Occurrence]:
    """Return a page of the occurrences between two days. Raises Invalid for a cursor of another list."""
    after = _read(paging.cursor) if paging.cursor is not None else None
    found = occurrences_between(event, first, last, limit=paging.limit + 1, after=after)
    kept = tuple(found[: paging.limit])
    if len(found) <= paging.limit:
        return Page(kept, None)
    starts_at, occurrence = kept[-1].slot.place
    return Page(kept, f"{starts_at:%Y%m%dT%H%M%SZ}_{re.sub('[-:]', '', occurrence)}")


def _read(cursor: str) -> Place:
    found = _CURSOR.fullmatch(cursor)
    try:
        if found is None:
            raise ValueError
        starts_at, *day_and_time = found.groups()
        occurrence = "-".join(day_and_time[:3]) + (f"T{':'.join(day_and_time[3:])}" if day_and_time[3] else "")
        return datetime.strptime(starts_at, "%Y%m%dT%H%M%S").replace(tzinfo=UTC), occurrence
    except ValueError as error:
        unknown = Sentence("not a cursor of this list; leave it out to begin again")
        raise Invalid(faults=[Fault("?cursor", unknown)]) from error


def closed_days(first: date | None, last: date | None) -> tuple[date, date] | None:
    """Return days that both have an end, where one of them has: the other is 400 days away. None where none has."""
    if first is not None:
        return first, last or first + AHEAD
    return (last - AHEAD, last) if last is not None else None


def occurs_between(event: Recurring, first: date | None, last: date | None) -> bool:
    """Say whether an occurrence overlaps these days."""
    return next(slots_between(event, first, last), None) is not None


def overridden_occurrences(event: Recurring) -> list[Occurrence]:
    """Return the occurrences that are otherwise than the rule has them, those that were excluded apart, by rule."""
    return [_dressed(event, slot) for slot in _overridden(event)]


def excluded_occurrences(event: Recurring) -> list[str]:
    """Return which occurrences of the rule there are not, in order."""
    overrides = event.recurrence_overrides or {}
    return sorted(occurrence for occurrence, override in overrides.items() if override.get("excluded"))


def slots_between(
    event: Recurring, first: date | None, last: date | None, *, after: Place | None = None
) -> Iterator[Slot]:
    """Yield when the occurrences that overlap these days are; see `occurrences_between`."""
    moved = sorted(_overridden(event), key=lambda slot: slot.place)
    regular = _regular(event, _from_day(event, first, after), last)
    for slot in merge(regular, moved, key=lambda slot: slot.place):
        if slot.overlaps(first, last) and (after is None or slot.place > after):
            yield slot


def days_of(event: Recurring) -> tuple[str, str]:
    """Return two days between which every occurrence lies: the first and the last, or where no rule ends, LAST_DAY."""
    others = _overridden(event)
    own = slot_of(event, event.starts, {})
    rule = _rule(event)
    first = min([own.starts[:10], *(slot.starts[:10] for slot in others)])
    if rule is not None and not rule.ends:
        return first, LAST_DAY
    latest = slot_of(event, _written(event, rule.last), {}) if rule is not None and rule.last else own
    return first, min(LAST_DAY, max([latest.ends[:10], *(slot.ends[:10] for slot in others)]))


def _overridden(event: Recurring) -> list[Slot]:
    overrides = event.recurrence_overrides or {}
    kept = [(occurrence, override) for occurrence, override in overrides.items() if not override.get("excluded")]
    return [slot_of(event, occurrence, override) for occurrence, override in sorted(kept, key=lambda pair: pair[0])]


def _regular(event: Recurring, since: date, last: date | None) -> Iterator[Slot]:
    """Yield the occurrences of the rule that are as it has them, from `since` on."""
    overrides = event.recurrence_overrides or {}
    rule = _rule(event)
    for local in rule.since(since) if rule else [datetime.fromisoformat(event.starts)]:
        if last is not None and local.date() > last:
            return
        occurrence = _written(event, local)
        if occurrence not in overrides:
            slot = slot_of(event, occurrence, {})
            if slot.ends[:10] > LAST_DAY:
                return
            yield slot


def _rule(event: Recurring) -> Expansion | None:
    return expansion(event.recurrence, event.starts, event.timezone) if event.recurrence else None


def _from_day(event: Recurring, first: date | None, after: Place | None) -> date:
    """Return from which day on the rule's dates matter: what begins earlier is over, or comes no later."""
    days = [date.fromisoformat(event.starts[:10])]
    if first is not None:
        days.append(first - (date.fromisoformat(event.ends[:10]) - days[0]) - _SLACK)
    if after is not None:
        days.append(after[0].astimezone(UTC).date() - _SLACK)
    return max(days)


def _written(event: Recurring, local: datetime) -> str:
    return format_local(local if "T" in event.starts else local.date())


def _dressed(event: Recurring, slot: Slot) -> Occurrence:
    override = (event.recurrence_overrides or {}).get(slot.occurrence, {})
    # Of a series that was called off, or that is not public, nothing takes place.
    status = override.get("status", event.status) if event.status in STANDING_STATUSES else event.status
    return Occurrence(
        slot=slot,
        title=override.get("title", event.title),
        summary=override.get("summary", event.summary),
        status=EventStatus(status),
        venue=override.get("venue", event.venue),
        online_url=override.get("online_url", event.online_url),
    )
