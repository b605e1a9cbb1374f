"""The sitemap: all public pages and no others, split into files if necessary; and robots.txt, which refers to it."""

from datetime import datetime
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from eventcal.talks.models import Talk
from eventcal.web.pages.public import sitemap_and_media
from tests.clocks import FixedClock
from tests.feed_support.feed_client import create_calendar, fetch
from tests.http_app import status_and_code, write_session

BASE_URL = "http://127.0.0.1:8000"
SITEMAP_NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(autouse=True)
def _calendar(app: Flask) -> None:
    create_calendar(app)


def fetch_urls_with_dates(app: Flask, path: str, *, root: str = "urlset", element: str = "url") -> dict[str, str]:
    """Return the URLs in a file with their dates."""
    answer = fetch(app, path)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    tree = ET.fromstring(answer.data)  # noqa: S314 - our own
    assert tree.tag == SITEMAP_NAMESPACE + root
    said = [
        (one.findtext(f"{SITEMAP_NAMESPACE}loc", ""), one.findtext(f"{SITEMAP_NAMESPACE}lastmod", "")) for one in tree
    ]
    assert {one.tag for one in tree} == {SITEMAP_NAMESPACE + element}
    assert len(dict(said)) == len(said)
    return {url.removeprefix(BASE_URL): date for url, date in said}


def test_sitemap_lists_exactly_the_public_pages(app: Flask) -> None:
    said = fetch_urls_with_dates(app, "/sitemap.xml")
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


def test_change_updates_the_dates_of_the_pages_that_show_it(app: Flask, clock: FixedClock) -> None:
    before = fetch_urls_with_dates(app, "/sitemap.xml")
    clock.tick(3600)
    with write_session(app) as session:
        talk = session.get_one(Talk, "scheduled")
        talk.title, talk.updated_at = "Scheduled anew", clock.now()
    after = fetch_urls_with_dates(app, "/sitemap.xml")
    moved = {path for path, date in after.items() if date != before[path]}
    assert moved == {"/", "/talks/scheduled", "/events/summit/schedule"}


def test_sitemap_is_cacheable_and_returns_304(app: Flask) -> None:
    first = fetch(app, "/sitemap.xml")
    assert first.headers["Cache-Control"].startswith("public, max-age=300")
    assert fetch(app, "/sitemap.xml", If_None_Match=first.headers["ETag"]).status_code == 304


def test_long_sitemap_is_split_into_files_with_an_index(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fetch_urls_with_dates(app, "/sitemap.xml")
    assert fetch_urls_with_dates(app, "/sitemap-1.xml") == whole
    # The added query bypasses responses cached for the old limit.
    monkeypatch.setattr(sitemap_and_media, "MOST_URLS", 4)
    files = fetch_urls_with_dates(app, "/sitemap.xml?anew", root="sitemapindex", element="sitemap")
    assert list(files) == ["/sitemap-1.xml", "/sitemap-2.xml", "/sitemap-3.xml"]
    parts = [fetch_urls_with_dates(app, f"{path}?anew") for path in files]
    assert [len(part) for part in parts] == [4, 4, 1]
    assert {url: date for part in parts for url, date in part.items()} == whole
    assert list(files.values()) == [max(part.values()) for part in parts]


@pytest.mark.parametrize("number", ["0", "2", "01", "-1", "x", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 5000])
def test_file_beyond_the_last_returns_404(app: Flask, number: str) -> None:
    assert status_and_code(fetch(app, f"/sitemap-{number}.xml"))[0] == 404


def test_robots_txt_names_the_sitemap_and_disallows_personal_pages(app: Flask) -> None:
    answer = fetch(app, "/robots.txt")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    robots = RobotFileParser()
    robots.parse(answer.text.splitlines())
    assert robots.site_maps() == [f"{BASE_URL}/sitemap.xml"]
    closed = ("/me", "/me/talks", "/organise/summit", "/login", "/register", "/submit", "/api/v1/auth/login")
    assert [path for path in closed if robots.can_fetch("Googlebot", path)] == []


def test_robots_txt_allows_feeds_and_public_pages(app: Flask) -> None:
    robots = RobotFileParser()
    robots.parse(fetch(app, "/robots.txt").text.splitlines())
    open_ = [
        *("/", "/calendar.ics?tag=xen", "/deadlines.ics", "/calendar.atom", "/calendar.csv", "/subscribe"),
        *("/events/summit", "/events/summit.ics", "/events/summit/schedule.xml", "/talks/scheduled.ics"),
        *("/speakers/grace.ics", "/feeds/a-secret.ics", "/sitemap.xml", "/api/v1/events"),
    ]
    assert [path for path in open_ if not robots.can_fetch("Google-Calendar-Importer", path)] == []
