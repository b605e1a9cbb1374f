"""The start and end of entries for events and talks."""

from datetime import date, datetime
from typing import Any

import pytest

from eventcal.events.enums import TalkKind
from eventcal.feeds.entries.entry import Status
from tests.feed_support.ics_entries import local_time
from tests.feed_support.in_memory_entries import ENTRY_BUILDER, build_event, build_event_entry, build_talk_entry


def test_timed_event_keeps_its_times() -> None:
    entry = build_event_entry(starts="2026-06-10T18:00:00", ends="2026-06-10T20:00:00")
    assert (entry.starts, entry.ends) == (local_time("2026-06-10T18:00"), local_time("2026-06-10T20:00"))


def test_single_day_event_ends_on_the_next_day() -> None:
    entry = build_event_entry(starts="2026-06-10", ends="2026-06-10")
    assert (entry.starts, entry.ends) == (date(2026, 6, 10), date(2026, 6, 11))


def test_unscheduled_talk_spans_the_days_of_its_event() -> None:
    entry = build_talk_entry(build_event(starts="2026-06-10T18:00:00", ends="2026-06-12T20:00:00"), starts=None)
    assert (entry.starts, entry.ends) == (date(2026, 6, 10), date(2026, 6, 13))
    assert (entry.status, entry.transparent, entry.needs_zone) == (Status.TENTATIVE, True, False)


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"ends": "2026-06-10T15:00:00"}, "2026-06-10T15:00"),
        ({"duration_minutes": 20}, "2026-06-10T13:50"),
        ({"kind": TalkKind.WORKSHOP}, "2026-06-10T15:30"),
        ({"starts": "2026-06-10T23:30:00"}, "2026-06-11T00:15"),
    ],
)
def test_talk_end_follows_from_end_duration_or_kind(fields: dict[str, Any], ends: str) -> None:
    assert build_talk_entry(**fields).ends == local_time(ends)


def test_talk_running_into_the_repeated_hour_ends_in_its_second_occurrence() -> None:
    event = build_event(starts="2026-10-25", ends="2026-10-25")
    entry = build_talk_entry(event, starts="2026-10-25T02:30:00")
    assert (entry.starts, entry.ends) == (local_time("2026-10-25T02:30"), local_time("2026-10-25T02:15"))
    assert isinstance(entry.ends, datetime)
    assert (entry.ends.fold, entry.needs_zone) == (1, False)


def test_times_skipped_by_a_newer_tzdata_move_to_the_end_of_the_gap() -> None:
    # As if both were saved before Berlin decided to skip the hour from 02:00 on that day.
    gap: dict[str, Any] = {"starts": "2026-03-29T02:10:00", "ends": "2026-03-29T02:50:00"}
    event = build_event(**gap)
    for entry in (
        ENTRY_BUILDER.build_event_entry(event, talk_count=0, unscheduled_talks=[]),
        build_talk_entry(event, **gap),
    ):
        assert (entry.starts, entry.ends) == (local_time("2026-03-29T03:00"), local_time("2026-03-29T03:01"))


def test_recurring_event_with_skipped_first_start_keeps_its_local_time() -> None:
    entry = build_event_entry(starts="2026-03-29T02:10:00", ends="2026-03-29T02:50:00", recurrence="FREQ=WEEKLY")
    assert (entry.starts, entry.ends) == (local_time("2026-03-29T02:10"), local_time("2026-03-29T02:50"))
