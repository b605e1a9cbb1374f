"""The response cache: its keys, its eviction order, and the responses that it stores for each representation."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from secrets import token_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import http_date

from eventcal.web.http.conditional import etag_of, evaluate_conditions
from eventcal.web.http.representation import Representation
from eventcal.web.response_cache import CachedRepresentation, ResponseCache, ResponseKey
from tests.representations import CALENDAR, NOW, make_representation

KEY = ResponseKey("/calendar.ics?tag=arm", 0, date(2014, 8, 18), "e1", 17)
MIDNIGHT = datetime(2014, 8, 18, tzinfo=UTC)
A_DAY = timedelta(days=1)


def put(cache: ResponseCache, key: ResponseKey, rendered: Representation = CALENDAR, *, cost: float = 0.001) -> None:
    """Cache a representation that took a millisecond to render."""
    cache.put(key, rendered, cost=cost)


def get(cache: ResponseCache, key: ResponseKey) -> Representation | None:
    """Return the cached representation, or None."""
    cached = cache.get(key)
    return cached.representation if cached else None


def put_bodies(cache: ResponseCache, costs: dict[str, float]) -> None:
    """Cache a body of 3,000 bytes for each URL."""
    for url, cost in costs.items():
        put(cache, KEY._replace(url=url), make_representation(body=b"x" * 3_000), cost=cost)


def cached_urls(cache: ResponseCache, *urls: str) -> list[str]:
    """Return those of the URLs that are cached, without requesting them."""
    return [url for url in urls if cache.has_url(url)]


def test_representation_is_found_only_under_its_key() -> None:
    cache = ResponseCache(10_000)
    put(cache, KEY)
    assert get(cache, KEY) is CALENDAR
    assert get(cache, KEY._replace(revision=18)) is None
    assert get(cache, KEY._replace(day=date(2014, 8, 19))) is None
    assert get(cache, KEY._replace(url="/calendar.ics")) is None
    assert get(cache, KEY._replace(database_generation=1)) is None


def test_newer_representation_replaces_the_older_one() -> None:
    cache = ResponseCache(10_000)
    newer = KEY._replace(revision=18)
    put(cache, KEY)
    put(cache, newer)
    assert (get(cache, KEY), get(cache, newer)) == (None, CALENDAR)


def test_recently_requested_representation_outlives_others_of_the_same_cost() -> None:
    cache = ResponseCache(42_000)
    urls = [f"/{number:02}" for number in range(13)]
    put_bodies(cache, dict.fromkeys(urls[:11], 0.001))
    assert cached_urls(cache, *urls[:11]) == urls[2:11]
    cache.get(KEY._replace(url="/02"))
    put_bodies(cache, dict.fromkeys(urls[11:], 0.001))
    assert cached_urls(cache, *urls) == ["/02", *urls[5:]]


def test_representation_that_is_cheapest_to_render_is_evicted_first() -> None:
    cache = ResponseCache(17_000)
    put_bodies(cache, {"/slow": 0.5, "/cheap": 0.001, "/medium": 0.01, "/other": 0.02})
    put_bodies(cache, {"/new": 0.02})
    assert cached_urls(cache, "/slow", "/cheap", "/medium", "/other", "/new") == ["/slow", "/other", "/new"]


def test_expensive_representation_is_evicted_after_it_has_not_been_requested_for_long() -> None:
    cache = ResponseCache(13_000)
    put_bodies(cache, {"/slow": 0.05})
    for number in range(200):
        put_bodies(cache, {f"/{number}": 0.001})
    assert not cache.has_url("/slow")


def test_incremental_rendering_does_not_lower_the_cost_of_a_representation() -> None:
    cache = ResponseCache(13_000)
    put_bodies(cache, {"/slow": 0.5})
    put(cache, KEY._replace(url="/slow", revision=18), make_representation(body=b"x" * 3_000), cost=0.0001)
    put_bodies(cache, dict.fromkeys(("/1", "/2", "/3"), 0.001))
    assert cache.has_url("/slow")


def test_encodings_count_after_they_are_computed() -> None:
    cache = ResponseCache(10_000)
    old, new = KEY._replace(url="/old"), KEY._replace(url="/new")
    incompressible = b"".join(etag_of(str(number).encode()).encode() for number in range(100))
    rendered = make_representation(body=incompressible)
    put(cache, old, make_representation(body=b"x" * 2_000), cost=0.0001)
    put(cache, new, rendered)
    assert cache.has_url("/old")
    for coding in ("br", "zstd", "gzip"):
        rendered.encoded_body(coding)
    assert get(cache, new) is rendered
    assert not cache.has_url("/old")


def test_encoded_bodies_that_do_not_fit_into_the_cache_are_dropped_without_the_representation() -> None:
    large = make_representation(body=token_bytes(6_000))
    cache = ResponseCache(10_000)
    put(cache, KEY, large)
    large.encoded_body("gzip")
    assert get(cache, KEY) is large
    assert not large.encodings


def test_representation_larger_than_the_cache_is_not_stored() -> None:
    cache = ResponseCache(10_000)
    put(cache, KEY, make_representation(body=b"x" * 10_000))
    assert get(cache, KEY) is None


def test_get_same_or_earlier_returns_an_earlier_revision_of_the_same_url_and_day() -> None:
    cache = ResponseCache(10_000)
    put(cache, KEY)
    later = KEY._replace(revision=18)
    assert (get(cache, later), cache.get_same_or_earlier(later), cache.get_same_or_earlier(KEY)) == (
        None,
        CALENDAR,
        CALENDAR,
    )
    others = {
        "another day": later._replace(day=later.day + A_DAY),
        "an earlier state": KEY._replace(revision=16),
        "another URL": later._replace(url="/calendar.ics"),
        "another database": later._replace(database_generation=1),
    }
    assert {name: cache.get_same_or_earlier(key) for name, key in others.items()} == dict.fromkeys(others)


@pytest.mark.parametrize(
    "late",
    [
        KEY._replace(revision=16),
        KEY._replace(revision=99, day=KEY.day - A_DAY),
    ],
)
def test_late_older_representation_does_not_replace_a_newer_one(late: ResponseKey) -> None:
    cache = ResponseCache(10_000)
    put(cache, KEY)
    put(cache, late, make_representation())
    assert get(cache, KEY) is CALENDAR


def test_representation_of_a_replaced_database_is_replaced() -> None:
    cache = ResponseCache(10_000)
    put(cache, KEY)
    restored = KEY._replace(database_generation=1, revision=3)
    put(cache, restored)
    assert get(cache, restored) is CALENDAR


def test_requests_for_the_same_url_share_a_render_lock() -> None:
    cache = ResponseCache(10_000)
    assert cache.get_render_lock(KEY) is cache.get_render_lock(KEY._replace(revision=18))
    with cache.get_render_lock(KEY):
        assert not cache.get_render_lock(KEY._replace(revision=18)).acquire(blocking=False)


def test_cache_of_size_zero_stores_nothing() -> None:
    cache = ResponseCache(0)
    put(cache, KEY)
    assert get(cache, KEY) is None


# Responses

SMALL = replace(CALENDAR, body=b"BEGIN:VCALENDAR\r\n", encodings={})
ENCODINGS = st.sampled_from([None, "", "gzip", "br, gzip;q=0.5", "identity", "*;q=0"])
ENTITY_TAGS = st.sampled_from([None, "", "*", '"abc"', '"abc-gzip"', 'W/"abc-br"', '"other"'])
# The representation changed at 11:00:00.5, and dates are not reliable in the first minute of a day.
OFFSETS = st.sampled_from([0.0, 30.0, 59.9, 60.0, 39_599.0, 39_600.0, 39_600.5, 39_601.0, 43_200.5, 86_399.9])
DATES = st.one_of(
    st.none(),
    st.just("yesterday"),
    OFFSETS.map(lambda seconds: http_date(MIDNIGHT + timedelta(seconds=seconds))),
)


@given(
    representation=st.sampled_from([make_representation(), SMALL, make_representation(last_modified=MIDNIGHT)]),
    requests=st.lists(st.tuples(ENCODINGS, ENTITY_TAGS, DATES, OFFSETS), min_size=2, max_size=20),
)
def test_stored_responses_equal_responses_computed_for_each_request(
    representation: Representation, requests: list[tuple[str | None, str | None, str | None, float]]
) -> None:
    cached = CachedRepresentation(KEY, representation, cost=0.001)
    for coding, tag, since, offset in requests:
        sent = {"HTTP_ACCEPT_ENCODING": coding, "HTTP_IF_NONE_MATCH": tag, "HTTP_IF_MODIFIED_SINCE": since}
        environ = {name: value for name, value in sent.items() if value is not None}
        now = MIDNIGHT + timedelta(seconds=offset)
        expected = evaluate_conditions(representation, environ, now)
        assert cached.respond(environ, now)[:3] == expected[:3]


def test_repeated_request_gets_the_stored_response() -> None:
    cached = CachedRepresentation(KEY, CALENDAR, cost=0.001)
    environ = {"HTTP_IF_NONE_MATCH": '"abc"'}
    assert cached.respond(environ, NOW) is cached.respond(environ, NOW)


@pytest.mark.parametrize("name", ["HTTP_IF_NONE_MATCH", "HTTP_ACCEPT_ENCODING"])
def test_number_and_length_of_stored_responses_are_limited(name: str) -> None:
    cached = CachedRepresentation(KEY, CALENDAR, cost=0.001)
    for number in range(1000):
        cached.respond({name: f'"{number}"'}, NOW)
        cached.respond({name: f'"{number}"' + "x" * 1000}, NOW)
    cached.measure()
    assert cached.size < len(CALENDAR.body) + 12_000
