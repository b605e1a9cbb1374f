from datetime import UTC, date, datetime, timedelta
from struct import pack

import pytest

from eventcal.feeds.formats.ics import serialize_component
from eventcal.feeds.zones.component import zone_component
from eventcal.feeds.zones.posix import (
    DayOnset,
    LocalTime,
    OffsetChange,
    PosixRule,
    Span,
    WeekdayOnset,
    YearlyChange,
    YearlyOnset,
    offsets_within,
    parse_tz_string,
)
from eventcal.feeds.zones.tzif import parse_tzif

HOUR_SECONDS = 3_600


def onset_without_leap_day(day: int, seconds: int) -> DayOnset:
    """Return the onset that POSIX writes as J followed by the day."""
    return DayOnset(seconds, day - 1, counts_leap_day=False)


def onset_with_leap_day(days: int, seconds: int) -> DayOnset:
    """Return the onset that POSIX writes as a number of days."""
    return DayOnset(seconds, days, counts_leap_day=True)


CET, CEST = LocalTime(HOUR_SECONDS, "CET"), LocalTime(2 * HOUR_SECONDS, "CEST")


def test_parse_rule_reads_names_and_counts_offsets_east_of_utc() -> None:
    assert parse_tz_string("CET-1CEST,M3.5.0,M10.5.0/3") == PosixRule(
        CET,
        (
            YearlyChange(WeekdayOnset(3 * HOUR_SECONDS, 10, 5, 0), CEST, CET),
            YearlyChange(WeekdayOnset(2 * HOUR_SECONDS, 3, 5, 0), CET, CEST),
        ),
    )
    assert parse_tz_string("<-0330>+3:30:15") == PosixRule(LocalTime(-12_615, "-0330"))


def test_parse_rule_reads_day_numbers_and_hours_outside_the_day() -> None:
    standard, summer = LocalTime(-3 * HOUR_SECONDS, "-03"), LocalTime(-HOUR_SECONDS, "-01")
    assert parse_tz_string("<-03>3<-01>1,J60/-1:30,365/26") == PosixRule(
        standard,
        (
            YearlyChange(onset_with_leap_day(365, 26 * HOUR_SECONDS), summer, standard),
            YearlyChange(onset_without_leap_day(60, -5_400), standard, summer),
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CET",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.0,M13.5.0",
        ":UTC",
        "C ET-1",
    ],
)
def test_invalid_rule_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_tz_string(text)


def test_onset_falls_on_the_day_defined_by_posix() -> None:
    def days(onset: YearlyOnset) -> list[str]:
        clock = datetime(1970, 1, 1, tzinfo=UTC)
        return [f"{clock + timedelta(seconds=onset.local_seconds(year)):%m-%d %H:%M}" for year in (2023, 2024)]

    assert days(WeekdayOnset(0, 2, 5, 4)) == ["02-23 00:00", "02-29 00:00"]
    assert days(WeekdayOnset(2 * HOUR_SECONDS, 10, 1, 0)) == ["10-01 02:00", "10-06 02:00"]
    assert days(WeekdayOnset(24 * HOUR_SECONDS, 9, 1, 6)) == ["09-03 00:00", "09-08 00:00"]
    assert days(onset_without_leap_day(59, 0)) == ["02-28 00:00", "02-28 00:00"]
    assert days(onset_without_leap_day(60, 0)) == ["03-01 00:00", "03-01 00:00"]
    assert days(onset_with_leap_day(59, -HOUR_SECONDS)) == ["02-28 23:00", "02-28 23:00"]
    assert days(onset_with_leap_day(60, 0)) == ["03-02 00:00", "03-01 00:00"]


def test_hours_outside_the_day_shift_the_weekday() -> None:
    assert WeekdayOnset(49 * HOUR_SECONDS, 10, 5, 6).with_hour_in_day() == WeekdayOnset(HOUR_SECONDS, 10, 5, 1)
    assert WeekdayOnset(-HOUR_SECONDS, 3, 5, 0).with_hour_in_day() == WeekdayOnset(23 * HOUR_SECONDS, 3, 5, 6)


def test_summer_time_without_a_gap_lasts_all_year() -> None:
    # The example of RFC 9636 section 3.3.1.
    span = Span.covering_days(date(2023, 6, 1), date(2030, 1, 1))
    line = offsets_within(parse_tz_string("XXX3EDT4,0/0,J365/23").changes_in_years(span.years), span)
    assert line == [OffsetChange(span.start, LocalTime(-4 * HOUR_SECONDS, "EDT"))]


def make_tzif(*, version: bytes = b"2", footer: bytes = b"") -> bytes:
    """Return the file of a zone that changed from UTC+00:17:30 to UTC+01:00 on 2 January 1970."""
    header = pack(">4sc15x6L", b"TZif", version, 0, 0, 0, 1, 2, 8)
    kinds = pack(">lBBlBB", 1_050, 0, 0, HOUR_SECONDS, 0, 4) + b"LMT\0CET\0"
    old, new = pack(">lB", 86_400, 1), pack(">qB", 86_400, 1)
    return header + old + kinds + header + new + kinds + b"\n" + footer + b"\n"


def test_rule_applies_after_the_last_recorded_change() -> None:
    span = Span.covering_days(date(1970, 1, 1), date(1970, 6, 1))
    line = parse_tzif(make_tzif(footer=b"CET-1CEST,M3.5.0,M10.5.0/3")).offsets_within(span)
    assert line == [
        OffsetChange(span.start, LocalTime(1_050, "LMT")),
        OffsetChange(86_400, CET),
        OffsetChange(87 * 86_400 + HOUR_SECONDS, CEST),
    ]


def test_file_without_a_rule_keeps_its_last_local_time() -> None:
    span = Span.covering_days(date(2020, 1, 1), date(2030, 1, 1))
    assert parse_tzif(make_tzif()).offsets_within(span) == [OffsetChange(span.start, CET)]


def test_rule_of_fixed_dates_lists_each_onset() -> None:
    zone = parse_tzif(make_tzif(footer=b"CET-1CEST,J90,J300/3"))
    component = zone_component("Made/Up", zone, Span.covering_days(date(2024, 2, 1), date(2024, 9, 1)))
    assert serialize_component(component).splitlines() == [
        "BEGIN:VTIMEZONE",
        "TZID:Made/Up",
        "BEGIN:STANDARD",
        "DTSTART:20231027T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "TZNAME:CET",
        "END:STANDARD",
        "BEGIN:DAYLIGHT",
        "DTSTART:20240331T020000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "TZNAME:CEST",
        "END:DAYLIGHT",
        "END:VTIMEZONE",
    ]


@pytest.mark.parametrize("data", [make_tzif(version=b"\0"), make_tzif().replace(b"TZif", b"TZxx")])
def test_file_of_another_format_or_version_1_is_rejected(data: bytes) -> None:
    with pytest.raises(ValueError, match="version 2"):
        parse_tzif(data)
