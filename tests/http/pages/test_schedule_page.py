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
from tests.feed_support.fetching import fetch
from tests.http_app import problem, writing
from tests.make import make_event, make_speaker, make_talk
from tests.pages import page, text_of

PATH = "/events/summit/schedule"
DURING = datetime(2026, 6, 11, 8, 30, tzinfo=UTC)
"""10:30 in Berlin, on the second day."""


@pytest.fixture
def _summit(app: Flask) -> None:
    with writing(app) as session:
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


def classed(tree: Element, name: str) -> Element:
    return next(one for one in tree.iter() if name in one.get("class", "").split())


def plain(element: Element) -> str:
    """Return the text of an element with plain spaces and hyphens."""
    return text_of(element).replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{EN DASH}", "-")


def titles(element: Element) -> list[str]:
    """Return the titles of the talks in an element, in order."""
    links = (link for link in element.iter("a") if link.get("href", "").startswith("/talks/"))
    return [text_of(link) for link in links]


def days(tree: Element) -> dict[str, str | None]:
    """Return the links to the days, with the `aria-current` value of each."""
    return {link.get("href", ""): link.get("aria-current") for link in classed(tree, "switch").iter("a")}


def canonical(app: Flask, path: str) -> str | None:
    tree = page(app, path)
    return next(one.get("href") for one in tree.iter("link") if one.get("rel") == "canonical")


@pytest.mark.usefixtures("_summit")
def test_day_is_a_table_of_rooms_and_times(app: Flask) -> None:
    table = classed(page(app, PATH), "timetable")
    assert text_of(next(table.iter("caption"))) == "Xen Summit on Wednesday, June 10, 2026, by room and time"
    headers = [(one.get("scope"), plain(one)) for one in table.iter("th")]
    assert headers == [
        ("col", "Time"),
        ("col", "Hall"),
        ("col", "Attic"),
        ("row", "9:00 AM"),
        ("row", "9:30 AM"),
        ("row", "9:45 AM"),
    ]
    cells = [(titles(one), one.get("rowspan")) for one in table.iter("td")]
    assert cells == [(["Opening"], "3"), (["Drivers"], None), ([], None), (["Boards"], None)]


@pytest.mark.usefixtures("_summit")
def test_talks_without_a_room_or_with_a_conflict_are_listed_below_the_table(app: Flask) -> None:
    below = classed(page(app, PATH), "slots")
    assert titles(below) == ["Clash", "Posters"]


@pytest.mark.usefixtures("_summit")
def test_day_can_be_shown_as_a_list(app: Flask) -> None:
    listed = page(app, f"{PATH}?as=list")
    assert not list(listed.iter("table"))
    at_once, later = titles(classed(listed, "slots"))[:2], titles(classed(listed, "slots"))[2:]
    assert (sorted(at_once), later) == (["Drivers", "Opening"], ["Clash", "Boards", "Posters"])


@pytest.mark.usefixtures("_summit")
def test_talks_in_the_table_show_time_and_room_for_narrow_screens(app: Flask) -> None:
    said = [plain(one) for one in classed(page(app, PATH), "timetable").iter("td") if titles(one)]
    assert [one.split()[0] for one in said] == ["9:00", "9:00", "9:45"]
    assert ["Hall" in said[0], "Attic" in said[1], "Attic" in said[2]] == [True, True, True]


@pytest.mark.usefixtures("_summit")
def test_every_day_with_talks_is_linked(app: Flask) -> None:
    first, second = f"{PATH}?day=2026-06-10", f"{PATH}?day=2026-06-11"
    assert days(page(app, PATH)) == {first: "page", second: None}
    tree = page(app, second)
    assert days(tree) == {first: None, second: "page"}
    assert titles(classed(tree, "timetable")) == ["Second", "After", "Late"]
    kept = page(app, f"{PATH}?as=list&tz=Asia/Tokyo")
    assert next(iter(days(kept))) == f"{PATH}?as=list&tz=Asia%2FTokyo&day=2026-06-10"


@pytest.mark.usefixtures("_summit")
@pytest.mark.parametrize("day", ["2026-06-12", "2027-01-01", "tomorrow", "", "2026-6-10"])
def test_day_without_talks_falls_back_to_the_first_day(app: Flask, day: str) -> None:
    assert list(days(page(app, f"{PATH}?day={day}")).values()) == ["page", None]


@pytest.mark.usefixtures("_summit")
def test_days_and_times_follow_the_requested_time_zone(app: Flask) -> None:
    tree = page(app, f"{PATH}?tz=Asia/Tokyo&day=2026-06-12")
    assert titles(classed(tree, "timetable")) == ["Late"]
    row = next(one for one in classed(tree, "timetable").iter("th") if one.get("scope") == "row")
    assert plain(row) == "6:30 AM"
    assert next(row.iter("time")).get("datetime") == "2026-06-12T06:30:00+09:00"


