"""Talks, rooms and days in the frab schedule that conference apps read."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import EntryKind, Status
from tests.feed_support.schedules import (
    TALK_ENTRY,
    TALK_FACTS,
    list_day_spans,
    list_json_talks,
    make_schedule_input,
    render_json_conference,
    render_json_talk,
    render_xml,
    talk_at,
    talk_ids_by_day,
)

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC")

# Talks and rooms


def test_schedule_contains_only_scheduled_and_uncancelled_talks() -> None:
    whole_days = replace(TALK_ENTRY, starts=date(2026, 6, 10), ends=date(2026, 6, 12), status=Status.TENTATIVE)
    off = replace(TALK_ENTRY, status=Status.CANCELLED)
    no_talk = replace(TALK_ENTRY, kind=EntryKind.EVENT, talk=None)
    assert talk_ids_by_day(make_schedule_input(whole_days, off, no_talk, TALK_ENTRY)) == {
        "2026-06-10": [4],
        "2026-06-11": [],
    }


def test_talk_without_a_room_is_in_room_tba() -> None:
    nowhere = replace(TALK_ENTRY, talk=replace(TALK_FACTS, room=None))
    assert [day["rooms"].keys() for day in render_json_conference(make_schedule_input(nowhere))["days"]] == [
        {"Main", "Side", "TBA"}
    ] * 2
    assert render_json_talk(nowhere)["room"] == "TBA"


def test_event_without_rooms_has_one_room_named_after_it() -> None:
    nowhere = replace(TALK_ENTRY, talk=replace(TALK_FACTS, room=None))
    assert [room["name"] for room in render_json_conference(make_schedule_input(nowhere, rooms=()))["rooms"]] == [
        "Xen Summit"
    ]
    assert render_json_talk(nowhere, rooms=())["room"] == "Xen Summit"


def test_every_day_lists_all_rooms_in_order() -> None:
    elsewhere = replace(TALK_ENTRY, talk=replace(TALK_FACTS, room="Attic"))
    programme = make_schedule_input(elsewhere, rooms=("Side", "Main"))
    days = render_xml(programme).findall("day")
    assert [[room.get("name") for room in day.findall("room")] for day in days] == [["Side", "Main", "Attic"]] * 2
    assert [list(day["rooms"]) for day in render_json_conference(programme)["days"]] == [["Side", "Main", "Attic"]] * 2


# Days


def test_talk_before_6_am_belongs_to_the_previous_day() -> None:
    party = talk_at("2026-06-11T00:30", "2026-06-11T02:00")
    yoga = talk_at("2026-06-11T06:00", "2026-06-11T06:30")
    after = talk_at("2026-06-12T01:00", "2026-06-12T02:00")
    programme = make_schedule_input(TALK_ENTRY, party, yoga, after)
    assert talk_ids_by_day(programme) == {"2026-06-10": [1, 2], "2026-06-11": [3, 4]}
    assert [(talk["date"], talk["start"]) for talk in list_json_talks(programme)][1] == (
        "2026-06-11T00:30:00+02:00",
        "00:30",
    )


def test_early_talk_on_the_first_day_belongs_to_that_day() -> None:
    early = talk_at("2026-06-10T00:00", "2026-06-10T01:00")
    assert talk_ids_by_day(make_schedule_input(early)) == {"2026-06-10": [1], "2026-06-11": []}
    assert list_day_spans(make_schedule_input(early)) == [
        ("2026-06-10", "2026-06-10T00:00:00+02:00", "2026-06-11T06:00:00+02:00"),
        ("2026-06-11", "2026-06-11T06:00:00+02:00", "2026-06-12T06:00:00+02:00"),
    ]


def test_talk_outside_the_event_adds_its_day() -> None:
    before = talk_at("2026-06-08T12:00", "2026-06-08T13:00")
    assert talk_ids_by_day(make_schedule_input(before)) == {"2026-06-08": [1], "2026-06-10": [], "2026-06-11": []}
    assert [day["index"] for day in render_json_conference(make_schedule_input(before))["days"]] == [1, 2, 3]
    assert render_json_conference(make_schedule_input(before))["start"] == "2026-06-08"


def test_event_longer_than_a_month_lists_only_days_with_talks() -> None:
    for_ever = {"last_day": date(2199, 12, 31)}
    later = talk_at("2027-01-05T19:00", "2027-01-05T20:00")
    small_hours = talk_at("2026-06-20T02:00", "2026-06-20T03:00")
    assert talk_ids_by_day(make_schedule_input(later, small_hours, TALK_ENTRY, **for_ever)) == {
        "2026-06-10": [3],
        "2026-06-19": [2],
        "2027-01-05": [1],
    }
    assert talk_ids_by_day(make_schedule_input(**for_ever)) == {"2026-06-10": []}
    assert len(talk_ids_by_day(make_schedule_input(last_day=date(2026, 7, 10)))) == 31


def test_offsets_of_days_and_talks_follow_clock_changes() -> None:
    night = talk_at("2026-10-25T01:30", "2026-10-25T03:30")
    second = talk_at("2026-10-25T02:30", "2026-10-25T04:00")
    assert isinstance(second.starts, datetime)
    second = replace(second, starts=second.starts.replace(fold=1))
    programme = make_schedule_input(night, second, first_day=date(2026, 10, 24), last_day=date(2026, 10, 25))
    assert list_day_spans(programme) == [
        ("2026-10-24", "2026-10-24T06:00:00+02:00", "2026-10-25T06:00:00+01:00"),
        ("2026-10-25", "2026-10-25T06:00:00+01:00", "2026-10-26T06:00:00+01:00"),
    ]
    assert [(talk["date"], talk["end"], talk["duration"]) for talk in list_json_talks(programme)] == [
        ("2026-10-25T01:30:00+02:00", "2026-10-25T03:30:00+01:00", "03:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T04:00:00+01:00", "01:30"),
    ]


def test_duration_is_elapsed_time_when_clocks_go_forward() -> None:
    night = talk_at("2026-03-29T01:30", "2026-03-29T03:30")
    assert render_json_talk(night)["duration"] == "01:00"


def test_times_are_in_the_zone_of_the_programme() -> None:
    found = render_json_talk(replace(TALK_ENTRY, zone="America/New_York"))
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
def test_days_do_not_overlap_and_contain_their_talks(zone: str, begins: list[datetime], days: int) -> None:
    entries = [replace(TALK_ENTRY, zone=zone, starts=local, ends=local + timedelta(hours=1)) for local in begins]
    first = begins[0].date() if begins else date(2026, 6, 10)
    found = render_json_conference(
        make_schedule_input(*entries, zone=zone, first_day=first, last_day=first + timedelta(days=days))
    )["days"]
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
def test_duration_has_the_format_of_each_notation(seconds: int, in_json: str, in_xml: str) -> None:
    assert isinstance(TALK_ENTRY.starts, datetime)
    programme = make_schedule_input(
        replace(TALK_ENTRY, ends=TALK_ENTRY.starts + timedelta(seconds=seconds)), zone="UTC"
    )
    assert list_json_talks(programme)[0]["duration"] == in_json
    assert next(render_xml(programme).iter("event")).findtext("duration") == in_xml
