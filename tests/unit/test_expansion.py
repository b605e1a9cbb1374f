"""Expanding a recurrence rule from any day gives the dates of dateutil, without iterating from the start."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from eventcal.events.recurrence.day_selection import DaySelector
from eventcal.events.recurrence.expansion import (
    _EXAMINED_DAYS,
    MAX_GAP_DAYS,
    RuleExpansion,
    expand_rule,
    rule_error,
)
from eventcal.kit.rrule_syntax import WEEKDAYS

LAST_DATE = datetime(2199, 12, 31, 23, 59, 59)  # noqa: DTZ001 - local times

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAY_CODES = st.sampled_from(WEEKDAYS)
NUMBERED_WEEKDAYS = st.builds("{}{}".format, st.sampled_from(["", "1", "-1", "2", "+4", "-5", "5"]), WEEKDAY_CODES)


def comma_lists(values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3, unique=True).map(lambda found: ",".join(map(str, found)))


def nonzero_integer_lists(minimum: int, maximum: int) -> st.SearchStrategy[str]:
    return comma_lists(st.integers(minimum, maximum).filter(bool))


RULE_PARTS: dict[str, st.SearchStrategy[str]] = {
    "INTERVAL": st.integers(1, 40).map(str),
    "WKST": WEEKDAY_CODES,
    "BYMONTH": nonzero_integer_lists(1, 12),
    "BYMONTHDAY": nonzero_integer_lists(-31, 31),
    "BYDAY": comma_lists(WEEKDAY_CODES) | comma_lists(NUMBERED_WEEKDAYS),
    "BYYEARDAY": nonzero_integer_lists(-366, 366),
    "BYWEEKNO": nonzero_integer_lists(-53, 53),
    "BYSETPOS": nonzero_integer_lists(-3, 3),
}
RULE_ENDS: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.integers(1, 400).map(lambda count: {"COUNT": str(count)}),
    st.datetimes(datetime(1971, 1, 1), datetime(2060, 1, 1)).map(lambda end: {"UNTIL": f"{end:%Y%m%dT%H%M%S}"}),  # noqa: DTZ001 - as above
)
STARTS = st.datetimes(datetime(1970, 1, 1), datetime(2050, 1, 1)).map(lambda start: start.replace(microsecond=0))  # noqa: DTZ001 - as above


@st.composite
def rules_with_start(draw: st.DrawFn) -> RuleExpansion:
    """Return a valid rule with a start that is its first date."""
    parts = {"FREQ": draw(st.sampled_from(FREQUENCIES))}
    parts |= draw(st.fixed_dictionaries({}, optional=RULE_PARTS)) | draw(RULE_ENDS)
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    start = draw(STARTS)
    assume(rule_error(rule, start.isoformat()) is None)
    endless = ";".join(f"{name}={value}" for name, value in parts.items() if name not in {"COUNT", "UNTIL"})
    first = next(RuleExpansion(endless, start.isoformat(), "UTC").iter_from(start.date()), None)
    assume(first is not None)
    assert first is not None
    # dateutil intersects numbered and other weekdays, and ignores some weeks that are counted from the end.
    numbered = {len(day) > 2 for day in parts.get("BYDAY", "").split(",")}
    assume(len(numbered) == 1)
    assume(not {"-52", "-53"} & set(parts.get("BYWEEKNO", "").split(",")))
    assume(not RuleExpansion(endless, first.isoformat(), "UTC").is_too_sparse)
    assume(rule_error(rule, first.isoformat()) is None)
    found = RuleExpansion(rule, first.isoformat(), "UTC")
    assume(next(found.iter_from(first.date()), None) == first)
    return found


@pytest.fixture
def examined_days(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """Return the list to which all days are added that are compared with a rule."""
    days = list[date]()
    select = DaySelector.select

    def record(selector: DaySelector, period: Sequence[date]) -> Sequence[date]:
        days.extend(period)
        return select(selector, period)

    monkeypatch.setattr(DaySelector, "select", record)
    return days


def expand_with_dateutil(rule: str, start: datetime) -> Iterator[datetime]:
    """Yield the dates computed by dateutil."""
    return takewhile(lambda one: one <= LAST_DATE, rrulestr(rule, dtstart=start))


@given(rules_with_start(), st.integers(-100, 40 * 366))
def test_dates_since_any_day_match_dateutil(rule: RuleExpansion, days: int) -> None:
    day = rule.start.date() + timedelta(days=days)
    expected = (one for one in expand_with_dateutil(rule.rule, rule.start) if one.date() >= day)
    assert list(islice(rule.iter_from(day), 20)) == list(islice(expected, 20))


@given(rules_with_start())
def test_last_date_matches_dateutil(rule: RuleExpansion) -> None:
    expected = list(expand_with_dateutil(rule.rule, rule.start))[-1] if rule.has_end else None
    assert rule.last_date == expected


@given(rules_with_start(), st.lists(st.integers(-10, 3 * 366), max_size=10))
def test_next_dates_are_the_first_dates_on_or_after_the_days(rule: RuleExpansion, offsets: list[int]) -> None:
    days = [rule.start.date() + timedelta(days=offset) for offset in offsets]
    expected = {day: next((one for one in rule.iter_from(day)), None) for day in days}
    assert rule.next_dates(days) == expected


@given(rules_with_start())
def test_all_day_rule_has_the_dates_of_the_same_rule_with_times(rule: RuleExpansion) -> None:
    days = RuleExpansion(rule.rule.partition(";UNTIL=")[0], rule.starts[:10], "UTC")
    times = RuleExpansion(rule.rule.partition(";UNTIL=")[0], rule.starts, "UTC")
    dates = [one.date() for one in islice(times.iter_from(rule.start.date()), 10)]
    assert [one.date() for one in islice(days.iter_from(rule.start.date()), 10)] == dates


def test_first_tuesday_rule_expands_to_first_tuesdays() -> None:
    rule = RuleExpansion("FREQ=MONTHLY;BYDAY=1TU", "2026-03-03T16:00:00", "Europe/Berlin")
    assert [f"{one:%d.%m.%H:%M}" for one in islice(rule.iter_from(date(2026, 9, 2)), 3)] == [
        "06.10.16:00",
        "03.11.16:00",
        "01.12.16:00",
    ]


def test_parts_missing_from_the_rule_come_from_its_start() -> None:
    leap = RuleExpansion("FREQ=YEARLY", "2024-02-29", "UTC")
    assert [one.date() for one in islice(leap.iter_from(date(2090, 1, 1)), 2)] == [date(2092, 2, 29), date(2096, 2, 29)]
    last = RuleExpansion("FREQ=MONTHLY", "2026-01-31T10:00:00", "UTC")
    assert [f"{one:%m-%d}" for one in islice(last.iter_from(date(2030, 2, 1)), 3)] == ["03-31", "05-31", "07-31"]
    # 2100 has no 29 February, so the date after 2096 is in 2104.
    eighth = RuleExpansion("FREQ=YEARLY;INTERVAL=4", "2092-02-29", "UTC")
    assert next(eighth.iter_from(date(2093, 1, 1))).date() == date(2096, 2, 29)
    assert next(eighth.iter_from(date(2097, 1, 1))).date() == date(2104, 2, 29)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        # A date includes the whole day. A time is local unless it is in UTC. The event is at 10:00 all year.
        ("20260330", "2026-03-30"),
        ("20260330T100000", "2026-03-30"),
        ("20260330T095959", "2026-03-29"),
        ("20260330T080000Z", "2026-03-30"),
        ("20260330T075959Z", "2026-03-29"),
        ("20260328T090000Z", "2026-03-28"),
        ("20260328T080000Z", "2026-03-27"),
    ],
)
def test_until_limits_the_last_date_as_an_instant(until: str, last: str) -> None:
    rule = RuleExpansion(f"FREQ=DAILY;UNTIL={until}", "2026-03-01T10:00:00", "Europe/Berlin")
    assert rule.last_date == datetime.fromisoformat(f"{last}T10:00:00")
    assert list(rule.iter_from(date(2026, 3, 25)))[-1] == rule.last_date


@pytest.mark.parametrize(
    ("until", "last"),
    [("20260330", "2026-03-30"), ("20260330T235959", "2026-03-30"), ("20260329T223000Z", "2026-03-30")],
)
def test_until_of_all_day_rule_is_the_day_in_the_zone(until: str, last: str) -> None:
    rule = RuleExpansion(f"FREQ=DAILY;UNTIL={until}", "2026-03-01", "Europe/Berlin")
    assert rule.last_date == datetime.fromisoformat(last)


def test_no_date_is_after_the_last_supported_year() -> None:
    assert RuleExpansion("FREQ=YEARLY;COUNT=9999", "2026-06-10", "UTC").last_date == datetime(2199, 6, 10)  # noqa: DTZ001 - a local day
    assert RuleExpansion("FREQ=YEARLY;UNTIL=21991231", "2026-06-10", "UTC").last_date == datetime(2199, 6, 10)  # noqa: DTZ001 - as above
    daily = RuleExpansion("FREQ=DAILY", "1970-01-01", "UTC")
    assert list(daily.iter_from(date(2199, 12, 31))) == [datetime(2199, 12, 31)]  # noqa: DTZ001 - as above
    assert list(daily.iter_from(date(2201, 1, 1))) == []


@pytest.mark.parametrize(
    ("byday", "days"),
    [
        # A weekday without a number is added to those with a number (RFC 5545, section 3.3.10).
        ("1MO,TU", [2, 3, 10, 17, 24, 31]),
        ("-1FR,1MO", [2, 27]),
        ("1SU,-1SU,2WE", [1, 11, 29]),
    ],
)
def test_numbered_and_other_weekdays_are_united(byday: str, days: list[int]) -> None:
    rule = RuleExpansion(f"FREQ=MONTHLY;BYDAY={byday}", "2026-03-01", "UTC")
    assert [one.day for one in takewhile(lambda one: one.month == 3, rule.iter_from(date(2026, 3, 1)))] == days


def test_weeks_are_counted_from_the_end_of_their_own_year() -> None:
    rule = RuleExpansion("FREQ=YEARLY;BYWEEKNO=-53;BYDAY=MO", "2020-01-01", "UTC")
    # 2020 and 2026 have 53 weeks, the first of which begin in December.
    found = [str(one.date()) for one in islice(rule.iter_from(date(2020, 1, 1)), 2)]
    assert found == ["2025-12-29", "2031-12-29"]


SPARSE_RULES = [
    "FREQ=DAILY;BYSETPOS=1;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO,SA",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
    "FREQ=YEARLY;BYYEARDAY=366;BYDAY=SU",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTHDAY=29",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
]


@pytest.mark.parametrize("rule", SPARSE_RULES)
def test_sparse_rule_is_recognised_after_a_limited_number_of_days(rule: str, examined_days: list[date]) -> None:
    assert RuleExpansion(rule, "1976-02-29", "UTC").is_too_sparse
    assert len(examined_days) <= _EXAMINED_DAYS + 366


@pytest.mark.parametrize("rule", SPARSE_RULES)
def test_search_for_the_next_date_examines_a_limited_number_of_days(rule: str, examined_days: list[date]) -> None:
    list(islice(RuleExpansion(rule, "1976-02-29", "UTC").iter_from(date(1977, 1, 1)), 1))
    assert len(examined_days) <= 2 * MAX_GAP_DAYS + 2 * 366


@pytest.mark.parametrize("rule", SPARSE_RULES[:1])
def test_many_days_are_looked_up_in_a_single_walk(rule: str, examined_days: list[date]) -> None:
    days = [date(1976, 3, 1) + timedelta(days=number) for number in range(200)]
    assert set(RuleExpansion(rule, "1976-02-29", "UTC").next_dates(days).values()) == {None}
    assert len(examined_days) <= 2 * MAX_GAP_DAYS + 2


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "FREQ=YEARLY;INTERVAL=28;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
        "FREQ=YEARLY;INTERVAL=300",
        "FREQ=DAILY;INTERVAL=9999",
        "FREQ=WEEKLY;COUNT=1",
    ],
)
def test_usual_rules_are_not_too_sparse(rule: str) -> None:
    assert not RuleExpansion(rule, "1976-02-29", "UTC").is_too_sparse


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=SA",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=5",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4",
        "FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1;BYDAY=MO",
    ],
)
def test_rule_that_never_matches_has_no_dates(rule: str) -> None:
    assert list(RuleExpansion(rule, "2026-06-10", "UTC").iter_from(date(2026, 6, 10))) == []
    assert RuleExpansion(f"{rule};COUNT=3", "2026-06-10", "UTC").last_date is None


@given(rules_with_start(), st.integers(0, 40 * 366))
def test_expansion_starts_close_to_the_requested_day(rule: RuleExpansion, days: int) -> None:
    day = rule.start.date() + timedelta(days=days)
    every = int(dict(part.split("=") for part in rule.rule.split(";")).get("INTERVAL", "1"))
    length = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[
        rule.rule.removeprefix("FREQ=").partition(";")[0]
    ] * every
    assert rule._move_start_towards(day) >= max(rule.start.date(), day - timedelta(days=3 * length))


def test_invalid_rule_has_no_expansion() -> None:
    for rule in ("every Tuesday", "FREQ=HOURLY", "FREQ=MONTHLY;BYDAY=53MO", "FREQ=DAILY;UNTIL=99991231"):
        assert expand_rule(rule, "2026-06-10", "UTC") is None
