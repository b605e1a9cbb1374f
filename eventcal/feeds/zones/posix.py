"""The rule that a zone follows for ever after: the TZ string of POSIX, as RFC 9636 section 3.3 extends it.

An example is `CET-1CEST,M3.5.0,M10.5.0/3`: west of Greenwich is positive there, and east everywhere else in this
package; summer time begins on the last Sunday (5, 0) of March at 02:00, the hour meant where none is written.
"""

import re
from calendar import isleap, monthrange
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from eventcal.feeds.zones.timeline import BEGINNING, DAY, Change, LocalTime, Span, Timeline, midnight, timeline

LAST_WEEK = 5
"""The week of a `WeekdayOnset` that stands for a month's last."""

_END_OF_FEBRUARY = 59
_HOUR = 3_600
_DEFAULT_ONSET = 2 * _HOUR

_NAME = r"<[A-Za-z0-9+-]+>|[A-Za-z]+"
_CLOCK = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_RULE = re.compile(
    rf"(?P<standard>{_NAME})(?P<west>{_CLOCK})"
    rf"(?:(?P<daylight>{_NAME})(?P<daylight_west>{_CLOCK})?,(?P<begins>[^,]+),(?P<ends>[^,]+))?"
)
_ONSET = re.compile(
    r"(?:M(?P<month>1[0-2]|[1-9])\.(?P<week>[1-5])\.(?P<weekday>[0-6])|J(?P<fixed>\d{1,3})|(?P<count>\d{1,3}))"
    rf"(?:/(?P<clock>{_CLOCK}))?"
)


@dataclass(frozen=True, slots=True)
class WeekdayOnset:
    """A change every year on a weekday (0 is Sunday) in the week 1 to 4 of a month, or in its last, which is 5.

    The seconds count from that day's midnight on the clock before the change. They may be negative or exceed a day:
    Israel's Friday before the last Sunday of March at 02:00 is written as 26 hours after the fourth Thursday begins.
    """

    month: int
    week: int
    weekday: int
    seconds: int

    def local(self, year: int) -> int:
        """Give the reading at the change of the clock before it, in seconds since its 1970-01-01T00:00."""
        first = date(year, self.month, 1).toordinal()
        if self.week == LAST_WEEK:
            end = first + monthrange(year, self.month)[1] - 1
            day = end - (end - self.weekday) % 7
        else:
            day = first + (self.weekday - first) % 7 + 7 * (self.week - 1)
        return midnight(day) + self.seconds

    def carried(self) -> Self:
        """Give the same onset with its hour within its day, whole days moved into the weekday.

        Cairo's last Thursday of October at 24:00 becomes the last Friday at 00:00. In some years the two differ, by
        a week: here where the month ends on a Thursday.
        """
        days, seconds = divmod(self.seconds, DAY)
        return replace(self, weekday=(self.weekday + days) % 7, seconds=seconds)


@dataclass(frozen=True, slots=True)
class FixedOnset:
    """A change every year on one date: day 1 to 365, 29 February not counted, and seconds from its midnight."""

    day: int
    seconds: int

    def local(self, year: int) -> int:
        """Give the reading at the change of the clock before it, in seconds since its 1970-01-01T00:00."""
        leap = isleap(year) and self.day > _END_OF_FEBRUARY
        return midnight(date(year, 1, 1).toordinal() + self.day - 1 + leap) + self.seconds


@dataclass(frozen=True, slots=True)
class CountedOnset:
    """A change so many days (0 to 365, 29 February counted) and seconds after every year begins."""

    days: int
    seconds: int

    def local(self, year: int) -> int:
        """Give the reading at the change of the clock before it, in seconds since its 1970-01-01T00:00."""
        return midnight(date(year, 1, 1).toordinal() + self.days) + self.seconds


YearlyOnset = WeekdayOnset | FixedOnset | CountedOnset


@dataclass(frozen=True, slots=True)
class YearlyChange:
    """When clocks go from one local time to another each year."""

    onset: YearlyOnset
    before: LocalTime
    after: LocalTime

    def at(self, year: int) -> int:
        """Give the instant of the change, in seconds since 1970-01-01T00:00Z."""
        return self.onset.local(year) - self.before.offset

    def carried(self) -> Self:
        """Give this change with the hour of a `WeekdayOnset` within its day."""
        return replace(self, onset=self.onset.carried()) if isinstance(self.onset, WeekdayOnset) else self


@dataclass(frozen=True, slots=True)
class PosixRule:
    """Standard time all the year; or, where there are yearly changes, from the first of them to the second.

    The other part of the year is what POSIX calls summer. In Dublin it is the winter, when clocks are behind Irish
    Standard Time.
    """

    standard: LocalTime
    yearly: tuple[YearlyChange, ...] = ()

    def changes(self, years: range) -> list[Change]:
        """Give every change in these years, in order, after one that opens all time with standard time."""
        # Where summer begins as it ends it lasts all year (RFC 9636 section 3.3.1), so its beginning, second, wins.
        after = {change.at(year): change.after for change in self.yearly for year in years}
        return [Change(BEGINNING, self.standard), *(Change(at, after[at]) for at in sorted(after))]

    def carried(self) -> Self:
        """Give this rule with each hour within its day, as far as a weekday can take the rest.

        As `WeekdayOnset.carried` has it, the two differ in some years.
        """
        return replace(self, yearly=tuple(change.carried() for change in self.yearly))

    def timeline(self, span: Span) -> Timeline:
        """Give the offsets within the span if this rule alone had always been in force."""
        return timeline(self.changes(span.years), span)


def parse_rule(text: str) -> PosixRule:
    """Read a TZ string; raises ValueError where it is not one that RFC 9636 allows at the end of a TZif file."""
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(f"not a TZ string: {text!r}")
    offset = -_seconds(found["west"])
    standard = LocalTime(offset, found["standard"].strip("<>"))
    if found["daylight"] is None:
        return PosixRule(standard)
    ahead = -_seconds(found["daylight_west"]) if found["daylight_west"] else offset + _HOUR
    summer = LocalTime(ahead, found["daylight"].strip("<>"))
    ends = YearlyChange(_onset(found["ends"]), summer, standard)
    begins = YearlyChange(_onset(found["begins"]), standard, summer)
    return PosixRule(standard, (ends, begins))


def _onset(text: str) -> YearlyOnset:
    found = _ONSET.fullmatch(text)
    if found is None:
        raise ValueError(f"not a yearly onset: {text!r}")
    seconds = _seconds(found["clock"]) if found["clock"] else _DEFAULT_ONSET
    if found["month"]:
        return WeekdayOnset(int(found["month"]), int(found["week"]), int(found["weekday"]), seconds)
    if found["fixed"]:
        return FixedOnset(int(found["fixed"]), seconds)
    return CountedOnset(int(found["count"]), seconds)


def _seconds(clock: str) -> int:
    hours, minutes, seconds = (*map(int, clock.lstrip("+-").split(":")), 0, 0)[:3]
    size = hours * _HOUR + minutes * 60 + seconds
    return -size if clock.startswith("-") else size
