"""The C library libical, which Evolution and other programs use, called with ctypes."""

import ctypes
import ctypes.util
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime

import pytest

from tests.readers.libraries import Occurrence


class _Time(ctypes.Structure):
    """The struct icaltimetype of libical 3."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second", "is_date")),
        ("is_daylight", ctypes.c_int),
        ("zone", ctypes.c_void_p),
    )


_VEVENT = 4
_MOST_OCCURRENCES = 2_000


def _load_libical() -> ctypes.CDLL:
    name = ctypes.util.find_library("ical")
    if name is None or not name.endswith(".3"):
        pytest.skip("libical 3 is not installed: install the Debian package libical3")
    library = ctypes.CDLL(name)
    for function in ("get_first_component", "get_next_component", "get_first_property"):
        getattr(library, f"icalcomponent_{function}").restype = ctypes.c_void_p
    library.icalparser_parse_string.restype = ctypes.c_void_p
    for function in ("icalcomponent_get_summary", "icalcomponent_get_uid", "icalproperty_get_value_as_string"):
        getattr(library, function).restype = ctypes.c_char_p
    for function in ("get_dtstart", "get_dtend", "get_recurrenceid"):
        getattr(library, f"icalcomponent_{function}").restype = _Time
    library.icaltime_as_timet_with_zone.restype = ctypes.c_int64
    return library


def read_with_libical(feed: str, first: date, last: date) -> set[Occurrence]:
    """Return the occurrences that begin between two days, except those of rules with more than 2,000 occurrences."""
    library = _load_libical()
    calendar = ctypes.c_void_p(library.icalparser_parse_string(feed.encode()))
    events = list[ctypes.c_void_p]()
    pointer = library.icalcomponent_get_first_component(calendar, _VEVENT)
    while pointer:
        events.append(ctypes.c_void_p(pointer))
        pointer = library.icalcomponent_get_next_component(calendar, _VEVENT)
    changed = {
        (library.icalcomponent_get_uid(event), _local(library.icalcomponent_get_recurrenceid(event)))
        for event in events
    }
    found = {one for event in events for one in _expand_with_libical(library, event, changed)}
    library.icalcomponent_free(calendar)
    return {
        one for one in found if first <= (one.start.date() if isinstance(one.start, datetime) else one.start) < last
    }


def _expand_with_libical(
    library: ctypes.CDLL, event: ctypes.c_void_p, changed: AbstractSet[tuple[bytes, datetime | None]]
) -> Iterator[Occurrence]:
    uid, title = library.icalcomponent_get_uid(event), library.icalcomponent_get_summary(event).decode()
    start, end = library.icalcomponent_get_dtstart(event), library.icalcomponent_get_dtend(event)
    if start.is_date:
        yield Occurrence(title, *(date(time.year, time.month, time.day) for time in (start, end)))
        return
    duration = _instant(library, end) - _instant(library, start)
    is_changed = _local(library.icalcomponent_get_recurrenceid(event)) is not None
    rule = library.icalcomponent_get_first_property(event, library.icalproperty_string_to_kind(b"RRULE"))
    for local in _expand_rule(library, rule, _local(start)) if rule else [_local(start)]:
        if local and (is_changed or (uid, local) not in changed):
            fields = (local.year, local.month, local.day, local.hour, local.minute, local.second)
            begins = _instant(library, _Time(*fields, 0, 0, start.zone))
            yield Occurrence(title, begins, begins + duration)


def _expand_rule(library: ctypes.CDLL, rule: int, start: datetime | None) -> list[datetime]:
    """Return the local times of a rule, which libical expands like times in UTC."""
    assert start is not None
    text = library.icalproperty_get_value_as_string(ctypes.c_void_p(rule))
    array = (ctypes.c_int64 * _MOST_OCCURRENCES)()
    since = ctypes.c_int64(int(start.replace(tzinfo=UTC).timestamp()))
    assert library.icalrecur_expand_recurrence(text, since, _MOST_OCCURRENCES, array)
    return [datetime.fromtimestamp(second, UTC).replace(tzinfo=None) for second in array if second]


def _local(time: _Time) -> datetime | None:
    """Return a time without its zone, or None for a missing time."""
    if time.year == 0:
        return None
    return datetime(time.year, time.month, time.day, time.hour, time.minute, time.second)  # noqa: DTZ001 - local


def _instant(library: ctypes.CDLL, time: _Time) -> datetime:
    return datetime.fromtimestamp(library.icaltime_as_timet_with_zone(time, ctypes.c_void_p(time.zone)), UTC)
