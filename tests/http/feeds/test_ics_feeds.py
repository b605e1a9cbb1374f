"""iCalendar feeds over HTTP: their entries, calendar properties and error responses."""

from datetime import UTC, datetime

import icalendar
import pytest
from flask import Flask

from eventcal.events.state_changes import cancel_event
from eventcal.speakers.models import Speaker
from eventcal.talks.delete_and_merge_referenced import merge_speakers
from tests.clocks import NOON, FixedClock
from tests.factories import MODERATOR_CALLER, make_event, make_speaker
from tests.feed_support.feed_calendar import load_event
from tests.feed_support.feed_client import FEED_PATHS, create_calendar, fetch, fetch_feed, fetch_titles, set_deadline
from tests.http_app import error_pointers, status_and_code, write_session

BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    return create_calendar(app)


# Entries


@pytest.mark.usefixtures("ids")
def test_calendar_contains_public_entries_within_its_window(app: Flask) -> None:
    assert fetch_titles(app, "/calendar.ics") == ["Scheduled", "Xen Summit"]
    assert fetch_titles(app, "/calendar.ics?from=2024-01-01") == ["Given", "Long ago", "Scheduled", "Xen Summit"]
    assert fetch_titles(app, "/calendar.ics?to=2025-12-31") == ["Given", "Long ago"]


@pytest.mark.usefixtures("ids")
def test_event_feed_has_no_date_window(app: Flask) -> None:
    assert fetch_titles(app, "/events/old.ics") == ["Given", "Long ago"]
    assert fetch_titles(app, "/events/summit.ics") == ["Scheduled", "Xen Summit"]
    assert fetch_titles(app, "/events/summit.ics?scheduled=false") == ["Waiting"]


@pytest.mark.usefixtures("ids")
def test_talk_feed_contains_the_talk_with_or_without_a_start_time(app: Flask) -> None:
    assert fetch_titles(app, "/talks/scheduled.ics") == ["Scheduled"]
    (entry,) = fetch_feed(app, "/talks/waiting.ics").events()
    said = {name: entry.value(name) for name in ("SUMMARY", "DTSTART", "DTEND", "STATUS", "TRANSP")}
    assert said == {
        "SUMMARY": "Waiting",
        "DTSTART": "20260610",
        "DTEND": "20260613",
        "STATUS": "TENTATIVE",
        "TRANSP": "TRANSPARENT",
    }


@pytest.mark.usefixtures("ids")
def test_speaker_feed_contains_all_talks_of_the_speaker(app: Flask) -> None:
    assert fetch_titles(app, "/speakers/grace.ics") == ["Given", "Scheduled", "Waiting"]
    assert fetch_titles(app, "/speakers/grace.ics?scheduled=true") == ["Given", "Scheduled"]


def test_feed_of_a_merged_speaker_equals_the_feed_of_the_remaining_speaker(app: Flask, ids: dict[str, str]) -> None:
    with write_session(app) as session:
        known = make_speaker(session, slug="amazing-grace", name="Amazing Grace")
        grace = session.get_one(Speaker, ids["grace"])
        merge_speakers(session, known, grace, caller=MODERATOR_CALLER, now=NOON)
    assert fetch(app, "/speakers/grace.ics").data == fetch(app, "/speakers/amazing-grace.ics").data
    assert fetch_titles(app, "/speakers/grace.ics") == ["Given", "Scheduled", "Waiting"]


def test_deadlines_feed_has_no_date_window(app: Flask, ids: dict[str, str], clock: FixedClock) -> None:
    set_deadline(app, ids)
    closes = "Call for talks closes: Xen Summit"
    assert fetch_titles(app, "/deadlines.ics") == [closes]
    clock.set_time(datetime(2030, 1, 1, tzinfo=UTC))
    wanted = {
        "": [closes],
        # All events, not only those within the calendar's window.
        "include=events": ["Long ago", "Xen Summit"],
        "event=summit&tag=xen": [closes],
        "event=old": [],
        "scheduled=false": [],
        "to=2026-04-30": [],
    }
    assert {query: fetch_titles(app, f"/deadlines.ics?{query}") for query in wanted} == wanted


def test_event_feed_can_include_deadlines_but_talk_and_speaker_feeds_cannot(app: Flask, ids: dict[str, str]) -> None:
    set_deadline(app, ids)
    everything = "include=events,talks,deadlines"
    assert fetch_titles(app, f"/events/summit.ics?{everything}") == [
        *("Call for talks closes: Xen Summit", "Scheduled", "Xen Summit")
    ]
    assert fetch_titles(app, f"/talks/scheduled.ics?{everything}") == ["Scheduled"]
    assert fetch_titles(app, f"/speakers/grace.ics?{everything}") == ["Given", "Scheduled", "Waiting"]


