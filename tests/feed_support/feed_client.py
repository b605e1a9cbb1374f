"""Feeds as programs fetch them, and a small calendar for them to be fetched from."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from eventcal.events.enums import EventStatus
from eventcal.events.models import CallForTalks
from eventcal.talks.enums import TalkState
from tests.factories import make_event, make_speaker, make_talk
from tests.feed_support.ics_reader import Component, feed_errors, parse_ics
from tests.http_app import write_session

FEED_PATHS = ("/calendar.ics", "/events/summit.ics", "/talks/scheduled.ics", "/speakers/grace.ics", "/deadlines.ics")
"""One feed of each kind, of what `make_calendar` makes."""


def create_calendar(app: Flask) -> dict[str, str]:
    """Make a summit in June with a talk that has its time, one that waits, a draft; and an event of two years ago."""
    with write_session(app) as session:
        grace, ada = make_speaker(session, slug="grace"), make_speaker(session, slug="ada", name="Ada Lovelace")
        summit = make_event(session, slug="summit", city="Berlin", tags=["xen"])
        old = make_event(session, slug="old", title="Long ago", starts="2024-06-01", ends="2024-06-02")
        make_event(session, slug="pending", title="Pending", status=EventStatus.PENDING)
        confirmed: dict[str, Any] = {"state": TalkState.CONFIRMED, "speakers": [grace]}
        make_talk(session, summit, id="scheduled", title="Scheduled", starts="2026-06-10T13:30:00", **confirmed)
        make_talk(session, summit, id="waiting", title="Waiting", **confirmed)
        make_talk(session, summit, id="draft", title="Draft", state=TalkState.DRAFT, speakers=[ada])
        make_talk(session, old, id="given", title="Given", starts="2024-06-01T09:00:00", **confirmed)
        return {"summit": summit.id, "old": old.id, "grace": grace.id, "ada": ada.id}


def set_deadline(app: Flask, ids: dict[str, str]) -> None:
    """Have the summit's call for talks close on the first of May."""
    with write_session(app) as session:
        session.get_one(CallForTalks, ids["summit"]).closes = "2026-05-01T18:00:00"


def fetch(app: Flask, path: str, *, method: str = "GET", **headers: str) -> TestResponse:
    """Fetch as a program does that knows no cookies."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client(use_cookies=False).open(path, method=method, headers=given)


def fetch_feed(app: Flask, path: str) -> Component:
    """Return a feed that has no faults."""
    answer = fetch(app, path)
    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8"), answer.text
    assert feed_errors(answer.data) == []
    return parse_ics(answer.data)


def fetch_titles(app: Flask, path: str) -> list[str]:
    """Return the titles in a feed, sorted."""
    return sorted(entry.text("SUMMARY") for entry in fetch_feed(app, path).events())


def get_validators(answer: TestResponse) -> dict[str, str | None]:
    """Return what a 304 has in common with its 200."""
    return {name: answer.headers.get(name) for name in ("ETag", "Last-Modified", "Cache-Control", "Vary")}


def set_title(app: Flask, table: Any, key: str, *, title: str) -> None:  # noqa: ANN401 - any table
    with write_session(app) as session:
        session.get_one(table, key).title = title
