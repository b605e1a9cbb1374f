"""Entries written as JSCalendar and validated."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead
from eventcal.feeds.format_registry import JSCAL
from tests.feed_documents import build_feed
from tests.feed_support.jscalendar import validation_errors
from tests.feed_support.sample_entries import FEED_HEAD, TALK_ENTRY

PAGE_LINK = {"@type": "Link", "contentType": "text/html", "rel": "describedby"}


def render_group(*entries: CalendarEntry, head: FeedHead = FEED_HEAD) -> Any:  # noqa: ANN401 - JSON
    """Return a feed as a Group after checking that the Group is valid."""
    read = json.loads(build_feed(JSCAL, *entries, head=head))
    assert validation_errors(read) == []
    return read


def render_event(entry: CalendarEntry) -> Any:  # noqa: ANN401 - JSON
    """Return an entry as the only Event of a feed."""
    (found,) = render_group(entry)["entries"]
    return found


def talk_at(starts: str, ends: str, tzid: str = "Europe/Berlin") -> CalendarEntry:
    """Return the sample talk at other local times."""
    return replace(TALK_ENTRY, starts=datetime.fromisoformat(starts), ends=datetime.fromisoformat(ends), zone=tzid)
