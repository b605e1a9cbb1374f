"""No worker serves stale data: a change through one worker is in the next response of every other."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.api_client import ApiClient, create_talk
from tests.clocks import NOON, FixedClock
from tests.concurrency import make_requester, poll_while_editing
from tests.feed_support.feed_client import create_calendar, fetch, get_validators, set_title
from tests.http_app import create_test_app, database_of

pytestmark = pytest.mark.both_databases

VALIDATORS_BY_CONDITION = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
"""Conditional request headers, and the response header that provides the value of each."""


TALK_PATHS = [
    *(f"/calendar.{suffix}" for suffix in ("ics", "jcal", "xcal", "jscal", "csv", "atom")),
    "/calendar.ics?tz=utc&profile=rich",
    "/events/summit.ics",
    "/events/summit.atom",
    "/events/summit/schedule.json",
    "/events/summit/schedule.xml",
    "/talks/{talk}.ics",
    "/api/v1/talks",
    "/api/v1/talks/{talk}",
    "/api/v1/events/summit/talks",
]
EVENT_PATHS = [
    *(f"/calendar.{suffix}" for suffix in ("ics", "jcal", "jscal", "csv", "atom")),
    "/deadlines.ics",
    "/events/summit.ics",
    "/events/summit/schedule.json",
    "/api/v1/events",
    "/api/v1/events/summit",
]
"""Paths that show the title of a talk, and paths that show the title of its event."""
CHANGES_PATH = "/api/v1/changes"


def paths_affected(edited: str, talk: str) -> tuple[str, list[str]]:
    """Return the API path of the talk or event, and all paths that reflect a change to it."""
    if edited == "talk":
        return f"/talks/{talk}", [*(path.format(talk=talk) for path in TALK_PATHS), CHANGES_PATH]
    return "/events/summit", [*EVENT_PATHS, CHANGES_PATH]


@pytest.fixture
def talk_id(app: Flask, summit: str, organiser: ApiClient) -> str:
    """Return the id of a scheduled talk; it and the summit are titled "Edit 0", and the call has a closing date."""
    call = {"opens_at": None, "closes_at": "2026-05-01T12:00:00"}
    assert organiser.patch(f"/events/{summit}", {"title": "Edit 0", "call_for_talks": call}).status == 200
    return create_talk(app, summit, state=TalkState.CONFIRMED, starts="2026-06-10T13:30:00", title="Edit 0")


# One change and the next response


@pytest.mark.parametrize("edited", ["talk", "event"])
@pytest.mark.parametrize(
    ("condition", "seconds"), [("If-None-Match", 0), ("If-Modified-Since", 0), ("If-Modified-Since", 60)]
)
def test_change_through_one_worker_is_in_the_next_response_of_another(
    *,
    database_url: str,
    clock: FixedClock,
    organiser: ApiClient,
    talk_id: str,
    edited: str,
    condition: str,
    seconds: float,
) -> None:
    where, paths = paths_affected(edited, talk_id)
    with create_test_app(database_url, clock) as other, create_test_app(database_url, clock) as fresh:
        clock.tick(seconds)
        before = {path: fetch(other, path) for path in paths}
        clock.tick(seconds)
        assert organiser.patch(where, {"title": "Edit 1"}).status == 200
        for path in paths:
            held = {condition: before[path].headers[VALIDATORS_BY_CONDITION[condition]]}
            after = other.test_client(use_cookies=False).get(path, headers=held)
            assert (path, after.status_code) == (path, 200)
            assert after.data != before[path].data
            assert after.headers["ETag"] != before[path].headers["ETag"]
            whole = fetch(fresh, path)
            assert (dict(after.headers), after.data) == (dict(whole.headers), whole.data)


def test_unchanged_representation_returns_304_from_every_worker(
    app: Flask, database_url: str, clock: FixedClock, talk_id: str
) -> None:
    clock.tick(60)
    with create_test_app(database_url, clock) as other:
        for path in {**dict.fromkeys(paths_affected("talk", talk_id)[1]), **dict.fromkeys(EVENT_PATHS)}:
            held = fetch(app, path)
            assert held.status_code == 200
            for name, header in VALIDATORS_BY_CONDITION.items():
                for worker in (other, app, other):
                    again = worker.test_client(use_cookies=False).get(path, headers={name: held.headers[header]})
                    assert (path, again.status_code, again.data) == (path, 304, b"")
                    assert get_validators(again) == get_validators(held)


# Last-Modified during a slow change

DATED_PATHS = [
    "/calendar.ics",
    "/calendar.csv",
    "/calendar.atom",
    "/events/summit.ics",
    "/api/v1/talks",
    "/api/v1/changes",
]


def fetch_conditional_headers(app: Flask) -> dict[str, dict[str, str]]:
    """Return the conditional headers for the next request by path; empty if there was no Last-Modified."""
    told_of = {path: fetch(app, path).headers.get("Last-Modified") for path in DATED_PATHS}
    return {path: {"If_Modified_Since": date} if date else {} for path, date in told_of.items()}


def fetch_statuses_by_date(app: Flask, held: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """Return the status of a request conditional on the date alone, by path."""
    return {path: fetch(app, path, **given).status_code for path, given in held.items()}


@pytest.mark.parametrize("seconds", [3, 600])
@pytest.mark.parametrize(
    "begun",
    [
        # In the second after the previous change.
        NOON + timedelta(seconds=1),
        # The change is committed on the following day.
        datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC),
        # In the first second of a day, when every window moves.
        datetime(2026, 3, 2, tzinfo=UTC),
    ],
)
def test_change_committed_after_a_read_is_visible_to_if_modified_since(
    *, app: Flask, database_url: str, clock: FixedClock, begun: datetime, seconds: float
) -> None:
    create_calendar(app)
    clock.set_time(begun)
    with create_test_app(database_url, clock) as other:
        with database_of(app).unit_of_work() as unit:
            unit.session.get_one(Talk, "scheduled").title = "Else"
            clock.tick(3)
            held = fetch_conditional_headers(other)
        clock.tick(seconds)
        assert fetch_statuses_by_date(other, held) == dict.fromkeys(DATED_PATHS, 200)


def test_clock_set_back_does_not_hide_a_change_from_if_modified_since(
    app: Flask, database_url: str, clock: FixedClock
) -> None:
    create_calendar(app)
    with create_test_app(database_url, clock) as other:
        clock.tick(3)
        held = fetch_conditional_headers(other)
        clock.set_time(NOON - timedelta(minutes=10))
        set_title(app, Talk, "scheduled", title="Else")
        assert fetch_statuses_by_date(other, held) == dict.fromkeys(DATED_PATHS, 200)
        clock.set_time(NOON + timedelta(minutes=10))
        assert fetch_statuses_by_date(other, held) == dict.fromkeys(DATED_PATHS, 200)


# Many readers and one writer


@pytest.mark.parametrize("edited", ["talk", "event"])
def test_concurrent_request_never_returns_older_data_than_an_earlier_response(
    *, database_url: str, clock: FixedClock, organiser: ApiClient, talk_id: str, edited: str
) -> None:
    where, paths = paths_affected(edited, talk_id)
    # The list of changes contains revision numbers, but no titles.
    paths.remove(CHANGES_PATH)
    with create_test_app(database_url, clock) as one, create_test_app(database_url, clock) as other:
        plain, packed = ([make_requester(worker, coding) for worker in (one, other)] for coding in ("identity", "gzip"))

        def change(number: int) -> None:
            assert organiser.patch(where, {"title": f"Edit {number}"}).status == 200

        # Two readers alternate between both workers, and each worker has one reader of its own.
        poll_while_editing([plain, packed[::-1], plain[:1], packed[1:]], paths, edits=15, change=change)
