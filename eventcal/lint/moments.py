"""Dates, times, durations and offsets as RFC 5545 writes them (3.3.4, 3.3.5, 3.3.6, 3.3.14)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfoNotFoundError

from eventcal.kit.localtime import known_zone, zone

_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>\d{1,6})W|(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?)",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)([0-5]\d)?", re.ASCII)
_LEAP_SECOND = 60


class Kind(StrEnum):
    """What a value says of when: the word is how a message calls it."""

    DATE = "a date"
    UTC = "a time in UTC"
    ZONED = "a time in a zone"
    FLOATING = "a time without a zone"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date (`local` is its midnight) or a time; `tzid` is the zone that the property names, if any."""

    kind: Kind
    local: datetime
    tzid: str | None = None

    @property
    def instant(self) -> datetime | None:
        """Return what can be compared with others: UTC without a tzinfo, None where the zone is not known."""
        if self.kind is not Kind.ZONED:
            return self.local
        offset = iana_offset(self.tzid or "", self.local)
        try:
            return None if offset is None else self.local - timedelta(seconds=offset)
        except OverflowError:
            return None


def read_moment(text: str, tzid: str | None = None) -> Moment | None:
    """Return a date or time, None where it is neither; `tzid` is its zone. A leap second is the second before."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    try:
        year, month, day = map(int, found.group(1, 2, 3))
        if found[4] is None:
            return Moment(Kind.DATE, datetime(year, month, day), tzid)  # noqa: DTZ001 - a date has no zone
        hour, minute, second = map(int, found.group(4, 5, 6))
        second = second - 1 if second == _LEAP_SECOND else second
        local = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the zone stands beside it
    except ValueError:
        return None
    if found[7]:
        return Moment(Kind.UTC, local, tzid)
    return Moment(Kind.ZONED if tzid else Kind.FLOATING, local, tzid)


def read_duration(text: str) -> timedelta | None:
    """Return a duration (RFC 5545, 3.3.6), None where it is none."""
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith("P"):
        return None
    sizes = {unit: int(size) for unit, size in found.groupdict().items() if unit != "sign" and size}
    duration = timedelta(**sizes)
    return -duration if found["sign"] == "-" else duration


def read_offset(text: str) -> int | None:
    """Return a UTC offset in seconds east (RFC 5545, 3.3.14), None where it is none."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    seconds = int(found[2]) * 3_600 + int(found[3]) * 60 + int(found[4] or 0)
    return -seconds if found[1] == "-" else seconds


def iana_offset(tzid: str, local: datetime) -> int | None:
    """Return the seconds east that the IANA database has for a local time, None where it has no such zone.

    A time that comes twice is the first of the two, one that is skipped goes by the offset before (RFC 5545, 3.3.5).
    """
    if not known_zone(tzid):
        return None
    try:
        offset = local.replace(tzinfo=zone(tzid)).utcoffset()
    except (OverflowError, ValueError, ZoneInfoNotFoundError):
        return None
    return None if offset is None else round(offset.total_seconds())
