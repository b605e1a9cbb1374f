"""VTIMEZONE components (RFC 5545, section 3.6.5) that all common calendar clients interpret in the same way.

A zone is written with its yearly rule if the rule is correct for all dates of the feed, and otherwise with one
observance for each offset change. Outlook supports only one STANDARD and one DAYLIGHT component with a yearly rule.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from eventcal.feeds.formats.components import Component, Property, ValueType, text_property
from eventcal.feeds.zones.posix import (
    LAST_WEEK,
    LocalTime,
    OffsetChange,
    PosixRule,
    Span,
    WeekdayOnset,
    midnight_seconds,
    offsets_within,
)
from eventcal.feeds.zones.tzif import Zone, get_zone
from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.localtime import LAST_YEAR

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


@bounded_cache(2_000_000)
def vtimezone(tzid: str, first: date, last: date) -> Component:
    """Return the VTIMEZONE for entries with local dates from `first` to `last`, both inclusive.

    An entry that starts on the last day can end on the next day. Raises ZoneInfoNotFoundError (a KeyError) if tzdata
    does not contain the zone, and ValueError if `last` is before `first`.
    """
    if last < first:
        raise ValueError(f"{last} is before {first}")
    return zone_component(tzid, get_zone(tzid), Span.covering_days(first, last))


def vtimezone_of_yearly_rule(tzid: str) -> Component:
    """Return a VTIMEZONE without reference to any entry: the one for the last supported year, when only the rule holds.

    Raises ZoneInfoNotFoundError (a KeyError) if tzdata does not contain the zone.
    """
    last = date(LAST_YEAR, 12, 31)
    return vtimezone(tzid, last, last)


def zone_component(tzid: str, zone: Zone, span: Span) -> Component:
    """Return a VTIMEZONE that is correct at every instant of the span.

    One-time observances begin with the last change before the span, and not with an observance whose offsets are equal,
    because ical4j ignores an observance that changes nothing.
    """
    actual = zone.offsets_within(span)
    # Onsets start in 1970 by convention, but a feed with older dates requires older onsets.
    since = min(_EPOCH.year, span.years.start)
    rule = _normalise_onset_hours(zone.rule) if zone.rule else None
    if rule and _offset_changes(offsets_within(rule.changes_in_years(span.years), span)) == _offset_changes(actual):
        observances = _yearly_observances(rule, since)
    else:
        changed = [_build_observance(new.at + old.to.offset, old.to, new.to) for old, new in pairwise(actual)]
        observances = [_first_observance(zone, span, since), *changed]
        # Outlook requires a STANDARD component.
        if all(observance.name == "DAYLIGHT" for observance in observances):
            observances[0] = replace(observances[0], name="STANDARD")
    return Component("VTIMEZONE", (text_property("TZID", tzid),), tuple(observances))


def _offset_changes(changes: Sequence[OffsetChange]) -> list[tuple[int, int]]:
    return [(change.at, change.to.offset) for change in changes]


def _normalise_onset_hours(rule: PosixRule) -> PosixRule | None:
    """Return the rule with onset hours below 24, as Outlook requires, or None if an onset is not defined by weekday.

    In some years, an onset of the returned rule can be a week earlier than the original onset.
    """
    onsets = [change.onset.with_hour_in_day() for change in rule.yearly if isinstance(change.onset, WeekdayOnset)]
    if len(onsets) < len(rule.yearly):
        return None
    yearly = [replace(change, onset=onset) for change, onset in zip(rule.yearly, onsets, strict=True)]
    return replace(rule, yearly=tuple(yearly))


def _yearly_observances(rule: PosixRule, first_year: int) -> list[Component]:
    if not rule.yearly:
        return [_constant_observance(rule.standard, first_year)]
    observances = []
    for change in rule.yearly:
        if isinstance(change.onset, WeekdayOnset):
            onset, rrule = change.onset.local_seconds(first_year), _format_rrule(change.onset)
            observances.append(_build_observance(onset, change.before, change.after, rrule=rrule))
    return sorted(observances, key=lambda observance: observance.name, reverse=True)


def _format_rrule(onset: WeekdayOnset) -> str:
    week = -1 if onset.week == LAST_WEEK else onset.week
    return f"FREQ=YEARLY;BYMONTH={onset.month};BYDAY={week}{_WEEKDAYS[onset.weekday]}"


def _first_observance(zone: Zone, span: Span, first_year: int) -> Component:
    """Return the observance of the last change before the span, or a constant one if the offset never changed."""
    current = zone.offsets_within(span)[0].to
    change = zone.last_change_before(span)
    if change is None:
        return _constant_observance(current, first_year)
    before, at = change
    return _build_observance(at + before.offset, before, current)


def _constant_observance(time: LocalTime, first_year: int) -> Component:
    return _build_observance(midnight_seconds(date(first_year, 1, 1).toordinal()), time, time)


def _build_observance(onset: int, before: LocalTime, after: LocalTime, *, rrule: str | None = None) -> Component:
    """Return a component of a VTIMEZONE. `onset` is a local time in the previous offset, in seconds since 1970."""
    properties = [
        Property("DTSTART", ValueType.DATE_TIME, (_EPOCH + timedelta(seconds=onset),)),
        Property("TZOFFSETFROM", ValueType.UTC_OFFSET, (_format_utc_offset(before.offset),)),
        Property("TZOFFSETTO", ValueType.UTC_OFFSET, (_format_utc_offset(after.offset),)),
        text_property("TZNAME", after.name),
    ]
    if rrule:
        properties.append(Property("RRULE", ValueType.RECUR, (rrule,)))
    # Outlook expects the component with the greater offset to be DAYLIGHT.
    return Component("DAYLIGHT" if after.offset > before.offset else "STANDARD", tuple(properties))


def _format_utc_offset(seconds: int) -> str:
    """Return a formatted UTC offset (RFC 5545, section 3.3.14), without seconds if the seconds are zero."""
    hours, rest = divmod(abs(seconds), 3_600)
    text = f"{'-' if seconds < 0 else '+'}{hours:02}{rest // 60:02}"
    return f"{text}{rest % 60:02}" if rest % 60 else text
