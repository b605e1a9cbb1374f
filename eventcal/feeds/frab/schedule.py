"""Builds the schedule of an event: selects its talks and assigns them to days and rooms.

A schedule is the content of frab's JSON and the source of its XML. frab introduced the format, pretalx writes it and
c3voc documents it (https://c3voc.de/wiki/schedule). Giggity, EventFahrplan, ConfClerk and Engelsystem read it.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import NamedTuple, NotRequired, TypedDict

from eventcal.feeds.entries.entry import CalendarEntry, KeptEntry, Part, Participant, Status, TalkFacts
from eventcal.feeds.entries.sanitize import strip_controls
from eventcal.feeds.frab.ids import acronym_of, guid_of, person_ids, talk_guid, talk_slug
from eventcal.kit.localtime import UTC_NAMES, day_start, format_utc, local_to_utc, with_offset, zone

# The format does not define when a conference day begins; Giggity and c3voc's tools assume six o'clock, and show
# earlier talks on the day after the one that they are listed under.
_DAY_BEGINS = time(6)
# For longer events (a recurring one may never end), only days with talks are listed.
_MOST_DAYS = 31
_A_DAY = timedelta(days=1)
_A_MINUTE = timedelta(minutes=1)

ROOM_TO_COME = "TBA"
# The JSON schema only accepts zone names of this form, not "Japan" or "US/Eastern".
_ZONE_NAME = re.compile("[A-Z][a-z]+/[A-Z][a-z]+")


@dataclass(frozen=True, kw_only=True)
class Programme:
    """The input of a schedule: an event's dates, its rooms and tracks in order, and its public talks.

    tracks: name, and colour as #rrggbb or None. talks: in any order, including cancelled ones and those without a time.
    base_url: the installation's. changed_at: the time of the last change to any of this.
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


Texts = dict[str, str]
"""A JSON object with string values only."""


class Person(TypedDict):
    """A speaker. public_name is left out, because the JSON schema allows either `name` or `public_name`."""

    id: int
    guid: str
    name: str
    url: NotRequired[str]


class PlacedTalk(TypedDict):
    """A scheduled talk. date, end: RFC 3339 with the zone's offset; start: local HH:MM; duration: elapsed HH:MM.

    The hours of duration may exceed 24. language: the primary subtag. links, attachments: url, title and type, which
    is a type of the JSON schema's Reference.
    """

    guid: str
    id: int
    date: str
    start: str
    end: str
    duration: str
    room: str
    slug: str
    url: str
    title: str
    subtitle: str
    track: str | None
    type: str
    language: str | None
    abstract: str
    description: str
    recording_license: str
    do_not_record: bool
    persons: list[Person]
    links: list[Texts]
    attachments: list[Texts]


class Day(TypedDict):
    """A day, counted from 1, with all rooms. day_start, day_end (exclusive): RFC 3339 with offset."""

    index: int
    date: str
    day_start: str
    day_end: str
    rooms: dict[str, list[PlacedTalk]]


class Conference(TypedDict):
    """The event. rooms: name and guid; tracks: name and optional color. There is at least one day."""

    acronym: str
    title: str
    description: str
    start: str
    end: str
    daysCount: int
    timeslot_duration: str
    time_zone_name: NotRequired[str]
    url: str
    rooms: list[Texts]
    tracks: list[Texts]
    days: list[Day]


class Schedule(TypedDict):
    """The content of both the JSON and the XML document."""

    version: str
    base_url: str
    conference: Conference


class _Timed(NamedTuple):
    """A talk that has a time and is not cancelled; `starts` and `ends` are in the programme's zone."""

    kept: KeptEntry
    facts: TalkFacts
    starts: datetime
    ends: datetime


def schedule_of(programme: Programme) -> Schedule:
    """Return the schedule of all talks that have a time and are not cancelled."""
    placed = _placed(programme)
    names = dict.fromkeys([*map(strip_controls, programme.rooms), *(talk["room"] for talk in chain(*placed.values()))])
    days = list(_days(programme, placed, list(names)))
    conference: Conference = {
        "acronym": acronym_of(programme.slug),
        "title": strip_controls(programme.title),
        "description": strip_controls(programme.description),
        "start": days[0]["date"],
        "end": days[-1]["date"],
        "daysCount": len(days),
        "timeslot_duration": "00:05",
        "time_zone_name": "UTC" if programme.zone in UTC_NAMES else programme.zone,
        "url": strip_controls(programme.url),
        "rooms": [{"name": name, "guid": guid_of("room", f"{programme.slug} {name}")} for name in names],
        "tracks": [
            {"name": strip_controls(name), "color": colour} if colour else {"name": strip_controls(name)}
            for name, colour in programme.tracks
        ],
        "days": days,
    }
    if not (programme.zone in UTC_NAMES or _ZONE_NAME.match(programme.zone)):
        del conference["time_zone_name"]
    changed_at = programme.changed_at
    # Apps compare and show the version, so it must change with the programme, not with the time of the request.
    version = format_utc(changed_at) if changed_at else "0"
    return {"version": version, "base_url": strip_controls(programme.base_url), "conference": conference}


