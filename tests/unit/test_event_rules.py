"""What fits together in an event, and when one takes talks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.events.models import CallForTalks, Event
from eventcal.events.rules import (
    STATUS_STEPS,
    TOMBSTONE,
    call_moment,
    event_faults,
    instant,
    is_all_day,
    is_over,
    span_of,
    takes_talks,
    time_faults,
    tombstone_until,
)
from eventcal.events.words import PUBLIC_STATUSES, STANDING_STATUSES, EventStatus, Programme
from eventcal.kit.refusals import Fault
from tests.clocks import NOON

SECOND = timedelta(seconds=1)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - given one


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def an_event(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"timezone": "Europe/Berlin", "starts": "2026-06-10", "ends": "2026-06-12", **fields}


def faults(**fields: Any) -> list[Fault]:  # noqa: ANN401 - any field
    return event_faults(an_event(**fields))


# When an event is


def test_a_range_of_days_begins_at_local_midnight_and_holds_its_last_day() -> None:
    assert span_of("2026-06-10", "2026-06-12", "Europe/Berlin") == (utc("2026-06-09T22:00"), utc("2026-06-12T22:00"))


def test_a_day_on_which_the_clocks_change_has_23_hours() -> None:
    starts_at, ends_at = span_of("2026-03-29", "2026-03-29", "Europe/Berlin")
    assert ends_at - starts_at == timedelta(hours=23)


def test_times_are_those_of_the_zone() -> None:
    assert span_of("2026-06-10T23:30:00", "2026-06-11T01:00:00", "America/Chicago") == (
        utc("2026-06-11T04:30"),
        utc("2026-06-11T06:00"),
    )


def test_a_time_that_newer_rules_skip_begins_when_the_gap_ends() -> None:
    skipped = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 - a local time
    assert instant(skipped, "Europe/Berlin") == utc("2026-03-29T01:00")


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - a local time
    assert instant(twice, "Europe/Berlin") == utc("2026-10-25T00:30")


def test_a_date_is_all_day_and_a_time_is_not() -> None:
    assert (is_all_day("2026-06-10"), is_all_day("2026-06-10T09:00:00")) == (True, False)


# What fits together


def test_an_event_of_days_and_one_of_times_are_faultless() -> None:
    assert faults() == []
    assert faults(starts="2026-06-10T09:00:00", ends="2026-06-10T17:00") == []


def test_one_day_is_enough_for_an_event() -> None:
    assert faults(ends="2026-06-10") == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"ends": "2026-06-09"}, [Fault("/ends", "must not be before starts; the last day counts")]),
        (
            {"starts": "2026-06-10T09:00:00", "ends": "2026-06-10T09:00:00"},
            [Fault("/ends", "must be later than starts")],
        ),
        (
            {"starts": "2026-06-10T09:00:00"},
            [Fault("/ends", "must be a time, as starts is")],
        ),
        (
            {"timezone": "Mars/Olympus", "starts": "never"},
            [Fault("/timezone", "'Mars/Olympus' is no IANA time zone; write one like Europe/London or UTC")],
        ),
        ({"latitude": 50.1}, [Fault("/location", "latitude and longitude belong together; give both or neither")]),
        (
            {"price_currency": "EUR"},
            [Fault("/registration/price", "a price is an amount and a currency; give both or null")],
        ),
    ],
)
def test_what_does_not_fit_together_is_named_with_a_way_out(fields: dict[str, Any], found: list[Fault]) -> None:
    assert faults(**fields) == found


def test_every_fault_is_named_at_once() -> None:
    found = faults(latitude=1.0, price_amount="5", starts="soon", ends="2026-02-30", call_for_talks={"opens_at": "x"})
    assert [fault.pointer for fault in found] == [
        "/location",
        "/registration/price",
        "/starts",
        "/ends",
        "/call_for_talks/opens_at",
    ]


def test_a_time_that_the_zone_skips_is_refused_with_the_next_one() -> None:
    assert time_faults("2026-03-29T02:30:00", "2026-03-29T05:00:00", "Europe/Berlin") == [
        Fault(
            "/starts",
            "2026-03-29T02:30:00 does not exist in Europe/Berlin: the clocks skip it; "
            "the next time there is 2026-03-29T03:00:00",
        )
    ]


def test_order_is_that_of_instants_not_of_texts() -> None:
    # The first 02:30 of the two is meant, so 02:10 is before it, and 03:00 comes 90 minutes later.
    assert time_faults("2026-10-25T02:30:00", "2026-10-25T03:00:00", "Europe/Berlin") == []
    assert [fault.pointer for fault in time_faults("2026-10-25T02:30:00", "2026-10-25T02:10:00", "Europe/Berlin")] == [
        "/ends"
    ]


def test_what_is_not_given_has_no_fault() -> None:
    assert time_faults(None, None, "UTC") == []
    assert time_faults("2026-06-10T09:00:00", None, "UTC") == []


USUAL = "must be an RRULE such as FREQ=MONTHLY;BYDAY=1TU, daily at the most often"


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
def test_a_recurrence_is_one_rule(rule: str) -> None:
    assert faults(recurrence=rule) == []


@pytest.mark.parametrize(
    ("rule", "detail"),
    [
        ("every Tuesday", USUAL),
        ("FREQ=DAILY;FREQ=DAILY", USUAL),
        ("FREQ=HOURLY", f"cannot be taken for its FREQ; it {USUAL}"),
        ("RRULE:FREQ=DAILY", USUAL),
        ("FREQ=DAILY;", f"cannot be taken for its empty part; it {USUAL}"),
        ("FREQ=DAILY;COUNT=3\nEXDATE:20260611", f"cannot be taken for its COUNT; it {USUAL}"),
        ("FREQ=DAILY;COUNT=3 EXDATE:20260611", f"cannot be taken for its COUNT; it {USUAL}"),
        ("FREQ=DAILY;BYHOUR=9,10", f"cannot be taken for its BYHOUR; it {USUAL}"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261231", "ends by COUNT or by UNTIL, not by both"),
        ("FREQ=DAILY;UNTIL=20260609", "UNTIL lies before starts"),
        ("FREQ=DAILY;INTERVAL=0;COUNT=-1", f"cannot be taken for its INTERVAL, COUNT; it {USUAL}"),
        ("FREQ=WEEKLY;BYDAY=XX", f"cannot be taken for its BYDAY; it {USUAL}"),
        ("FREQ=WEEKLY;UNTIL=NEVER", f"cannot be taken for its UNTIL; it {USUAL}"),
        ("FREQ=YEARLY;BYEASTER=0", f"cannot be taken for its BYEASTER; it {USUAL}"),
        ("FREQ=YEARLY;BYMONTH=13", f"cannot be taken for its BYMONTH; it {USUAL}"),
        ("FREQ=YEARLY;BYMONTH=+1", f"cannot be taken for its BYMONTH; it {USUAL}"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", f"cannot be taken for its BYMONTHDAY; it {USUAL}"),
        ("FREQ=YEARLY;BYWEEKNO=60", f"cannot be taken for its BYWEEKNO; it {USUAL}"),
        ("FREQ=YEARLY;BYYEARDAY=500", f"cannot be taken for its BYYEARDAY; it {USUAL}"),
        ("FREQ=DAILY;UNTIL=20261399", f"cannot be taken for its UNTIL; it {USUAL}"),
        ("FREQ=DAILY;UNTIL=20261231T250000Z", f"cannot be taken for its UNTIL; it {USUAL}"),
        ("FREQ=DAILY;UNTIL=99991231", f"cannot be taken for its UNTIL; it {USUAL}"),
        ("FREQ=WEEKLY;BYMONTHDAY=10", "BYMONTHDAY does not go with FREQ=WEEKLY (RFC 5545, 3.3.10)"),
        ("FREQ=MONTHLY;BYYEARDAY=161", "BYYEARDAY does not go with FREQ=MONTHLY (RFC 5545, 3.3.10)"),
        ("FREQ=MONTHLY;BYWEEKNO=24;BYDAY=WE", "BYWEEKNO does not go with FREQ=MONTHLY (RFC 5545, 3.3.10)"),
        (
            "FREQ=MONTHLY;BYSETPOS=1",
            "BYSETPOS chooses among the days of another BY part; there is none (RFC 5545, 3.3.10)",
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=24",
            "BYWEEKNO needs a BYDAY beside it: programs disagree on the days of those weeks (RFC 5545, 3.3.10)",
        ),
        *(
            (
                rule,
                (
                    "BYDAY has numbers, such as 1TU, only with FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO "
                    "(RFC 5545, 3.3.10)"
                ),
            )
            for rule in ("FREQ=WEEKLY;BYDAY=1WE", "FREQ=DAILY;BYDAY=MO,-1WE", "FREQ=YEARLY;BYWEEKNO=24;BYDAY=1WE")
        ),
        *(
            (rule, "no month has more than 5 of a weekday, as BYDAY asks for (RFC 5545, 3.3.10)")
            for rule in ("FREQ=MONTHLY;BYDAY=6WE", "FREQ=YEARLY;BYMONTH=6;BYDAY=2WE,-53WE")
        ),
    ],
)
def test_anything_else_is_no_recurrence(rule: str, detail: str) -> None:
    assert faults(recurrence=rule) == [Fault("/recurrence", detail)]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        (
            {"recurrence": "FREQ=MONTHLY;BYDAY=1TU"},
            "comes true on 2026-07-07 for the first time, and the event starts on 2026-06-10; let both be the same",
        ),
        (
            {
                "recurrence": "FREQ=WEEKLY;BYDAY=FR",
                "starts": "2026-06-10T16:00:00",
                "ends": "2026-06-10T17:00:00",
            },
            (
                "comes true on 2026-06-12T16:00:00 for the first time, and the event starts on 2026-06-10T16:00:00; "
                "let both be the same"
            ),
        ),
        (
            {"recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"},
            "never comes true; change it",
        ),
        (
            # In Berlin the hour of UNTIL is not over in UTC.
            {
                "recurrence": "FREQ=DAILY;UNTIL=20260610T135959Z",
                "starts": "2026-06-10T16:00:00",
                "ends": "2026-06-10T17:00:00",
            },
            "has no date before it ends; let it end later",
        ),
    ],
)
def test_a_recurrence_begins_with_the_event(fields: dict[str, str], detail: str) -> None:
    assert faults(**fields) == [Fault("/recurrence", detail)]


@given(st.text(max_size=60))
def test_any_text_as_a_recurrence_gives_a_fault_and_no_failure(rule: str) -> None:
    found = faults(recurrence=rule)
    assert [fault.pointer for fault in found] in ([], ["/recurrence"])


# The call's window


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ({"opens_at": "2026-03-01T09:00:00", "closes_at": "2026-04-01T09:00:00+02:00"}, []),
        ({"closes_at": "2026-04-01", "anywhere_on_earth": True}, []),
        ({"opens_at": "2026-03-01T09:00:00", "closes_at": "2026-04-01", "anywhere_on_earth": True}, []),
        (
            {"opens_at": "2026-04-01T09:00:00", "closes_at": "2026-04-01T09:00:00"},
            [Fault("/call_for_talks/closes_at", "must be later than opens_at")],
        ),
        (
            {"closes_at": "2026-04-01T09:00:00", "anywhere_on_earth": True},
            [Fault("/call_for_talks/anywhere_on_earth", "goes with a closes_at that is a date")],
        ),
        (
            {"anywhere_on_earth": True},
            [Fault("/call_for_talks/anywhere_on_earth", "goes with a closes_at that is a date")],
        ),
        (
            {"closes_at": "2026-03-29T02:30:00"},
            [
                Fault(
                    "/call_for_talks/closes_at",
                    "2026-03-29T02:30:00 does not exist in Europe/Berlin: the clocks skip it; "
                    "the next time there is 2026-03-29T03:00:00",
                )
            ],
        ),
    ],
)
def test_a_call_opens_before_it_closes(call: dict[str, Any], found: list[Fault]) -> None:
    assert faults(call_for_talks=call) == found


def test_a_date_without_a_time_is_no_deadline_of_a_zone() -> None:
    assert [fault.pointer for fault in faults(call_for_talks={"closes_at": "2026-04-01"})] == [
        "/call_for_talks/closes_at"
    ]


@pytest.mark.parametrize(
    ("written", "tzid", "moment"),
    [
        ({"closes_at": None}, "Europe/Berlin", None),
        ({"closes_at": "2026-05-02T23:59:00"}, "America/Chicago", utc("2026-05-03T04:59")),
        ({"closes_at": "2026-05-02T23:59:00+02:00"}, "America/Chicago", utc("2026-05-02T21:59")),
        ({"closes_at": "2026-05-02", "anywhere_on_earth": True}, "Asia/Tokyo", utc("2026-05-03T12:00")),
        ({"closes_at": "2026-03-28T23:59:59"}, "Europe/Berlin", utc("2026-03-28T22:59:59")),
        ({"closes_at": "2026-03-29T23:59:59"}, "Europe/Berlin", utc("2026-03-29T21:59:59")),
        # Both of them are a quarter past two; the first is meant.
        ({"closes_at": "2026-10-25T02:15:00"}, "Europe/Berlin", utc("2026-10-25T00:15")),
    ],
)
def test_a_deadline_is_an_instant(written: dict[str, Any], tzid: str, moment: datetime | None) -> None:
    assert call_moment(written, "closes_at", tzid) == moment


STARTS = utc("2026-06-01T00:00")


def takes(programme: Programme, call: CallForTalks | None, *, starts_at: datetime, now: datetime) -> bool:
    """Say whether a confirmed event that is not over takes talks."""
    event = Event(programme=programme, call=call, starts_at=starts_at, status=EventStatus.CONFIRMED)
    return takes_talks(event, now=now)


def test_without_a_call_a_listed_event_takes_talks_and_a_curated_one_takes_none() -> None:
    took = {programme: takes(programme, None, starts_at=STARTS, now=NOON) for programme in Programme}
    assert took == {Programme.LISTED: True, Programme.CURATED: False}


@pytest.mark.parametrize("programme", Programme)
def test_a_deadline_is_a_deadline(programme: Programme) -> None:
    window = CallForTalks(opens_at=None, closes_at=NOON)
    took = [
        takes(programme, window, starts_at=STARTS, now=moment)
        for moment in (NOON - SECOND, NOON, NOON + SECOND - timedelta(microseconds=1), NOON + SECOND)
    ]
    assert took == [True, True, True, False]


@pytest.mark.parametrize("programme", Programme)
def test_a_call_opens_on_its_second(programme: Programme) -> None:
    window = CallForTalks(opens_at=NOON, closes_at=None)
    took = [takes(programme, window, starts_at=STARTS, now=moment) for moment in (NOON - SECOND, NOON)]
    assert took == [False, True]


def test_a_call_without_an_end_ends_when_the_event_begins() -> None:
    window = CallForTalks(opens_at=None, closes_at=None)
    took = [takes(Programme.CURATED, window, starts_at=NOON, now=now) for now in (NOON - SECOND, NOON)]
    assert took == [True, False]


def test_a_call_may_stay_open_while_the_event_is_on() -> None:
    window = CallForTalks(opens_at=None, closes_at=NOON + SECOND)
    assert takes(Programme.CURATED, window, starts_at=NOON - SECOND, now=NOON) is True


@given(opens=MOMENTS, closes=MOMENTS, now=MOMENTS)
def test_talks_are_taken_exactly_inside_the_window(opens: datetime, closes: datetime, now: datetime) -> None:
    closes = closes.replace(microsecond=0)
    window = CallForTalks(opens_at=opens, closes_at=closes)
    inside = opens <= now < closes + SECOND
    assert takes(Programme.CURATED, window, starts_at=STARTS, now=now) is inside


# The end, and after it


def test_an_event_is_over_at_its_end_and_not_before() -> None:
    assert [is_over(NOON, now=now) for now in (NOON - SECOND, NOON)] == [False, True]


def test_what_recurs_for_ever_is_never_over() -> None:
    assert is_over(None, now=NOON + timedelta(days=9999)) is False


@given(ends_at=MOMENTS, now=MOMENTS)
def test_what_was_called_off_stays_on_show_for_thirty_days_after_its_end_and_after_the_news(
    ends_at: datetime, now: datetime
) -> None:
    until = tombstone_until(ends_at, now=now)
    assert until in {ends_at + TOMBSTONE, now + TOMBSTONE}
    assert until >= ends_at + TOMBSTONE
    assert until >= now + TOMBSTONE


def test_an_edit_never_makes_an_event_public_nor_cancels_one() -> None:
    assert {(one, other) for one, others in STATUS_STEPS.items() for other in others} == {
        (EventStatus.DRAFT, EventStatus.PENDING),
        (EventStatus.PENDING, EventStatus.DRAFT),
        *((one, other) for one in STANDING_STATUSES for other in STANDING_STATUSES if one != other),
    }
    assert set(STATUS_STEPS) == set(EventStatus)
    assert set(PUBLIC_STATUSES) == set(EventStatus) - {EventStatus.DRAFT, EventStatus.PENDING}
