"""A programme becomes a schedule: which talks are in it, on which day, in which room."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain

from eventcal.feeds.entries.entry import CalendarEntry, KeptEntry, Part, Participant, Status, TalkFacts
from eventcal.feeds.entries.sanitize import clean
from eventcal.feeds.frab.ids import acronym_of, guid_of, person_ids, talk_guid, talk_slug
from eventcal.feeds.frab.schedule_model import Day, Link, Person, PlacedTalk, Programme, Schedule
from eventcal.kit.localtime import day_start, format_utc, local_to_utc, with_offset, zone

# Nothing in the format says when a day of a conference begins; Giggity and c3voc's tools take six o'clock, and show
# what begins before it on the day after the one that it is listed under.
_DAY_BEGINS = time(6)
# Of what lasts longer (an event that recurs has no end), only the days on which there are talks are listed.
_MOST_DAYS = 31
_A_DAY = timedelta(days=1)
_A_MINUTE = timedelta(minutes=1)

ROOM_TO_COME = "TBA"


@dataclass(frozen=True, kw_only=True)
class _Timed:
    """A talk that has its time and takes place; `starts` in the programme's zone."""

    kept: KeptEntry
    facts: TalkFacts
    starts: datetime
    ends: datetime


def schedule_of(programme: Programme) -> Schedule:
    """Return the schedule of what has its time and takes place."""
    placed = _placed(programme)
    names = dict.fromkeys([*map(clean, programme.rooms), *(talk.room for talk in chain(*placed.values()))])
    changed_at = programme.changed_at
    return Schedule(
        acronym=acronym_of(programme.slug),
        title=clean(programme.title),
        description=clean(programme.description),
        url=clean(programme.url),
        base_url=clean(programme.base_url),
        zone=programme.zone,
        # Apps compare it and show it: it changes with the programme and not with the hour of the fetch.
        version=format_utc(changed_at) if changed_at else "0",
        rooms={name: guid_of("room", f"{programme.slug} {name}") for name in names},
        tracks=tuple((clean(name), colour) for name, colour in programme.tracks),
        days=tuple(_days(programme, placed, list(names))),
    )


def _placed(programme: Programme) -> Mapping[date, Sequence[PlacedTalk]]:
    """Return the talks, in their order, by the programme's day that they belong to."""
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
            yield _Timed(kept=kept, facts=entry.talk, starts=starts, ends=ends)


def _moved(local: datetime, tzid: str, to: str) -> datetime:
    # By way of UTC, which a time that the zone skips has as well.
    return local_to_utc(local, tzid).astimezone(zone(to))


def _day_of(starts: datetime, programme: Programme, dates: Container[date]) -> date:
    """Return the day that a talk belongs to: in the small hours still the one before, if the programme has it."""
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
        yield Day(
            index=index,
            date=day,
            starts=_beginning(day, talks, programme.zone),
            ends=_begins(day + _A_DAY, programme.zone),
            rooms={room: [talk for talk in talks if talk.room == room] for room in rooms},
        )


def _beginning(day: date, talks: Sequence[PlacedTalk], tzid: str) -> str:
    """Return when a day begins: where it is the first and has talks in its own small hours, at midnight."""
    begins = _begins(day, tzid)
    own = f"{day}T"
    is_early = any(own < talk.date < f"{own}{_DAY_BEGINS}" for talk in talks)
    return with_offset(day_start(day, tzid), tzid) if is_early else begins


def _begins(day: date, tzid: str) -> str:
    return with_offset(_moved(datetime.combine(day, _DAY_BEGINS), tzid, tzid), tzid)


def _talk(one: _Timed, programme: Programme, ids: Mapping[str, int]) -> PlacedTalk:
    entry, facts, number = one.kept.entry, one.facts, one.kept.number
    # Two times of one zone are subtracted as its clocks show them.
    lasts = one.ends.astimezone(UTC) - one.starts.astimezone(UTC)
    title = clean(entry.title)
    return PlacedTalk(
        id=number,
        guid=talk_guid(entry.uid),
        slug=talk_slug(acronym_of(programme.slug), number, title),
        title=title,
        url=clean(entry.url),
        room=_room(facts, programme),
        kind=clean(facts.kind),
        date=with_offset(one.starts, programme.zone),
        end=with_offset(one.ends, programme.zone),
        start=f"{one.starts:%H:%M}",
        # What lasts seconds lasts a minute: apps show nothing of what lasts none.
        minutes=max(-(-lasts // _A_MINUTE), 1),
        track=clean(facts.track or ""),
        language=clean(facts.language or "").partition("-")[0].lower(),
        abstract=clean(facts.abstract),
        persons=tuple(_person(person, ids) for person in _speakers(entry)),
        links=tuple(_links(entry, facts)),
        attachments=tuple(_slides(facts)),
    )


def _room(facts: TalkFacts, programme: Programme) -> str:
    """Return the room to show: apps list no talk without one, and an event without rooms is all in one place."""
    return clean(facts.room or (ROOM_TO_COME if programme.rooms else programme.title))


def _speakers(entry: CalendarEntry) -> Iterator[Participant]:
    return (one for one in entry.participants if one.part == Part.SPEAKER)


def _person(one: Participant, ids: Mapping[str, int]) -> Person:
    url = clean(one.url) if one.url else None
    return Person(id=ids[one.key], guid=guid_of("person", one.key), name=clean(one.name), url=url)


def _links(entry: CalendarEntry, facts: TalkFacts) -> Iterator[Link]:
    # The slides here too: Giggity and EventFahrplan show links and no attachments.
    yield from _slides(facts)
    if facts.recording_url:
        yield Link(url=clean(facts.recording_url), title="Recording", kind="media")
    if entry.conference:
        yield Link(url=clean(entry.conference), title="Online", kind="web")


def _slides(facts: TalkFacts) -> Iterator[Link]:
    if facts.slides_url:
        yield Link(url=clean(facts.slides_url), title="Slides", kind="slides")
