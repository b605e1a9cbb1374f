"""Secret feeds: a member's starred and own talks, readable by anyone with the URL until it is revoked."""

import logging
from datetime import timedelta
from typing import Any

import icalendar
import pytest
from flask import Flask
from sqlalchemy import delete
from werkzeug.test import TestResponse

from eventcal.kit.ids import hash_secret
from eventcal.members.models import Member, PersonalFeed
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_member, make_speaker, make_talk
from tests.feed_support.ics_reader import feed_errors, parse_ics
from tests.http_app import database_of, run_background_tasks, status_and_code, write_session
from tests.sql_statements import record_statements

SECRET = "s3cret-and-long"
FEED_PATH = f"/feeds/{SECRET}.ics"


@pytest.fixture
def member_id(app: Flask) -> str:
    """Create a member with a secret feed, a talk given, a talk submitted and two starred, among other data."""
    with write_session(app) as session:
        member, other = make_member(session), make_member(session)
        ada, grace = make_speaker(session, member=member, slug="ada"), make_speaker(session, slug="grace")
        summit = make_event(session, slug="summit")
        talks: dict[str, dict[str, Any]] = {
            "Given": {"speakers": [ada]},
            "Offered": {"submitter": member, "speakers": [grace]},
            "Starred": {"submitter": other, "starts": "2026-06-10T13:30:00"},
            "Starred and withdrawn": {"state": TalkState.WITHDRAWN, "published_at": NOON},
            "Not decided": {"submitter": member, "state": TalkState.SUBMITTED},
            "Somebody else's": {"submitter": other, "speakers": [grace]},
        }
        for title, fields in talks.items():
            talk = make_talk(session, summit, title=title, **({"state": TalkState.CONFIRMED} | fields))
            if title.startswith("Starred"):
                session.add(Star(member_id=member.id, talk_id=talk.id, starred_at=NOON))
        session.add(
            PersonalFeed(
                id="phone", member_id=member.id, name="My phone", secret_hash=hash_secret(SECRET), created_at=NOON
            )
        )
        return member.id


