"""Parsing and formatting of RRULE values (RFC 5545, section 3.3.10), without validation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from eventcal.kit.localtime import get_zone, local_to_utc_lenient

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)


def split_rule(rule: str) -> list[tuple[str, str]]:
    """Return the upper-case names and values of the rule parts, in order. A name can occur several times."""
    return [(name, value) for name, _, value in (part.partition("=") for part in rule.upper().split(";"))]


def parse_rule(rule: str) -> dict[str, str]:
    """Return a dict from rule part names to values in upper case. If a name is repeated, the last value is used."""
    return dict(split_rule(rule))


def format_rule(parts: Mapping[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in parts.items())


def split_weekday(value: str) -> tuple[int | None, str]:
    """Return (-1, "FR") for the BYDAY value -1FR, and (None, "FR") for FR. Raises ValueError for an invalid number."""
    return int(value[:-2]) if value[:-2] else None, value[-2:]


@dataclass(frozen=True)
class Until:
    """An UNTIL value: a date, a UTC time, or a local time in the time zone of the rule."""

    day: date
    time_of_day: time | None
    is_utc: bool

    def instant(self, tzid: str) -> datetime:
        """Return the last instant that the rule includes, in UTC. If UNTIL is a date, the whole day is included."""
        local = datetime.combine(self.day, self.time_of_day or time(23, 59, 59))
        return local.replace(tzinfo=UTC) if self.is_utc else local_to_utc_lenient(local, tzid)

    def last_day(self, tzid: str) -> date:
        return self.instant(tzid).astimezone(get_zone(tzid)).date()


def parse_until(value: str) -> Until:
    """Parse an UNTIL value. Raises ValueError if the value is neither a date nor a time."""
    found = _UNTIL.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!a} is neither a date nor a time")
    day = datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    return Until(day, time.fromisoformat(found[2]) if found[2] else None, found[3] == "Z")
