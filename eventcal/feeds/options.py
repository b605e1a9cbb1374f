"""Entries as a feed was asked to give them: times in UTC, what was called off marked or hidden."""

from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from eventcal.feeds.entries.entry import CalendarEntry, Status
from eventcal.kit.localtime import local_to_utc


class Cancelled(StrEnum):
    """What becomes of entries that were called off."""

    KEEP = "keep"
    HIDE = "hide"
    MARK = "mark"


def adapted(entry: CalendarEntry, *, cancelled: Cancelled, utc: bool) -> CalendarEntry:
    """Return the entry in UTC if that is asked for, and what was called off of it as it is asked for.

    Entries that are called off as a whole are hidden before they come here. One that recurs keeps its zone, for in
    UTC it would move with daylight-saving time.
    """
    if utc and not entry.recurrence:
        entry = _in_utc(entry)
    if cancelled == Cancelled.MARK:
        return _marked(entry)
    return _without_cancelled(entry) if cancelled == Cancelled.HIDE else entry


def _in_utc(entry: CalendarEntry) -> CalendarEntry:
    return replace(entry, zone="UTC", starts=_moved(entry.starts, entry.zone), ends=_moved(entry.ends, entry.zone))


def _moved(moment: date | datetime, tzid: str) -> date | datetime:
    if not isinstance(moment, datetime):
        return moment
    return local_to_utc(moment, tzid).replace(tzinfo=None)


def _marked(entry: CalendarEntry) -> CalendarEntry:
    """Return the entry as if it took place, for clients that hide the other; its title says that it does not."""
    status = Status.CONFIRMED if entry.status == Status.CANCELLED else entry.status
    overrides = tuple(replace(one, entry=_marked(one.entry)) for one in entry.overrides)
    return replace(entry, status=status, overrides=overrides)


def _without_cancelled(entry: CalendarEntry) -> CalendarEntry:
    off = [one.occurrence for one in entry.overrides if one.entry.status == Status.CANCELLED]
    if not off:
        return entry
    kept = tuple(one for one in entry.overrides if one.entry.status != Status.CANCELLED)
    return replace(entry, excluded=tuple(sorted([*entry.excluded, *off])), overrides=kept)
