"""When a recurring event is, for a listing: from its finished resource."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext as _

from eventcal.events.filter import Filter
from eventcal.events.recurrence.occurrences import Occurrence, closed_days, occurrences_between
from eventcal.events.words import EventStatus
from eventcal.web.rendering.dates import When, when
from eventcal.web.rendering.recurrence_text import rule_in_words
from eventcal.web.schemas.occurrences import occurrence_json

Json = dict[str, Any]

# How many occurrences an item of a list shows: the next, and those after it.
_SHOWN = 3


@dataclass(kw_only=True)
class Series:
    """A recurring event as its resource has it; what `occurrences_between` reads."""

    timezone: str
    starts: str
    ends: str
    recurrence: str | None
    recurrence_overrides: dict[str, Any]
    title: str
    summary: str | None
    status: EventStatus
    venue: str | None
    online_url: str | None


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """When a recurring event is again: how often in words, the next time, how sure that is, and the times after it."""

    often: str
    next: When | None
    status: str
    later: tuple[When, ...]


def repeats(event: Json, asked: Filter, moment: datetime) -> Repeats | None:
    """Return when a recurring event is next within the days asked for; None for an event that is once."""
    if event["recurrence"] is None:
        return None
    first, last = closed_days(asked.from_day, asked.to_day) or (moment.astimezone(UTC).date(), None)
    found = occurrences_in(event, first, last, limit=_SHOWN)
    times = [said for one in found if (said := when_of(one, event["timezone"]))]
    return Repeats(
        often=rule_in_words(event["recurrence"]) or _("Again and again"),
        next=times[0] if times else when(event, tzid=event["timezone"]),
        status=found[0].status.value if found else event["status"],
        later=tuple(times[1:]),
    )


def occurrences_in(event: Json, first: date, last: date | None, *, limit: int) -> list[Occurrence]:
    """Return the occurrences of an event that overlap these days, by its finished resource."""
    return occurrences_between(_series(event), first, last, limit=limit)


def when_of(one: Occurrence, tzid: str) -> When | None:
    """Return when one occurrence is, for a page."""
    return when(occurrence_json(one, tzid), tzid=tzid)


def _series(event: Json) -> Series:
    return Series(
        timezone=event["timezone"],
        starts=event["starts"],
        ends=event["ends"],
        recurrence=event["recurrence"],
        recurrence_overrides=event["recurrence_overrides"],
        title=event["title"],
        summary=event["summary"],
        status=EventStatus(event["status"]),
        venue=event["location"]["venue"],
        online_url=event["online_url"],
    )
