"""Validation and expansion of recurrence rules (RFC 5545, section 3.3.10), except hourly or more frequent rules.

To limit the work, the start of the rule is moved forward by whole intervals to shortly before the requested dates.
A rule is rejected if too many days have to be examined to find its next date. The dateutil library is not used, because
its search for the next date cannot be limited.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice

from eventcal.events.recurrence.day_selection import DaySelector, iter_periods
from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.errors import Message
from eventcal.kit.localtime import FIRST_YEAR, LAST_YEAR, local_to_utc_lenient, parse_local
from eventcal.kit.rrule_syntax import WEEKDAYS, parse_rule, parse_until, split_rule, split_weekday

_WEEKDAY_PATTERN = f"({'|'.join(WEEKDAYS)})"
_NUMBERED_WEEKDAY_PATTERN = f"([+-]?([1-9]|[1-4][0-9]|5[0-3]))?{_WEEKDAY_PATTERN}"
_PART_PATTERNS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,3}",
    "COUNT": "[1-9][0-9]{0,3}",
    "WKST": _WEEKDAY_PATTERN,
    "BYDAY": f"{_NUMBERED_WEEKDAY_PATTERN}(,{_NUMBERED_WEEKDAY_PATTERN})*",
}
# The smallest and largest allowed number in each rule part that is a list of numbers.
_NUMBER_RANGES = {"BYMONTH": (1, 12), "BYMONTHDAY": (-31, 31), "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53)}
_NUMBER_RANGES["BYSETPOS"] = (-366, 366)
# Rule parts that are allowed only with certain frequencies (see the table in RFC 5545, section 3.3.10).
_ALLOWED_FREQUENCIES = {"BYMONTHDAY": {"DAILY", "MONTHLY", "YEARLY"}, "BYYEARDAY": {"YEARLY"}, "BYWEEKNO": {"YEARLY"}}
_MAX_WEEKDAYS_PER_MONTH = 5

_RULE_HINT = Message("must be an RRULE that recurs daily or less often, such as FREQ=MONTHLY;BYDAY=1TU")

_MONTHS_PER_YEAR = 12
_LAST_DATE = date(LAST_YEAR, 12, 31)
_END_PARTS = frozenset({"COUNT", "UNTIL"})
# The search for the last date begins 45 days before UNTIL. The search period grows eightfold until it contains a date.
_SEARCH_PERIOD, _SEARCH_FACTOR = timedelta(days=45), 8
MAX_GAP_DAYS = 4_000
"""The maximum number of days that may be examined to find the next date of a rule: eleven years, if all are examined.

