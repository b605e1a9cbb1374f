"""A linter for iCalendar feeds from eventcal and other servers.

The linter has its own parser, so that every finding has a line number. Rule codes are a stable public interface.
"""

from datetime import datetime

from eventcal.lint.line_checks import check_lines
from eventcal.lint.parser import parse_file
from eventcal.lint.rules import Finding, Severity, finding
from eventcal.lint.structure_checks import check_structure
from eventcal.lint.time_checks import check_recurrence, check_times, check_timestamps
from eventcal.lint.timezone_checks import check_zones
from eventcal.lint.value_checks import check_properties

__all__ = ["Finding", "Severity", "lint"]

_CHECKS = (check_lines, check_structure, check_times, check_recurrence, check_zones, check_properties)


def lint(octets: bytes, *, now: datetime | None = None) -> list[Finding]:
    """Return the findings, sorted by line. Timestamps in the future are reported only if the current time is given."""
    reading = parse_file(octets)
    if not reading.calendars:
        return [finding("no-calendar", 1, "there is no BEGIN:VCALENDAR")]
    return sorted([*check_timestamps(reading, now), *(found for check in _CHECKS for found in check(reading))])
