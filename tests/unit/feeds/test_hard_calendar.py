"""A calendar with events at offset changes of 29 time zones, as expanded by calendar programs and libraries.

The dependency decision (docs/decisions/0002-dependencies.md) describes what node-ical shows instead.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feed_support.hard_calendar import (
    ALL_YEARS,
    FIRST_DAY,
    LAST_DAY,
    HardCalendar,
    build_hard_calendar,
)
from tests.feed_support.ics_entries import build_ics_feed
from tests.readers import libraries
from tests.readers.khal import read_with_vdirsyncer_and_khal
from tests.readers.libical import read_with_libical
from tests.readers.libraries import Expander, Occurrence, of_node, zones_of_our_release
from tests.readers.node import NodeReader, node_reader

PYTHON_LIBRARIES = {
    "recurring-ical-events": libraries.expanded_by_recurring_ical_events,
    "ical": libraries.expanded_by_ical,
}
YEARS = {"quick": {2026}, "usual": {2018, 2026}, "all": ALL_YEARS}
# vdirsyncer and khal need a tenth of a second for each entry.
ZONES_OF_KHAL = {
    "quick": ("Europe/Berlin",),
    "usual": ("Europe/Berlin",),
    "all": ("America/Santiago", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin"),
}


@pytest.fixture(scope="module")
def extent(pytestconfig: pytest.Config) -> str:
    option: str = pytestconfig.getoption("--extent")
    return option


@pytest.fixture(scope="module")
def hard_calendar(extent: str) -> HardCalendar:
    return build_hard_calendar(years=YEARS[extent])


@pytest.fixture(scope="module")
def hard_feed(hard_calendar: HardCalendar) -> str:
    return build_ics_feed(*hard_calendar.entries).decode()


@pytest.fixture
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeReader]:
    with node_reader(tmp_path_factory) as reader:
        yield reader


def test_hard_calendar_has_29_zones_with_series_and_single_events(hard_calendar: HardCalendar) -> None:
    assert len({one.title.split()[0] for one in hard_calendar.occurrences}) == 29
    assert {" from " in one.title for one in hard_calendar.occurrences} == {True, False}


@pytest.mark.parametrize("name", PYTHON_LIBRARIES)
def test_python_library_shows_every_instant(
    name: str, hard_calendar: HardCalendar, hard_feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expand: Expander = PYTHON_LIBRARIES[name]
    with zones_of_our_release(monkeypatch):
        entries = expand(hard_feed, FIRST_DAY, LAST_DAY)
    assert {Occurrence(one.title, one.start, one.end) for one in entries} ^ hard_calendar.occurrences == set()


def test_ical_js_shows_every_instant(hard_calendar: HardCalendar, hard_feed: str, javascript: NodeReader) -> None:
    between = [f"{day}T00:00:00Z" for day in (FIRST_DAY, LAST_DAY)]
    answer = javascript.ask({"reader": "ical.js", "text": hard_feed, "between": between})
    entries = map(of_node, answer["occurrences"])
    assert {Occurrence(one.title, one.start, one.end) for one in entries} ^ hard_calendar.occurrences == set()


def test_libical_shows_every_instant(hard_calendar: HardCalendar, hard_feed: str) -> None:
    assert read_with_libical(hard_feed, FIRST_DAY, LAST_DAY) ^ hard_calendar.occurrences == set()


def test_vdirsyncer_and_khal_show_every_instant(extent: str, tmp_path: Path) -> None:
    calendar = build_hard_calendar(ZONES_OF_KHAL[extent], years={2026})
    feed = build_ics_feed(*calendar.entries).decode()
    found = read_with_vdirsyncer_and_khal(feed, FIRST_DAY, LAST_DAY, folder=tmp_path)
    assert found ^ calendar.occurrences == set()
