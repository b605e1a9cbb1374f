"""The month view of the listing: a table of weeks and days."""

from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from eventcal.talks.enums import TalkState
from tests.clocks import NOON
from tests.factories import make_event, make_talk
from tests.feed_support.feed_client import fetch
from tests.html_pages import element_text, get_page
from tests.http_app import write_session

JUNE_PATH = "/?view=month&month=2026-06"


@pytest.fixture
def _events(app: Flask) -> None:
    with write_session(app) as session:
        summit = make_event(session, slug="summit", tags=["xen"], country="DE")
        make_event(
            session,
            slug="call",
            title="Weekly call",
            starts="2026-01-05T16:00:00",
            ends="2026-01-05T17:00:00",
            recurrence="FREQ=WEEKLY",
            recurrence_overrides={"2026-06-08T16:00:00": {"status": "cancelled"}},
        )
        make_event(session, slug="night", title="Night", starts="2026-06-30T22:00:00", ends="2026-07-01T00:00:00")
        make_event(session, slug="long", title="Long", starts="2026-05-30", ends="2026-06-01")
        for number, day in enumerate(("2026-06-10T09:00:00", "2026-06-10T10:00:00", "2026-06-11T09:00:00")):
            title = f"Talk {number}"
            make_talk(session, summit, id=f"t-{number}", title=title, state=TalkState.CONFIRMED, starts=day)
        make_talk(session, summit, id="waiting", title="Waiting", state=TalkState.CONFIRMED)


def entries_by_day(tree: Element) -> dict[str, list[str]]:
    """Return the entries of each day that has any."""
    return {
        next(cell.iter("time")).get("datetime", ""): [
            element_text(one).replace("\N{EN DASH}", "-") for one in cell.iter("li")
        ]
        for cell in tree.iter("td")
        if list(cell.iter("li"))
    }


def navigation_links(tree: Element) -> list[str]:
    return [
        link.get("href", "") for nav in tree.iter("nav") if nav.get("class") == "month-nav" for link in nav.iter("a")
    ]


@pytest.mark.usefixtures("_events")
def test_events_are_shown_on_each_day_and_recurring_events_on_each_occurrence(app: Flask) -> None:
    call = "4:00 PM-5:00 PM Weekly call"
    assert entries_by_day(get_page(app, JUNE_PATH)) == {
        "2026-06-01": ["Long day 3 of 3", call],
        "2026-06-08": [f"{call} Cancelled"],
        "2026-06-10": ["Xen Summit day 1 of 3 4 talks"],
        "2026-06-11": ["Xen Summit day 2 of 3"],
        "2026-06-12": ["Xen Summit day 3 of 3"],
        "2026-06-15": [call],
        "2026-06-22": [call],
        "2026-06-29": [call],
        "2026-06-30": ["10:00 PM-12:00 AM Night"],
    }


@pytest.mark.usefixtures("_events")
def test_talks_are_shown_on_their_days(app: Flask) -> None:
    assert entries_by_day(get_page(app, f"{JUNE_PATH}&show=talks")) == {
        "2026-06-10": ["9:00 AM-9:45 AM Talk 0", "10:00 AM-10:45 AM Talk 1"],
        "2026-06-11": ["9:00 AM-9:45 AM Talk 2"],
    }


@pytest.mark.usefixtures("_events")
def test_month_can_be_shown_in_another_time_zone(app: Flask) -> None:
    shown = entries_by_day(get_page(app, f"{JUNE_PATH}&tz=Asia/Tokyo"))
    assert shown["2026-06-15"] == ["11:00 PM-12:00 AM Weekly call"]
    assert "2026-06-30" not in shown
    assert entries_by_day(get_page(app, "/?view=month&month=2026-07&tz=Asia/Tokyo"))["2026-07-01"] == [
        "5:00 AM-7:00 AM Night"
    ]


@pytest.mark.usefixtures("_events")
def test_month_view_accepts_the_filters_of_the_list_and_keeps_them_in_links(app: Flask) -> None:
    tree = get_page(app, f"{JUNE_PATH}&tag=xen")
    assert list(entries_by_day(tree)) == ["2026-06-10", "2026-06-11", "2026-06-12"]
    assert navigation_links(tree) == ["/?month=2026-05&tag=xen&view=month", "/?month=2026-07&tag=xen&view=month"]
    assert entries_by_day(get_page(app, f"{JUNE_PATH}&tag=xen&from=2026-06-13")) == {}


def test_table_has_a_caption_and_row_and_column_headers(app: Flask) -> None:
    tree = get_page(app, JUNE_PATH)
    (table,) = tree.iter("table")
    assert element_text(next(table.iter("caption"))) == "June 2026"
    columns = [cell.get("abbr") for cell in table.iter("th") if cell.get("scope") == "col"]
    assert columns[1:] == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    rows = [element_text(cell) for cell in table.iter("th") if cell.get("scope") == "row"]
    assert rows == [f"Week {number}" for number in range(23, 28)]
    assert [len(list(row.iter("td"))) for row in table.iter("tr")] == [0, 7, 7, 7, 7, 7]
    assert sum(1 for cell in table.iter("td") if list(cell.iter("time"))) == 30


def test_default_is_the_current_month_with_today_marked(app: Flask) -> None:
    tree = get_page(app, "/?view=month")
    assert element_text(next(tree.iter("h1"))) == "Events in March 2026"
    (today,) = [cell for cell in tree.iter("td") if cell.get("aria-current") == "date"]
    assert next(today.iter("time")).get("datetime") == NOON.date().isoformat()
    assert "There is nothing in this month." in element_text(tree)


@pytest.mark.parametrize(
    ("month", "beside"),
    [
        ("1970-01", ["/?month=1970-02&view=month"]),
        ("2199-12", ["/?month=2199-11&view=month"]),
        ("2028-02", ["/?month=2028-01&view=month", "/?month=2028-03&view=month"]),
    ],
)
@pytest.mark.usefixtures("_events")
def test_navigation_ends_at_the_first_and_last_supported_month(app: Flask, month: str, beside: list[str]) -> None:
    assert navigation_links(get_page(app, f"/?view=month&month={month}")) == beside


@pytest.mark.usefixtures("_events")
def test_empty_month_is_marked_noindex(app: Flask) -> None:
    assert 'content="noindex"' in fetch(app, "/?view=month&month=2025-01").text
    assert 'content="noindex"' not in fetch(app, JUNE_PATH).text
