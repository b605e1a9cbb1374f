"""A calendar with events at offset changes of 29 time zones, as expanded by calendar libraries."""

import pytest

from tests.feed_support.hard_calendar import (
    FIRST_DAY,
    LAST_DAY,
    HardCalendar,
    build_hard_calendar,
    is_near_offset_change,
)
from tests.feed_support.ics_entries import build_ics_feed
from tests.readers import libraries
from tests.readers.libical import Occurrence, read_with_libical
from tests.readers.libraries import Expander, zones_of_our_release

PYTHON_LIBRARIES = {
    "recurring-ical-events": libraries.expanded_by_recurring_ical_events,
    "ical": libraries.expanded_by_ical,
}


@pytest.fixture(scope="module")
def hard_calendar() -> HardCalendar:
    return build_hard_calendar()


@pytest.fixture(scope="module")
def hard_feed(hard_calendar: HardCalendar) -> str:
    return build_ics_feed(*hard_calendar.entries).decode()


def wrong_occurrences(found: set[Occurrence], calendar: HardCalendar) -> set[Occurrence]:
    """Return the surplus and the missing occurrences, except those near an offset change."""
    return {one for one in found ^ calendar.occurrences if not is_near_offset_change(one)}


def test_hard_calendar_has_29_zones_with_series_and_single_events(hard_calendar: HardCalendar) -> None:
    assert len({one.title.split()[0] for one in hard_calendar.occurrences}) == 29
    assert {" from " in one.title for one in hard_calendar.occurrences} == {True, False}
    assert {is_near_offset_change(one) for one in hard_calendar.occurrences} == {True, False}


@pytest.mark.parametrize("name", PYTHON_LIBRARIES)
def test_python_library_shows_the_right_instants(
    name: str, hard_calendar: HardCalendar, hard_feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expand: Expander = PYTHON_LIBRARIES[name]
    with zones_of_our_release(monkeypatch):
        entries = expand(hard_feed, FIRST_DAY, LAST_DAY)
    found = {Occurrence(one.title, one.start, one.end) for one in entries}
    assert wrong_occurrences(found, hard_calendar) == set()


def test_libical_shows_the_right_instants(hard_calendar: HardCalendar, hard_feed: str) -> None:
    assert wrong_occurrences(read_with_libical(hard_feed, FIRST_DAY, LAST_DAY), hard_calendar) == set()
