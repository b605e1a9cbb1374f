"""Stable identifiers of talks, people, rooms and time zones in the frab schedule."""

import re
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.feeds.frab.ids import event_acronym, person_ids, talk_guid, talk_slug
from tests.feed_support.schedules import (
    ADAS_GUID,
    ANYTHING,
    FACTS,
    GRACE,
    GRACES_GUID,
    GRACES_ID,
    GUID,
    MAIN,
    PROGRAMME,
    SIDE,
    TALK,
    conference,
    of,
    one,
    xml,
)

# Two keys with the same hash.
TWIN, OTHER_TWIN = "speaker-17171", "speaker-69864"


def test_identifiers_of_talks_people_and_rooms_are_stable() -> None:
    renamed = replace(GRACE, name="Rear Admiral Hopper", url=None)
    moved = replace(TALK, uid="talk-1@elsewhere.example.com", title="Another title", participants=(renamed,))
    found = one(moved)
    assert found["guid"] == GUID
    assert [(person["id"], person["guid"]) for person in found["persons"]] == [(GRACES_ID, GRACES_GUID)]
    assert {room["name"]: room["guid"] for room in conference(PROGRAMME)["rooms"]} == {"Main": MAIN, "Side": SIDE}
    assert {UUID(guid).version for guid in (GUID, GRACES_GUID, ADAS_GUID, MAIN, SIDE)} == {5}


def test_different_talks_have_different_guids() -> None:
    assert talk_guid("talk-2@cal.example.org") != GUID


def test_person_ids_are_unique_despite_hash_collisions() -> None:
    assert person_ids([TWIN])[TWIN] == person_ids([OTHER_TWIN])[OTHER_TWIN]
    ids = person_ids([TWIN, OTHER_TWIN])
    assert len(set(ids.values())) == 2
    assert person_ids([OTHER_TWIN, TWIN, OTHER_TWIN]) == ids


@given(keys=st.lists(ANYTHING, max_size=40))
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


@given(slug=ANYTHING, title=ANYTHING, number=st.integers(1, 10**6 - 1))
def test_acronyms_and_slugs_match_the_patterns_of_both_schemas(slug: str, title: str, number: int) -> None:
    acronym = event_acronym(slug)
    assert re.fullmatch("[a-z0-9_]{4,}", acronym)
    assert re.fullmatch("[a-z0-9_]{4,}-[0-9]{1,6}-[a-z0-9-]{3,}[a-z0-9]", talk_slug(acronym, number, title))


@pytest.mark.parametrize(("language", "written"), [("en", "en"), ("PT-BR", "pt"), ("zh-Hant-TW", "zh"), ("gsw", "gsw")])
def test_language_is_reduced_to_its_first_subtag(language: str, written: str) -> None:
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
def test_json_contains_only_zones_known_to_its_schema(zone: str, written: str | None) -> None:
    assert conference(of(TALK, zone=zone)).get("time_zone_name") == written
    assert xml(of(TALK, zone=zone)).findtext("conference/time_zone_name") == zone
