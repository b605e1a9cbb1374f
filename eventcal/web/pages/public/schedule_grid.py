"""The layout of a day's talks as a table of times and rooms, and the current and next talk of each room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

STEP = timedelta(minutes=5)
"""The resolution of the rows, and the minimum height of a talk."""

_MAX_TALK_LENGTH = timedelta(days=1)
# The maximum height of a row, so that the night between two talks does not fill the page.
_MAX_ROW_HEIGHT = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class GridSlot:
    """The time and room of a talk, identified by `key`. A slot that `low_priority` gives way to all other slots."""

    key: str
    room: str | None
    starts: datetime
    ends: datetime
    low_priority: bool = False


class GridCell(NamedTuple):
    """A cell that begins in a row and spans `row_span` rows. Without a key it is empty."""

    key: str | None
    row_span: int = 1


class GridRow(NamedTuple):
    """A row of the table: its time, its height in steps (at most one hour), and the cells that begin in it.

    Rooms in which an earlier talk continues have no cell.
    """

    starts_at: datetime
    steps: int
    cells: tuple[GridCell, ...]


class ScheduleGrid(NamedTuple):
    """The table of talks; `unplaced` has the keys of the talks that are not in it, by time."""

    rooms: tuple[str, ...]
    rows: tuple[GridRow, ...]
    unplaced: tuple[str, ...]


class RoomStatus(NamedTuple):
    """The current talks (`current`) and the next talk (`next`) of a room, or of all talks without a room, by key."""

    room: str | None
    current: tuple[str, ...]
    next: str | None


@dataclass(frozen=True)
class _Span:
    slot: GridSlot
    first: datetime
    end: datetime

    def overlaps(self, other: "_Span") -> bool:
        return self.first < other.end and other.first < self.end


def build_grid(slots: Iterable[GridSlot], rooms: Sequence[str]) -> ScheduleGrid:
    """Return the table of these talks, with the rooms that are used, in the order of `rooms`.

    Each start and each end of a talk begins a row. Of overlapping talks in a room, only the first is in the table. The
    others are listed in `unplaced`, as are talks without a room and talks of a day or longer.
    """
    kept: dict[str, list[_Span]] = {room: [] for room in rooms}
    beside = []
    for slot in sorted(slots, key=lambda slot: (slot.low_priority, slot.starts, slot.ends, slot.key)):
        first = _round_to_step(slot.starts)
        span = _Span(slot, first, end=max(_round_to_step(slot.ends), first + STEP))
        there = kept.get(slot.room) if slot.room is not None else None
        if there is None or slot.ends - slot.starts >= _MAX_TALK_LENGTH or any(span.overlaps(other) for other in there):
            beside.append(slot)
        else:
            there.append(span)
    used = {room: spans for room, spans in kept.items() if spans}
    beside.sort(key=lambda slot: (slot.starts, slot.key))
    return ScheduleGrid(tuple(used), _build_rows(list(used.values())), tuple(slot.key for slot in beside))


def current_and_next_talks(slots: Iterable[GridSlot], rooms: Sequence[str], now: datetime) -> list[RoomStatus]:
    """Return the current and next talks of each room that has any at `now`.

    Slots with `low_priority` set are ignored.
    """
    places: dict[str | None, list[GridSlot]] = {room: [] for room in (*rooms, None)}
    for slot in sorted(slots, key=lambda slot: (slot.starts, slot.key)):
        if not slot.low_priority and slot.ends > now:
            places.setdefault(slot.room, []).append(slot)
    return [
        RoomStatus(
            room,
            current=tuple(slot.key for slot in left if slot.starts <= now),
            next=next((slot.key for slot in left if slot.starts > now), None),
        )
        for room, left in places.items()
        if left
    ]


def _build_rows(columns: Sequence[Sequence[_Span]]) -> tuple[GridRow, ...]:
    times = sorted({time for spans in columns for span in spans for time in (span.first, span.end)})
    place = {time: number for number, time in enumerate(times)}
    # No talk begins at the last time, which is an end.
    cells: list[list[GridCell]] = [[] for _ in times[:-1]]
    for spans in columns:
        begins = {place[span.first]: span for span in spans}
        row = 0
        while row < len(cells):
            span = begins.get(row)
            cell = GridCell(span.slot.key, place[span.end] - row) if span else GridCell(None)
            cells[row].append(cell)
            row += cell.row_span
    return tuple(
        GridRow(at, min(then - at, _MAX_ROW_HEIGHT) // STEP, tuple(row))
        for at, then, row in zip(times, times[1:], cells, strict=False)
    )


def _round_to_step(instant: datetime) -> datetime:
    step = int(STEP.total_seconds())
    return datetime.fromtimestamp(round(instant.timestamp() / step) * step, UTC)