@pytest.mark.usefixtures("_summit")
def test_canonical_url_omits_default_parameters(app: Flask) -> None:
    base = f"http://127.0.0.1:8000{PATH}"
    asked = {
        "": "",
        "?day=2026-06-10": "",
        "?day=2026-06-11": "?day=2026-06-11",
        "?as=table&tz=Europe/Berlin&utm_source=x": "",
        "?as=list": "?as=list",
        "?tz=Asia/Tokyo": "?tz=Asia/Tokyo",
    }
    assert {query: canonical(app, f"{PATH}{query}") for query in asked} == {
        query: f"{base}{own}" for query, own in asked.items()
    }


@pytest.mark.usefixtures("_summit")
def test_unscheduled_talks_are_listed_as_line_up(app: Flask) -> None:
    sections = list(page(app, PATH).iter("section"))
    assert titles(sections[-1]) == ["Waiting"]
    assert text_of(sections[-1]).startswith("Line-up")


@pytest.mark.usefixtures("_summit")
def test_running_event_shows_today_and_the_current_talks(app: Flask, clock: FixedClock) -> None:
    assert "Now and next" not in fetch(app, PATH).text
    clock.move(DURING)
    tree = page(app, PATH)
    assert list(days(tree).values()) == [None, "page"]
    assert "(today)" in text_of(classed(tree, "switch"))
    rooms = [plain(one) for one in classed(tree, "on-now").iter("li")]
    assert rooms == [
        "Hall Now10:00 AM-11:00 AM Second Next11:00 AM-12:00 PM After",
        "Attic Nothing is on now. Next11:30 PM-12:30 AM Late",
    ]
    assert canonical(app, f"{PATH}?day=2026-06-11") == f"http://127.0.0.1:8000{PATH}"
    assert canonical(app, f"{PATH}?day=2026-06-10") == f"http://127.0.0.1:8000{PATH}?day=2026-06-10"


@pytest.mark.usefixtures("_summit")
def test_current_talks_follow_the_clock_without_last_modified(app: Flask, clock: FixedClock) -> None:
    clock.move(DURING)
    first = fetch(app, PATH)
    assert "Last-Modified" not in first.headers
    clock.tick(3600)
    later = fetch(app, PATH, If_None_Match=first.headers["ETag"])
    assert later.status_code == 200
    assert titles(classed(page(app, PATH), "now")) == ["After"]


@pytest.mark.usefixtures("_summit")
def test_current_talks_appear_on_a_cached_page_when_the_first_day_begins(app: Flask, clock: FixedClock) -> None:
    # 10 June begins in Berlin at 22:00 UTC on 9 June.
    clock.move(datetime(2026, 6, 9, 21, 59, 59, tzinfo=UTC))
    assert "Now and next" not in fetch(app, PATH).text
    clock.tick()
    assert "Now and next" in fetch(app, PATH).text
    clock.move(datetime(2026, 6, 12, 22, tzinfo=UTC))
    assert "Now and next" not in fetch(app, PATH).text


def test_cancelled_talk_is_marked_and_not_shown_as_current(app: Flask, clock: FixedClock) -> None:
    with writing(app) as session:
        event = make_event(session, slug="summit", rooms=["Hall"])
        off: dict[str, Any] = {"published_at": event.created_at, "tombstone_until": datetime(2027, 1, 1, tzinfo=UTC)}
        starts = "2026-06-11T10:00:00"
        make_talk(session, event, title="Off", state=TalkState.CANCELLED, room="Hall", starts=starts, **off)
        make_talk(session, event, title="Instead", state=TalkState.CONFIRMED, room="Hall", starts=starts)
    clock.move(DURING)
    tree = page(app, PATH)
    assert titles(classed(tree, "timetable")) == ["Instead"]
    assert "Off Cancelled" in text_of(classed(tree, "slots"))
    assert titles(classed(tree, "on-now")) == ["Instead"]


def test_talks_without_rooms_are_shown_as_a_list(app: Flask) -> None:
    with writing(app) as session:
        event = make_event(session, slug="summit")
        make_talk(session, event, title="Roomless", state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00")
    tree = page(app, PATH)
    assert not list(tree.iter("table"))
    assert titles(classed(tree, "slots")) == ["Roomless"]


def test_empty_schedule_shows_a_message(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="summit")
    assert "No talk has its time yet." in text_of(page(app, PATH))


def test_schedule_of_an_unpublished_event_returns_404(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="summit", status=EventStatus.PENDING)
    assert problem(fetch(app, PATH, Accept="application/json"))[0] == 404
