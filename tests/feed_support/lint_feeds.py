"""A calendar that passes the linter, and variants with one error each."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

VALID_FEED = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Talks//EN
CALSCALE:GREGORIAN
NAME:Talks
X-WR-CALNAME:Talks
X-WR-TIMEZONE:Europe/Berlin
SOURCE;VALUE=URI:https://example.org/talks.ics
REFRESH-INTERVAL;VALUE=DURATION:PT1H
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:one@example.org
DTSTAMP:20260210T100000Z
CREATED:20260201T100000Z
LAST-MODIFIED:20260210T100000Z
SEQUENCE:2
SUMMARY:Bread\\, butter\\; jam \N{EN DASH} a talk
DTSTART;TZID=Europe/Berlin:20260610T090000
DTEND;TZID=Europe/Berlin:20260610T100000
EXDATE;TZID=Europe/Berlin:20260617T090000
RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20260701T070000Z
DESCRIPTION:Every Wednesday.\\nC:\\\\New holds more.
LOCATION:Room 1
GEO:52.520000;13.405000
CATEGORIES:food,bread\\, butter
STATUS:CONFIRMED
TRANSP:OPAQUE
CLASS:PUBLIC
PRIORITY:5
URL:https://example.org/talks/1?a=b%20c
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Soon
TRIGGER:-PT10M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:two@example.org
DTSTAMP:20260210T100000Z
SUMMARY:Three days
DTSTART;VALUE=DATE:20260610
DURATION:P3D
END:VEVENT
BEGIN:VEVENT
UID:three@example.org
DTSTAMP:20260210T100000Z
SUMMARY:A day
DTSTART;VALUE=DATE:20260615
DTEND;VALUE=DATE:20260616
END:VEVENT
BEGIN:VEVENT
UID:four@example.org
DTSTAMP:20260210T100000Z
SUMMARY:An hour
DTSTART:20260616T100000Z
DTEND:20260616T110000Z
END:VEVENT
END:VCALENDAR
"""

BERLIN_VTIMEZONE = VALID_FEED[VALID_FEED.index("BEGIN:VTIMEZONE") : VALID_FEED.index("BEGIN:VEVENT")]
ONE_DAY_VEVENT = VALID_FEED[VALID_FEED.index("BEGIN:VEVENT\nUID:three") : VALID_FEED.index("BEGIN:VEVENT\nUID:four")]


def to_crlf_bytes(text: str) -> bytes:
    """Return the bytes of a calendar with CRLF line ends."""
    return text.replace("\n", "\r\n").encode()


@dataclass(frozen=True)
class LintCase:
    """A calendar with one error, and the code and line number that the linter reports for the error."""

    code: str
    data: bytes
    line: int
    id: str = ""

    def with_name(self, name: str) -> "LintCase":
        """Return the same case with another name."""
        return replace(self, id=f"{self.code}-{name}")


def make_case(code: str, edits: dict[str, str], at: str | int) -> LintCase:
    """Return a case with the first occurrence of each text in the valid calendar replaced.

    `at` is the line number of the error, or the text with which the line begins.
    """
    text = VALID_FEED
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return LintCase(code, to_crlf_bytes(text), at if isinstance(at, int) else find_line(text, at), id=code)


def find_line(text: str, begins: str) -> int:
    """Return the number of the first line that begins with this text."""
    return next(number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(begins))
