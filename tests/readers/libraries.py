"""Python calendar libraries behind one interface: each function returns the entries of a feed as `Found` tuples."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, reset_tzpath

import icalendar
import ics.utils
import pytest
import recurring_ical_events
import vobject
from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream

Moment = date | datetime


class Found(NamedTuple):
    """An entry as found by a library: days as dates, times as instants in UTC, with an exclusive end."""

    uid: str
    title: str
    status: str
    start: Moment
    end: Moment
    description: str
    location: str | None
    categories: tuple[str, ...]


class Occurrence(NamedTuple):
    """An occurrence: days as dates, times as instants in UTC, with an exclusive end."""

    title: str
    start: Moment
    end: Moment


Reader = Callable[[str], list[Found]]
"""Returns the entries of a feed, in any order."""

Expander = Callable[[str, date, date], list[Found]]
"""Returns the occurrences of a feed's entries between two days in UTC. The second day is excluded."""


def by_icalendar(feed: str) -> list[Found]:
    return [_of_icalendar(event) for event in icalendar.Calendar.from_ical(feed).walk("VEVENT")]


def by_icalendar_from_jcal(feed: str) -> list[Found]:
    return [_of_icalendar(event) for event in icalendar.Calendar.from_jcal(feed).walk("VEVENT")]


def by_recurring_ical_events(feed: str) -> list[Found]:
    """Return all occurrences in the supported range of dates."""
    return expanded_by_recurring_ical_events(feed, date(1970, 1, 1), date(2199, 12, 31))


def expanded_by_recurring_ical_events(feed: str, first: date, last: date) -> list[Found]:
    return _expanded(icalendar.Calendar.from_ical(feed), first, last)


def expanded_from_jcal(feed: str, first: date, last: date) -> list[Found]:
    """Return the occurrences that recurring-ical-events computes from a jCal feed parsed by icalendar."""
    return _expanded(icalendar.Calendar.from_jcal(feed), first, last)


def _expanded(calendar: icalendar.Component, first: date, last: date) -> list[Found]:
    found = recurring_ical_events.of(calendar).between(_midnight(first), _midnight(last))
    return [_of_icalendar(event) for event in found]


def _of_icalendar(event: Any) -> Found:  # noqa: ANN401 - a component of any kind
    return Found(
        uid=str(event["UID"]),
        title=str(event["SUMMARY"]),
        status=str(event["STATUS"]),
        start=_moment(event["DTSTART"].dt),
        end=_moment(event["DTEND"].dt),
        description=str(event["DESCRIPTION"]),
        location=_text(event.get("LOCATION")),
        categories=tuple(map(str, event.categories)),
    )


def by_ical(feed: str) -> list[Found]:
    return [_of_ical(event) for event in _read_by_ical(feed).events]


def expanded_by_ical(feed: str, first: date, last: date) -> list[Found]:
    timeline = _read_by_ical(feed).timeline_tz(UTC)
    return [_of_ical(event) for event in timeline.overlapping(_midnight(first), _midnight(last))]


def _read_by_ical(feed: str) -> Calendar:
    return IcsCalendarStream.calendar_from_ics(feed)


def _of_ical(event: Any) -> Found:  # noqa: ANN401 - an event, whose fields may all be missing
    return Found(
        uid=event.uid,
        title=event.summary,
        status=event.status.value,
        start=_moment(event.dtstart),
        end=_moment(event.dtend),
        description=event.description,
        location=event.location,
        categories=tuple(event.categories),
    )


def by_vobject(feed: str) -> list[Found]:
    # vobject caches the first VTIMEZONE for each TZID for the lifetime of the process.
    zones = vars(vobject.icalendar)["__tzidMap"]
    for name in [name for name in zones if name != "UTC"]:
        del zones[name]
    return [
        Found(
            uid=event.uid.value,
            title=event.summary.value,
            status=event.status.value,
            start=_moment(event.dtstart.value),
            end=_moment(event.dtend.value),
            description=event.description.value,
            location=event.location.value if "location" in event.contents else None,
            categories=tuple(event.categories.value if "categories" in event.contents else ()),
        )
        for event in vobject.readOne(feed).contents.get("vevent", ())
    ]


def by_ics(feed: str) -> list[Found]:
    """Return the entries of a feed. The library does not preserve the order of categories."""
    return [
        Found(
            uid=event.uid,
            title=event.name,
            status=event.status,
            start=event.begin.date() if event.all_day else _moment(event.begin.datetime),
            end=event.end.date() if event.all_day else _moment(event.end.datetime),
            description=event.description,
            location=event.location,
            categories=tuple(sorted(event.categories)),
        )
        for event in ics.Calendar(feed).events
    ]


def of_node(entry: Mapping[str, Any]) -> Found:
    """Return an entry found by a JavaScript library as a `Found` tuple."""
    read: Callable[[str], Moment] = date.fromisoformat if entry["all_day"] else datetime.fromisoformat
    return Found(
        uid=entry["uid"],
        title=entry["title"],
        status=entry["status"],
        start=read(entry["start"]),
        end=read(entry["end"]),
        description=entry["description"],
        location=entry["location"],
        categories=tuple(entry["categories"]),
    )


def _moment(value: Moment) -> Moment:
    if not isinstance(value, datetime):
        return value
    assert value.tzinfo is not None, f"{value} is floating"
    return value.astimezone(UTC)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@contextmanager
def zones_of_our_release(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make libraries use the time zones of the tzdata package instead of those of the machine.

    The machine may have another release of the tz database, which must not affect the tests. The ics library
    calls dateutil, which cannot read the package and would use UTC for unknown zones.
    """
    reset_tzpath(to=())
    _forget_zones()
    monkeypatch.setattr(ics.utils, "gettz", ZoneInfo)
    try:
        yield
    finally:
        reset_tzpath()
        _forget_zones()


def _forget_zones() -> None:
    ZoneInfo.clear_cache()
    # icalendar caches time zones.
    icalendar.timezone.tzp.use_default()
