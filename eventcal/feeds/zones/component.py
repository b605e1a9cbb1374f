"""Writes VTIMEZONE components (RFC 5545 section 3.6.5) that every calendar program reads alike.

Outlook knows one STANDARD and one DAYLIGHT with a yearly rule; ical.js reads the first value of an RDATE only. So a
zone is written as its yearly rule where that gives every offset of the feed's dates, and otherwise onset by onset,
each an observance of its own without RRULE or RDATE.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from eventcal.feeds.zones.posix import LAST_WEEK, PosixRule, WeekdayOnset, YearlyOnset
from eventcal.feeds.zones.timeline import LocalTime, Span, Timeline, midnight
from eventcal.feeds.zones.tzif import Zone, get_zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


def vtimezone(tzid: str, first: date, last: date) -> str:
    """Give the VTIMEZONE for feed entries in a zone whose local dates lie from `first` to `last`.

    Both days count whole, and an entry that begins on the last may run a day past it; where an entry recurs, `last`
    is the date of its last occurrence. `tzid` is an IANA name, which becomes the TZID as it is, an alias too.

    The text is content lines with CRLF, the last one included, none longer than 75 octets; the same arguments and
    tzdata release give the same text. Raises ZoneInfoNotFoundError (a KeyError) for a zone that tzdata does not have
    and ValueError where `last` is before `first`.
    """
    if last < first:
        raise ValueError(f"{last} is before {first}")
    return _vtimezone(tzid, first, last)


@dataclass(frozen=True, slots=True)
class _Observance:
    """A STANDARD or DAYLIGHT sub-component; `onset` is in seconds since 1970-01-01T00:00 on the clock before it."""

    kind: Literal["STANDARD", "DAYLIGHT"]
    onset: int
    offset_before: int
    time: LocalTime
    rrule: str | None = None

    def lines(self) -> Iterator[str]:
        onset = _EPOCH + timedelta(seconds=self.onset)
        yield f"BEGIN:{self.kind}"
        yield f"DTSTART:{onset.year:04}{onset:%m%dT%H%M%S}"  # %Y would not pad the year everywhere
        yield f"TZOFFSETFROM:{_utc_offset(self.offset_before)}"
        yield f"TZOFFSETTO:{_utc_offset(self.time.offset)}"
        yield f"TZNAME:{self.time.name}"
        if self.rrule:
            yield f"RRULE:{self.rrule}"
        yield f"END:{self.kind}"


@lru_cache(maxsize=1024)
def _vtimezone(tzid: str, first: date, last: date) -> str:
    return "".join(f"{line}\r\n" for line in zone_lines(tzid, get_zone(tzid), Span.around(first, last)))


def zone_lines(tzid: str, zone: Zone, span: Span) -> list[str]:
    """Give the content lines, without their ends, of a VTIMEZONE that is right at every instant of the span."""
    actual = zone.timeline(span)
    # 1970 is the custom of other programs, but a feed of older dates needs onsets that are older still.
    since = min(_EPOCH.year, span.years.start)
    rule = zone.rule.carried() if zone.rule else None
    if rule and _recurs(rule) and rule.timeline(span).agrees_with(actual):
        observances = _yearly(rule, since)
    else:
        observances = _one_by_one(actual, since)
    lines = (line for observance in observances for line in observance.lines())
    return ["BEGIN:VTIMEZONE", f"TZID:{tzid}", *lines, "END:VTIMEZONE"]


def _recurs(rule: PosixRule) -> bool:
    return all(_rrule(change.onset) for change in rule.yearly)


def _yearly(rule: PosixRule, since: int) -> list[_Observance]:
    if not rule.yearly:
        return [_constant(rule.standard, since)]
    observances = [
        _Observance(
            kind=_kind(change.before, change.after),
            onset=change.onset.local(since),
            offset_before=change.before.offset,
            time=change.after,
            rrule=_rrule(change.onset),
        )
        for change in rule.yearly
    ]
    return sorted(observances, key=lambda observance: observance.kind, reverse=True)


def _rrule(onset: YearlyOnset) -> str | None:
    """Give the yearly rule in the only shape that Outlook reads, None where the onset does not have it."""
    if not isinstance(onset, WeekdayOnset):
        return None
    week = -1 if onset.week == LAST_WEEK else onset.week
    return f"FREQ=YEARLY;BYMONTH={onset.month};BYDAY={week}{_WEEKDAYS[onset.weekday]}"


def _one_by_one(actual: Timeline, since: int) -> list[_Observance]:
    observances = [_constant(actual.opening, since)]
    before = actual.opening
    for change in actual.changes:
        local = change.at + before.offset
        observances.append(_Observance(_kind(before, change.to), local, before.offset, change.to))
        before = change.to
    return observances


def _constant(time: LocalTime, since: int) -> _Observance:
    return _Observance("STANDARD", midnight(date(since, 1, 1).toordinal()), time.offset, time)


def _kind(before: LocalTime, after: LocalTime) -> Literal["STANDARD", "DAYLIGHT"]:
    """Call the later clock DAYLIGHT: Outlook takes DAYLIGHT for the greater of the two offsets."""
    return "DAYLIGHT" if after.offset > before.offset else "STANDARD"


def _utc_offset(seconds: int) -> str:
    """Write a UTC offset (RFC 5545 section 3.3.14): seconds only where there are some, zero always positive."""
    hours, rest = divmod(abs(seconds), 3_600)
    sign = "-" if seconds < 0 else "+"
    text = f"{sign}{hours:02}{rest // 60:02}"
    return f"{text}{rest % 60:02}" if rest % 60 else text
