"""Options of feeds, applied to entries: times in UTC, and cancelled entries marked or hidden."""

from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from eventcal.feeds.entries.entry import CalendarEntry, Status
from eventcal.kit.localtime import local_to_utc_lenient


class Cancelled(StrEnum):
    """The treatment of cancelled entries."""

    KEEP = "keep"
    HIDE = "hide"
    MARK = "mark"


def apply_options(entry: CalendarEntry, *, cancelled: Cancelled, utc: bool) -> CalendarEntry:
    """Return the entry with times in UTC if requested, and with the option for cancelled occurrences applied.

    Entries that are cancelled as a whole must be hidden by the caller. A recurring entry keeps its zone, because in UTC
    it would shift with daylight-saving time.
    """
    if utc and not entry.recurrence:
        entry = _convert_to_utc(entry)
    if cancelled == Cancelled.MARK:
        return _mark_as_confirmed(entry)
    return _exclude_cancelled(entry) if cancelled == Cancelled.HIDE else entry


def _convert_to_utc(entry: CalendarEntry) -> CalendarEntry:
    return replace(
        entry, zone="UTC", starts=_to_naive_utc(entry.starts, entry.zone), ends=_to_naive_utc(entry.ends, entry.zone)
    )


def _to_naive_utc(moment: date | datetime, tzid: str) -> date | datetime:
    if not isinstance(moment, datetime):
        return moment
    return local_to_utc_lenient(moment, tzid).replace(tzinfo=None)


def _mark_as_confirmed(entry: CalendarEntry) -> CalendarEntry:
    """Return the entry as confirmed, for clients that hide cancelled entries; its title says that it is cancelled."""
    status = Status.CONFIRMED if entry.status == Status.CANCELLED else entry.status
    overrides = tuple(replace(one, entry=_mark_as_confirmed(one.entry)) for one in entry.overrides)
    return replace(entry, status=status, overrides=overrides)


def _exclude_cancelled(entry: CalendarEntry) -> CalendarEntry:
    off = [one.occurrence for one in entry.overrides if one.entry.status == Status.CANCELLED]
    if not off:
        return entry
    kept = tuple(one for one in entry.overrides if one.entry.status != Status.CANCELLED)
    return replace(entry, excluded=tuple(sorted([*entry.excluded, *off])), overrides=kept)
