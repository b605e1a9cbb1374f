"""Entries as a feed was asked to give them: in UTC, and with what was called off kept, marked or hidden."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from eventcal.feeds.entries.entry import CalendarEntry, Status
from eventcal.feeds.options import Cancelled, adapted
from tests.feed_support.ics_entries import MEETUP, any_entry, feed_of, local, otherwise, timed_entries
from tests.feed_support.icslint import parse
from tests.feed_support.make_feeds import ENTRY

WEEKLY = replace(MEETUP, recurrence="FREQ=WEEKLY;COUNT=9", excluded=(local("2026-03-31T18:00"),))
OFF = otherwise(WEEKLY, local("2026-03-10T18:00"), title="CANCELLED: Xen Summit", status=Status.CANCELLED)
MOVED = otherwise(WEEKLY, local("2026-03-17T18:00"), starts=local("2026-03-18T18:00"), ends=local("2026-03-18T20:00"))
SERIES = replace(WEEKLY, overrides=(OFF, MOVED))


@given(entry=any_entry())
@settings(max_examples=50)
def test_who_asks_for_nothing_gets_the_entry_as_it_is(entry: CalendarEntry) -> None:
    assert adapted(entry, cancelled=Cancelled.KEEP, utc=False) is entry


# In UTC


@given(case=timed_entries())
@settings(max_examples=100)
def test_in_utc_the_instants_are_the_same_and_all_else_too(case: tuple[CalendarEntry, datetime, datetime]) -> None:
    entry, starts_at, ends_at = case
    found = adapted(entry, cancelled=Cancelled.KEEP, utc=True)
    in_utc: Any = {"starts": starts_at.replace(tzinfo=None), "ends": ends_at.replace(tzinfo=None), "zone": "UTC"}
    assert found == replace(entry, **in_utc)
    assert not found.needs_zone
    (read,) = parse(feed_of(found)).events()
    assert [read.value(name) for name in ("DTSTART", "DTEND")] == [
        f"{at:%Y%m%dT%H%M%SZ}" for at in (starts_at, ends_at)
    ]


def test_in_utc_the_second_of_two_same_hours_is_an_hour_after_the_first() -> None:
    for fold, instant in ((0, "2026-10-25T00:30"), (1, "2026-10-25T01:30")):
        entry = replace(ENTRY, starts=local("2026-10-25T02:30", fold=fold), ends=local("2026-10-25T05:00"))
        found = adapted(entry, cancelled=Cancelled.KEEP, utc=True)
        assert (found.starts, getattr(found.starts, "fold", None)) == (local(instant), 0)


def test_whole_days_are_the_same_days_in_utc() -> None:
    found = adapted(ENTRY, cancelled=Cancelled.KEEP, utc=True)
    assert (found.starts, found.ends) == (date(2026, 6, 10), date(2026, 6, 13))


def test_what_recurs_keeps_its_zone_where_others_are_in_utc() -> None:
    assert adapted(SERIES, cancelled=Cancelled.KEEP, utc=True) == SERIES


# What was called off


@pytest.mark.parametrize(
    ("status", "marked"),
    [
        (Status.CANCELLED, Status.CONFIRMED),
        (Status.TENTATIVE, Status.TENTATIVE),
        (Status.CONFIRMED, Status.CONFIRMED),
    ],
)
def test_marked_only_the_title_says_that_something_was_called_off(status: Status, marked: Status) -> None:
    entry = replace(ENTRY, title="CANCELLED: Xen", status=status, transparent=True)
    assert adapted(entry, cancelled=Cancelled.MARK, utc=False) == replace(entry, status=marked)


def test_marked_an_occurrence_that_was_called_off_stands_in_its_place() -> None:
    standing = replace(OFF, entry=replace(OFF.entry, status=Status.CONFIRMED))
    assert adapted(SERIES, cancelled=Cancelled.MARK, utc=False) == replace(SERIES, overrides=(standing, MOVED))


def test_hidden_an_occurrence_that_was_called_off_is_left_out_in_its_order() -> None:
    left = (local("2026-03-10T18:00"), local("2026-03-31T18:00"))
    assert adapted(SERIES, cancelled=Cancelled.HIDE, utc=False) == replace(SERIES, excluded=left, overrides=(MOVED,))


def test_hidden_days_are_left_out_as_days() -> None:
    days = replace(ENTRY, recurrence="FREQ=MONTHLY", excluded=(date(2026, 7, 10),))
    off = otherwise(days, date(2026, 6, 10), status=Status.CANCELLED)
    found = adapted(replace(days, overrides=(off,)), cancelled=Cancelled.HIDE, utc=False)
    assert found == replace(days, excluded=(date(2026, 6, 10), date(2026, 7, 10)))


def test_where_nothing_was_called_off_nothing_is_hidden_or_marked() -> None:
    calm = replace(SERIES, overrides=(MOVED,))
    assert [adapted(calm, cancelled=way, utc=False) for way in Cancelled] == [calm] * 3


@given(entry=any_entry())
@settings(max_examples=50)
def test_an_entry_that_was_asked_for_twice_is_as_it_was_asked_for_once(entry: CalendarEntry) -> None:
    for way in Cancelled:
        once = adapted(entry, cancelled=way, utc=True)
        assert adapted(once, cancelled=way, utc=True) == once