def fetch_feed(app: Flask, path: str = FEED_PATH, **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = app.test_client(use_cookies=False).get(path, headers=given, buffered=True)
    run_background_tasks(app)
    return answer


def fetch_titles(app: Flask, path: str = FEED_PATH) -> list[str]:
    answer = fetch_feed(app, path)
    assert feed_errors(answer.data) == []
    return sorted(entry.text("SUMMARY") for entry in parse_ics(answer.data).events())


def revoke_feed(app: Flask) -> None:
    with write_session(app) as session:
        session.get_one(PersonalFeed, "phone").revoked_at = NOON


@pytest.mark.usefixtures("member_id")
def test_secret_feed_contains_the_public_talks_that_are_starred_or_own(app: Flask) -> None:
    assert fetch_titles(app) == ["CANCELLED: Starred and withdrawn", "Given", "Offered", "Starred"]
    assert fetch_titles(app, f"{FEED_PATH}?scheduled=true&cancelled=hide") == ["Starred"]


@pytest.mark.usefixtures("member_id")
def test_secret_feed_is_only_privately_cacheable(app: Flask) -> None:
    headers = fetch_feed(app).headers
    assert headers["Cache-Control"] == "private, max-age=300"
    assert headers["Content-Disposition"] == 'inline; filename="my-talks.ics"'


@pytest.mark.usefixtures("member_id")
def test_secret_appears_in_neither_response_nor_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        whole = fetch_feed(app)
        answers = [
            whole,
            fetch_feed(app, If_None_Match=whole.headers["ETag"]),
            fetch_feed(app, f"{FEED_PATH}?tag=x"),
            app.test_client(use_cookies=False).head(FEED_PATH),
        ]
    for answer in answers:
        assert SECRET not in f"{answer.headers}{answer.text}"
    assert SECRET not in caplog.text
    assert parse_ics(whole.data).list_properties("SOURCE") == []


def test_each_secret_feed_is_a_calendar_of_its_own(app: Flask, member_id: str) -> None:
    with write_session(app) as session:
        session.add(
            PersonalFeed(member_id=member_id, name="My desk", secret_hash=hash_secret("other"), created_at=NOON)
        )
    heads = [
        icalendar.Calendar.from_ical(fetch_feed(app, f"/feeds/{secret}.ics?profile=rich").data)
        for secret in (SECRET, "other")
    ]
    assert heads[0]["UID"] != heads[1]["UID"]


def test_unchanged_secret_feed_returns_304_until_a_star_changes(app: Flask, member_id: str) -> None:
    before = fetch_feed(app)
    same = fetch_feed(app, If_None_Match=before.headers["ETag"])
    assert (same.status_code, same.headers["ETag"]) == (304, before.headers["ETag"])
    with write_session(app) as session:
        session.execute(delete(Star).where(Star.member_id == member_id))
    after = fetch_feed(app, If_None_Match=before.headers["ETag"], If_Modified_Since="Sun, 01 Mar 2026 12:00:00 GMT")
    assert (after.status_code, fetch_titles(app)) == (200, ["Given", "Offered"])
    # Removed stars have no date, and a wrong Last-Modified would keep the old agenda in the client for ever.
    assert "Last-Modified" not in before.headers
    assert fetch_feed(app, If_Modified_Since="Sun, 01 Mar 2026 12:00:00 GMT").status_code == 200


@pytest.mark.usefixtures("member_id")
def test_revoked_feed_returns_410_and_unknown_feed_404(app: Flask) -> None:
    revoke_feed(app)
    assert [status_and_code(fetch_feed(app, path)) for path in (FEED_PATH, f"{FEED_PATH}?nonsense=1")] == [
        (410, "gone")
    ] * 2
    assert status_and_code(fetch_feed(app, "/feeds/unknown.ics"))[0] == 404


@pytest.mark.usefixtures("member_id")
def test_error_responses_do_not_contain_the_secret(app: Flask) -> None:
    malformed = fetch_feed(app, f"{FEED_PATH}?from=yesterday")
    revoke_feed(app)
    assert [(a.status_code, SECRET in a.text) for a in (malformed, fetch_feed(app))] == [(422, False), (410, False)]


def test_feed_of_a_deleted_member_returns_410(app: Flask, member_id: str) -> None:
    with write_session(app) as session:
        session.delete(session.get_one(Member, member_id))
    assert status_and_code(fetch_feed(app))[0] == 410


@pytest.mark.usefixtures("member_id")
def test_last_fetch_time_is_stored_with_a_precision_of_one_hour(app: Flask, clock: FixedClock) -> None:

    def noted() -> timedelta | None:
        fetch_feed(app)
        with database_of(app).read_session() as session:
            at = session.get_one(PersonalFeed, "phone").last_fetched_at
        return at - NOON if at is not None else None

    seen = []
    for minutes in (0, 59, 1, 30):
        clock.tick(60 * minutes)
        seen.append(noted())
    assert seen == [timedelta(0), timedelta(0), timedelta(hours=1), timedelta(hours=1)]


@pytest.mark.usefixtures("member_id")
def test_recording_a_fetch_does_not_change_the_public_revision(app: Flask, clock: FixedClock) -> None:
    calendar = fetch_feed(app, "/calendar.ics").headers["ETag"]
    clock.tick(7200)
    fetch_feed(app)
    with record_statements(database_of(app)) as seen:
        assert fetch_feed(app, "/calendar.ics", If_None_Match=calendar).status_code == 304
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1


@pytest.mark.usefixtures("member_id")
def test_secret_feed_is_served_during_a_write_transaction(app: Flask, clock: FixedClock) -> None:
    client = app.test_client(use_cookies=False)
    with write_session(app):
        answer = client.get(FEED_PATH)
        assert feed_errors(answer.data) == []
    run_background_tasks(app)
    with database_of(app).read_session() as session:
        assert session.get_one(PersonalFeed, "phone").last_fetched_at == clock.now()
