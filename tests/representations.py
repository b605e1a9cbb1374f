"""Representations for tests, and the responses that contain these representations."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import brotli
import zstandard
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.web.http.conditional import PUBLIC, conditional_response
from eventcal.web.http.representation import Representation

NOW = datetime(2014, 8, 18, 12, 0, 0, 500_000, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)
CALENDAR = Representation(
    body=b"BEGIN:VCALENDAR\r\n" * 100,
    media_type="text/calendar; charset=utf-8",
    etag="abc",
    last_modified=AN_HOUR_AGO,
    cache_control=PUBLIC,
    filename="calendar.ics",
)
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda body: body,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}


def make_representation(**changes: Any) -> Representation:
    """Return a representation without cached encodings, with these changes."""
    return replace(CALENDAR, encodings={}, **changes)


def fetch_representation(
    rendition: Representation = CALENDAR,
    headers: dict[str, str] | None = None,
    *,
    now: datetime = NOW,
    method: str = "GET",
) -> TestResponse:
    """Return the response that a client receives for a representation from a Flask app."""
    app = Flask(__name__)
    app.add_url_rule("/thing", view_func=lambda: conditional_response(rendition, now), endpoint="thing")
    return app.test_client().open("/thing", method=method, headers=headers)
