"""Requests with long and distinct headers and queries: the sizes of all caches, and the cost of long headers."""

import pkgutil
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module

import pytest
from flask import Flask

import eventcal
from eventcal.kit.bounded_cache import BoundedCache, CachedFunction
from eventcal.web.i18n import preferred_language
from tests.feed_support.feed_client import create_calendar

REQUESTS = 2000
# A text that is longer than the parts of headers that are read.
LONG = "x" * 5_000
MAX_CACHED_BYTES = 16_000_000


def _iter_caches() -> Iterator[tuple[str, BoundedCache[object, object]]]:
    for module in pkgutil.walk_packages(eventcal.__path__, "eventcal."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    seen = set[int]()
    for name in sorted(name for name in sys.modules if name.startswith("eventcal.")):
        for attribute, value in vars(sys.modules[name]).items():
            cache = value.cache if isinstance(value, CachedFunction) else value
            if isinstance(cache, BoundedCache) and id(cache) not in seen:
                seen.add(id(cache))
                yield attribute, cache


def _hostile_request(number: int) -> tuple[str, Mapping[str, str]]:
    """Return the path and headers of a request that no other number shares."""
    text = f"{number} {LONG}"
    # Rendering a new document takes longer than sending a cached one, so that most requests are for cached feeds.
    cached = ["/events/summit.ics", "/calendar.ics"] * 8
    paths = (
        *cached,
        f"/calendar.ics?tag={number}{'y' * 150}&city=c{number}",
        f"/api/v1/talks?q=word{number}&limit=1",
        f"/calendar.ics?{number}={LONG}",
        f"/events/summit?lang=de-{number}",
    )
    headers = {
        "Accept-Language": f"x-{number},{text}",
        "Accept-Encoding": f"gzip;q=0.{number},br,{text}",
        "User-Agent": text,
        "If-None-Match": f'"{number}", "{LONG}"',
        "If-Modified-Since": text,
        "Cookie": f"language=de-{number}{LONG}",
    }
    # Half of the requests have no cookie, because feeds are cached only for requests without one.
    return paths[number % len(paths)], {
        name: value for name, value in headers.items() if name != "Cookie" or number % 2
    }


def test_hostile_requests_do_not_fill_the_caches_above_their_limits(app: Flask) -> None:
    create_calendar(app)
    client = app.test_client(use_cookies=False)
    for number in range(REQUESTS):
        path, headers = _hostile_request(number)
        assert client.get(path, headers=headers).status_code < 500
    caches = dict(_iter_caches())
    assert len(caches) > 10
    # The occurrences of a rule are computed later and thus not measured.
    sizes = {name: (cache.measure(), cache.size) for name, cache in caches.items() if name != "expand_rule"}
    assert [name for name, (measured, size) in sizes.items() if measured != size] == []
    assert [name for name, cache in caches.items() if cache.size > cache.max_bytes] == []
    assert sum(cache.max_bytes for cache in caches.values()) <= MAX_CACHED_BYTES


@pytest.mark.parametrize("variable", ["HTTP_ACCEPT_LANGUAGE", "HTTP_COOKIE", "QUERY_STRING"])
def test_language_is_cached_by_the_beginning_of_each_header(variable: str) -> None:
    (cache,) = (cache for name, cache in _iter_caches() if name == "_negotiate_language")
    cache.clear()
    value = {"HTTP_COOKIE": "language=de", "QUERY_STRING": "lang=de"}.get(variable, "de," * 100)
    for number in range(10):
        assert preferred_language({"QUERY_STRING": "", variable: f"{value}-{'y' * 50}{number}{LONG}"}) == "de"
    assert len(cache) == 1
