"""The linter computes offsets from VTIMEZONE components written by eventcal and by other programs."""

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventcal.lint import lint
from eventcal.lint.parser import parse_file
from eventcal.lint.time_values import iana_utc_offset, parse_duration, parse_utc_offset
from eventcal.lint.timezone_checks import Observance, parse_observances, utc_offset_at
from tests.feed_support.lint_feeds import BERLIN_VTIMEZONE, VALID_FEED, to_crlf_bytes
from tests.feed_support.zone_text import vtimezone_text

ZONES = (
    *("Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata"),
    *("Africa/Casablanca", "Africa/Cairo", "Asia/Jerusalem", "America/Nuuk", "Pacific/Apia", "Europe/Moscow"),
)


def parse_local_time(text: str) -> datetime:
    """Return a local time."""
    return datetime.fromisoformat(text)


LOCAL_TIMES = st.datetimes(parse_local_time("1971-01-01T00:00:00"), parse_local_time("2199-12-30T00:00:00")).map(
    lambda one: one.replace(microsecond=0)
)

# The last Sunday of a month, as some programs write it.
BYMONTHDAY_PARTS = "BYMONTHDAY=25,26,27,28,29,30,31;BYDAY=SU"
RDATE_ZONE = """\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:20250330T020000
RDATE:20260329T020000
RDATE:20270328T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20251026T030000
RDATE:20261025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def parse_zone(text: str) -> list[Observance] | None:
    (zone,) = (component for component in parse_file(text.encode()).components if component.name == "VTIMEZONE")
    return parse_observances(zone)


def offset_hours(text: str, local: datetime) -> float:
    found = parse_zone(text)
    assert found is not None
    return utc_offset_at(found, local) / 3_600


@settings(max_examples=300)
@given(st.sampled_from(ZONES), LOCAL_TIMES)
@example("Europe/Berlin", parse_local_time("2026-03-29T02:30:00"))
@example("Europe/Berlin", parse_local_time("2026-10-25T02:30:00"))
def test_generated_vtimezone_agrees_with_the_iana_database(tzid: str, local: datetime) -> None:
    found = parse_zone(vtimezone_text(tzid, local.date(), local.date()))
    assert found is not None
    assert utc_offset_at(found, local) == iana_utc_offset(tzid, local)


@pytest.mark.parametrize(
    "text",
    [
        BERLIN_VTIMEZONE,
        BERLIN_VTIMEZONE.replace("BYDAY=-1SU", BYMONTHDAY_PARTS),
        BERLIN_VTIMEZONE.replace("BYMONTH=3;BYDAY=-1SU", "BYMONTH=3;BYDAY=-1SU;UNTIL=20260329T010000Z"),
        RDATE_ZONE,
    ],
    ids=["weekday", "dates", "until", "one-by-one"],
)
def test_offset_changes_at_the_defined_onsets(text: str) -> None:
    around = {
        parse_local_time("2026-03-29T01:59:59"): 1,
        # Skipped by the clocks, so the offset before the gap applies.
        parse_local_time("2026-03-29T02:30:00"): 1,
        parse_local_time("2026-03-29T03:00:00"): 2,
        parse_local_time("2026-10-25T01:00:00"): 2,
        # Occurs twice, so the first occurrence applies.
        parse_local_time("2026-10-25T02:30:00"): 2,
        parse_local_time("2026-10-25T03:00:00"): 1,
    }
    assert {local: offset_hours(text, local) for local in around} == around


def test_first_offset_applies_before_the_first_onset() -> None:
    assert offset_hours(RDATE_ZONE, parse_local_time("2020-07-01T00:00:00")) == 1


def test_observance_rule_may_use_a_fixed_date() -> None:
    text = BERLIN_VTIMEZONE.replace("BYMONTH=3;BYDAY=-1SU", "BYMONTH=4;BYMONTHDAY=1")
    assert [offset_hours(text, parse_local_time(f"2026-04-01T{hour:02}")) for hour in (1, 3)] == [1, 2]
    text = BERLIN_VTIMEZONE.replace(";BYMONTH=3;BYDAY=-1SU", "")
    assert [offset_hours(text, parse_local_time(f"2026-03-29T{hour:02}")) for hour in (1, 3)] == [1, 2]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=YEARLY;BYDAY=-1SU",
        "FREQ=YEARLY;BYMONTH=3,4;BYDAY=-1SU",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=3;BYDAY=-1SU",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=2026",
    ],
)
def test_zone_with_unsupported_rule_is_not_computed(rule: str) -> None:
    assert parse_zone(BERLIN_VTIMEZONE.replace("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", rule)) is None


def test_wrong_zone_offset_is_reported_once_with_both_offsets() -> None:
    data = to_crlf_bytes(VALID_FEED.replace("TZOFFSETTO:+0200", "TZOFFSETTO:+0545"))
    assert [finding.message for finding in lint(data)] == [
        "'Europe/Berlin' has the offset +05:45 at 2026-06-10T09:00:00, but +02:00 in the IANA database"
    ]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("P2W", timedelta(weeks=2)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("-PT15M", timedelta(minutes=-15)),
        ("+P1D", timedelta(days=1)),
        *((text, None) for text in ("", "P", "PT", "P1DT", "1D", "P1H", "PT1D", "P1W2D", "P-1D")),
    ],
)
def test_duration_is_parsed(text: str, meant: timedelta | None) -> None:
    assert parse_duration(text) == meant


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("+0100", 3_600), ("-0330", -12_600), ("+001729", 1_049), ("+1", None), ("0100", None), ("+0160", None)],
)
def test_utc_offset_is_parsed(text: str, seconds: int | None) -> None:
    assert parse_utc_offset(text) == seconds
