"""An event's talks as its pages show them: by day, and those that wait for a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.feeds.resources import talk_resources
from eventcal.kit.paging import Page, Paging
from eventcal.web.pages.public.schedule_grid import Slot
from eventcal.web.rendering.dates import When, long_day, when

Json = dict[str, Any]

# How many tracks look different; site.css has as many colours.
_COLOURS = 8


@dataclass(frozen=True, kw_only=True)
class Item:
    """A talk in a programme: its resource, when it is, and which colour its track has (from 1 on; 0 is none)."""

    talk: Json
    when: When | None
    colour: int

    @property
    def slot(self) -> Slot:
        """Give when and where it is. It has a time."""
        return Slot(
            key=self.talk["id"],
            room=self.talk["room"],
            starts=datetime.fromisoformat(self.talk["starts_at"]),
            ends=datetime.fromisoformat(self.talk["ends_at"]),
            yields=self.talk["state"] == "cancelled",
        )


@dataclass(frozen=True)
class Day:
    """A day that has talks, its name in full, and these by time."""

    on: date
    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Programme:
    """An event's talks: those that have a time by day, and the others. `whole` says that these are all."""

    days: tuple[Day, ...]
    waiting: tuple[Item, ...]
    whole: bool


def read_programme(session: Session, event: Event, *, most: int, now: datetime) -> Programme:
    """Return the public talks of an event, at most so many. Days are those of the zone that the reader sees."""
    timed = _talks(session, event, scheduled=True, limit=most, now=now)
    left = most - len(timed.items)
    waiting = _talks(session, event, scheduled=False, limit=max(left, 1), now=now)
    return Programme(
        days=_by_day(_items(event, timed.items)),
        waiting=tuple(_items(event, waiting.items[:left])),
        whole=timed.next is None and waiting.next is None and len(waiting.items) <= left,
    )


def _talks(session: Session, event: Event, *, scheduled: bool, limit: int, now: datetime) -> Page[str]:
    asked = Filter(events=(event.slug,), scheduled=scheduled)
    return talk_resources(session, asked, sort=Sort.STARTS, paging=Paging(limit), now=now)


def _items(event: Event, resources: Iterable[str]) -> Sequence[Item]:
    colours = {track.name: number % _COLOURS + 1 for number, track in enumerate(event.tracks)}
    talks = map(orjson.loads, resources)
    return [
        Item(talk=talk, when=when(talk, tzid=event.timezone), colour=colours.get(talk["track"], 0)) for talk in talks
    ]


def _by_day(items: Iterable[Item]) -> tuple[Day, ...]:
    timed = [(item.when.on, item) for item in items if item.when is not None]
    return tuple(
        Day(on, long_day(on), tuple(item for _, item in group)) for on, group in groupby(timed, key=lambda one: one[0])
    )
