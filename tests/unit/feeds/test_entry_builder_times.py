"""The start and end of entries for events and talks."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from eventcal.events.enums import TalkKind
from eventcal.feeds.entries.entry import Status
from eventcal.feeds.formats.ics import render_entry
from eventcal.kit.localtime import local_to_utc_lenient
from tests.feed_support.ics_entries import local_time
from tests.feed_support.in_memory_entries import ENTRY_BUILDER, build_event, build_event_entry, build_talk_entry
from tests.feed_support.jscal_groups import render_event


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


# Clock changes


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2026-10-25T02:30:00", "2026-10-25T03:30:00"),
        ("2026-10-25T01:30:00", "2026-10-25T02:30:00"),
        ("2026-10-25T02:00:00", "2026-10-25T02:59:00"),
    ],
)
def test_both_instants_of_an_ambiguous_time_are_written_in_utc(starts: str, ends: str) -> None:
    event = build_event(starts=starts, ends=ends)
    for entry in (build_event_entry(starts=starts, ends=ends), build_talk_entry(event, starts=starts, ends=ends)):
        assert not entry.needs_zone
        text = render_entry(entry)
        assert "TZID" not in text
        first_instant = local_to_utc_lenient(local_time(starts), "Europe/Berlin")
        assert f"DTSTART:{first_instant:%Y%m%dT%H%M%SZ}\r\n" in text
        assert render_event(entry)["timeZone"] == "Etc/UTC"


NIGHT: dict[str, Any] = {"recurrence": "FREQ=DAILY", "starts": "2026-01-01T22:00:00", "ends": "2026-01-02T06:00:00"}


def _explicit_instances(**fields: Any) -> dict[str, tuple[object, object]]:
    """Return the start and end in UTC of each explicit instance in 2026, by its start according to the rule."""
    entry = build_event_entry(**fields)
    return {
        f"{one.occurrence}": (_to_utc(one.entry.starts), _to_utc(one.entry.ends))
        for one in entry.overrides
        if one.occurrence.year == 2026
    }


def _to_utc(moment: date) -> str:
    assert isinstance(moment, datetime)
    return f"{local_to_utc_lenient(moment, 'Europe/Berlin'):%d %H:%M}"


@pytest.mark.parametrize(
    ("fields", "instances"),
    [
        # The clocks change during the occurrence.
        (
            {"starts": "2026-01-01T22:00:00", "ends": "2026-01-02T06:00:00"},
            {"2026-03-28 22:00:00": ("28 21:00", "29 05:00"), "2026-10-24 22:00:00": ("24 20:00", "25 04:00")},
        ),
        # The start is skipped or repeated.
        (
            {"starts": "2026-01-01T02:30:00", "ends": "2026-01-01T03:30:00"},
            {"2026-03-29 02:30:00": ("29 01:30", "29 02:30"), "2026-10-25 02:30:00": ("25 00:30", "25 01:30")},
        ),
        # The end is skipped or repeated.
        (
            {"starts": "2026-01-01T01:30:00", "ends": "2026-01-01T02:30:00"},
            {"2026-03-29 01:30:00": ("29 00:30", "29 01:30"), "2026-10-25 01:30:00": ("24 23:30", "25 00:30")},
        ),
        # The occurrence ends when the clocks change, or starts afterwards.
        ({"starts": "2026-01-01T01:00:00", "ends": "2026-01-01T01:59:00"}, {}),
        ({"starts": "2026-01-01T03:00:00", "ends": "2026-01-01T04:00:00"}, {}),
        ({"starts": "2026-01-01T18:00:00", "ends": "2026-01-01T20:00:00"}, {}),
        ({"starts": "2026-01-01", "ends": "2026-01-01"}, {}),
    ],
)
def test_occurrence_that_meets_a_clock_change_is_an_explicit_instance(
    fields: dict[str, Any], instances: dict[str, tuple[str, str]]
) -> None:
    assert _explicit_instances(recurrence="FREQ=DAILY", **fields) == instances


def test_explicit_instance_has_the_fields_of_the_event() -> None:
    entry = build_event_entry(**NIGHT)
    for one in entry.overrides:
        assert replace(one.entry, starts=entry.starts, ends=entry.ends) == replace(entry, recurrence=None, overrides=())


def test_override_or_exclusion_replaces_the_instance_at_a_clock_change() -> None:
    overrides = {"2026-03-28T22:00:00": {"excluded": True}, "2026-10-24T22:00:00": {"title": "Long night"}}
    entry = build_event_entry(**NIGHT, recurrence_overrides=overrides)
    titles = {f"{one.occurrence:%F}": one.entry.title for one in entry.overrides if one.occurrence.year == 2026}
    assert titles == {"2026-10-24": "Long night"}


def test_instances_at_clock_changes_are_limited() -> None:
    years = [one.occurrence.year for one in build_event_entry(**NIGHT).overrides]
    assert (min(years), max(years), len(years)) == (2026, 2051, 52)
