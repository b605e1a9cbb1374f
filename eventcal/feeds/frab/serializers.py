"""Serializers for schedules in frab's JSON and XML formats, which conform to the schemas of c3voc."""

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import orjson

from eventcal import __version__
from eventcal.feeds.frab.schedule import Schedule, ScheduleDay, ScheduledTalk, ScheduleInput, StringDict, build_schedule

JSON_MEDIA_TYPE = "application/json"
XML_MEDIA_TYPE = "application/vnd.c3voc.schedule+xml; charset=utf-8"

# The XML schema allows two digits for each part of a duration, including days.
_MAX_MINUTES = 100 * 24 * 60 - 1


def schedule_json(programme: ScheduleInput) -> bytes:
    schedule = build_schedule(programme)
    generator = {"name": "eventcal", "version": __version__, "url": schedule["base_url"]}
    schema = "https://c3voc.de/schedule/schema.json"
    return orjson.dumps({"$schema": schema, "generator": generator, "schedule": schedule})


def schedule_xml(programme: ScheduleInput) -> bytes:
    schedule = build_schedule(programme)
    root = Element("schedule")
    SubElement(root, "generator", name="eventcal", version=__version__)
    _add_text_elements(root, version=schedule["version"])
    # Giggity searches for the conference element only in the first thousand characters.
    _add_conference(root, schedule, programme.zone)
    indent(root, space=" ")
    before, end, _ = tostring(root, encoding="utf-8", xml_declaration=True).rpartition(b"\n</schedule>")
    guids = {room["name"]: room["guid"] for room in schedule["conference"]["rooms"]}
    # The days are serialised one after another, because their elements use much more memory than the text.
    days = [b"\n " + _day_to_xml(day, guids) for day in schedule["conference"]["days"]]
    return b"".join([before, *days, end, b"\n"])


def _add_text_elements(parent: Element, **texts: str | None) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _add_conference(root: Element, schedule: Schedule, zone: str) -> None:
    element, conference = SubElement(root, "conference"), schedule["conference"]
    _add_text_elements(element, acronym=conference["acronym"], title=conference["title"])
    _add_text_elements(element, start=conference["start"], end=conference["end"], days=str(conference["daysCount"]))
    _add_text_elements(element, timeslot_duration=conference["timeslot_duration"], base_url=schedule["base_url"])
    _add_text_elements(element, url=conference["url"], time_zone_name=zone)
    for track in conference["tracks"]:
        SubElement(element, "track", track)


def _day_to_xml(day: ScheduleDay, guids: Mapping[str, str]) -> bytes:
    about = {"index": str(day["index"]), "date": day["date"], "start": day["day_start"], "end": day["day_end"]}
    element = Element("day", about)
    for name, talks in day["rooms"].items():
        room = SubElement(element, "room", name=name, guid=guids[name])
        for talk in talks:
            _add_talk(room, talk)
    indent(element, space=" ", level=1)
    return bytes(tostring(element, encoding="utf-8"))


def _add_talk(room: Element, talk: ScheduledTalk) -> None:
    event = SubElement(room, "event", guid=talk["guid"], id=str(talk["id"]))
    _add_text_elements(event, date=talk["date"], start=talk["start"], duration=_format_xml_duration(talk["duration"]))
    _add_text_elements(event, room=talk["room"], slug=talk["slug"], url=talk["url"])
    _add_text_elements(SubElement(event, "recording"), license=talk["recording_license"], optout="false")
    _add_text_elements(event, title=talk["title"], subtitle=talk["subtitle"], track=talk["track"], type=talk["type"])
    # No `description` element is written, because Giggity shows an empty description in place of a non-Latin abstract.
    _add_text_elements(event, language=talk["language"], abstract=talk["abstract"])
    persons = SubElement(event, "persons")
    for person in talk["persons"]:
        SubElement(persons, "person", id=str(person["id"]), guid=person["guid"]).text = person["name"]
    _add_links(SubElement(event, "links"), "link", talk["links"])
    _add_links(SubElement(event, "attachments"), "attachment", talk["attachments"])


def _add_links(parent: Element, name: str, links: Iterable[StringDict]) -> None:
    for link in links:
        SubElement(parent, name, href=link["url"], type=link["type"]).text = link["title"]


def _format_xml_duration(duration: str) -> str:
    """Return HH:MM, or D:HH:MM for durations of at least one day, because Giggity rejects 24:00."""
    hours, minutes = map(int, duration.split(":"))
    days, minutes = divmod(min(hours * 60 + minutes, _MAX_MINUTES), 24 * 60)
    clock = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{days}:{clock}" if days else clock
