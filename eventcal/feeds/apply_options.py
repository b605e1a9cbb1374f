"""Feed options that modify entries: times in UTC, and the handling of cancelled entries."""

from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from eventcal.feeds.entries.entry import CalendarEntry, Status
from eventcal.kit.localtime import local_to_utc_lenient


class Cancelled(StrEnum):
    """The treatment of cancelled entries in a feed: unchanged, hidden, or shown with the status CONFIRMED."""

    KEEP = "keep"
    HIDE = "hide"
    MARK = "mark"


def apply_options(entry: CalendarEntry, *, cancelled: Cancelled, utc: bool) -> CalendarEntry:
    """Return the entry with the options applied.

    `Cancelled.HIDE` excludes only cancelled occurrences, so callers must remove entries that are cancelled as a whole.
    """
    # Recurring entries keep their time zone, because a recurrence rule in UTC would not follow daylight-saving time.
    if utc and not entry.recurrence:
        starts, ends = _to_naive_utc(entry.starts, entry.zone), _to_naive_utc(entry.ends, entry.zone)
        entry = replace(entry, zone="UTC", starts=starts, ends=ends)
    if cancelled == Cancelled.MARK:
        return _mark_as_confirmed(entry)
    return _exclude_cancelled(entry) if cancelled == Cancelled.HIDE else entry


def _to_naive_utc(moment: date | datetime, tzid: str) -> date | datetime:
    return local_to_utc_lenient(moment, tzid).replace(tzinfo=None) if isinstance(moment, datetime) else moment


def _mark_as_confirmed(entry: CalendarEntry) -> CalendarEntry:
    # Some clients hide entries with the status CANCELLED.
    status = Status.CONFIRMED if entry.status == Status.CANCELLED else entry.status
    overrides = tuple(replace(one, entry=_mark_as_confirmed(one.entry)) for one in entry.overrides)
    return replace(entry, status=status, overrides=overrides)


def _exclude_cancelled(entry: CalendarEntry) -> CalendarEntry:
    off = [one.occurrence for one in entry.overrides if one.entry.status == Status.CANCELLED]
    kept = tuple(one for one in entry.overrides if one.entry.status != Status.CANCELLED)
    return replace(entry, excluded=tuple(sorted([*entry.excluded, *off])), overrides=kept)
