"""A day's talks as a table, rooms across and times down; and what is on in each room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

STEP = timedelta(minutes=5)
"""How exactly the rows follow the times; nothing is lower than one step."""

_LONGEST = timedelta(days=1)
# Rows are no higher than for an hour: a night between two talks is not to fill a page.
_HIGHEST = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """When and where a talk is, as instants. `key` names it; one that `yields` leaves its place to any other."""

    key: str
    room: str | None
    starts: datetime
    ends: datetime
    yields: bool = False


class Cell(NamedTuple):
    """What begins in a room, and how many rows it takes. Without a key, it is an empty one."""

    key: str | None
    rows: int = 1


class Row(NamedTuple):
    """One time of the day: from then on, for some steps (as many as an hour has, at most), and what begins then.

    Rooms in which something goes on that began before have no cell.
    """

    at: datetime
    steps: int
    cells: tuple[Cell, ...]


class Grid(NamedTuple):
    """The table, and the keys of what has no place in it, by time: `beside`."""

    rooms: tuple[str, ...]
    rows: tuple[Row, ...]
    beside: tuple[str, ...]


class RoomNow(NamedTuple):
    """What is on in a room, and what comes next: the keys of talks. Talks that have no room share the room None."""

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
    """Return the table of these talks, with the rooms that have any, in the order of `rooms`.

    A row begins wherever a talk begins or ends. Of talks that meet in one room the first stays; the others, those
    without a room and those of a day or longer stand beside.
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
    """Return what is on at `now` and what comes next in each room that has either; what `yields` does not count."""
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
    # The last time is an end, at which nothing begins.
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
