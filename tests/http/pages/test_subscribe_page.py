"""The subscription page: the feed URL of any view, and instructions for calendar apps."""

from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from eventcal.feeds.clients import CLIENTS, ClientKind
from tests.feed_support.feed_client import create_calendar, fetch, fetch_feed
from tests.html_pages import element_text, get_page, html_parse_errors, parse_html

BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _calendar(app: Flask) -> None:
    create_calendar(app)


def feed_url(tree: Element) -> str:
    """Return the feed URL on the page."""
    (field,) = [one for one in tree.iter("input") if one.get("id") == "address"]
    assert "readonly" in field.attrib
    return field.get("value", "")


def link_urls(tree: Element) -> list[str]:
    return [one.get("href", "") for one in tree.iter("a")]


def hidden_fields(tree: Element) -> list[tuple[str | None, str | None]]:
    """Return the hidden fields of the form."""
    return [(one.get("name"), one.get("value")) for one in tree.iter("input") if one.get("type") == "hidden"]


def checked_values(tree: Element) -> list[str | None]:
    return [one.get("value") for one in tree.iter("input") if "checked" in one.attrib]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "/calendar.ics"),
        ("include=talks&include=events&cancelled=keep", "/calendar.ics"),
        ("tag=xen", "/calendar.ics?tag=xen"),
        ("tag=xen&show=talks", "/calendar.ics?include=talks&tag=xen"),
        ("show=events&include=deadlines", "/calendar.ics?include=deadlines"),
        ("show=everything", "/calendar.ics"),
        ("city=Berlin&cancelled=hide", "/calendar.ics?cancelled=hide&city=Berlin"),
        ("event=summit", "/events/summit.ics"),
        ("event=summit&include=events,talks,deadlines&cancelled=mark", None),
        ("event=summit&tag=xen", "/calendar.ics?event=summit&tag=xen"),
        ("event=summit,old", "/calendar.ics?event=old&event=summit"),
        ("speaker=grace", "/speakers/grace.ics"),
        ("speaker=grace&cancelled=hide&include=events", "/speakers/grace.ics?cancelled=hide"),
        ("tz=utc", "/calendar.ics?tz=utc"),
        # Parameters that apply only to pages are not passed on to the feed.
        ("utm_source=mail&lang=de&tz=Europe/Paris&view=month&month=2026-06&sort=-starts&limit=5&q=+", "/calendar.ics"),
    ],
)
def test_view_is_offered_as_a_feed_with_the_same_filters(app: Flask, query: str, path: str | None) -> None:
    offered = feed_url(get_page(app, f"/subscribe?{query}"))
    if path is not None:
        assert offered == BASE_URL + path
    # The feed exists.
    fetch_feed(app, offered.removeprefix(BASE_URL))


def test_options_for_an_event_are_applied_to_its_own_feed(app: Flask) -> None:
    offered = urlsplit(feed_url(get_page(app, "/subscribe?event=summit&include=events,talks,deadlines&cancelled=mark")))
    assert offered.path == "/events/summit.ics"
    assert parse_qs(offered.query) == {"include": ["deadlines", "events", "talks"], "cancelled": ["mark"]}


def test_page_describes_the_content_of_the_feed(app: Flask) -> None:
    facts = next(get_page(app, "/subscribe?tag=xen&from=2026-06-01&include=deadlines").iter("dl"))
    assert [element_text(one) for one in facts] == [
        *("Holds", "When calls for talks open and close"),
        *("From", "Monday, June 1, 2026"),
        *("Tag", "xen"),
    ]
    assert "Xen Summit" in element_text(next(get_page(app, "/subscribe?event=summit").iter("h1")))
    assert "Grace Hopper" in element_text(next(get_page(app, "/subscribe?speaker=grace").iter("h1")))


def test_links_to_calendar_apps_contain_the_whole_feed_url(app: Flask) -> None:
    tree = get_page(app, "/subscribe?tag=a%26b&city=K%C3%B6ln")
    url = feed_url(tree)
    webcal = url.replace("http://", "webcal://")
    assert webcal in link_urls(tree)
    assert "https://calendar.google.com/calendar/r/settings/addbyurl" in link_urls(tree)
    there = {urlsplit(one).netloc: parse_qs(urlsplit(one).query) for one in link_urls(tree) if "?" in one}
    assert there["calendar.google.com"] == {"cid": [webcal]}
    assert there["outlook.live.com"] == {"url": [url], "name": ["eventcal"]}
    assert there["outlook.office.com"] == {"url": [url], "name": ["eventcal"]}


