"""The listing on other sites: as an iframe, a web component or by oEmbed, and the page that creates the code."""

from html import unescape
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus
from eventcal.talks.enums import TalkState
from eventcal.web.embeds.listing import parse_embed_query
from tests.clocks import FixedClock
from tests.factories import make_event, make_talk
from tests.feed_support.feed_client import create_calendar, fetch, get_validators
from tests.html_pages import element_text, fetched_urls, get_page, is_same_host, parse_html
from tests.http_app import create_test_app, error_pointers, get_json, status_and_code, write_session

BASE_URL = "http://127.0.0.1:8000"
HOSTILE = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&quot;{{ 7*7 }}"
MAX_EMBED_BYTES = 8000
FRAME_PATHS = [
    "/embed/listing",
    "/embed/listing?show=talks",
    "/embed/listing?talk=scheduled",
    "/embed/listing?from=nonsense",
]
FILTERS = [
    "",
    "tag=xen",
    "event=summit",
    "q=sched",
    "from=2026-01-01",
    "to=2025-01-01",
    "state=cancelled",
    "sort=-starts",
    "limit=1",
    "scheduled=true",
    "scheduled=false",
    "kind=talk",
    "tag=xen&city=Berlin&from=2026-06-01&to=2026-06-30",
]


@pytest.fixture
def calendar(app: Flask) -> None:
    create_calendar(app)
    with write_session(app) as session:
        off = make_event(session, slug="off", title="Called off", status=EventStatus.CANCELLED)
        make_talk(session, off, id="off-talk", title="Called off too", state=TalkState.CONFIRMED)


def listed_ids(app: Flask, path: str) -> list[str]:
    """Return the slugs or ids of the entries in an embed, in order."""
    return [item.get("data-id", "") for item in get_page(app, path).iter("li")]


def fetch_oembed(app: Flask, url: str, **more: str) -> dict[str, Any]:
    """Return the oEmbed response for a URL of this site."""
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    answer = fetch(app, f"/oembed?url={quote(url, safe='')}{asked}")
    assert answer.status_code == 200, answer.text
    return get_json(answer)


