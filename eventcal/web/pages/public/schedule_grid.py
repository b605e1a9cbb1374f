"""The schedule table of a day, which has a row for each time and a column for each room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

STEP = timedelta(minutes=5)
"""The resolution of the table rows, which is also the minimum height of a talk."""

_MAX_TALK_LENGTH = timedelta(days=1)
# The maximum height of a table row, which limits the space that gaps between talks occupy on the page.
_MAX_ROW_HEIGHT = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class GridSlot:
    """The time and room of a talk. Slots with `low_priority` are placed in the table after all other slots."""

    key: str
    room: str | None
    starts: datetime
    ends: datetime
    low_priority: bool = False


class GridCell(NamedTuple):
    """A table cell that spans `row_span` rows. The key of an empty cell is None."""

    key: str | None
    row_span: int = 1


class GridRow(NamedTuple):
    """A table row with its time, its height in multiples of `STEP`, and the cells that begin in the row."""

    starts_at: datetime
    steps: int
    cells: tuple[GridCell, ...]


class ScheduleGrid(NamedTuple):
    """A table of talks. `unplaced` lists the keys of the talks that the table omits."""

    rooms: tuple[str, ...]
    rows: tuple[GridRow, ...]
    unplaced: tuple[str, ...]


class RoomStatus(NamedTuple):
    """The keys of the current talks and the next talk in a room. `room` is None for talks without a room."""

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
    """Return the table of talks, which has a column for each room with talks, in the order of `rooms`.

    A new row begins when a talk starts or ends. The table omits talks without a room, talks that last a day or longer,
    and talks that overlap an earlier talk in the same room.
    """
    spans_by_room: dict[str, list[_Span]] = {room: [] for room in rooms}
    unplaced = []
    for slot in sorted(slots, key=lambda slot: (slot.low_priority, slot.starts, slot.ends, slot.key)):
        first = _round_to_step(slot.starts)
        span = _Span(slot, first, end=max(_round_to_step(slot.ends), first + STEP))
        spans = spans_by_room.get(slot.room) if slot.room is not None else None
        if spans is None or slot.ends - slot.starts >= _MAX_TALK_LENGTH or any(span.overlaps(other) for other in spans):
            unplaced.append(slot)
        else:
            spans.append(span)
    used = {room: spans for room, spans in spans_by_room.items() if spans}
    unplaced.sort(key=lambda slot: (slot.starts, slot.key))
    return ScheduleGrid(tuple(used), _build_rows(list(used.values())), tuple(slot.key for slot in unplaced))


def current_and_next_talks(slots: Iterable[GridSlot], rooms: Sequence[str], now: datetime) -> list[RoomStatus]:
    """Return the current and next talks in each room. Slots with `low_priority` are ignored."""
    slots_by_room: dict[str | None, list[GridSlot]] = {room: [] for room in (*rooms, None)}
    for slot in sorted(slots, key=lambda slot: (slot.starts, slot.key)):
        if not slot.low_priority and slot.ends > now:
            slots_by_room.setdefault(slot.room, []).append(slot)
    return [
        RoomStatus(
            room,
            current=tuple(slot.key for slot in room_slots if slot.starts <= now),
            next=next((slot.key for slot in room_slots if slot.starts > now), None),
        )
        for room, room_slots in slots_by_room.items()
        if room_slots
    ]


def _build_rows(columns: Sequence[Sequence[_Span]]) -> tuple[GridRow, ...]:
    times = sorted({time for spans in columns for span in spans for time in (span.first, span.end)})
    row_of = {time: number for number, time in enumerate(times)}
    # The last time is always the end of a talk, so no row begins at the last time.
    cells: list[list[GridCell]] = [[] for _ in times[:-1]]
    for spans in columns:
        begins = {row_of[span.first]: span for span in spans}
        row = 0
        while row < len(cells):
            span = begins.get(row)
            cell = GridCell(span.slot.key, row_of[span.end] - row) if span else GridCell(None)
            cells[row].append(cell)
            row += cell.row_span
    return tuple(
        GridRow(at, min(then - at, _MAX_ROW_HEIGHT) // STEP, tuple(row))
        for at, then, row in zip(times, times[1:], cells, strict=False)
    )


def _round_to_step(instant: datetime) -> datetime:
    step = int(STEP.total_seconds())
    return datetime.fromtimestamp(round(instant.timestamp() / step) * step, UTC)
