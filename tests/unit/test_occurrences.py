"""Occurrences of a recurring event: local times, clock changes and overrides."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from eventcal.events.enums import EventStatus
from eventcal.events.recurrence.occurrences import (
    Occurrence,
    OccurrenceSlot,
    complete_day_range,
    excluded_occurrence_ids,
    has_occurrence_between,
    list_explicit_occurrences,
    occurrence_day_range,
    occurrences_between,
)
from eventcal.kit.localtime import get_zone

ONE_DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)


@dataclass(kw_only=True)
class Series:
    """A community call on the first Tuesday of the month at 16:00 in Berlin."""

    timezone: str = "Europe/Berlin"
    starts: str = "2026-03-03T16:00:00"
    ends: str = "2026-03-03T17:00:00"
    recurrence: str | None = "FREQ=MONTHLY;BYDAY=1TU"
    recurrence_overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    title: str = "Community call"
    summary: str | None = None
    status: EventStatus = EventStatus.CONFIRMED
    venue: str | None = None
    online_url: str | None = "https://meet.example/call"


def make_daily_series(starts: str, ends: str, tzid: str, **fields: Any) -> Series:
    return Series(**{"timezone": tzid, "starts": starts, "ends": ends, "recurrence": "FREQ=DAILY", **fields})


def list_slots(series: Series, first: str | None, last: str | None, *, limit: int = 100) -> list[OccurrenceSlot]:
    days = [date.fromisoformat(day) if day else None for day in (first, last)]
    return [one.slot for one in occurrences_between(series, *days, limit=limit)]


def list_starts(series: Series, first: str | None, last: str | None) -> list[str]:
    return [slot.starts for slot in list_slots(series, first, last)]


def list_spans(series: Series, first: str, last: str) -> list[tuple[str, str, int]]:
    """Return the local start and end of each occurrence, and its duration in minutes."""
    return [
        (slot.starts[5:16], slot.ends[5:16], (slot.ends_at - slot.starts_at) // timedelta(minutes=1))
        for slot in list_slots(series, first, last)
    ]


# Local times


def test_occurrence_has_all_its_fields() -> None:
    assert occurrences_between(Series(), date(2026, 4, 1), date(2026, 5, 1), limit=9) == [
        Occurrence(
            slot=OccurrenceSlot(
                occurrence="2026-04-07T16:00:00",
                starts="2026-04-07T16:00:00",
                ends="2026-04-07T17:00:00",
                starts_at=datetime(2026, 4, 7, 14, tzinfo=UTC),
                ends_at=datetime(2026, 4, 7, 15, tzinfo=UTC),
            ),
            title="Community call",
            summary=None,
            status=EventStatus.CONFIRMED,
            venue=None,
            online_url="https://meet.example/call",
        )
    ]


@pytest.mark.parametrize(
    ("tzid", "first", "hours"),
    [
        ("Europe/Berlin", "2026-03-27", [15, 15, 14, 14]),
        ("Europe/Berlin", "2026-10-23", [14, 14, 15, 15]),
        ("America/New_York", "2026-03-06", [21, 21, 20, 20]),
        ("America/New_York", "2026-10-30", [20, 20, 21, 21]),
        ("Australia/Sydney", "2026-10-02", [6, 6, 5, 5]),
        ("Asia/Kolkata", "2026-03-27", [10, 10, 10, 10]),
    ],
)
def test_occurrences_keep_their_local_time_when_the_clocks_change(tzid: str, first: str, hours: list[int]) -> None:
    series = make_daily_series("2026-03-01T16:00:00", "2026-03-01T17:00:00", tzid)
    found = list_slots(series, first, None, limit=4)
    assert [slot.starts[11:] for slot in found] == ["16:00:00"] * 4
    assert [slot.starts_at.hour for slot in found] == hours
    assert {slot.ends_at - slot.starts_at for slot in found} == {ONE_HOUR}


def test_occurrence_keeps_its_duration_across_a_clock_change() -> None:
    nights = make_daily_series("2026-03-01T22:00:00", "2026-03-02T06:00:00", "Europe/Berlin")
    assert list_spans(nights, "2026-03-28", "2026-03-29") == [
        ("03-27T22:00", "03-28T06:00", 480),
        ("03-28T22:00", "03-29T07:00", 480),
        ("03-29T22:00", "03-30T06:00", 480),
    ]
    assert list_spans(nights, "2026-10-25", "2026-10-25") == [
        ("10-24T22:00", "10-25T05:00", 480),
        ("10-25T22:00", "10-26T06:00", 480),
    ]


def test_skipped_occurrence_uses_the_offset_before_the_gap_and_keeps_its_duration() -> None:
    early = make_daily_series("2026-03-01T02:30:00", "2026-03-01T03:30:00", "Europe/Berlin")
    found = list_slots(early, "2026-03-29", "2026-03-29")
    assert [(slot.occurrence, slot.starts, slot.ends) for slot in found] == [
        ("2026-03-29T02:30:00", "2026-03-29T03:30:00", "2026-03-29T04:30:00")
    ]
    assert found[0].starts_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_repeated_hour_means_its_first_occurrence() -> None:
    early = make_daily_series("2026-03-01T02:30:00", "2026-03-01T03:30:00", "Europe/Berlin")
    [found] = list_slots(early, "2026-10-25", "2026-10-25")
    assert (found.starts_at, found.ends_at) == (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    # One hour after the first 02:30, the clocks show 02:30 again.
    assert (found.starts, found.ends) == ("2026-10-25T02:30:00", "2026-10-25T02:30:00")


def test_occurrence_on_a_skipped_day_moves_to_the_next_day() -> None:
    daily_in_apia = make_daily_series("2011-12-28T10:00:00", "2011-12-28T11:00:00", "Pacific/Apia")
    found = list_slots(daily_in_apia, "2011-12-29", "2012-01-01")
    assert [(slot.occurrence[5:10], slot.starts[5:10]) for slot in found] == [
        ("12-29", "12-29"),
        ("12-30", "12-31"),
        ("12-31", "12-31"),
        ("01-01", "01-01"),
    ]
    assert [slot.occurrence[5:10] for slot in list_slots(daily_in_apia, "2011-12-31", "2011-12-31")] == [
        "12-30",
        "12-31",
    ]
    assert list_slots(daily_in_apia, "2011-12-30", "2011-12-30") == []


def test_all_day_occurrences_keep_their_dates_when_the_clocks_change() -> None:
    weekends = make_daily_series("2026-03-21", "2026-03-22", "Europe/Berlin", recurrence="FREQ=WEEKLY")
    found = list_slots(weekends, "2026-03-29", "2026-04-04")
    assert [(slot.occurrence, slot.starts, slot.ends) for slot in found] == [
        ("2026-03-28", "2026-03-28", "2026-03-29"),
        ("2026-04-04", "2026-04-04", "2026-04-05"),
    ]
    assert [slot.ends_at - slot.starts_at for slot in found] == [timedelta(hours=47), timedelta(hours=48)]


# Comparison with recurring-ical-events


def library_spans(series: Series, first: str, last: str) -> list[tuple[datetime, datetime]]:
    """Return the start and end instants that recurring-ical-events computes for occurrences in these days."""
    at = f";TZID={series.timezone}:"
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//t//EN", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z"),
        f"DTSTART{at}{to_basic_format(series.starts)}",
        f"DTEND{at}{to_basic_format(series.ends)}",
        f"RRULE:{series.recurrence}",
        *(f"EXDATE{at}{to_basic_format(one)}" for one in excluded_occurrence_ids(series)),
        "END:VEVENT",
        *(line for one in list_explicit_occurrences(series) for line in override_lines(series, one)),
        "END:VCALENDAR",
    ]
    calendar = Calendar.from_ical("\r\n".join(lines) + "\r\n")
    found = recurring_ical_events.of(calendar).between(
        datetime.fromisoformat(first).replace(tzinfo=get_zone(series.timezone)),
        datetime.fromisoformat(last).replace(tzinfo=get_zone(series.timezone)) + ONE_DAY,
    )
    return sorted((one.start.astimezone(UTC), one.end.astimezone(UTC)) for one in found)


def override_lines(series: Series, one: Occurrence) -> Iterator[str]:
    at = f";TZID={series.timezone}:"
    yield from ("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z")
    yield f"RECURRENCE-ID{at}{to_basic_format(one.slot.occurrence)}"
    yield f"DTSTART{at}{to_basic_format(one.slot.starts)}"
    yield f"DTEND{at}{to_basic_format(one.slot.ends)}"
    yield "END:VEVENT"


def to_basic_format(written: str) -> str:
    return written.replace("-", "").replace(":", "")


OFFSET_CHANGES = [
    ("Europe/Berlin", "2026-03-20", "2026-04-10"),
    ("Europe/Berlin", "2026-10-16", "2026-11-06"),
    ("America/New_York", "2026-02-27", "2026-03-20"),
    ("America/New_York", "2026-10-23", "2026-11-13"),
    ("America/St_Johns", "2026-02-27", "2026-03-20"),
    ("Australia/Lord_Howe", "2026-03-27", "2026-04-17"),
    ("Africa/Casablanca", "2026-02-06", "2026-03-27"),
]


@pytest.mark.parametrize(("tzid", "first", "last"), OFFSET_CHANGES)
@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,MO", "FREQ=MONTHLY;BYDAY=-1SU,2SU"])
def test_meetings_outside_clock_changes_match_recurring_ical_events(
    tzid: str, first: str, last: str, rule: str
) -> None:
    for hour in (0, 4, 9, 16, 22):
        # The start is the first date of each of these rules.
        series = make_daily_series(f"2026-01-25T{hour:02}:30:00", f"2026-01-25T{hour:02}:55:00", tzid, recurrence=rule)
        ours = [(slot.starts_at, slot.ends_at) for slot in list_slots(series, first, last)]
        assert ours == library_spans(series, first, last)
        assert ours


@pytest.mark.parametrize(("tzid", "first", "last"), OFFSET_CHANGES[:6])
def test_overnight_occurrences_match_reference_starts_and_keep_exact_duration(tzid: str, first: str, last: str) -> None:
    nights = make_daily_series("2026-01-25T22:00:00", "2026-01-26T06:00:00", tzid)
    ours = [slot for slot in list_slots(nights, first, last) if slot.starts[:10] >= first]
    theirs = [pair for pair in library_spans(nights, first, last) if pair[0] >= ours[0].starts_at]
    assert [slot.starts_at for slot in ours] == [start for start, _ in theirs]
    assert {slot.ends_at - slot.starts_at for slot in ours} == {timedelta(hours=8)}
    # The library adds the duration to the local time, so the night of the clock change has an instance with its end.
    assert [slot.ends_at for slot in ours] == [end for _, end in theirs]


def test_overridden_occurrences_match_recurring_ical_events() -> None:
    overrides = {
        "2026-03-24T16:00:00": {"excluded": True},
        "2026-03-26T16:00:00": {"starts": "2026-03-30T09:00:00"},
        "2026-03-28T16:00:00": {"starts": "2026-03-28T18:00:00", "ends": "2026-03-29T12:00:00"},
        "2026-03-30T16:00:00": {"title": "With guests"},
    }
    series = make_daily_series(
        "2026-01-25T16:00:00", "2026-01-25T17:00:00", "Europe/Berlin", recurrence_overrides=overrides
    )
    ours = [(slot.starts_at, slot.ends_at) for slot in list_slots(series, "2026-03-20", "2026-04-10")]
    assert ours == library_spans(series, "2026-03-20", "2026-04-10")


# Selection by day


def test_occurrences_overlapping_the_range_are_included() -> None:
    weeks = make_daily_series("2026-03-02", "2026-03-08", "Europe/Berlin", recurrence="FREQ=WEEKLY;INTERVAL=2")
    expected = {
        ("2026-03-22", "2026-03-29"): ["2026-03-16"],
        ("2026-03-22", "2026-03-30"): ["2026-03-16", "2026-03-30"],
        ("2026-03-23", "2026-03-29"): [],
        ("2026-02-01", "2026-03-01"): [],
    }
    assert {days: list_starts(weeks, *days) for days in expected} == expected
    assert {days: has_occurrence_between(weeks, *map(date.fromisoformat, days)) for days in expected} == {
        days: bool(found) for days, found in expected.items()
    }


def test_range_may_be_open_on_either_side() -> None:
    few = Series(recurrence="FREQ=MONTHLY;BYDAY=1TU;COUNT=4")
    dates = ["2026-03-03T16:00:00", "2026-04-07T16:00:00", "2026-05-05T16:00:00", "2026-06-02T16:00:00"]
    assert list_starts(few, None, None) == dates
    assert list_starts(few, "2026-05-05", None) == dates[2:]
    assert list_starts(few, None, "2026-04-07") == dates[:2]


def test_count_and_until_end_the_series() -> None:
    counted = Series(recurrence="FREQ=WEEKLY;COUNT=3")
    until = Series(recurrence="FREQ=WEEKLY;UNTIL=20260317T150000Z")
    before = Series(recurrence="FREQ=WEEKLY;UNTIL=20260317T145959Z")
    assert [list_starts(one, "2026-03-10", "2026-12-31") for one in (counted, until, before)] == [
        ["2026-03-10T16:00:00", "2026-03-17T16:00:00"],
        ["2026-03-10T16:00:00", "2026-03-17T16:00:00"],
        ["2026-03-10T16:00:00"],
    ]


def test_event_without_recurrence_occurs_once() -> None:
    once = Series(recurrence=None)
    assert list_starts(once, None, None) == ["2026-03-03T16:00:00"]
    assert list_starts(once, "2026-03-04", None) == list_starts(once, None, "2026-03-02") == []


def test_event_with_invalid_rule_occurs_once() -> None:
    assert list_starts(Series(recurrence="whenever"), None, None) == ["2026-03-03T16:00:00"]


def test_occurrence_ending_after_the_last_supported_year_is_omitted() -> None:
    weeks = make_daily_series("2199-12-16", "2199-12-20", "UTC", recurrence="FREQ=WEEKLY")
    assert list_starts(weeks, "2199-12-01", None) == ["2199-12-16", "2199-12-23"]
    last_day = make_daily_series("2199-12-01T12:00:00", "2199-12-01T14:00:00", "Pacific/Kiritimati")
    assert len(list_slots(last_day, None, "2199-12-31")) == 31


# Overrides

OVERRIDES: dict[str, dict[str, Any]] = {
    "2026-04-07T16:00:00": {"excluded": True},
    "2026-05-05T16:00:00": {"starts": "2026-05-12T18:00:00", "venue": "Attic", "title": "Special call"},
    "2026-06-02T16:00:00": {"ends": "2026-06-02T20:00:00", "summary": "A long one", "status": "tentative"},
    "2026-07-07T16:00:00": {"status": "cancelled", "online_url": "https://meet.example/other"},
    "2026-08-04T16:00:00": {"starts": "2026-02-28T09:00:00", "ends": "2026-02-28T09:30:00"},
}
SERIES_WITH_OVERRIDES = Series(recurrence_overrides=OVERRIDES)


def test_override_changes_its_occurrence() -> None:
    found = occurrences_between(SERIES_WITH_OVERRIDES, None, date(2026, 8, 31), limit=99)
    said = [(one.slot.occurrence[5:10], one.slot.starts[5:16], one.slot.ends[5:16]) for one in found]
    assert said == [
        ("08-04", "02-28T09:00", "02-28T09:30"),
        ("03-03", "03-03T16:00", "03-03T17:00"),
        ("05-05", "05-12T18:00", "05-12T19:00"),
        ("06-02", "06-02T16:00", "06-02T20:00"),
        ("07-07", "07-07T16:00", "07-07T17:00"),
    ]
    shown = [(one.title, one.summary, one.status, one.venue, one.online_url) for one in found[1:]]
    call, meet = "Community call", "https://meet.example/call"
    assert shown == [
        (call, None, "confirmed", None, meet),
        ("Special call", None, "confirmed", "Attic", meet),
        (call, "A long one", "tentative", None, meet),
        (call, None, "cancelled", None, "https://meet.example/other"),
    ]


def test_moved_occurrence_is_found_only_at_its_new_time() -> None:
    expected = {
        ("2026-05-01", "2026-05-11"): [],
        ("2026-05-12", "2026-05-12"): ["2026-05-12T18:00:00"],
        ("2026-02-01", "2026-02-28"): ["2026-02-28T09:00:00"],
        ("2026-08-01", "2026-08-31"): [],
        ("2026-04-01", "2026-04-30"): [],
    }
    assert {days: list_starts(SERIES_WITH_OVERRIDES, *days) for days in expected} == expected


def test_cancelled_or_pending_status_applies_to_every_occurrence() -> None:
    for status in (EventStatus.CANCELLED, EventStatus.PENDING):
        series = Series(recurrence_overrides=OVERRIDES, status=status)
        assert {one.status for one in occurrences_between(series, None, None, limit=9)} == {status}
    postponed = Series(recurrence_overrides=OVERRIDES, status=EventStatus.POSTPONED)
    found = {one.slot.occurrence[5:10]: one.status for one in occurrences_between(postponed, None, None, limit=5)}
    assert found == {
        "08-04": "postponed",
        "03-03": "postponed",
        "05-05": "postponed",
        "06-02": "tentative",
        "07-07": "cancelled",
    }


def test_excluded_and_overridden_occurrences_are_listed_separately() -> None:
    assert excluded_occurrence_ids(SERIES_WITH_OVERRIDES) == ["2026-04-07T16:00:00"]
    assert [one.slot.occurrence for one in list_explicit_occurrences(SERIES_WITH_OVERRIDES)] == sorted(OVERRIDES)[1:]
    assert (excluded_occurrence_ids(Series()), list_explicit_occurrences(Series())) == ([], [])


OCCURRENCE_IDS = [
    one.slot.occurrence for one in occurrences_between(Series(recurrence="FREQ=DAILY"), None, None, limit=40)
]
LOCAL_TIMES = st.datetimes(datetime(2026, 2, 20), datetime(2026, 4, 20)).map(lambda one: f"{one:%Y-%m-%dT%H:%M:00}")  # noqa: DTZ001 - local
OVERRIDE_MAPS = st.dictionaries(
    st.sampled_from(OCCURRENCE_IDS),
    st.just({"excluded": True}) | st.builds(lambda at: {"starts": at}, LOCAL_TIMES) | st.just({"title": "Other"}),
    max_size=12,
)


@given(OVERRIDE_MAPS, st.dates(date(2026, 2, 10), date(2026, 4, 30)), st.integers(0, 40))
def test_any_range_contains_exactly_the_overlapping_occurrences(
    overrides: dict[str, dict[str, Any]], first: date, length: int
) -> None:
    series = Series(recurrence="FREQ=DAILY;COUNT=40", ends="2026-03-05T12:00:00", recurrence_overrides=overrides)
    every = occurrences_between(series, None, None, limit=999)
    assert [one.slot.sort_position for one in every] == sorted(one.slot.sort_position for one in every)
    assert {one.slot.occurrence for one in every} == set(OCCURRENCE_IDS) - set(excluded_occurrence_ids(series))
    last = first + timedelta(days=length)
    assert occurrences_between(series, first, last, limit=999) == [
        one for one in every if one.slot.ends[:10] >= str(first) and one.slot.starts[:10] <= str(last)
    ]


@given(OVERRIDE_MAPS, st.integers(0, 40), st.integers(1, 9))
def test_occurrences_after_a_place_are_the_remaining_ones(
    overrides: dict[str, dict[str, Any]], at: int, limit: int
) -> None:
    series = Series(recurrence="FREQ=DAILY;COUNT=40", recurrence_overrides=overrides)
    every = occurrences_between(series, None, None, limit=999)
    place = (
        every[at].slot.sort_position
        if at < len(every)
        else (datetime(2026, 3, 20, 15, tzinfo=UTC), "2026-03-20T16:00:00")
    )
    rest = [one for one in every if one.slot.sort_position > place]
    assert occurrences_between(series, None, None, limit=limit, after=place) == list(islice(rest, limit))


# The days of a series


def test_days_of_a_series_include_every_occurrence() -> None:
    counted, moved = "FREQ=MONTHLY;BYDAY=1TU;COUNT=6", {"2026-05-05T16:00:00": {"starts": "2027-01-01T23:30:00"}}
    expected = {
        ("FREQ=MONTHLY;BYDAY=1TU", None): ("2026-03-03", "2199-12-31"),
        (counted, None): ("2026-03-03", "2026-08-04"),
        (counted, "others"): ("2026-02-28", "2026-08-04"),
        (counted, "moved"): ("2026-03-03", "2027-01-02"),
        ("FREQ=MONTHLY;BYDAY=1TU;UNTIL=20260505", None): ("2026-03-03", "2026-05-05"),
        (None, None): ("2026-03-03", "2026-03-03"),
        ("whenever", None): ("2026-03-03", "2026-03-03"),
    }
    named = {None: {}, "others": OVERRIDES, "moved": moved}
    found = {
        (rule, name): occurrence_day_range(Series(recurrence=rule, recurrence_overrides=named[name]))
        for rule, name in expected
    }
    assert found == expected


@given(OVERRIDE_MAPS, st.sampled_from(["FREQ=DAILY;COUNT=40", "FREQ=DAILY;UNTIL=20260411"]))
def test_no_occurrence_is_outside_the_days_of_its_series(overrides: dict[str, dict[str, Any]], rule: str) -> None:
    series = Series(recurrence=rule, recurrence_overrides=overrides)
    first, last = occurrence_day_range(series)
    found = [one.slot for one in occurrences_between(series, None, None, limit=999)]
    assert all(first <= slot.starts[:10] and slot.ends[:10] <= last for slot in found)


def test_missing_end_of_range_defaults_to_four_hundred_days() -> None:
    assert complete_day_range(date(2026, 3, 1), date(2026, 3, 2)) == (date(2026, 3, 1), date(2026, 3, 2))
    assert complete_day_range(date(2026, 3, 1), None) == (date(2026, 3, 1), date(2027, 4, 5))
    assert complete_day_range(None, date(2027, 4, 5)) == (date(2026, 3, 1), date(2027, 4, 5))
    assert complete_day_range(None, None) is None
