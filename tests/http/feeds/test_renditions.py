"""Finished bodies: their encodings, and what of them a worker keeps."""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import pytest

from eventcal.web.cache import RenditionCache, RenditionKey
from eventcal.web.http.conditional import etag_of
from tests.served import NOW, TALKS, fresh

CODINGS = ("br", "zstd", "gzip")


def test_the_same_body_is_the_same_bytes_in_every_encoding() -> None:
    one, other = fresh(), fresh()
    for coding in CODINGS:
        assert one.encoded(coding) == other.encoded(coding)


def test_each_encoding_is_made_once() -> None:
    rendition = fresh()
    assert rendition.encoded("gzip") is rendition.encoded("gzip")


class Crumbs(NamedTuple):
    """What a body was made of, in a test."""

    size: int

    def weight(self) -> int:
        """Return about how many bytes this holds."""
        return self.size


def test_the_same_bytes_at_another_state_keep_the_encodings_that_were_made_of_them() -> None:
    before = fresh()
    made = [before.encoded(coding) for coding in CODINGS]
    again = replace(before, last_modified=NOW, origin=Crumbs(5))
    assert all(again.encoded(coding) is one for coding, one in zip(CODINGS, made, strict=True))
    assert (again.body, again.etag, again.last_modified, again.origin) == (before.body, "abc", NOW, Crumbs(5))


def test_an_encoding_that_is_made_later_is_made_for_both_states() -> None:
    before = fresh()
    again = replace(before, last_modified=NOW, origin=None)
    assert again.encoded("br") is before.encoded("br")


def test_a_rendition_weighs_what_it_holds() -> None:
    plain, made_on = fresh(), fresh(origin=Crumbs(10_000))
    assert (plain.weight(), made_on.weight()) == (1700, 11_700)
    packed = plain.encoded("gzip")
    assert plain.weight() == 1700 + len(packed)


# What is kept


KEY = RenditionKey("/calendar.ics?tag=arm", 17, date(2014, 8, 18))


def test_a_rendition_is_kept_for_its_generation_and_its_day() -> None:
    cache = RenditionCache(10_000)
    cache.put(KEY, TALKS)
    assert cache.get(KEY) is TALKS
    assert cache.get(KEY._replace(generation=18)) is None
    assert cache.get(KEY._replace(day=date(2014, 8, 19))) is None
    assert cache.get(KEY._replace(url="/calendar.ics")) is None


def test_a_newer_rendition_takes_the_place_of_the_older() -> None:
    cache = RenditionCache(10_000)
    newer = KEY._replace(generation=18)
    cache.put(KEY, TALKS)
    cache.put(newer, TALKS)
    assert (cache.get(KEY), cache.get(newer)) == (None, TALKS)


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    cache = RenditionCache(10_000)
    keys = [KEY._replace(url=f"/{number}") for number in range(3)]
    for key in keys:
        cache.put(key, fresh(body=b"x" * 3_000))
        cache.get(keys[0])
    assert [cache.get(key) is not None for key in keys] == [True, False, True]


def test_encodings_count_once_they_are_made() -> None:
    cache = RenditionCache(10_000)
    old, new = KEY._replace(url="/old"), KEY._replace(url="/new")
    incompressible = b"".join(etag_of(str(number).encode()).encode() for number in range(100))
    rendition = fresh(body=incompressible)
    cache.put(old, fresh(body=b"x" * 2_000))
    cache.put(new, rendition)
    assert cache.get(old) is not None
    for coding in ("br", "zstd", "gzip"):
        rendition.encoded(coding)
    assert cache.get(new) is rendition
    assert cache.get(old) is None


def test_what_is_larger_than_the_bound_is_not_kept() -> None:
    cache = RenditionCache(10_000)
    cache.put(KEY, fresh(body=b"x" * 10_000))
    assert cache.get(KEY) is None


def test_what_is_kept_of_an_earlier_state_on_the_same_day_is_given_to_be_made_on() -> None:
    cache = RenditionCache(10_000)
    cache.put(KEY, TALKS)
    later = KEY._replace(generation=18)
    assert (cache.get(later), cache.get_earlier(later), cache.get_earlier(KEY)) == (None, TALKS, TALKS)
    others = {
        "another day": later._replace(day=later.day + timedelta(days=1)),
        "a state before": KEY._replace(generation=16),
        "another URL": later._replace(url="/calendar.ics"),
    }
    assert {name: cache.get_earlier(key) for name, key in others.items()} == dict.fromkeys(others)


@pytest.mark.parametrize(
    "late", [KEY._replace(generation=16), KEY._replace(generation=99, day=KEY.day - timedelta(days=1))]
)
def test_what_is_ready_late_does_not_take_the_place_of_what_is_newer(late: RenditionKey) -> None:
    cache = RenditionCache(10_000)
    cache.put(KEY, TALKS)
    cache.put(late, fresh())
    assert cache.get(KEY) is TALKS


def test_those_who_ask_for_the_same_url_take_turns_whatever_its_state() -> None:
    cache = RenditionCache(10_000)
    assert cache.turn(KEY) is cache.turn(KEY._replace(generation=18))
    with cache.turn(KEY):
        assert not cache.turn(KEY._replace(generation=18)).acquire(blocking=False)


def test_nothing_is_kept_where_there_is_no_room_for_anything() -> None:
    cache = RenditionCache(0)
    cache.put(KEY, TALKS)
    assert cache.get(KEY) is None
