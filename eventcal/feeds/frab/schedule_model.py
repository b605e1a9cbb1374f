"""An event's programme as conference apps know it: its days, in each of them its rooms, and in those its talks.

frab_schedule.py makes a schedule of a programme; frab_xml.py and frab_json.py are two notations of it, in the format
that frab began, pretalx writes and c3voc describes (https://c3voc.de/wiki/schedule). Giggity, EventFahrplan, ConfClerk
and Engelsystem read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from eventcal.feeds.entries.entry import KeptEntry


@dataclass(frozen=True, kw_only=True)
class Programme:
    """What there is to say of an event: the days it lasts, its rooms and tracks in their order, its public talks.

    tracks: name, and colour as #rrggbb or None. talks: in any order, also those that have no time or were called off.
    base_url: the installation's. changed_at: when any of this last changed.
    """

    slug: str
    title: str
    description: str
    url: str
    zone: str
    first_day: date
    last_day: date
    rooms: tuple[str, ...]
    tracks: tuple[tuple[str, str | None], ...]
    base_url: str
    talks: tuple[KeptEntry, ...]
    changed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody on stage."""

    id: int
    guid: str
    name: str
    url: str | None


@dataclass(frozen=True, kw_only=True)
class Link:
    """Something to read or to see beside a talk. kind: a word of the JSON schema's Reference."""

    url: str
    title: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class PlacedTalk:
    """A talk in its place. date, end: RFC 3339 with the zone's offset; start: HH:MM there; minutes: as time passes.

    language: the primary subtag. What there is not of abstract, track and language is "".
    """

    id: int
    guid: str
    slug: str
    title: str
    url: str
    room: str
    kind: str
    date: str
    end: str
    start: str
    minutes: int
    track: str
    language: str
    abstract: str
    persons: tuple[Person, ...]
    links: tuple[Link, ...]
    attachments: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of the programme, counted from 1, with all rooms. starts, ends (exclusive): RFC 3339 with offset."""

    index: int
    date: date
    starts: str
    ends: str
    rooms: Mapping[str, Sequence[PlacedTalk]]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """All that both notations say. rooms: the guid of each, by name. There is one day at least."""

    acronym: str
    title: str
    description: str
    url: str
    base_url: str
    zone: str
    version: str
    rooms: Mapping[str, str]
    tracks: tuple[tuple[str, str | None], ...]
    days: tuple[Day, ...]
