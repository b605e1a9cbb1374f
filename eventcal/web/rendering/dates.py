"""Formatting of dates, times and recurrence rules in the reader's language.

Times are converted to the time zone in the query string (`tz`) or else to the time zone of the event (`tzid`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_day_names
from babel.lists import format_list
from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import LAST_DAY, Occurrence, occurrence_day_range, occurrences_between
from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.localtime import format_with_offset, get_zone, is_known_zone
from eventcal.kit.rrule_syntax import WEEKDAYS, parse_rule, split_weekday
from eventcal.talks.models import Talk
from eventcal.web.i18n import current_language, current_locale, parse_locale
from eventcal.web.schemas.occurrences import occurrence_json
from eventcal.web.schemas.response_schema import Json

# A remaining time of less than nine weeks is formatted in days.
_MAX_WEEKS = 9
_MAX_OCCURRENCES = 5
# Rule parts whose names do not begin with BY (RFC 5545, section 3.3.10).
_IGNORED_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL"})


@dataclass(frozen=True)
class FormattedTimes:
    """The formatted dates and times of an event or a talk, or a single formatted instant.

    `last_day` is None if it equals `day`. `hours` is a time, a time range, or None for whole days. `starts` and `ends`
    are ISO 8601 values for the HTML `time` element.
    """

    day: str
    last_day: str | None
    hours: str | None
    zone: str
    starts: str
    ends: str
    first_date: date
    first_hour: str | None = None
    last_hour: str | None = None


def format_resource_times(resource: Json, *, tzid: str) -> FormattedTimes | None:
    """Return the formatted times of an event or talk resource, or None if the resource has no time yet."""
    if resource["starts"] is None:
        return None
    if "T" not in resource["starts"]:
        first = date.fromisoformat(resource["starts"])
        last = date.fromisoformat(resource["ends"] or resource["starts"])
        last_day = _format_day(last) if last != first else None
        return FormattedTimes(_format_day(first), last_day, None, tzid, first.isoformat(), last.isoformat(), first)
    zone = requested_timezone() or tzid
    starts, ends = (
        datetime.fromisoformat(resource[name]).astimezone(get_zone(zone)) for name in ("starts_at", "ends_at")
    )
    first_hour, last_hour = _format_time(starts), _format_time(ends)
    return FormattedTimes(
        day=_format_day(starts.date()),
        last_day=_format_day(ends.date()) if ends.date() != starts.date() else None,
        hours=f"{first_hour}\N{EN DASH}{last_hour}",
        first_hour=first_hour,
        last_hour=last_hour,
        zone=zone,
        starts=starts.isoformat(),
        ends=ends.isoformat(),
        first_date=starts.date(),
    )


def format_times(row: Event | Talk) -> FormattedTimes | None:
    if row.starts_at is None or row.ends_at is None:
        return None
    tzid = row.timezone if isinstance(row, Event) else row.event.timezone
    times = {"starts_at": format_with_offset(row.starts_at, tzid), "ends_at": format_with_offset(row.ends_at, tzid)}
    return format_resource_times({"starts": row.starts, "ends": row.ends, **times}, tzid=tzid)


def format_instant(instant: datetime, *, tzid: str) -> FormattedTimes:
    zone = requested_timezone() or tzid
    local = instant.astimezone(get_zone(zone))
    iso = local.isoformat()
    return FormattedTimes(_format_day(local.date()), None, _format_time(local), zone, iso, iso, local.date())


def format_instant_utc(instant: datetime | None) -> FormattedTimes | None:
    return format_instant(instant, tzid="UTC") if instant else None


def format_time_of_day(instant: datetime, *, tzid: str) -> str:
    return _format_time(instant.astimezone(get_zone(requested_timezone() or tzid)))


def requested_timezone() -> str | None:
    """Return the time zone in the query string (`tz`), or None if the parameter is missing or unknown."""
    name = request.args.get("tz")
    return name if name is not None and is_known_zone(name) else None


def format_time_left(until: datetime, now: datetime) -> str:
    """Return the time left until an instant as text, in hours or minutes if the instant is on the current day (UTC)."""
    days = until.astimezone(UTC).date() - now.astimezone(UTC).date()
    locale = current_locale()
    if not days:
        return format_timedelta(until - now, granularity="minute", threshold=1, add_direction=True, locale=locale)
    return format_timedelta(days, granularity="day", threshold=_MAX_WEEKS, add_direction=True, locale=locale)


def format_month(day: date) -> str:
    return format_skeleton("yMMMM", day, locale=current_locale())


def format_long_day(day: date) -> str:
    return format_date(day, format="full", locale=current_locale())


def format_short_day(day: date) -> str:
    return format_skeleton("MMMEd", day, locale=current_locale())


def weekday_name(number: int, *, short: bool = False) -> str:
    """Return the name of a weekday. The number of Monday is 0."""
    return str(get_day_names("abbreviated" if short else "wide", "stand-alone", locale=current_locale())[number])


def _format_day(day: date) -> str:
    return _format_day_in_language(day, current_language())


def _format_time(local_time: datetime) -> str:
    return _format_time_in_language(local_time.time(), current_language())


# The results are cached, because the talks of a schedule share a few dates and times.
@bounded_cache(200_000)
def _format_day_in_language(day: date, language: str) -> str:
    return format_skeleton("yMMMEd", day, locale=parse_locale(language))


@bounded_cache(200_000)
def _format_time_in_language(local_time: time, language: str) -> str:
    return format_time(local_time, format="short", locale=parse_locale(language))


def recurrence_context(event: Event, now: datetime) -> Mapping[str, object] | None:
    """Return the template variables for the recurrence of an event, or None if the event does not recur.

    `words` is the rule as text, or None if the rule is too complex. `until` is None if the recurrence never ends. The
    title and venue of an occurrence in `dates` are None if they equal those of the event.
    """
    if event.recurrence is None:
        return None
    until = occurrence_day_range(event)[1]
    return {
        "words": recurrence_rule_label(event.recurrence),
        "until": None if until == LAST_DAY else format_long_day(date.fromisoformat(until)),
        "dates": [
            {
                "when": format_occurrence_times(occurrence, event.timezone),
                "status": occurrence.status,
                "title": occurrence.title if occurrence.title != event.title else None,
                "venue": occurrence.venue if occurrence.venue != event.venue else None,
            }
            for occurrence in occurrences_between(event, now.astimezone(UTC).date(), None, limit=_MAX_OCCURRENCES)
        ],
    }


def format_occurrence_times(occurrence: Occurrence, tzid: str) -> FormattedTimes | None:
    return format_resource_times(occurrence_json(occurrence, tzid), tzid=tzid)


def recurrence_rule_label(rule: str) -> str | None:
    """Return a recurrence rule as text that omits the end of the recurrence, or None if the rule is too complex."""
    parts = parse_rule(rule)
    interval = int(parts.get("INTERVAL", "1"))
    by_parts = parts.keys() - _IGNORED_RULE_PARTS
    days = parts.get("BYDAY", "").split(",") if by_parts == {"BYDAY"} else []
    every = {
        "DAILY": ngettext("Every day", "Every %(num)s days", interval),
        "WEEKLY": ngettext("Every week", "Every %(num)s weeks", interval),
        "MONTHLY": ngettext("Every month", "Every %(num)s months", interval),
        "YEARLY": ngettext("Every year", "Every %(num)s years", interval),
    }
    if not by_parts:
        return str(every[parts["FREQ"]])
    if parts["FREQ"] == "WEEKLY" and days:
        return _weekly_rule_label(days, interval)
    if parts["FREQ"] == "MONTHLY" and len(days) == 1:
        return _monthly_rule_label(days[0], interval)
    return None


def _weekly_rule_label(days: Sequence[str], interval: int) -> str | None:
    if not set(days) <= set(WEEKDAYS):
        return None
    names = format_list([weekday_name(i) for i, day in enumerate(WEEKDAYS) if day in days], locale=current_locale())
    return str(ngettext("Every week on %(days)s", "Every %(num)s weeks on %(days)s", interval, days=names))


def _monthly_rule_label(byday: str, interval: int) -> str | None:
    number, day = split_weekday(byday)
    ordinals = {1: _("first"), 2: _("second"), 3: _("third"), 4: _("fourth"), 5: _("fifth"), -1: _("last")}
    if number is None or number not in ordinals:
        return None
    words = {"which": ordinals[number], "day": weekday_name(WEEKDAYS.index(day))}
    text = ngettext(
        "Every month on the %(which)s %(day)s", "Every %(num)s months on the %(which)s %(day)s", interval, **words
    )
    return str(text)