def _placed(programme: Programme) -> Mapping[date, Sequence[PlacedTalk]]:
    timed = sorted(_timed(programme), key=lambda one: (one.starts.astimezone(UTC), one.kept.number))
    dates = {one.starts.date() for one in timed}
    ids = person_ids(person.key for one in timed for person in _speakers(one.kept.entry))
    placed: dict[date, list[PlacedTalk]] = {}
    for one in timed:
        placed.setdefault(_day_of(one.starts, programme, dates), []).append(_talk(one, programme, ids))
    return placed


def _timed(programme: Programme) -> Iterator[_Timed]:
    for kept in programme.talks:
        entry = kept.entry
        if entry.talk is None or entry.status == Status.CANCELLED:
            continue
        if isinstance(entry.starts, datetime) and isinstance(entry.ends, datetime):
            starts, ends = (_moved(moment, entry.zone, programme.zone) for moment in (entry.starts, entry.ends))
            yield _Timed(kept, entry.talk, starts, ends)


def _moved(local: datetime, tzid: str, to: str) -> datetime:
    # Converts via UTC, which is also defined for local times that the zone skips.
    return local_to_utc(local, tzid).astimezone(zone(to))


def _day_of(starts: datetime, programme: Programme, dates: Container[date]) -> date:
    """Return the day that lists a talk: before six o'clock the previous day, if the programme includes it."""
    day = starts.date()
    before = day - _A_DAY
    has_it = programme.first_day <= before <= programme.last_day or before in dates
    return before if starts.time() < _DAY_BEGINS and has_it else day


def _days(programme: Programme, placed: Mapping[date, Sequence[PlacedTalk]], rooms: Sequence[str]) -> Iterator[Day]:
    dates = set(placed) or {programme.first_day}
    lasts = (programme.last_day - programme.first_day).days + 1
    if lasts <= _MOST_DAYS:
        dates.update(programme.first_day + _A_DAY * count for count in range(lasts))
    for index, day in enumerate(sorted(dates), start=1):
        talks = placed.get(day, ())
        yield {
            "index": index,
            "date": day.isoformat(),
            "day_start": _beginning(day, talks, programme.zone),
            "day_end": _begins(day + _A_DAY, programme.zone),
            "rooms": {room: [talk for talk in talks if talk["room"] == room] for room in rooms},
        }


def _beginning(day: date, talks: Sequence[PlacedTalk], tzid: str) -> str:
    """Return the start of a day: midnight if talks on its own date start before six o'clock, otherwise six o'clock."""
    begins = _begins(day, tzid)
    own = f"{day}T"
    is_early = any(own < talk["date"] < f"{own}{_DAY_BEGINS}" for talk in talks)
    return with_offset(day_start(day, tzid), tzid) if is_early else begins


def _begins(day: date, tzid: str) -> str:
    return with_offset(_moved(datetime.combine(day, _DAY_BEGINS), tzid, tzid), tzid)


def _talk(one: _Timed, programme: Programme, ids: Mapping[str, int]) -> PlacedTalk:
    entry, facts, number = one.kept.entry, one.facts, one.kept.number
    # Subtracting two times in the same zone would ignore changes of the UTC offset.
    lasts = one.ends.astimezone(UTC) - one.starts.astimezone(UTC)
    # At least one minute, because apps hide talks with a duration of zero.
    minutes = max(-(-lasts // _A_MINUTE), 1)
    title = strip_controls(entry.title)
    return {
        "guid": talk_guid(entry.uid),
        "id": number,
        "date": with_offset(one.starts, programme.zone),
        "start": f"{one.starts:%H:%M}",
        "end": with_offset(one.ends, programme.zone),
        "duration": f"{minutes // 60:02}:{minutes % 60:02}",
        "room": _room(facts, programme),
        "slug": talk_slug(acronym_of(programme.slug), number, title),
        "url": strip_controls(entry.url),
        "title": title,
        "subtitle": "",
        "track": strip_controls(facts.track or "") or None,
        "type": strip_controls(facts.kind),
        "language": strip_controls(facts.language or "").partition("-")[0].lower() or None,
        "abstract": strip_controls(facts.abstract),
        "description": "",
        "recording_license": "",
        "do_not_record": False,
        "persons": [_person(person, ids) for person in _speakers(entry)],
        "links": list(_links(entry, facts)),
        "attachments": list(_slides(facts)),
    }


def _room(facts: TalkFacts, programme: Programme) -> str:
    """Return the room to show, because apps omit talks without one; without any rooms, the event's title."""
    return strip_controls(facts.room or (ROOM_TO_COME if programme.rooms else programme.title))


def _speakers(entry: CalendarEntry) -> Iterator[Participant]:
    return (one for one in entry.participants if one.part == Part.SPEAKER)


def _person(one: Participant, ids: Mapping[str, int]) -> Person:
    person: Person = {"id": ids[one.key], "guid": guid_of("person", one.key), "name": strip_controls(one.name)}
    return {**person, "url": strip_controls(one.url)} if one.url else person


def _links(entry: CalendarEntry, facts: TalkFacts) -> Iterator[Texts]:
    # Slides are repeated here, because Giggity and EventFahrplan show links but no attachments.
    yield from _slides(facts)
    if facts.recording_url:
        yield {"url": strip_controls(facts.recording_url), "title": "Recording", "type": "media"}
    if entry.conference:
        yield {"url": strip_controls(entry.conference), "title": "Online", "type": "web"}


def _slides(facts: TalkFacts) -> Iterator[Texts]:
    if facts.slides_url:
        yield {"url": strip_controls(facts.slides_url), "title": "Slides", "type": "slides"}
