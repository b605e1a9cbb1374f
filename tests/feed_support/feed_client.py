"""Requests for feeds, and a small calendar that serves them."""

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
"""One feed of each kind in the calendar of `create_calendar`."""


def create_calendar(app: Flask) -> dict[str, str]:
    """Create a summit in June with a scheduled talk, an unscheduled talk and a draft, and an event in 2024."""
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
    """Set the deadline of the summit's call for talks to 1 May."""
    with write_session(app) as session:
        session.get_one(CallForTalks, ids["summit"]).closes = "2026-05-01T18:00:00"


def fetch(app: Flask, path: str, *, method: str = "GET", **headers: str) -> TestResponse:
    """Send a request without cookies and return the response."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client(use_cookies=False).open(path, method=method, headers=given)


def fetch_feed(app: Flask, path: str) -> Component:
    """Return a feed as a parsed component after checking that the feed is valid."""
    answer = fetch(app, path)
    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8"), answer.text
    assert feed_errors(answer.data) == []
    return parse_ics(answer.data)


def fetch_titles(app: Flask, path: str) -> list[str]:
    """Return the sorted titles of the entries in a feed."""
    return sorted(entry.text("SUMMARY") for entry in fetch_feed(app, path).events())


def get_validators(answer: TestResponse) -> dict[str, str | None]:
    """Return the headers that a 304 response has in common with the 200 response."""
    return {name: answer.headers.get(name) for name in ("ETag", "Last-Modified", "Cache-Control", "Vary")}


def set_title(app: Flask, table: Any, key: str, *, title: str) -> None:  # noqa: ANN401 - any table
    with write_session(app) as session:
        session.get_one(table, key).title = title
