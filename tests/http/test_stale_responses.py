"""No response is older than a change that was acknowledged before the request."""

import pytest
from flask import Flask

from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import FixedClock
from tests.concurrency import make_requester
from tests.factories import make_event, make_talk
from tests.http_app import create_test_app, write_session
from tests.stale_responses import BY_DATE, BY_ETAG, StaleResponseDetector, edit_title

PATHS = ("/events/fest.ics", "/events/fest/schedule.json", "/api/v1/talks", "/events/fest/schedule")


@pytest.mark.both_databases
def test_no_app_returns_a_response_older_than_an_edit_by_any_app(
    app: Flask, database_url: str, clock: FixedClock
) -> None:
    with write_session(app) as session:
        fest = make_event(session, slug="fest")
        starts = f"{fest.starts}T10:00:00"
        talks = [make_talk(session, fest, state=TalkState.CONFIRMED, starts=starts).id for _ in range(2)]
    acknowledged = [0, 0]
    with create_test_app(database_url, clock) as other:
        apps = (app, other)
        detector = StaleResponseDetector([make_requester(one) for one in apps], PATHS, acknowledged)
        for edit in range(1, 5):
            for writer, writing_app in enumerate(apps):
                with write_session(writing_app) as session:
                    session.get_one(Talk, talks[writer]).title = edit_title(writer, edit)
                acknowledged[writer] = edit
                detector.read_each()
                # Responses have a modification date that is at least one second in the past.
                clock.tick(2)
                detector.read_each()
    counts = detector.counts
    assert (counts.reads, counts.failed, counts.examples) == (384, 0, [])
    assert counts.not_modified[BY_ETAG]
    assert counts.not_modified[BY_DATE]
