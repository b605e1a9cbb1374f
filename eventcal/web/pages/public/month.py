"""The listing as a month: a table of weeks and days."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from flask_babel import gettext as _
from sqlalchemy import func
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import find_events_by_slug, narrowed
from eventcal.feeds.resources import event_resources, talk_resources
from eventcal.kit.localtime import FIRST_YEAR, LAST_YEAR
from eventcal.kit.paging import Paging
from eventcal.talks.queries import public_talks
from eventcal.web.pages.public.filter_bar import Seen, bar_of
from eventcal.web.pages.public.recurring import occurrences_in, when_of
from eventcal.web.params.listing_query import Show, Typed, Wanted
from eventcal.web.rendering.dates import (
    When,
    first_weekday,
    month_of,
    readers_zone,
    short_day,
    short_weekday,
    weekday,
    when,
)
from eventcal.web.rendering.page import Page

Json = dict[str, Any]

_A_DAY = timedelta(days=1)
_WEEK = 7
# More than a month of any calendar of ours has; a page of more would be of no use to anybody.
_MOST = 500
_MOST_OCCURRENCES = 40


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What an event or a talk puts into one day. `number`, `of`: which of its days that is, and of how many."""

    url: str
    title: str
    state: str
    hours: str | None
    number: int
    of: int
    talks: int = 0
    talks_url: str = ""
    order: tuple[bool, str] = (False, "")


@dataclass(frozen=True, kw_only=True)
class Day:
    """A cell. `pieces` is empty for the days of the months beside this one."""

    on: date
    name: str
    inside: bool
    today: bool
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class Week:
    """A row, with the number that its week has (ISO 8601)."""

    number: int
    days: tuple[Day, ...]


Placed = tuple[date, Piece]


def month_page(session: Session, typed: Typed, wanted: Wanted, moment: datetime) -> Page:
    """Return the page of the month that is asked for: the one named, else that of the first day, else this one."""
    today = moment.astimezone(UTC).date()
    first = (wanted.month or wanted.filter.from_day or today).replace(day=1)
    read = _talks if wanted.show == Show.TALKS else _events
    placed, seen, whole = read(session, _around(wanted.filter, first), moment)
    weeks = _weeks(first, today, placed)
    name = month_of(first)
    return Page(
        template="pages/month.html",
        title=_("Talks in %(month)s", month=name)
        if wanted.show == Show.TALKS
        else _("Events in %(month)s", month=name),
        path=replace(wanted, month=first).path,
        description=_("Events and their talks: to read, to filter and to subscribe to."),
        indexed=not typed.filters and any(day.pieces for week in weeks for day in week.days),
        values={
            "bar": bar_of(typed.having(month=f"{first:%Y-%m}"), seen),
            "month": name,
            "weeks": weeks,
            "weekdays": [(weekday(number), short_weekday(number)) for number in _weekdays()],
            "anything": any(day.pieces for week in weeks for day in week.days),
            "whole": whole,
            "as_list": typed.having(view=None, month=None, **{"from": first.isoformat(), "to": None}).url,
            "before": _beside(typed, first - _A_DAY),
            "after": _beside(typed, _next_month(first)),
            "zone": readers_zone(),
            "feed_query": wanted.feed_query,
        },
    )


