"""No worker is ever behind: what one was told is in the next answer of every other, and it is the same bytes."""

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest
from flask import Flask

from eventcal.app import create_house
from eventcal.kit.clock import SystemClock
from eventcal.members.service import give_token
from eventcal.members.words import Scope
from eventcal.talks.models import Talk
from eventcal.talks.rules import Step
from eventcal.talks.words import TalkState
from tests.api import Api, a_talk, put_on_team
from tests.clocks import NOON, FixedClock
from tests.digests import digests
from tests.feed_world import Do, World, edit, edit_grace, edit_summit, edit_track, make_world, step
from tests.fetching import fetch, make_calendar, rename, validators
from tests.hammering import Acknowledged, Ask, Bodies, Reader, Told
from tests.http_app import database_of, house_of, running, settings_of
from tests.make import make_event, make_member, make_talk
from tests.make_feeds import Calendar

ROOT = Path(__file__).parents[2]
WITHIN = 60.0
NOTHING: Mapping[str, str] = MappingProxyType({})
CONDITIONS = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
"""What is asked with, and which header of the last answer it is."""


def paths_of(talk: str) -> list[str]:
    """Return what shows the title of a talk at the summit, or that it changed."""
    return [
        *(f"/calendar.{suffix}" for suffix in ("ics", "jcal", "xcal", "jscal", "csv", "atom")),
        "/calendar.ics?tz=utc&profile=rich",
        "/events/summit.ics",
        "/events/summit.atom",
        "/events/summit/schedule.json",
        "/events/summit/schedule.xml",
        f"/talks/{talk}.ics",
        "/api/v1/talks",
        f"/api/v1/talks/{talk}",
        "/api/v1/events/summit/talks",
        "/api/v1/changes",
    ]


OF_THE_EVENT = [
    "/calendar.ics",
    "/calendar.jcal",
    "/calendar.jscal",
    "/calendar.csv",
    "/calendar.atom",
    "/deadlines.ics",
    "/events/summit.ics",
    "/events/summit/schedule.json",
    "/api/v1/events",
    "/api/v1/events/summit",
]
"""What shows the summit's title."""


@pytest.fixture
def talk(app: Flask, summit: str) -> str:
    """Give the id of a talk at the summit that has its time, called "Edit 0"."""
    return a_talk(app, summit, state=TalkState.CONFIRMED, starts="2026-06-10T13:30:00", title="Edit 0")


# One change, and the next answer


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_change_through_one_worker_is_in_the_next_answer_of_another(
    *, database_url: str, clock: FixedClock, organiser: Api, talk: str, condition: str, seconds: float
) -> None:
    paths = sorted({*paths_of(talk), *OF_THE_EVENT})
    with running(database_url, clock) as other, running(database_url, clock) as fresh:
        clock.tick(seconds)
        before = {path: fetch(other, path) for path in paths}
        clock.tick(seconds)
        for path in (f"/talks/{talk}", "/events/summit"):
            assert organiser.patch(path, {"title": "Edit 1"}).status == 200
        for path in paths:
            held = {condition: before[path].headers[CONDITIONS[condition]]}
            after = other.test_client(use_cookies=False).get(path, headers=held)
            assert (path, after.status_code) == (path, 200)
            assert after.data != before[path].data
            assert after.headers["ETag"] != before[path].headers["ETag"]
            whole = fetch(fresh, path)
            assert (dict(after.headers), after.data) == (dict(whole.headers), whole.data)


def test_who_has_what_did_not_change_is_told_so_by_every_worker(
    app: Flask, database_url: str, clock: FixedClock, talk: str
) -> None:
    clock.tick(60)
    with running(database_url, clock) as other:
        for path in sorted({*paths_of(talk), *OF_THE_EVENT}):
            held = fetch(app, path)
            assert held.status_code == 200
            for name, header in CONDITIONS.items():
                for worker in (other, app, other):
                    again = worker.test_client(use_cookies=False).get(path, headers={name: held.headers[header]})
                    assert (path, again.status_code, again.data) == (path, 304, b"")
                    assert validators(again) == validators(held)


# A date of last change, while a change takes its time

WATCHED = ["/calendar.ics", "/calendar.csv", "/calendar.atom", "/events/summit.ics", "/api/v1/talks", "/api/v1/changes"]


def told_by_date(app: Flask, held: Mapping[str, str]) -> dict[str, int]:
    """Return the status for whoever has nothing but a date, by path."""
    return {path: fetch(app, path, If_Modified_Since=date).status_code for path, date in held.items()}


