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
from tests.feed_support.fetching import fetch, make_calendar, validators
from tests.http_app import json_of, pointers, problem, running, writing
from tests.make import make_event, make_talk
from tests.pages import fetched_by, is_ours, page, text_of, tree_of

BASE = "http://127.0.0.1:8000"
HOSTILE = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&quot;{{ 7*7 }}"
SMALL = 8000
FRAMES = [
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
    make_calendar(app)
    with writing(app) as session:
        off = make_event(session, slug="off", title="Called off", status=EventStatus.CANCELLED)
        make_talk(session, off, id="off-talk", title="Called off too", state=TalkState.CONFIRMED)


def ids(app: Flask, path: str) -> list[str]:
    """Return the slugs or ids of the entries in an embed, in order."""
    return [item.get("data-id", "") for item in page(app, path).iter("li")]


def oembed(app: Flask, url: str, **more: str) -> dict[str, Any]:
    """Return the oEmbed response for a URL of this site."""
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    answer = fetch(app, f"/oembed?url={quote(url, safe='')}{asked}")
    assert answer.status_code == 200, answer.text
    return json_of(answer)


def framed_by(said: dict[str, Any]) -> str:
    """Return the URL of the iframe in an oEmbed response, relative to the site."""
    frame = next(tree_of(said["html"]).iter("iframe"))
    assert frame.get("src", "").startswith(f"{BASE}/embed/listing?")
    return frame.get("src", "").removeprefix(BASE)


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("path", FRAMES)
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
    items = json_of(fetch(app, f"/api/v1/{show}?{query}"))["items"]
    listed = [item.get("id") or item["slug"] for item in items]
    assert ids(app, f"/embed/listing?show={show}&{query}&utm_source=x") == listed


@pytest.mark.usefixtures("calendar")
def test_embed_shows_status_speakers_time_and_time_zone(app: Flask) -> None:
    events, talks = (text_of(page(app, f"/embed/listing?show={show}")) for show in ("events", "talks"))
    assert "Called off Cancelled Wed, Jun 10, 2026" in events
    assert "Scheduled Grace Hopper Wed, Jun 10, 2026, 1:30" in talks
    assert "Europe/Berlin" in talks
    assert "Waiting Grace Hopper The time is not known yet." in talks


@pytest.mark.usefixtures("calendar")
def test_embed_links_open_in_a_new_tab(app: Flask) -> None:
    tree = page(app, "/embed/listing?show=talks&limit=1")
    links = list(tree.iter("a"))
    assert {(link.get("target"), link.get("rel")) for link in links} == {("_blank", "noopener")}
    assert [link.get("href") for link in links] == [
        f"{BASE}/",
        f"{BASE}/talks/given",
        f"{BASE}/?show=talks",
        f"{BASE}/subscribe?show=talks",
    ]
    assert not list(tree.iter("script"))
    assert all(map(is_ours, fetched_by(tree)))


@pytest.mark.usefixtures("calendar")
def test_from_today_follows_the_current_date(app: Flask, clock: FixedClock) -> None:
    path = "/embed/listing?from=today"
    assert ids(app, path) == ids(app, "/embed/listing?from=2026-03-01")
    assert "summit" in ids(app, path)
    assert ids(app, f"{path}&to=2025-01-01") == []
    clock.tick(150 * 24 * 3600)
    assert ids(app, path) == []


def test_embed_shows_the_next_occurrence_of_a_recurring_event(app: Flask) -> None:
    with writing(app) as session:
        make_event(
            session,
            slug="weekly",
            starts="2025-01-07T18:00:00",
            ends="2025-01-07T20:00:00",
            recurrence="FREQ=WEEKLY",
        )
    for path in ("/embed/listing?from=today", "/embed/listing"):
        assert "Tue, Mar 3, 2026, 6:00" in text_of(page(app, path))


@pytest.mark.usefixtures("calendar")
def test_invalid_embed_url_is_explained_in_html(app: Flask) -> None:
    answer = fetch(app, "/embed/listing?from=nonsense&country=xyz&show=all&theme=red&q=a")
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    said = [text_of(item).partition(":")[0] for item in tree_of(answer.text).iter("li")]
    assert sorted(said) == ["country", "from", "show", "theme"]
    gone = fetch(app, "/embed/listing?talk=draft", Accept_Language="de")
    assert (gone.status_code, gone.mimetype, gone.headers["Content-Language"]) == (404, "text/html", "de")


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("path", ["/embed/listing?show=talks", "/embed", "/embed.js", f"/oembed?url={BASE}/"])
def test_unchanged_representation_returns_304(app: Flask, path: str) -> None:
    first = fetch(app, path, Accept_Encoding="gzip")
    again = fetch(app, path, Accept_Encoding="gzip", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    assert validators(again) == validators(first)


@pytest.mark.usefixtures("calendar")
def test_embed_uses_the_requested_language_and_theme(app: Flask) -> None:
    root = page(app, "/embed/listing?lang=de&theme=dark", Accept_Language="en")
    html = root if root.tag == "html" else root.find("html")
    assert html is not None
    assert (html.get("lang"), html.get("class")) == ("de", "dark")
    assert fetch(app, "/embed/listing", Accept_Language="de").headers["Content-Language"] == "de"


@pytest.mark.parametrize(
    "path", ["/embed/listing", "/embed/listing?show=talks", f"/embed/listing?from={quote(HOSTILE)}"]
)
def test_user_text_is_escaped_in_an_embed(app: Flask, path: str) -> None:
    with writing(app) as session:
        event = make_event(session, title=HOSTILE, venue=HOSTILE, city=HOSTILE[:100], rooms=["x"])
        make_talk(session, event, id="t", title=HOSTILE, state=TalkState.CONFIRMED)
    tree = tree_of(fetch(app, path).text)
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
    assert max(sizes.values()) < SMALL, sizes


@pytest.mark.parametrize("word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "Function(", ".style"])
def test_script_uses_nothing_that_a_strict_csp_forbids(app: Flask, word: str) -> None:
    assert word not in fetch(app, "/embed.js").text


def test_script_supports_every_filter_of_the_api_lists(app: Flask) -> None:
    source = fetch(app, "/embed.js").text
    parameters = json_of(fetch(app, "/api/v1/openapi.json"))["paths"]["/api/v1/talks"]["get"]["parameters"]
    names = {one["name"] for one in parameters if one.get("in") == "query"} - {"cursor"}
    assert len(names) > 15
    assert [name for name in names if f'"{name}"' not in source] == []


# oEmbed


@pytest.mark.usefixtures("calendar")
def test_oembed_of_the_listing_keeps_its_filters(app: Flask) -> None:
    said = oembed(app, f"{BASE}/?tag=xen&show=talks&from=2026-01-01&utm_source=x")
    assert {name: value for name, value in said.items() if name != "html"} == {
        "type": "rich",
        "version": "1.0",
        "title": "eventcal",
        "provider_name": "eventcal",
        "provider_url": f"{BASE}/",
        "cache_age": 3600,
        "width": 640,
        "height": 480,
    }
    assert framed_by(said) == "/embed/listing?from=2026-01-01&tag=xen&show=talks"
    assert framed_by(oembed(app, BASE)) == "/embed/listing?from=today"


@pytest.mark.usefixtures("calendar")
def test_oembed_of_an_event_shows_its_talks_and_of_a_talk_the_talk(app: Flask) -> None:
    event, talk = oembed(app, f"{BASE}/events/summit"), oembed(app, f"{BASE}/talks/scheduled?lang=de")
    assert ids(app, framed_by(event)) == ["waiting", "scheduled"]
    assert ids(app, framed_by(talk)) == ["scheduled"]
    assert fetch(app, framed_by(talk)).headers["Content-Language"] == "de"
    assert framed_by(oembed(app, f"{BASE}/events/summit/schedule")) == framed_by(event)
    assert talk["title"] == "Scheduled"
    assert talk["height"] < event["height"]


@pytest.mark.usefixtures("calendar")
def test_oembed_respects_the_maximum_width_and_height(app: Flask) -> None:
    said = oembed(app, f"{BASE}/", maxwidth="300", maxheight="9999", dnt="true")
    assert (said["width"], said["height"]) == (300, 480)
    assert 'width="300" height="480"' in said["html"]


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://example.org/talks/scheduled",
        f"{BASE}.example.org/",
        f"{BASE}@example.org/",
        f"{BASE}/talks/draft",
        f"{BASE}/talks/none",
        f"{BASE}/events/pending",
        f"{BASE}/events/none%00",
        f"{BASE}/events",
        f"{BASE}/me",
        f"{BASE}/api/v1/talks",
        "javascript:alert(1)",
        "http://[",
        "/talks/scheduled",
    ],
)
def test_oembed_returns_404_for_anything_but_public_pages_of_this_site(app: Flask, url: str) -> None:
    status, code = problem(fetch(app, f"/oembed?url={quote(url, safe='')}"))
    assert (status, code.startswith(("no", "not"))) == (404, True)


@pytest.mark.parametrize("format", ["xml", "yaml"])
def test_oembed_supports_only_json(app: Flask, format: str) -> None:  # noqa: A002 - as the parameter
    assert problem(fetch(app, f"/oembed?url={BASE}/&format={format}"))[0] == 501
    assert fetch(app, f"/oembed?url={BASE}/&format=json").status_code == 200


def test_oembed_names_the_invalid_parameters(app: Flask) -> None:
    assert pointers(fetch(app, "/oembed")) == ["url"]
    assert pointers(fetch(app, f"/oembed?url={BASE}/&maxwidth=-1&maxheight=0")) == ["maxheight", "maxwidth"]
    assert pointers(fetch(app, f"/oembed?url={quote(BASE + '/?from=x', safe='')}")) == ["from"]


def test_hostile_title_is_escaped_in_the_oembed_html(app: Flask) -> None:
    with writing(app) as session:
        event = make_event(session, slug="e")
        make_talk(session, event, id="t", title=HOSTILE, state=TalkState.CONFIRMED)
    said = oembed(app, f"{BASE}/talks/t")
    tree = tree_of(said["html"])
    assert said["title"] == HOSTILE
    assert [frame.get("title") for frame in tree.iter("iframe")] == [HOSTILE]
    assert not [element for tag in ("script", "img") for element in tree.iter(tag)]


def test_oembed_supports_a_base_url_with_a_path(sqlite_url: str, clock: FixedClock) -> None:
    with running(sqlite_url, clock, base_url="https://example.org/calendar") as app:
        assert fetch(app, "/oembed?url=https://example.org/calendar").status_code == 200
        assert fetch(app, "/oembed?url=https://example.org/calendar/?tag=x").status_code == 200
        assert fetch(app, "/oembed?url=https://example.org/").status_code == 404
        assert fetch(app, "/oembed?url=https://example.org/calendars/").status_code == 404


@pytest.mark.usefixtures("calendar")
def test_talk_page_links_to_its_oembed_endpoint(app: Flask) -> None:
    links = [one for one in page(app, "/talks/scheduled").iter("link") if one.get("type") == "application/json+oembed"]
    assert len(links) == 1
    path = urlsplit(links[0].get("href", ""))
    assert json_of(fetch(app, f"{path.path}?{path.query}"))["title"] == "Scheduled"


# The page that creates the code


def snippets(app: Flask, path: str) -> list[str]:
    """Return the code to copy: the iframe and the web component."""
    return ["".join(area.itertext()) for area in page(app, path).iter("textarea")]


@pytest.mark.usefixtures("calendar")
def test_both_snippets_and_the_preview_use_the_form_values(app: Flask) -> None:
    path = (
        "/embed?show=talks&tag=xen&tag=a|b&kind=talk,keynote&words=de&theme=dark&limit=5&from=today&track=Rooms%2C+all"
    )
    frame, element = (tree_of(html) for html in snippets(app, path))
    src = next(frame.iter("iframe")).get("src", "")
    assert src.startswith(f"{BASE}/embed/listing?")
    assert fetch(app, src.removeprefix(BASE)).headers["Content-Language"] == "de"
    assert next(page(app, path).iter("iframe")).get("src") == src.removeprefix(BASE)
    assert [script.get("src") for script in element.iter("script")] == [f"{BASE}/embed.js"]
    assert next(element.iter("eventcal-listing")).attrib == {
        "src": BASE,
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
    frame, _element = snippets(app, "/embed")
    assert "/embed/listing?from=today&limit=10" in unescape(frame)
    assert "from=today" not in snippets(app, "/embed?show=events")[0]
    assert "tag=xen" in snippets(app, "/embed?tag=xen")[0]


@pytest.mark.usefixtures("calendar")
def test_only_the_embed_page_may_contain_frames(app: Flask) -> None:
    assert "frame-src 'self'" in fetch(app, "/embed").headers["Content-Security-Policy"]
    assert "frame-src" not in fetch(app, "/talks/scheduled").headers["Content-Security-Policy"]


def test_form_keeps_parameters_without_a_field(app: Flask) -> None:
    tree = page(app, "/embed?show=talks&room=Hall&tag=a&tag=b&lang=de&words=en")
    hidden = {(one.get("name"), one.get("value")) for one in tree.iter("input") if one.get("type") == "hidden"}
    assert hidden == {("room", "Hall"), ("tag", "b"), ("lang", "de")}


def test_errors_are_shown_beside_their_fields(app: Flask) -> None:
    answer = fetch(app, "/embed?show=talks&country=xyz&limit=0&from=nonsense")
    assert answer.status_code == 422
    tree = tree_of(answer.text)
    wrong = {one.get("name") for one in tree.iter("input") if one.get("aria-invalid") == "true"}
    assert wrong == {"country", "limit"}
    alert = next(one for one in tree.iter("div") if one.get("role") == "alert")
    assert "From" in text_of(alert)
    assert not list(tree.iter("iframe"))


@pytest.mark.parametrize("name", ["q", "tag", "city", "room"])
def test_form_values_are_escaped_in_the_snippets(app: Flask, name: str) -> None:
    path = f"/embed?show=talks&{name}={quote(HOSTILE, safe='')}"
    frame, element = snippets(app, path)
    tree = tree_of(frame + element)
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
