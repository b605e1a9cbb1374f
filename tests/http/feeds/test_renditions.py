"""Rendered bodies: their encodings and the per-worker cache."""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import pytest

from eventcal.web.cache import ResponseCache, ResponseKey
from eventcal.web.http.conditional import etag_of
from tests.served import NOW, TALKS, fresh

CODINGS = ("br", "zstd", "gzip")


def test_equal_bodies_have_equal_bytes_in_every_encoding() -> None:
    one, other = fresh(), fresh()
    for coding in CODINGS:
        assert one.encoded(coding) == other.encoded(coding)


def test_each_encoding_is_computed_once() -> None:
    rendition = fresh()
    assert rendition.encoded("gzip") is rendition.encoded("gzip")


class Crumbs(NamedTuple):
    """A stand-in for the origin of a rendition."""

    size: int

    def weight(self) -> int:
        """Return the approximate size in bytes."""
        return self.size


def test_copy_with_another_state_keeps_the_encodings() -> None:
    before = fresh()
    made = [before.encoded(coding) for coding in CODINGS]
    again = replace(before, last_modified=NOW, origin=Crumbs(5))
    assert all(again.encoded(coding) is one for coding, one in zip(CODINGS, made, strict=True))
    assert (again.body, again.etag, again.last_modified, again.origin) == (before.body, "abc", NOW, Crumbs(5))


def test_encoding_computed_later_is_shared_with_copies() -> None:
    before = fresh()
    again = replace(before, last_modified=NOW, origin=None)
    assert again.encoded("br") is before.encoded("br")


def test_weight_includes_body_origin_and_encodings() -> None:
    plain, made_on = fresh(), fresh(origin=Crumbs(10_000))
    assert (plain.weight(), made_on.weight()) == (1700, 11_700)
    packed = plain.encoded("gzip")
    assert plain.weight() == 1700 + len(packed)


# Cache


KEY = ResponseKey("/calendar.ics?tag=arm", 17, date(2014, 8, 18))


def test_cached_rendition_is_found_only_for_its_url_generation_and_day() -> None:
    cache = ResponseCache(10_000)
    cache.put(KEY, TALKS)
    assert cache.get(KEY) is TALKS
    assert cache.get(KEY._replace(generation=18)) is None
    assert cache.get(KEY._replace(day=date(2014, 8, 19))) is None
    assert cache.get(KEY._replace(url="/calendar.ics")) is None


def test_newer_rendition_replaces_the_older_one() -> None:
    cache = ResponseCache(10_000)
    newer = KEY._replace(generation=18)
    cache.put(KEY, TALKS)
    cache.put(newer, TALKS)
    assert (cache.get(KEY), cache.get(newer)) == (None, TALKS)


def test_cache_evicts_the_least_recently_used_rendition() -> None:
    cache = ResponseCache(10_000)
    keys = [KEY._replace(url=f"/{number}") for number in range(3)]
    for key in keys:
        cache.put(key, fresh(body=b"x" * 3_000))
        cache.get(keys[0])
    assert [cache.get(key) is not None for key in keys] == [True, False, True]


def test_cache_counts_encodings_after_they_are_computed() -> None:
    cache = ResponseCache(10_000)
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


def test_rendition_larger_than_the_cache_is_not_stored() -> None:
    cache = ResponseCache(10_000)
    cache.put(KEY, fresh(body=b"x" * 10_000))
    assert cache.get(KEY) is None


def test_get_earlier_returns_an_earlier_generation_of_the_same_url_and_day() -> None:
    cache = ResponseCache(10_000)
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
def test_late_older_rendition_does_not_replace_a_newer_one(late: ResponseKey) -> None:
    cache = ResponseCache(10_000)
    cache.put(KEY, TALKS)
    cache.put(late, fresh())
    assert cache.get(KEY) is TALKS


def test_builders_of_the_same_url_take_turns_across_generations() -> None:
    cache = ResponseCache(10_000)
    assert cache.turn(KEY) is cache.turn(KEY._replace(generation=18))
    with cache.turn(KEY):
        assert not cache.turn(KEY._replace(generation=18)).acquire(blocking=False)


def test_cache_of_size_zero_stores_nothing() -> None:
    cache = ResponseCache(0)
    cache.put(KEY, TALKS)
    assert cache.get(KEY) is None
