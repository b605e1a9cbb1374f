"""A linter for calendars that are subscribed to, ours and everybody's: octets in, findings out.

It reads the octets themselves and not what a library makes of them, so every finding has its line. `rules.toml` has
every rule; a rule's code is for programs and does not change.
"""

from datetime import datetime

from eventcal.lint.lines import check_lines
from eventcal.lint.properties import check_properties
from eventcal.lint.reading import read
from eventcal.lint.rules import Finding, Severity, finding
from eventcal.lint.structure import check_publishing, check_structure
from eventcal.lint.times import check_recurrence, check_stamps, check_times
from eventcal.lint.zones import check_zones

__all__ = ["Finding", "Severity", "lint"]

_CHECKS = (
    *(check_lines, check_structure, check_times, check_recurrence, check_zones, check_properties),
    check_publishing,
)


def lint(data: bytes, *, now: datetime | None = None) -> list[Finding]:
    """Return what is wrong with a calendar, by line; never raises, whatever the octets are.

    `now` has a zone; without it, nothing is said of stamps that lie in the future.
    """
    reading = read(data)
    if not reading.calendars:
        return [finding("no-calendar", 1, "there is no BEGIN:VCALENDAR")]
    return sorted([*check_stamps(reading, now), *(found for check in _CHECKS for found in check(reading))])
