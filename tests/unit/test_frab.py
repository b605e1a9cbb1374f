"""The schedule that conference apps read: its days, rooms and talks, the same in XML and in JSON."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal import __version__
from eventcal.feeds.entry import CalendarEntry, EntryKind, KeptEntry, Part, Participant, Stamps, Status, TalkFacts
from eventcal.feeds.frab import Programme
from eventcal.feeds.frab_json import schedule_json
from eventcal.feeds.frab_names import acronym_of, person_ids, talk_guid, talk_slug
from eventcal.feeds.frab_xml import schedule_xml
from eventcal.feeds.plain import clean
from tests.clocks import NOON

GRACE = Participant(
    part=Part.SPEAKER, key="grace-hopper", name="Grace Hopper", url="https://cal.example.org/speakers/gh"
)
ADA = Participant(part=Part.SPEAKER, key="ada-lovelace", name="Ada Lovelace")
PAYER = Participant(part=Part.SPONSOR, key="citrix", name="Citrix")

FACTS = TalkFacts(
    event="xen-summit", kind="talk", abstract="What, and why.", language="pt-BR", track="Core", room="Main"
)
TALK = CalendarEntry(
    uid="talk-1@cal.example.org",
    kind=EntryKind.TALK,
    title="Xen on ARM",
    starts=datetime(2026, 6, 10, 13, 30),  # noqa: DTZ001 - local
    ends=datetime(2026, 6, 10, 14, 15),  # noqa: DTZ001 - local
    zone="Europe/Berlin",
    status=Status.CONFIRMED,
    transparent=False,
    created_at=NOON,
    url="https://cal.example.org/talks/1",
    description="Grace Hopper\n\nWhat, and why.",
    html="<p>What, and why.</p>",
    participants=(GRACE, ADA, PAYER),
    talk=FACTS,
)
PROGRAMME = Programme(
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
# As they were given out once.
GUID = "fdc9602a-bcd2-5590-a8b9-361705e5c519"
GRACES_ID, GRACES_GUID = 798114082, "9246c76a-9af5-5da9-8e22-930f0241c21a"
ADAS_ID, ADAS_GUID = 1441861618, "6ed89936-fa57-5e58-88ab-7df44772b493"
MAIN, SIDE = "5b7835c0-b184-5a82-b7a7-76667f316c38", "256294f2-c883-583b-89ac-e54e76f1a53d"
# Two keys that give the same number.
TWIN, OTHER_TWIN = "speaker-17171", "speaker-69864"

# Half a character, and everything else that hypothesis leaves out of texts.
ANYTHING = st.text(st.characters(), max_size=30)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC")


def kept(entry: CalendarEntry = TALK, number: int = 17) -> KeptEntry:
    return KeptEntry(entry=entry, stamps=Stamps(sequence=3, changed_at=NOON), number=number)


def at(starts: str, ends: str, **fields: Any) -> CalendarEntry:  # noqa: ANN401 - any field
    """Give the talk at other local times."""
    return replace(TALK, starts=datetime.fromisoformat(starts), ends=datetime.fromisoformat(ends), **fields)


def of(*entries: CalendarEntry, **fields: Any) -> Programme:  # noqa: ANN401 - any field
    """Give the programme with these talks, numbered from 1."""
    talks = tuple(kept(entry, number) for number, entry in enumerate(entries, start=1))
    return replace(PROGRAMME, talks=talks, **fields)


def xml(programme: Programme) -> Element:
    return fromstring(schedule_xml(programme))  # noqa: S314 - our own


def conference(programme: Programme) -> Any:  # noqa: ANN401 - JSON
    return json.loads(schedule_json(programme))["schedule"]["conference"]


def talks_in(programme: Programme) -> list[Any]:
    """Give the talks in the JSON, in its order."""
    return [talk for day in conference(programme)["days"] for talks in day["rooms"].values() for talk in talks]


def one(entry: CalendarEntry, **fields: Any) -> Any:  # noqa: ANN401 - JSON
    """Give the only talk of a programme as JSON has it."""
    (found,) = talks_in(of(entry, **fields))
    return found


def placed(programme: Programme) -> dict[str, list[int]]:
    """Give the numbers of the talks by their day, the same in both notations."""
    days = conference(programme)["days"]
    by_json = {day["date"]: [talk["id"] for talks in day["rooms"].values() for talk in talks] for day in days}
    by_xml = {
        day.get("date", ""): [int(event.get("id", "")) for event in day.iter("event")]
        for day in xml(programme).iter("day")
    }
    assert by_xml == by_json
    return by_json


def spans(programme: Programme) -> list[tuple[str, str, str]]:
    """Give the days, each with its beginning and end, the same in both notations."""
    by_json = [(day["date"], day["day_start"], day["day_end"]) for day in conference(programme)["days"]]
    days = xml(programme).findall("day")
    assert [(day.get("date"), day.get("start"), day.get("end")) for day in days] == by_json
    return by_json


# The whole


def test_a_schedule_in_xml_is_these_lines() -> None:
    slides, online = "https://files.example.org/xen.pdf?a=1&b=2", "https://meet.example.org/xen"
    entry = replace(TALK, conference=online, talk=replace(FACTS, slides_url=slides, recording_url=f"{online}.webm"))
    assert (
        schedule_xml(of(entry)).decode()
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
  <room name="Main" guid="{MAIN}">
   <event guid="{GUID}" id="1">
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
     <person id="{GRACES_ID}" guid="{GRACES_GUID}">Grace Hopper</person>
     <person id="{ADAS_ID}" guid="{ADAS_GUID}">Ada Lovelace</person>
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
  <room name="Side" guid="{SIDE}" />
 </day>
 <day index="2" date="2026-06-11" start="2026-06-11T06:00:00+02:00" end="2026-06-12T06:00:00+02:00">
  <room name="Main" guid="{MAIN}" />
  <room name="Side" guid="{SIDE}" />
 </day>
</schedule>
"""
    )


