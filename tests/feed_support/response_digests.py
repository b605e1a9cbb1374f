"""Digests of the responses to all URLs of a calendar. As a program, the module prints the digests for a database.

A test runs the module as a program, because a new process has another hash seed and no cached responses.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from datetime import datetime

from flask import Flask

from tests.clocks import FixedClock
from tests.feed_support.feed_client import fetch
from tests.http_app import create_test_app

_SUFFIXES = ("ics", "jcal", "xcal", "jscal")
_QUERIES = ("", "?include=events,talks,deadlines&cancelled=mark&tz=utc")
_EXTRA_QUERIES = ("?include=events,talks,deadlines", "?cancelled=hide&profile=rich")
_API_PATHS = (
    "/api/v1/events",
    "/api/v1/events?from=2026-06-01&to=2026-07-01",
    "/api/v1/events?tag=xen",
    "/api/v1/events/summit",
    "/api/v1/events/summit/talks",
    "/api/v1/events/summit/sponsors",
    "/api/v1/talks",
    "/api/v1/talks?q=xen",
    "/api/v1/speakers",
    "/api/v1/speakers/grace",
    "/api/v1/changes",
)


def list_paths(talk_id: str) -> list[str]:
    """Return the paths of all lists, and of all feeds in all formats with several query strings."""
    feeds = ("/calendar", "/deadlines", "/events/summit", "/speakers/grace", f"/talks/{talk_id}")
    calendars = [f"{feed}.{suffix}{query}" for feed in feeds for suffix in _SUFFIXES for query in _QUERIES]
    calendars += [f"/calendar.{suffix}{query}" for suffix in _SUFFIXES for query in _EXTRA_QUERIES]
    documents = ["/calendar.csv", "/calendar.atom", "/events/summit.atom"]
    documents += [f"/events/summit/schedule.{suffix}" for suffix in ("xml", "json")]
    return [*calendars, *documents, *_API_PATHS, f"/api/v1/talks/{talk_id}"]


def digest_responses(app: Flask, talk_id: str) -> Mapping[str, str]:
    """Return a digest of the status, headers and body of each response, by path."""
    return {path: _digest_response(app, path) for path in list_paths(talk_id)}


def _digest_response(app: Flask, path: str) -> str:
    answer = fetch(app, path)
    said = repr((answer.status_code, sorted(answer.headers.items()))).encode() + answer.data
    return f"{answer.status_code} {hashlib.sha256(said).hexdigest()}"


def _main(database_url: str, moment: str, talk_id: str) -> None:
    with create_test_app(database_url, FixedClock(datetime.fromisoformat(moment))) as app:
        json.dump(digest_responses(app, talk_id), sys.stdout)


if __name__ == "__main__":
    _main(*sys.argv[1:])
