"""Construction of an event's schedule, which is serialised in the frab format (see https://c3voc.de/wiki/schedule)."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import NamedTuple, NotRequired, TypedDict

from eventcal.feeds.entries.entry import CalendarEntry, Participant, ParticipantType, Status, StoredEntry, TalkFacts
from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.feeds.frab.ids import event_acronym, object_guid, person_ids, talk_guid, talk_slug
from eventcal.kit.localtime import UTC_NAMES, day_start, format_utc, format_with_offset, get_zone, local_to_utc_lenient

# Giggity and the c3voc tools assume that a conference day begins at 06:00, although the format does not say so.
_DAY_BEGINS = time(6)
# The maximum duration, in days, of events whose schedules include days without talks.
_MAX_LISTED_DAYS = 31
_A_DAY = timedelta(days=1)

# The JSON schema does not accept zone names such as "Japan" or "US/Eastern".
_ZONE_NAME = re.compile("[A-Z][a-z]+/[A-Z][a-z]+")


@dataclass(frozen=True, kw_only=True)
class ScheduleInput:
    """The data of an event from which its schedule is built.

    `tracks` contains the name and the colour (#rrggbb or None) of each track. `talks` can contain cancelled talks and
    talks without a time, in any order. `changed_at` is the time of the last change to the event's data.
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
    talks: tuple[StoredEntry, ...]
    changed_at: datetime | None


StringDict = dict[str, str]


class Person(TypedDict):
    """A speaker. The JSON schema allows only one of `name` and `public_name`."""

    id: int
    guid: str
    name: str
    url: NotRequired[str]


class ScheduledTalk(TypedDict):
    """A scheduled talk.

    `date` and `end` are in RFC 3339 format with the UTC offset of the event's time zone. `start` is the local start
    time as HH:MM. `duration` is the elapsed time as HH:MM, which can exceed 24 hours.
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
    links: list[StringDict]
    attachments: list[StringDict]


class ScheduleDay(TypedDict):
    """A day of a schedule, with the talks in each room. `index` starts at 1, and `day_end` is exclusive."""

    index: int
    date: str
    day_start: str
    day_end: str
    rooms: dict[str, list[ScheduledTalk]]


class Conference(TypedDict):
    """The conference object of a schedule, which contains at least one day."""

    acronym: str
    title: str
    description: str
    start: str
    end: str
    daysCount: int
    timeslot_duration: str
    time_zone_name: NotRequired[str]
    url: str
    rooms: list[StringDict]
    tracks: list[StringDict]
    days: list[ScheduleDay]


class Schedule(TypedDict):
    """The data from which the JSON and XML documents are serialised."""

    version: str
    base_url: str
    conference: Conference


class _TimedTalk(NamedTuple):
    """A talk that has a time and is not cancelled. `starts` and `ends` are in the time zone of the event."""

    stored: StoredEntry
    facts: TalkFacts
    starts: datetime
    ends: datetime


def build_schedule(programme: ScheduleInput) -> Schedule:
    """Return the schedule of all talks that have a time and are not cancelled."""
    placed = _group_talks_by_day(programme)
    names = dict.fromkeys(
        [*map(replace_controls, programme.rooms), *(talk["room"] for talk in chain(*placed.values()))]
    )
    days = list(_iter_schedule_days(programme, placed, list(names)))
    conference: Conference = {
        "acronym": event_acronym(programme.slug),
        "title": replace_controls(programme.title),
        "description": replace_controls(programme.description),
        "start": days[0]["date"],
        "end": days[-1]["date"],
        "daysCount": len(days),
        "timeslot_duration": "00:05",
        "time_zone_name": "UTC" if programme.zone in UTC_NAMES else programme.zone,
        "url": replace_controls(programme.url),
        "rooms": [{"name": name, "guid": object_guid("room", f"{programme.slug} {name}")} for name in names],
        "tracks": [
            {"name": replace_controls(name), "color": colour} if colour else {"name": replace_controls(name)}
            for name, colour in programme.tracks
        ],
        "days": days,
    }
    if not (programme.zone in UTC_NAMES or _ZONE_NAME.match(programme.zone)):
        del conference["time_zone_name"]
    # Apps compare versions, so the version of a schedule must change only if the programme changes.
    version = format_utc(programme.changed_at) if programme.changed_at else "0"
    return {"version": version, "base_url": replace_controls(programme.base_url), "conference": conference}


def _group_talks_by_day(programme: ScheduleInput) -> Mapping[date, Sequence[ScheduledTalk]]:
    timed = sorted(_iter_timed_talks(programme), key=lambda one: (one.starts.astimezone(UTC), one.stored.number))
    dates = {one.starts.date() for one in timed}
    ids = person_ids(person.key for one in timed for person in _iter_speakers(one.stored.entry))
    placed: dict[date, list[ScheduledTalk]] = {}
    for one in timed:
        day = _conference_day(one.starts, programme, dates)
        placed.setdefault(day, []).append(_build_scheduled_talk(one, programme, ids))
    return placed


def _iter_timed_talks(programme: ScheduleInput) -> Iterator[_TimedTalk]:
    for kept in programme.talks:
        entry = kept.entry
        if entry.talk is None or entry.status == Status.CANCELLED:
            continue
        if isinstance(entry.starts, datetime) and isinstance(entry.ends, datetime):
            starts, ends = (_convert_zone(moment, entry.zone, programme.zone) for moment in (entry.starts, entry.ends))
            yield _TimedTalk(kept, entry.talk, starts, ends)


def _convert_zone(local: datetime, tzid: str, to_tzid: str) -> datetime:
    # Converting via UTC also works for local times that the time zone skips.
    return local_to_utc_lenient(local, tzid).astimezone(get_zone(to_tzid))


def _conference_day(starts: datetime, programme: ScheduleInput, dates: Container[date]) -> date:
    """Return the start date of a talk, or for talks before 06:00 the previous date if the schedule contains it."""
    day, before = starts.date(), starts.date() - _A_DAY
    is_scheduled = programme.first_day <= before <= programme.last_day or before in dates
    return before if starts.time() < _DAY_BEGINS and is_scheduled else day


def _iter_schedule_days(
    programme: ScheduleInput, talks_by_day: Mapping[date, Sequence[ScheduledTalk]], rooms: Sequence[str]
) -> Iterator[ScheduleDay]:
    dates = set(talks_by_day) or {programme.first_day}
    lasts = (programme.last_day - programme.first_day).days + 1
    if lasts <= _MAX_LISTED_DAYS:
        dates.update(programme.first_day + _A_DAY * count for count in range(lasts))
    for index, day in enumerate(sorted(dates), start=1):
        talks = talks_by_day.get(day, ())
        yield {
            "index": index,
            "date": day.isoformat(),
            "day_start": _format_day_start(day, talks, programme.zone),
            "day_end": _format_default_day_start(day + _A_DAY, programme.zone),
            "rooms": {room: [talk for talk in talks if talk["room"] == room] for room in rooms},
        }


def _format_day_start(day: date, talks: Sequence[ScheduledTalk], tzid: str) -> str:
    """Return the start of a conference day: 06:00, or midnight if a talk on the date starts before 06:00."""
    is_early = any(f"{day}T" < talk["date"] < f"{day}T{_DAY_BEGINS}" for talk in talks)
    return format_with_offset(day_start(day, tzid), tzid) if is_early else _format_default_day_start(day, tzid)


def _format_default_day_start(day: date, tzid: str) -> str:
    return format_with_offset(_convert_zone(datetime.combine(day, _DAY_BEGINS), tzid, tzid), tzid)


def _build_scheduled_talk(timed: _TimedTalk, programme: ScheduleInput, ids: Mapping[str, int]) -> ScheduledTalk:
    entry, facts, number = timed.stored.entry, timed.facts, timed.stored.number
    # Subtracting two times in the same zone would ignore changes of the UTC offset.
    lasts = timed.ends.astimezone(UTC) - timed.starts.astimezone(UTC)
    # Apps hide talks with a duration of zero.
    minutes = max(-(-lasts // timedelta(minutes=1)), 1)
    title = replace_controls(entry.title)
    return {
        "guid": talk_guid(entry.uid),
        "id": number,
        "date": format_with_offset(timed.starts, programme.zone),
        "start": f"{timed.starts:%H:%M}",
        "end": format_with_offset(timed.ends, programme.zone),
        "duration": f"{minutes // 60:02}:{minutes % 60:02}",
        # Apps omit talks without a room.
        "room": replace_controls(facts.room or ("TBA" if programme.rooms else programme.title)),
        "slug": talk_slug(event_acronym(programme.slug), number, title),
        "url": replace_controls(entry.url),
        "title": title,
        "subtitle": "",
        "track": replace_controls(facts.track or "") or None,
        "type": replace_controls(facts.kind),
        "language": replace_controls(facts.language or "").partition("-")[0].lower() or None,
        "abstract": replace_controls(facts.abstract),
        "description": "",
        "recording_license": "",
        "do_not_record": False,
        "persons": [_build_person(person, ids) for person in _iter_speakers(entry)],
        "links": list(_iter_links(entry, facts)),
        "attachments": list(_iter_slide_links(facts)),
    }


def _iter_speakers(entry: CalendarEntry) -> Iterator[Participant]:
    return (one for one in entry.participants if one.part == ParticipantType.SPEAKER)


def _build_person(speaker: Participant, ids: Mapping[str, int]) -> Person:
    guid, name = object_guid("person", speaker.key), replace_controls(speaker.name)
    person: Person = {"id": ids[speaker.key], "guid": guid, "name": name}
    return {**person, "url": replace_controls(speaker.url)} if speaker.url else person


def _iter_links(entry: CalendarEntry, facts: TalkFacts) -> Iterator[StringDict]:
    # Slides are also listed as links, because Giggity and EventFahrplan do not show attachments.
    yield from _iter_slide_links(facts)
    if facts.recording_url:
        yield {"url": replace_controls(facts.recording_url), "title": "Recording", "type": "media"}
    if entry.conference:
        yield {"url": replace_controls(entry.conference), "title": "Online", "type": "web"}


def _iter_slide_links(facts: TalkFacts) -> Iterator[StringDict]:
    if facts.slides_url:
        yield {"url": replace_controls(facts.slides_url), "title": "Slides", "type": "slides"}