def test_a_schedule_in_json_says_the_same() -> None:
    slides, online = "https://files.example.org/xen.pdf?a=1&b=2", "https://meet.example.org/xen"
    entry = replace(TALK, conference=online, talk=replace(FACTS, slides_url=slides, recording_url=f"{online}.webm"))
    talk = {
        "guid": GUID,
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
                "id": GRACES_ID,
                "guid": GRACES_GUID,
                "name": "Grace Hopper",
                "url": "https://cal.example.org/speakers/gh",
            },
            {"id": ADAS_ID, "guid": ADAS_GUID, "name": "Ada Lovelace"},
        ],
        "links": [
            {"url": slides, "title": "Slides", "type": "slides"},
            {"url": f"{online}.webm", "title": "Recording", "type": "media"},
            {"url": online, "title": "Online", "type": "web"},
        ],
        "attachments": [{"url": slides, "title": "Slides", "type": "slides"}],
    }
    assert json.loads(schedule_json(of(entry))) == {
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
                "rooms": [{"name": "Main", "guid": MAIN}, {"name": "Side", "guid": SIDE}],
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


def test_what_there_is_not_is_said_as_each_notation_says_it() -> None:
    bare = replace(TALK, participants=(), talk=TalkFacts(event="xen-summit", kind="bof", abstract="", room="Side"))
    found = one(bare)
    assert [found[name] for name in ("track", "language", "abstract")] == [None, None, ""]
    assert [found[name] for name in ("persons", "links", "attachments")] == [[], [], []]
    (event,) = xml(of(bare)).iter("event")
    assert [event.findtext(name) for name in ("track", "language", "abstract", "description")] == ["", "", "", None]
    assert [[list(part) for part in event.findall(name)] for name in ("persons", "links", "attachments")] == [[[]]] * 3


def test_the_order_in_which_talks_are_given_does_not_matter() -> None:
    talks = [kept(replace(TALK, uid=f"talk-{n}@x", title=f"Talk {n}"), n) for n in (3, 1, 2)]
    talks.append(kept(at("2026-06-10T09:00", "2026-06-10T10:00"), 9))
    programme = replace(PROGRAMME, talks=tuple(talks))
    assert [talk["id"] for talk in talks_in(programme)] == [9, 1, 2, 3]
    backwards = replace(programme, talks=programme.talks[::-1])
    assert (schedule_xml(backwards), schedule_json(backwards)) == (schedule_xml(programme), schedule_json(programme))


def test_the_version_is_that_of_the_programme() -> None:
    assert xml(replace(PROGRAMME, changed_at=None)).findtext("version") == "0"
    later = NOON.astimezone(UTC) + timedelta(days=1)
    assert xml(replace(PROGRAMME, changed_at=later)).findtext("version") == "2026-03-02T12:00:00Z"


def test_giggity_finds_the_conference_where_it_looks_for_it() -> None:
    assert b"<conference>" in schedule_xml(PROGRAMME)[:500]


# Which talks, and where


def test_only_talks_that_have_their_time_and_take_place_are_in_it() -> None:
    whole_days = replace(TALK, starts=date(2026, 6, 10), ends=date(2026, 6, 12), status=Status.TENTATIVE)
    off = replace(TALK, status=Status.CANCELLED)
    no_talk = replace(TALK, kind=EntryKind.EVENT, talk=None)
    assert placed(of(whole_days, off, no_talk, TALK)) == {"2026-06-10": [4], "2026-06-11": []}


def test_a_talk_without_a_room_is_in_one_to_come() -> None:
    nowhere = replace(TALK, talk=replace(FACTS, room=None))
    assert [day["rooms"].keys() for day in conference(of(nowhere))["days"]] == [{"Main", "Side", "TBA"}] * 2
    assert one(nowhere)["room"] == "TBA"


def test_an_event_without_rooms_is_one_room_itself() -> None:
    nowhere = replace(TALK, talk=replace(FACTS, room=None))
    assert [room["name"] for room in conference(of(nowhere, rooms=()))["rooms"]] == ["Xen Summit"]
    assert one(nowhere, rooms=())["room"] == "Xen Summit"


def test_every_day_has_all_rooms_in_their_order() -> None:
    elsewhere = replace(TALK, talk=replace(FACTS, room="Attic"))
    programme = of(elsewhere, rooms=("Side", "Main"))
    days = xml(programme).findall("day")
    assert [[room.get("name") for room in day.findall("room")] for day in days] == [["Side", "Main", "Attic"]] * 2
    assert [list(day["rooms"]) for day in conference(programme)["days"]] == [["Side", "Main", "Attic"]] * 2


# Days


def test_the_small_hours_belong_to_the_day_before() -> None:
    party = at("2026-06-11T00:30", "2026-06-11T02:00")
    yoga = at("2026-06-11T06:00", "2026-06-11T06:30")
    after = at("2026-06-12T01:00", "2026-06-12T02:00")
    programme = of(TALK, party, yoga, after)
    assert placed(programme) == {"2026-06-10": [1, 2], "2026-06-11": [3, 4]}
    assert [(talk["date"], talk["start"]) for talk in talks_in(programme)][1] == ("2026-06-11T00:30:00+02:00", "00:30")


def test_there_is_no_day_before_the_first() -> None:
    early = at("2026-06-10T00:00", "2026-06-10T01:00")
    assert placed(of(early)) == {"2026-06-10": [1], "2026-06-11": []}
    assert spans(of(early)) == [
        ("2026-06-10", "2026-06-10T00:00:00+02:00", "2026-06-11T06:00:00+02:00"),
        ("2026-06-11", "2026-06-11T06:00:00+02:00", "2026-06-12T06:00:00+02:00"),
    ]


def test_a_talk_outside_of_the_events_days_adds_its_own() -> None:
    before = at("2026-06-08T12:00", "2026-06-08T13:00")
    assert placed(of(before)) == {"2026-06-08": [1], "2026-06-10": [], "2026-06-11": []}
    assert [day["index"] for day in conference(of(before))["days"]] == [1, 2, 3]
    assert conference(of(before))["start"] == "2026-06-08"


def test_what_lasts_longer_than_a_month_lists_the_days_that_have_talks() -> None:
    for_ever = {"last_day": date(2199, 12, 31)}
    later = at("2027-01-05T19:00", "2027-01-05T20:00")
    small_hours = at("2026-06-20T02:00", "2026-06-20T03:00")
    assert placed(of(later, small_hours, TALK, **for_ever)) == {"2026-06-10": [3], "2026-06-19": [2], "2027-01-05": [1]}
    assert placed(of(**for_ever)) == {"2026-06-10": []}
    assert len(placed(of(last_day=date(2026, 7, 10)))) == 31


def test_days_and_talks_follow_the_clocks_as_they_change() -> None:
    night = at("2026-10-25T01:30", "2026-10-25T03:30")
    second = at("2026-10-25T02:30", "2026-10-25T04:00")
    assert isinstance(second.starts, datetime)
    second = replace(second, starts=second.starts.replace(fold=1))
    programme = of(night, second, first_day=date(2026, 10, 24), last_day=date(2026, 10, 25))
    assert spans(programme) == [
        ("2026-10-24", "2026-10-24T06:00:00+02:00", "2026-10-25T06:00:00+01:00"),
        ("2026-10-25", "2026-10-25T06:00:00+01:00", "2026-10-26T06:00:00+01:00"),
    ]
    assert [(talk["date"], talk["end"], talk["duration"]) for talk in talks_in(programme)] == [
        ("2026-10-25T01:30:00+02:00", "2026-10-25T03:30:00+01:00", "03:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T04:00:00+01:00", "01:30"),
    ]


def test_a_talk_is_as_long_as_time_passes_where_clocks_go_forward() -> None:
    night = at("2026-03-29T01:30", "2026-03-29T03:30")
    assert one(night)["duration"] == "01:00"


def test_times_are_those_of_the_programmes_zone() -> None:
    found = one(replace(TALK, zone="America/New_York"))
    assert (found["date"], found["start"], found["duration"]) == ("2026-06-10T19:30:00+02:00", "19:30", "00:45")


@given(
    zone=st.sampled_from(ZONES),
    begins=st.lists(
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - local
        max_size=6,
    ),
    days=st.integers(0, 3),
)
@settings(max_examples=150)
def test_days_do_not_overlap_and_hold_what_is_listed_under_them(zone: str, begins: list[datetime], days: int) -> None:
    entries = [replace(TALK, zone=zone, starts=local, ends=local + timedelta(hours=1)) for local in begins]
    first = begins[0].date() if begins else date(2026, 6, 10)
    found = conference(of(*entries, zone=zone, first_day=first, last_day=first + timedelta(days=days)))["days"]
    bounds = [(datetime.fromisoformat(day["day_start"]), datetime.fromisoformat(day["day_end"])) for day in found]
    assert all(before <= start for (_, before), (start, _) in pairwise(bounds))
    for day, (starts, ends) in zip(found, bounds, strict=True):
        for talk in (talk for talks in day["rooms"].values() for talk in talks):
            assert starts <= datetime.fromisoformat(talk["date"]) < ends
    assert sum(len(talks) for day in found for talks in day["rooms"].values()) == len(entries)


@pytest.mark.parametrize(
    ("seconds", "in_json", "in_xml"),
    [
        (1, "00:01", "00:01"),
        (45 * 60, "00:45", "00:45"),
        (90 * 60 + 30, "01:31", "01:31"),
        (24 * 3600 - 60, "23:59", "23:59"),
        (24 * 3600, "24:00", "1:00:00"),
        (250 * 3600 + 60, "250:01", "10:10:01"),
        (100 * 24 * 3600, "2400:00", "99:23:59"),
    ],
)
def test_a_duration_is_written_so_that_every_app_can_read_it(seconds: int, in_json: str, in_xml: str) -> None:
    assert isinstance(TALK.starts, datetime)
    programme = of(replace(TALK, ends=TALK.starts + timedelta(seconds=seconds)), zone="UTC")
    assert talks_in(programme)[0]["duration"] == in_json
    assert next(xml(programme).iter("event")).findtext("duration") == in_xml


# Names


def test_what_names_a_talk_a_person_or_a_room_never_changes() -> None:
    renamed = replace(GRACE, name="Rear Admiral Hopper", url=None)
    moved = replace(TALK, uid="talk-1@elsewhere.example.com", title="Another title", participants=(renamed,))
    found = one(moved)
    assert found["guid"] == GUID
    assert [(person["id"], person["guid"]) for person in found["persons"]] == [(GRACES_ID, GRACES_GUID)]
    assert {room["name"]: room["guid"] for room in conference(PROGRAMME)["rooms"]} == {"Main": MAIN, "Side": SIDE}
    assert {UUID(guid).version for guid in (GUID, GRACES_GUID, ADAS_GUID, MAIN, SIDE)} == {5}


def test_another_talk_has_another_name() -> None:
    assert talk_guid("talk-2@cal.example.org") != GUID


def test_no_two_people_share_a_number() -> None:
    assert person_ids([TWIN])[TWIN] == person_ids([OTHER_TWIN])[OTHER_TWIN]
    ids = person_ids([TWIN, OTHER_TWIN])
    assert len(set(ids.values())) == 2
    assert person_ids([OTHER_TWIN, TWIN, OTHER_TWIN]) == ids


@given(keys=st.lists(ANYTHING, max_size=40))
def test_a_persons_number_is_positive_and_has_31_bits(keys: list[str]) -> None:
    ids = person_ids(keys)
    assert ids.keys() == set(keys)
    assert len(set(ids.values())) == len(ids)
    assert all(1 <= number < 2**31 for number in ids.values())


@pytest.mark.parametrize(
    ("slug", "acronym"),
    [
        ("xen-summit-2026", "xen_summit_2026"),
        ("36c3", "36c3"),
        ("fo", "fo__"),
        ("c-3", "c_3_"),
        ("Straße", "stra_e"),
        ("", "____"),
    ],
)
def test_an_acronym_is_the_slug_in_the_characters_of_acronyms(slug: str, acronym: str) -> None:
    assert acronym_of(slug) == acronym


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Xen on ARM", "xen_summit-7-xen-on-arm"),
        ("Was gehört dazu?", "xen_summit-7-was-gehort-dazu"),
        ("Go!", "xen_summit-7-go-talk"),
        ("講演", "xen_summit-7-talk"),
    ],
)
def test_a_talks_slug_ends_with_its_title(title: str, slug: str) -> None:
    assert talk_slug("xen_summit", 7, title) == slug