@pytest.mark.parametrize(
    "begun",
    [
        # In the second of the change before.
        NOON,
        # When it is done, another day has begun.
        datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC),
        # In the first second of a day, at which every window moves.
        datetime(2026, 3, 2, tzinfo=UTC),
    ],
)
def test_who_read_while_a_change_was_under_way_is_told_of_it_by_date(
    app: Flask, database_url: str, clock: FixedClock, begun: datetime
) -> None:
    make_calendar(app)
    clock.move(begun)
    with running(database_url, clock) as other:
        with database_of(app).unit_of_work() as unit:
            unit.session.get_one(Talk, "scheduled").title = "Else"
            clock.tick(3)
            held = {path: fetch(other, path).headers["Last-Modified"] for path in WATCHED}
        clock.tick(3)
        assert told_by_date(other, held) == dict.fromkeys(WATCHED, 200)


def test_a_clock_that_is_set_back_hides_no_change_behind_a_date(
    app: Flask, database_url: str, clock: FixedClock
) -> None:
    make_calendar(app)
    with running(database_url, clock) as other:
        clock.tick(3)
        held = {path: fetch(other, path).headers["Last-Modified"] for path in WATCHED}
        clock.move(NOON - timedelta(minutes=10))
        rename(app, Talk, "scheduled", "Else")
        assert told_by_date(other, held) == dict.fromkeys(WATCHED, 200)
        clock.move(NOON + timedelta(minutes=10))
        assert told_by_date(other, held) == dict.fromkeys(WATCHED, 200)


# Many readers, and one who writes


def asking(app: Flask, coding: str = "identity") -> Ask:
    """Return what asks a worker for a body in a coding."""

    def ask(path: str, headers: Mapping[str, str]) -> Told:
        answer = app.test_client(use_cookies=False).get(path, headers={"Accept-Encoding": coding, **headers})
        return told(answer.status_code, answer.headers, answer.data)

    return ask


def told(status: int, headers: Mapping[str, str], raw: bytes) -> Told:
    """Return what came back, its body as it is behind its coding."""
    body = gzip.decompress(raw) if headers.get("Content-Encoding") == "gzip" and raw else raw
    return Told(status, headers["ETag"], headers["Last-Modified"], body)


def hammer(readers: Sequence[Reader], acknowledged: Acknowledged, *, edits: int, patch: Api, path: str) -> None:
    """Let everybody read what is edited, until it is."""

    def change(number: int) -> None:
        assert patch.patch(path, {"title": f"Edit {number}"}).status == 200

    with ThreadPoolExecutor(len(readers) + 1) as threads:
        reading = [threads.submit(reader.read) for reader in readers]
        threads.submit(acknowledged.write, edits, change).result()
        assert [one.result() >= {200, 304} for one in reading] == [True] * len(readers)


@pytest.mark.parametrize("edited", ["talk", "event"])
def test_nobody_is_told_less_than_was_answered_before_they_asked(
    *, database_url: str, clock: FixedClock, organiser: Api, talk: str, edited: str
) -> None:
    path = f"/talks/{talk}" if edited == "talk" else "/events/summit"
    assert organiser.patch(path, {"title": "Edit 0", "tags": ["hammered"]}).status == 200
    paths = [one for one in paths_of(talk) if "changes" not in one] if edited == "talk" else OF_THE_EVENT
    acknowledged, bodies = Acknowledged(), Bodies()
    with running(database_url, clock) as one, running(database_url, clock) as other:
        readers = [
            Reader([asking(worker, coding) for worker in workers], paths[turn:] + paths[:turn], acknowledged, bodies)
            for turn, (workers, coding) in enumerate(
                [((one, other), "identity"), ((other, one), "gzip"), ((one,), "identity"), ((other,), "gzip")]
            )
        ]
        hammer(readers, acknowledged, edits=15, patch=organiser, path=path)


# The same of two processes

TALKS = 20
OF_PROCESSES = [
    "/calendar.ics?from=2100-01-01",
    "/calendar.jcal?from=2100-01-01",
    "/calendar.atom",
    "/events/fest.ics",
    "/events/fest/schedule.json",
    "/api/v1/talks",
    "/api/v1/events/fest/talks",
]


def prepared(database_url: str) -> tuple[str, list[str]]:
    """Make a fest of many talks, each called "Edit 0"; give an organiser's token, and the talks' ids."""
    house = create_house(settings_of(database_url), clock=SystemClock())
    with house.database.unit_of_work() as unit:
        fest = make_event(unit.session, slug="fest", starts="2100-06-10", ends="2100-06-12")
        member = make_member(unit.session)
        put_on_team(unit.session, member, "fest")
        shown = {"state": TalkState.CONFIRMED, "starts": "2100-06-10T10:00:00", "title": "Edit 0"}
        talks = [make_talk(unit.session, fest, **shown).id for _ in range(TALKS)]
        _, token = give_token(
            unit.session, member, name="test", scopes=list(Scope), expires_at=None, now=house.clock.now()
        )
    house.database.engine.dispose()
    return token, talks


