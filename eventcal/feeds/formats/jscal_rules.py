"""Recurrence rules as JSCalendar has them (RFC 8984, 4.3.3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.feeds.formats.value_format import NUMBERS, rule_parts
from eventcal.feeds.formats.vevent import rule_of
from eventcal.kit.localtime import zone
from eventcal.kit.rrule import split_weekday

_NAMES = {
    "freq": "frequency",
    "interval": "interval",
    "count": "count",
    "until": "until",
    "wkst": "firstDayOfWeek",
    "byday": "byDay",
    "bymonthday": "byMonthDay",
    "bymonth": "byMonth",
    "byyearday": "byYearDay",
    "byweekno": "byWeekNo",
    "bysetpos": "bySetPosition",
}


def rules_of(entry: CalendarEntry, zone_name: str | None) -> list[dict[str, Any]]:
    """Return the entry's rule as a list of one, or of none where it has none that can be said.

    zone_name: the zone that its start is written in, None for days; UNTIL is local to it.
    """
    # iCalendar's rule, so that all formats say the same.
    rule = rule_of(entry)
    return [] if rule is None else [_rule(rule, zone_name)]


def _rule(rule: str, zone_name: str | None) -> dict[str, Any]:
    parts = [(name, _NAMES[name], values) for name, values in rule_parts(rule).items()]
    return {"@type": "RecurrenceRule", **{title: _value(name, values, zone_name) for name, title, values in parts}}


def _value(name: str, values: Sequence[str], zone_name: str | None) -> Any:  # noqa: ANN401 - as JSON has it
    if name in {"freq", "wkst"}:
        return values[0].lower()
    if name in {"interval", "count"}:
        return int(values[0])
    if name == "until":
        return _until(values[0], zone_name)
    if name == "byday":
        return [_day(value) for value in values]
    # Months are text, for other calendars than ours have leap months.
    return [int(value) for value in values] if name in NUMBERS - {"bymonth"} else list(values)


def _day(value: str) -> dict[str, Any]:
    number, weekday = split_weekday(value)
    day = {"@type": "NDay", "day": weekday.lower()}
    return day if number is None else {**day, "nthOfPeriod": number}


def _until(value: str, zone_name: str | None) -> str:
    if zone_name is None or "T" not in value:
        return f"{value[:10]}T00:00:00"
    return datetime.fromisoformat(value).astimezone(zone(zone_name)).replace(tzinfo=None).isoformat(timespec="seconds")