def _beside(typed: Typed, day: date) -> tuple[str, str] | None:
    """Return the address and the name of the month of a day, within the years that there are."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return typed.having(month=f"{day:%Y-%m}").url, month_of(day)


def _next_month(first: date) -> date:
    return (first + 31 * _A_DAY).replace(day=1)


def _around(asked: Filter, first: date) -> Filter:
    """Return the filter for a month and a day on either side, where it is still or already this month elsewhere."""
    start, end = first - _A_DAY, _next_month(first)
    return replace(asked, from_day=max(asked.from_day or start, start), to_day=min(asked.to_day or end, end))


def _events(session: Session, asked: Filter, moment: datetime) -> tuple[list[Placed], Seen, bool]:
    page = event_resources(session, narrowed(session, asked), sort=Sort.STARTS, paging=Paging(limit=_MOST), now=moment)
    events = [orjson.loads(text) for text in page.items]
    counts = _talks_by_event(session, [event["slug"] for event in events], asked, moment)
    seen = Seen(
        tags=[tag for event in events for tag in event["tags"]],
        kinds=[event["kind"] for event in events if event["kind"]],
        countries=[event["location"]["country"] for event in events if event["location"]["country"]],
    )
    placed = [one for event in events for one in _event_pieces(event, asked, counts.get(event["slug"], 0))]
    return placed, seen, page.next is None


def _talks_by_event(session: Session, slugs: Sequence[str], asked: Filter, moment: datetime) -> dict[str, int]:
    """Return how many talks each of these events has within the days asked for."""
    theirs = Filter(events=tuple(slugs), from_day=asked.from_day, to_day=asked.to_day)
    count = public_talks(theirs, now=moment).with_only_columns(Event.slug, func.count()).group_by(Event.slug)
    return {slug: int(number) for slug, number in session.execute(count)} if slugs else {}


def _event_pieces(event: Json, asked: Filter, talks: int) -> Iterator[Placed]:
    url, tzid = f"/events/{event['slug']}", event["timezone"]
    if event["recurrence"] is None:
        said = when(event, tzid=tzid)
        if said:
            yield from _pieces(url, event["title"], event["status"], said, talks, event["slug"])
        return
    if asked.from_day is None:
        return
    for one in occurrences_in(event, asked.from_day, asked.to_day, limit=_MOST_OCCURRENCES):
        said = when_of(one, tzid)
        if said:
            yield from _pieces(url, one.title, one.status.value, said)


def _talks(session: Session, asked: Filter, moment: datetime) -> tuple[list[Placed], Seen, bool]:
    scheduled = replace(asked, scheduled=True if asked.scheduled is None else asked.scheduled)
    page = talk_resources(session, scheduled, sort=Sort.STARTS, paging=Paging(limit=_MOST), now=moment)
    talks = [orjson.loads(text) for text in page.items]
    events = find_events_by_slug(session, {talk["event"] for talk in talks})
    seen = Seen(
        tags=[tag for talk in talks for tag in talk["tags"]],
        kinds=[talk["kind"] for talk in talks],
        countries=[country for talk in talks if (country := events[talk["event"]].country)],
    )
    placed: list[Placed] = []
    for talk in talks:
        said = when(talk, tzid=events[talk["event"]].timezone)
        if said:
            placed += _pieces(f"/talks/{talk['id']}", talk["title"], talk["state"], said)
    return placed, seen, page.next is None


def _pieces(url: str, title: str, state: str, said: When, talks: int = 0, slug: str = "") -> Iterator[Placed]:  # noqa: PLR0917 - what a piece is made of
    """Yield what something puts into each of its days; hours and talks stand in the first."""
    days = _days_of(said)
    for number in range(1, days + 1):
        yield (
            said.on + (number - 1) * _A_DAY,
            Piece(
                url=url,
                title=title,
                state=state,
                hours=said.hours if number == 1 else None,
                number=number,
                of=days,
                talks=talks if number == 1 else 0,
                talks_url=f"/?event={slug}&show=talks",
                # What goes on, and whole days, come before what has its hour.
                order=(number == 1 and said.hours is not None, said.starts),
            ),
        )


def _days_of(said: When) -> int:
    """Return how many days something has a part in; who is there until midnight is not there the next day."""
    if said.hours is None:
        return (date.fromisoformat(said.ends) - said.on).days + 1
    end = datetime.fromisoformat(said.ends)
    last = (end - timedelta(seconds=1)).date() if end > datetime.fromisoformat(said.starts) else end.date()
    return max((last - said.on).days, 0) + 1


def _weekdays() -> list[int]:
    """Return the days of a week in the reader's order; 0 is Monday."""
    return [(first_weekday() + place) % _WEEK for place in range(_WEEK)]


def _weeks(first: date, today: date, placed: Iterable[Placed]) -> list[Week]:
    by_day: dict[date, list[Piece]] = {}
    for day, piece in placed:
        by_day.setdefault(day, []).append(piece)
    start = first - (first.weekday() - first_weekday()) % _WEEK * _A_DAY
    length = (_next_month(first) - start).days
    days = [_day(start + place * _A_DAY, first, today, by_day) for place in range(length + -length % _WEEK)]
    # A week belongs to the year and has the number that its Thursday has.
    return [
        Week(number=next(day.on for day in week if day.on.weekday() == 3).isocalendar().week, days=week)  # noqa: PLR2004 - Thursday
        for week in (tuple(days[at : at + _WEEK]) for at in range(0, len(days), _WEEK))
    ]


def _day(on: date, first: date, today: date, by_day: dict[date, list[Piece]]) -> Day:
    inside = (on.year, on.month) == (first.year, first.month)
    pieces = sorted(by_day.get(on, ()), key=lambda piece: piece.order) if inside else ()
    return Day(on=on, name=short_day(on), inside=inside, today=on == today, pieces=tuple(pieces))
