"""After a restore, no client keeps content that was lost, or overwrites content that it has not seen."""

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from eventcal.backup import create_backup
from eventcal.cli.open_database import FeedsOutOfDate, check_renderer_version
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.index.restore import complete_restore
from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient
from tests.clocks import FixedClock
from tests.factories import make_event, make_speaker, make_talk
from tests.feed_support.feed_client import fetch
from tests.http_app import database_of, get_json, services_of, write_session
from tests.restoring import postgresql_programs, restore_database

TALKS = ("t1", "t2", "t3", "t4")
EDITABLE = tuple(f"/api/v1/talks/{talk}" for talk in TALKS)
PATHS = (
    *EDITABLE,
    *("/calendar.ics", "/events/fest.ics", "/calendar.atom", "/events/fest/schedule.json", "/speakers/grace.ics"),
    *("/api/v1/talks", "/api/v1/talks?sort=updated", "/api/v1/events/fest", "/api/v1/speakers/grace", "/talks/t1"),
)


@dataclass(frozen=True)
class Kept:
    """What a client keeps of a resource: its content, and its validators."""

    path: str
    content: bytes
    etag: str
    last_modified: str | None

    @classmethod
    def fetch(cls, app: Flask, path: str) -> "Kept":
        """Fetch the current content."""
        answer = fetch(app, path)
        assert answer.status_code == 200, answer.text
        return cls(path, answer.data, answer.headers["ETag"], answer.headers.get("Last-Modified"))


class Calendar:
    """A calendar that is edited, backed up and restored."""

    def __init__(self, app: Flask, moderator: ApiClient, clock: FixedClock, folder: Path) -> None:
        self.app, self.moderator, self.clock, self.folder = app, moderator, clock, folder
        self.random = random.Random(1)  # noqa: S311 - reproducible
        with write_session(app) as session:
            fest = make_event(session, slug="fest", starts="2026-03-10", ends="2026-03-12")
            grace = make_speaker(session, slug="grace")
            for number, talk in enumerate(TALKS):
                starts = f"2026-03-10T1{number}:00:00"
                make_talk(session, fest, id=talk, starts=starts, state=TalkState.CONFIRMED, speakers=[grace])

    def edit(self) -> None:
        """Change a random talk to one of few titles, so that contents recur."""
        self.clock.tick(self.random.randint(2, 90))
        path = self.random.choice(EDITABLE).removeprefix("/api/v1")
        title = self.random.choice(["One", "Two", "Three"])
        assert self.moderator.patch(path, {"title": title}, if_match="*").status == 200

    def back_up(self) -> None:
        """Make a backup."""
        with postgresql_programs():
            now = self.clock.now()
            create_backup(database_of(self.app), services_of(self.app).settings, self.folder / "backup.tar", now=now)

    def restore(self) -> None:
        """Restore the backup and complete the restore."""
        self.clock.tick(5)
        url = services_of(self.app).settings.database_url
        restore_database(database_of(self.app), url, archive=self.folder / "backup.tar", folder=self.folder)
        complete_restore(database_of(self.app), services_of(self.app).feed_index)
        self.clock.tick(5)


@pytest.fixture
def calendar(app: Flask, moderator: ApiClient, clock: FixedClock, tmp_path: Path) -> Calendar:
    """Provide a calendar with an event and four talks."""
    return Calendar(app, moderator, clock, tmp_path)


def load_entries(app: Flask) -> list[FeedEntry]:
    """Return all entries of the feed index."""
    with database_of(app).read_session() as session:
        return list(session.scalars(select(FeedEntry)))


def poll(app: Flask, kept: Kept, **headers: str) -> TestResponse:
    """Ask whether what a client has kept is current. The response must not confirm other content."""
    current, answer = fetch(app, kept.path), fetch(app, kept.path, **headers)
    if answer.status_code == 304:
        assert kept.content == current.data, kept.path
    else:
        assert answer.data == current.data, kept.path
    return answer


def overwrite(calendar: Calendar, kept: Kept) -> None:
    """Send an edit that is based on what a client has kept. Only an edit of the current content is accepted."""
    current = fetch(calendar.app, kept.path)
    calendar.clock.tick(2)
    answer = calendar.moderator.patch(kept.path.removeprefix("/api/v1"), {"title": "Mine"}, if_match=kept.etag)
    assert answer.status in {200, 412}
    assert (answer.status == 200) == (kept.content == current.data), kept.path


def follow_changes(anonymous: ApiClient, since: str | None, known: dict[Any, int]) -> str:
    """Follow the list of changes to its end, add them to what is known, and return the cursor."""
    while True:
        page = anonymous.get("/changes?limit=3" + (f"&since={since}" if since else ""))
        if page.status == 410:
            assert page.json["code"] == "cursor-expired"
            known.clear()
            since = None
            continue
        for item in page.json["items"]:
            known[item["kind"], item["id"]] = item["revision"]
        since = str(page.json["next"])
        if not page.json["items"]:
            return since


