"""Complete frab schedules, with the same content in XML and in JSON."""

import json
from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import given, settings

from eventcal import __version__
from eventcal.feeds.entries.entry import Participant, ParticipantType, TalkFacts
from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.feeds.frab.serializers import schedule_json, schedule_xml
from tests.clocks import NOON
from tests.feed_support.schedules import (
    ADA_GUID,
    ADA_ID,
    ANY_TEXT,
    GRACE_GUID,
    GRACE_ID,
    MAIN_ROOM_GUID,
    SCHEDULE_INPUT,
    SIDE_ROOM_GUID,
    TALK_ENTRY,
    TALK_FACTS,
    TALK_GUID,
    list_json_talks,
    make_schedule_input,
    make_stored_entry,
    render_json_conference,
    render_json_talk,
    render_xml,
    talk_at,
)

# Documents


def test_schedule_xml_writes_complete_document() -> None:
    slides, online = "https://files.example.org/xen.pdf?a=1&b=2", "https://meet.example.org/xen"
    entry = replace(
        TALK_ENTRY, conference=online, talk=replace(TALK_FACTS, slides_url=slides, recording_url=f"{online}.webm")
    )
    assert (
        schedule_xml(make_schedule_input(entry)).decode()
        == f"""<?xml version='1.0' encoding='utf-8'?>
<schedule>
 <generator name="eventcal" version="{__version__}" />
 <version>2026-03-01T12:00:00Z</version>
 <conference>
  <acronym>xen_summit</acronym>
  <title>Xen Summit</title>
  <start>2026-06-10</start>
  <end>2026-06-11</end>
  <days>2</days>
  <timeslot_duration>00:05</timeslot_duration>
  <base_url>https://cal.example.org</base_url>
  <url>https://cal.example.org/events/xen-summit</url>
  <time_zone_name>Europe/Berlin</time_zone_name>
  <track name="Core" color="#2a7f62" />
  <track name="Rest" />
 </conference>
 <day index="1" date="2026-06-10" start="2026-06-10T06:00:00+02:00" end="2026-06-11T06:00:00+02:00">
  <room name="Main" guid="{MAIN_ROOM_GUID}">
   <event guid="{TALK_GUID}" id="1">
    <date>2026-06-10T13:30:00+02:00</date>
    <start>13:30</start>
    <duration>00:45</duration>
    <room>Main</room>
    <slug>xen_summit-1-xen-on-arm</slug>
    <url>https://cal.example.org/talks/1</url>
    <recording>
     <license />
     <optout>false</optout>
    </recording>
    <title>Xen on ARM</title>
    <subtitle />
    <track>Core</track>
    <type>talk</type>
    <language>pt</language>
    <abstract>What, and why.</abstract>
    <persons>
     <person id="{GRACE_ID}" guid="{GRACE_GUID}">Grace Hopper</person>
     <person id="{ADA_ID}" guid="{ADA_GUID}">Ada Lovelace</person>
    </persons>
    <links>
     <link href="https://files.example.org/xen.pdf?a=1&amp;b=2" type="slides">Slides</link>
     <link href="https://meet.example.org/xen.webm" type="media">Recording</link>
     <link href="https://meet.example.org/xen" type="web">Online</link>
    </links>
    <attachments>
     <attachment href="https://files.example.org/xen.pdf?a=1&amp;b=2" type="slides">Slides</attachment>
    </attachments>
   </event>
  </room>
  <room name="Side" guid="{SIDE_ROOM_GUID}" />
 </day>
 <day index="2" date="2026-06-11" start="2026-06-11T06:00:00+02:00" end="2026-06-12T06:00:00+02:00">
  <room name="Main" guid="{MAIN_ROOM_GUID}" />
  <room name="Side" guid="{SIDE_ROOM_GUID}" />
 </day>
</schedule>
"""
    )


def test_schedule_json_writes_complete_document() -> None:
    slides, online = "https://files.example.org/xen.pdf?a=1&b=2", "https://meet.example.org/xen"
    entry = replace(
        TALK_ENTRY, conference=online, talk=replace(TALK_FACTS, slides_url=slides, recording_url=f"{online}.webm")
    )
    talk = {
        "guid": TALK_GUID,
        "id": 1,
        "date": "2026-06-10T13:30:00+02:00",
        "start": "13:30",
        "end": "2026-06-10T14:15:00+02:00",
        "duration": "00:45",
        "room": "Main",
        "slug": "xen_summit-1-xen-on-arm",
        "url": "https://cal.example.org/talks/1",
        "title": "Xen on ARM",
        "subtitle": "",
        "track": "Core",
        "type": "talk",
        "language": "pt",
        "abstract": "What, and why.",
        "description": "",
        "recording_license": "",
        "do_not_record": False,
        "persons": [
            {
                "id": GRACE_ID,
                "guid": GRACE_GUID,
                "name": "Grace Hopper",
                "url": "https://cal.example.org/speakers/gh",
            },
            {"id": ADA_ID, "guid": ADA_GUID, "name": "Ada Lovelace"},
        ],
        "links": [
            {"url": slides, "title": "Slides", "type": "slides"},
            {"url": f"{online}.webm", "title": "Recording", "type": "media"},
            {"url": online, "title": "Online", "type": "web"},
        ],
        "attachments": [{"url": slides, "title": "Slides", "type": "slides"}],
    }
    assert json.loads(schedule_json(make_schedule_input(entry))) == {
        "$schema": "https://c3voc.de/schedule/schema.json",
        "generator": {"name": "eventcal", "version": __version__, "url": "https://cal.example.org"},
        "schedule": {
            "version": "2026-03-01T12:00:00Z",
            "base_url": "https://cal.example.org",
            "conference": {
                "acronym": "xen_summit",
                "title": "Xen Summit",
                "description": "Three days of Xen.",
                "start": "2026-06-10",
                "end": "2026-06-11",
                "daysCount": 2,
                "timeslot_duration": "00:05",
                "time_zone_name": "Europe/Berlin",
                "url": "https://cal.example.org/events/xen-summit",
                "rooms": [{"name": "Main", "guid": MAIN_ROOM_GUID}, {"name": "Side", "guid": SIDE_ROOM_GUID}],
                "tracks": [{"name": "Core", "color": "#2a7f62"}, {"name": "Rest"}],
                "days": [
                    {
                        "index": 1,
                        "date": "2026-06-10",
                        "day_start": "2026-06-10T06:00:00+02:00",
                        "day_end": "2026-06-11T06:00:00+02:00",
                        "rooms": {"Main": [talk], "Side": []},
                    },
                    {
                        "index": 2,
                        "date": "2026-06-11",
                        "day_start": "2026-06-11T06:00:00+02:00",
                        "day_end": "2026-06-12T06:00:00+02:00",
                        "rooms": {"Main": [], "Side": []},
                    },
                ],
            },
        },
    }


