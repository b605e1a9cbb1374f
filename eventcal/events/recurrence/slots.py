"""When one occurrence of a recurring event is, from what a person wrote.

How long it lasts (RFC 5545, 3.8.5.3): a recurring entry that says when it ends, as ours do, gives each occurrence "the
same exact duration", which is counted in elapsed time and not on the clocks on the wall. So a call from 16:00 to 17:00
is at 16:00 on the wall all year round, and lasts an hour; and a night from 22:00 to 06:00 lasts its eight hours also
when the clocks go forward in it, until 07:00. Counted on the wall, a meeting at an hour that the clocks skip would end
as it began. Whole days are counted as days, however long they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from eventcal.kit.localtime import LAST_YEAR, day_end, day_start, format_local, local_to_utc, parse_local, zone

_LATEST = date(LAST_YEAR, 12, 31)
LAST_DAY = _LATEST.isoformat()
# Where a new time zone database leaves nothing between a start and an end.
_SHORTEST = timedelta(minutes=1)

Place = tuple[datetime, str]
"""Where an occurrence stands in the order of time: when it starts (UTC), and which one it is."""


class Timed(Protocol):
    """What of an event says when it takes place, free of faults. Overrides may be missing until it is stored."""

    @property
    def timezone(self) -> str:
        """Give the name of its zone."""

    @property
    def starts(self) -> str:
        """Give a date or a local time."""

    @property
    def ends(self) -> str:
        """Give the same; a date is the last day."""

    @property
    def recurrence(self) -> str | None:
        """Give the rule."""

    @property
    def recurrence_overrides(self) -> Mapping[str, Mapping[str, Any]] | None:
        """Give what is otherwise, by occurrence."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """When one occurrence is.

    occurrence: which one, by what the rule has, written as the event's `starts`. starts, ends: local, what the clocks
    show then; a date is a day that counts. starts_at, ends_at: the instants (UTC), the end exclusive.
    overridden: whether anything of the occurrence is otherwise than the rule has it.
    """

    occurrence: str
    starts: str
    ends: str
    starts_at: datetime
    ends_at: datetime
    overridden: bool = False

    @property
    def place(self) -> Place:
        """Give where it stands in the order of time."""
        return self.starts_at, self.occurrence

    def overlaps(self, first: date | None, last: date | None) -> bool:
        """Say whether it has a part in these days, which both count; None is open on that side."""
        return (first is None or self.ends[:10] >= first.isoformat()) and (
            last is None or self.starts[:10] <= last.isoformat()
        )


def slot_of(event: Timed, occurrence: str, override: Mapping[str, Any]) -> Slot:
    """Return when an occurrence of the rule is with this override, which is free of faults."""
    start = parse_local(override.get("starts", occurrence))
    end = parse_local(override["ends"]) if "ends" in override else None
    slot = _timed_slot if isinstance(start, datetime) else _day_slot
    return replace(slot(event, start, end), occurrence=occurrence, overridden=bool(override))


def _timed_slot(event: Timed, start: date, end: date | None) -> Slot:
    assert isinstance(start, datetime)  # noqa: S101 - the caller has asked
    starts_at = local_to_utc(start, event.timezone)
    ends_at = local_to_utc(end, event.timezone) if isinstance(end, datetime) else starts_at + _length(event)
    ends_at = max(ends_at, starts_at + _SHORTEST)
    starts, ends = (_on_the_wall(instant, event.timezone) for instant in (starts_at, ends_at))
    return Slot(occurrence="", starts=starts, ends=ends, starts_at=starts_at, ends_at=ends_at)


def _day_slot(event: Timed, start: date, end: date | None) -> Slot:
    last = end or start + (date.fromisoformat(event.ends) - date.fromisoformat(event.starts))
    return Slot(
        occurrence="",
        starts=start.isoformat(),
        ends=last.isoformat(),
        starts_at=day_start(start, event.timezone),
        ends_at=day_end(min(last, _LATEST), event.timezone),
    )


def _length(event: Timed) -> timedelta:
    starts, ends = (datetime.fromisoformat(written) for written in (event.starts, event.ends))
    return local_to_utc(ends, event.timezone) - local_to_utc(starts, event.timezone)


def _on_the_wall(instant: datetime, tzid: str) -> str:
    return format_local(instant.astimezone(zone(tzid)).replace(tzinfo=None))