In the years around 2100, which is not a leap year, a gap can be longer than in all other decades of a rule.
"""
# The days of the week and the leap years repeat after 28 years, except around 2100.
_EXAMINED_DAYS = 15_000


def rule_error(rule: str, starts: str) -> Message | None:
    named = split_rule(rule)
    parts = dict(named)
    if len(parts) != len(named) or "FREQ" not in parts:
        return _RULE_HINT
    wrong = [name for name, value in named if not _is_valid_part(name, value)]
    if not all(wrong):
        return Message("is invalid because it has an empty part; it %(usual)s", usual=_RULE_HINT)
    if wrong:
        return Message("is invalid because of its %(parts)s; it %(usual)s", parts=", ".join(wrong), usual=_RULE_HINT)
    misfit = _part_combination_error(parts) or _byday_error(parts)
    if misfit is None and {"COUNT", "UNTIL"} <= parts.keys():
        return Message("must not have both COUNT and UNTIL")
    if misfit is None and "UNTIL" in parts and parts["UNTIL"][:8] < starts[:10].replace("-", ""):
        return Message("UNTIL must not be before `starts`")
    return misfit


def _is_valid_part(name: str, value: str) -> bool:
    if name in _PART_PATTERNS:
        return re.fullmatch(_PART_PATTERNS[name], value) is not None
    if name == "UNTIL":
        try:
            return FIRST_YEAR <= parse_until(value).day.year <= LAST_YEAR
        except ValueError:
            return False
    if name not in _NUMBER_RANGES:
        return False
    least, most = _NUMBER_RANGES[name]
    numbers = value.split(",")
    # A sign is allowed only in rule parts that accept negative numbers.
    form = "[+-]?[0-9]{1,3}" if least < 0 else "[0-9]{1,2}"
    return all(re.fullmatch(form, one) and least <= int(one) <= most and int(one) != 0 for one in numbers)


def _part_combination_error(parts: Mapping[str, str]) -> Message | None:
    frequency = parts["FREQ"]
    for name, frequencies in _ALLOWED_FREQUENCIES.items():
        if name in parts and frequency not in frequencies:
            return Message(
                "%(part)s cannot be combined with FREQ=%(frequency)s (RFC 5545, 3.3.10)", part=name, frequency=frequency
            )
    if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts.keys() - {"BYSETPOS"}):
        return Message("BYSETPOS requires another BY part (RFC 5545, 3.3.10)")
    if "BYWEEKNO" in parts and parts.keys().isdisjoint(("BYDAY", "BYMONTHDAY", "BYYEARDAY")):
        return Message("BYWEEKNO requires BYDAY, because apps disagree on the days without it (RFC 5545, 3.3.10)")
    return None


def _byday_error(parts: Mapping[str, str]) -> Message | None:
    numbers = [number for number, _ in map(split_weekday, parts.get("BYDAY", "").split(",")) if number]
    if not numbers:
        return None
    if parts["FREQ"] not in {"MONTHLY", "YEARLY"} or "BYWEEKNO" in parts:
        return Message(
            "BYDAY may contain numbers, such as 1TU, only with FREQ=MONTHLY, or with FREQ=YEARLY without BYWEEKNO "
            "(RFC 5545, 3.3.10)"
        )
    in_months = parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts
    if in_months and max(map(abs, numbers)) > _MAX_WEEKDAYS_PER_MONTH:
        return Message(
            "numbers in BYDAY must not exceed %(most)s within a month (RFC 5545, 3.3.10)", most=_MAX_WEEKDAYS_PER_MONTH
        )
    return None


class RuleExpansion:
    """The dates of a valid recurrence rule that starts at `starts`, a local date or time.

    All dates are naive local datetimes up to the year 2199. The time of day is midnight if `starts` is a date.
    """

    def __init__(self, rule: str, starts: str, tzid: str) -> None:
        self.rule, self.starts, self.tzid = rule, starts, tzid
        first = parse_local(starts)
        self.start = first if isinstance(first, datetime) else datetime.combine(first, time())
        self._parts = parse_rule(rule)
        self._days = DaySelector.from_rule(self._parts, self.start.date())
        until = parse_until(self._parts["UNTIL"]) if "UNTIL" in self._parts else None
        self._until = until.instant(tzid) if until else None
        self._last_day = min(until.last_day(tzid), _LAST_DATE) if until else _LAST_DATE
        self.has_end = not self._parts.keys().isdisjoint(_END_PARTS)

    def iter_from(self, day: date) -> Iterator[datetime]:
        counted = "COUNT" in self._parts
        for local in self._iter_ignoring_end(day):
            if self._is_after_until(local) or (counted and (self._last_counted is None or local > self._last_counted)):
                return
            if local.date() >= day:
                yield local

    def next_dates(self, days: Iterable[date]) -> dict[date, datetime | None]:
        """Return the first date of the rule on or after each day, or None, in a single walk over the dates."""
        ordered = sorted(set(days))
        dates = self.iter_from(ordered[0]) if ordered else iter(())
        found: dict[date, datetime | None] = {}
        upcoming = next(dates, None)
        for day in ordered:
            while upcoming is not None and upcoming.date() < day:
                upcoming = next(dates, None)
            found[day] = upcoming
        return found

    @cached_property
    def is_too_sparse(self) -> bool:
        """Whether more than MAX_GAP_DAYS days must be examined to find a date, within the first decades of the rule."""
        gap = examined = 0
        for period, dates in self._iter_periods(self.start.date()):
            gap, examined = gap + len(period), examined + len(period)
            if gap > MAX_GAP_DAYS:
                return True
            if dates:
                gap = 0
            if examined > _EXAMINED_DAYS or (self.has_end and period[-1] > self._last_day):
                break
        return False

    @cached_property
    def last_date(self) -> datetime | None:
        """The last date of the rule, or None if the rule never ends or produces no dates."""
        if self._until is None:
            return self._last_counted
        first, back = self.start.date(), _SEARCH_PERIOD
        while True:
            since = max(first, self._last_day - back)
            found = deque(self.iter_from(since), maxlen=1)
            if found or since == first:
                return found[0] if found else None
            back *= _SEARCH_FACTOR

    @cached_property
    def _last_counted(self) -> datetime | None:
        if "COUNT" not in self._parts:
            return None
        found = deque(islice(self._iter_ignoring_end(self.start.date()), int(self._parts["COUNT"])), maxlen=1)
        return found[0] if found else None

    def _is_after_until(self, local: datetime) -> bool:
        if self._until is None:
            return False
        if "T" in self.starts:
            return local_to_utc_lenient(local, self.tzid) > self._until
        return local.date() > self._last_day

    def _iter_ignoring_end(self, day: date) -> Iterator[datetime]:
        """Ignoring COUNT and UNTIL, yield the dates of the rule, starting on or shortly before `day`.

        The dates end before a gap in which more than twice MAX_GAP_DAYS days would have to be examined.
        """
        gap = 0
        for period, dates in self._iter_periods(day):
            gap = 0 if dates else gap + len(period)
            if gap > 2 * MAX_GAP_DAYS:
                return
            for one in dates:
                yield datetime.combine(one, self.start.time())

    def _iter_periods(self, day: date) -> Iterator[tuple[Sequence[date], Sequence[date]]]:
        """Yield the days of each period of the rule, starting on or shortly before `day`, and the dates among them."""
        first = self.start.date()
        for period in iter_periods(self._parts, self._move_start_towards(day)):
            # The week in which a weekly rule starts is counted from the start, as in dateutil.
            days = [one for one in period if one >= first] if self._parts["FREQ"] == "WEEKLY" else period
            dates = [one for one in self._days.select(days) if first <= one <= _LAST_DATE]
            yield days, dates

    def _move_start_towards(self, day: date) -> date:
        """Return the start, moved forward by whole intervals until about one interval before `day`."""
        # The start is an interval before `day`, because BYSETPOS would count wrongly in an incomplete first week.
        start, interval = self.start.date(), int(self._parts.get("INTERVAL", "1"))
        frequency = self._parts["FREQ"]
        if frequency in {"DAILY", "WEEKLY"}:
            length = interval * (7 if frequency == "WEEKLY" else 1)
            return start + timedelta(days=length * max(0, (day - start).days // length - 1))
        length = interval * (_MONTHS_PER_YEAR if frequency == "YEARLY" else 1)
        months = (day.year - start.year) * _MONTHS_PER_YEAR + day.month - start.month
        moved = length * max(0, months // length - 1)
        years, month = divmod(start.month - 1 + moved, _MONTHS_PER_YEAR)
        return date(start.year + years, 1 if frequency == "YEARLY" else month + 1, 1) if moved else start


@bounded_cache(1_000_000)
def expand_rule(rule: str, starts: str, tzid: str) -> RuleExpansion | None:
    return None if rule_error(rule, starts) else RuleExpansion(rule, starts, tzid)