@pytest.mark.both_databases
def test_no_client_keeps_stale_content_or_overwrites_newer_content_after_a_restore(
    calendar: Calendar, app: Flask, anonymous: ApiClient, request: pytest.FixtureRequest
) -> None:
    polls = 1_000 if request.config.getoption("--extent") == "all" else 100
    known: dict[Any, int] = {}
    kept = [Kept.fetch(app, path) for path in PATHS]
    for _ in range(10):
        calendar.edit()
    calendar.back_up()
    followers: list[tuple[str | None, dict[Any, int]]] = []
    for number in range(100):
        calendar.edit()
        calendar.clock.tick(2)
        kept += [Kept.fetch(app, path) for path in calendar.random.sample(PATHS, 3)]
        if number % 20 == 0:
            known = {}
            followers.append((follow_changes(anonymous, None, known), known))
    calendar.restore()
    outcomes = set()
    for number in range(polls):
        if number % 10 == 0:
            calendar.edit()
        # Half of the clients polled recently.
        client = calendar.random.choice(kept if number % 2 else kept[-3:])
        way = calendar.random.choice(["ETag", "date", "If-Match", "cursor"])
        if way == "ETag":
            outcomes.add((way, poll(app, client, If_None_Match=client.etag).status_code))
        elif way == "date" and client.last_modified is not None:
            outcomes.add((way, poll(app, client, If_Modified_Since=client.last_modified).status_code))
        elif way == "If-Match":
            client = calendar.random.choice([one for one in kept if one.path in EDITABLE])
            overwrite(calendar, client)
        elif way == "cursor":
            since, seen = calendar.random.choice(followers)
            seen = dict(seen)
            follow_changes(anonymous, since, seen)
            complete: dict[Any, int] = {}
            follow_changes(anonymous, None, complete)
            assert seen == complete
        kept.append(Kept.fetch(app, calendar.random.choice(PATHS)))
        calendar.clock.tick(2)
    assert outcomes == {("ETag", 200), ("ETag", 304), ("date", 200), ("date", 304)}


@pytest.mark.both_databases
def test_restore_raises_all_numbers_and_times_of_entries(calendar: Calendar, app: Flask) -> None:
    calendar.back_up()
    for _ in range(40):
        calendar.edit()
    lost = {row.uid: row for row in load_entries(app)}
    calendar.restore()
    restored = {row.uid: row for row in load_entries(app)}
    assert restored.keys() == lost.keys()
    for uid, row in restored.items():
        assert row.sequence > lost[uid].sequence
        assert row.revision > lost[uid].revision
        assert lost[uid].last_modified < row.last_modified <= calendar.clock.now()
        assert row.content_hash
        assert f"SEQUENCE:{row.sequence}\r\n" in row.ics


@pytest.mark.both_databases
@pytest.mark.usefixtures("calendar")
def test_restore_can_be_completed_again(app: Flask, clock: FixedClock) -> None:
    before = {row.uid: row.sequence for row in load_entries(app)}
    sequences = [before]
    for _ in range(2):
        clock.tick(1)
        complete_restore(database_of(app), services_of(app).feed_index)
        sequences.append({row.uid: row.sequence for row in load_entries(app)})
    assert all(sequences[0][uid] < sequences[1][uid] < sequences[2][uid] for uid in before)


@pytest.mark.both_databases
def test_list_cursor_from_before_a_restore_is_expired(calendar: Calendar, anonymous: ApiClient) -> None:
    calendar.back_up()
    cursors = {path: anonymous.get(f"{path}?limit=1").json["next"] for path in ("/talks", "/changes", "/speakers")}
    calendar.restore()
    for path, cursor in cursors.items():
        if cursor is not None:
            name = "since" if path == "/changes" else "cursor"
            answer = anonymous.get(f"{path}?{name}={cursor}")
            assert (path, answer.status, answer.json["code"]) == (path, 410, "cursor-expired")


class _KilledError(BaseException):
    """Raised where the process is killed."""


@pytest.mark.both_databases
@pytest.mark.usefixtures("calendar")
def test_interrupted_restore_is_noticed_and_can_be_completed(app: Flask) -> None:
    database, settings = database_of(app), services_of(app).settings
    feed_index = services_of(app).feed_index
    talks = sorted(path.removeprefix("/api/v1/talks/") for path in EDITABLE)
    for last_step in range(3):
        steps = iter(range(last_step))

        def advance(_: int, steps: Iterator[int] = steps) -> None:
            if next(steps, None) is None:
                raise _KilledError

        with suppress(_KilledError):
            complete_restore(database, feed_index, on_progress=advance)
            # The last of the steps is complete without an interruption.
            assert last_step == 2
            break
        with pytest.raises(FeedsOutOfDate):
            check_renderer_version(database, settings)
    complete_restore(database, feed_index)
    check_renderer_version(database, settings)
    assert sorted(one["id"] for one in get_json(fetch(app, "/api/v1/talks"))["items"]) == talks
    assert all(row.content_hash for row in load_entries(app))
