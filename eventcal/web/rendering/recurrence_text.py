"""How an event recurs, in words, and when it does next."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from babel.lists import format_list
from flask_babel import gettext as _
from flask_babel import ngettext

from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import LAST_DAY, Occurrence, days_of, occurrences_between
from eventcal.kit.rrule import WEEKDAYS, parse_rule, split_weekday
from eventcal.web.i18n.locale import locale
from eventcal.web.rendering.dates import When, long_day, weekday, when
from eventcal.web.schemas.occurrences import occurrence_json

# How many of the next dates a page names.
_NEXT = 5
# What says nothing of the rhythm, or is said apart.
_ASIDE = frozenset({"FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL"})


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
