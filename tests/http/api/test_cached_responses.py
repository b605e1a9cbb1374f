"""The cache is invisible: a cached response always equals a newly rendered one."""

from dataclasses import replace
from itertools import count

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventcal.web.request.context import attach_services
from eventcal.web.response_cache import ResponseCache
from tests.clocks import FixedClock
from tests.feed_support.feed_calendar import FeedCalendar
from tests.feed_support.feed_changes import CHANGES, apply_changes, clear_calendar
from tests.feed_support.feed_client import fetch
from tests.feed_support.feed_scenario import FeedScenario, create_scenario
from tests.http_app import database_of, services_of

pytestmark = pytest.mark.both_databases

_FEED_PATHS = (
    "/calendar.ics",
    "/calendar.ics?include=events,talks,deadlines&cancelled=hide",
    "/calendar.ics?from=2026-06-11&to=2026-06-18&profile=rich&tz=utc",
    "/calendar.ics?country=DE&cancelled=mark",
    "/calendar.ics?speaker=unknown",
    "/calendar.ics?track=ARM&room=Room%201",
    "/calendar.ics?updated_since=2026-03-02",
    "/calendar.ics?cfp=open",
    "/calendar.jcal?series=Xen",
    "/calendar.csv?language=de",
    "/calendar.atom",
    "/deadlines.ics",
    "/deadlines.jscal?tag=a",
    "/events/summit.ics",
    "/events/summit.xcal?scheduled=false",
    "/events/summit.atom",
    "/events/summit/schedule.xml",
    "/events/summit/schedule.json",
    "/speakers/grace.ics",
    "/speakers/ada.jscal",
    "/speakers/unknown.ics",
)
_LIST_PATHS = (
    "/api/v1/events",
    "/api/v1/events/summit",
    "/api/v1/events/summit/talks",
    "/api/v1/events/summit/sponsors",
    "/api/v1/events?from=2026-06-18&to=2026-06-18",
    "/api/v1/events?tag=a",
    "/api/v1/talks",
    "/api/v1/talks?speaker=unknown",
    "/api/v1/talks?scheduled=false",
    "/api/v1/speakers",
    "/api/v1/speakers/grace",
    "/api/v1/changes",
)


class CacheChecker:
    """Request every path both through the cache and past it."""

    def __init__(self, app: Flask, world: FeedScenario) -> None:
        self.app = app
        talk = world.ids["talk"]
        self.paths = (*_FEED_PATHS, f"/talks/{talk}.ics", f"/talks/{talk}.jcal", f"/api/v1/talks/{talk}", *_LIST_PATHS)
        self._numbers = count(1)

    def check_all(self) -> None:
        """Compare every possibly cached response with one that cannot be cached."""
        for path in self.paths:
            # An equivalent URL that has not been requested before.
            new = f"{path}{'&' if '?' in path else '?'}{'&' * next(self._numbers)}"
            kept, made = fetch(self.app, path), fetch(self.app, new)
            headers = [{**answer.headers, "Link": None} for answer in (kept, made)]
            assert (path, kept.status_code, headers[0], kept.data) == (path, made.status_code, headers[1], made.data)
            if kept.status_code == 200:
                assert fetch(self.app, new, If_None_Match=kept.headers["ETag"]).status_code == 304


PAUSE_DAYS = {"an hour": 1 / 24, "a day": 1, "a month": 30}
CHANGES_AND_PAUSES = st.one_of(
    st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=2), st.sampled_from(sorted(PAUSE_DAYS))
)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(CHANGES_AND_PAUSES, min_size=5, max_size=9))
def test_cached_response_equals_newly_rendered_one(app: Flask, clock: FixedClock, steps: list[list[str] | str]) -> None:
    calendar = FeedCalendar(database_of(app), clock, services_of(app).feed_index)
    clear_calendar(calendar)
    # The examples share one database, so clear the cache.
    attach_services(app, replace(services_of(app), responses=ResponseCache(10_000_000)))
    world = create_scenario(calendar)
    readers = CacheChecker(app, world)
    readers.check_all()
    for step in steps:
        if isinstance(step, str):
            clock.tick(86400 * PAUSE_DAYS[step])
        else:
            apply_changes(world, *step)
        readers.check_all()


@pytest.mark.parametrize("names", [("ada is grace",), ("unknown is grace",), ("grace is ada", "grace: another name")])
def test_speaker_merge_updates_cached_responses_of_both_slugs(
    app: Flask, clock: FixedClock, names: tuple[str, ...]
) -> None:
    world = create_scenario(FeedCalendar(database_of(app), clock, services_of(app).feed_index))
    readers = CacheChecker(app, world)
    readers.check_all()
    apply_changes(world, *names)
    readers.check_all()
