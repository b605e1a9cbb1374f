"""RRULE values: splitting and joining their parts, and parsing UNTIL and BYDAY."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.kit.rrule_syntax import (
    WEEKDAYS,
    Until,
    format_rule,
    parse_rule,
    parse_until,
    split_rule,
    split_weekday,
)

NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=1)
VALUES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-,=")
PARTS = st.dictionaries(NAMES, VALUES, min_size=1)


@given(parts=PARTS)
def test_parsing_a_formatted_rule_returns_its_parts_in_order(parts: dict[str, str]) -> None:
    assert list(parse_rule(format_rule(parts)).items()) == list(parts.items())


@given(parts=PARTS)
def test_formatting_a_parsed_rule_returns_it_in_upper_case(parts: dict[str, str]) -> None:
    rule = format_rule(parts)
    assert format_rule(parse_rule(rule.lower())) == rule


def test_splitting_keeps_repeated_names_and_parsing_keeps_the_last() -> None:
    rule = "FREQ=DAILY;COUNT=2;count=3"
    assert split_rule(rule) == [("FREQ", "DAILY"), ("COUNT", "2"), ("COUNT", "3")]
    assert parse_rule(rule) == {"FREQ": "DAILY", "COUNT": "3"}


def test_part_without_equals_sign_has_an_empty_value() -> None:
    assert split_rule("FREQ=DAILY;COUNT;") == [("FREQ", "DAILY"), ("COUNT", ""), ("", "")]


@given(number=st.none() | st.integers(-53, 53), weekday=st.sampled_from(WEEKDAYS))
def test_weekday_is_split_from_its_number(number: int | None, weekday: str) -> None:
    assert split_weekday(f"{'' if number is None else number}{weekday}") == (number, weekday)


def test_weekday_accepts_a_plus_sign_but_no_other_prefix() -> None:
    assert split_weekday("+1TU") == (1, "TU")
    with pytest.raises(ValueError, match="invalid literal"):
        split_weekday("XTU")


@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31)))  # noqa: DTZ001 - UNTIL may be local
def test_until_is_parsed_as_date_local_time_or_utc_time(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert parse_until(f"{moment:%Y%m%d}") == Until(moment.date(), None, is_utc=False)
    assert parse_until(f"{moment:%Y%m%dT%H%M%S}") == Until(moment.date(), moment.time(), is_utc=False)
    assert parse_until(f"{moment:%Y%m%dT%H%M%SZ}") == Until(moment.date(), moment.time(), is_utc=True)


@pytest.mark.parametrize(
    "value", ["", "2014", "20140231", "20140604T1330", "20140604T256199", "20140604Z", "20140604 "]
)
def test_until_that_is_neither_a_date_nor_a_time_raises(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every error has its own message
        parse_until(value)


def test_until_with_a_date_includes_the_whole_local_day() -> None:
    until = Until(date(2014, 6, 4), None, is_utc=False)
    assert until.instant("America/New_York") == datetime(2014, 6, 5, 3, 59, 59, tzinfo=UTC)
    assert until.last_day("America/New_York") == date(2014, 6, 4)


def test_until_in_utc_ends_on_the_local_day_of_that_instant() -> None:
    until = Until(date(2014, 6, 4), time(23, 30), is_utc=True)
    assert until.instant("Europe/Berlin") == datetime(2014, 6, 4, 23, 30, tzinfo=UTC)
    assert until.last_day("Europe/Berlin") == date(2014, 6, 5)
