"""Changes of local time, and the yearly rule that a zone follows after its last recorded change.

The rule is a POSIX TZ string as extended by RFC 9636 (section 3.3), such as `CET-1CEST,M3.5.0,M10.5.0/3`. Offsets in TZ
strings are positive west of Greenwich, whereas all other offsets in this package are positive east of Greenwich.
Instants are integer seconds since 1970-01-01T00:00Z.
"""

import re
from abc import ABC, abstractmethod
from calendar import isleap, monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

FIRST_INSTANT = -(2**63)
"""The smallest instant that a TZif file can store."""

LAST_WEEK = 5
"""The value of `WeekdayOnset.week` for the last week of the month."""

# POSIX time has no leap seconds.
_DAY, _HOUR = 86_400, 3_600
# A local date begins up to 14 hours before and ends up to 12 hours after the same date in UTC.
# An entry that starts on the last day of a span can end on the next day.
_PADDING = 2 * _DAY
_EPOCH = date(1970, 1, 1).toordinal()
_DAYS_TO_MARCH = 59

_NAME_PATTERN = r"<[A-Za-z0-9+-]+>|[A-Za-z]+"
_CLOCK_PATTERN = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_TZ_STRING_PATTERN = re.compile(
    rf"(?P<standard>{_NAME_PATTERN})(?P<west>{_CLOCK_PATTERN})"
    rf"(?:(?P<daylight>{_NAME_PATTERN})(?P<daylight_west>{_CLOCK_PATTERN})?,(?P<begins>[^,]+),(?P<ends>[^,]+))?"
)
_ONSET_PATTERN = re.compile(
    r"(?:M(?P<month>1[0-2]|[1-9])\.(?P<week>[1-5])\.(?P<weekday>[0-6])|J(?P<fixed>\d{1,3})|(?P<count>\d{1,3}))"
    rf"(?:/(?P<clock>{_CLOCK_PATTERN}))?"
)


def midnight_seconds(ordinal: int) -> int:
    """Return the start of a day in seconds since 1970. `ordinal` is the result of `date.toordinal`."""
    return (ordinal - _EPOCH) * _DAY


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A local time type, with the offset in seconds east of UTC and an abbreviation such as `CEST` or `+03`."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class OffsetChange:
    """A change to the local time type `to` at the instant `at`."""

    at: int
    to: LocalTime


@dataclass(frozen=True, slots=True)
class Span:
    """A range of instants with an exclusive `end`, and the years whose offset changes can affect the range."""

    start: int
    end: int
    years: range

    @classmethod
    def covering_days(cls, first: date, last: date) -> Self:
        """Return the span that contains the days from `first` to `last`, both inclusive, in every time zone."""
        return cls(
            start=midnight_seconds(first.toordinal()) - _PADDING,
            end=midnight_seconds(last.toordinal() + 1) + _PADDING,
            years=range(max(first.year - 1, date.min.year), min(last.year + 1, date.max.year) + 1),
        )


def offsets_within(changes: Iterable[OffsetChange], span: Span) -> list[OffsetChange]:
    """Return the local time at the start of a span, followed by each offset change within the span.

    `changes` must be sorted, and the first change must not be later than the start of the span.
    """
    within: list[OffsetChange] = []
    for change in changes:
        if change.at <= span.start:
            within = [OffsetChange(span.start, change.to)]
        elif change.at < span.end and change.to.offset != within[-1].to.offset:
            within.append(change)
    return within


@dataclass(frozen=True, slots=True)
class YearlyOnset(ABC):
    """A yearly change of the local time. `seconds` is relative to midnight, and can be negative or exceed a day."""

    seconds: int

    def local_seconds(self, year: int) -> int:
        """Return the time of the change as local time with the previous offset, in seconds since 1970-01-01T00:00."""
        return midnight_seconds(self._day_ordinal(year)) + self.seconds

    @abstractmethod
    def _day_ordinal(self, year: int) -> int: ...


