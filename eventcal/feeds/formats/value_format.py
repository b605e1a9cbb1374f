"""Values that several formats write alike, above all jCal and xCal (RFC 7265, 3.6; RFC 6321, 3.6)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from eventcal.kit.localtime import format_local, format_utc
from eventcal.kit.rrule import parse_rule, parse_until

# The parts of a rule that are numbers, or lists of them.
NUMBERS = frozenset(
    {"interval", "count", "bysecond", "byminute", "byhour", "bymonthday", "byyearday", "byweekno", "bymonth"}
    | {"bysetpos"}
)


def moment(value: datetime) -> str:
    """Return `2014-06-04T13:30:00` for a naive time, the same with a Z for one in UTC."""
    return format_local(value) if value.tzinfo is None else format_utc(value)


def offset(value: str) -> str:
    """Return `-05:00` for the UTC-OFFSET `-0500` (RFC 5545, 3.3.14); seconds stay where there are some."""
    return ":".join([value[:3], value[3:5], *([value[5:]] if value[5:] else [])])


def degrees(number: float) -> float:
    """Return a latitude or longitude on six decimals (RFC 5545, 3.8.1.6), without a negative zero."""
    return round(number, 6) + 0.0


def rule_parts(rule: str) -> Mapping[str, Sequence[str]]:
    """Return the values of each part of a RECUR as RFC 5545 writes it, by its name in lower case, in their order.

    UNTIL is `2014-06-04` or `2014-06-04T13:30:00Z`, all else is as it was.
    """
    return {
        name.lower(): [_until(value)] if name == "UNTIL" else value.split(",")
        for name, value in parse_rule(rule).items()
    }


def _until(value: str) -> str:
    until = parse_until(value)
    return str(until.day) if until.clock is None else f"{until.day}T{until.clock}{'Z' if until.in_utc else ''}"