def test_absent_values_have_the_form_of_each_notation() -> None:
    bare = replace(
        TALK_ENTRY, participants=(), talk=TalkFacts(event="xen-summit", kind="bof", abstract="", room="Side")
    )
    found = render_json_talk(bare)
    assert [found[name] for name in ("track", "language", "abstract")] == [None, None, ""]
    assert [found[name] for name in ("persons", "links", "attachments")] == [[], [], []]
    (event,) = render_xml(make_schedule_input(bare)).iter("event")
    assert [event.findtext(name) for name in ("track", "language", "abstract", "description")] == ["", "", "", None]
    assert [[list(part) for part in event.findall(name)] for name in ("persons", "links", "attachments")] == [[[]]] * 3


def test_schedule_does_not_depend_on_the_order_of_talks() -> None:
    talks = [make_stored_entry(replace(TALK_ENTRY, uid=f"talk-{n}@x", title=f"Talk {n}"), n) for n in (3, 1, 2)]
    talks.append(make_stored_entry(talk_at("2026-06-10T09:00", "2026-06-10T10:00"), 9))
    programme = replace(SCHEDULE_INPUT, talks=tuple(talks))
    assert [talk["id"] for talk in list_json_talks(programme)] == [9, 1, 2, 3]
    backwards = replace(programme, talks=programme.talks[::-1])
    assert (schedule_xml(backwards), schedule_json(backwards)) == (schedule_xml(programme), schedule_json(programme))


def test_version_is_the_last_change_of_the_programme() -> None:
    assert render_xml(replace(SCHEDULE_INPUT, changed_at=None)).findtext("version") == "0"
    later = NOON.astimezone(UTC) + timedelta(days=1)
    assert render_xml(replace(SCHEDULE_INPUT, changed_at=later)).findtext("version") == "2026-03-02T12:00:00Z"


def test_giggity_finds_the_conference_element_within_500_bytes() -> None:
    assert b"<conference>" in schedule_xml(SCHEDULE_INPUT)[:500]


# Texts


@given(text=ANY_TEXT, other=ANY_TEXT)
@settings(max_examples=200)
def test_user_text_reads_the_same_in_xml_and_json(text: str, other: str) -> None:
    facts = TalkFacts(
        event="xen-summit",
        kind=text,
        abstract=text,
        track=other,
        room=text or None,
        slides_url=other,
        recording_url=text,
    )
    person = Participant(part=ParticipantType.SPEAKER, key=other, name=text, url=other)
    entry = replace(TALK_ENTRY, uid=text, title=text, url=text, participants=(person,), talk=facts, conference=other)
    programme = make_schedule_input(
        entry, title=text, description=text, url=text, rooms=(other,), tracks=((text, None),), slug=other
    )
    found = render_json_talk(entry, title=text, rooms=(other,))
    names = {"title": "title", "abstract": "abstract", "room": "room", "type": "type", "url": "url"}
    assert {name: found[name] for name in names} | {"room": replace_controls(text or "TBA")} == {
        "title": replace_controls(text),
        "abstract": replace_controls(text),
        "room": replace_controls(text or "TBA"),
        "type": replace_controls(text),
        "url": replace_controls(text),
    }
    root = render_xml(programme)
    (event,) = root.iter("event")
    assert {name: event.findtext(name) for name in names} == {name: found[name] for name in names}
    assert event.findtext("track") == replace_controls(other)
    assert [person.text or "" for person in event.iter("person")] == [replace_controls(text)]
    assert [link.get("href") for link in event.iter("link")] == [link["url"] for link in found["links"]]
    assert root.findtext("conference/title") == replace_controls(text)
    assert render_json_conference(programme)["tracks"] == [{"name": replace_controls(text)}]
    assert [room.get("name") for room in root.find("day") or ()] == list(
        render_json_conference(programme)["days"][0]["rooms"]
    )
