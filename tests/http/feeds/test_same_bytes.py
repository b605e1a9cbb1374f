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
from tests.feed_support.digests import digests
from tests.feed_support.feed_world import Do, World, edit, edit_grace, edit_summit, edit_track, make_world, step
from tests.feed_support.make_feeds import Calendar
from tests.http_app import database_of, house_of, running
from tests.make import make_event, make_talk

ROOT = Path(__file__).parents[3]
WEEKLY: dict[str, Any] = {
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


def furnish(world: World) -> None:
    """Add further time zones, many tags, calls for talks with deadlines, and a weekly event."""
    zones = ("Asia/Kathmandu", "America/New_York", "Europe/London", "Pacific/Chatham", "Africa/Casablanca", "UTC")
    with world.calendar.write() as session:
        for zone in zones:
            call = {"opens": "2026-03-02T09:00:00", "closes": "2026-05-01T18:00:00"}
            event = make_event(session, title=zone, timezone=zone, tags=["é", "xen", "a,b", "z"], call=call)
            for hour in (9, 14):
                starts = f"2026-06-11T{hour:02}:00:00"
                make_talk(session, event, state=TalkState.CONFIRMED, starts=starts, tags=["b", "a", "ü"])
    with world.calendar.write() as session:
        make_event(session, slug="weekly", title="Meetup", **WEEKLY)


EDITS: list[Do] = [
    edit_summit(timezone="Asia/Kathmandu", tags=["z", "y", "x"], location={"city": "Köln", "country": "DE"}),
    edit("waiting", starts="2026-06-12T09:30:00"),
    edit_grace(name="Amazing Grace"),
    edit_track(name="RISC-V"),
    step("talk", TalkAction.CANCEL),
    # These edits affect nothing else, so the feeds are updated from their cached versions.
    edit("waiting", tags=["c", "a", "b"], speakers=[{"slug": "ada"}, {"slug": "grace"}]),
    edit("again", title="A, b; c\\d: „Käse“ \U0001f9c0"),
]


def in_a_new_process(database_url: str, moment: datetime, talk: str, *, seed: str) -> dict[str, str]:
    """Return the digests computed by a new worker process with this hash seed."""
    command = [sys.executable, "-m", "tests.feed_support.digests", database_url, moment.isoformat(), talk]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - ours
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_every_worker_sends_the_same_bytes_for_any_hash_seed_and_history(sqlite_url: str, clock: FixedClock) -> None:
    with running(sqlite_url, clock) as app:
        world = make_world(Calendar(database_of(app), clock, house_of(app).feed_index))
        furnish(world)
        talk = world.ids["talk"]
        for do in EDITS:
            digests(app, talk)
            with world.calendar.write() as session:
                do(world, session)
        made_on = dict(digests(app, talk))
    assert {one.partition(" ")[0] for one in made_on.values()} == {"200"}
    start = partial(in_a_new_process, sqlite_url, clock.now(), talk)
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(lambda seed: start(seed=seed), ["0", "1", "0"]):
            assert found == made_on
