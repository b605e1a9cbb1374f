"""The schedule page of an event, which shows the talks of one day as a table or list, and the current talks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, partial
from itertools import groupby
from urllib.parse import urlencode

import orjson
from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.enums import ACTIVE_STATUSES
from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.recurrence.occurrences import has_occurrence_between
from eventcal.feeds.formats import atom
from eventcal.feeds.frab.serializers import JSON_MEDIA_TYPE, XML_MEDIA_TYPE
from eventcal.feeds.stored_json_queries import list_talk_json
from eventcal.kit.localtime import get_zone
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import ANONYMOUS
from eventcal.web.http.urls import with_query
from eventcal.web.identity.permissions import anonymous
from eventcal.web.pages.public.schedule_grid import GridSlot, build_grid, current_and_next_talks
from eventcal.web.rendering.dates import (
    FormattedTimes,
    format_instant,
    format_long_day,
    format_resource_times,
    requested_timezone,
)
from eventcal.web.rendering.page import FeedLink, Page, page_view, pages
from eventcal.web.request.context import links
from eventcal.web.schemas.response_schema import Json

# The maximum number of talks on the schedule page, which no event is expected to reach.
_MAX_TALKS = 5000
# The number of track colours in site.css.
_COLOURS = 8
_TO_LAST_SECOND = timedelta(hours=23, minutes=59, seconds=59)


@dataclass(frozen=True)
class TalkCard:
    """A talk in a programme. `colour` is the number of the track's colour, or 0 if the talk has no track."""

    talk: Json
    tzid: str
    colour: int

    # The schedule page shows only some of the talks.
    @cached_property
    def when(self) -> FormattedTimes | None:
        return format_resource_times(self.talk, tzid=self.tzid)

    @cached_property
    def grid_slot(self) -> GridSlot:
        return GridSlot(
            key=self.talk["id"],
            room=self.talk["room"],
            starts=datetime.fromisoformat(self.talk["starts_at"]),
            ends=datetime.fromisoformat(self.talk["ends_at"]),
            low_priority=self.talk["state"] == "cancelled",
        )


@dataclass(frozen=True)
class ProgrammeDay:
    """A day of a programme. `name` is the formatted date. `items` is in chronological order."""

    on: date
    name: str
    items: tuple[TalkCard, ...]


@dataclass(frozen=True, kw_only=True)
class EventProgramme:
    """The talks of an event. `is_complete` is false if the event has more talks than the requested maximum."""

    days: list[ProgrammeDay]
    other_talks: list[TalkCard]
    is_complete: bool


@pages.get("/events/<slug>/schedule")
@anonymous
@page_view
def schedule(session: Session, now: datetime, slug: str) -> Page:
    row = get_event(session, slug, ANONYMOUS)
    programme = load_event_programme(session, row, max_talks=_MAX_TALKS, now=now)
    zone = requested_timezone() or row.timezone
    today = now.astimezone(get_zone(zone)).date() if _takes_place_between(row, now, now) else None
    days = {day.on.isoformat(): day for day in programme.days}
    default = next((day for day in programme.days if day.on == today), next(iter(programme.days), None))
    day = days.get(request.args.get("day", ""), default)
    as_list = request.args.get("as") == "list"
    # The server caches pages until the end of the UTC day.
    midnight = datetime.combine(now.astimezone(UTC), time(), UTC)
    items = {item.talk["id"]: item for programme_day in programme.days for item in programme_day.items}
    rooms = [room.name for room in row.rooms]
    grid = build_grid([item.grid_slot for item in day.items] if day else [], rooms)
    return Page(
        template="pages/schedule.html",
        title=_("Schedule of %(event)s", event=row.title),
        path=_canonical_path(row, day if day is not default else None, as_list=as_list),
        description=_("Who talks when and where at %(event)s", event=row.title),
        feeds=event_feed_links(row),
        time_dependent=_takes_place_between(row, midnight, midnight + _TO_LAST_SECOND),
        context={
            "event": row,
            "zone": zone,
            "own_zone": row.timezone,
            "days": programme.days,
            "day": day,
            "today": today,
            "as_list": as_list,
            "items": items,
            "grid": grid if grid.rooms else None,
            "beside": [items[key] for key in grid.unplaced],
            "at": partial(format_instant, tzid=row.timezone),
            "on_now": current_and_next_talks([item.grid_slot for item in items.values()], rooms, now) if today else [],
            "waiting": programme.other_talks,
        },
    )


def event_feed_links(event: Event) -> tuple[FeedLink, ...]:
    feeds = (
        (".ics", "text/calendar", event.title),
        (".atom", atom.MEDIA_TYPE, _("News of %(event)s", event=event.title)),
        ("/schedule.xml", XML_MEDIA_TYPE, _("Schedule of %(event)s (XML)", event=event.title)),
        ("/schedule.json", JSON_MEDIA_TYPE, _("Schedule of %(event)s (JSON)", event=event.title)),
    )
    page = links().event_page(event.slug)
    return tuple(
        FeedLink(url=f"{page}{suffix}", type=media_type.partition(";")[0], title=title)
        for suffix, media_type, title in feeds
    )


def load_event_programme(session: Session, event: Event, *, max_talks: int, now: datetime) -> EventProgramme:
    """Return at most `max_talks` public talks, with the scheduled talks grouped by day in the reader's time zone."""
    colours = {track.name: number % _COLOURS + 1 for number, track in enumerate(event.tracks)}

    def list_talk_cards(limit: int, *, scheduled: bool) -> tuple[list[TalkCard], bool]:
        filters = Filter(events=(event.slug,), scheduled=scheduled)
        page = list_talk_json(session, filters, sort=Sort.STARTS, paging=PageRequest(limit), now=now)
        items = [
            TalkCard(talk, event.timezone, colours.get(talk["track"], 0)) for talk in map(orjson.loads, page.items)
        ]
        return items, page.next_cursor is None

    timed, all_timed = list_talk_cards(max_talks, scheduled=True)
    remaining = max_talks - len(timed)
    unscheduled, all_unscheduled = list_talk_cards(max(remaining, 1), scheduled=False)
    zone = get_zone(requested_timezone() or event.timezone)
    return EventProgramme(
        days=[
            ProgrammeDay(on, format_long_day(on), tuple(items))
            for on, items in groupby(timed, key=lambda item: item.grid_slot.starts.astimezone(zone).date())
        ],
        other_talks=unscheduled[:remaining],
        is_complete=all_timed and all_unscheduled and len(unscheduled) <= remaining,
    )


def _takes_place_between(event: Event, first: datetime, last: datetime) -> bool:
    """Return whether an event takes place on any day from `first` to `last`, in the time zone of the event."""
    zone = get_zone(event.timezone)
    days = first.astimezone(zone).date(), last.astimezone(zone).date()
    return event.status in ACTIVE_STATUSES and has_occurrence_between(event, *days)


def _canonical_path(event: Event, day: ProgrammeDay | None, *, as_list: bool) -> str:
    """Return the canonical path, which omits parameters with default values. `day` is None for the default day."""
    tz, day_name = requested_timezone(), day.on.isoformat() if day else None
    params = {"day": day_name, "as": "list" if as_list else None, "tz": tz if tz != event.timezone else None}
    query = urlencode({name: value for name, value in params.items() if value}, safe="/")
    return with_query(request.path.rstrip("/"), query)
