"""The programme of an event by day, and the schedule page: one day as a table or list, and the current talks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from urllib.parse import urlencode

import orjson
from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.recurrence.occurrences import has_occurrence_between
from eventcal.events.words import ACTIVE_STATUSES
from eventcal.feeds.formats import atom
from eventcal.feeds.frab.documents import JSON_MEDIA_TYPE, XML_MEDIA_TYPE
from eventcal.feeds.resources import list_talk_json
from eventcal.kit.localtime import get_zone
from eventcal.kit.paging import PageRequest
from eventcal.members.caller import ANONYMOUS
from eventcal.web.http.urls import with_query
from eventcal.web.identity.permissions import anonymous
from eventcal.web.pages.public.schedule_grid import Slot, lay_out, now_and_next
from eventcal.web.rendering.dates import When, at, long_day, readers_zone, when
from eventcal.web.rendering.page import FeedLink, Page, pages, render_page
from eventcal.web.request.context import links
from eventcal.web.schemas.out import Json

# A limit far above the number of talks of any event.
_MOST = 5000
# The number of track colours in site.css.
_COLOURS = 8
_TO_LAST_SECOND = timedelta(hours=23, minutes=59, seconds=59)


@dataclass(frozen=True)
class Item:
    """A talk of a programme: its resource, its times, and the number of its track's colour (from 1; 0 for none)."""

    talk: Json
    when: When | None
    colour: int

    @property
    def slot(self) -> Slot:
        """The time and room of the talk, which must have a time."""
        return Slot(
            key=self.talk["id"],
            room=self.talk["room"],
            starts=datetime.fromisoformat(self.talk["starts_at"]),
            ends=datetime.fromisoformat(self.talk["ends_at"]),
            yields=self.talk["state"] == "cancelled",
        )


@dataclass(frozen=True)
class Day:
    """A day with talks, its display name, and its talks by time."""

    on: date
    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Programme:
    """An event's scheduled talks by day, and its other talks (`waiting`). `whole` is true if these are all talks."""

    days: list[Day]
    waiting: list[Item]
    whole: bool


@pages.get("/events/<slug>/schedule")
@anonymous
def schedule(slug: str) -> Response:
    """Show an event's schedule."""

    def make(session: Session, moment: datetime) -> Page:
        row = get_event(session, slug, ANONYMOUS)
        programme = read_programme(session, row, most=_MOST, now=moment)
        shown = readers_zone() or row.timezone
        today = moment.astimezone(get_zone(shown)).date() if _runs(row, moment, moment) else None
        days = {day.on.isoformat(): day for day in programme.days}
        # Today while the event runs, else the first day.
        default = next((day for day in programme.days if day.on == today), next(iter(programme.days), None))
        day = days.get(request.args.get("day", ""), default)
        as_list = request.args.get("as") == "list"
        # Pages are cached until the end of the day (UTC).
        midnight = datetime.combine(moment.astimezone(UTC), time(), UTC)
        items = {item.talk["id"]: item for one in programme.days for item in one.items}
        rooms = [room.name for room in row.rooms]
        grid = lay_out([item.slot for item in day.items] if day else [], rooms)
        return Page(
            template="pages/schedule.html",
            title=_("Schedule of %(event)s", event=row.title),
            path=_path(row, day if day is not default else None, as_list=as_list),
            description=_("Who talks when and where at %(event)s", event=row.title),
            feeds=event_feeds(row),
            changes_by_itself=_runs(row, midnight, midnight + _TO_LAST_SECOND),
            values={
                "event": row,
                "zone": shown,
                "own_zone": row.timezone,
                "days": programme.days,
                "day": day,
                "today": today,
                "as_list": as_list,
                "items": items,
                "grid": grid if grid.rooms else None,
                "beside": [items[key] for key in grid.beside],
                "at": partial(at, tzid=row.timezone),
                "on_now": now_and_next([item.slot for item in items.values()], rooms, moment) if today else [],
                "waiting": programme.waiting,
            },
        )

    return render_page(make)


def event_feeds(row: Event) -> tuple[FeedLink, ...]:
    """Return the feeds of an event, the calendar first."""
    feeds = (
        (".ics", "text/calendar", row.title),
        (".atom", atom.MEDIA_TYPE, _("News of %(event)s", event=row.title)),
        ("/schedule.xml", XML_MEDIA_TYPE, _("Schedule of %(event)s (XML)", event=row.title)),
        ("/schedule.json", JSON_MEDIA_TYPE, _("Schedule of %(event)s (JSON)", event=row.title)),
    )
    page = links().event_page(row.slug)
    return tuple(
        FeedLink(url=f"{page}{suffix}", type=media_type.partition(";")[0], title=title)
        for suffix, media_type, title in feeds
    )


def read_programme(session: Session, event: Event, *, most: int, now: datetime) -> Programme:
    """Return at most `most` public talks of an event. Days are those of the time zone that the reader selected."""
    colours = {track.name: number % _COLOURS + 1 for number, track in enumerate(event.tracks)}

    def read(limit: int, *, scheduled: bool) -> tuple[list[Item], bool]:
        asked = Filter(events=(event.slug,), scheduled=scheduled)
        page = list_talk_json(session, asked, sort=Sort.STARTS, paging=PageRequest(limit), now=now)
        talks = map(orjson.loads, page.items)
        items = [Item(talk, when(talk, tzid=event.timezone), colours.get(talk["track"], 0)) for talk in talks]
        return items, page.next_cursor is None

    timed, all_timed = read(most, scheduled=True)
    left = most - len(timed)
    waiting, all_waiting = read(max(left, 1), scheduled=False)
    by_day = [(item.when.on, item) for item in timed if item.when is not None]
    return Programme(
        days=[
            Day(on, long_day(on), tuple(item for _, item in group))
            for on, group in groupby(by_day, key=lambda pair: pair[0])
        ],
        waiting=waiting[:left],
        whole=all_timed and all_waiting and len(waiting) <= left,
    )


def _runs(event: Event, first: datetime, last: datetime) -> bool:
    """Return whether an event or an occurrence takes place on the days, in its zone, between two instants."""
    there = get_zone(event.timezone)
    days = first.astimezone(there).date(), last.astimezone(there).date()
    return event.status in ACTIVE_STATUSES and has_occurrence_between(event, *days)


def _path(event: Event, day: Day | None, *, as_list: bool) -> str:
    """Return the canonical path of the page, without default parameters. `day` is None for the default day."""
    tz = readers_zone()
    said = {
        "day": day.on.isoformat() if day else None,
        "as": "list" if as_list else None,
        "tz": tz if tz != event.timezone else None,
    }
    query = urlencode({name: value for name, value in said.items() if value}, safe="/")
    return with_query(request.path.rstrip("/"), query)
