"""How feeds are served to programs that fetch them again and again, and what that costs."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from flask import Flask

from eventcal.events.models import Event
from eventcal.events.steps import cancel_event
from eventcal.feeds.index.models import read_state
from eventcal.talks.models import Talk
from eventcal.talks.words import TalkState
from eventcal.web.cache import RenditionKey
from eventcal.web.http.representation import Rendition
from tests.api import row
from tests.clocks import NOON, FixedClock
from tests.feed_support.fetching import FEEDS, fetch, make_calendar, rename, titles, validators
from tests.feed_support.icslint import parse
from tests.feed_support.make_feeds import whole_event
from tests.http_app import database_of, house_of, running, writing
from tests.make import make_event, make_sponsor, make_talk
from tests.served import DECODE
from tests.statements import statements


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    return make_calendar(app)


@pytest.mark.usefixtures("ids")
def test_an_answer_says_how_long_it_may_be_kept_and_by_whom(app: Flask, clock: FixedClock) -> None:
    clock.tick(60)
    answer = fetch(app, "/events/summit.ics")
    headers = dict(answer.headers)
    assert headers.pop("ETag").strip('"').isalnum()
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
    }


@pytest.mark.usefixtures("ids")
def test_who_has_the_bytes_is_told_so_with_the_same_validators(app: Flask) -> None:
    for path in FEEDS:
        whole = fetch(app, path)
        for tag in (whole.headers["ETag"], f"W/{whole.headers['ETag']}", f'"x", {whole.headers["ETag"]}', "*"):
            same = fetch(app, path, If_None_Match=tag)
            assert (same.status_code, same.data, validators(same)) == (304, b"", validators(whole))
        assert fetch(app, path, If_None_Match='"else"').status_code == 200


@pytest.mark.usefixtures("ids")
def test_each_encoding_has_a_tag_of_its_own_and_the_same_bytes_inside(app: Flask) -> None:
    plain = fetch(app, "/calendar.ics")
    for coding in ("br", "zstd", "gzip"):
        packed = fetch(app, "/calendar.ics", Accept_Encoding=coding)
        assert packed.headers["Content-Encoding"] == coding
        assert DECODE[coding](packed.data) == plain.data
        assert packed.headers["Last-Modified"] == plain.headers["Last-Modified"]
        statuses = {
            tag: fetch(app, "/calendar.ics", Accept_Encoding=coding, If_None_Match=tag).status_code
            for tag in (packed.headers["ETag"], plain.headers["ETag"])
        }
        assert statuses == {packed.headers["ETag"]: 304, plain.headers["ETag"]: 200}


@pytest.mark.usefixtures("ids")
def test_head_is_get_without_the_bytes(app: Flask) -> None:
    for path in FEEDS:
        whole, head = fetch(app, path), fetch(app, path, method="HEAD")
        assert (head.status_code, dict(head.headers), head.data) == (200, dict(whole.headers), b"")


@pytest.mark.usefixtures("ids")
def test_who_asks_makes_no_difference_and_gets_no_cookie(app: Flask) -> None:
    plain = fetch(app, "/calendar.ics")
    asked = fetch(app, "/calendar.ics", Cookie="session=x", Authorization="Bearer nonsense", Host="evil.example")
    assert (asked.status_code, asked.data, dict(asked.headers)) == (200, plain.data, dict(plain.headers))
    assert "Set-Cookie" not in plain.headers


def test_the_date_of_last_change_only_rises(app: Flask, ids: dict[str, str], clock: FixedClock) -> None:
    def date() -> datetime:
        clock.tick(60)
        return parsedate_to_datetime(fetch(app, "/calendar.ics").headers["Last-Modified"])

    dates = [date()]
    rename(app, Talk, "scheduled", "Else")
    dates.append(date())
    with writing(app) as session:
        cancel_event(session, whole_event(session, ids["summit"]), now=clock.now())
    dates.append(date())
    # The tombstones of what has just changed last leave the calendar.
    clock.move(datetime(2026, 9, 1, 12, tzinfo=UTC))
    assert titles(app, "/calendar.ics") == []
    dates.append(date())
    assert dates == sorted(set(dates))
    assert max(dates) < clock.now()


@pytest.mark.usefixtures("ids")
def test_a_date_tells_what_changed_since(app: Flask, clock: FixedClock) -> None:
    clock.tick(60)
    known = fetch(app, "/calendar.ics").headers["Last-Modified"]
    assert fetch(app, "/calendar.ics", If_Modified_Since=known).status_code == 304
    rename(app, Talk, "scheduled", "Else")
    clock.tick(60)
    assert fetch(app, "/calendar.ics", If_Modified_Since=known).status_code == 200


@pytest.mark.usefixtures("ids")
def test_midnight_moves_the_window_without_any_change(app: Flask, clock: FixedClock) -> None:
    clock.move(datetime(2026, 7, 12, 23, 59, 59, tzinfo=UTC))
    before = fetch(app, "/calendar.ics")
    assert titles(app, "/calendar.ics") == ["Xen Summit"]
    clock.tick(1)
    after = fetch(app, "/calendar.ics", If_None_Match=before.headers["ETag"])
    assert (after.status_code, parse(after.data).events()) == (200, [])
    assert fetch(app, "/calendar.ics", If_Modified_Since=before.headers["Last-Modified"]).status_code == 200


def test_a_call_that_closes_leaves_the_feed_at_that_moment(app: Flask, clock: FixedClock) -> None:
    with writing(app) as session:
        make_event(session, call={"closes": "2026-03-01T13:30:00"})
    open_calls = "/calendar.ics?cfp=open"
    before = fetch(app, open_calls)
    assert titles(app, open_calls) == ["Xen Summit"]
    assert "Last-Modified" not in before.headers
    clock.tick(1801)
    assert titles(app, open_calls) == []
    assert fetch(app, open_calls, If_None_Match=before.headers["ETag"]).status_code == 200


@pytest.mark.usefixtures("ids")
def test_two_workers_answer_alike(app: Flask, database_url: str, clock: FixedClock) -> None:
    with running(database_url, clock) as other:
        for path in FEEDS:
            one, two = fetch(app, path), fetch(other, path)
            assert (one.data, dict(one.headers)) == (two.data, dict(two.headers))


# What it costs


def asked(app: Flask, path: str, **headers: str) -> tuple[int, int]:
    """Return the status of an answer, and how many statements it took."""
    with statements(database_of(app)) as seen:
        answer = fetch(app, path, **headers)
    return answer.status_code, sum(statement.startswith("SELECT") for statement in seen)


@pytest.mark.usefixtures("ids")
def test_an_unchanged_feed_costs_one_statement_and_a_changed_one_three_at_most(app: Flask) -> None:
    for path in FEEDS:
        status, first = asked(app, path)
        assert (status, first <= 3) == (200, True)
        assert asked(app, path) == (200, 1)
        tag = fetch(app, path, Accept_Encoding="br").headers["ETag"]
        assert asked(app, path, Accept_Encoding="br", If_None_Match=tag) == (304, 1)
        # A change that is made on from the feed before, and one after which it is read whole.
        for table, key in ((Talk, "scheduled"), (Event, row(app, Event, slug="summit").id)):
            rename(app, table, key, f"Else, for {path}")
            _, changed = asked(app, path)
            assert (path, changed <= 3) == (path, True)
            assert asked(app, path) == (200, 1)


def test_who_has_a_feed_that_did_not_change_is_told_so_and_the_next_one_asks_once(
    app: Flask, ids: dict[str, str]
) -> None:
    tag = fetch(app, "/events/old.ics").headers["ETag"]
    calendar_tag = fetch(app, "/calendar.ics").headers["ETag"]
    rename(app, Event, ids["old"], "Older")
    status, changed = asked(app, "/calendar.ics", If_None_Match=calendar_tag)
    assert (status, changed <= 3) == (304, True)
    assert asked(app, "/calendar.ics", If_None_Match=calendar_tag) == (304, 1)
    assert asked(app, "/calendar.ics", If_None_Match='"else"') == (200, 1)
    assert asked(app, "/calendar.ics", If_None_Match=calendar_tag) == (304, 1)
    assert fetch(app, "/events/old.ics", If_None_Match=tag).status_code == 200


@pytest.mark.usefixtures("ids")
def test_where_the_bytes_stayed_the_same_they_are_not_packed_again(app: Flask) -> None:
    path = "/events/old.ics"
    cache = house_of(app).renditions

    def kept() -> Rendition:
        revision = database_revision(app)
        found = cache.get(RenditionKey(f"{path}?", revision, NOON.date()))
        assert found is not None
        return found

    before = fetch(app, path, Accept_Encoding="br")
    packed = kept().encoded("br")
    rename(app, Talk, "scheduled", "Else")
    after = fetch(app, path, Accept_Encoding="br")
    assert (before.data, before.headers["ETag"]) == (after.data, after.headers["ETag"])
    assert kept().encoded("br") is packed
    # The same bytes, but the public data changed: a date cannot say of what.
    assert before.headers["Last-Modified"] <= after.headers["Last-Modified"]


def database_revision(app: Flask) -> int:
    with database_of(app).connection() as connection:
        return read_state(connection).revision


def test_a_feed_asks_as_much_for_many_talks_as_for_one(app: Flask, ids: dict[str, str]) -> None:
    def cost() -> tuple[int, int]:
        with writing(app) as session:
            make_sponsor(session)
            session.get_one(Event, ids["old"]).title += "!"
        return asked(app, "/events/summit.ics")

    one = cost()
    assert one[1] <= 3
    with writing(app) as session:
        summit = whole_event(session, ids["summit"])
        for number in range(20):
            make_talk(session, summit, state=TalkState.CONFIRMED, starts=f"2026-06-11T10:{number + 10}:00")
    assert cost() == one
