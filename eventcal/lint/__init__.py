"""A linter for calendars that are subscribed to, ours and everybody's: octets in, findings out.

It reads the octets themselves and not what a library makes of them, so every finding has its line. `catalogue` has
every rule; a rule's code is for programs and does not change.
"""

from datetime import datetime

from eventcal.lint.findings import Finding, Severity
from eventcal.lint.lines import check_lines
from eventcal.lint.properties import check_properties
from eventcal.lint.publishing import check_publishing
from eventcal.lint.reading import read
from eventcal.lint.recurrence import check_recurrence
from eventcal.lint.structure import NO_CALENDAR, check_structure
from eventcal.lint.text import check_text
from eventcal.lint.times import check_stamps, check_times
from eventcal.lint.zones import check_zones

__all__ = ["Finding", "Severity", "lint"]


def lint(data: bytes, *, now: datetime | None = None) -> list[Finding]:
    """Return what is wrong with a calendar, by line; never raises, whatever the octets are.

    `now` has a zone; without it, nothing is said of stamps that lie in the future.
    """
    reading = read(data)
    if not reading.calendars:
        return [NO_CALENDAR.at(1, "there is no BEGIN:VCALENDAR")]
    return sorted(
        [
            *check_lines(reading),
            *check_structure(reading),
            *check_times(reading),
            *check_stamps(reading, now),
            *check_recurrence(reading),
            *check_zones(reading),
            *check_text(reading),
            *check_properties(reading),
            *check_publishing(reading),
        ]
    )
