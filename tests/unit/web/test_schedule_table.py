"""The schedule of a day as a table, and the current and next talks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eventcal.web.pages.public.schedule_grid import GridSlot, ScheduleGrid, build_grid, current_and_next_talks

ROOMS = ["Hall", "Attic"]


def make_slot(key: str, starts: str, minutes: int = 60, room: str | None = "Hall", **fields: Any) -> GridSlot:
    hours, _, rest = starts.partition(":")
    first = datetime(2026, 6, 10, tzinfo=UTC) + timedelta(hours=int(hours), minutes=int(rest))
    return GridSlot(key=key, room=room, starts=first, ends=first + timedelta(minutes=minutes), **fields)


def table_lines(table: ScheduleGrid) -> list[str]:
    """Return a line for each row: its time, then the talk and row span of each cell that begins there."""
    return [
        f"{row.starts_at:%H:%M} " + " ".join(f"{cell.key or '-'}{cell.row_span}" for cell in row.cells).rstrip()
        for row in table.rows
    ]


def test_talk_spans_the_rows_that_begin_during_it() -> None:
    grid = build_grid(
        [make_slot("a", "9:00", 90), make_slot("b", "9:00", 30, "Attic"), make_slot("c", "9:45", 45, "Attic")], ROOMS
    )
    assert grid.rooms == ("Hall", "Attic")
    assert table_lines(grid) == ["09:00 a3 b1", "09:30 -1", "09:45 c1"]
    assert [row.steps for row in grid.rows] == [6, 3, 9]


def test_break_is_one_empty_row_of_at_most_an_hour() -> None:
    grid = build_grid([make_slot("a", "9:00"), make_slot("b", "14:00")], ROOMS)
    assert table_lines(grid) == ["09:00 a1", "10:00 -1", "14:00 b1"]
    assert [row.steps for row in grid.rows] == [12, 12, 12]


def test_columns_are_rooms_with_talks_in_event_order() -> None:
    grid = build_grid(
        [make_slot("a", "9:00", room="Attic"), make_slot("b", "9:00", room="Cellar")], ["Hall", "Cellar", "Attic"]
    )
    assert grid.rooms == ("Cellar", "Attic")


def test_overlapping_roomless_and_multi_day_talks_are_listed_beside_the_table() -> None:
    grid = build_grid(
        [
            make_slot("a", "9:00"),
            make_slot("meets", "9:30"),
            make_slot("roomless", "8:00", room=None),
            make_slot("unknown", "10:00", room="Elsewhere"),
            make_slot("exhibition", "7:00", 3 * 24 * 60),
        ],
        ROOMS,
    )
    assert table_lines(grid) == ["09:00 a1"]
    assert grid.unplaced == ("exhibition", "roomless", "meets", "unknown")


def test_cancelled_talk_yields_its_cell_to_the_replacement() -> None:
    grid = build_grid([make_slot("off", "9:00", low_priority=True), make_slot("instead", "9:15")], ROOMS)
    assert (table_lines(grid), grid.unplaced) == (["09:15 instead1"], ("off",))


def test_rows_start_on_whole_steps_and_every_talk_has_at_least_one() -> None:
    grid = build_grid([make_slot("a", "9:01", 29), make_slot("b", "9:30", 0), make_slot("c", "9:36", 24)], ROOMS)
    assert table_lines(grid) == ["09:00 a1", "09:30 b1", "09:35 c1"]
    assert grid.unplaced == ()


def test_day_without_talks_has_an_empty_table() -> None:
    assert build_grid([], ROOMS) == ScheduleGrid((), (), ())


@given(
    st.lists(
        st.tuples(
            st.integers(0, 200), st.integers(0, 1600), st.sampled_from(["Hall", "Attic", "?", None]), st.booleans()
        ),
        max_size=25,
    )
)
def test_every_talk_appears_once_and_cells_never_overlap(
    made: list[tuple[int, int, str | None, bool]],
) -> None:
    slots = [
        make_slot(str(number), f"0:{start * 7}", minutes, room, low_priority=low_priority)
        for number, (start, minutes, room, low_priority) in enumerate(made)
    ]
    grid = build_grid(slots, ROOMS)
    placed = [cell.key for row in grid.rows for cell in row.cells if cell.key]
    assert sorted([*placed, *grid.unplaced]) == sorted(one.key for one in slots)
    covered = sum(cell.row_span for row in grid.rows for cell in row.cells)
    assert covered == len(grid.rows) * len(grid.rooms)
    left = [0] * len(grid.rooms)
    for row in grid.rows:
        cells = iter(row.cells)
        left = [next(cells).row_span - 1 if count == 0 else count - 1 for count in left]
        assert next(cells, None) is None
    assert set(left) <= {0}


def test_now_and_next_lists_each_room_with_a_current_or_next_talk() -> None:
    slots = [
        make_slot("over", "8:00"),
        make_slot("on", "9:00"),
        make_slot("then", "10:00"),
        make_slot("later", "11:00"),
        make_slot("soon", "9:45", room="Attic"),
        make_slot("off", "9:00", room="Attic", low_priority=True),
        make_slot("roomless", "9:15", room=None),
    ]
    now = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
    told = [(one.room, one.current, one.next) for one in current_and_next_talks(slots, ROOMS, now)]
    assert told == [("Hall", ("on",), "then"), ("Attic", (), "soon"), (None, ("roomless",), None)]


def test_talk_is_current_from_its_start_until_just_before_its_end() -> None:
    one = make_slot("one", "9:00")
    at = {hour: current_and_next_talks([one], ROOMS, datetime(2026, 6, 10, hour, tzinfo=UTC)) for hour in (8, 9, 10)}
    assert [(hour, [(told.current, told.next) for told in found]) for hour, found in at.items()] == [
        (8, [((), "one")]),
        (9, [(("one",), None)]),
        (10, []),
    ]
