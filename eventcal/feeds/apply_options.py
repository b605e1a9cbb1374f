"""Feed options that modify entries: times in UTC, and the handling of cancelled entries."""

from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from eventcal.feeds.entries.entry import CalendarEntry, Status
from eventcal.kit.localtime import local_to_utc_lenient


class Cancelled(StrEnum):
    """How cancelled entries appear in a feed: unchanged, not at all, or with the status CONFIRMED."""

    KEEP = "keep"
    HIDE = "hide"
    MARK = "mark"


def apply_options(entry: CalendarEntry, *, cancelled: Cancelled, utc: bool) -> CalendarEntry:
    """Return the entry after applying the options for cancelled occurrences and UTC times.

    `Cancelled.HIDE` excludes only cancelled occurrences, so callers must remove entries that are cancelled as a whole.
    Recurring entries keep their time zone, because the local times of a recurrence rule in UTC would shift with
    daylight-saving time.
    """
    if utc and not entry.recurrence:
        entry = _convert_to_utc(entry)
    if cancelled == Cancelled.MARK:
        return _mark_as_confirmed(entry)
    return _exclude_cancelled(entry) if cancelled == Cancelled.HIDE else entry


def _convert_to_utc(entry: CalendarEntry) -> CalendarEntry:
    starts, ends = (_to_naive_utc(local, entry.zone) for local in (entry.starts, entry.ends))
    return replace(entry, zone="UTC", starts=starts, ends=ends)


def _to_naive_utc(moment: date | datetime, tzid: str) -> date | datetime:
    if not isinstance(moment, datetime):
        return moment
    return local_to_utc_lenient(moment, tzid).replace(tzinfo=None)


def _mark_as_confirmed(entry: CalendarEntry) -> CalendarEntry:
    """Return the entry with the status CONFIRMED, for clients that hide cancelled entries."""
    status = Status.CONFIRMED if entry.status == Status.CANCELLED else entry.status
    overrides = tuple(replace(one, entry=_mark_as_confirmed(one.entry)) for one in entry.overrides)
    return replace(entry, status=status, overrides=overrides)


def _exclude_cancelled(entry: CalendarEntry) -> CalendarEntry:
    off = [one.occurrence for one in entry.overrides if one.entry.status == Status.CANCELLED]
    if not off:
        return entry
    kept = tuple(one for one in entry.overrides if one.entry.status != Status.CANCELLED)
    return replace(entry, excluded=tuple(sorted([*entry.excluded, *off])), overrides=kept)
