"""Rules for all public pages: caching, resources, valid HTML and escaping of user text."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask

from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.enums import TalkState
from tests.clocks import FixedClock
from tests.factories import make_event, make_member, make_speaker, make_sponsor, make_sponsorship, make_talk, make_tier
from tests.feed_support.feed_client import fetch
from tests.html_pages import (
    accessibility_errors,
    element_text,
    fetched_urls,
    get_page,
    html_parse_errors,
    is_same_host,
    parse_html,
)
from tests.http_app import database_of, write_session
from tests.sql_statements import record_statements

PUBLIC_PAGES: Mapping[str, str] = {
    "/": "/",
    "/talks/<talk_id>": "/talks/talk",
    "/events/<slug>": "/events/summit",
    "/events/<slug>/schedule": "/events/summit/schedule",
    "/speakers/<slug>": "/speakers/ada",
    "/subscribe": "/subscribe",
}
# Not pages themselves, but redirects to pages or resources shown on them.
NON_PAGE_RULES = {"/favicon.ico", "/language/<code>", "/media/<name>"}
PAGE_PATHS = [
    *PUBLIC_PAGES.values(),
    "/?show=talks",
    "/?view=month&month=2026-06",
    "/?view=month&month=2026-06&show=talks",
    "/?q=nothing-of-the-kind",
    "/?tag=a&country=DE&from=2026-06-01",
    "/events/summit/schedule?as=list",
    "/events/summit/schedule?day=2026-06-11",
    "/talks/talk?tz=Asia/Tokyo",
    "/talks/waiting",
    "/subscribe?event=summit",
    "/subscribe?tag=a&show=talks",
]

# Unless escaped, each part closes an element, an attribute or a script in some context.
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></title></script><!-- &quot; {{ 7*7 }} </textarea>"


@pytest.fixture
def calendar(app: Flask) -> None:
    add_objects(app, "")


def add_objects(app: Flask, text: str) -> None:
    """Create an event with one object of each kind, containing this text wherever users may enter text."""
    with write_session(app) as session:
        member = make_member(session, name=f"Mo {text}")
        ada = make_speaker(
            session, slug="ada", name=f"Ada {text}", job_title=f"Analyst {text}", affiliation=f"Engine {text}", bio=text
        )
        event = make_event(
            session,
            slug="summit",
            title=f"Summit {text}",
            summary=f"Short {text}",
            description=f"Long {text}\n\n[x](javascript:alert(1))",
            venue=f"Hall {text}",
            address=f"Street {text}",
            city=f"Berlin {text}"[:100],
            country="DE",
            series=f"Series {text}"[:80],
            tags=["a", f"b{text}"[:50]],
            tracks=[f"Track {text}"[:80]],
            rooms=[f"Room {text}"[:80], "Other"],
            latitude=52.5,
            longitude=13.4,
            url="https://summit.example.org/?a='b'",
            online_url="https://live.example.org/",
            starts="2026-06-10",
            ends="2026-06-11",
        )
        first = make_talk(
            session,
            event,
            id="talk",
            title=f"Talk {text}",
            abstract=f"Abstract {text}",
            state=TalkState.CONFIRMED,
            submitter=member,
            speakers=[ada],
            tags=[f"c{text}"[:50]],
            starts="2026-06-10T10:00:00",
            room=event.rooms[0].name,
            track=event.tracks[0].name,
        )
        make_talk(
            session,
            event,
            id="waiting",
            title=f"Waiting {text}",
            state=TalkState.CONFIRMED,
            speakers=first.speaker_rows,
        )
        sponsor = make_sponsor(session, slug="citrix", name=f"Citrix {text}")
        gold = make_tier(session, event, name=f"Gold {text}"[:80])
        make_sponsorship(session, gold, sponsor=sponsor, state=SponsorshipState.CONFIRMED)


def access_name(app: Flask, endpoint: str) -> str:
    view: Any = app.view_functions[endpoint]
    return str(view.access.name)


def test_every_public_page_is_covered_here(app: Flask) -> None:
    everybodys = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and access_name(app, rule.endpoint) == "feed"
    }
    assert {rule for rule in everybodys if not rule.endswith(".xml")} - NON_PAGE_RULES == PUBLIC_PAGES.keys()


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("path", PAGE_PATHS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_page_is_valid_html_and_loads_nothing_from_other_sites(app: Flask, path: str, language: str) -> None:
    tree = get_page(app, path, Accept_Language=language)
    root = tree if tree.tag == "html" else tree.find("html")
    assert root is not None
    assert root.get("lang") == language
    assert [url for url in fetched_urls(tree) if not is_same_host(url)] == []
    assert accessibility_errors(tree) == []


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("path", PUBLIC_PAGES.values())
def test_page_has_strict_security_headers_and_sets_no_cookie(app: Flask, path: str) -> None:
    headers = fetch(app, path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "Strict-Transport-Security" not in headers
    assert "Set-Cookie" not in headers


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize("path", PUBLIC_PAGES.values())
def test_unchanged_page_takes_one_statement_and_returns_304(app: Flask, path: str) -> None:
    first = fetch(app, path)
    with record_statements(database_of(app)) as seen:
        again = fetch(app, path, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "public, no-cache")
    assert len([one for one in seen if one.startswith("SELECT")]) == 1


@pytest.mark.usefixtures("calendar")
def test_page_is_cached_separately_per_language(app: Flask) -> None:
    answers = {language: fetch(app, "/talks/talk", Accept_Language=language) for language in ("en", "de", "fr")}
    assert {language: answer.headers["Content-Language"] for language, answer in answers.items()} == {
        "en": "en",
        "de": "de",
        "fr": "en",
    }
    assert answers["en"].data == answers["fr"].data != answers["de"].data
    assert all("Accept-Language" in answer.headers["Vary"] for answer in answers.values())
    assert fetch(app, "/talks/talk?lang=de", Accept_Language="en").headers["Content-Language"] == "de"


def test_change_is_visible_immediately_and_other_pages_stay_cached(app: Flask, clock: FixedClock) -> None:
    add_objects(app, "")
    before = fetch(app, "/talks/talk")
    clock.tick(60)
    with write_session(app) as session:
        event = make_event(session, slug="other", title="Other")
        make_talk(session, event, id="other-talk", title="Brand new", state=TalkState.CONFIRMED)
    assert fetch(app, "/talks/talk", If_None_Match=before.headers["ETag"]).status_code == 304
    assert "Brand new" in element_text(get_page(app, "/?show=talks&from=2026-01-01"))


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_user_text_is_escaped(app: Flask, path: str) -> None:
    add_objects(app, HOSTILE)
    answer = fetch(app, path, Accept="text/html")
    assert answer.status_code == 200
    assert html_parse_errors(answer.text) == []
    tree = parse_html(answer.text)
    scripts = [(one.get("src"), one.get("type")) for one in tree.iter("script")]
    assert {script for script in scripts if script[1] != "application/ld+json"} == {("/static/site.js", None)}
    assert {one.get("src") for one in tree.iter("img")} == {"/static/icon.svg"}
    assert [name for element in tree.iter() for name in element.attrib if name.startswith("on")] == []
    assert [one.get("href") for one in tree.iter("a") if one.get("href", "").startswith("javascript")] == []
    if "&lt;/title&gt;" in answer.text:
        assert "{{ 7*7 }}" in answer.text


@pytest.mark.usefixtures("calendar")
def test_gzipped_page_is_smaller_than_30_kb(app: Flask) -> None:
    sizes = {path: len(fetch(app, path, Accept_Encoding="gzip").data) for path in PUBLIC_PAGES.values()}
    assert max(sizes.values()) < 30_000, sizes
