"""After any changes, the ledger equals its recomputation, and its numbers only increase."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clocks import FixedClock
from tests.feed_support.feed_calendar import FeedCalendar, load_feed_rows, open_feed_calendar
from tests.feed_support.feed_changes import CHANGES, apply_changes, clear_calendar
from tests.feed_support.feed_scenario import create_scenario

EntriesByUid = Mapping[str, Mapping[str, Any]]
_INCREASING_COLUMNS = ("sequence", "last_modified", "revision")


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


CHANGE_BATCHES = st.lists(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=3), min_size=6, max_size=12)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=CHANGE_BATCHES)
def test_ledger_equals_its_recomputation_after_any_changes(calendar: FeedCalendar, steps: list[list[str]]) -> None:
    clear_calendar(calendar)
    world = create_scenario(calendar)
    before: EntriesByUid = {}
    for step in steps:
        apply_changes(world, *step)
        with calendar.rolled_back_unit() as unit:
            after = load_feed_rows(unit.session)
            calendar.rerender(unit)
            assert load_feed_rows(unit.session) == after
        assert before.keys() <= after.keys()
        for uid, old in before.items():
            _check_numbers(old, after[uid])
        before = after
    numbers = sorted(one["serial"] for one in before.values())
    assert numbers == list(range(1, len(numbers) + 1))


def _check_numbers(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Check that the numbers of an entry increase if and only if its text changes."""
    assert new["serial"] == old["serial"]
    assert all(new[name] >= old[name] for name in _INCREASING_COLUMNS)
    if new["ics"] != old["ics"]:
        assert all(new[name] > old[name] for name in _INCREASING_COLUMNS)
    else:
        assert (new["sequence"], new["last_modified"]) == (old["sequence"], old["last_modified"])
