"""Entries written as JSCalendar and validated."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead
from eventcal.feeds.format_registry import JSCAL
from tests.documents import document
from tests.feed_support.entries import HEAD, TALK
from tests.feed_support.jscalendar import errors_in

PAGE = {"@type": "Link", "contentType": "text/html", "rel": "describedby"}


def group(*entries: CalendarEntry, head: FeedHead = HEAD) -> Any:  # noqa: ANN401 - JSON
    """Return a feed as a Group, after checking that it is valid."""
    read = json.loads(document(JSCAL, *entries, head=head))
    assert errors_in(read) == []
    return read


def event(entry: CalendarEntry) -> Any:  # noqa: ANN401 - JSON
    """Return an entry as the only Event of a feed."""
    (found,) = group(entry)["entries"]
    return found


def timed(starts: str, ends: str, tzid: str = "Europe/Berlin") -> CalendarEntry:
    """Return the talk at other local times."""
    return replace(TALK, starts=datetime.fromisoformat(starts), ends=datetime.fromisoformat(ends), zone=tzid)
