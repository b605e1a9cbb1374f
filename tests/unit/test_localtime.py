"""Local times, time zones and instants."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.kit import localtime
from eventcal.kit.localtime import (
    SkippedTime,
    day_end,
    day_start,
    format_local,
    format_utc,
    format_with_offset,
    get_zone,
    is_known_zone,
    local_to_utc_lenient,
    local_to_utc_strict,
    parse_call_time,
    parse_local,
)

FIRST_TIME, LAST_TIME = datetime(1970, 1, 1), datetime(2199, 12, 31, 23, 59, 59)  # noqa: DTZ001 - local times have no zone
ZONES = st.sampled_from(sorted(localtime._zone_names()))
LOCAL_TIMES = st.datetimes(FIRST_TIME, LAST_TIME).map(lambda parse_naive: parse_naive.replace(microsecond=0))
DAYS = st.dates(FIRST_TIME.date(), LAST_TIME.date())


def parse_naive(text: str) -> datetime:
    """Return the naive time of `2014-06-04T13:30`."""
    value = parse_local(text)
    assert isinstance(value, datetime)
    return value


def parse_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local_time_error(text: str) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_local(text)
    return str(caught.value)


def call_time_error(text: str, *, anywhere_on_earth: bool) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_call_time(text, "Europe/Berlin", anywhere_on_earth=anywhere_on_earth)
    return str(caught.value)


@pytest.mark.parametrize("name", ["Europe/Berlin", "US/Eastern", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"])
def test_zone_names_and_aliases_are_known(name: str) -> None:
    assert is_known_zone(name)
    assert get_zone(name).key == name
    assert get_zone(name) is get_zone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "europe/berlin",
        "Europe/Berlin ",
        "Factory",
        "localtime",
        "posix/UTC",
        "right/UTC",
        "Europe",
        "../zones",
        "/etc/localtime",
        "CEST",
        "\ud800",
        "Europe/Berlin\n",
    ],
)
def test_unknown_zone_is_rejected_with_an_example(name: str) -> None:
    assert not is_known_zone(name)
    with pytest.raises(ValueError, match="is not a time zone; use an IANA name such as Europe/Berlin") as caught:
        get_zone(name)
    assert str(caught.value).isascii()


def test_every_known_zone_can_be_loaded() -> None:
    assert [name for name in localtime._zone_names() if get_zone(name).key != name] == []


def test_parse_local_distinguishes_dates_from_times() -> None:
    assert parse_local("2014-08-18") == date(2014, 8, 18)
    assert type(parse_local("2014-08-18")) is date
    assert [format_local(parse_local(text)) for text in ("2014-06-04T13:30", "2014-06-04T13:30:05")] == [
        "2014-06-04T13:30:00",
        "2014-06-04T13:30:05",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2014-8-18",
        "2014-08-18 10:00",
        "2014-08-18t10:00",
        "2014-08-18T10",
        "20140818",
        "2014-W34-1",
        "2014-08-18T10:00:00.5",
        " 2014-08-18",
        "2014-08-18\n",
        "\uff12\uff10\uff11\uff14-08-18",
        "\ud800",
    ],
)
def test_malformed_local_time_error_names_both_accepted_formats(text: str) -> None:
    assert local_time_error(text) == (
        f"{text!a} is neither a date (2014-08-18) nor a local date-time (2014-06-04T13:30:00)"
    )


@pytest.mark.parametrize("text", ["2014-06-04T13:30:00Z", "2014-06-04T13:30+02:00", "2014-06-04T13:30:00.000-04:00"])
def test_local_time_with_offset_is_rejected_with_advice(text: str) -> None:
    assert local_time_error(text) == (
        f"{text!a} has an offset; use the local time without an offset, such as 2014-06-04T13:30:00"
    )


def test_nonexistent_date_or_time_is_rejected() -> None:
    assert local_time_error("2014-02-30") == "'2014-02-30' is not a valid date or time"
    assert local_time_error("2014-02-03T24:00") == "'2014-02-03T24:00' is not a valid date or time"


@pytest.mark.parametrize("text", ["0000-01-01", "1969-12-31", "2200-01-01T00:00", "9999-12-31"])
def test_year_out_of_range_is_rejected(text: str) -> None:
    assert local_time_error(text) == f"the year {text[:4]} is out of range; use a year from 1970 to 2199"


def test_long_text_is_shortened_in_the_error() -> None:
    assert len(local_time_error("x" * 100_000)) < 200


@settings(deadline=None, max_examples=100)
@given(st.one_of(DAYS, LOCAL_TIMES))
def test_formatted_local_time_round_trips(value: date | datetime) -> None:
    assert parse_local(format_local(value)) == value


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(st.text(st.characters(codec=None)), st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}\Z"))
)
def test_arbitrary_text_is_parsed_or_rejected(text: str) -> None:
    try:
        parse_call_time(text, "America/New_York", anywhere_on_earth=False)
    except ValueError as fault:
        assert str(fault).isascii()  # noqa: PT017 - only rejected texts have an error


@pytest.mark.parametrize(
    ("text", "tzid", "instant"),
    [
        ("2014-06-04T13:30", "America/New_York", "2014-06-04T17:30"),
        ("2014-01-04T13:30", "America/New_York", "2014-01-04T18:30"),
        ("2014-08-18T09:00", "Asia/Kolkata", "2014-08-18T03:30"),
        ("2199-07-01T12:00", "Europe/Berlin", "2199-07-01T10:00"),
        ("1970-01-01T00:00", "UTC", "1970-01-01T00:00"),
    ],
)
def test_local_time_converts_to_an_instant(text: str, tzid: str, instant: str) -> None:
    assert local_to_utc_strict(parse_naive(text), tzid) == parse_utc(instant)


def test_repeated_time_converts_to_its_first_occurrence() -> None:
    first = parse_utc("2014-11-02T05:30")
    assert local_to_utc_strict(parse_naive("2014-11-02T01:30"), "America/New_York") == first
    assert local_to_utc_strict(parse_naive("2014-11-02T01:30").replace(fold=1), "America/New_York") == first


@pytest.mark.parametrize(
    ("text", "tzid", "following"),
    [
        ("2014-03-09T02:00:00", "America/New_York", "2014-03-09T03:00:00"),
        ("2014-03-09T02:59:59", "America/New_York", "2014-03-09T03:00:00"),
        ("2100-03-28T02:30:00", "Europe/Berlin", "2100-03-28T03:00:00"),
        ("2014-10-05T02:15:00", "Australia/Lord_Howe", "2014-10-05T02:30:00"),
        ("2018-11-04T00:00:00", "America/Sao_Paulo", "2018-11-04T01:00:00"),
        ("2011-12-30T12:00:00", "Pacific/Apia", "2011-12-31T00:00:00"),
        ("1972-01-07T00:30:00", "Africa/Monrovia", "1972-01-07T00:44:30"),
    ],
)
def test_skipped_time_is_rejected_with_the_next_valid_time(text: str, tzid: str, following: str) -> None:
    with pytest.raises(SkippedTime) as caught:
        local_to_utc_strict(parse_naive(text), tzid)
    assert str(caught.value) == (
        f"{text} does not exist in {tzid} because of a clock change; the next valid time is {following}"
    )
    assert caught.value.next_valid == parse_naive(following)


def test_seconds_around_a_gap_are_valid() -> None:
    assert local_to_utc_strict(parse_naive("2014-03-09T01:59:59"), "America/New_York") == parse_utc(
        "2014-03-09T06:59:59"
    )
    assert local_to_utc_strict(parse_naive("2014-03-09T03:00:00"), "America/New_York") == parse_utc(
        "2014-03-09T07:00:00"
    )


def test_local_to_utc_uses_the_offset_before_the_gap_for_a_skipped_time() -> None:
    assert local_to_utc_lenient(parse_naive("2014-03-09T02:30:00"), "America/New_York") == parse_utc(
        "2014-03-09T07:30:00"
    )


def test_local_to_utc_respects_the_fold_of_a_repeated_time() -> None:
    twice = parse_naive("2014-11-02T01:30")
    assert local_to_utc_lenient(twice, "America/New_York") == parse_utc("2014-11-02T05:30")
    assert local_to_utc_lenient(twice.replace(fold=1), "America/New_York") == parse_utc("2014-11-02T06:30")


def test_aware_time_is_rejected_as_local_time() -> None:
    with pytest.raises(ValueError, match="has an offset, but a local time has none"):
        local_to_utc_strict(parse_utc("2014-06-04T13:30"), "UTC")
    with pytest.raises(ValueError, match="has an offset, but a local time has none"):
        format_local(parse_utc("2014-06-04T13:30"))


def test_instant_with_year_out_of_range_is_rejected() -> None:
    with pytest.raises(ValueError, match="the year 9999 is out of range"):
        local_to_utc_strict(FIRST_TIME.replace(year=9999), "Etc/GMT+12")
    with pytest.raises(ValueError, match="the year 0001 is out of range"):
        day_start(date.min, "Pacific/Kiritimati")
    with pytest.raises(ValueError, match="the year 9999 is out of range"):
        day_end(date.max, "UTC")


@settings(deadline=None, max_examples=300)
@given(LOCAL_TIMES, ZONES)
def test_instant_converts_back_to_the_same_local_time(written: datetime, tzid: str) -> None:
    try:
        instant = local_to_utc_strict(written, tzid)
    except SkippedTime as skipped:
        assert skipped.next_valid > written  # noqa: PT017 - only skipped times have a next valid time
        instant, written = local_to_utc_strict(skipped.next_valid, tzid), skipped.next_valid
    assert instant.tzinfo is UTC
    assert instant.astimezone(get_zone(tzid)).replace(tzinfo=None) == written


@pytest.mark.parametrize(
    ("day", "tzid", "start", "end"),
    [
        ("2014-08-18", "America/Chicago", "2014-08-18T05:00", "2014-08-19T05:00"),
        ("2014-03-09", "America/Chicago", "2014-03-09T06:00", "2014-03-10T05:00"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("2018-11-03", "America/Sao_Paulo", "2018-11-03T03:00", "2018-11-04T03:00"),
        # The clocks went back from 00:01 to 23:01, so the day began twice.
        ("2010-11-07", "America/St_Johns", "2010-11-07T02:30", "2010-11-08T03:30"),
        # Samoa crossed the date line and skipped this day.
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00"),
        ("2199-12-31", "America/New_York", "2199-12-31T05:00", "2200-01-01T05:00"),
        ("1970-01-01", "Asia/Tokyo", "1969-12-31T15:00", "1970-01-01T15:00"),
    ],
)
def test_day_runs_from_its_first_instant_to_that_of_the_next_day(day: str, tzid: str, start: str, end: str) -> None:
    that = date.fromisoformat(day)
    assert (day_start(that, tzid), day_end(that, tzid)) == (parse_utc(start), parse_utc(end))


@settings(deadline=None, max_examples=200)
@given(DAYS, ZONES)
def test_consecutive_days_leave_no_gap(day: date, tzid: str) -> None:
    start, end = day_start(day, tzid), day_end(day, tzid)
    assert timedelta() <= end - start <= timedelta(hours=26)
    if start < end:
        assert start.astimezone(get_zone(tzid)).date() == day
        assert (start - timedelta(seconds=1)).astimezone(get_zone(tzid)).date() < day


@pytest.mark.parametrize(
    ("instant", "tzid", "text"),
    [
        ("2014-06-04T17:30", "America/New_York", "2014-06-04T13:30:00-04:00"),
        ("2014-06-04T17:30:05.999", "Asia/Kathmandu", "2014-06-04T23:15:05+05:45"),
        ("2014-06-04T17:30", "UTC", "2014-06-04T17:30:00+00:00"),
        # Liberia was 44 minutes and 30 seconds behind UTC, but an RFC 3339 offset has no seconds.
        ("1971-01-01T00:00", "Africa/Monrovia", "1970-12-31T23:16:00-00:44"),
    ],
)
def test_instant_is_formatted_with_the_offset_of_its_zone(instant: str, tzid: str, text: str) -> None:
    assert format_with_offset(parse_utc(instant), tzid) == text


@given(
    instant=st.datetimes(
        FIRST_TIME, LAST_TIME, timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
    )
)
def test_instant_is_formatted_in_utc_to_the_second(instant: datetime) -> None:
    text = format_utc(instant)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert datetime.fromisoformat(text) == instant.replace(microsecond=0)


def test_with_offset_rejects_a_naive_time() -> None:
    with pytest.raises(ValueError, match="has no offset, so it is no instant"):
        format_with_offset(parse_naive("2014-06-04T13:30"), "UTC")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2014-05-02T23:59", "2014-05-02T21:59"),
        ("2014-05-02T23:59:30", "2014-05-02T21:59:30"),
        ("2014-05-02T23:59:00Z", "2014-05-02T23:59"),
        ("2014-05-02t23:59:00.5z", "2014-05-02T23:59"),
        ("2014-05-02T23:59-12:00", "2014-05-03T11:59"),
        ("2014-05-02T23:59:00-00:00", "2014-05-02T23:59"),
        ("2014-05-02T23:59:00.123456789+05:30", "2014-05-02T18:29"),
    ],
)
def test_parse_moment_accepts_a_local_time_or_a_time_with_offset(text: str, instant: str) -> None:
    assert parse_call_time(text, "Europe/Berlin", anywhere_on_earth=False) == parse_utc(instant)


def test_date_anywhere_on_earth_ends_with_the_day_at_utc_minus_12() -> None:
    assert parse_call_time("2014-05-02", "Asia/Tokyo", anywhere_on_earth=True) == parse_utc("2014-05-03T12:00")
    assert parse_call_time("2199-12-31", "Asia/Tokyo", anywhere_on_earth=True) == parse_utc("2200-01-01T12:00")


def test_parsed_moment_is_in_utc_and_round_trips() -> None:
    moment = parse_call_time("2014-05-02T23:59:00+03:00", "Europe/Berlin", anywhere_on_earth=False)
    assert moment.tzinfo is UTC
    assert parse_call_time(format_with_offset(moment, "America/Lima"), "UTC", anywhere_on_earth=False) == moment
    assert moment == datetime(2014, 5, 2, 23, 59, tzinfo=timezone(timedelta(hours=3)))


def test_date_without_time_is_rejected_as_a_moment() -> None:
    assert call_time_error("2014-05-02", anywhere_on_earth=False) == (
        "2014-05-02 has no time of day; add one (2014-05-02T23:59:00), or set `anywhere_on_earth` to true for the "
        "end of the day at UTC-12"
    )


@pytest.mark.parametrize("text", ["2014-05-02T23:59", "2014-05-02T23:59:00Z", "soon"])
def test_anywhere_on_earth_requires_a_date(text: str) -> None:
    assert call_time_error(text, anywhere_on_earth=True) == (
        f"{text!a} is not a date, which `anywhere_on_earth` requires; "
        "use a date such as 2014-05-02, or omit `anywhere_on_earth`"
    )


@pytest.mark.parametrize(
    "text", ["soon", "", "2014-05-02T23:59+24:00", "2014-05-02T23:59 +02:00", "2014-05-02T23:59+0200"]
)
def test_invalid_datetime_error_names_both_accepted_formats(text: str) -> None:
    assert call_time_error(text, anywhere_on_earth=False) == (
        f"{text!a} is not a date-time; use a local time in Europe/Berlin (2014-05-02T23:59:00) "
        "or a time with an offset (2014-05-02T23:59:00+02:00)"
    )


def test_skipped_moment_is_rejected() -> None:
    with pytest.raises(SkippedTime, match="2014-03-30T02:30:00 does not exist in Europe/Berlin"):
        parse_call_time("2014-03-30T02:30", "Europe/Berlin", anywhere_on_earth=False)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2200-01-01T00:00:00+14:00", "0001-01-01T00:00:00+23:59"])
def test_moment_out_of_range_is_rejected(text: str) -> None:
    assert call_time_error(text, anywhere_on_earth=False) == (
        f"the year {text[:4]} is out of range; use a year from 1970 to 2199"
    )
