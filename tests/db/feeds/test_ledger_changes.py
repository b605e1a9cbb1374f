"""After any changes, the ledger equals its recomputation, and its numbers only increase."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clocks import FixedClock
from tests.feed_support.feed_changes import CHANGES, change, empty
from tests.feed_support.feed_world import make_world
from tests.feed_support.make_feeds import Calendar, kept, open_calendar

Rows = Mapping[str, Mapping[str, Any]]
_ONLY_RISE = ("sequence", "last_modified", "revision")


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Calendar]:
    with open_calendar(database_url, clock) as calendar:
        yield calendar


STEPS = st.lists(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=3), min_size=6, max_size=12)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_ledger_equals_its_recomputation_after_any_changes(calendar: Calendar, steps: list[list[str]]) -> None:
    empty(calendar)
    world = make_world(calendar)
    before: Rows = {}
    for step in steps:
        change(world, *step)
        with calendar.undone() as unit:
            after = kept(unit.session)
            calendar.ledger.force_rerender_all(unit.session, now=unit.now)
            assert kept(unit.session) == after
        assert before.keys() <= after.keys()
        for uid, old in before.items():
            _hold(old, after[uid])
        before = after
    numbers = sorted(one["serial"] for one in before.values())
    assert numbers == list(range(1, len(numbers) + 1))


def _hold(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Check that the numbers of an entry increase if and only if its text changes."""
    assert new["serial"] == old["serial"]
    assert all(new[name] >= old[name] for name in _ONLY_RISE)
    if new["ics"] != old["ics"]:
        assert all(new[name] > old[name] for name in _ONLY_RISE)
    else:
        assert (new["sequence"], new["last_modified"]) == (old["sequence"], old["last_modified"])
