"""Stable identifiers of talks, people, rooms and time zones in the frab schedule."""

import re
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.feeds.frab.ids import event_acronym, person_ids, talk_guid, talk_slug
from tests.feed_support.schedules import (
    ADA_GUID,
    ANY_TEXT,
    GRACE,
    GRACE_GUID,
    GRACE_ID,
    MAIN_ROOM_GUID,
    SCHEDULE_INPUT,
    SIDE_ROOM_GUID,
    TALK_ENTRY,
    TALK_FACTS,
    TALK_GUID,
    make_schedule_input,
    render_json_conference,
    render_json_talk,
    render_xml,
)

# Two keys with the same hash.
COLLIDING_KEY, OTHER_TWIN = "speaker-17171", "speaker-69864"


def test_identifiers_of_talks_people_and_rooms_are_stable() -> None:
    renamed = replace(GRACE, name="Rear Admiral Hopper", url=None)
    moved = replace(TALK_ENTRY, uid="talk-1@elsewhere.example.com", title="Another title", participants=(renamed,))
    found = render_json_talk(moved)
    assert found["guid"] == TALK_GUID
    assert [(person["id"], person["guid"]) for person in found["persons"]] == [(GRACE_ID, GRACE_GUID)]
    assert {room["name"]: room["guid"] for room in render_json_conference(SCHEDULE_INPUT)["rooms"]} == {
        "Main": MAIN_ROOM_GUID,
        "Side": SIDE_ROOM_GUID,
    }
    assert {UUID(guid).version for guid in (TALK_GUID, GRACE_GUID, ADA_GUID, MAIN_ROOM_GUID, SIDE_ROOM_GUID)} == {5}


def test_different_talks_have_different_guids() -> None:
    assert talk_guid("talk-2@cal.example.org") != TALK_GUID


def test_person_ids_are_unique_despite_hash_collisions() -> None:
    assert person_ids([COLLIDING_KEY])[COLLIDING_KEY] == person_ids([OTHER_TWIN])[OTHER_TWIN]
    ids = person_ids([COLLIDING_KEY, OTHER_TWIN])
    assert len(set(ids.values())) == 2
    assert person_ids([OTHER_TWIN, COLLIDING_KEY, OTHER_TWIN]) == ids


@given(keys=st.lists(ANY_TEXT, max_size=40))
def test_person_id_is_positive_and_fits_31_bits(keys: list[str]) -> None:
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
def test_acronym_is_the_slug_in_valid_characters(slug: str, acronym: str) -> None:
    assert event_acronym(slug) == acronym


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Xen on ARM", "xen_summit-7-xen-on-arm"),
        ("Was gehört dazu?", "xen_summit-7-was-gehort-dazu"),
        ("Go!", "xen_summit-7-go-talk"),
        ("講演", "xen_summit-7-talk"),
    ],
)
def test_talk_slug_ends_with_its_title(title: str, slug: str) -> None:
    assert talk_slug("xen_summit", 7, title) == slug


@given(slug=ANY_TEXT, title=ANY_TEXT, number=st.integers(1, 10**6 - 1))
def test_acronyms_and_slugs_match_the_patterns_of_both_schemas(slug: str, title: str, number: int) -> None:
    acronym = event_acronym(slug)
    assert re.fullmatch("[a-z0-9_]{4,}", acronym)
    assert re.fullmatch("[a-z0-9_]{4,}-[0-9]{1,6}-[a-z0-9-]{3,}[a-z0-9]", talk_slug(acronym, number, title))


@pytest.mark.parametrize(("language", "written"), [("en", "en"), ("PT-BR", "pt"), ("zh-Hant-TW", "zh"), ("gsw", "gsw")])
def test_language_is_reduced_to_its_first_subtag(language: str, written: str) -> None:
    assert render_json_talk(replace(TALK_ENTRY, talk=replace(TALK_FACTS, language=language)))["language"] == written


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
def test_json_contains_only_zones_known_to_its_schema(zone: str, written: str | None) -> None:
    assert render_json_conference(make_schedule_input(TALK_ENTRY, zone=zone)).get("time_zone_name") == written
    assert render_xml(make_schedule_input(TALK_ENTRY, zone=zone)).findtext("conference/time_zone_name") == zone