@given(slug=ANYTHING, title=ANYTHING, number=st.integers(1, 10**6 - 1))
def test_acronyms_and_slugs_fit_the_patterns_of_both_schemas(slug: str, title: str, number: int) -> None:
    acronym = acronym_of(slug)
    assert re.fullmatch("[a-z0-9_]{4,}", acronym)
    assert re.fullmatch("[a-z0-9_]{4,}-[0-9]{1,6}-[a-z0-9-]{3,}[a-z0-9]", talk_slug(acronym, number, title))


@pytest.mark.parametrize(("language", "written"), [("en", "en"), ("PT-BR", "pt"), ("zh-Hant-TW", "zh"), ("gsw", "gsw")])
def test_a_language_is_its_first_subtag(language: str, written: str) -> None:
    assert one(replace(TALK, talk=replace(FACTS, language=language)))["language"] == written


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Etc/UTC", "UTC"),
        ("UTC", "UTC"),
        ("Japan", None),
        ("US/Eastern", None),
    ],
)
def test_json_names_zones_that_its_schema_knows(zone: str, written: str | None) -> None:
    assert conference(of(TALK, zone=zone)).get("time_zone_name") == written
    assert xml(of(TALK, zone=zone)).findtext("conference/time_zone_name") == zone


# Texts


