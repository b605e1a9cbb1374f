"""The .ics feeds over HTTP: what each holds, and how it is served to programs that fetch it again and again."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import brotli  # type: ignore[import-untyped]  # carries no types
import pytest
import zstandard
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.events.models import Event
from eventcal.events.service import cancel_event
from eventcal.events.words import EventStatus
from eventcal.speakers.models import Speaker
from eventcal.talks.merge import merge_speakers
from eventcal.talks.models import Talk
from eventcal.talks.words import TalkState
from tests.clocks import NOON, FixedClock
from tests.http_app import database_of, problem, running, writing
from tests.icslint import Component, faults, parse
from tests.make import MODERATOR, make_event, make_speaker, make_sponsor, make_talk
from tests.make_feeds import whole_event
from tests.statements import statements

BASE = "http://127.0.0.1:8000"
A_DAY = timedelta(days=1)
DECODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}
FEEDS = ("/calendar.ics", "/events/summit.ics", "/talks/scheduled.ics", "/speakers/grace.ics")


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    """Make a summit in June with a talk that has its time, one that waits, a draft; and an event of two years ago."""
    with writing(app) as session:
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


def fetch(app: Flask, path: str, *, method: str = "GET", **headers: str) -> TestResponse:
    """Fetch as a program does that knows no cookies."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client(use_cookies=False).open(path, method=method, headers=given)


def read(app: Flask, path: str) -> Component:
    """Return a feed that has no faults."""
    answer = fetch(app, path)
    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8"), answer.text
    assert faults(answer.data) == []
    return parse(answer.data)


def titles(app: Flask, path: str) -> list[str]:
    return sorted(entry.text("SUMMARY") for entry in read(app, path).events())


def validators(answer: TestResponse) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in ("ETag", "Last-Modified", "Cache-Control", "Vary")}


def rename(app: Flask, table: Any, key: str, title: str) -> None:  # noqa: ANN401 - any table
    with writing(app) as session:
        session.get_one(table, key).title = title


# What each holds