def iframe_url(response: dict[str, Any]) -> str:
    """Return the URL of the iframe in an oEmbed response, relative to the site."""
    frame = next(parse_html(response["html"]).iter("iframe"))
    assert frame.get("src", "").startswith(f"{BASE_URL}/embed/listing?")
    return frame.get("src", "").removeprefix(BASE_URL)


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("path", FRAME_PATHS)
def test_embed_can_be_framed_by_any_site_under_a_strict_policy(app: Flask, path: str) -> None:
    headers = fetch(app, path).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "style-src 'self'", "form-action 'none'", "base-uri 'none'", "frame-ancestors *"} == {
        *policy
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not {"X-Frame-Options", "Set-Cookie"} & set(headers.keys())


@pytest.mark.usefixtures("calendar")
def test_other_pages_cannot_be_framed(app: Flask) -> None:
    for path in ("/embed", "/embed?show=talks&from=nonsense", "/talks/scheduled"):
        assert "frame-ancestors 'none'" in fetch(app, path).headers["Content-Security-Policy"]


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("show", ["events", "talks"])
@pytest.mark.parametrize("query", FILTERS)
def test_embed_contains_the_entries_of_the_api_list(app: Flask, show: str, query: str) -> None:
    items = get_json(fetch(app, f"/api/v1/{show}?{query}"))["items"]
    listed = [item.get("id") or item["slug"] for item in items]
    assert listed_ids(app, f"/embed/listing?show={show}&{query}&utm_source=x") == listed


@pytest.mark.usefixtures("calendar")
def test_embed_shows_status_speakers_time_and_time_zone(app: Flask) -> None:
    events, talks = (element_text(get_page(app, f"/embed/listing?show={show}")) for show in ("events", "talks"))
    assert "Called off Cancelled Wed, Jun 10, 2026" in events
    assert "Scheduled Grace Hopper Wed, Jun 10, 2026, 1:30" in talks
    assert "Europe/Berlin" in talks
    assert "Waiting Grace Hopper The time is not known yet." in talks


@pytest.mark.usefixtures("calendar")
def test_embed_links_open_in_a_new_tab(app: Flask) -> None:
    tree = get_page(app, "/embed/listing?show=talks&limit=1")
    links = list(tree.iter("a"))
    assert {(link.get("target"), link.get("rel")) for link in links} == {("_blank", "noopener")}
    assert [link.get("href") for link in links] == [
        f"{BASE_URL}/",
        f"{BASE_URL}/talks/given",
        f"{BASE_URL}/?show=talks",
        f"{BASE_URL}/subscribe?show=talks",
    ]
    assert not list(tree.iter("script"))
    assert all(map(is_same_host, fetched_urls(tree)))


@pytest.mark.usefixtures("calendar")
def test_from_today_follows_the_current_date(app: Flask, clock: FixedClock) -> None:
    path = "/embed/listing?from=today"
    assert listed_ids(app, path) == listed_ids(app, "/embed/listing?from=2026-03-01")
    assert "summit" in listed_ids(app, path)
    assert listed_ids(app, f"{path}&to=2025-01-01") == []
    clock.tick(150 * 24 * 3600)
    assert listed_ids(app, path) == []


def test_embed_shows_the_next_occurrence_of_a_recurring_event(app: Flask) -> None:
    with write_session(app) as session:
        make_event(
            session,
            slug="weekly",
            starts="2025-01-07T18:00:00",
            ends="2025-01-07T20:00:00",
            recurrence="FREQ=WEEKLY",
        )
    for path in ("/embed/listing?from=today", "/embed/listing"):
        assert "Tue, Mar 3, 2026, 6:00" in element_text(get_page(app, path))


@pytest.mark.usefixtures("calendar")
def test_invalid_embed_url_is_explained_in_html(app: Flask) -> None:
    answer = fetch(app, "/embed/listing?from=nonsense&country=xyz&show=all&theme=red&q=a")
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    said = [element_text(item).partition(":")[0] for item in parse_html(answer.text).iter("li")]
    assert sorted(said) == ["country", "from", "show", "theme"]
    gone = fetch(app, "/embed/listing?talk=draft", Accept_Language="de")
    assert (gone.status_code, gone.mimetype, gone.headers["Content-Language"]) == (404, "text/html", "de")


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("path", ["/embed/listing?show=talks", "/embed", "/embed.js", f"/oembed?url={BASE_URL}/"])
def test_unchanged_representation_returns_304(app: Flask, path: str) -> None:
    first = fetch(app, path, Accept_Encoding="gzip")
    again = fetch(app, path, Accept_Encoding="gzip", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    assert get_validators(again) == get_validators(first)


@pytest.mark.usefixtures("calendar")
def test_embed_uses_the_requested_language_and_theme(app: Flask) -> None:
    root = get_page(app, "/embed/listing?lang=de&theme=dark", Accept_Language="en")
    html = root if root.tag == "html" else root.find("html")
    assert html is not None
    assert (html.get("lang"), html.get("class")) == ("de", "dark")
    assert fetch(app, "/embed/listing", Accept_Language="de").headers["Content-Language"] == "de"


@pytest.mark.parametrize(
    "path", ["/embed/listing", "/embed/listing?show=talks", f"/embed/listing?from={quote(HOSTILE)}"]
)
def test_user_text_is_escaped_in_an_embed(app: Flask, path: str) -> None:
    with write_session(app) as session:
        event = make_event(session, title=HOSTILE, venue=HOSTILE, city=HOSTILE[:100], rooms=["x"])
        make_talk(session, event, id="t", title=HOSTILE, state=TalkState.CONFIRMED)
    tree = parse_html(fetch(app, path).text)
    assert not [element for tag in ("script", "img", "textarea") for element in tree.iter(tag)]
    # An error message quotes the beginning of a value.
    assert HOSTILE[:20] in "".join(tree.itertext())


# The script


def test_script_allows_cross_origin_use_and_is_cacheable_for_an_hour(app: Flask) -> None:
    answer = fetch(app, "/embed.js", Origin="https://community.example")
    assert (answer.status_code, answer.content_type) == (200, "text/javascript; charset=utf-8")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert not answer.headers["ETag"].startswith("W/")
    assert "Set-Cookie" not in answer.headers


def test_compressed_script_is_smaller_than_the_limit(app: Flask) -> None:
    sizes = {coding: len(fetch(app, "/embed.js", Accept_Encoding=coding).data) for coding in ("gzip", "br")}
    assert max(sizes.values()) < MAX_EMBED_BYTES, sizes


@pytest.mark.parametrize("word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "Function(", ".style"])
def test_script_uses_nothing_that_a_strict_csp_forbids(app: Flask, word: str) -> None:
    assert word not in fetch(app, "/embed.js").text


def test_script_supports_every_filter_of_the_api_lists(app: Flask) -> None:
    source = fetch(app, "/embed.js").text
    parameters = get_json(fetch(app, "/api/v1/openapi.json"))["paths"]["/api/v1/talks"]["get"]["parameters"]
    names = {one["name"] for one in parameters if one.get("in") == "query"} - {"cursor"}
    assert len(names) > 15
    assert [name for name in names if f'"{name}"' not in source] == []


# oEmbed


@pytest.mark.usefixtures("calendar")
def test_oembed_of_the_listing_keeps_its_filters(app: Flask) -> None:
    said = fetch_oembed(app, f"{BASE_URL}/?tag=xen&show=talks&from=2026-01-01&utm_source=x")
    assert {name: value for name, value in said.items() if name != "html"} == {
        "type": "rich",
        "version": "1.0",
        "title": "eventcal",
        "provider_name": "eventcal",
        "provider_url": f"{BASE_URL}/",
        "cache_age": 3600,
        "width": 640,
        "height": 480,
    }
    assert iframe_url(said) == "/embed/listing?from=2026-01-01&tag=xen&show=talks"
    assert iframe_url(fetch_oembed(app, BASE_URL)) == "/embed/listing?from=today"


@pytest.mark.usefixtures("calendar")
def test_oembed_of_an_event_shows_its_talks_and_of_a_talk_the_talk(app: Flask) -> None:
    event, talk = (
        fetch_oembed(app, f"{BASE_URL}/events/summit"),
        fetch_oembed(app, f"{BASE_URL}/talks/scheduled?lang=de"),
    )
    assert listed_ids(app, iframe_url(event)) == ["waiting", "scheduled"]
    assert listed_ids(app, iframe_url(talk)) == ["scheduled"]
    assert fetch(app, iframe_url(talk)).headers["Content-Language"] == "de"
    assert iframe_url(fetch_oembed(app, f"{BASE_URL}/events/summit/schedule")) == iframe_url(event)
    assert talk["title"] == "Scheduled"
    assert talk["height"] < event["height"]


@pytest.mark.usefixtures("calendar")
def test_oembed_respects_the_maximum_width_and_height(app: Flask) -> None:
    said = fetch_oembed(app, f"{BASE_URL}/", maxwidth="300", maxheight="9999", dnt="true")
    assert (said["width"], said["height"]) == (300, 480)
    assert 'width="300" height="480"' in said["html"]


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://example.org/talks/scheduled",
        f"{BASE_URL}.example.org/",
        f"{BASE_URL}@example.org/",
        f"{BASE_URL}/talks/draft",
        f"{BASE_URL}/talks/none",
        f"{BASE_URL}/events/pending",
        f"{BASE_URL}/events/none%00",
        f"{BASE_URL}/events",
        f"{BASE_URL}/me",
        f"{BASE_URL}/api/v1/talks",
        "javascript:alert(1)",
        "http://[",
        "/talks/scheduled",
    ],
)
def test_oembed_returns_404_for_anything_but_public_pages_of_this_site(app: Flask, url: str) -> None:
    status, code = status_and_code(fetch(app, f"/oembed?url={quote(url, safe='')}"))
    assert (status, code.startswith(("no", "not"))) == (404, True)


@pytest.mark.parametrize("format", ["xml", "yaml"])
def test_oembed_supports_only_json(app: Flask, format: str) -> None:  # noqa: A002 - as the parameter
    assert status_and_code(fetch(app, f"/oembed?url={BASE_URL}/&format={format}"))[0] == 501
    assert fetch(app, f"/oembed?url={BASE_URL}/&format=json").status_code == 200


def test_oembed_names_the_invalid_parameters(app: Flask) -> None:
    assert error_pointers(fetch(app, "/oembed")) == ["url"]
    assert error_pointers(fetch(app, f"/oembed?url={BASE_URL}/&maxwidth=-1&maxheight=0")) == ["maxheight", "maxwidth"]
    assert error_pointers(fetch(app, f"/oembed?url={quote(BASE_URL + '/?from=x', safe='')}")) == ["from"]


def test_hostile_title_is_escaped_in_the_oembed_html(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="e")
        make_talk(session, event, id="t", title=HOSTILE, state=TalkState.CONFIRMED)
    said = fetch_oembed(app, f"{BASE_URL}/talks/t")
    tree = parse_html(said["html"])
    assert said["title"] == HOSTILE
    assert [frame.get("title") for frame in tree.iter("iframe")] == [HOSTILE]
    assert not [element for tag in ("script", "img") for element in tree.iter(tag)]


def test_oembed_supports_a_base_url_with_a_path(sqlite_url: str, clock: FixedClock) -> None:
    with create_test_app(sqlite_url, clock, base_url="https://example.org/calendar") as app:
        assert fetch(app, "/oembed?url=https://example.org/calendar").status_code == 200
        assert fetch(app, "/oembed?url=https://example.org/calendar/?tag=x").status_code == 200
        assert fetch(app, "/oembed?url=https://example.org/").status_code == 404
        assert fetch(app, "/oembed?url=https://example.org/calendars/").status_code == 404


@pytest.mark.usefixtures("calendar")
def test_talk_page_links_to_its_oembed_endpoint(app: Flask) -> None:
    links = [
        one for one in get_page(app, "/talks/scheduled").iter("link") if one.get("type") == "application/json+oembed"
    ]
    assert len(links) == 1
    path = urlsplit(links[0].get("href", ""))
    assert get_json(fetch(app, f"{path.path}?{path.query}"))["title"] == "Scheduled"


# The page that creates the code


def fetch_snippets(app: Flask, path: str) -> list[str]:
    """Return the code to copy: the iframe and the web component."""
    return ["".join(area.itertext()) for area in get_page(app, path).iter("textarea")]


@pytest.mark.usefixtures("calendar")
def test_both_snippets_and_the_preview_use_the_form_values(app: Flask) -> None:
    path = (
        "/embed?show=talks&tag=xen&tag=a|b&kind=talk,keynote&words=de&theme=dark&limit=5&from=today&track=Rooms%2C+all"
    )
    frame, element = (parse_html(html) for html in fetch_snippets(app, path))
    src = next(frame.iter("iframe")).get("src", "")
    assert src.startswith(f"{BASE_URL}/embed/listing?")
    assert fetch(app, src.removeprefix(BASE_URL)).headers["Content-Language"] == "de"
    assert next(get_page(app, path).iter("iframe")).get("src") == src.removeprefix(BASE_URL)
    assert [script.get("src") for script in element.iter("script")] == [f"{BASE_URL}/embed.js"]
    assert next(element.iter("eventcal-listing")).attrib == {
        "src": BASE_URL,
        "show": "talks",
        "tag": "a|b|xen",
        "kind": "keynote,talk",
        "lang": "de",
        "theme": "dark",
        "limit": "5",
        "from": "today",
        "track": "Rooms, all",
    }


@pytest.mark.usefixtures("calendar")
def test_default_embed_contains_upcoming_entries_only(app: Flask) -> None:
    frame, _element = fetch_snippets(app, "/embed")
    assert "/embed/listing?from=today&limit=10" in unescape(frame)
    assert "from=today" not in fetch_snippets(app, "/embed?show=events")[0]
    assert "tag=xen" in fetch_snippets(app, "/embed?tag=xen")[0]


@pytest.mark.usefixtures("calendar")
def test_only_the_embed_page_may_contain_frames(app: Flask) -> None:
    assert "frame-src 'self'" in fetch(app, "/embed").headers["Content-Security-Policy"]
    assert "frame-src" not in fetch(app, "/talks/scheduled").headers["Content-Security-Policy"]


def test_form_keeps_parameters_without_a_field(app: Flask) -> None:
    tree = get_page(app, "/embed?show=talks&room=Hall&tag=a&tag=b&lang=de&words=en")
    hidden = {(one.get("name"), one.get("value")) for one in tree.iter("input") if one.get("type") == "hidden"}
    assert hidden == {("room", "Hall"), ("tag", "b"), ("lang", "de")}


def test_errors_are_shown_beside_their_fields(app: Flask) -> None:
    answer = fetch(app, "/embed?show=talks&country=xyz&limit=0&from=nonsense")
    assert answer.status_code == 422
    tree = parse_html(answer.text)
    wrong = {one.get("name") for one in tree.iter("input") if one.get("aria-invalid") == "true"}
    assert wrong == {"country", "limit"}
    alert = next(one for one in tree.iter("div") if one.get("role") == "alert")
    assert "From" in element_text(alert)
    assert not list(tree.iter("iframe"))


@pytest.mark.parametrize("name", ["q", "tag", "city", "room"])
def test_form_values_are_escaped_in_the_snippets(app: Flask, name: str) -> None:
    path = f"/embed?show=talks&{name}={quote(HOSTILE, safe='')}"
    frame, element = fetch_snippets(app, path)
    tree = parse_html(frame + element)
    assert not list(tree.iter("img"))
    assert len(list(tree.iter("script"))) == 1
    assert next(tree.iter("eventcal-listing")).get(name) == HOSTILE


def test_embed_parsed_from_its_own_path_is_equal(app: Flask) -> None:
    with app.test_request_context(
        "/embed/listing?show=talks&theme=dark&tag=b&tag=a&from=today&talk=x&limit=3"
    ) as context:
        asked = parse_embed_query(context.request.args)
        path = asked.iframe_path
    with app.test_request_context(path) as context:
        assert parse_embed_query(context.request.args) == asked
