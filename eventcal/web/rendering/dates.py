"""Dates, times and recurrence as text, in the reader's language and in the event's or the reader's time zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_day_names
from babel.lists import format_list
from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import LAST_DAY, Occurrence, occurrence_day_range, occurrences_between
from eventcal.kit.localtime import format_with_offset, get_zone, is_known_zone
from eventcal.kit.rrule import WEEKDAYS, parse_rule, split_weekday
from eventcal.talks.models import Talk
from eventcal.web.i18n import current_locale
from eventcal.web.schemas.occurrences import occurrence_json
from eventcal.web.schemas.out import Json

# A larger unit is used from nine of that unit on, so intervals of up to nine weeks are in days.
_IN_DAYS = 9
# The number of upcoming dates on a page.
_NEXT = 5
# Parts of a recurrence rule that are not part of its pattern, or are described separately.
_ASIDE = frozenset({"FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL"})


@dataclass(frozen=True)
class When:
    """The dates and times of an event, a talk or an instant, formatted for a page.

    day: the first day; last_day: the last day if it is another. hours: the start and end time, or None for whole
    days; `first_hour` and `last_hour` are the same separately. zone: the time zone of these texts. starts, ends:
    ISO 8601 values for the time element (HTML). on: the first day as a date.
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
    """Return the formatted times of an event or talk resource, or None if it has no time yet.

    Dates without a time are the same in every zone. Times are in the zone `tzid`, or in the zone of the query (`tz`).
    """
    if resource["starts"] is None:
        return None
    if "T" not in resource["starts"]:
        first = date.fromisoformat(resource["starts"])
        last = date.fromisoformat(resource["ends"] or resource["starts"])
        last_day = _day(last) if last != first else None
        return When(_day(first), last_day, None, tzid, first.isoformat(), last.isoformat(), first)
    shown = readers_zone() or tzid
    starts = datetime.fromisoformat(resource["starts_at"]).astimezone(get_zone(shown))
    ends = datetime.fromisoformat(resource["ends_at"]).astimezone(get_zone(shown))
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
    """Return the formatted times of an event, or of a talk whose event is loaded; None if the talk has no time yet."""
    if row.starts_at is None or row.ends_at is None:
        return None
    tzid = row.timezone if isinstance(row, Event) else row.event.timezone
    times = {"starts_at": format_with_offset(row.starts_at, tzid), "ends_at": format_with_offset(row.ends_at, tzid)}
    return when({"starts": row.starts, "ends": row.ends, **times}, tzid=tzid)


def at(moment: datetime, *, tzid: str) -> When:
    """Return an instant, such as a deadline, formatted in the zone `tzid` or in the reader's."""
    shown = readers_zone() or tzid
    there = moment.astimezone(get_zone(shown))
    written = there.isoformat()
    return When(_day(there.date()), None, _hour(there), shown, written, written, there.date())


def utc_time(moment: datetime | None) -> When | None:
    """Return an instant formatted in UTC, or None without an instant."""
    return at(moment, tzid="UTC") if moment else None


def hour(moment: datetime, *, tzid: str) -> str:
    """Return the time of day of an instant in the zone `tzid` or in the reader's."""
    return _hour(moment.astimezone(get_zone(readers_zone() or tzid)))


def readers_zone() -> str | None:
    """Return the time zone that the query selects (`tz`), or None if it is missing or unknown."""
    named = request.args.get("tz")
    return named if named is not None and is_known_zone(named) else None


def time_left(until: datetime, now: datetime) -> str:
    """Return the time left until an instant as text: in whole days (UTC), or in hours on the last day."""
    days = until.astimezone(UTC).date() - now.astimezone(UTC).date()
    if not days:
        return format_timedelta(
            until - now, granularity="minute", threshold=1, add_direction=True, locale=current_locale()
        )
    return format_timedelta(days, granularity="day", threshold=_IN_DAYS, add_direction=True, locale=current_locale())


def month_of(day: date) -> str:
    """Return the month and year of a day as text."""
    return format_skeleton("yMMMM", day, locale=current_locale())


def long_day(day: date) -> str:
    """Return a day with its weekday, month and year as text."""
    return format_date(day, format="full", locale=current_locale())


def short_day(day: date) -> str:
    """Return a day as short text, without its year."""
    return format_skeleton("MMMEd", day, locale=current_locale())


def weekday(number: int, *, short: bool = False) -> str:
    """Return the name of a weekday; 0 is Monday."""
    return str(get_day_names("abbreviated" if short else "wide", "stand-alone", locale=current_locale())[number])


def _day(day: date) -> str:
    return format_skeleton("yMMMEd", day, locale=current_locale())


def _hour(moment: datetime) -> str:
    return format_time(moment.time(), format="short", locale=current_locale())


def recurring(event: Event, now: datetime) -> Mapping[str, object] | None:
    """Return the recurrence of an event for its page, or None if the event does not recur.

    words: the rule as text, or None if it is too complex. until: the last day, or None if the recurrence never ends.
    dates: the next occurrences, with their title and venue if these differ from the event's.
    """
    if event.recurrence is None:
        return None
    until = occurrence_day_range(event)[1]
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
    """Return the formatted times of an occurrence."""
    return when(occurrence_json(one, tzid), tzid=tzid)


def rule_in_words(rule: str) -> str | None:
    """Return a recurrence rule as text, without its end, or None if the rule is too complex."""
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
    names = format_list([weekday(place) for place, day in enumerate(WEEKDAYS) if day in days], locale=current_locale())
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
