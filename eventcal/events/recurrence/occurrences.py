"""The occurrences of a recurring event as they really are, in the order of time.

An event without a recurrence has one occurrence: itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Protocol

from eventcal.events.recurrence.expansion import expansion
from eventcal.events.recurrence.slots import LAST_DAY, Place, Slot, Timed, slot_of
from eventcal.events.words import STANDING_STATUSES, EventStatus
from eventcal.kit.localtime import day_end, format_local

AHEAD = timedelta(days=400)
"""How far ahead occurrences are shown where nobody says."""

# A gap moves a time to the next day at the most: a zone that changed sides of the date line skipped a whole one.
_SLACK = timedelta(days=2)


class Recurring(Timed, Protocol):
    """What of an event an occurrence shows."""

    @property
    def title(self) -> str:
        """Give its title."""

    @property
    def summary(self) -> str | None:
        """Give what it is about."""

    @property
    def status(self) -> EventStatus:
        """Give how far along it is."""

    @property
    def venue(self) -> str | None:
        """Give where it is."""

    @property
    def online_url(self) -> str | None:
        """Give where it is online."""


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One occurrence as it really is: when, and what it shows."""

    slot: Slot
    title: str
    summary: str | None
    status: EventStatus
    venue: str | None
    online_url: str | None


def occurrences_between(
    event: Recurring, first: date | None, last: date | None, *, limit: int, after: Place | None = None
) -> list[Occurrence]:
    """Return the occurrences that overlap these days in the event's own zone, in the order of time.

    At most `limit` of them; `after` leaves out what does not come after that place. Days are both counted; without
    `last` they end with 2199. What was excluded is left out, what was called off is there and says so.
    """
    return [_dressed(event, slot) for slot in islice(slots_between(event, first, last, after=after), limit)]


def closed_days(first: date | None, last: date | None) -> tuple[date, date] | None:
    """Return days that both have an end, where one of them has: the other is 400 days away. None where none has."""
    if first is not None:
        return first, last or first + AHEAD
    return (last - AHEAD, last) if last is not None else None


def occurs_between(event: Timed, first: date | None, last: date | None) -> bool:
    """Say whether an occurrence overlaps these days."""
    return next(slots_between(event, first, last), None) is not None


def overridden_occurrences(event: Recurring) -> list[Occurrence]:
    """Return the occurrences that are otherwise than the rule has them, those that were excluded apart, by rule."""
    return [_dressed(event, slot) for slot in _overridden(event)]


def excluded_occurrences(event: Timed) -> list[str]:
    """Return which occurrences of the rule there are not, in order."""
    overrides = event.recurrence_overrides or {}
    return sorted(occurrence for occurrence, override in overrides.items() if override.get("excluded"))


def slots_between(event: Timed, first: date | None, last: date | None, *, after: Place | None = None) -> Iterator[Slot]:
    """Yield when the occurrences that overlap these days are; see `occurrences_between`."""
    moved = sorted(_overridden(event), key=lambda slot: slot.place)
    regular = _regular(event, _from_day(event, first, after), last)
    for slot in merge(regular, moved, key=lambda slot: slot.place):
        if slot.overlaps(first, last) and (after is None or slot.place > after):
            yield slot


def days_of(event: Timed) -> tuple[str, str]:
    """Return two days between which every occurrence lies: the first and the last, or where no rule ends, LAST_DAY."""
    others = _overridden(event)
    own = slot_of(event, event.starts, {})
    rule = expansion(event.recurrence, event.starts, event.timezone) if event.recurrence else None
    first = min([own.starts[:10], *(slot.starts[:10] for slot in others)])
    if rule is not None and not rule.ends:
        return first, LAST_DAY
    latest = slot_of(event, _written(event, rule.last), {}) if rule is not None and rule.last else own
    return first, min(LAST_DAY, max([latest.ends[:10], *(slot.ends[:10] for slot in others)]))


def over_at(event: Timed) -> datetime | None:
    """Return when the day of the last occurrence is over, in UTC; None where no rule ends."""
    _, last_day = days_of(event)
    return None if last_day == LAST_DAY else day_end(date.fromisoformat(last_day), event.timezone)


def _overridden(event: Timed) -> list[Slot]:
    overrides = event.recurrence_overrides or {}
    kept = [(occurrence, override) for occurrence, override in overrides.items() if not override.get("excluded")]
    return [slot_of(event, occurrence, override) for occurrence, override in sorted(kept, key=lambda pair: pair[0])]


def _regular(event: Timed, since: date, last: date | None) -> Iterator[Slot]:
    """Yield the occurrences of the rule that are as it has them, from `since` on."""
    overrides = event.recurrence_overrides or {}
    for local in _dates(event, since):
        if last is not None and local.date() > last:
            return
        occurrence = _written(event, local)
        if occurrence not in overrides:
            slot = slot_of(event, occurrence, {})
            if slot.ends[:10] > LAST_DAY:
                return
            yield slot


def _dates(event: Timed, since: date) -> Iterator[datetime]:
    rule = expansion(event.recurrence, event.starts, event.timezone) if event.recurrence else None
    return iter([datetime.fromisoformat(event.starts)]) if rule is None else rule.since(since)


def _from_day(event: Timed, first: date | None, after: Place | None) -> date:
    """Return from which day on the rule's dates matter: what begins earlier is over, or comes no later."""
    days = [date.fromisoformat(event.starts[:10])]
    if first is not None:
        days.append(first - (date.fromisoformat(event.ends[:10]) - days[0]) - _SLACK)
    if after is not None:
        days.append(after[0].astimezone(UTC).date() - _SLACK)
    return max(days)


def _written(event: Timed, local: datetime) -> str:
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
