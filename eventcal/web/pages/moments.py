"""When something is, in words: in its own zone or the reader's, in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_date, format_skeleton, format_time
from flask import request

from eventcal.kit.localtime import known_zone, zone
from eventcal.web.language import locale

Json = dict[str, Any]


@dataclass(frozen=True)
class When:
    """When something is.

    day: the first day in words; last_day: the last one, where it is another; hours: from when to when, None for whole
    days; zone: the one that they are written in. starts, ends: for machines (HTML's time element).
    """

    day: str
    last_day: str | None
    hours: str | None
    zone: str
    starts: str
    ends: str
    on: date


def when(resource: Json, *, tzid: str) -> When | None:
    """Return when an event or a talk is, for a page, or None where it has no time yet.

    A day is a day wherever one is; a time is in the zone `tzid`, or in the reader's if the query names one (`tz`).
    """
    if resource["starts"] is None:
        return None
    shown = readers_zone() or tzid
    if "T" not in resource["starts"]:
        first = date.fromisoformat(resource["starts"])
        last = date.fromisoformat(resource["ends"] or resource["starts"])
        return When(
            _day(first), _day(last) if last != first else None, None, tzid, first.isoformat(), last.isoformat(), first
        )
    starts = datetime.fromisoformat(resource["starts_at"]).astimezone(zone(shown))
    ends = datetime.fromisoformat(resource["ends_at"]).astimezone(zone(shown))
    last_day = ends.date() if ends - starts >= timedelta(days=1) or ends.date() != starts.date() else None
    return When(
        day=_day(starts.date()),
        last_day=_day(last_day) if last_day else None,
        hours=f"{_hour(starts)}\N{EN DASH}{_hour(ends)}",
        zone=shown,
        starts=starts.isoformat(),
        ends=ends.isoformat(),
        on=starts.date(),
    )


def readers_zone() -> str | None:
    """Return the zone that the query names for times (`tz`), if it is one."""
    named = request.args.get("tz")
    return named if named is not None and known_zone(named) else None


def month_of(day: date) -> str:
    """Return a month and its year in words."""
    return str(format_skeleton("yMMMM", day, locale=locale()))


def _day(day: date) -> str:
    return str(format_skeleton("yMMMEd", day, locale=locale()))


def _hour(moment: datetime) -> str:
    return str(format_time(moment.time(), format="short", locale=locale()))


def long_day(day: date) -> str:
    """Return a day in full."""
    return str(format_date(day, format="full", locale=locale()))
