"""What the document says of the operations that flask-smorest does not know: feeds, health checks, and itself."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from eventcal.kit.refusals import Gone
from eventcal.web.api.openapi.operation import Json
from eventcal.web.filters import FeedArgs

TAGS: list[Json] = [
    {"name": "calendars", "description": "Feeds: sets of calendar entries at a URL, which programs fetch again and again"},
    {"name": "health", "description": "For whoever watches the process"},
    {"name": "docs", "description": "This document"},
]
_MEDIA_TYPES = {"ics": "text/calendar", "docs": "text/html"}
