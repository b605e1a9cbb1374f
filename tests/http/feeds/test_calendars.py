"""The .ics feeds over HTTP: what each holds, what stands above it, and what is refused."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from eventcal.events.steps import cancel_event
from eventcal.speakers.models import Speaker
from eventcal.talks.removal import merge_speakers
from tests.clocks import NOON, FixedClock
from tests.feed_support.fetching import FEEDS, fetch, make_calendar, read, set_deadline, titles
from tests.feed_support.make_feeds import whole_event
from tests.http_app import pointers, problem, writing
from tests.make import MODERATOR, make_event, make_speaker

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    return make_calendar(app)


# What each holds


@pytest.mark.usefixtures("ids")
def test_the_calendar_has_what_is_public_and_has_its_time_within_its_window(app: Flask) -> None:
    assert titles(app, "/calendar.ics") == ["Scheduled", "Xen Summit"]
    assert titles(app, "/calendar.ics?from=2024-01-01") == ["Given", "Long ago", "Scheduled", "Xen Summit"]
    assert titles(app, "/calendar.ics?to=2025-12-31") == ["Given", "Long ago"]


@pytest.mark.usefixtures("ids")
def test_an_events_feed_is_whole_whenever_it_was(app: Flask) -> None:
    assert titles(app, "/events/old.ics") == ["Given", "Long ago"]
    assert titles(app, "/events/summit.ics") == ["Scheduled", "Xen Summit"]
    assert titles(app, "/events/summit.ics?scheduled=false") == ["Waiting"]


@pytest.mark.usefixtures("ids")
def test_a_talks_feed_has_it_with_or_without_a_time(app: Flask) -> None:
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


@pytest.mark.usefixtures("ids")
def test_a_speakers_feed_has_all_their_talks(app: Flask) -> None:
    assert titles(app, "/speakers/grace.ics") == ["Given", "Scheduled", "Waiting"]
    assert titles(app, "/speakers/grace.ics?scheduled=true") == ["Given", "Scheduled"]


def test_the_feed_of_somebody_who_was_merged_is_the_feed_of_who_stayed(app: Flask, ids: dict[str, str]) -> None:
    with writing(app) as session:
        known = make_speaker(session, slug="amazing-grace", name="Amazing Grace")
        grace = session.get_one(Speaker, ids["grace"])
        merge_speakers(session, known, grace, caller=MODERATOR, now=NOON)
    assert fetch(app, "/speakers/grace.ics").data == fetch(app, "/speakers/amazing-grace.ics").data
    assert titles(app, "/speakers/grace.ics") == ["Given", "Scheduled", "Waiting"]


def test_the_deadlines_have_a_feed_of_their_own_whenever_they_are(
    app: Flask, ids: dict[str, str], clock: FixedClock
) -> None:
    set_deadline(app, ids)
    closes = "Call for talks closes: Xen Summit"
    assert titles(app, "/deadlines.ics") == [closes]
    clock.move(datetime(2030, 1, 1, tzinfo=UTC))
    wanted = {
        "": [closes],
        # Every event, and not only those of the window that the calendar has.
        "include=events": ["Long ago", "Xen Summit"],
        "event=summit&tag=xen": [closes],
        "event=old": [],
        "scheduled=false": [],
        "to=2026-04-30": [],
    }
    assert {query: titles(app, f"/deadlines.ics?{query}") for query in wanted} == wanted


def test_an_events_feed_can_hold_its_deadlines_and_a_talks_cannot(app: Flask, ids: dict[str, str]) -> None:
    set_deadline(app, ids)
    everything = "include=events,talks,deadlines"
    assert titles(app, f"/events/summit.ics?{everything}") == [
        *("Call for talks closes: Xen Summit", "Scheduled", "Xen Summit")
    ]
    assert titles(app, f"/talks/scheduled.ics?{everything}") == ["Scheduled"]
    assert titles(app, f"/speakers/grace.ics?{everything}") == ["Given", "Scheduled", "Waiting"]


def test_the_filters_of_the_lists_are_the_filters_of_feeds(app: Flask, ids: dict[str, str]) -> None:
    set_deadline(app, ids)
    wanted = {
        "include=events": ["Xen Summit"],
        "include=talks": ["Scheduled"],
        "include=talks,events": ["Scheduled", "Xen Summit"],
        "include=deadlines": ["Call for talks closes: Xen Summit"],
        "include=deadlines&from=2026-05-02": [],
        "include=events,talks,deadlines": ["Call for talks closes: Xen Summit", "Scheduled", "Xen Summit"],
        "tag=xen": ["Xen Summit"],
        "city=Berlin&include=talks": ["Scheduled"],
        "city=Bonn": [],
        "speaker=grace": ["Scheduled"],
        "q=sched": ["Scheduled"],
        "scheduled=false": ["Waiting"],
        "event=old": [],
    }
    assert {query: titles(app, f"/calendar.ics?{query}") for query in wanted} == wanted


@pytest.mark.usefixtures("ids")
def test_of_other_events_and_speakers_a_feed_has_nothing(app: Flask) -> None:
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


@pytest.mark.usefixtures("ids")
def test_times_can_be_had_in_utc(app: Flask) -> None:
    feed = read(app, "/talks/scheduled.ics?tz=utc")
    assert (feed.zones(), feed.events()[0].value("DTSTART")) == ([], "20260610T113000Z")


# What stands above the entries


@pytest.mark.usefixtures("ids")
def test_a_feed_says_what_it_is_and_where_it_is_found(app: Flask) -> None:
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
        "/deadlines.ics": ["eventcal: calls for talks", "UTC", f"{BASE}/", f"{BASE}/deadlines.ics"],
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


# Refusals


@pytest.mark.usefixtures("ids")
def test_what_a_feed_does_not_know_is_refused_by_name(app: Flask) -> None:
    wrong = {"colour": "red", "from": "yesterday", "tag": "", "limit": "5", "tz": "cet", "cancelled": "no"}
    for path in FEEDS:
        for name, value in wrong.items():
            answer = fetch(app, f"{path}?{name}={value}")
            assert (path, problem(answer)[0], pointers(answer)) == (path, 422, [name])


@pytest.mark.usefixtures("ids")
def test_what_nobody_may_know_of_is_not_there(app: Flask) -> None:
    paths = (
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
    )
    assert {path: problem(fetch(app, path))[0] for path in paths} == dict.fromkeys(paths, 404)


def test_a_feed_is_only_read(app: Flask) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = fetch(app, "/calendar.ics", method=method)
        allowed = set(answer.headers["Allow"].replace(" ", "").split(","))
        assert (answer.status_code, allowed & {"GET", "HEAD", method}) == (405, {"GET", "HEAD"})