def test_feeds_accept_the_filters_of_the_lists(app: Flask, ids: dict[str, str]) -> None:
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
    assert {query: fetch_titles(app, f"/calendar.ics?{query}") for query in wanted} == wanted


@pytest.mark.usefixtures("ids")
def test_event_and_speaker_feeds_exclude_other_events_and_speakers(app: Flask) -> None:
    assert fetch_titles(app, "/events/summit.ics?event=old") == []
    assert fetch_titles(app, "/events/summit.ics?event=old,summit") == ["Scheduled", "Xen Summit"]
    assert fetch_titles(app, "/speakers/grace.ics?speaker=ada") == []


def test_cancelled_entries_can_be_kept_hidden_or_marked(app: Flask, ids: dict[str, str]) -> None:
    with write_session(app) as session:
        cancel_event(session, load_event(session, ids["summit"]), now=NOON)
    statuses = {
        query: sorted(entry.value("STATUS") for entry in fetch_feed(app, f"/calendar.ics{query}").events())
        for query in ("", "?cancelled=keep", "?cancelled=hide", "?cancelled=mark")
    }
    assert statuses == {
        "": ["CANCELLED", "CANCELLED"],
        "?cancelled=keep": ["CANCELLED", "CANCELLED"],
        "?cancelled=hide": [],
        "?cancelled=mark": ["CONFIRMED", "CONFIRMED"],
    }


@pytest.mark.usefixtures("ids")
def test_tz_parameter_renders_times_in_utc(app: Flask) -> None:
    feed = fetch_feed(app, "/talks/scheduled.ics?tz=utc")
    assert (feed.timezone_ids(), feed.events()[0].value("DTSTART")) == ([], "20260610T113000Z")


# Calendar properties


@pytest.mark.usefixtures("ids")
def test_feed_states_its_name_time_zone_url_and_source(app: Flask) -> None:
    said = {path: fetch_feed(app, path) for path in (*FEED_PATHS, "/calendar.ics?tag=xen&city=Berlin")}
    names = ("NAME", "X-WR-TIMEZONE", "URL", "SOURCE")
    assert {path: [feed.text(name) for name in names] for path, feed in said.items()} == {
        "/calendar.ics": ["eventcal", "UTC", f"{BASE_URL}/", f"{BASE_URL}/calendar.ics"],
        "/events/summit.ics": [
            "Xen Summit",
            "Europe/Berlin",
            f"{BASE_URL}/events/summit",
            f"{BASE_URL}/events/summit.ics",
        ],
        "/talks/scheduled.ics": [
            "Scheduled",
            "Europe/Berlin",
            f"{BASE_URL}/talks/scheduled",
            f"{BASE_URL}/talks/scheduled.ics",
        ],
        "/speakers/grace.ics": ["Grace Hopper", "UTC", f"{BASE_URL}/speakers/grace", f"{BASE_URL}/speakers/grace.ics"],
        "/deadlines.ics": ["eventcal: calls for talks", "UTC", f"{BASE_URL}/", f"{BASE_URL}/deadlines.ics"],
        "/calendar.ics?tag=xen&city=Berlin": [
            "eventcal",
            "UTC",
            f"{BASE_URL}/",
            f"{BASE_URL}/calendar.ics?city=Berlin&tag=xen",
        ],
    }
    rich = [f"{path}{'&' if '?' in path else '?'}profile=rich" for path in said]
    uids = {icalendar.Calendar.from_ical(fetch(app, path).data)["UID"] for path in rich}
    assert len(uids) == len(said)


def test_event_summary_is_plain_text_in_the_calendar_description(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="plain", summary="All of **Xen**,\nhere")
    assert fetch_feed(app, "/events/plain.ics").text("X-WR-CALDESC") == "All of Xen, here"


# Error responses


@pytest.mark.usefixtures("ids")
def test_unknown_or_invalid_feed_parameter_is_rejected_by_name(app: Flask) -> None:
    wrong = {"colour": "red", "from": "yesterday", "tag": "", "limit": "5", "tz": "cet", "cancelled": "no"}
    for path in FEED_PATHS:
        for name, value in wrong.items():
            answer = fetch(app, f"{path}?{name}={value}")
            assert (path, status_and_code(answer)[0], error_pointers(answer)) == (path, 422, [name])


@pytest.mark.usefixtures("ids")
def test_unknown_and_unpublished_feeds_return_404(app: Flask) -> None:
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
    assert {path: status_and_code(fetch(app, path))[0] for path in paths} == dict.fromkeys(paths, 404)


def test_feeds_accept_only_get_and_head(app: Flask) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = fetch(app, "/calendar.ics", method=method)
        allowed = set(answer.headers["Allow"].replace(" ", "").split(","))
        assert (answer.status_code, allowed & {"GET", "HEAD", method}) == (405, {"GET", "HEAD"})
