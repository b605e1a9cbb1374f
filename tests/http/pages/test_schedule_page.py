"""An event's schedule: its days, its table, its list, and the current talks."""

from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import FixedClock
from tests.factories import make_event, make_speaker, make_talk
from tests.feed_support.feed_client import fetch
from tests.html_pages import element_text, get_page
from tests.http_app import status_and_code, write_session

SCHEDULE_PATH = "/events/summit/schedule"
DURING_TALKS = datetime(2026, 6, 11, 8, 30, tzinfo=UTC)
"""10:30 in Berlin, on the second day."""


@pytest.fixture
def _summit(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit", rooms=["Hall", "Attic", "Cellar"], tracks=["Security", "ARM"])
        grace = make_speaker(session, slug="grace")

        def add(key: str, starts: str | None, **fields: Any) -> Talk:
            confirmed = {"state": TalkState.CONFIRMED, "title": key.capitalize()}
            return make_talk(session, event, id=key, starts=starts, **(confirmed | fields))

        add("opening", "2026-06-10T09:00:00", room="Hall", duration_minutes=90, speakers=[grace], track="ARM")
        add("drivers", "2026-06-10T09:00:00", room="Attic", duration_minutes=30)
        add("boards", "2026-06-10T09:45:00", room="Attic", duration_minutes=45)
        add("posters", "2026-06-10T12:00:00", duration_minutes=60)
        add("clash", "2026-06-10T09:30:00", room="Hall", duration_minutes=30)
        add("second", "2026-06-11T10:00:00", room="Hall", duration_minutes=60)
        add("after", "2026-06-11T11:00:00", room="Hall", duration_minutes=60)
        add("late", "2026-06-11T23:30:00", room="Attic", duration_minutes=60)
        add("waiting", None)


def find_by_class(tree: Element, name: str) -> Element:
    return next(one for one in tree.iter() if name in one.get("class", "").split())


def plain_text(element: Element) -> str:
    """Return the text of an element with plain spaces and hyphens."""
    return element_text(element).replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{EN DASH}", "-")


def talk_titles(element: Element) -> list[str]:
    """Return the titles of the talks in an element, in order."""
    links = (link for link in element.iter("a") if link.get("href", "").startswith("/talks/"))
    return [element_text(link) for link in links]


def day_links(tree: Element) -> dict[str, str | None]:
    """Return the links to the days, with the `aria-current` value of each."""
    return {link.get("href", ""): link.get("aria-current") for link in find_by_class(tree, "switch").iter("a")}


def canonical_url(app: Flask, path: str) -> str | None:
    tree = get_page(app, path)
    return next(one.get("href") for one in tree.iter("link") if one.get("rel") == "canonical")


@pytest.mark.usefixtures("_summit")
def test_day_is_a_table_of_rooms_and_times(app: Flask) -> None:
    table = find_by_class(get_page(app, SCHEDULE_PATH), "timetable")
    assert element_text(next(table.iter("caption"))) == "Xen Summit on Wednesday, June 10, 2026, by room and time"
    headers = [(one.get("scope"), plain_text(one)) for one in table.iter("th")]
    assert headers == [
        ("col", "Time"),
        ("col", "Hall"),
        ("col", "Attic"),
        ("row", "9:00 AM"),
        ("row", "9:30 AM"),
        ("row", "9:45 AM"),
    ]
    cells = [(talk_titles(one), one.get("rowspan")) for one in table.iter("td")]
    assert cells == [(["Opening"], "3"), (["Drivers"], None), ([], None), (["Boards"], None)]


@pytest.mark.usefixtures("_summit")
def test_talks_without_a_room_or_with_a_conflict_are_listed_below_the_table(app: Flask) -> None:
    below = find_by_class(get_page(app, SCHEDULE_PATH), "slots")
    assert talk_titles(below) == ["Clash", "Posters"]


@pytest.mark.usefixtures("_summit")
def test_day_can_be_shown_as_a_list(app: Flask) -> None:
    listed = get_page(app, f"{SCHEDULE_PATH}?as=list")
    assert not list(listed.iter("table"))
    at_once, later = talk_titles(find_by_class(listed, "slots"))[:2], talk_titles(find_by_class(listed, "slots"))[2:]
    assert (sorted(at_once), later) == (["Drivers", "Opening"], ["Clash", "Boards", "Posters"])


@pytest.mark.usefixtures("_summit")
def test_talks_in_the_table_show_time_and_room_for_narrow_screens(app: Flask) -> None:
    said = [
        plain_text(one)
        for one in find_by_class(get_page(app, SCHEDULE_PATH), "timetable").iter("td")
        if talk_titles(one)
    ]
    assert [one.split()[0] for one in said] == ["9:00", "9:00", "9:45"]
    assert ["Hall" in said[0], "Attic" in said[1], "Attic" in said[2]] == [True, True, True]


@pytest.mark.usefixtures("_summit")
def test_every_day_with_talks_is_linked(app: Flask) -> None:
    first, second = f"{SCHEDULE_PATH}?day=2026-06-10", f"{SCHEDULE_PATH}?day=2026-06-11"
    assert day_links(get_page(app, SCHEDULE_PATH)) == {first: "page", second: None}
    tree = get_page(app, second)
    assert day_links(tree) == {first: None, second: "page"}
    assert talk_titles(find_by_class(tree, "timetable")) == ["Second", "After", "Late"]
    kept = get_page(app, f"{SCHEDULE_PATH}?as=list&tz=Asia/Tokyo")
    assert next(iter(day_links(kept))) == f"{SCHEDULE_PATH}?as=list&tz=Asia%2FTokyo&day=2026-06-10"


@pytest.mark.usefixtures("_summit")
@pytest.mark.parametrize("day", ["2026-06-12", "2027-01-01", "tomorrow", "", "2026-6-10"])
def test_day_without_talks_falls_back_to_the_first_day(app: Flask, day: str) -> None:
    assert list(day_links(get_page(app, f"{SCHEDULE_PATH}?day={day}")).values()) == ["page", None]


@pytest.mark.usefixtures("_summit")
def test_days_and_times_follow_the_requested_time_zone(app: Flask) -> None:
    tree = get_page(app, f"{SCHEDULE_PATH}?tz=Asia/Tokyo&day=2026-06-12")
    assert talk_titles(find_by_class(tree, "timetable")) == ["Late"]
    row = next(one for one in find_by_class(tree, "timetable").iter("th") if one.get("scope") == "row")
    assert plain_text(row) == "6:30 AM"
    assert next(row.iter("time")).get("datetime") == "2026-06-12T06:30:00+09:00"


@pytest.mark.usefixtures("_summit")
def test_canonical_url_omits_default_parameters(app: Flask) -> None:
    base = f"http://127.0.0.1:8000{SCHEDULE_PATH}"
    asked = {
        "": "",
        "?day=2026-06-10": "",
        "?day=2026-06-11": "?day=2026-06-11",
        "?as=table&tz=Europe/Berlin&utm_source=x": "",
        "?as=list": "?as=list",
        "?tz=Asia/Tokyo": "?tz=Asia/Tokyo",
    }
    assert {query: canonical_url(app, f"{SCHEDULE_PATH}{query}") for query in asked} == {
        query: f"{base}{own}" for query, own in asked.items()
    }


@pytest.mark.usefixtures("_summit")
def test_unscheduled_talks_are_listed_as_line_up(app: Flask) -> None:
    sections = list(get_page(app, SCHEDULE_PATH).iter("section"))
    assert talk_titles(sections[-1]) == ["Waiting"]
    assert element_text(sections[-1]).startswith("Line-up")


@pytest.mark.usefixtures("_summit")
def test_running_event_shows_today_and_the_current_talks(app: Flask, clock: FixedClock) -> None:
    assert "Now and next" not in fetch(app, SCHEDULE_PATH).text
    clock.set_time(DURING_TALKS)
    tree = get_page(app, SCHEDULE_PATH)
    assert list(day_links(tree).values()) == [None, "page"]
    assert "(today)" in element_text(find_by_class(tree, "switch"))
    rooms = [plain_text(one) for one in find_by_class(tree, "on-now").iter("li")]
    assert rooms == [
        "Hall Now10:00 AM-11:00 AM Second Next11:00 AM-12:00 PM After",
        "Attic Nothing is on now. Next11:30 PM-12:30 AM Late",
    ]
    assert canonical_url(app, f"{SCHEDULE_PATH}?day=2026-06-11") == f"http://127.0.0.1:8000{SCHEDULE_PATH}"
    assert (
        canonical_url(app, f"{SCHEDULE_PATH}?day=2026-06-10") == f"http://127.0.0.1:8000{SCHEDULE_PATH}?day=2026-06-10"
    )


@pytest.mark.usefixtures("_summit")
def test_current_talks_follow_the_clock_without_last_modified(app: Flask, clock: FixedClock) -> None:
    clock.set_time(DURING_TALKS)
    first = fetch(app, SCHEDULE_PATH)
    assert "Last-Modified" not in first.headers
    clock.tick(3600)
    later = fetch(app, SCHEDULE_PATH, If_None_Match=first.headers["ETag"])
    assert later.status_code == 200
    assert talk_titles(find_by_class(get_page(app, SCHEDULE_PATH), "now")) == ["After"]


@pytest.mark.usefixtures("_summit")
def test_current_talks_appear_on_a_cached_page_when_the_first_day_begins(app: Flask, clock: FixedClock) -> None:
    # 10 June begins in Berlin at 22:00 UTC on 9 June.
    clock.set_time(datetime(2026, 6, 9, 21, 59, 59, tzinfo=UTC))
    assert "Now and next" not in fetch(app, SCHEDULE_PATH).text
    clock.tick()
    assert "Now and next" in fetch(app, SCHEDULE_PATH).text
    clock.set_time(datetime(2026, 6, 12, 22, tzinfo=UTC))
    assert "Now and next" not in fetch(app, SCHEDULE_PATH).text


def test_cancelled_talk_is_marked_and_not_shown_as_current(app: Flask, clock: FixedClock) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit", rooms=["Hall"])
        off: dict[str, Any] = {"published_at": event.created_at, "tombstone_until": datetime(2027, 1, 1, tzinfo=UTC)}
        starts = "2026-06-11T10:00:00"
        make_talk(session, event, title="Off", state=TalkState.CANCELLED, room="Hall", starts=starts, **off)
        make_talk(session, event, title="Instead", state=TalkState.CONFIRMED, room="Hall", starts=starts)
    clock.set_time(DURING_TALKS)
    tree = get_page(app, SCHEDULE_PATH)
    assert talk_titles(find_by_class(tree, "timetable")) == ["Instead"]
    assert "Off Cancelled" in element_text(find_by_class(tree, "slots"))
    assert talk_titles(find_by_class(tree, "on-now")) == ["Instead"]


def test_talks_without_rooms_are_shown_as_a_list(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit")
        make_talk(session, event, title="Roomless", state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00")
    tree = get_page(app, SCHEDULE_PATH)
    assert not list(tree.iter("table"))
    assert talk_titles(find_by_class(tree, "slots")) == ["Roomless"]


def test_empty_schedule_shows_a_message(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit")
    assert "No talk has its time yet." in element_text(get_page(app, SCHEDULE_PATH))


def test_schedule_of_an_unpublished_event_returns_404(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", status=EventStatus.PENDING)
    assert status_and_code(fetch(app, SCHEDULE_PATH, Accept="application/json"))[0] == 404
