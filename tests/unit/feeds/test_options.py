"""Feed options: entries in UTC, and cancelled entries kept, marked or hidden."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from eventcal.feeds.apply_options import Cancelled, apply_options
from eventcal.feeds.entries.entry import CalendarEntry, Status
from tests.feed_support.feed_calendar import SAMPLE_ENTRY
from tests.feed_support.ics_entries import (
    MEETUP_ENTRY,
    any_entries,
    build_ics_feed,
    local_time,
    make_override,
    timed_entries,
)
from tests.feed_support.ics_reader import parse_ics

WEEKLY_ENTRY = replace(MEETUP_ENTRY, recurrence="FREQ=WEEKLY;COUNT=9", excluded=(local_time("2026-03-31T18:00"),))
CANCELLED_OVERRIDE = make_override(
    WEEKLY_ENTRY, local_time("2026-03-10T18:00"), title="CANCELLED: Xen Summit", status=Status.CANCELLED
)
MOVED_OVERRIDE = make_override(
    WEEKLY_ENTRY,
    local_time("2026-03-17T18:00"),
    starts=local_time("2026-03-18T18:00"),
    ends=local_time("2026-03-18T20:00"),
)
WEEKLY_ENTRY_WITH_OVERRIDES = replace(WEEKLY_ENTRY, overrides=(CANCELLED_OVERRIDE, MOVED_OVERRIDE))


@given(entry=any_entries())
@settings(max_examples=50)
def test_default_options_return_the_entry_unchanged(entry: CalendarEntry) -> None:
    assert apply_options(entry, cancelled=Cancelled.KEEP, utc=False) is entry


# In UTC


@given(case=timed_entries())
@settings(max_examples=100)
def test_utc_option_keeps_instants_and_all_other_fields(case: tuple[CalendarEntry, datetime, datetime]) -> None:
    entry, starts_at, ends_at = case
    found = apply_options(entry, cancelled=Cancelled.KEEP, utc=True)
    in_utc: Any = {"starts": starts_at.replace(tzinfo=None), "ends": ends_at.replace(tzinfo=None), "zone": "UTC"}
    assert found == replace(entry, **in_utc)
    assert not found.needs_zone
    (read,) = parse_ics(build_ics_feed(found)).events()
    assert [read.value(name) for name in ("DTSTART", "DTEND")] == [
        f"{at:%Y%m%dT%H%M%SZ}" for at in (starts_at, ends_at)
    ]


def test_utc_option_distinguishes_both_occurrences_of_a_repeated_hour() -> None:
    for fold, instant in ((0, "2026-10-25T00:30"), (1, "2026-10-25T01:30")):
        entry = replace(
            SAMPLE_ENTRY, starts=local_time("2026-10-25T02:30", fold=fold), ends=local_time("2026-10-25T05:00")
        )
        found = apply_options(entry, cancelled=Cancelled.KEEP, utc=True)
        assert (found.starts, getattr(found.starts, "fold", None)) == (local_time(instant), 0)


def test_utc_option_keeps_all_day_dates() -> None:
    found = apply_options(SAMPLE_ENTRY, cancelled=Cancelled.KEEP, utc=True)
    assert (found.starts, found.ends) == (date(2026, 6, 10), date(2026, 6, 13))


def test_utc_option_keeps_the_zone_of_recurring_entries() -> None:
    assert apply_options(WEEKLY_ENTRY_WITH_OVERRIDES, cancelled=Cancelled.KEEP, utc=True) == WEEKLY_ENTRY_WITH_OVERRIDES


# Cancelled entries


@pytest.mark.parametrize(
    ("status", "marked"),
    [
        (Status.CANCELLED, Status.CONFIRMED),
        (Status.TENTATIVE, Status.TENTATIVE),
        (Status.CONFIRMED, Status.CONFIRMED),
    ],
)
def test_mark_option_shows_cancellation_only_in_the_title(status: Status, marked: Status) -> None:
    entry = replace(SAMPLE_ENTRY, title="CANCELLED: Xen", status=status, transparent=True)
    assert apply_options(entry, cancelled=Cancelled.MARK, utc=False) == replace(entry, status=marked)


def test_mark_option_keeps_cancelled_occurrence() -> None:
    standing = replace(CANCELLED_OVERRIDE, entry=replace(CANCELLED_OVERRIDE.entry, status=Status.CONFIRMED))
    assert apply_options(WEEKLY_ENTRY_WITH_OVERRIDES, cancelled=Cancelled.MARK, utc=False) == replace(
        WEEKLY_ENTRY_WITH_OVERRIDES, overrides=(standing, MOVED_OVERRIDE)
    )


def test_hide_option_excludes_cancelled_occurrence_in_order() -> None:
    left = (local_time("2026-03-10T18:00"), local_time("2026-03-31T18:00"))
    assert apply_options(WEEKLY_ENTRY_WITH_OVERRIDES, cancelled=Cancelled.HIDE, utc=False) == replace(
        WEEKLY_ENTRY_WITH_OVERRIDES, excluded=left, overrides=(MOVED_OVERRIDE,)
    )


def test_hide_option_excludes_cancelled_all_day_occurrence_by_date() -> None:
    days = replace(SAMPLE_ENTRY, recurrence="FREQ=MONTHLY", excluded=(date(2026, 7, 10),))
    off = make_override(days, date(2026, 6, 10), status=Status.CANCELLED)
    found = apply_options(replace(days, overrides=(off,)), cancelled=Cancelled.HIDE, utc=False)
    assert found == replace(days, excluded=(date(2026, 6, 10), date(2026, 7, 10)))


def test_entry_without_cancellations_is_unchanged_by_every_option() -> None:
    calm = replace(WEEKLY_ENTRY_WITH_OVERRIDES, overrides=(MOVED_OVERRIDE,))
    assert [apply_options(calm, cancelled=way, utc=False) for way in Cancelled] == [calm] * 3


@given(entry=any_entries())
@settings(max_examples=50)
def test_adapting_an_entry_is_idempotent(entry: CalendarEntry) -> None:
    for way in Cancelled:
        once = apply_options(entry, cancelled=way, utc=True)
        assert apply_options(once, cancelled=way, utc=True) == once
