"""Entries as JSCalendar, read back strictly."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead
from eventcal.feeds.format_registry import JSCAL
from tests.documents import document
from tests.feed_support.entries import HEAD, TALK
from tests.feed_support.jscalendar import faults

PAGE = {"@type": "Link", "contentType": "text/html", "rel": "describedby"}


def group(*entries: CalendarEntry, head: FeedHead = HEAD) -> Any:  # noqa: ANN401 - JSON
    """Give a feed as it is read, in which a strict reader finds no fault."""
    read = json.loads(document(JSCAL, *entries, head=head))
    found = faults(read)
    assert found == [], found
    return read


def event(entry: CalendarEntry) -> Any:  # noqa: ANN401 - JSON
    """Give the only entry of a feed."""
    (found,) = group(entry)["entries"]
    return found


def timed(starts: str, ends: str, tzid: str = "Europe/Berlin") -> CalendarEntry:
    """Give the talk at other local times."""
    return replace(TALK, starts=datetime.fromisoformat(starts), ends=datetime.fromisoformat(ends), zone=tzid)
