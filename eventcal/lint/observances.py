"""What a VTIMEZONE says: the offset that it gives for a local time (RFC 5545, 3.6.5).

Rules are followed as far as time zones are written with them: yearly, in a month, on a numbered weekday or on days of
the month. A zone with any other is not computed, so nothing that a feed holds takes long.
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from eventcal.kit.rrule import WEEKDAYS, parse_rule, split_weekday
from eventcal.lint.moments import Moment, read_moment, read_offset
from eventcal.lint.reading import Component

_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "WKST"})
# A rule may miss a year: 29 February does eight times in a row around 1900, a fifth Sunday for less long.
_YEARS_BACK = 8


@dataclass(frozen=True, slots=True)
class Yearly:
    """The days of a year that a rule means: `days` as (number or None, weekday 0 to 6), `dates` days of the month."""

    month: int
    days: tuple[tuple[int | None, int], ...]
    dates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Observance:
    """A STANDARD or DAYLIGHT: its written onsets in order, its rule, and the seconds east before and after."""

    onsets: tuple[datetime, ...]
    rule: Yearly | None
    until: datetime | None
    before: int
    after: int

    def latest(self, local: datetime) -> datetime | None:
        """Return the last onset no later than this reading of the clock before it."""
        at = bisect_right(self.onsets, local)
        written = self.onsets[at - 1] if at else None
        ruled = self._latest_by_rule(local)
        return max((onset for onset in (written, ruled) if onset), default=None)

    def _latest_by_rule(self, local: datetime) -> datetime | None:
        if self.rule is None or local < self.onsets[0]:
            return None
        last = min(local, self.until) if self.until else local
        first = self.onsets[0]
        for year in range(last.year, max(first.year, last.year - _YEARS_BACK) - 1, -1):
            for day in reversed(_days(self.rule, year)):
                onset = datetime.combine(day, first.time())
                if first <= onset <= last:
                    return onset
        return None


def read_observances(vtimezone: Component) -> list[Observance] | None:
    """Return a zone's observances; None where one is faulty or has a rule that is not followed here."""
    found = [_observance(part) for part in vtimezone.parts if part.name in {"STANDARD", "DAYLIGHT"}]
    whole = [observance for observance in found if observance is not None]
    return whole if whole and len(whole) == len(found) else None


def offset_at(observances: Sequence[Observance], local: datetime) -> int:
    """Return the seconds east that the zone has for a local time.

    Before every onset it is the offset before the first. A time that comes twice is the first of the two, one that is
    skipped goes by the offset before (RFC 5545, 3.3.5).
    """
    latest = [(onset, observance) for observance in observances if (onset := observance.latest(local))]
    if not latest:
        return min(observances, key=lambda observance: observance.onsets[0]).before
    onset, observance = max(latest, key=lambda pair: pair[0])
    skipped = timedelta(seconds=max(0, observance.after - observance.before))
    return observance.before if local - onset < skipped else observance.after


def _observance(component: Component) -> Observance | None:
    starts, rules = component.first("DTSTART"), component.all("RRULE")
    before, after = component.first("TZOFFSETFROM"), component.first("TZOFFSETTO")
    if starts is None or before is None or after is None or len(rules) > 1:
        return None
    since, offsets = read_moment(starts.value, starts), (read_offset(before.value), read_offset(after.value))
    onsets = [since, *(read_moment(value, one) for one in component.all("RDATE") for value in one.value.split(","))]
    if since is None or None in onsets or offsets[0] is None or offsets[1] is None:
        return None
    written = tuple(sorted(moment.local for moment in onsets if moment))
    if not rules:
        return Observance(written, None, None, offsets[0], offsets[1])
    parts = parse_rule(rules[0].value)
    rule, until = _yearly(parts, since), None
    if rule is None:
        return None
    if "UNTIL" in parts:
        until = _until(parts["UNTIL"], offsets[0])
        if until is None:
            return None
    return Observance(written, rule, until, offsets[0], offsets[1])


def _until(text: str, before: int) -> datetime | None:
    """Return an UNTIL in UTC as the clock before the onset shows it."""
    try:
        until = datetime.strptime(text, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - counted on in local time
        return until + timedelta(seconds=before)
    except (ValueError, OverflowError):
        return None


def _yearly(parts: dict[str, str], since: Moment) -> Yearly | None:
    if parts.get("FREQ") != "YEARLY" or not parts.keys() <= _RULE_PARTS or parts.get("INTERVAL", "1") != "1":
        return None
    try:
        month = int(parts.get("BYMONTH", since.local.month))
        dates = tuple(int(text) for text in parts["BYMONTHDAY"].split(",")) if "BYMONTHDAY" in parts else ()
        numbered = map(split_weekday, parts["BYDAY"].split(",")) if "BYDAY" in parts else ()
        days = tuple((number or None, WEEKDAYS.index(weekday)) for number, weekday in numbered)
    except ValueError:
        return None
    # Without its month, a numbered weekday counts through the year.
    if not 1 <= month <= 12 or (days and "BYMONTH" not in parts):  # noqa: PLR2004 - months
        return None
    return Yearly(month, days, dates if dates or days else (since.local.day,))


@lru_cache(maxsize=4096)
def _days(rule: Yearly, year: int) -> tuple[date, ...]:
    length = monthrange(year, rule.month)[1]
    month = [date(year, rule.month, day) for day in range(1, length + 1)]
    return tuple(day for day in month if _is_meant(rule, day, length))


def _is_meant(rule: Yearly, day: date, length: int) -> bool:
    by_date = not rule.dates or day.day in rule.dates or day.day - length - 1 in rule.dates
    from_start, from_end = (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)
    by_day = not rule.days or any(
        weekday == day.weekday() and number in {None, from_start, from_end} for number, weekday in rule.days
    )
    return by_date and by_day
