"""The layout of a day's talks as a table of times and rooms, and the current and next talk of each room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

STEP = timedelta(minutes=5)
"""The resolution of the rows, and the minimum height of a talk."""

_LONGEST = timedelta(days=1)
# The maximum height of a row, so that the night between two talks does not fill the page.
_HIGHEST = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The time and room of a talk, identified by `key`. A slot that `yields` gives way to all other slots."""

    key: str
    room: str | None
    starts: datetime
    ends: datetime
    yields: bool = False


class Cell(NamedTuple):
    """A cell that begins in a row and spans `rows` rows. Without a key it is empty."""

    key: str | None
    rows: int = 1


class Row(NamedTuple):
    """A row of the table: its time, its height in steps (at most one hour), and the cells that begin in it.

    Rooms in which an earlier talk continues have no cell.
    """

    at: datetime
    steps: int
    cells: tuple[Cell, ...]


class Grid(NamedTuple):
    """The table of talks; `beside` has the keys of the talks that are not in it, by time."""

    rooms: tuple[str, ...]
    rows: tuple[Row, ...]
    beside: tuple[str, ...]


class RoomNow(NamedTuple):
    """The current talks (`on`) and the next talk (`then`) of a room, or of all talks without a room, by key."""

    room: str | None
    on: tuple[str, ...]
    then: str | None


@dataclass(frozen=True)
class _Span:
    slot: Slot
    first: datetime
    end: datetime

    def meets(self, other: "_Span") -> bool:
        return self.first < other.end and other.first < self.end


def lay_out(slots: Iterable[Slot], rooms: Sequence[str]) -> Grid:
    """Return the table of these talks, with the rooms that are used, in the order of `rooms`.

    Each start and each end of a talk begins a row. Of overlapping talks in a room, only the first is in the table. The
    others are listed in `beside`, as are talks without a room and talks of a day or longer.
    """
    kept: dict[str, list[_Span]] = {room: [] for room in rooms}
    beside = []
    for slot in sorted(slots, key=lambda slot: (slot.yields, slot.starts, slot.ends, slot.key)):
        first = _on_step(slot.starts)
        span = _Span(slot, first, end=max(_on_step(slot.ends), first + STEP))
        there = kept.get(slot.room) if slot.room is not None else None
        if there is None or slot.ends - slot.starts >= _LONGEST or any(span.meets(other) for other in there):
            beside.append(slot)
        else:
            there.append(span)
    used = {room: spans for room, spans in kept.items() if spans}
    beside.sort(key=lambda slot: (slot.starts, slot.key))
    return Grid(tuple(used), _rows(list(used.values())), tuple(slot.key for slot in beside))


def now_and_next(slots: Iterable[Slot], rooms: Sequence[str], now: datetime) -> list[RoomNow]:
    """Return the current and next talks of each room that has any at `now`. Slots with `yields` set are ignored."""
    places: dict[str | None, list[Slot]] = {room: [] for room in (*rooms, None)}
    for slot in sorted(slots, key=lambda slot: (slot.starts, slot.key)):
        if not slot.yields and slot.ends > now:
            places.setdefault(slot.room, []).append(slot)
    return [
        RoomNow(
            room,
            on=tuple(slot.key for slot in left if slot.starts <= now),
            then=next((slot.key for slot in left if slot.starts > now), None),
        )
        for room, left in places.items()
        if left
    ]


def _rows(columns: Sequence[Sequence[_Span]]) -> tuple[Row, ...]:
    times = sorted({time for spans in columns for span in spans for time in (span.first, span.end)})
    place = {time: number for number, time in enumerate(times)}
    # No talk begins at the last time, which is an end.
    cells: list[list[Cell]] = [[] for _ in times[:-1]]
    for spans in columns:
        begins = {place[span.first]: span for span in spans}
        row = 0
        while row < len(cells):
            span = begins.get(row)
            cell = Cell(span.slot.key, place[span.end] - row) if span else Cell(None)
            cells[row].append(cell)
            row += cell.rows
    return tuple(
        Row(at, min(then - at, _HIGHEST) // STEP, tuple(row))
        for at, then, row in zip(times, times[1:], cells, strict=False)
    )


def _on_step(moment: datetime) -> datetime:
    step = int(STEP.total_seconds())
    return datetime.fromtimestamp(round(moment.timestamp() / step) * step, UTC)
