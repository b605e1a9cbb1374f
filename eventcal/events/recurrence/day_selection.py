"""The periods of a recurrence rule, and the selection of days within a period (RFC 5545, section 3.3.10)."""

from calendar import isleap, monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from eventcal.kit.localtime import LAST_YEAR
from eventcal.kit.rrule_syntax import WEEKDAYS, split_weekday

# Rule parts that select days. If no rule part selects days, the day is derived from the start of the rule.
_DAY_PARTS = frozenset({"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"})
_MONTHS_PER_YEAR, _DAYS_PER_WEEK = 12, 7
_ONE_DAY = timedelta(days=1)
# The first week of a year is the first with at least four days in the year, so that its fourth day decides.
_FOURTH_DAY = timedelta(days=3)


def iter_periods(parts: Mapping[str, str], start: date) -> Iterator[Sequence[date]]:
    """Yield the days of each day, week, month or year of a rule, beginning with the one that contains `start`."""
    interval = int(parts.get("INTERVAL", "1"))
    match parts["FREQ"]:
        case "DAILY":
            while start.year <= LAST_YEAR:
                yield (start,)
                start += interval * _ONE_DAY
        case "WEEKLY":
            start = _week_start(start, _first_weekday(parts))
            while start.year <= LAST_YEAR:
                yield _days_from(start, _DAYS_PER_WEEK)
                start += interval * timedelta(weeks=1)
        case "MONTHLY":
            months = start.year * _MONTHS_PER_YEAR + start.month - 1
            while (year := months // _MONTHS_PER_YEAR) <= LAST_YEAR:
                month = months % _MONTHS_PER_YEAR + 1
                yield _days_from(date(year, month, 1), monthrange(year, month)[1])
                months += interval
        case _:
            for year in range(start.year, LAST_YEAR + 1, interval):
                yield _days_from(date(year, 1, 1), _year_length(year))


def _days_from(first: date, number: int) -> Sequence[date]:
    ordinal = first.toordinal()
    return [date.fromordinal(one) for one in range(ordinal, ordinal + number)]


@dataclass(frozen=True, kw_only=True)
class DaySelector:
    """The BY parts of a rule. An empty set selects all days.

    `weekdays` contains pairs of a number, or 0 if there is none, and a weekday, which is 0 for Monday. The numbers
    count within the month or, if `counts_in_year`, within the year.
    """

    months: frozenset[int]
    month_days: frozenset[int]
    year_days: frozenset[int]
    weeks: frozenset[int]
    weekdays: frozenset[tuple[int, int]]
    positions: tuple[int, ...]
    counts_in_year: bool
    first_weekday: int

    @classmethod
    def from_rule(cls, parts: Mapping[str, str], start: date) -> "DaySelector":
        """Return the selector for a valid rule, with all parts that the start implies."""
        given = dict(parts)
        if _DAY_PARTS.isdisjoint(given):
            if given["FREQ"] == "WEEKLY":
                given["BYDAY"] = WEEKDAYS[start.weekday()]
            elif given["FREQ"] != "DAILY":
                given["BYMONTHDAY"] = str(start.day)
            if given["FREQ"] == "YEARLY":
                given.setdefault("BYMONTH", str(start.month))
        numbered = [split_weekday(value) for value in given.get("BYDAY", "").split(",") if value]
        return cls(
            months=_parse_numbers(given, "BYMONTH"),
            month_days=_parse_numbers(given, "BYMONTHDAY"),
            year_days=_parse_numbers(given, "BYYEARDAY"),
            weeks=_parse_numbers(given, "BYWEEKNO"),
            weekdays=frozenset((number or 0, WEEKDAYS.index(name)) for number, name in numbered),
            positions=tuple(_parse_numbers(given, "BYSETPOS")),
            counts_in_year=given["FREQ"] == "YEARLY" and "BYMONTH" not in given,
            first_weekday=_first_weekday(given),
        )

    def select(self, period: Sequence[date]) -> Sequence[date]:
        """Return the days of a period that the rule selects, in order."""
        days = [day for day in period if self._matches(day)]
        if not self.positions:
            return days
        # Positions count from 1, and negative positions from the end.
        indices = {position - 1 if position > 0 else len(days) + position for position in self.positions}
        return [days[index] for index in sorted(indices) if 0 <= index < len(days)]

    def _matches(self, day: date) -> bool:
        return (
            (not self.months or day.month in self.months)
            and (not self.weekdays or self._matches_weekday(day))
            and (not self.month_days or _is_counted(self.month_days, day.day, monthrange(day.year, day.month)[1]))
            and (not self.year_days or _is_counted(self.year_days, _day_of_year(day), _year_length(day.year)))
            and (not self.weeks or self._matches_week(day))
        )

    def _matches_weekday(self, day: date) -> bool:
        weekday = day.weekday()
        if (0, weekday) in self.weekdays:
            return True
        numbers = {number for number, named in self.weekdays if named == weekday}
        if not numbers:
            return False
        position, length = day.day, monthrange(day.year, day.month)[1]
        if self.counts_in_year:
            position, length = _day_of_year(day), _year_length(day.year)
        from_start, from_end = (position - 1) // _DAYS_PER_WEEK + 1, (length - position) // _DAYS_PER_WEEK + 1
        return from_start in numbers or -from_end in numbers

    def _matches_week(self, day: date) -> bool:
        year, number = self._week_of(day)
        # The week that contains 28 December is the last week of the year.
        return _is_counted(self.weeks, number, self._week_of(date(year, 12, 28))[1])

    def _week_of(self, day: date) -> tuple[int, int]:
        """Return the year and the number of the week that contains a day."""
        fourth = _week_start(day, self.first_weekday) + _FOURTH_DAY
        return fourth.year, (_day_of_year(fourth) - 1) // _DAYS_PER_WEEK + 1


def _parse_numbers(parts: Mapping[str, str], name: str) -> frozenset[int]:
    return frozenset(map(int, parts[name].split(","))) if name in parts else frozenset()


def _first_weekday(parts: Mapping[str, str]) -> int:
    return WEEKDAYS.index(parts.get("WKST", "MO"))


def _week_start(day: date, first_weekday: int) -> date:
    return day - (day.weekday() - first_weekday) % _DAYS_PER_WEEK * _ONE_DAY


def _is_counted(numbers: frozenset[int], position: int, length: int) -> bool:
    """Return whether the numbers contain a position, or the negative number that counts it from the end."""
    return position in numbers or position - length - 1 in numbers


def _day_of_year(day: date) -> int:
    return day.toordinal() - date(day.year, 1, 1).toordinal() + 1


def _year_length(year: int) -> int:
    return 366 if isleap(year) else 365