def test_the_calendar_has_what_is_public_and_has_its_time_within_its_window(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    assert titles(app, "/calendar.ics") == ["Scheduled", "Xen Summit"]
    assert titles(app, "/calendar.ics?from=2024-01-01") == ["Given", "Long ago", "Scheduled", "Xen Summit"]
    assert titles(app, "/calendar.ics?to=2025-12-31") == ["Given", "Long ago"]


def test_an_events_feed_is_whole_whenever_it_was(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    assert titles(app, "/events/old.ics") == ["Given", "Long ago"]
    assert titles(app, "/events/summit.ics") == ["Scheduled", "Xen Summit"]
    assert titles(app, "/events/summit.ics?scheduled=false") == ["Waiting"]


def test_a_talks_feed_has_it_with_or_without_a_time(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    assert titles(app, "/talks/scheduled.ics") == ["Scheduled"]
    (entry,) = read(app, "/talks/waiting.ics").events()
    said = {name: entry.value(name) for name in ("SUMMARY", "DTSTART", "DTEND", "STATUS", "TRANSP")}
    assert said == {
        "SUMMARY": "Waiting",
        "DTSTART": "20260610",
        "DTEND": "20260613",
        "STATUS": "TENTATIVE",
        "TRANSP": "TRANSPARENT",
    }


def test_a_speakers_feed_has_all_their_talks(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    assert titles(app, "/speakers/grace.ics") == ["Given", "Scheduled", "Waiting"]
    assert titles(app, "/speakers/grace.ics?scheduled=true") == ["Given", "Scheduled"]


def test_the_feed_of_somebody_who_was_merged_is_the_feed_of_who_stayed(app: Flask, ids: dict[str, str]) -> None:
    with writing(app) as session:
        known = make_speaker(session, slug="amazing-grace", name="Amazing Grace")
        grace = session.get_one(Speaker, ids["grace"])
        merge_speakers(session, known, grace, caller=MODERATOR, now=NOON)
    assert fetch(app, "/speakers/grace.ics").data == fetch(app, "/speakers/amazing-grace.ics").data
    assert titles(app, "/speakers/grace.ics") == ["Given", "Scheduled", "Waiting"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("include=events", ["Xen Summit"]),
        ("include=talks", ["Scheduled"]),
        ("include=talks,events", ["Scheduled", "Xen Summit"]),
        ("include=deadlines", []),
        ("tag=xen", ["Xen Summit"]),
        ("city=Berlin&include=talks", ["Scheduled"]),
        ("city=Bonn", []),
        ("speaker=grace", ["Scheduled"]),
        ("q=sched", ["Scheduled"]),
        ("scheduled=false", ["Waiting"]),
        ("event=old", []),
    ],
)
def test_the_filters_of_the_lists_are_the_filters_of_feeds(
    app: Flask, ids: dict[str, str], query: str, found: list[str]
) -> None:
    assert ids
    assert titles(app, f"/calendar.ics?{query}") == found


def test_of_other_events_and_speakers_a_feed_has_nothing(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    assert titles(app, "/events/summit.ics?event=old") == []
    assert titles(app, "/events/summit.ics?event=old,summit") == ["Scheduled", "Xen Summit"]
    assert titles(app, "/speakers/grace.ics?speaker=ada") == []


def test_what_was_called_off_can_be_hidden_or_marked(app: Flask, ids: dict[str, str]) -> None:
    with writing(app) as session:
        cancel_event(session, whole_event(session, ids["summit"]), now=NOON)
    statuses = {
        query: sorted(entry.value("STATUS") for entry in read(app, f"/calendar.ics{query}").events())
        for query in ("", "?cancelled=keep", "?cancelled=hide", "?cancelled=mark")
    }
    assert statuses == {
        "": ["CANCELLED", "CANCELLED"],
        "?cancelled=keep": ["CANCELLED", "CANCELLED"],
        "?cancelled=hide": [],
        "?cancelled=mark": ["CONFIRMED", "CONFIRMED"],
    }


def test_times_can_be_had_in_utc(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    feed = read(app, "/talks/scheduled.ics?tz=utc")
    assert (feed.zones(), feed.events()[0].value("DTSTART")) == ([], "20260610T113000Z")


# What stands above the entries


def test_a_feed_says_what_it_is_and_where_it_is_found(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    said = {path: read(app, path) for path in (*FEEDS, "/calendar.ics?tag=xen&city=Berlin")}
    names = ("NAME", "X-WR-TIMEZONE", "URL", "SOURCE")
    assert {path: [feed.text(name) for name in names] for path, feed in said.items()} == {
        "/calendar.ics": ["eventcal", "UTC", f"{BASE}/", f"{BASE}/calendar.ics"],
        "/events/summit.ics": ["Xen Summit", "Europe/Berlin", f"{BASE}/events/summit", f"{BASE}/events/summit.ics"],
        "/talks/scheduled.ics": [
            "Scheduled",
            "Europe/Berlin",
            f"{BASE}/talks/scheduled",
            f"{BASE}/talks/scheduled.ics",
        ],
        "/speakers/grace.ics": ["Grace Hopper", "UTC", f"{BASE}/speakers/grace", f"{BASE}/speakers/grace.ics"],
        "/calendar.ics?tag=xen&city=Berlin": [
            "eventcal",
            "UTC",
            f"{BASE}/",
            f"{BASE}/calendar.ics?city=Berlin&tag=xen",
        ],
    }
    assert len({feed.text("UID") for feed in said.values()}) == len(said)


def test_an_events_summary_is_plain_text_above_its_feed(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="plain", summary="All of **Xen**,\nhere")
    assert read(app, "/events/plain.ics").text("X-WR-CALDESC") == "All of Xen, here"


# How a feed is served


def test_an_answer_says_how_long_it_may_be_kept_and_by_whom(app: Flask, ids: dict[str, str], clock: FixedClock) -> None:
    assert ids
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


@pytest.mark.parametrize("path", FEEDS)
def test_who_has_the_bytes_is_told_so_with_the_same_validators(app: Flask, ids: dict[str, str], path: str) -> None:
    assert ids
    whole = fetch(app, path)
    for tag in (whole.headers["ETag"], f"W/{whole.headers['ETag']}", f'"x", {whole.headers["ETag"]}', "*"):
        same = fetch(app, path, If_None_Match=tag)
        assert (same.status_code, same.data, validators(same)) == (304, b"", validators(whole))
    assert fetch(app, path, If_None_Match='"else"').status_code == 200


@pytest.mark.parametrize("coding", sorted(DECODE))
def test_each_encoding_has_a_tag_of_its_own_and_the_same_bytes_inside(
    app: Flask, ids: dict[str, str], coding: str
) -> None:
    assert ids
    plain, packed = fetch(app, "/calendar.ics"), fetch(app, "/calendar.ics", Accept_Encoding=coding)
    assert packed.headers["Content-Encoding"] == coding
    assert DECODE[coding](packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Last-Modified"] == plain.headers["Last-Modified"]
    assert fetch(app, "/calendar.ics", Accept_Encoding=coding, If_None_Match=packed.headers["ETag"]).status_code == 304
    assert fetch(app, "/calendar.ics", Accept_Encoding=coding, If_None_Match=plain.headers["ETag"]).status_code == 200


@pytest.mark.parametrize("path", FEEDS)
def test_head_is_get_without_the_bytes(app: Flask, ids: dict[str, str], path: str) -> None:
    assert ids
    whole, head = fetch(app, path), fetch(app, path, method="HEAD")
    assert (head.status_code, dict(head.headers), head.data) == (200, dict(whole.headers), b"")


def test_who_asks_makes_no_difference_and_gets_no_cookie(app: Flask, ids: dict[str, str]) -> None:
    assert ids
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


def test_a_date_tells_what_changed_since(app: Flask, ids: dict[str, str], clock: FixedClock) -> None:
    assert ids
    clock.tick(60)
    known = fetch(app, "/calendar.ics").headers["Last-Modified"]
    assert fetch(app, "/calendar.ics", If_Modified_Since=known).status_code == 304
    rename(app, Talk, "scheduled", "Else")
    clock.tick(60)
    assert fetch(app, "/calendar.ics", If_Modified_Since=known).status_code == 200


def test_midnight_moves_the_window_without_any_change(app: Flask, ids: dict[str, str], clock: FixedClock) -> None:
    assert ids
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


def test_two_workers_answer_alike(app: Flask, database_url: str, clock: FixedClock, ids: dict[str, str]) -> None:
    assert ids
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


def test_an_unchanged_feed_costs_one_statement_and_a_changed_one_three(app: Flask, ids: dict[str, str]) -> None:
    assert ids
    assert asked(app, "/calendar.ics") == (200, 3)
    assert asked(app, "/calendar.ics") == (200, 1)
    tag = fetch(app, "/calendar.ics", Accept_Encoding="br").headers["ETag"]
    assert asked(app, "/calendar.ics", Accept_Encoding="br", If_None_Match=tag) == (304, 1)
    rename(app, Talk, "scheduled", "Else")
    assert asked(app, "/calendar.ics", Accept_Encoding="br", If_None_Match=tag) == (200, 3)
    assert asked(app, "/calendar.ics") == (200, 1)


def test_where_something_else_changed_nobody_reads_entries_and_the_next_one_asks_once(
    app: Flask, ids: dict[str, str]
) -> None:
    tag = fetch(app, "/events/old.ics").headers["ETag"]
    calendar_tag = fetch(app, "/calendar.ics").headers["ETag"]
    rename(app, Event, ids["old"], "Older")
    assert asked(app, "/calendar.ics", If_None_Match=calendar_tag) == (304, 2)
    assert asked(app, "/calendar.ics", If_None_Match=calendar_tag) == (304, 1)
    assert asked(app, "/calendar.ics", If_None_Match='"else"') == (200, 3)
    assert asked(app, "/calendar.ics", If_None_Match=calendar_tag) == (304, 1)
    assert fetch(app, "/events/old.ics", If_None_Match=tag).status_code == 200


def test_a_feed_asks_as_much_for_many_talks_as_for_one(app: Flask, ids: dict[str, str]) -> None:
    def cost() -> tuple[int, int]:
        with writing(app) as session:
            make_sponsor(session)
            session.get_one(Event, ids["old"]).title += "!"
        return asked(app, "/events/summit.ics")

    one = cost()
    with writing(app) as session:
        summit = whole_event(session, ids["summit"])
        for number in range(20):
            make_talk(session, summit, state=TalkState.CONFIRMED, starts=f"2026-06-11T10:{number + 10}:00")
    assert cost() == one


# Refusals


@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize(
    ("query", "parameter"),
    [("colour=red", "colour"), ("from=yesterday", "from"), ("tag=", "tag"), ("limit=5", "limit"), ("tz=cet", "tz")],
)
def test_what_a_feed_does_not_know_is_refused_by_name(
    app: Flask, ids: dict[str, str], path: str, query: str, parameter: str
) -> None:
    assert ids
    answer = fetch(app, f"{path}?{query}")
    assert problem(answer)[0] == 422
    assert answer.json is not None
    assert [fault["parameter"] for fault in answer.json["errors"]] == [parameter]


@pytest.mark.parametrize(
    "path",
    [
        "/events/nothing.ics",
        "/events/pending.ics",
        "/events/%00.ics",
        "/events/a%2Fb.ics",
        "/events/%F0%9F%98%80.ics",
        "/talks/nothing.ics",
        "/talks/draft.ics",
        "/talks/%FF.ics",
        "/speakers/nobody.ics",
        "/speakers/ada.ics",
        "/feeds/nothing.ics",
        "/feeds/%00.ics",
    ],
)
def test_what_nobody_may_know_of_is_not_there(app: Flask, ids: dict[str, str], path: str) -> None:
    assert ids
    assert problem(fetch(app, path)) == (404, "not-found") or problem(fetch(app, path))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_feed_is_only_read(app: Flask, method: str) -> None:
    answer = fetch(app, "/calendar.ics", method=method)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "HEAD"}
