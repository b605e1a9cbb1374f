import pytest
from datetime import datetime, UTC
from eventcal.talks.models import Talk
from tests.http_app import running, database_of, writing
from tests.fetching import fetch, make_calendar
from tests.clocks import FixedClock, NOON

@pytest.mark.parametrize("begin,seconds", [(NOON, 2), (datetime(2026,3,1,23,59,59,tzinfo=UTC), 3)])
def test_slow(database_url, begin, seconds):
    clock = FixedClock(begin)
    out = {}
    with running(database_url, clock) as one, running(database_url, clock) as two:
        make_calendar(one)
        if seconds == 3: 
            clock.move(begin)
        paths = ["/calendar.ics", "/calendar.atom", "/api/v1/talks", "/api/v1/talks/scheduled"]
        for path in paths: fetch(two, path)
        with database_of(one).unit_of_work() as unit:
            unit.session.get_one(Talk, "scheduled").title = "Edit 1"
            unit.session.flush()
            clock.tick(seconds)
            old = {p: fetch(two, p) for p in paths}
            assert all("Edit 1" not in a.text for a in old.values())
        for p in paths:
            a = fetch(two, p, If_Modified_Since=old[p].headers["Last-Modified"])
            out[p] = a.status_code
    assert out == dict.fromkeys(paths, 200)
