"""When something is and how it recurs, in words: in its own zone or the reader's, in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_day_names
from babel.lists import format_list
from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import LAST_DAY, Occurrence, days_of, occurrences_between
from eventcal.kit.localtime import known_zone, with_offset, zone
from eventcal.kit.rrule import WEEKDAYS, parse_rule, split_weekday
from eventcal.talks.models import Talk
from eventcal.web.i18n import locale
from eventcal.web.schemas.occurrences import occurrence_json
from eventcal.web.schemas.out import Json

# How much of a longer unit there must be for it to be used: days are counted up to nine weeks.
_IN_DAYS = 9
# How many of the next dates a page names.
_NEXT = 5
# What says nothing of the rhythm, or is said apart.
_ASIDE = frozenset({"FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL"})


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


def when_of(row: Event | Talk) -> When | None:
    """Return when an event is, or a talk whose event is loaded; None as long as a talk has no time."""
    if row.starts_at is None or row.ends_at is None:
        return None
    tzid = row.timezone if isinstance(row, Event) else row.event.timezone
    times = {"starts_at": with_offset(row.starts_at, tzid), "ends_at": with_offset(row.ends_at, tzid)}
    return when({"starts": row.starts, "ends": row.ends, **times}, tzid=tzid)


def at(moment: datetime, *, tzid: str) -> When:
    """Return a moment for a page, such as a deadline: in the zone `tzid`, or in the reader's."""
    shown = readers_zone() or tzid
    there = moment.astimezone(zone(shown))
    written = there.isoformat()
    return When(_day(there.date()), None, _hour(there), shown, written, written, there.date())


def utc_time(moment: datetime | None) -> When | None:
    """Return a moment for a page, in UTC; None if there is none."""
    return at(moment, tzid="UTC") if moment else None


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


def recurring(event: Event, now: datetime) -> Mapping[str, object] | None:
    """Return how an event recurs, or None where it does not.

    words: by its rule, where that is simple. until: the last day, if there is one. dates: the next ones, each with its
    title and venue where they are other ones.
    """
    if event.recurrence is None:
        return None
    until = days_of(event)[1]
    return {
        "words": rule_in_words(event.recurrence),
        "until": None if until == LAST_DAY else long_day(date.fromisoformat(until)),
        "dates": [
            {
                "when": occurrence_when(one, event.timezone),
                "status": one.status,
                "title": one.title if one.title != event.title else None,
                "venue": one.venue if one.venue != event.venue else None,
            }
            for one in occurrences_between(event, now.astimezone(UTC).date(), None, limit=_NEXT)
        ],
    }


def occurrence_when(one: Occurrence, tzid: str) -> When | None:
    """Return when one occurrence is, for a page."""
    return when(occurrence_json(one, tzid), tzid=tzid)


def rule_in_words(rule: str) -> str | None:
    """Return what a recurrence rule says, its end apart, or None where that is not simple."""
    parts = parse_rule(rule)
    number = int(parts.get("INTERVAL", "1"))
    said = parts.keys() - _ASIDE
    days = parts.get("BYDAY", "").split(",") if said == {"BYDAY"} else []
    every = {
        "DAILY": ngettext("Every day", "Every %(num)s days", number),
        "WEEKLY": ngettext("Every week", "Every %(num)s weeks", number),
        "MONTHLY": ngettext("Every month", "Every %(num)s months", number),
        "YEARLY": ngettext("Every year", "Every %(num)s years", number),
    }
    if not said:
        return str(every[parts["FREQ"]])
    if parts["FREQ"] == "WEEKLY" and days:
        return _weekly(days, number)
    if parts["FREQ"] == "MONTHLY" and len(days) == 1:
        return _monthly(days[0], number)
    return None


def _weekly(days: Sequence[str], number: int) -> str | None:
    if not set(days) <= set(WEEKDAYS):
        return None
    names = format_list([weekday(place) for place, day in enumerate(WEEKDAYS) if day in days], locale=locale())
    return str(ngettext("Every week on %(days)s", "Every %(num)s weeks on %(days)s", number, days=names))


def _monthly(written: str, number: int) -> str | None:
    which, day = split_weekday(written)
    ordinals = {1: _("first"), 2: _("second"), 3: _("third"), 4: _("fourth"), 5: _("fifth"), -1: _("last")}
    if which is None or which not in ordinals:
        return None
    return str(
        ngettext(
            "Every month on the %(which)s %(day)s",
            "Every %(num)s months on the %(which)s %(day)s",
            number,
            which=ordinals[which],
            day=weekday(WEEKDAYS.index(day)),
        )
    )
