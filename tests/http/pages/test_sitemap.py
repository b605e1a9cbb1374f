"""The sitemap: every public page and no other, in files that readers take; and robots.txt, which leads to it."""

from datetime import datetime
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from eventcal.talks.models import Talk
from eventcal.web.pages.public import site
from tests.clocks import FixedClock
from tests.feed_support.fetching import fetch, make_calendar
from tests.http_app import problem, writing

BASE = "http://127.0.0.1:8000"
SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(autouse=True)
def _calendar(app: Flask) -> None:
    make_calendar(app)


def places(app: Flask, path: str, *, root: str = "urlset", element: str = "url") -> dict[str, str]:
    """Return the addresses in a file, with their dates."""
    answer = fetch(app, path)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    tree = ET.fromstring(answer.data)  # noqa: S314 - our own
    assert tree.tag == SPACE + root
    said = [(one.findtext(f"{SPACE}loc", ""), one.findtext(f"{SPACE}lastmod", "")) for one in tree]
    assert {one.tag for one in tree} == {SPACE + element}
    assert len(dict(said)) == len(said)
    return {url.removeprefix(BASE): date for url, date in said}


def test_it_names_what_is_public_and_nothing_else(app: Flask) -> None:
    said = places(app, "/sitemap.xml")
    assert sorted(said) == [
        "/",
        "/events/old",
        "/events/old/schedule",
        "/events/summit",
        "/events/summit/schedule",
        "/speakers/grace",
        "/talks/given",
        "/talks/scheduled",
        "/talks/waiting",
    ]
    assert [date for date in said.values() if datetime.fromisoformat(date).tzinfo is None] == []


def test_a_change_moves_the_dates_of_the_pages_that_show_it(app: Flask, clock: FixedClock) -> None:
    before = places(app, "/sitemap.xml")
    clock.tick(3600)
    with writing(app) as session:
        talk = session.get_one(Talk, "scheduled")
        talk.title, talk.updated_at = "Scheduled anew", clock.now()
    after = places(app, "/sitemap.xml")
    moved = {path for path, date in after.items() if date != before[path]}
    assert moved == {"/", "/talks/scheduled", "/events/summit/schedule"}


def test_it_is_kept_and_asked_for_again_like_a_feed(app: Flask) -> None:
    first = fetch(app, "/sitemap.xml")
    assert first.headers["Cache-Control"].startswith("public, max-age=300")
    assert fetch(app, "/sitemap.xml", If_None_Match=first.headers["ETag"]).status_code == 304


def test_a_long_one_is_an_index_of_files(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = places(app, "/sitemap.xml")
    assert places(app, "/sitemap-1.xml") == whole
    # What is kept belongs to the old length.
    monkeypatch.setattr(site, "MOST_URLS", 4)
    files = places(app, "/sitemap.xml?anew", root="sitemapindex", element="sitemap")
    assert list(files) == ["/sitemap-1.xml", "/sitemap-2.xml", "/sitemap-3.xml"]
    parts = [places(app, f"{path}?anew") for path in files]
    assert [len(part) for part in parts] == [4, 4, 1]
    assert {url: date for part in parts for url, date in part.items()} == whole
    assert list(files.values()) == [max(part.values()) for part in parts]


@pytest.mark.parametrize("number", ["0", "2", "01", "-1", "x", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 5000])
def test_there_is_no_file_beyond_the_last(app: Flask, number: str) -> None:
    assert problem(fetch(app, f"/sitemap-{number}.xml"))[0] == 404


def test_robots_are_led_to_it_and_kept_from_what_is_personal(app: Flask) -> None:
    answer = fetch(app, "/robots.txt")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    robots = RobotFileParser()
    robots.parse(answer.text.splitlines())
    assert robots.site_maps() == [f"{BASE}/sitemap.xml"]
    closed = ("/me", "/me/talks", "/organise/summit", "/login", "/register", "/submit", "/api/v1/auth/login")
    assert [path for path in closed if robots.can_fetch("Googlebot", path)] == []


def test_robots_may_read_feeds_and_public_pages(app: Flask) -> None:
    robots = RobotFileParser()
    robots.parse(fetch(app, "/robots.txt").text.splitlines())
    open_ = [
        *("/", "/calendar.ics?tag=xen", "/deadlines.ics", "/calendar.atom", "/calendar.csv", "/subscribe"),
        *("/events/summit", "/events/summit.ics", "/events/summit/schedule.xml", "/talks/scheduled.ics"),
        *("/speakers/grace.ics", "/feeds/a-secret.ics", "/sitemap.xml", "/api/v1/events"),
    ]
    assert [path for path in open_ if not robots.can_fetch("Google-Calendar-Importer", path)] == []
