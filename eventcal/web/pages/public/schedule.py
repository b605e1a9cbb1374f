"""An event's schedule: one day of it as a table or a list, and, while it runs, what is on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlencode

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.recurrence.occurrences import occurs_between
from eventcal.events.words import STANDING_STATUSES
from eventcal.kit.localtime import zone
from eventcal.members.caller import VISITOR
from eventcal.web.identity.permissions import feed
from eventcal.web.pages.public.event import event_feeds
from eventcal.web.pages.public.programme import Day, Item, Programme, read_programme
from eventcal.web.pages.public.schedule_grid import Grid, lay_out, now_and_next
from eventcal.web.rendering.dates import hour, readers_zone
from eventcal.web.rendering.page import Page, pages, show

# Far more than any event has in one place; a bound all the same.
_MOST = 5000
_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True)
class RowShown:
    """A row of the table: its time in words, how many steps it lasts, and what begins in it over how many rows."""

    hour: str
    at: str
    steps: int
    cells: tuple[tuple[Item | None, int], ...]


@dataclass(frozen=True)
class Table:
    """The day as a table; `beside` has no place in it."""

    rooms: tuple[str, ...]
    rows: tuple[RowShown, ...]
    beside: tuple[Item, ...]


@dataclass(frozen=True)
class OnNow:
    """What is on in a room, if it has a name, and what comes next; `later` where that is on another day."""

    room: str | None
    on: tuple[Item, ...]
    then: Item | None
    later: bool


@pages.get("/events/<slug>/schedule")
@feed
def schedule(slug: str) -> Response:
    """Show an event's schedule."""

    def make(session: Session, moment: datetime) -> Page:
        row = get_event(session, slug, VISITOR)
        programme = read_programme(session, row, most=_MOST, now=moment)
        shown = readers_zone() or row.timezone
        today = moment.astimezone(zone(shown)).date() if runs(row, moment, moment) else None
        default = default_day(programme.days, today)
        day = _chosen(programme.days, request.args.get("day")) or default
        as_list = request.args.get("as") == "list"
        title = _("Schedule of %(event)s", event=row.title)
        return Page(
            template="pages/schedule.html",
            title=title,
            path=_path(row, day if day is not default else None, as_list=as_list),
            description=_("Who talks when and where at %(event)s", event=row.title),
            feeds=event_feeds(row),
            changes_by_itself=runs(row, *_day_around(moment)),
            values={
                "event": {"slug": row.slug, "title": row.title, "status": row.status},
                "zone": shown,
                "own_zone": row.timezone,
                "days": programme.days,
                "day": day,
                "today": today,
                "as_list": as_list,
                "table": _table(row, day),
                "on_now": _on_now(row, programme, moment) if today else [],
                "waiting": programme.waiting,
            },
        )

    return show(make)


def runs(event: Event, first: datetime, last: datetime) -> bool:
    """Say whether an event, or an occurrence of it, has a part in the days in its zone from one moment to another."""
    there = zone(event.timezone)
    days = first.astimezone(there).date(), last.astimezone(there).date()
    return event.status in STANDING_STATUSES and occurs_between(event, *days)


def default_day(days: Sequence[Day], today: date | None) -> Day | None:
    """Return the day to show where nobody names one: today while the event runs, else the first."""
    return next((day for day in days if day.on == today), days[0] if days else None)


def _chosen(days: Sequence[Day], named: str | None) -> Day | None:
    return next((day for day in days if day.on.isoformat() == named), None)


def _day_around(moment: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last second of the day (UTC), for which a page is kept."""
    day = moment.astimezone(UTC).date()
    return datetime.combine(day, time(), UTC), datetime.combine(day, _LAST_SECOND, UTC)


def _path(event: Event, day: Day | None, *, as_list: bool) -> str:
    """Return the page's own address: what is so anyway is not said. `day` is one that has to be named."""
    tz = readers_zone()
    said = {
        "day": day.on.isoformat() if day else None,
        "as": "list" if as_list else None,
        "tz": tz if tz != event.timezone else None,
    }
    query = urlencode({name: value for name, value in said.items() if value}, safe="/")
    return f"/events/{event.slug}/schedule{'?' if query else ''}{query}"


def _table(event: Event, day: Day | None) -> Table | None:
    """Return the day as a table, or None where nothing has a place in one."""
    items = {item.talk["id"]: item for item in day.items} if day else {}
    grid = lay_out([item.slot for item in items.values()], _rooms(event))
    if not grid.rooms:
        return None
    return Table(grid.rooms, _rows(grid, items, event.timezone), tuple(items[key] for key in grid.beside))


def _rows(grid: Grid, items: Mapping[str, Item], tzid: str) -> tuple[RowShown, ...]:
    shown = zone(readers_zone() or tzid)
    return tuple(
        RowShown(
            hour=hour(row.at, tzid=tzid),
            at=row.at.astimezone(shown).isoformat(),
            steps=row.steps,
            cells=tuple((items[cell.key] if cell.key else None, cell.rows) for cell in row.cells),
        )
        for row in grid.rows
    )


def _on_now(event: Event, programme: Programme, now: datetime) -> list[OnNow]:
    items = {item.talk["id"]: item for day in programme.days for item in day.items}
    today = now.astimezone(zone(readers_zone() or event.timezone)).date()
    found = now_and_next([item.slot for item in items.values()], _rooms(event), now)
    return [
        OnNow(
            room=one.room,
            on=tuple(items[key] for key in one.on),
            then=items[one.then] if one.then else None,
            later=one.then is not None and _day_of(items[one.then]) != today,
        )
        for one in found
    ]


def _day_of(item: Item) -> date | None:
    return item.when.on if item.when else None


def _rooms(event: Event) -> list[str]:
    return [room.name for room in event.rooms]
