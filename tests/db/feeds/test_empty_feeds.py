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
from eventcal.feeds.feed import Feed
from eventcal.feeds.format_registry import CALENDAR_FORMATS, CSV, Format
from tests.clocks import FixedClock
from tests.feed_support import icslint, jscalendar
from tests.feed_support.make_feeds import HEAD, Calendar, add_event, add_talk, open_calendar


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Calendar]:
    with open_calendar(database_url, clock) as calendar:
        yield calendar


def _of_ics(body: bytes) -> list[Any]:
    assert icslint.faults(body) == []
    return icalendar.Calendar.from_ical(body).subcomponents


def _of_xcal(body: bytes) -> list[Any]:
    space = "{urn:ietf:params:xml:ns:icalendar-2.0}"
    (components,) = fromstring(body).iterfind(f"{space}vcalendar/{space}components")  # noqa: S314 - our own bytes
    return list(components)


def _of_jscal(body: bytes) -> list[Any]:
    group = json.loads(body)
    assert jscalendar.errors_in(group) == []
    return list(group["entries"])


READ: Mapping[str, Callable[[bytes], list[Any]]] = {
    "ics": _of_ics,
    "jcal": lambda body: icalendar.Calendar.from_jcal(body.decode()).subcomponents,
    "xcal": _of_xcal,
    "jscal": _of_jscal,
    "csv": lambda body: list(csv.DictReader(StringIO(body.decode("utf-8-sig"), newline=""), strict=True)),
}


@pytest.mark.parametrize("fmt", [*CALENDAR_FORMATS, CSV], ids=lambda fmt: fmt.name)
def test_feed_without_entries_is_a_valid_document(calendar: Calendar, fmt: Format) -> None:
    add_talk(calendar, add_event(calendar))
    body = calendar.take(Feed(filters=Filter(tags=("nothing",))), fmt=fmt)
    assert READ[fmt.name](body) == []
    assert body == b"".join(fmt.header_and_footer(HEAD, []))
