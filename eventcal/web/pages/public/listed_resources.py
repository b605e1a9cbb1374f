"""The events or talks of a listing as finished resources, and when recurring events are by theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import orjson
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import find_events_by_slug, narrowed
from eventcal.events.recurrence.occurrences import Occurrence, closed_days, occurrences_between
from eventcal.events.words import EventStatus
from eventcal.feeds.resources import event_resources, talk_resources
from eventcal.kit.paging import Paging
from eventcal.web.params.listing_query import Show
from eventcal.web.rendering.dates import When, occurrence_when, rule_in_words, when
from eventcal.web.schemas.out import Json

# What `occurrences_between` reads of an event, where its resource has it under the same name.
_RECURRING = ("timezone", "starts", "ends", "recurrence", "recurrence_overrides", "title", "summary", "online_url")
# How many occurrences an item of a list shows: the next, and those after it.
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Found:
    """The resources of a page of events or talks, and the cursor of the next page.

    events: of talks, by slug. countries: where they are, each as often as something is there.
    """

    items: Sequence[Json] = ()
    next: str | None = None
    events: Mapping[str, Event] = field(default_factory=dict)
    countries: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """When a recurring event is again: how often in words, the next time, how sure that is, and the times after it."""

    often: str
    next: When | None
    status: str
    later: tuple[When, ...]


def find_resources(
    session: Session, show: Show, asked: Filter, *, sort: Sort, paging: Paging, moment: datetime
) -> Found:
    """Return a page of public events or talks."""
    if show == Show.EVENTS:
        page = event_resources(session, narrowed(session, asked), sort=sort, paging=paging, now=moment)
        items = [orjson.loads(text) for text in page.items]
        countries = [item["location"]["country"] for item in items]
        return Found(items=items, next=page.next, countries=list(filter(None, countries)))
    page = talk_resources(session, asked, sort=sort, paging=paging, now=moment)
    items = [orjson.loads(text) for text in page.items]
    events = find_events_by_slug(session, {item["event"] for item in items})
    countries = [events[item["event"]].country for item in items]
    return Found(items=items, next=page.next, events=events, countries=list(filter(None, countries)))


def repeats(event: Json, asked: Filter, moment: datetime) -> Repeats | None:
    """Return when a recurring event is next within the days asked for; None for an event that is once."""
    if event["recurrence"] is None:
        return None
    first, last = closed_days(asked.from_day, asked.to_day) or (moment.astimezone(UTC).date(), None)
    found = occurrences_in(event, first, last, limit=_SHOWN)
    times = [said for one in found if (said := occurrence_when(one, event["timezone"]))]
    return Repeats(
        often=rule_in_words(event["recurrence"]) or _("Again and again"),
        next=times[0] if times else when(event, tzid=event["timezone"]),
        status=found[0].status.value if found else event["status"],
        later=tuple(times[1:]),
    )


def occurrences_in(event: Json, first: date, last: date | None, *, limit: int) -> list[Occurrence]:
    """Return the occurrences of an event that overlap these days, by its finished resource."""
    # It belongs to no session, and is only read.
    series = Event(status=EventStatus(event["status"]), venue=event["location"]["venue"])
    for name in _RECURRING:
        setattr(series, name, event[name])
    return occurrences_between(series, first, last, limit=limit)