@contextmanager
def two_workers(database_url: str, instance: Path) -> Iterator[int]:
    """Give the port at which two processes serve; each new connection is taken by either."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")}
    environment |= {
        "EVENTCAL_DATABASE_URL": database_url,
        "EVENTCAL_SECRET_KEY": "k" * 40,
        "EVENTCAL_INSTANCE": str(instance),
    }
    command = [sys.executable, "-m", "eventcal.cli", "serve", "--port", str(port), "--workers", "2"]
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:  # noqa: S603 - our own command
        try:
            wait_until_ready(port)
            yield port
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(port: int) -> None:
    """Return once the server answers."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        try:
            call(port, "GET", "/readyz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not get ready")


def call(
    port: int, method: str, path: str, *, headers: Mapping[str, str] = NOTHING, body: object = None
) -> tuple[int, Mapping[str, str], bytes]:
    """Return the status, the headers and the body of one answer, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, body=raw, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_no_process_tells_less_than_was_answered_by_the_other(database_url: str, tmp_path: Path) -> None:
    token, talks = prepared(database_url)
    acknowledged, bodies = Acknowledged(), Bodies()
    with two_workers(database_url, tmp_path) as port:

        def ask(path: str, headers: Mapping[str, str]) -> Told:
            return told(*call(port, "GET", path, headers=headers))

        # Another talk each time: whoever edits one again within its second waits for the next.
        def change(number: int) -> None:
            said = {"Authorization": f"Bearer {token}", "If-Match": "*", "Content-Type": "application/json"}
            path = f"/api/v1/talks/{talks[number - 1]}"
            assert call(port, "PATCH", path, headers=said, body={"title": f"Edit {number}"})[0] == 200

        readers = [
            Reader([ask, ask], OF_PROCESSES[turn:] + OF_PROCESSES[:turn], acknowledged, bodies) for turn in range(4)
        ]
        with ThreadPoolExecutor(len(readers) + 1) as threads:
            reading = [threads.submit(reader.read) for reader in readers]
            threads.submit(acknowledged.write, TALKS, change).result()
            assert [one.result() >= {200, 304} for one in reading] == [True] * len(readers)


# The same bytes

WEEKLY = {
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
    """Add what the world has not: other zones, many tags, calls with their deadlines, and what comes every week."""
    zones = ("Asia/Kathmandu", "America/New_York", "Europe/London", "Pacific/Chatham", "Africa/Casablanca", "UTC")
    with world.calendar.write() as session:
        for zone in zones:
            call = {"opens": "2026-03-02T09:00:00", "closes": "2026-05-01T18:00:00"}
            event = make_event(session, title=zone, timezone=zone, tags=["é", "xen", "a,b", "z"], call=call)
            for hour in (9, 14):
                starts = f"2026-06-11T{hour:02}:00:00"
                make_talk(session, event, state=TalkState.CONFIRMED, starts=starts, tags=["b", "a", "ü"])
    with world.calendar.write() as session:
        session.expunge_all()
        event = make_event(session, slug="weekly", **{**WEEKLY, "title": "Meetup"})
        assert event.recurrence is not None


EDITS: list[Do] = [
    edit("talk", tags=["c", "a", "b"], speakers=[{"slug": "ada"}, {"slug": "grace"}]),
    edit_grace(name="Amazing Grace"),
    edit_track(name="RISC-V"),
    edit("waiting", starts="2026-06-12T09:30:00"),
    edit("again", title="A, b; c\\d: „Käse“ \U0001f9c0"),
    step("talk", Step.CANCEL),
    edit_summit(timezone="Asia/Kathmandu", tags=["z", "y", "x"], location={"city": "Köln", "country": "DE"}),
]


def in_a_new_process(database_url: str, moment: datetime, talk: str, *, seed: str) -> dict[str, str]:
    """Return the digests of a worker that has just started, with this hash seed."""
    command = [sys.executable, "-m", "tests.digests", database_url, moment.isoformat(), talk]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - ours
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_every_worker_gives_the_same_bytes_whatever_its_hash_seed_and_its_past(
    sqlite_url: str, clock: FixedClock
) -> None:
    with running(sqlite_url, clock) as app:
        world = make_world(Calendar(database_of(app), clock, house_of(app).ledger))
        furnish(world)
        talk = world.ids["talk"]
        for do in EDITS:
            # Each answer is made from the one before it.
            digests(app, talk)
            with world.calendar.write() as session:
                do(world, session)
        made_on = dict(digests(app, talk))
    assert {one.partition(" ")[0] for one in made_on.values()} == {"200"}
    start = partial(in_a_new_process, sqlite_url, clock.now(), talk)
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(lambda seed: start(seed=seed), ["0", "1", "0"]):
            assert found == made_on