@dataclass(frozen=True, slots=True)
class WeekdayOnset(YearlyOnset):
    """An onset on the nth or last occurrence of a weekday in a month.

    `weekday` is 0 for Sunday. `week` is 1 to 4 for the first to fourth occurrence of the weekday, or 5 for the last.
    """

    month: int
    week: int
    weekday: int

    def _day_ordinal(self, year: int) -> int:
        first = date(year, self.month, 1).toordinal()
        if self.week == LAST_WEEK:
            end = first + monthrange(year, self.month)[1] - 1
            return end - (end - self.weekday) % 7
        return first + (self.weekday - first) % 7 + 7 * (self.week - 1)

    def with_hour_in_day(self) -> Self:
        """Return the onset with `seconds` reduced to less than a day and whole days added to the weekday."""
        days, seconds = divmod(self.seconds, _DAY)
        return replace(self, weekday=(self.weekday + days) % 7, seconds=seconds)


@dataclass(frozen=True, slots=True)
class DayOnset(YearlyOnset):
    """An onset that is `days` days after 1 January, with or without counting 29 February."""

    days: int
    counts_leap_day: bool

    def _day_ordinal(self, year: int) -> int:
        skipped = not self.counts_leap_day and isleap(year) and self.days >= _DAYS_TO_MARCH
        return date(year, 1, 1).toordinal() + self.days + skipped


@dataclass(frozen=True, slots=True)
class YearlyChange:
    """A yearly change from one local time type to another."""

    onset: YearlyOnset
    before: LocalTime
    after: LocalTime

    def instant_in_year(self, year: int) -> int:
        return self.onset.local_seconds(year) - self.before.offset


@dataclass(frozen=True, slots=True)
class PosixRule:
    """A rule for either permanent standard time, or two yearly changes between standard time and summer time."""

    standard: LocalTime
    yearly: tuple[YearlyChange, ...] = ()

    def changes_in_years(self, years: range) -> list[OffsetChange]:
        """Return the sorted changes in the given years, preceded by a change to standard time at FIRST_INSTANT."""
        # Summer time lasts all year if it ends at the instant at which it begins again (RFC 9636, section 3.3.1).
        after = {change.instant_in_year(year): change.after for change in self.yearly for year in years}
        return [OffsetChange(FIRST_INSTANT, self.standard), *(OffsetChange(at, after[at]) for at in sorted(after))]


def parse_tz_string(text: str) -> PosixRule:
    """Parse a TZ string. Raises ValueError unless the string is a valid TZif footer (RFC 9636, section 3.3)."""
    found = _TZ_STRING_PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"not a TZ string: {text!r}")
    standard = LocalTime(-_parse_clock(found["west"]), found["standard"].strip("<>"))
    if found["daylight"] is None:
        return PosixRule(standard)
    offset = -_parse_clock(found["daylight_west"]) if found["daylight_west"] else standard.offset + _HOUR
    summer = LocalTime(offset, found["daylight"].strip("<>"))
    ends = YearlyChange(_parse_onset(found["ends"]), summer, standard)
    begins = YearlyChange(_parse_onset(found["begins"]), standard, summer)
    return PosixRule(standard, (ends, begins))


def _parse_onset(text: str) -> YearlyOnset:
    found = _ONSET_PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"not a yearly onset: {text!r}")
    seconds = _parse_clock(found["clock"] or "2")
    if found["month"]:
        return WeekdayOnset(seconds, int(found["month"]), int(found["week"]), int(found["weekday"]))
    if found["fixed"]:
        return DayOnset(seconds, int(found["fixed"]) - 1, counts_leap_day=False)
    return DayOnset(seconds, int(found["count"]), counts_leap_day=True)


def _parse_clock(clock: str) -> int:
    hours, minutes, seconds = (*map(int, clock.lstrip("+-").split(":")), 0, 0)[:3]
    size = hours * _HOUR + minutes * 60 + seconds
    return -size if clock.startswith("-") else size
