"""A conference with talks, and its schedule parsed from JSON and XML."""

import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from hypothesis import strategies as st

from eventcal.feeds.entries.entry import CalendarEntry, Participant, ParticipantType, Stamps, StoredEntry, TalkFacts
from eventcal.feeds.frab.schedule import ScheduleInput
from eventcal.feeds.frab.serializers import schedule_json, schedule_xml
from tests.clocks import NOON
from tests.feed_support import sample_entries as samples

GRACE = Participant(
    part=ParticipantType.SPEAKER, key="grace-hopper", name="Grace Hopper", url="https://cal.example.org/speakers/gh"
)
ADA = Participant(part=ParticipantType.SPEAKER, key="ada-lovelace", name="Ada Lovelace")
SPONSOR = Participant(part=ParticipantType.SPONSOR, key="citrix", name="Citrix")

TALK_FACTS = TalkFacts(
    event="xen-summit", kind="talk", abstract="What, and why.", language="pt-BR", track="Core", room="Main"
)
TALK_ENTRY = replace(
    samples.TALK_ENTRY,
    title="Xen on ARM",
    conference=None,
    participants=(GRACE, ADA, SPONSOR),
    talk=TALK_FACTS,
)
SCHEDULE_INPUT = ScheduleInput(
    slug="xen-summit",
    title="Xen Summit",
    description="Three days of Xen.",
    url="https://cal.example.org/events/xen-summit",
    zone="Europe/Berlin",
    first_day=date(2026, 6, 10),
    last_day=date(2026, 6, 11),
    rooms=("Main", "Side"),
    tracks=(("Core", "#2a7f62"), ("Rest", None)),
    base_url="https://cal.example.org",
    talks=(),
    changed_at=NOON,
)
# Published identifiers must not change.
TALK_GUID = "fdc9602a-bcd2-5590-a8b9-361705e5c519"
GRACE_ID, GRACE_GUID = 798114082, "9246c76a-9af5-5da9-8e22-930f0241c21a"
ADA_ID, ADA_GUID = 1441861618, "6ed89936-fa57-5e58-88ab-7df44772b493"
MAIN_ROOM_GUID, SIDE_ROOM_GUID = "5b7835c0-b184-5a82-b7a7-76667f316c38", "256294f2-c883-583b-89ac-e54e76f1a53d"

# By default, Hypothesis excludes surrogates from texts.
ANY_TEXT = st.text(st.characters(), max_size=30)


def make_stored_entry(entry: CalendarEntry = TALK_ENTRY, number: int = 17) -> StoredEntry:
    return StoredEntry(entry=entry, stamps=Stamps(sequence=3, changed_at=NOON), number=number)


def talk_at(starts: str, ends: str, **fields: Any) -> CalendarEntry:
    """Return the sample talk at other local times."""
    return replace(TALK_ENTRY, starts=datetime.fromisoformat(starts), ends=datetime.fromisoformat(ends), **fields)


def make_schedule_input(*entries: CalendarEntry, **fields: Any) -> ScheduleInput:
    """Return a conference with these talks, numbered from 1."""
    talks = tuple(make_stored_entry(entry, number) for number, entry in enumerate(entries, start=1))
    return replace(SCHEDULE_INPUT, talks=talks, **fields)


def render_xml(programme: ScheduleInput) -> Element:
    return fromstring(schedule_xml(programme))  # noqa: S314 - our own


def render_json_conference(programme: ScheduleInput) -> Any:  # noqa: ANN401 - JSON
    return json.loads(schedule_json(programme))["schedule"]["conference"]


def list_json_talks(programme: ScheduleInput) -> list[Any]:
    """Return the talks in the JSON schedule in their order."""
    return [
        talk for day in render_json_conference(programme)["days"] for talks in day["rooms"].values() for talk in talks
    ]


def render_json_talk(entry: CalendarEntry, **fields: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the only talk in the JSON schedule of a conference."""
    (found,) = list_json_talks(make_schedule_input(entry, **fields))
    return found


def talk_ids_by_day(programme: ScheduleInput) -> dict[str, list[int]]:
    """Return the ids of the talks by day, after checking that both formats contain the same ids."""
    days = render_json_conference(programme)["days"]
    by_json = {day["date"]: [talk["id"] for talks in day["rooms"].values() for talk in talks] for day in days}
    by_xml = {
        day.get("date", ""): [int(event.get("id", "")) for event in day.iter("event")]
        for day in render_xml(programme).iter("day")
    }
    assert by_xml == by_json, (by_xml, by_json)
    return by_json


def list_day_spans(programme: ScheduleInput) -> list[tuple[str, str, str]]:
    """Return the date, start and end of each day, after checking that both formats contain the same days."""
    by_json = [(day["date"], day["day_start"], day["day_end"]) for day in render_json_conference(programme)["days"]]
    days = render_xml(programme).findall("day")
    by_xml = [(day.get("date"), day.get("start"), day.get("end")) for day in days]
    assert by_xml == by_json, (by_xml, by_json)
    return by_json
