"""Parsing of dates, times, durations and UTC offsets (RFC 5545, sections 3.3.4, 3.3.5, 3.3.6 and 3.3.14)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from eventcal.kit.localtime import get_zone

_DATE_OR_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>\d{1,6})W|(?:(?P<days>\d{1,7})D)?"
    # Hours and seconds require minutes between them.
    r"(?:T(?=\d)(?!\d+H\d+S)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?)",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)([0-5]\d)?", re.ASCII)
_LEAP_SECOND = 60


class TimeKind(StrEnum):
    """The kind of a date or time. The value of each enum member is used in messages."""

    DATE = "a date"
    UTC = "a time in UTC"
    ZONED = "a time in a time zone"
    FLOATING = "a time without a time zone"


@dataclass(frozen=True, slots=True)
class TimeValue:
    """A date, stored as midnight in `local`, or a time. `tzid` is the TZID parameter of the property, or None."""

    kind: TimeKind
    local: datetime
    tzid: str | None = None

    @property
    def utc(self) -> datetime | None:
        """The time in UTC, or None if the time zone is unknown. Dates and floating times are treated as UTC."""
        if self.kind is not TimeKind.ZONED:
            return self.local
        offset = iana_utc_offset(self.tzid or "", self.local)
        try:
            return None if offset is None else self.local - timedelta(seconds=offset)
        except OverflowError:
            return None


def parse_time_value(text: str, tzid: str | None = None) -> TimeValue | None:
    """Return the parsed date or time, or None if `text` is invalid. A leap second (60) is treated as second 59."""
    found = _DATE_OR_TIME.fullmatch(text)
    if found is None:
        return None
    try:
        year, month, day = map(int, found.group(1, 2, 3))
        if found[4] is None:
            return TimeValue(TimeKind.DATE, datetime(year, month, day), tzid)  # noqa: DTZ001 - a date has no zone
        hour, minute, second = map(int, found.group(4, 5, 6))
        second = second - 1 if second == _LEAP_SECOND else second
        local = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the zone is stored separately
    except ValueError:
        return None
    kind = TimeKind.UTC if found[7] else TimeKind.ZONED if tzid else TimeKind.FLOATING
    return TimeValue(kind, local, tzid)


def parse_duration(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith("P"):
        return None
    sizes = {unit: int(size) for unit, size in found.groupdict().items() if unit != "sign" and size}
    duration = timedelta(**sizes)
    return -duration if found["sign"] == "-" else duration


def parse_utc_offset(text: str) -> int | None:
    """Return the UTC offset (RFC 5545, section 3.3.14) in seconds east of UTC, or None if `text` is invalid."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    seconds = int(found[2]) * 3_600 + int(found[3]) * 60 + int(found[4] or 0)
    return -seconds if found[1] == "-" else seconds


def iana_utc_offset(tzid: str, local: datetime) -> int | None:
    """Return the UTC offset, in seconds, of a local time in an IANA time zone, or None if the time zone is unknown.

    For a time that is repeated or skipped, the offset before the clock change is used (RFC 5545, section 3.3.5).
    """
    try:
        offset = local.replace(tzinfo=get_zone(tzid), fold=0).utcoffset()
    except (OverflowError, ValueError):
        return None
    return None if offset is None else round(offset.total_seconds())
