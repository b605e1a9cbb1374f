"""A feed without entries is a valid document in every format."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import StringIO
from typing import Any
from xml.etree.ElementTree import fromstring

import icalendar
import pytest

from eventcal.events.filter import Filter
from eventcal.feeds.entry_selection import Feed
from eventcal.feeds.feed_assembly import assemble_feed, assemble_incremental
from eventcal.feeds.format_registry import CALENDAR_FORMATS, CSV, DEFAULT_OPTIONS, Format, Options
from eventcal.lint import lint
from tests.clocks import FixedClock
from tests.feed_support import ics_reader, jscalendar
from tests.feed_support.feed_calendar import FEED_HEAD, FeedCalendar, add_event, add_talk, open_feed_calendar
from tests.feed_support.ics_reader import parse_ics


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


def _ics_components(body: bytes) -> list[Any]:
    assert ics_reader.feed_errors(body) == []
    assert lint(body) == []
    return [component.name for component in icalendar.Calendar.from_ical(body).subcomponents]


def _jcal_components(body: bytes) -> list[Any]:
    return [component.name for component in icalendar.Calendar.from_jcal(body.decode()).subcomponents]


def _xcal_components(body: bytes) -> list[Any]:
    space = "{urn:ietf:params:xml:ns:icalendar-2.0}"
    (components,) = fromstring(body).iterfind(f"{space}vcalendar/{space}components")  # noqa: S314 - our own bytes
    return [component.tag.removeprefix(space) for component in components]


def _jscal_entries(body: bytes) -> list[Any]:
    group = json.loads(body)
    assert jscalendar.validation_errors(group) == []
    return list(group["entries"])


# A feed without entries contains the time zone of its head, as a placeholder. The other formats allow empty feeds.
PLACEHOLDERS = {"ics": ["VTIMEZONE"], "jcal": ["VTIMEZONE"], "xcal": ["vtimezone"]}
ENTRY_READERS: Mapping[str, Callable[[bytes], list[Any]]] = {
    "ics": _ics_components,
    "jcal": _jcal_components,
    "xcal": _xcal_components,
    "jscal": _jscal_entries,
    "csv": lambda body: list(csv.DictReader(StringIO(body.decode("utf-8-sig"), newline=""), strict=True)),
}


EMPTY_FEED = Feed(filters=Filter(tags=("nothing",)))


@pytest.mark.parametrize("options", [DEFAULT_OPTIONS, Options(utc=True), Options(rich=True)], ids=repr)
@pytest.mark.parametrize("fmt", [*CALENDAR_FORMATS, CSV], ids=lambda fmt: fmt.name)
def test_feed_without_entries_is_a_valid_document(calendar: FeedCalendar, fmt: Format, options: Options) -> None:
    add_talk(calendar, add_event(calendar))
    body = calendar.assemble(EMPTY_FEED, fmt=fmt, options=options).body
    if not options.rich:
        assert ENTRY_READERS[fmt.name](body) == PLACEHOLDERS.get(fmt.name, [])
    above, below = fmt.header_and_footer(FEED_HEAD, [], options)
    assert body.startswith(above)
    assert body.endswith(below)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"])
def test_feed_without_entries_contains_its_own_time_zone(calendar: FeedCalendar, zone: str) -> None:
    with calendar.database.read_session() as session:
        request = replace(calendar.assembly_request(session, EMPTY_FEED), head=replace(FEED_HEAD, zone=zone))
        body = assemble_feed(session, request, revision=1, now=calendar.clock.now()).body
    assert lint(body) == []
    assert parse_ics(body).timezone_ids() == [zone]


def test_time_zone_is_replaced_by_the_first_entry(calendar: FeedCalendar) -> None:
    feed = Feed(filters=Filter(tags=("xen",)))
    before = calendar.assemble(feed)
    add_event(calendar, starts="2026-06-10T09:00:00", ends="2026-06-10T17:00:00", tags=("xen",))
    with calendar.database.read_session() as session:
        request = calendar.assembly_request(session, feed)
        after = assemble_incremental(
            session, request, before, revision=calendar.get_revision(), now=calendar.clock.now()
        )
    assert (parse_ics(before.body).timezone_ids(), parse_ics(after.body).timezone_ids()) == (["UTC"], ["Europe/Berlin"])
    assert after.body == calendar.assemble(feed).body
