"""A speaker's page: the profile and the public talks, upcoming ones before past ones."""

from xml.etree.ElementTree import Element

import orjson
import pytest
from flask import Flask

from eventcal.events.state_changes import cancel_event
from eventcal.speakers.models import Speaker
from eventcal.talks.delete_and_merge_referenced import merge_speakers
from tests.clocks import NOON, FixedClock
from tests.factories import MODERATOR_CALLER, make_speaker
from tests.feed_support.feed_calendar import load_event
from tests.feed_support.feed_client import create_calendar, fetch
from tests.html_pages import element_text, get_page
from tests.http_app import write_session


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    found = create_calendar(app)
    with write_session(app) as session:
        grace = session.get_one(Speaker, found["grace"])
        grace.job_title, grace.affiliation = "Rear admiral", "Navy"
        grace.bio = "Wrote *compilers*.\n\n<script>alert(1)</script>"
        grace.links = [{"title": "Her <home>", "url": "https://grace.example.org/?a=1&b=2"}]
        grace.photo_url = "https://elsewhere.example.org/grace.jpg"
    return found


def titles_by_heading(tree: Element) -> dict[str, list[str]]:
    """Return the titles of the talks below each heading."""
    said: dict[str, list[str]] = {}
    heading = ""
    for element in tree.iter():
        if element.tag == "h2":
            heading = element_text(element)
        if element.tag == "a" and element.get("class") == "title":
            said.setdefault(heading, []).append(element_text(element))
    return said


@pytest.mark.usefixtures("ids")
def test_speaker_page_shows_the_profile(app: Flask) -> None:
    tree = get_page(app, "/speakers/grace")
    (heading,) = tree.iter("h1")
    assert element_text(heading) == "Grace Hopper"
    assert "Rear admiral, Navy" in element_text(tree)
    assert [element_text(one) for one in tree.iter("em")] == ["compilers"]


@pytest.mark.usefixtures("ids")
def test_user_supplied_links_are_nofollow(app: Flask) -> None:
    (link,) = [one for one in get_page(app, "/speakers/grace").iter("a") if "example.org" in one.get("href", "")]
    assert link.get("href") == "https://grace.example.org/?a=1&b=2"
    assert link.get("rel") == "nofollow ugc noopener"
    assert element_text(link) == "Her <home>"


@pytest.mark.usefixtures("ids")
def test_external_picture_is_not_loaded(app: Flask) -> None:
    assert "elsewhere.example.org" not in fetch(app, "/speakers/grace").text


@pytest.mark.usefixtures("ids")
def test_upcoming_talks_are_listed_before_past_talks(app: Flask, clock: FixedClock) -> None:
    assert titles_by_heading(get_page(app, "/speakers/grace")) == {
        "Upcoming talks": ["Waiting", "Scheduled"],
        "Past talks": ["Given"],
    }
    clock.tick(200 * 24 * 3600)
    assert titles_by_heading(get_page(app, "/speakers/grace")) == {"Past talks": ["Scheduled", "Waiting", "Given"]}


def test_talk_shows_its_time_event_and_status(app: Flask, ids: dict[str, str]) -> None:
    with write_session(app) as session:
        cancel_event(session, load_event(session, ids["summit"]), now=NOON)
    tree = get_page(app, "/speakers/grace")
    items = [element_text(one) for one in tree.iter("li") if one.find("a[@class='title']") is not None]
    scheduled = next(item for item in items if item.startswith("Scheduled"))
    assert "Cancelled" in scheduled
    assert "Jun 10, 2026" in scheduled
    assert "Europe/Berlin" in scheduled
    assert scheduled.endswith("Xen Summit")
    assert "The time is not known yet." in next(item for item in items if item.startswith("Waiting"))


@pytest.mark.usefixtures("ids")
def test_speaker_page_links_to_the_feed(app: Flask) -> None:
    tree = get_page(app, "/speakers/grace")
    feeds = [(one.get("type"), one.get("href")) for one in tree.iter("link") if one.get("rel") == "alternate"]
    assert ("text/calendar", "http://127.0.0.1:8000/speakers/grace.ics") in feeds
    assert "/subscribe?speaker=grace" in [one.get("href") for one in tree.iter("a")]


@pytest.mark.usefixtures("ids")
def test_structured_data_describes_a_person(app: Flask) -> None:
    (script,) = [
        one for one in get_page(app, "/speakers/grace").iter("script") if one.get("type") == "application/ld+json"
    ]
    assert orjson.loads(script.text or "") == {
        "@context": "https://schema.org",
        "@type": "Person",
        "name": "Grace Hopper",
        "url": "http://127.0.0.1:8000/speakers/grace",
        "jobTitle": "Rear admiral",
        "affiliation": {"@type": "Organization", "name": "Navy"},
        "description": "Wrote compilers.\n\n<script>alert(1)</script>",
        "sameAs": ["https://grace.example.org/?a=1&b=2"],
    }


def test_profile_change_is_visible_immediately(app: Flask, ids: dict[str, str]) -> None:
    before = fetch(app, "/speakers/grace")
    with write_session(app) as session:
        session.get_one(Speaker, ids["grace"]).bio = "Found the bug."
    after = fetch(app, "/speakers/grace", If_None_Match=before.headers["ETag"])
    assert (after.status_code, "Found the bug." in after.text) == (200, True)


def test_page_of_a_merged_speaker_shows_the_remaining_speaker(app: Flask, ids: dict[str, str]) -> None:
    with write_session(app) as session:
        known = make_speaker(session, slug="amazing-grace", name="Amazing Grace")
        merge_speakers(session, known, session.get_one(Speaker, ids["grace"]), caller=MODERATOR_CALLER, now=NOON)
    tree = get_page(app, "/speakers/grace")
    (canonical,) = [one.get("href") for one in tree.iter("link") if one.get("rel") == "canonical"]
    assert canonical == "http://127.0.0.1:8000/speakers/amazing-grace"
    assert titles_by_heading(tree)["Past talks"] == ["Given"]


@pytest.mark.usefixtures("ids")
def test_speaker_without_public_talks_has_no_page(app: Flask) -> None:
    assert [fetch(app, f"/speakers/{slug}").status_code for slug in ("ada", "nobody")] == [404, 404]
