"""A schedule as the JSON of frab and c3voc."""

import re
from typing import Any

import orjson

from eventcal import __version__
from eventcal.feeds.frab.schedule import schedule_of
from eventcal.feeds.frab.schedule_model import Day, Link, Person, PlacedTalk, Programme, Schedule
from eventcal.kit.localtime import UTC_NAMES

JSON_MEDIA_TYPE = "application/json"

# The JSON schema knows zones by such names alone: nothing of "Japan" or "US/Eastern".
_ZONE_NAME = re.compile("[A-Z][a-z]+/[A-Z][a-z]+")


def schedule_json(programme: Programme) -> bytes:
    """Return an event's schedule as JSON in UTF-8; the same programme gives the same bytes."""
    schedule = schedule_of(programme)
    whole = {
        "$schema": "https://c3voc.de/schedule/schema.json",
        "generator": {"name": "eventcal", "version": __version__, "url": schedule.base_url},
        "schedule": {
            "version": schedule.version,
            "base_url": schedule.base_url,
            "conference": _conference(schedule),
        },
    }
    return orjson.dumps(whole)


def _conference(schedule: Schedule) -> dict[str, Any]:
    return {
        "acronym": schedule.acronym,
        "title": schedule.title,
        "description": schedule.description,
        "start": schedule.days[0].date.isoformat(),
        "end": schedule.days[-1].date.isoformat(),
        "daysCount": len(schedule.days),
        "timeslot_duration": "00:05",
        **_zone(schedule.zone),
        "url": schedule.url,
        "rooms": [{"name": name, "guid": guid} for name, guid in schedule.rooms.items()],
        "tracks": [{"name": name, "color": colour} if colour else {"name": name} for name, colour in schedule.tracks],
        "days": [_day(day) for day in schedule.days],
    }


def _zone(tzid: str) -> dict[str, str]:
    if tzid in UTC_NAMES:
        return {"time_zone_name": "UTC"}
    return {"time_zone_name": tzid} if _ZONE_NAME.match(tzid) else {}


def _day(day: Day) -> dict[str, Any]:
    return {
        "index": day.index,
        "date": day.date.isoformat(),
        "day_start": day.starts,
        "day_end": day.ends,
        "rooms": {name: [_talk(talk) for talk in talks] for name, talks in day.rooms.items()},
    }


def _talk(talk: PlacedTalk) -> dict[str, Any]:
    return {
        "guid": talk.guid,
        "id": talk.id,
        "date": talk.date,
        "start": talk.start,
        "end": talk.end,
        # The hours may be more than 24 here, and more than two digits.
        "duration": f"{talk.minutes // 60:02}:{talk.minutes % 60:02}",
        "room": talk.room,
        "slug": talk.slug,
        "url": talk.url,
        "title": talk.title,
        "subtitle": "",
        "track": talk.track or None,
        "type": talk.kind,
        "language": talk.language or None,
        "abstract": talk.abstract,
        "description": "",
        "recording_license": "",
        "do_not_record": False,
        "persons": [_person(person) for person in talk.persons],
        "links": [_link(link) for link in talk.links],
        "attachments": [_link(link) for link in talk.attachments],
    }


def _person(person: Person) -> dict[str, Any]:
    """Return a person without public_name: the JSON schema takes one kind of person or the other, never both."""
    about = {"id": person.id, "guid": person.guid, "name": person.name}
    return {**about, "url": person.url} if person.url else about


def _link(link: Link) -> dict[str, str]:
    return {"url": link.url, "title": link.title, "type": link.kind}