@given(text=ANYTHING, other=ANYTHING)
@settings(max_examples=200)
def test_whatever_people_type_reads_the_same_in_both(text: str, other: str) -> None:
    facts = TalkFacts(
        event="xen-summit",
        kind=text,
        abstract=text,
        track=other,
        room=text or None,
        slides_url=other,
        recording_url=text,
    )
    person = Participant(part=Part.SPEAKER, key=other, name=text, url=other)
    entry = replace(TALK, uid=text, title=text, url=text, participants=(person,), talk=facts, conference=other)
    programme = of(entry, title=text, description=text, url=text, rooms=(other,), tracks=((text, None),), slug=other)
    found = one(entry, title=text, rooms=(other,))
    names = {"title": "title", "abstract": "abstract", "room": "room", "type": "type", "url": "url"}
    assert {name: found[name] for name in names} | {"room": clean(text or "TBA")} == {
        "title": clean(text),
        "abstract": clean(text),
        "room": clean(text or "TBA"),
        "type": clean(text),
        "url": clean(text),
    }
    root = xml(programme)
    (event,) = root.iter("event")
    assert {name: event.findtext(name) for name in names} == {name: found[name] for name in names}
    assert event.findtext("track") == clean(other)
    assert [person.text or "" for person in event.iter("person")] == [clean(text)]
    assert [link.get("href") for link in event.iter("link")] == [link["url"] for link in found["links"]]
    assert root.findtext("conference/title") == clean(text)
    assert conference(programme)["tracks"] == [{"name": clean(text)}]
    assert [room.get("name") for room in root.find("day") or ()] == list(conference(programme)["days"][0]["rooms"])
