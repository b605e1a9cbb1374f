"""JSCalendar times and recurrence: entries occur at the same instants as in iCalendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import CalendarEntry, Override, Status
from eventcal.feeds.format_registry import ICS
from eventcal.feeds.zones import vtimezone
from eventcal.kit.localtime import UTC_NAMES, get_zone
from tests.feed_documents import build_feed
from tests.feed_support.jscal_groups import render_event, talk_at
from tests.feed_support.jscalendar import apply_patch, list_occurrences, start_and_end
from tests.feed_support.sample_entries import (
    ALL_DAY_ENTRY,
    FEED_HEAD,
    RECURRING_ALL_DAY_ENTRY,
    RECURRING_ENTRY,
    TALK_ENTRY,
)

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")

# Times


@pytest.mark.parametrize(
    ("starts", "ends", "duration"),
    [
        ("2026-06-10T09:00:00", "2026-06-10T09:00:30", "PT30S"),
        ("2026-06-10T09:00:00", "2026-06-10T10:00:00", "PT1H"),
        ("2026-06-10T09:00:00", "2026-06-10T10:30:00", "PT1H30M"),
        ("2026-06-10T09:00:00", "2026-06-10T10:00:05", "PT1H0M5S"),
        ("2026-06-10T09:00:00", "2026-06-10T09:01:05", "PT1M5S"),
        ("2026-06-10T09:00:00", "2026-06-12T17:00:00", "PT56H"),
        # A night is one hour shorter in March and one hour longer in October.
        ("2026-03-28T18:00:00", "2026-03-29T18:00:00", "PT23H"),
        ("2026-10-24T18:00:00", "2026-10-25T18:00:00", "PT25H"),
        ("2026-10-25T02:15:00", "2026-10-25T03:00:00", "PT1H45M"),
        # Start and end are the same.
        ("2026-06-10T09:00:00", "2026-06-10T09:00:00", "PT0S"),
    ],
)
def test_duration_is_elapsed_time(starts: str, ends: str, duration: str) -> None:
    assert render_event(talk_at(starts, ends))["duration"] == duration


def test_both_occurrences_of_repeated_hour_are_written_in_utc() -> None:
    # In Berlin, 02:30 occurs twice on that day.
    entry = talk_at("2026-10-25T02:30:00", "2026-10-25T03:15:00")
    late = datetime(2026, 10, 25, 2, 30, fold=1)  # noqa: DTZ001 - local
    first, second = render_event(entry), render_event(replace(entry, starts=late))
    assert [first[name] for name in ("start", "timeZone", "duration")] == ["2026-10-25T00:30:00", "Etc/UTC", "PT1H45M"]
    assert [second[name] for name in ("start", "timeZone", "duration")] == ["2026-10-25T01:30:00", "Etc/UTC", "PT45M"]


def test_recurring_entry_with_skipped_first_start_keeps_its_duration() -> None:
    # In Berlin, 02:30 does not exist on that day.
    entry = replace(talk_at("2026-03-29T02:30:00", "2026-03-29T03:00:00"), recurrence="FREQ=DAILY")
    assert render_event(entry)["duration"] == "PT30M"


@pytest.mark.parametrize("tzid", sorted(UTC_NAMES))
def test_every_utc_alias_is_written_as_etc_utc(tzid: str) -> None:
    assert render_event(talk_at("2026-06-10T09:00:00", "2026-06-10T10:00:00", tzid))["timeZone"] == "Etc/UTC"


@given(
    tzid=st.sampled_from(ZONES),
    at=st.datetimes(datetime(1971, 1, 1), datetime(2198, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    minutes=st.integers(1, 5000),
)
@settings(max_examples=150)
def test_start_and_duration_give_the_correct_instants(tzid: str, at: datetime, minutes: int) -> None:
    at = at.replace(microsecond=0)
    starts, ends = (
        moment.astimezone(get_zone(tzid)).replace(tzinfo=None) for moment in (at, at + timedelta(minutes=minutes))
    )
    assert start_and_end(render_event(replace(TALK_ENTRY, starts=starts, ends=ends, zone=tzid))) == (
        at,
        at + timedelta(minutes=minutes),
    )


# Recurrence


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("FREQ=WEEKLY", {"frequency": "weekly"}),
        (
            "interval=2;freq=weekly;byday=tu,th;count=4;wkst=su",
            {
                "frequency": "weekly",
                "interval": 2,
                "byDay": [{"@type": "NDay", "day": "tu"}, {"@type": "NDay", "day": "th"}],
                "count": 4,
                "firstDayOfWeek": "su",
            },
        ),
        (
            "FREQ=MONTHLY;BYDAY=+1TU,-1FR;BYMONTH=1,12;BYSETPOS=-1",
            {
                "frequency": "monthly",
                "byDay": [
                    {"@type": "NDay", "day": "tu", "nthOfPeriod": 1},
                    {"@type": "NDay", "day": "fr", "nthOfPeriod": -1},
                ],
                "byMonth": ["1", "12"],
                "bySetPosition": [-1],
            },
        ),
        ("FREQ=YEARLY;BYYEARDAY=1,-1", {"frequency": "yearly", "byYearDay": [1, -1]}),
        ("FREQ=YEARLY;BYWEEKNO=20", {"frequency": "yearly", "byWeekNo": [20]}),
        ("FREQ=MONTHLY;BYMONTHDAY=15,-1", {"frequency": "monthly", "byMonthDay": [15, -1]}),
        # A date includes the whole local day. An instant is converted to local time.
        ("FREQ=WEEKLY;UNTIL=20260630", {"frequency": "weekly", "until": "2026-06-30T23:59:59"}),
        ("FREQ=WEEKLY;UNTIL=20260630T180000", {"frequency": "weekly", "until": "2026-06-30T18:00:00"}),
        ("FREQ=WEEKLY;UNTIL=20260630T180000Z", {"frequency": "weekly", "until": "2026-06-30T20:00:00"}),
    ],
)
def test_rule_is_written_as_recurrence_rule_object(written: str, rule: dict[str, Any]) -> None:
    assert render_event(replace(TALK_ENTRY, recurrence=written))["recurrenceRules"] == [
        {"@type": "RecurrenceRule", **rule}
    ]


@pytest.mark.parametrize("written", ["FREQ=YEARLY;BYEASTER=0", "FREQ=WEEKLY;UNTIL=JUNE", "BYDAY=TU"])
def test_rule_without_icalendar_equivalent_is_omitted(written: str) -> None:
    assert "recurrenceRules" not in render_event(replace(TALK_ENTRY, recurrence=written))


@pytest.mark.parametrize("until", ["20260630", "20260629T230000Z"])
def test_until_of_all_day_rule_is_a_day(until: str) -> None:
    found = render_event(replace(ALL_DAY_ENTRY, recurrence=f"FREQ=WEEKLY;UNTIL={until}"))
    assert found["recurrenceRules"] == [
        {"@type": "RecurrenceRule", "frequency": "weekly", "until": "2026-06-30T00:00:00"}
    ]


def test_override_contains_only_changed_properties() -> None:
    assert render_event(RECURRING_ENTRY)["recurrenceOverrides"] == {
        "2026-04-07T18:00:00": {"excluded": True},
        "2026-05-05T18:00:00": {
            "title": "Xen evening: moved",
            "start": "2026-05-06T19:00:00",
            "duration": "PT3H",
            "locations": None,
        },
    }
    assert render_event(RECURRING_ALL_DAY_ENTRY)["recurrenceOverrides"] == {
        "2026-07-01T00:00:00": {"excluded": True},
        "2026-09-01T00:00:00": {"start": "2026-09-02T00:00:00", "duration": "P1D"},
    }


def test_unchanged_occurrence_has_an_empty_override() -> None:
    same = replace(
        RECURRING_ENTRY.overrides[0].entry,
        title=RECURRING_ENTRY.title,
        location=RECURRING_ENTRY.location,
        geo=RECURRING_ENTRY.geo,
    )
    starts = datetime(2026, 5, 5, 18)  # noqa: DTZ001 - local
    same = replace(same, starts=starts, ends=starts + timedelta(hours=2, minutes=30))
    found = render_event(replace(RECURRING_ENTRY, excluded=(), overrides=(Override(occurrence=starts, entry=same),)))
    assert found["recurrenceOverrides"] == {"2026-05-05T18:00:00": {}}


def test_occurrence_may_change_from_timed_to_all_day() -> None:
    starts = datetime(2026, 5, 5, 18)  # noqa: DTZ001 - local
    changed = replace(
        RECURRING_ENTRY.overrides[0].entry,
        starts=date(2026, 5, 5),
        ends=date(2026, 5, 6),
        status=Status.CANCELLED,
        related=(),
    )
    found = render_event(replace(RECURRING_ENTRY, overrides=(Override(occurrence=starts, entry=changed),)))
    patch = found["recurrenceOverrides"]["2026-05-05T18:00:00"]
    assert patch == {
        "title": "Xen evening: moved",
        "start": "2026-05-05T00:00:00",
        "duration": "P1D",
        "showWithoutTime": True,
        "timeZone": None,
        "status": "cancelled",
        "locations": None,
    }
    alone = render_event(replace(changed, related=RECURRING_ENTRY.related))
    assert apply_patch(found, patch, "2026-05-05T18:00:00") == alone


def _meetup_in_zone(tzid: str) -> CalendarEntry:
    moved = [replace(one, entry=replace(one.entry, zone=tzid)) for one in RECURRING_ENTRY.overrides]
    return replace(RECURRING_ENTRY, zone=tzid, overrides=tuple(moved))


@pytest.mark.parametrize("entry", [RECURRING_ALL_DAY_ENTRY, *map(_meetup_in_zone, ZONES)])
def test_recurring_entry_has_the_occurrences_of_ics(entry: CalendarEntry) -> None:
    zones = [vtimezone(entry.zone, date(2026, 1, 1), date(2027, 12, 31))] if entry.needs_zone else []
    # Some readers treat UTC times as times in the zone of the feed.
    body = build_feed(ICS, entry, head=replace(FEED_HEAD, zone=entry.zone), zones=zones)
    calendar = icalendar.Calendar.from_ical(body)
    expected = sorted((*_event_span(one), str(one["SUMMARY"])) for one in recurring_ical_events.of(calendar).all())
    found = list_occurrences(render_event(entry), datetime(2028, 1, 1))  # noqa: DTZ001 - local
    assert sorted((*start_and_end(one), one["title"]) for one in found.values()) == expected
    assert len(expected) > 4


def _event_span(one: icalendar.Event) -> tuple[datetime, datetime]:
    """Return the start and end of an event: instants, or local midnights for all-day events."""
    first, last = (
        moment.astimezone(UTC) if isinstance(moment, datetime) else datetime.combine(moment, datetime.min.time())
        for moment in (one.start, one.end)
    )
    return first, last
