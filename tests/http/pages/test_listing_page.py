"""The listing: upcoming events and talks, filtered by links and by a form."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus
from eventcal.talks.enums import TalkState
from tests.factories import make_event, make_speaker, make_talk
from tests.feed_support.feed_client import fetch
from tests.html_pages import element_text, fetched_urls, get_page, html_parse_errors, is_same_host, parse_html
from tests.http_app import write_session

BASE_URL = "http://127.0.0.1:8000"


def hostile_text() -> str:
    return "<script>alert(1)</script>"


@pytest.fixture
def _events(app: Flask) -> None:
    with write_session(app) as session:
        grace = make_speaker(session, slug="grace")
        summit = make_event(
            session,
            slug="summit",
            city="Berlin",
            country="DE",
            kind="conference",
            tags=["xen", "arm & risc"],
            rooms=["Room 1"],
        )
        make_event(
            session,
            slug="meetup",
            title="Meetup",
            starts="2026-04-07T19:00:00",
            ends="2026-04-07T21:00:00",
            country="AT",
        )
        make_event(session, slug="old", title="Long ago", starts="2024-06-01", ends="2024-06-02")
        make_event(session, slug="running", title="Running", starts="2026-02-27", ends="2026-03-02")
        make_event(
            session,
            slug="off",
            title="Called off",
            starts="2026-06-20",
            ends="2026-06-20",
            status=EventStatus.CANCELLED,
        )
        make_event(
            session,
            slug="weekly",
            title="Weekly call",
            starts="2026-01-05T16:00:00",
            ends="2026-01-05T17:00:00",
            recurrence="FREQ=WEEKLY",
            kind="meetup",
            attendance="online",
        )
        said: dict[str, Any] = {"state": TalkState.CONFIRMED, "speakers": [grace]}
        make_talk(
            session, summit, id="one", title="One", starts="2026-06-10T09:00:00", room="Room 1", tags=["arm"], **said
        )
        make_talk(session, summit, id="two", title="Two", kind="keynote", starts="2026-06-11T09:00:00", **said)
        make_talk(session, summit, id="waiting", title="Waiting", **said)


def titles_by_heading(tree: Element) -> dict[str, list[str]]:
    """Return the titles under each heading."""
    return {
        element_text(find_elements(section, "h2")[0]): [element_text(title) for title in find_elements(section, "h3")]
        for section in find_elements(tree, "section")
        if section.get("class") == "listing"
    }


def find_elements(tree: Element, tag: str) -> list[Element]:
    return list(tree.iter(tag))


def plain_text(element: Element) -> str:
    return element_text(element).replace("\N{EN DASH}", "-")


def entry_text(tree: Element, title: str) -> str:
    """Return the text of the entry with this title."""
    return next(
        plain_text(one)
        for one in find_elements(tree, "li")
        if any(element_text(h3).startswith(title) for h3 in find_elements(one, "h3"))
    )


def links_by_text(tree: Element) -> dict[str, str]:
    """Return the URL of each link by its text."""
    return {element_text(link): link.get("href", "") for link in find_elements(tree, "a")}


def get_input(tree: Element, name: str) -> Element:
    return next(
        one for one in find_elements(tree, "input") if one.get("name") == name and one.get("type") != "checkbox"
    )


def alternate_links(tree: Element) -> dict[str, str]:
    others = [
        one for one in find_elements(tree, "link") if one.get("rel") == "alternate" and one.get("hreflang") is None
    ]
    return {one.get("type", ""): one.get("href", "") for one in others}


def canonical_url(tree: Element) -> str:
    return next(one.get("href", "") for one in find_elements(tree, "link") if one.get("rel") == "canonical")


# Entries


@pytest.mark.usefixtures("_events")
def test_upcoming_events_are_grouped_by_month(app: Flask) -> None:
    assert titles_by_heading(get_page(app, "/")) == {
        "Under way, or again and again": ["Weekly call", "Running"],
        "April 2026": ["Meetup"],
        "June 2026": ["Xen Summit", "Called off Cancelled"],
    }


@pytest.mark.usefixtures("_events")
def test_entry_shows_title_time_place_kind_and_tags(app: Flask) -> None:
    tree = get_page(app, "/")
    assert entry_text(tree, "Xen Summit") == (
        "Xen Summit Wed, Jun 10, 2026 - Fri, Jun 12, 2026 Berlin, Germany Conference xen arm & risc"
    )
    assert entry_text(tree, "Meetup").startswith("Meetup Tue, Apr 7, 2026, 7:00 PM-9:00 PM Europe/Berlin Austria")
    shown = links_by_text(tree)
    assert (shown["Xen Summit"], shown["arm & risc"]) == ("/events/summit", "/?tag=arm%20%26%20risc")


@pytest.mark.usefixtures("_events")
def test_recurring_event_is_shown_with_its_next_dates(app: Flask) -> None:
    said = entry_text(get_page(app, "/"), "Weekly call")
    assert said.startswith("Weekly call Mon, Mar 2, 2026, 4:00 PM-5:00 PM Europe/Berlin Every week")
    assert "Then: Mon, Mar 9, 2026; Mon, Mar 16, 2026" in said
    assert said.endswith("online Meetup")


@pytest.mark.usefixtures("_events")
def test_talks_are_grouped_by_day_and_unscheduled_ones_by_the_first_day_of_their_event(app: Flask) -> None:
    tree = get_page(app, "/?show=talks")
    assert titles_by_heading(tree) == {
        "Wednesday, June 10, 2026": ["Waiting", "One"],
        "Thursday, June 11, 2026": ["Two"],
    }
    assert entry_text(tree, "One") == (
        "One Grace Hopper Wed, Jun 10, 2026, 9:00 AM-9:45 AM Europe/Berlin Xen Summit, Room 1, Berlin Talk arm"
    )
    assert "The time is not known yet." in entry_text(tree, "Waiting")


@pytest.mark.usefixtures("_events")
def test_past_events_are_linked_and_listed_latest_first(app: Flask) -> None:
    past = links_by_text(get_page(app, "/"))["What is past"]
    assert past == "/?sort=-starts&to=2026-02-28"
    tree = get_page(app, past)
    assert titles_by_heading(tree)["June 2024"] == ["Long ago"]
    assert links_by_text(tree)["What is to come"] == "/"


def test_listing_has_25_entries_per_page_and_keeps_filters(app: Flask) -> None:
    with write_session(app) as session:
        for number in range(30):
            make_event(session, slug=f"e-{number}", title=f"E {number}", tags=["xen"])
    first = get_page(app, "/?tag=xen")
    onward = links_by_text(first)["Next page"]
    assert dict(parse_qsl(urlsplit(onward).query))["tag"] == "xen"
    second = get_page(app, onward)
    several = [title for tree in (first, second) for title in titles_by_heading(tree)["June 2026"]]
    assert (len(titles_by_heading(first)["June 2026"]), len(several), len(set(several))) == (25, 30, 30)
    assert (links_by_text(second)["First page"], "Next page" in links_by_text(second)) == ("/?tag=xen", False)
    assert canonical_url(second) == f"{BASE_URL}{onward}"


@pytest.mark.usefixtures("_events")
def test_unpublished_events_are_not_listed(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="pending", title="Pending", status=EventStatus.PENDING)
    assert "Pending" not in fetch(app, "/").text


# Filters


@pytest.mark.usefixtures("_events")
def test_filters_match_those_of_the_api_lists(app: Flask) -> None:
    wanted = {
        "/?tag=xen": ["Xen Summit"],
        "/?country=at": ["Meetup"],
        "/?country=DE,AT": ["Meetup", "Xen Summit"],
        "/?q=week": ["Weekly call"],
        "/?kind=meetup": ["Weekly call"],
        "/?from=2026-06-15": ["Weekly call", "Called off Cancelled"],
        "/?show=talks&kind=keynote": ["Two"],
        "/?show=talks&scheduled=true&tag=arm": ["One"],
    }
    assert {
        path: [title for titles in titles_by_heading(get_page(app, path)).values() for title in titles]
        for path in wanted
    } == wanted


@pytest.mark.usefixtures("_events")
def test_empty_and_unknown_parameters_are_ignored(app: Flask) -> None:
    tree = get_page(app, "/?q=&from=&tag=&city=&utm_source=mail&limit=1")
    assert (titles_by_heading(tree), canonical_url(tree)) == (titles_by_heading(get_page(app, "/")), f"{BASE_URL}/")


@pytest.mark.usefixtures("_events")
def test_equivalent_filters_have_the_same_canonical_url(app: Flask) -> None:
    for query in ("tag=xen&country=DE", "country=de&tag=xen", "lang=de&tag=xen&country=DE&show=events&view=list"):
        assert canonical_url(get_page(app, f"/?{query}")) == f"{BASE_URL}/?country=DE&tag=xen"
    assert canonical_url(get_page(app, "/?tag=xen&show=talks")) == f"{BASE_URL}/?show=talks&tag=xen"


@pytest.mark.usefixtures("_events")
def test_each_filter_can_be_removed_separately_or_all_together(app: Flask) -> None:
    tree = get_page(app, "/?tag=xen&tag=arm%20%26%20risc&country=DE&tz=Asia/Tokyo")
    away = "(take this filter away)"
    chips = {label[: label.index(away) - 2]: url for label, url in links_by_text(tree).items() if away in label}
    assert chips == {
        "Tag: xen": "/?country=DE&tag=arm%20%26%20risc&tz=Asia%2FTokyo",
        "Tag: arm & risc": "/?country=DE&tag=xen&tz=Asia%2FTokyo",
        "Country: Germany": "/?tag=arm%20%26%20risc&tag=xen&tz=Asia%2FTokyo",
    }
    assert links_by_text(tree)["Clear all filters"] == "/?tz=Asia%2FTokyo"


@pytest.mark.usefixtures("_events")
def test_listing_offers_links_for_further_filtering(app: Flask) -> None:
    shown = links_by_text(get_page(app, "/"))
    assert [shown[label] for label in ("Germany", "Austria", "xen")] == ["/?country=DE", "/?country=AT", "/?tag=xen"]
    assert "Germany" not in links_by_text(get_page(app, "/?country=DE"))


@pytest.mark.usefixtures("_events")
def test_form_keeps_typed_values_and_parameters_without_a_field(app: Flask) -> None:
    tree = get_page(app, "/?q=xen&from=2026-01-01&city=Berlin&tag=xen&kind=conference&event=summit&cfp=open&lang=en")
    typed = {name: get_input(tree, name).get("value") for name in ("q", "from", "city", "tag", "event", "lang")}
    assert typed == {
        "q": "xen",
        "from": "2026-01-01",
        "city": "Berlin",
        "tag": "xen",
        "event": "summit",
        "lang": "en",
    }
    ticked = {one.get("value") for one in find_elements(tree, "input") if one.get("checked") is not None}
    assert ticked == {"conference", "open"}


@pytest.mark.usefixtures("_events")
def test_every_field_has_a_label(app: Flask) -> None:
    tree = get_page(app, "/?tag=a&tag=b")
    labelled = {label.get("for") for label in find_elements(tree, "label")}
    fields = [one.get("id") for one in find_elements(tree, "input") if one.get("type") != "hidden"]
    assert len(set(fields)) == len(fields)
    assert set(fields) == labelled


@pytest.mark.usefixtures("_events")
def test_switching_between_events_and_talks_drops_inapplicable_filters(app: Flask) -> None:
    assert links_by_text(get_page(app, "/?kind=conference&tag=xen"))["Talks"] == "/?show=talks&tag=xen"
    assert links_by_text(get_page(app, "/?show=talks&kind=keynote&speaker=grace&tag=xen"))["Events"] == "/?tag=xen"


# Feeds


@pytest.mark.usefixtures("_events")
def test_filtered_view_links_to_its_feeds(app: Flask) -> None:
    for path, query in (
        ("/?tag=xen&country=DE&sort=-starts", "country=DE&include=events&tag=xen"),
        ("/?show=talks&tag=arm", "include=talks&tag=arm"),
        ("/?view=month&tag=xen", "include=events&tag=xen"),
    ):
        tree = get_page(app, path)
        told = alternate_links(tree)
        # A month cannot be embedded.
        assert ("application/json+oembed" in told) is ("view=month" not in path)
        assert {kind: url for kind, url in told.items() if kind != "application/json+oembed"} == {
            "text/calendar": f"{BASE_URL}/calendar.ics?{query}",
            "application/atom+xml": f"{BASE_URL}/calendar.atom?{query}",
            "text/csv": f"{BASE_URL}/calendar.csv?{query}",
        }
        hrefs = {link.get("href") for link in find_elements(tree, "a")}
        assert {f"/{name}?{query}" for name in ("subscribe", "calendar.ics", "calendar.atom", "calendar.csv")} <= hrefs
        for url in told.values():
            assert fetch(app, url.removeprefix(BASE_URL)).status_code == 200


# No results and invalid parameters


@pytest.mark.usefixtures("_events")
def test_listing_without_matches_offers_ways_to_continue(app: Flask) -> None:
    tree = get_page(app, "/?q=nowhere&tag=xen")
    assert titles_by_heading(tree) == {}
    assert "No event fits all of the chosen filters." in element_text(tree)
    shown = links_by_text(tree)
    assert shown["Clear all filters"] == "/"
    assert shown["What is past"] == "/?q=nowhere&sort=-starts&tag=xen&to=2026-02-28"


def test_empty_calendar_shows_a_message(app: Flask) -> None:
    assert "No events are announced for the time to come." in element_text(get_page(app, "/"))
    assert "No talks are announced for the time to come." in element_text(get_page(app, "/?show=talks"))


@pytest.mark.usefixtures("_events")
def test_invalid_values_are_kept_in_their_fields_with_an_error(app: Flask) -> None:
    answer = fetch(app, "/?from=yesterday&country=Germany&city=Berlin&scheduled=maybe")
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (422, "text/html", "no-store")
    assert html_parse_errors(answer.text) == []
    tree = parse_html(answer.text)
    told = {one.get("id"): element_text(one) for one in tree.iter() if one.get("class") == "fault"}
    for name, typed, says in (("from", "yesterday", "neither a date"), ("country", "Germany", "two letters")):
        wrong = get_input(tree, name)
        assert (wrong.get("value"), wrong.get("aria-invalid"), wrong.get("type")) == (typed, "true", "text")
        assert says in told[(wrong.get("aria-describedby") or "").split()[-1]]
    assert (get_input(tree, "city").get("value"), get_input(tree, "city").get("aria-invalid")) == ("Berlin", None)
    summary = next(one for one in tree.iter() if one.get("role") == "alert")
    assert "Has its times: must be true or false" in element_text(summary)
    assert links_by_text(summary)["From"] == "#f-from"


@pytest.mark.parametrize(
    "query",
    ["cursor=nothing", "show=all", "view=week", "month=2026-13", "month=1066-10", "kind=party", "q=a&q=b", "sort=up"],
)
@pytest.mark.usefixtures("_events")
def test_every_invalid_parameter_is_reported_on_the_page(app: Flask, query: str) -> None:
    for path in (f"/?{query}", f"/?{query}&show=talks", f"/?{query}&view=month"):
        if path.count("view=") > 1 or path.count("show=") > 1:
            continue
        answer = fetch(app, path)
        if "cursor" in query and "month" in path:
            assert answer.status_code == 200
            continue
        assert (path, answer.status_code, html_parse_errors(answer.text)) == (path, 422, [])
        assert 'role="alert"' in answer.text


def test_user_text_is_escaped(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(
            session, slug="odd", title=hostile_text(), tags=[hostile_text()], city=hostile_text(), venue='"><b>'
        )
        make_talk(
            session, event, id="odd", title=hostile_text(), state=TalkState.CONFIRMED, starts="2026-06-10T09:00:00"
        )
    typed = "q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&tag=%3Cscript%3Ealert(1)%3C/script%3E&from=%22%3E%3Cscript%3E"
    for path in (
        "/",
        "/?show=talks",
        "/?view=month&month=2026-06",
        "/?view=month&month=2026-06&show=talks",
        f"/?{typed}",
    ):
        answer = fetch(app, path)
        assert html_parse_errors(answer.text) == []
        assert [one.get("src") for one in find_elements(parse_html(answer.text), "script")] == ["/static/site.js"]
        assert all(is_same_host(url) for url in fetched_urls(parse_html(answer.text)))


# Language and caching


@pytest.mark.usefixtures("_events")
def test_lang_parameter_is_applied_and_kept_in_links(app: Flask) -> None:
    tree = get_page(app, "/?lang=de")
    assert "Juni 2026" in titles_by_heading(tree)
    assert links_by_text(tree)["xen"] == "/?lang=de&tag=xen"


@pytest.mark.usefixtures("_events")
def test_unchanged_page_returns_304(app: Flask) -> None:
    first = fetch(app, "/?tag=xen")
    again = fetch(app, "/?tag=xen", If_None_Match=first.headers["ETag"])
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


@pytest.mark.usefixtures("_events")
def test_page_depending_on_open_calls_has_no_last_modified(app: Flask) -> None:
    answer = fetch(app, "/?cfp=open")
    assert (answer.status_code, "Last-Modified" in answer.headers) == (200, False)
