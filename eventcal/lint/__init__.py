"""A linter for iCalendar feeds, those of eventcal and of other servers.

It parses the octets itself instead of using a library, so that every finding has a line number. `rules.toml` defines
the rules. The code of a rule is stable, so that programs can rely on it.
"""

from datetime import datetime

from eventcal.lint.lines import check_lines
from eventcal.lint.parser import parse_file
from eventcal.lint.properties import check_properties
from eventcal.lint.rules import Finding, Severity, finding
from eventcal.lint.structure import check_structure, check_subscription_properties
from eventcal.lint.times import check_recurrence, check_times, check_timestamps
from eventcal.lint.timezones import check_zones

__all__ = ["Finding", "Severity", "lint"]

_CHECKS = (
    *(check_lines, check_structure, check_times, check_recurrence, check_zones, check_properties),
    check_subscription_properties,
)


def lint(octets: bytes, *, now: datetime | None = None) -> list[Finding]:
    """Return the findings for a calendar, sorted by line. Never raises, whatever the octets are.

    `now` is an aware datetime. Without it, timestamps are not checked for being in the future.
    """
    reading = parse_file(octets)
    if not reading.calendars:
        return [finding("no-calendar", 1, "there is no BEGIN:VCALENDAR")]
    return sorted([*check_timestamps(reading, now), *(found for check in _CHECKS for found in check(reading))])
