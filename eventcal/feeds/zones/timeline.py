"""The words that a zone's file and its yearly rule share: local time, its changes, and a stretch of both.

Instants are whole seconds since 1970-01-01T00:00Z, so that no year is out of reach and nothing overflows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

DAY = 86_400
"""Seconds in a day; leap seconds do not exist on this scale."""

BEGINNING = -(2**63)
"""The instant before all others: the smallest that a TZif file can hold."""

_EPOCH = date(1970, 1, 1).toordinal()
# A day, because a local date begins up to 14 hours before and ends up to 12 hours after its namesake in UTC,
# and another for an entry that begins late on the last day and runs into the next.
_PADDING = 2 * DAY


def midnight(ordinal: int) -> int:
    """Give the seconds from 1970 to the midnight that begins a day, counted as `date.toordinal` does."""
    return (ordinal - _EPOCH) * DAY


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A way of setting clocks: seconds east of UTC, and its name ("CEST", "+03")."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """From the instant `at` on, clocks show `to`."""

    at: int
    to: LocalTime


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of instants, `start` included and `end` not, and the years whose changes can matter to it."""

    start: int
    end: int
    years: range

    @classmethod
    def around(cls, first: date, last: date) -> Self:
        """Give the span that holds every local time of both days and of those between, whatever the zone."""
        return cls(
            start=midnight(first.toordinal()) - _PADDING,
            end=midnight(last.toordinal() + 1) + _PADDING,
            years=range(max(first.year - 1, date.min.year), min(last.year + 1, date.max.year) + 1),
        )


@dataclass(frozen=True, slots=True)
class Timeline:
    """The local time at the start of a span, and each change of offset within it, in order."""

    opening: LocalTime
    changes: tuple[Change, ...]

    def agrees_with(self, other: Self) -> bool:
        """Tell whether both give the same offset at every instant; names do not count."""
        return self._offsets() == other._offsets()

    def _offsets(self) -> tuple[int, list[tuple[int, int]]]:
        return self.opening.offset, [(change.at, change.to.offset) for change in self.changes]


def timeline(changes: Iterable[Change], span: Span) -> Timeline:
    """Give what `changes` come to within `span`.

    They are in order and the first is no later than the span's start. A change of name alone is left out.
    """
    ordered = iter(changes)
    current = next(ordered).to
    opening = current
    kept: list[Change] = []
    for change in ordered:
        if change.at >= span.end:
            break
        if change.at <= span.start:
            opening = change.to
        elif change.to.offset != current.offset:
            kept.append(change)
        current = change.to
    return Timeline(opening, tuple(kept))
