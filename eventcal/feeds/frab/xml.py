"""A schedule as frab's XML, valid against the XML schema that c3voc keeps."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from eventcal import __version__
from eventcal.feeds.frab.schedule import schedule_of
from eventcal.feeds.frab.schedule_model import Day, Link, PlacedTalk, Programme, Schedule

XML_MEDIA_TYPE = "application/vnd.c3voc.schedule+xml; charset=utf-8"

# XML schema: two digits, of days too.
_LONGEST = 100 * 24 * 60 - 1


def schedule_xml(programme: Programme) -> bytes:
    """Return an event's schedule as XML in UTF-8; the same programme gives the same bytes."""
    schedule = schedule_of(programme)
    root = Element("schedule")
    SubElement(root, "generator", name="eventcal", version=__version__)
    _text(root, "version", schedule.version)
    # Giggity looks for it in the first thousand characters.
    _add_conference(root, schedule)
    for day in schedule.days:
        _add_day(root, day, schedule)
    indent(root, space=" ")
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _add_conference(root: Element, schedule: Schedule) -> None:
    conference = SubElement(root, "conference")
    _text(conference, "acronym", schedule.acronym)
    _text(conference, "title", schedule.title)
    _text(conference, "start", schedule.days[0].date.isoformat())
    _text(conference, "end", schedule.days[-1].date.isoformat())
    _text(conference, "days", str(len(schedule.days)))
    _text(conference, "timeslot_duration", "00:05")
    _text(conference, "base_url", schedule.base_url)
    _text(conference, "url", schedule.url)
    _text(conference, "time_zone_name", schedule.zone)
    for name, colour in schedule.tracks:
        SubElement(conference, "track", {"name": name, "color": colour} if colour else {"name": name})


def _add_day(root: Element, day: Day, schedule: Schedule) -> None:
    about = {"index": str(day.index), "date": day.date.isoformat(), "start": day.starts, "end": day.ends}
    element = SubElement(root, "day", about)
    for name, talks in day.rooms.items():
        room = SubElement(element, "room", name=name, guid=schedule.rooms[name])
        for talk in talks:
            _add_talk(room, talk)


def _add_talk(room: Element, talk: PlacedTalk) -> None:
    event = SubElement(room, "event", guid=talk.guid, id=str(talk.id))
    _text(event, "date", talk.date)
    _text(event, "start", talk.start)
    _text(event, "duration", _duration(talk.minutes))
    _text(event, "room", talk.room)
    _text(event, "slug", talk.slug)
    _text(event, "url", talk.url)
    recording = SubElement(event, "recording")
    _text(recording, "license", "")
    _text(recording, "optout", "false")
    _text(event, "title", talk.title)
    _text(event, "subtitle", "")
    _text(event, "track", talk.track)
    _text(event, "type", talk.kind)
    _text(event, "language", talk.language)
    # No description: where there is an empty one, Giggity shows it in the place of an abstract without Latin letters.
    _text(event, "abstract", talk.abstract)
    persons = SubElement(event, "persons")
    for person in talk.persons:
        SubElement(persons, "person", id=str(person.id), guid=person.guid).text = person.name
    _add_links(SubElement(event, "links"), "link", talk.links)
    _add_links(SubElement(event, "attachments"), "attachment", talk.attachments)


def _add_links(parent: Element, name: str, links: Iterable[Link]) -> None:
    for link in links:
        SubElement(parent, name, href=link.url, type=link.kind).text = link.title


def _duration(minutes: int) -> str:
    """Return HH:MM, from a day on D:HH:MM as pretalx writes it: Giggity opens no schedule that holds 24:00."""
    days, minutes = divmod(min(minutes, _LONGEST), 24 * 60)
    hours = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{days}:{hours}" if days else hours
