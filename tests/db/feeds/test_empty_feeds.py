"""A feed without entries is a valid document in every format."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any
from xml.etree.ElementTree import fromstring

import icalendar
import pytest

from eventcal.events.filter import Filter
from eventcal.feeds.entry_selection import Feed
from eventcal.feeds.format_registry import CALENDAR_FORMATS, CSV, Format
from tests.clocks import FixedClock
from tests.feed_support import ics_reader, jscalendar
from tests.feed_support.feed_calendar import FEED_HEAD, FeedCalendar, add_event, add_talk, open_feed_calendar


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


def _ics_entries(body: bytes) -> list[Any]:
    assert ics_reader.feed_errors(body) == []
    return icalendar.Calendar.from_ical(body).subcomponents


def _xcal_entries(body: bytes) -> list[Any]:
    space = "{urn:ietf:params:xml:ns:icalendar-2.0}"
    (components,) = fromstring(body).iterfind(f"{space}vcalendar/{space}components")  # noqa: S314 - our own bytes
    return list(components)


def _jscal_entries(body: bytes) -> list[Any]:
    group = json.loads(body)
    assert jscalendar.validation_errors(group) == []
    return list(group["entries"])


ENTRY_READERS: Mapping[str, Callable[[bytes], list[Any]]] = {
    "ics": _ics_entries,
    "jcal": lambda body: icalendar.Calendar.from_jcal(body.decode()).subcomponents,
    "xcal": _xcal_entries,
    "jscal": _jscal_entries,
    "csv": lambda body: list(csv.DictReader(StringIO(body.decode("utf-8-sig"), newline=""), strict=True)),
}


@pytest.mark.parametrize("fmt", [*CALENDAR_FORMATS, CSV], ids=lambda fmt: fmt.name)
def test_feed_without_entries_is_a_valid_document(calendar: FeedCalendar, fmt: Format) -> None:
    add_talk(calendar, add_event(calendar))
    body = calendar.fetch_bytes(Feed(filters=Filter(tags=("nothing",))), fmt=fmt)
    assert ENTRY_READERS[fmt.name](body) == []
    assert body == b"".join(fmt.header_and_footer(FEED_HEAD, []))
