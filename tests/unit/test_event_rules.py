"""Validation of events, and when an event accepts talks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.events.enums import ACTIVE_STATUSES, PUBLIC_STATUSES, EventStatus, Programme
from eventcal.events.models import CallForTalks, Event
from eventcal.events.rules import (
    ALLOWED_STATUS_EDITS,
    TOMBSTONE_PERIOD,
    call_field_instant,
    event_errors,
    is_accepting_talks,
    is_all_day,
    is_over,
    start_and_end_instants,
    start_end_errors,
    to_instant_or_gap_end,
    tombstone_until,
)
from eventcal.kit.errors import FieldError
from tests.clocks import NOON

SECOND = timedelta(seconds=1)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - timezones adds a zone


def parse_utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def make_fields(**fields: Any) -> dict[str, Any]:
    return {"timezone": "Europe/Berlin", "starts": "2026-06-10", "ends": "2026-06-12", **fields}


def errors_of(**fields: Any) -> list[FieldError]:
    return event_errors(make_fields(**fields))


# The time span of an event


def test_date_range_starts_at_local_midnight_and_includes_its_last_day() -> None:
    assert start_and_end_instants("2026-06-10", "2026-06-12", "Europe/Berlin") == (
        parse_utc("2026-06-09T22:00"),
        parse_utc("2026-06-12T22:00"),
    )


def test_day_on_which_clocks_go_forward_has_23_hours() -> None:
    starts_at, ends_at = start_and_end_instants("2026-03-29", "2026-03-29", "Europe/Berlin")
    assert ends_at - starts_at == timedelta(hours=23)


def test_times_are_local_to_the_time_zone() -> None:
    assert start_and_end_instants("2026-06-10T23:30:00", "2026-06-11T01:00:00", "America/Chicago") == (
        parse_utc("2026-06-11T04:30"),
        parse_utc("2026-06-11T06:00"),
    )


def test_skipped_time_becomes_the_end_of_the_gap() -> None:
    skipped = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 - a local time
    assert to_instant_or_gap_end(skipped, "Europe/Berlin") == parse_utc("2026-03-29T01:00")


def test_repeated_time_means_its_first_occurrence() -> None:
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - a local time
    assert to_instant_or_gap_end(twice, "Europe/Berlin") == parse_utc("2026-10-25T00:30")


def test_date_is_all_day_but_time_is_not() -> None:
    assert (is_all_day("2026-06-10"), is_all_day("2026-06-10T09:00:00")) == (True, False)


# Validation


def test_event_with_dates_or_times_is_valid() -> None:
    assert errors_of() == []
    assert errors_of(starts="2026-06-10T09:00:00", ends="2026-06-10T17:00") == []


def test_event_may_last_a_single_day() -> None:
    assert errors_of(ends="2026-06-10") == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"ends": "2026-06-09"}, [FieldError("/ends", "must not be before `starts`; the last day is included")]),
        (
            {"starts": "2026-06-10T09:00:00", "ends": "2026-06-10T09:00:00"},
            [FieldError("/ends", "must be later than `starts`")],
        ),
        (
            {"starts": "2026-06-10T09:00:00"},
            [FieldError("/ends", "must be a date-time, like `starts`")],
        ),
        (
            {"timezone": "Mars/Olympus", "starts": "never"},
            [
                FieldError(
                    "/timezone", "'Mars/Olympus' is not an IANA time zone; use a name such as Europe/London or UTC"
                )
            ],
        ),
        ({"latitude": 50.1}, [FieldError("/location", "latitude and longitude must be set together")]),
        (
            {"price_currency": "EUR"},
            [FieldError("/registration/price", "must have both an amount and a currency, or be null")],
        ),
    ],
)
def test_inconsistent_event_is_rejected_with_advice(fields: dict[str, Any], found: list[FieldError]) -> None:
    assert errors_of(**fields) == found


def test_all_event_errors_are_reported_together() -> None:
    found = errors_of(
        latitude=1.0, price_amount="5", starts="soon", ends="2026-02-30", call_for_talks={"opens_at": "x"}
    )
    assert [fault.pointer for fault in found] == [
        "/location",
        "/registration/price",
        "/starts",
        "/ends",
        "/call_for_talks/opens_at",
    ]


def test_skipped_time_is_rejected_with_the_next_valid_time() -> None:
    assert start_end_errors("2026-03-29T02:30:00", "2026-03-29T05:00:00", "Europe/Berlin") == [
        FieldError(
            "/starts",
            "2026-03-29T02:30:00 does not exist in Europe/Berlin because of a clock change; the next valid time is "
            "2026-03-29T03:00:00",
        )
    ]


def test_start_and_end_are_compared_as_instants() -> None:
    # Of the two 02:30, the first is meant, so 02:10 is earlier and 03:00 is 90 minutes later.
    assert start_end_errors("2026-10-25T02:30:00", "2026-10-25T03:00:00", "Europe/Berlin") == []
    assert [
        fault.pointer for fault in start_end_errors("2026-10-25T02:30:00", "2026-10-25T02:10:00", "Europe/Berlin")
    ] == ["/ends"]


def test_missing_time_is_valid() -> None:
    assert start_end_errors(None, None, "UTC") == []
    assert start_end_errors("2026-06-10T09:00:00", None, "UTC") == []


RRULE_REQUIREMENT = "must be an RRULE that recurs daily or less often, such as FREQ=MONTHLY;BYDAY=1TU"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;BYDAY=2WE",
        "freq=weekly;interval=2;byday=mo,we",
        "FREQ=YEARLY;COUNT=10",
        "FREQ=DAILY;UNTIL=20261231T225959Z",
        "FREQ=DAILY;UNTIL=20260610",
        "FREQ=MONTHLY;BYMONTHDAY=-21",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=8",
        "FREQ=YEARLY;BYWEEKNO=24;BYDAY=WE",
        "FREQ=YEARLY;BYYEARDAY=161",
        "FREQ=YEARLY;BYDAY=23WE",
    ],
)
def test_single_rule_is_a_valid_recurrence(rule: str) -> None:
    assert errors_of(recurrence=rule) == []


@pytest.mark.parametrize(
    ("rule", "detail"),
    [
        ("every Tuesday", RRULE_REQUIREMENT),
        ("FREQ=DAILY;FREQ=DAILY", RRULE_REQUIREMENT),
        ("FREQ=HOURLY", f"is invalid because of its FREQ; it {RRULE_REQUIREMENT}"),
        ("RRULE:FREQ=DAILY", RRULE_REQUIREMENT),
        ("FREQ=DAILY;", f"is invalid because it has an empty part; it {RRULE_REQUIREMENT}"),
        ("FREQ=DAILY;COUNT=3\nEXDATE:20260611", f"is invalid because of its COUNT; it {RRULE_REQUIREMENT}"),
        ("FREQ=DAILY;COUNT=3 EXDATE:20260611", f"is invalid because of its COUNT; it {RRULE_REQUIREMENT}"),
        ("FREQ=DAILY;BYHOUR=9,10", f"is invalid because of its BYHOUR; it {RRULE_REQUIREMENT}"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261231", "must not have both COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=20260609", "UNTIL must not be before `starts`"),
        ("FREQ=DAILY;INTERVAL=0;COUNT=-1", f"is invalid because of its INTERVAL, COUNT; it {RRULE_REQUIREMENT}"),
        ("FREQ=WEEKLY;BYDAY=XX", f"is invalid because of its BYDAY; it {RRULE_REQUIREMENT}"),
        ("FREQ=WEEKLY;UNTIL=NEVER", f"is invalid because of its UNTIL; it {RRULE_REQUIREMENT}"),
        ("FREQ=YEARLY;BYEASTER=0", f"is invalid because of its BYEASTER; it {RRULE_REQUIREMENT}"),
        ("FREQ=YEARLY;BYMONTH=13", f"is invalid because of its BYMONTH; it {RRULE_REQUIREMENT}"),
        ("FREQ=YEARLY;BYMONTH=+1", f"is invalid because of its BYMONTH; it {RRULE_REQUIREMENT}"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", f"is invalid because of its BYMONTHDAY; it {RRULE_REQUIREMENT}"),
        ("FREQ=YEARLY;BYWEEKNO=60", f"is invalid because of its BYWEEKNO; it {RRULE_REQUIREMENT}"),
        ("FREQ=YEARLY;BYYEARDAY=500", f"is invalid because of its BYYEARDAY; it {RRULE_REQUIREMENT}"),
        ("FREQ=DAILY;UNTIL=20261399", f"is invalid because of its UNTIL; it {RRULE_REQUIREMENT}"),
        ("FREQ=DAILY;UNTIL=20261231T250000Z", f"is invalid because of its UNTIL; it {RRULE_REQUIREMENT}"),
        ("FREQ=DAILY;UNTIL=99991231", f"is invalid because of its UNTIL; it {RRULE_REQUIREMENT}"),
        ("FREQ=WEEKLY;BYMONTHDAY=10", "BYMONTHDAY cannot be combined with FREQ=WEEKLY (RFC 5545, 3.3.10)"),
        ("FREQ=MONTHLY;BYYEARDAY=161", "BYYEARDAY cannot be combined with FREQ=MONTHLY (RFC 5545, 3.3.10)"),
        ("FREQ=MONTHLY;BYWEEKNO=24;BYDAY=WE", "BYWEEKNO cannot be combined with FREQ=MONTHLY (RFC 5545, 3.3.10)"),
        (
            "FREQ=MONTHLY;BYSETPOS=1",
            "BYSETPOS requires another BY part (RFC 5545, 3.3.10)",
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=24",
            "BYWEEKNO requires BYDAY, because apps disagree on the days without it (RFC 5545, 3.3.10)",
        ),
        *(
            (
                rule,
                (
                    "BYDAY may contain numbers, such as 1TU, only with FREQ=MONTHLY, or with FREQ=YEARLY without "
                    "BYWEEKNO (RFC 5545, 3.3.10)"
                ),
            )
            for rule in ("FREQ=WEEKLY;BYDAY=1WE", "FREQ=DAILY;BYDAY=MO,-1WE", "FREQ=YEARLY;BYWEEKNO=24;BYDAY=1WE")
        ),
        *(
            (rule, "numbers in BYDAY must not exceed 5 within a month (RFC 5545, 3.3.10)")
            for rule in ("FREQ=MONTHLY;BYDAY=6WE", "FREQ=YEARLY;BYMONTH=6;BYDAY=2WE,-53WE")
        ),
    ],
)
def test_invalid_recurrence_is_rejected(rule: str, detail: str) -> None:
    assert errors_of(recurrence=rule) == [FieldError("/recurrence", detail)]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        (
            {"recurrence": "FREQ=MONTHLY;BYDAY=1TU"},
            "has its first occurrence on 2026-07-07, but the event starts on 2026-06-10; both must be the same",
        ),
        (
            {
                "recurrence": "FREQ=WEEKLY;BYDAY=FR",
                "starts": "2026-06-10T16:00:00",
                "ends": "2026-06-10T17:00:00",
            },
            (
                "has its first occurrence on 2026-06-12T16:00:00, but the event starts on 2026-06-10T16:00:00; both "
                "must be the same"
            ),
        ),
        (
            {"recurrence": "FREQ=DAILY;INTERVAL=9999;BYMONTH=2;BYMONTHDAY=30"},
            "has no occurrences; change the rule",
        ),
        (
            {"recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU", "starts": "2032-02-29", "ends": "2032-02-29"},
            (
                "has too few occurrences: none was found within 4000 days; change the rule, or create an event for "
                "each occurrence"
            ),
        ),
        (
            # UNTIL is one second before the start, which is 14:00 in UTC.
            {
                "recurrence": "FREQ=DAILY;UNTIL=20260610T135959Z",
                "starts": "2026-06-10T16:00:00",
                "ends": "2026-06-10T17:00:00",
            },
            "has no occurrence before it ends; choose a later end",
        ),
    ],
)
def test_recurrence_must_start_with_the_event(fields: dict[str, str], detail: str) -> None:
    assert errors_of(**fields) == [FieldError("/recurrence", detail)]


@given(st.text(max_size=60))
def test_arbitrary_recurrence_text_is_accepted_or_gives_an_error(rule: str) -> None:
    found = errors_of(recurrence=rule)
    assert [fault.pointer for fault in found] in ([], ["/recurrence"])


# The submission period


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ({"opens_at": "2026-03-01T09:00:00", "closes_at": "2026-04-01T09:00:00+02:00"}, []),
        ({"closes_at": "2026-04-01", "anywhere_on_earth": True}, []),
        ({"opens_at": "2026-03-01T09:00:00", "closes_at": "2026-04-01", "anywhere_on_earth": True}, []),
        (
            {"opens_at": "2026-04-01T09:00:00", "closes_at": "2026-04-01T09:00:00"},
            [FieldError("/call_for_talks/closes_at", "must be later than `opens_at`")],
        ),
        (
            {"closes_at": "2026-04-01T09:00:00", "anywhere_on_earth": True},
            [FieldError("/call_for_talks/anywhere_on_earth", "requires `closes_at` to be a date")],
        ),
        (
            {"anywhere_on_earth": True},
            [FieldError("/call_for_talks/anywhere_on_earth", "requires `closes_at` to be a date")],
        ),
        (
            {"closes_at": "2026-03-29T02:30:00"},
            [
                FieldError(
                    "/call_for_talks/closes_at",
                    "2026-03-29T02:30:00 does not exist in Europe/Berlin because of a clock change; the next valid "
                    "time is 2026-03-29T03:00:00",
                )
            ],
        ),
    ],
)
def test_call_must_open_before_it_closes(call: dict[str, Any], found: list[FieldError]) -> None:
    assert errors_of(call_for_talks=call) == found


def test_deadline_in_a_time_zone_requires_a_time() -> None:
    assert [fault.pointer for fault in errors_of(call_for_talks={"closes_at": "2026-04-01"})] == [
        "/call_for_talks/closes_at"
    ]


@pytest.mark.parametrize(
    ("written", "tzid", "moment"),
    [
        ({"closes_at": None}, "Europe/Berlin", None),
        ({"closes_at": "2026-05-02T23:59:00"}, "America/Chicago", parse_utc("2026-05-03T04:59")),
        ({"closes_at": "2026-05-02T23:59:00+02:00"}, "America/Chicago", parse_utc("2026-05-02T21:59")),
        ({"closes_at": "2026-05-02", "anywhere_on_earth": True}, "Asia/Tokyo", parse_utc("2026-05-03T12:00")),
        ({"closes_at": "2026-03-28T23:59:59"}, "Europe/Berlin", parse_utc("2026-03-28T22:59:59")),
        ({"closes_at": "2026-03-29T23:59:59"}, "Europe/Berlin", parse_utc("2026-03-29T21:59:59")),
        # 02:15 occurs twice, and the first is meant.
        ({"closes_at": "2026-10-25T02:15:00"}, "Europe/Berlin", parse_utc("2026-10-25T00:15")),
    ],
)
def test_deadline_converts_to_an_instant(written: dict[str, Any], tzid: str, moment: datetime | None) -> None:
    assert call_field_instant(written, "closes_at", tzid) == moment


EVENT_START = parse_utc("2026-06-01T00:00")


def accepts_talks(programme: Programme, call: CallForTalks | None, *, starts_at: datetime, now: datetime) -> bool:
    """Return whether a confirmed event that is not over accepts talks."""
    event = Event(programme=programme, call=call, starts_at=starts_at, status=EventStatus.CONFIRMED)
    return is_accepting_talks(event, now=now)


def test_without_a_call_only_a_listed_event_accepts_talks() -> None:
    took = {programme: accepts_talks(programme, None, starts_at=EVENT_START, now=NOON) for programme in Programme}
    assert took == {Programme.LISTED: True, Programme.CURATED: False}


@pytest.mark.parametrize("programme", Programme)
def test_talks_are_accepted_through_the_second_of_the_deadline(programme: Programme) -> None:
    window = CallForTalks(opens_at=None, closes_at=NOON)
    took = [
        accepts_talks(programme, window, starts_at=EVENT_START, now=moment)
        for moment in (NOON - SECOND, NOON, NOON + SECOND - timedelta(microseconds=1), NOON + SECOND)
    ]
    assert took == [True, True, True, False]


@pytest.mark.parametrize("programme", Programme)
def test_talks_are_accepted_from_the_second_the_call_opens(programme: Programme) -> None:
    window = CallForTalks(opens_at=NOON, closes_at=None)
    took = [accepts_talks(programme, window, starts_at=EVENT_START, now=moment) for moment in (NOON - SECOND, NOON)]
    assert took == [False, True]


def test_call_without_deadline_closes_when_the_event_starts() -> None:
    window = CallForTalks(opens_at=None, closes_at=None)
    took = [accepts_talks(Programme.CURATED, window, starts_at=NOON, now=now) for now in (NOON - SECOND, NOON)]
    assert took == [True, False]


def test_call_may_stay_open_during_the_event() -> None:
    window = CallForTalks(opens_at=None, closes_at=NOON + SECOND)
    assert accepts_talks(Programme.CURATED, window, starts_at=NOON - SECOND, now=NOON) is True


@given(opens=INSTANTS, closes=INSTANTS, now=INSTANTS)
def test_talks_are_accepted_exactly_within_the_submission_period(
    opens: datetime, closes: datetime, now: datetime
) -> None:
    closes = closes.replace(microsecond=0)
    window = CallForTalks(opens_at=opens, closes_at=closes)
    inside = opens <= now < closes + SECOND
    assert accepts_talks(Programme.CURATED, window, starts_at=EVENT_START, now=now) is inside


# Past and cancelled events


def test_event_is_over_exactly_at_its_end() -> None:
    assert [is_over(NOON, now=now) for now in (NOON - SECOND, NOON)] == [False, True]


def test_endless_recurring_event_is_never_over() -> None:
    assert is_over(None, now=NOON + timedelta(days=9999)) is False


@given(ends_at=INSTANTS, now=INSTANTS)
def test_cancelled_event_stays_visible_for_thirty_days_after_its_end_and_cancellation(
    ends_at: datetime, now: datetime
) -> None:
    until = tombstone_until(ends_at, now=now)
    assert until in {ends_at + TOMBSTONE_PERIOD, now + TOMBSTONE_PERIOD}
    assert until >= ends_at + TOMBSTONE_PERIOD
    assert until >= now + TOMBSTONE_PERIOD


def test_edit_never_publishes_or_cancels_an_event() -> None:
    assert {(one, other) for one, others in ALLOWED_STATUS_EDITS.items() for other in others} == {
        (EventStatus.DRAFT, EventStatus.PENDING),
        (EventStatus.PENDING, EventStatus.DRAFT),
        *((one, other) for one in ACTIVE_STATUSES for other in ACTIVE_STATUSES if one != other),
    }
    assert set(ALLOWED_STATUS_EDITS) == set(EventStatus)
    assert set(PUBLIC_STATUSES) == set(EventStatus) - {EventStatus.DRAFT, EventStatus.PENDING}