def test_page_describes_how_each_calendar_app_refreshes(app: Flask) -> None:
    english = element_text(get_page(app, "/subscribe", Accept_Language="en"))
    german = element_text(get_page(app, "/subscribe", Accept_Language="de"))
    left_out = {ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER, ClientKind.OTHER}
    for kind, facts in CLIENTS.items():
        if kind not in left_out:
            assert facts.expect in english
            assert facts.refresh_now in english
            assert facts.expect not in german
            assert facts.refresh_now not in german
    assert CLIENTS[ClientKind.ROBOT].expect not in english


def test_form_keeps_filters_and_shows_the_selected_options(app: Flask) -> None:
    tree = get_page(app, "/subscribe?tag=b&tag=a&show=talks&cancelled=hide&lang=de")
    assert hidden_fields(tree) == [("tag", "a"), ("tag", "b"), ("lang", "de")]
    assert checked_values(tree) == ["talks", "hide"]
    assert checked_values(get_page(app, "/subscribe")) == ["events", "talks", "keep"]


def test_speaker_feed_has_no_choice_of_entries(app: Flask) -> None:
    tree = get_page(app, "/subscribe?speaker=grace")
    assert [one for one in tree.iter("input") if one.get("name") == "include"] == []
    assert hidden_fields(tree) == [("speaker", "grace")]


@pytest.mark.parametrize("query", ["", "tag=xen&include=talks", "event=summit", "speaker=grace&cancelled=hide"])
def test_view_is_offered_in_other_formats(app: Flask, query: str) -> None:
    sisters = [
        one.removeprefix(BASE_URL)
        for one in link_urls(get_page(app, f"/subscribe?{query}"))
        if one.startswith(BASE_URL)
    ]
    kinds = [fetch(app, sister).mimetype for sister in sisters]
    assert kinds[:2] == ["application/atom+xml", "text/csv"]
    assert set(kinds[2:]) == {"application/json"}
    assert [fetch(app, sister).status_code for sister in sisters] == [200] * len(sisters)


def test_feed_is_linked_in_the_head_and_filtered_pages_are_noindex(app: Flask) -> None:
    tree = get_page(app, "/subscribe?tag=xen")
    assert f"{BASE_URL}/calendar.ics?tag=xen" in [one.get("href") for one in tree.iter("link")]
    assert [one.get("content") for one in tree.iter("meta") if one.get("name") == "robots"] == ["noindex"]
    assert [one for one in get_page(app, "/subscribe").iter("meta") if one.get("name") == "robots"] == []


@pytest.mark.parametrize("query", ["event=nothing", "event=pending", "speaker=ada", "speaker=nobody"])
def test_unknown_and_unpublished_objects_return_404(app: Flask, query: str) -> None:
    assert fetch(app, f"/subscribe?{query}").status_code == 404


def test_errors_are_shown_beside_their_fields(app: Flask) -> None:
    answer = fetch(app, "/subscribe?from=yesterday&tag=xen&include=songs&cancelled=no&show=talks", Accept="text/html")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (422, "no-store")
    assert html_parse_errors(answer.text) == []
    tree = parse_html(answer.text)
    assert not [one for one in tree.iter("input") if one.get("id") == "address"]
    assert hidden_fields(tree) == [("tag", "xen")]
    said = {one.get("id"): element_text(one) for one in tree.iter("p") if one.get("class") == "fault"}
    assert said.keys() == {"fault-from", "fault-include", "fault-cancelled"}
    assert said["fault-cancelled"] == "must be one of: keep, hide, mark"
    described = {one.get("name") or one.tag: one.get("aria-describedby") for one in tree.iter()}
    assert described["from"] == "fault-from"
    (field,) = [one for one in tree.iter("input") if one.get("name") == "from"]
    assert (field.get("value"), field.get("aria-invalid")) == ("yesterday", "true")


def test_error_concerning_two_fields_keeps_both_values(app: Flask) -> None:
    answer = fetch(app, "/subscribe?from=2026-06-02&to=2026-06-01&kind=talk&kind=song&kind=dance", Accept="text/html")
    assert answer.status_code == 422
    assert html_parse_errors(answer.text) == []
    tree = parse_html(answer.text)
    assert hidden_fields(tree) == [("from", "2026-06-02")]
    typed = [one.get("value") for one in tree.iter("input") if one.get("aria-invalid")]
    assert sorted(value or "" for value in typed) == ["2026-06-01", "dance", "song", "talk"]


def test_invalid_input_is_escaped(app: Flask) -> None:
    answer = fetch(app, "/subscribe?from=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", Accept="text/html")
    assert (answer.status_code, "<script>alert" in answer.text) == (422, False)
