"""When something is, in words: in its own zone or the reader's, in the reader's language."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_day_names
from flask import request

from eventcal.events.models import Event
from eventcal.kit.localtime import known_zone, with_offset, zone
from eventcal.talks.models import Talk
from eventcal.web.i18n.locale import locale

Json = dict[str, Any]

# How much of a longer unit there must be for it to be used: days are counted up to nine weeks.
_IN_DAYS = 9


@dataclass(frozen=True)
class When:
    """When something is.

    day: the first day in words; last_day: the last one, where it is another; hours: from when to when, None for whole
    days, and as `first_hour` and `last_hour` each by itself; zone: the one that they are written in. starts, ends: for
    machines (HTML's time element).
    """

    day: str
    last_day: str | None
    hours: str | None
    zone: str
    starts: str
    ends: str
    on: date
    first_hour: str | None = None
    last_hour: str | None = None


def when(resource: Json, *, tzid: str) -> When | None:
    """Return when an event or a talk is, for a page, or None where it has no time yet.

    A day is a day wherever one is; a time is in the zone `tzid`, or in the reader's if the query names one (`tz`).
    """
    if resource["starts"] is None:
        return None
    if "T" not in resource["starts"]:
        first = date.fromisoformat(resource["starts"])
        last = date.fromisoformat(resource["ends"] or resource["starts"])
        last_day = _day(last) if last != first else None
        return When(_day(first), last_day, None, tzid, first.isoformat(), last.isoformat(), first)
    shown = readers_zone() or tzid
    starts = datetime.fromisoformat(resource["starts_at"]).astimezone(zone(shown))
    ends = datetime.fromisoformat(resource["ends_at"]).astimezone(zone(shown))
    return When(
        day=_day(starts.date()),
        last_day=_day(ends.date()) if ends.date() != starts.date() else None,
        hours=f"{_hour(starts)}\N{EN DASH}{_hour(ends)}",
        first_hour=_hour(starts),
        last_hour=_hour(ends),
        zone=shown,
        starts=starts.isoformat(),
        ends=ends.isoformat(),
        on=starts.date(),
    )


def event_when(event: Event) -> When | None:
    """Return when an event is."""
    return _row_when(event, event.timezone)


def talk_when(talk: Talk) -> When | None:
    """Return when a talk is, None as long as it has no time."""
    return _row_when(talk, talk.event.timezone)


def _row_when(row: Event | Talk, tzid: str) -> When | None:
    if row.starts_at is None or row.ends_at is None:
        return None
    times = {"starts_at": with_offset(row.starts_at, tzid), "ends_at": with_offset(row.ends_at, tzid)}
    return when({"starts": row.starts, "ends": row.ends, **times}, tzid=tzid)


def at(moment: datetime, *, tzid: str) -> When:
    """Return a moment for a page, such as a deadline: in the zone `tzid`, or in the reader's."""
    shown = readers_zone() or tzid
    there = moment.astimezone(zone(shown))
    written = there.isoformat()
    return When(_day(there.date()), None, _hour(there), shown, written, written, there.date())


def hour(moment: datetime, *, tzid: str) -> str:
    """Return the time of day of a moment, in the zone `tzid` or in the reader's."""
    return _hour(moment.astimezone(zone(readers_zone() or tzid)))


def readers_zone() -> str | None:
    """Return the zone that the query names for times (`tz`), if it is one."""
    named = request.args.get("tz")
    return named if named is not None and known_zone(named) else None


def time_left(until: datetime, now: datetime) -> str:
    """Return how far off a moment is in words: by days (UTC), so that it holds all day, or on the very day by hours."""
    days = until.astimezone(UTC).date() - now.astimezone(UTC).date()
    if not days:
        return format_timedelta(until - now, granularity="minute", threshold=1, add_direction=True, locale=locale())
    return format_timedelta(days, granularity="day", threshold=_IN_DAYS, add_direction=True, locale=locale())


def month_of(day: date) -> str:
    """Return a month and its year in words."""
    return format_skeleton("yMMMM", day, locale=locale())


def long_day(day: date) -> str:
    """Return a day in full."""
    return format_date(day, format="full", locale=locale())


def short_day(day: date) -> str:
    """Return a day without its year."""
    return format_skeleton("MMMEd", day, locale=locale())


def weekday(number: int, *, short: bool = False) -> str:
    """Return the name of a weekday; 0 is Monday."""
    return str(get_day_names("abbreviated" if short else "wide", "stand-alone", locale=locale())[number])


def _day(day: date) -> str:
    return format_skeleton("yMMMEd", day, locale=locale())


def _hour(moment: datetime) -> str:
    return format_time(moment.time(), format="short", locale=locale())
