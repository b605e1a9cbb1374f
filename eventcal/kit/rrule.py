"""Reading and writing RRULE values (RFC 5545, 3.3.10), without deciding which of them are valid."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from eventcal.kit.localtime import local_to_utc, zone

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)


def split_rule(rule: str) -> list[tuple[str, str]]:
    """Return the name and the value of each part, in upper case and in order; a name may occur several times."""
    pairs = (part.partition("=") for part in rule.upper().split(";"))
    return [(name, value) for name, _, value in pairs]


def parse_rule(rule: str) -> dict[str, str]:
    """Return the value of each part by its name, in upper case; of several parts with one name, the last."""
    return dict(split_rule(rule))


def format_rule(parts: Mapping[str, str]) -> str:
    """Return the rule with these parts, in their order."""
    return ";".join(f"{name}={value}" for name, value in parts.items())


def split_weekday(value: str) -> tuple[int | None, str]:
    """Return the number and the weekday of one value of BYDAY: (-1, "FR") for -1FR, (None, "FR") for FR.

    Raises ValueError if what precedes the weekday is not a number.
    """
    return int(value[:-2]) if value[:-2] else None, value[-2:]


@dataclass(frozen=True)
class Until:
    """The value of UNTIL: a date, or a time in UTC or local to the time zone of the rule."""

    day: date
    clock: time | None
    in_utc: bool

    def instant(self, tzid: str) -> datetime:
        """Return the last instant that the rule includes, in UTC; a date includes the whole day."""
        local = datetime.combine(self.day, self.clock or time(23, 59, 59))
        return local.replace(tzinfo=UTC) if self.in_utc else local_to_utc(local, tzid)

    def last_day(self, tzid: str) -> date:
        """Return the local date of the last instant that the rule includes."""
        return self.instant(tzid).astimezone(zone(tzid)).date()


def parse_until(value: str) -> Until:
    """Return what UNTIL says. Raises ValueError if it is neither a date nor a time."""
    found = _UNTIL.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!a} is neither a date nor a time")
    day = datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    return Until(day, time.fromisoformat(found[2]) if found[2] else None, found[3] == "Z")
