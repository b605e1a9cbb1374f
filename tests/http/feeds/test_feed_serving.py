"""Serving feeds to clients that fetch them repeatedly, and the number of SQL statements per request."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from flask import Flask

from eventcal.events.models import Event
from eventcal.events.state_changes import cancel_event
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.web.http.representation import Representation
from eventcal.web.request.security_headers import DEFAULT_POLICY
from eventcal.web.response_cache import ResponseKey
from tests.api_client import get_row
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_sponsor, make_talk
from tests.feed_support.feed_calendar import load_event
from tests.feed_support.feed_client import FEED_PATHS, create_calendar, fetch, fetch_titles, get_validators, set_title
from tests.feed_support.ics_reader import parse_ics
from tests.http_app import create_test_app, database_of, load_feed_state, services_of, write_session
from tests.representations import DECODERS
from tests.sql_statements import record_statements


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    return create_calendar(app)


@pytest.mark.usefixtures("ids")
def test_feed_response_states_how_it_may_be_cached(app: Flask, clock: FixedClock) -> None:
    clock.tick(60)
    answer = fetch(app, "/events/summit.ics")
    headers = dict(answer.headers)
    assert headers.pop("ETag").strip('"').replace(".", "").isalnum()
    assert headers.pop("Content-Length") == str(len(answer.data))
    assert headers == {
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Disposition": 'inline; filename="summit.ics"',
        "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT",
        "Cache-Control": "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400",
        "Vary": "Accept-Encoding",
        "Accept-Ranges": "none",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "ETag, Last-Modified, Link, Content-Disposition",
        "Content-Security-Policy": DEFAULT_POLICY,
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.usefixtures("ids")
def test_unchanged_feed_returns_304_with_the_same_validators(app: Flask) -> None:
    for path in FEED_PATHS:
        whole = fetch(app, path)
        for tag in (whole.headers["ETag"], f"W/{whole.headers['ETag']}", f'"x", {whole.headers["ETag"]}', "*"):
            same = fetch(app, path, If_None_Match=tag)
            assert (same.status_code, same.data, get_validators(same)) == (304, b"", get_validators(whole))
        assert fetch(app, path, If_None_Match='"else"').status_code == 200


@pytest.mark.usefixtures("ids")
def test_each_encoding_has_its_own_etag_and_the_same_content(app: Flask) -> None:
    plain = fetch(app, "/calendar.ics")
    for coding in ("br", "zstd", "gzip"):
        packed = fetch(app, "/calendar.ics", Accept_Encoding=coding)
        assert packed.headers["Content-Encoding"] == coding
        assert DECODERS[coding](packed.data) == plain.data
        assert packed.headers["Last-Modified"] == plain.headers["Last-Modified"]
        statuses = {
            tag: fetch(app, "/calendar.ics", Accept_Encoding=coding, If_None_Match=tag).status_code
            for tag in (packed.headers["ETag"], plain.headers["ETag"])
        }
        assert statuses == {packed.headers["ETag"]: 304, plain.headers["ETag"]: 200}


@pytest.mark.usefixtures("ids")
def test_head_returns_the_headers_of_get_without_the_body(app: Flask) -> None:
    for path in FEED_PATHS:
        whole, head = fetch(app, path), fetch(app, path, method="HEAD")
        assert (head.status_code, dict(head.headers), head.data) == (200, dict(whole.headers), b"")


@pytest.mark.usefixtures("ids")
def test_response_does_not_depend_on_credentials_and_sets_no_cookie(app: Flask) -> None:
    plain = fetch(app, "/calendar.ics")
    asked = fetch(app, "/calendar.ics", Cookie="session=x", Authorization="Bearer nonsense", Host="evil.example")
    assert (asked.status_code, asked.data, dict(asked.headers)) == (200, plain.data, dict(plain.headers))
    assert "Set-Cookie" not in plain.headers


def test_last_modified_only_increases(app: Flask, ids: dict[str, str], clock: FixedClock) -> None:
    def date() -> datetime:
        clock.tick(60)
        return parsedate_to_datetime(fetch(app, "/calendar.ics").headers["Last-Modified"])

    dates = [date()]
    set_title(app, Talk, "scheduled", title="Else")
    dates.append(date())
    with write_session(app) as session:
        cancel_event(session, load_event(session, ids["summit"]), now=clock.now())
    dates.append(date())
    # The tombstones of the most recent changes leave the calendar.
    clock.set_time(datetime(2026, 9, 1, 12, tzinfo=UTC))
    assert fetch_titles(app, "/calendar.ics") == []
    dates.append(date())
    assert dates == sorted(set(dates))
    assert max(dates) < clock.now()


@pytest.mark.usefixtures("ids")
def test_if_modified_since_returns_200_after_a_change(app: Flask, clock: FixedClock) -> None:
    clock.tick(60)
    known = fetch(app, "/calendar.ics").headers["Last-Modified"]
    assert fetch(app, "/calendar.ics", If_Modified_Since=known).status_code == 304
    set_title(app, Talk, "scheduled", title="Else")
    clock.tick(60)
    assert fetch(app, "/calendar.ics", If_Modified_Since=known).status_code == 200


@pytest.mark.usefixtures("ids")
def test_midnight_moves_the_window_without_a_data_change(app: Flask, clock: FixedClock) -> None:
    clock.set_time(datetime(2026, 7, 12, 23, 59, 59, tzinfo=UTC))
    before = fetch(app, "/calendar.ics")
    assert fetch_titles(app, "/calendar.ics") == ["Xen Summit"]
    clock.tick(1)
    after = fetch(app, "/calendar.ics", If_None_Match=before.headers["ETag"])
    assert (after.status_code, parse_ics(after.data).events()) == (200, [])
    assert fetch(app, "/calendar.ics", If_Modified_Since=before.headers["Last-Modified"]).status_code == 200


def test_event_leaves_the_open_calls_feed_when_its_call_closes(app: Flask, clock: FixedClock) -> None:
    with write_session(app) as session:
        make_event(session, call={"closes": "2026-03-01T13:30:00"})
    open_calls = "/calendar.ics?cfp=open"
    before = fetch(app, open_calls)
    assert fetch_titles(app, open_calls) == ["Xen Summit"]
    assert "Last-Modified" not in before.headers
    clock.tick(1801)
    assert fetch_titles(app, open_calls) == []
    assert fetch(app, open_calls, If_None_Match=before.headers["ETag"]).status_code == 200


@pytest.mark.usefixtures("ids")
def test_two_workers_send_identical_responses(app: Flask, database_url: str, clock: FixedClock) -> None:
    with create_test_app(database_url, clock) as other:
        for path in FEED_PATHS:
            one, two = fetch(app, path), fetch(other, path)
            assert (one.data, dict(one.headers)) == (two.data, dict(two.headers))


# SQL statements


def fetch_and_count_selects(app: Flask, path: str, **headers: str) -> tuple[int, int]:
    """Return the status of a response and the number of SELECT statements it took."""
    with record_statements(database_of(app)) as seen:
        answer = fetch(app, path, **headers)
    return answer.status_code, sum(statement.startswith("SELECT") for statement in seen)


@pytest.mark.usefixtures("ids")
def test_unchanged_feed_takes_one_statement_and_changed_feed_at_most_three(app: Flask) -> None:
    for path in FEED_PATHS:
        status, first = fetch_and_count_selects(app, path)
        assert (status, first <= 3) == (200, True)
        assert fetch_and_count_selects(app, path) == (200, 1)
        tag = fetch(app, path, Accept_Encoding="br").headers["ETag"]
        assert fetch_and_count_selects(app, path, Accept_Encoding="br", If_None_Match=tag) == (304, 1)
        # The first change updates the cached feed; the second requires a full rebuild.
        for table, key in ((Talk, "scheduled"), (Event, get_row(app, Event, slug="summit").id)):
            set_title(app, table, key, title=f"Else, for {path}")
            _, changed = fetch_and_count_selects(app, path)
            assert (path, changed <= 3) == (path, True)
            assert fetch_and_count_selects(app, path) == (200, 1)


def test_feed_unaffected_by_a_change_returns_304_and_then_takes_one_statement(app: Flask, ids: dict[str, str]) -> None:
    tag = fetch(app, "/events/old.ics").headers["ETag"]
    calendar_tag = fetch(app, "/calendar.ics").headers["ETag"]
    set_title(app, Event, ids["old"], title="Older")
    status, changed = fetch_and_count_selects(app, "/calendar.ics", If_None_Match=calendar_tag)
    assert (status, changed <= 3) == (304, True)
    assert fetch_and_count_selects(app, "/calendar.ics", If_None_Match=calendar_tag) == (304, 1)
    assert fetch_and_count_selects(app, "/calendar.ics", If_None_Match='"else"') == (200, 1)
    assert fetch_and_count_selects(app, "/calendar.ics", If_None_Match=calendar_tag) == (304, 1)
    assert fetch(app, "/events/old.ics", If_None_Match=tag).status_code == 200


@pytest.mark.usefixtures("ids")
def test_unchanged_body_is_not_compressed_again(app: Flask) -> None:
    path = "/events/old.ics"
    cache = services_of(app).responses

    def kept() -> Representation:
        found = cache.get(ResponseKey.build(f"{path}?", load_feed_state(app), NOON))
        assert found is not None
        return found.representation

    before = fetch(app, path, Accept_Encoding="br")
    packed = kept().encoded_body("br")
    set_title(app, Talk, "scheduled", title="Else")
    after = fetch(app, path, Accept_Encoding="br")
    assert (before.data, before.headers["ETag"]) == (after.data, after.headers["ETag"])
    assert kept().encoded_body("br") is packed
    # The body is the same, but the public data changed; Last-Modified may increase.
    assert before.headers["Last-Modified"] <= after.headers["Last-Modified"]


def test_number_of_statements_does_not_depend_on_the_number_of_talks(app: Flask, ids: dict[str, str]) -> None:
    def cost() -> tuple[int, int]:
        with write_session(app) as session:
            make_sponsor(session)
            session.get_one(Event, ids["old"]).title += "!"
        return fetch_and_count_selects(app, "/events/summit.ics")

    one = cost()
    assert one[1] <= 3
    with write_session(app) as session:
        summit = load_event(session, ids["summit"])
        for number in range(20):
            make_talk(session, summit, state=TalkState.CONFIRMED, starts=f"2026-06-11T10:{number + 10}:00")
    assert cost() == one
