"""The same data gives the same bytes: on every worker, after every restart and regardless of earlier requests."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from eventcal.talks.enums import TalkState
from eventcal.talks.rules import TalkAction
from tests.clocks import FixedClock
from tests.factories import make_event, make_talk
from tests.feed_support.feed_calendar import FeedCalendar
from tests.feed_support.feed_scenario import (
    Change,
    FeedScenario,
    apply_action,
    change_talk,
    create_scenario,
    edit_grace,
    edit_summit,
    edit_track,
)
from tests.feed_support.response_digests import digest_responses
from tests.http_app import create_test_app, database_of, services_of

ROOT = Path(__file__).parents[3]
WEEKLY_EVENT: dict[str, Any] = {
    "starts": "2026-06-11T18:00:00",
    "ends": "2026-06-11T20:00:00",
    "timezone": "America/New_York",
    "recurrence": "FREQ=WEEKLY;COUNT=5",
    "recurrence_overrides": {
        "2026-06-18T18:00:00": {"starts": "2026-06-19T18:00:00", "ends": "2026-06-19T19:00:00", "title": "Later"},
        "2026-06-25T18:00:00": {"excluded": True},
        "2026-07-02T18:00:00": {"status": "cancelled"},
    },
}


def add_varied_data(world: FeedScenario) -> None:
    """Add further time zones, many tags, calls for talks with deadlines, and a weekly event."""
    zones = ("Asia/Kathmandu", "America/New_York", "Europe/London", "Pacific/Chatham", "Africa/Casablanca", "UTC")
    with world.calendar.write_session() as session:
        for zone in zones:
            call = {"opens": "2026-03-02T09:00:00", "closes": "2026-05-01T18:00:00"}
            event = make_event(session, title=zone, timezone=zone, tags=["é", "xen", "a,b", "z"], call=call)
            for hour in (9, 14):
                starts = f"2026-06-11T{hour:02}:00:00"
                make_talk(session, event, state=TalkState.CONFIRMED, starts=starts, tags=["b", "a", "ü"])
    with world.calendar.write_session() as session:
        make_event(session, slug="weekly", title="Meetup", **WEEKLY_EVENT)


EDITS: list[Change] = [
    edit_summit(timezone="Asia/Kathmandu", tags=["z", "y", "x"], location={"city": "Köln", "country": "DE"}),
    change_talk("waiting", starts="2026-06-12T09:30:00"),
    edit_grace(name="Amazing Grace"),
    edit_track(name="RISC-V"),
    apply_action("talk", TalkAction.CANCEL),
    # These edits affect nothing else, so the feeds are updated from their cached versions.
    change_talk("waiting", tags=["c", "a", "b"], speakers=[{"slug": "ada"}, {"slug": "grace"}]),
    change_talk("again", title="A, b; c\\d: „Käse“ \U0001f9c0"),
]


def digests_from_new_process(database_url: str, moment: datetime, talk: str, *, seed: str) -> dict[str, str]:
    """Return the digests computed by a new worker process with this hash seed."""
    command = [sys.executable, "-m", "tests.feed_support.response_digests", database_url, moment.isoformat(), talk]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - ours
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_every_worker_sends_the_same_bytes_for_any_hash_seed_and_history(sqlite_url: str, clock: FixedClock) -> None:
    with create_test_app(sqlite_url, clock) as app:
        world = create_scenario(FeedCalendar(database_of(app), clock, services_of(app).feed_index))
        add_varied_data(world)
        talk = world.ids["talk"]
        for do in EDITS:
            digest_responses(app, talk)
            with world.calendar.write_session() as session:
                do(world, session)
        made_on = dict(digest_responses(app, talk))
    assert {one.partition(" ")[0] for one in made_on.values()} == {"200"}
    start = partial(digests_from_new_process, sqlite_url, clock.now(), talk)
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(lambda seed: start(seed=seed), ["0", "1", "0"]):
            assert found == made_on
