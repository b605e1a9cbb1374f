"""Rendered bodies: their encodings and the per-worker cache."""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import pytest

from eventcal.web.http.conditional import etag_of
from eventcal.web.process_state import ResponseCache, ResponseKey
from tests.representations import CALENDAR, NOW, make_representation

CODINGS = ("br", "zstd", "gzip")


def test_equal_bodies_have_equal_bytes_in_every_encoding() -> None:
    one, other = make_representation(), make_representation()
    for coding in CODINGS:
        assert one.encoded_body(coding) == other.encoded_body(coding)


def test_each_encoding_is_computed_once() -> None:
    rendition = make_representation()
    assert rendition.encoded_body("gzip") is rendition.encoded_body("gzip")


class FakeOrigin(NamedTuple):
    """A stand-in for the origin of a rendition."""

    size: int

    def memory_size(self) -> int:
        """Return the approximate size in bytes."""
        return self.size


def test_copy_with_another_state_keeps_the_encodings() -> None:
    before = make_representation()
    made = [before.encoded_body(coding) for coding in CODINGS]
    again = replace(before, last_modified=NOW, source=FakeOrigin(5))
    assert all(again.encoded_body(coding) is one for coding, one in zip(CODINGS, made, strict=True))
    assert (again.body, again.etag, again.last_modified, again.source) == (before.body, "abc", NOW, FakeOrigin(5))


def test_encoding_computed_later_is_shared_with_copies() -> None:
    before = make_representation()
    again = replace(before, last_modified=NOW, source=None)
    assert again.encoded_body("br") is before.encoded_body("br")


def test_weight_includes_body_origin_and_encodings() -> None:
    plain, made_on = make_representation(), make_representation(source=FakeOrigin(10_000))
    assert (plain.memory_size(), made_on.memory_size()) == (1700, 11_700)
    packed = plain.encoded_body("gzip")
    assert plain.memory_size() == 1700 + len(packed)


# Cache


KEY = ResponseKey("/calendar.ics?tag=arm", 17, date(2014, 8, 18))


def test_cached_rendition_is_found_only_for_its_url_generation_and_day() -> None:
    cache = ResponseCache(10_000)
    cache.put(KEY, CALENDAR)
    assert cache.get(KEY) is CALENDAR
    assert cache.get(KEY._replace(revision=18)) is None
    assert cache.get(KEY._replace(day=date(2014, 8, 19))) is None
    assert cache.get(KEY._replace(url="/calendar.ics")) is None


def test_newer_rendition_replaces_the_older_one() -> None:
    cache = ResponseCache(10_000)
    newer = KEY._replace(revision=18)
    cache.put(KEY, CALENDAR)
    cache.put(newer, CALENDAR)
    assert (cache.get(KEY), cache.get(newer)) == (None, CALENDAR)


def test_cache_evicts_the_least_recently_used_rendition() -> None:
    cache = ResponseCache(10_000)
    keys = [KEY._replace(url=f"/{number}") for number in range(3)]
    for key in keys:
        cache.put(key, make_representation(body=b"x" * 3_000))
        cache.get(keys[0])
    assert [cache.get(key) is not None for key in keys] == [True, False, True]


def test_cache_counts_encodings_after_they_are_computed() -> None:
    cache = ResponseCache(10_000)
    old, new = KEY._replace(url="/old"), KEY._replace(url="/new")
    incompressible = b"".join(etag_of(str(number).encode()).encode() for number in range(100))
    rendition = make_representation(body=incompressible)
    cache.put(old, make_representation(body=b"x" * 2_000))
    cache.put(new, rendition)
    assert cache.get(old) is not None
    for coding in ("br", "zstd", "gzip"):
        rendition.encoded_body(coding)
    assert cache.get(new) is rendition
    assert cache.get(old) is None


def test_rendition_larger_than_the_cache_is_not_stored() -> None:
    cache = ResponseCache(10_000)
    cache.put(KEY, make_representation(body=b"x" * 10_000))
    assert cache.get(KEY) is None


def test_get_earlier_returns_an_earlier_generation_of_the_same_url_and_day() -> None:
    cache = ResponseCache(10_000)
    cache.put(KEY, CALENDAR)
    later = KEY._replace(revision=18)
    assert (cache.get(later), cache.get_same_or_earlier(later), cache.get_same_or_earlier(KEY)) == (
        None,
        CALENDAR,
        CALENDAR,
    )
    others = {
        "another day": later._replace(day=later.day + timedelta(days=1)),
        "a state before": KEY._replace(revision=16),
        "another URL": later._replace(url="/calendar.ics"),
    }
    assert {name: cache.get_same_or_earlier(key) for name, key in others.items()} == dict.fromkeys(others)


@pytest.mark.parametrize(
    "late", [KEY._replace(revision=16), KEY._replace(revision=99, day=KEY.day - timedelta(days=1))]
)
def test_late_older_rendition_does_not_replace_a_newer_one(late: ResponseKey) -> None:
    cache = ResponseCache(10_000)
    cache.put(KEY, CALENDAR)
    cache.put(late, make_representation())
    assert cache.get(KEY) is CALENDAR


def test_builders_of_the_same_url_take_turns_across_generations() -> None:
    cache = ResponseCache(10_000)
    assert cache.get_render_lock(KEY) is cache.get_render_lock(KEY._replace(revision=18))
    with cache.get_render_lock(KEY):
        assert not cache.get_render_lock(KEY._replace(revision=18)).acquire(blocking=False)


def test_cache_of_size_zero_stores_nothing() -> None:
    cache = ResponseCache(0)
    cache.put(KEY, CALENDAR)
    assert cache.get(KEY) is None
