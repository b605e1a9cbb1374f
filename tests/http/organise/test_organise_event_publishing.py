"""Publishing, cancelling, deleting and erasing an event, each after a preview of the calendar entry."""

from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import EventStatus
from eventcal.events.models import Event
from eventcal.feeds.fetch_counts import FeedFetches
from eventcal.members.enums import Role
from eventcal.talks.enums import TalkState
from tests.clocks import FixedClock
from tests.factories import make_event, make_sponsorship, make_talk, make_tier
from tests.feed_support.feed_client import fetch_feed
from tests.html_browser import HtmlBrowser
from tests.http_app import database_of, run_background_tasks, write_session
from tests.team_browsers import HOSTILE_TEXT, create_member_browser, create_team_browser, is_hostile_text_escaped

PAGE_PATH = "/organise/summit/publishing"
GOOGLE_USER_AGENT = "Google-Calendar-Importer"


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


@pytest.fixture
def moderator_browser(app: Flask) -> HtmlBrowser:
    return create_member_browser(app, "mo@example.org", role=Role.MODERATOR)


@pytest.fixture
def pending_event_slug(app: Flask) -> str:
    with write_session(app) as session:
        make_event(session, slug="waits", title="It waits", status=EventStatus.PENDING, venue="The Hall")
    return "waits"


def load_event(app: Flask, slug: str = "summit") -> Event | None:
    with database_of(app).read_session() as session:
        return session.scalars(select(Event).where(Event.slug == slug)).one_or_none()


def load_status(app: Flask, slug: str = "summit") -> EventStatus | None:
    event = load_event(app, slug)
    return event.status if event else None


def preview_lines(browser: HtmlBrowser) -> list[str]:
    """Return the iCalendar lines in the preview."""
    text = browser.response.text.partition('<pre class="lines">')[2].partition("</pre>")[0]
    return unescape(text).replace("\r\n ", "").splitlines()


def test_cancelled_event_is_served_exactly_as_previewed(
    app: Flask, organiser_browser: HtmlBrowser, clock: FixedClock
) -> None:
    with write_session(app) as session:
        event = session.scalars(select(Event)).one()
        make_talk(session, event, state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00")
    assert "Cancel the event" in organiser_browser.visit(PAGE_PATH)
    said = organiser_browser.visit(f"{PAGE_PATH}/cancel")
    assert "CANCELLED: Xen Summit" in said
    assert "Its public talk is shown as cancelled with it." in said
    assert "Looks every 4 to 24 hours" in said
    assert load_status(app) == EventStatus.CONFIRMED
    shown = preview_lines(organiser_browser)
    assert "STATUS:CANCELLED" in shown
    clock.tick(60)
    assert "It is cancelled" in organiser_browser.submit_form(PAGE_PATH, do="cancel")
    assert load_status(app) == EventStatus.CANCELLED
    entries = fetch_feed(app, "/events/summit.ics").events()
    assert [one.text("SUMMARY") for one in entries] == ["CANCELLED: Xen Summit", "CANCELLED: Xen on ARM"]
    body = app.test_client().get("/events/summit.ics").text.replace("\r\n ", "")
    for line in shown:
        assert line.startswith(("DTSTAMP", "LAST-MODIFIED")) or line in body.splitlines()


def test_only_a_moderator_can_publish_a_pending_event(
    app: Flask, moderator_browser: HtmlBrowser, pending_event_slug: str
) -> None:
    otto = create_team_browser(app, pending_event_slug, "otto@example.org")
    here = "/organise/waits/publishing"
    assert "Publish" not in otto.visit(here).replace("Publishing", "")
    assert otto.client.get(f"{here}/publish").status_code == 403
    held = {"csrf_token": fetch_csrf_token(otto), "revision": str(load_event(app, pending_event_slug).revision)}  # type: ignore[union-attr]  # is there
    assert otto.client.post(here, data={**held, "do": "publish"}).status_code == 403
    said = moderator_browser.visit(f"{here}/publish")
    assert "STATUS:CONFIRMED" in said
    assert "SEQUENCE:0" in said
    assert load_status(app, pending_event_slug) == EventStatus.PENDING
    assert "It is published." in moderator_browser.submit_form(here, do="publish")
    assert "/events/waits.ics" in moderator_browser.response.text
    assert [one.text("SUMMARY") for one in fetch_feed(app, "/events/waits.ics").events()] == ["It waits"]


def fetch_csrf_token(browser: HtmlBrowser) -> str:
    browser.visit("/propose")
    return browser.form_values("/propose", "propose")["csrf_token"]


def test_preview_lists_talks_published_with_the_event(
    app: Flask, moderator_browser: HtmlBrowser, pending_event_slug: str
) -> None:
    with write_session(app) as session:
        event = session.scalars(select(Event).where(Event.slug == pending_event_slug)).one()
        session.refresh(event, ["tracks", "rooms", "tags", "call", "neighbours"])
        make_talk(session, event, state=TalkState.CONFIRMED, title="First talk", published_at=None)
        make_talk(session, event, state=TalkState.SUBMITTED, title="Not yet", published_at=None)
    said = moderator_browser.visit("/organise/waits/publishing/publish")
    assert "So they see one talk of it." in said
    assert "- First talk" in said
    assert "Not yet" not in said


def test_event_changed_since_the_preview_is_previewed_again(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(f"{PAGE_PATH}/cancel")
    with write_session(app) as session:
        session.scalars(select(Event)).one().title = "Another title"
    said = organiser_browser.submit_form(PAGE_PATH, do="cancel")
    assert organiser_browser.response.status_code == 412
    assert "Somebody changed this event meanwhile" in said
    assert "CANCELLED: Another title" in said
    assert load_status(app) == EventStatus.CONFIRMED
    organiser_browser.submit_form(PAGE_PATH, do="cancel")
    assert load_status(app) == EventStatus.CANCELLED


def test_step_already_taken_is_rejected_and_no_longer_offered(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(f"{PAGE_PATH}/cancel")
    held = organiser_browser.form_values(PAGE_PATH, "cancel")
    organiser_browser.submit_form(PAGE_PATH, do="cancel")
    assert organiser_browser.client.post(PAGE_PATH, data={**held, "do": "cancel"}).status_code == 412
    held["revision"] = str(load_event(app).revision)  # type: ignore[union-attr]  # is there
    again = organiser_browser.client.post(PAGE_PATH, data={**held, "do": "cancel"})
    assert (again.status_code, "Only a tentative, confirmed or postponed event" in again.text) == (409, True)
    assert organiser_browser.client.get(f"{PAGE_PATH}/cancel").headers["Location"] == PAGE_PATH
    assert "Cancel the event" not in organiser_browser.visit(PAGE_PATH)


def test_unpublished_event_can_be_deleted(app: Flask, pending_event_slug: str) -> None:
    otto = create_team_browser(app, pending_event_slug, "otto@example.org")
    here = "/organise/waits/publishing"
    assert "no calendar shows it" in otto.visit(f"{here}/delete")
    held = otto.form_values(here, "delete")
    answer = otto.client.post(here, data={**held, "do": "delete"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/organise?done=delete")
    assert load_event(app, pending_event_slug) is None


@pytest.mark.parametrize("what", ["a talk", "a sponsor"])
def test_unpublished_event_with_talks_or_sponsors_cannot_be_deleted(
    app: Flask, pending_event_slug: str, what: str
) -> None:
    with write_session(app) as session:
        event = session.scalars(select(Event).where(Event.slug == pending_event_slug)).one()
        session.refresh(event, ["tracks", "rooms", "tags", "call", "neighbours"])
        if what == "a talk":
            make_talk(session, event)
        else:
            make_sponsorship(session, make_tier(session, event))
    otto = create_team_browser(app, pending_event_slug, "otto@example.org")
    otto.visit("/organise/waits/publishing/delete")
    said = otto.submit_form("/organise/waits/publishing", do="delete")
    assert (otto.response.status_code, "and cannot be deleted" in said) == (409, True)
    assert load_event(app, pending_event_slug) is not None


def test_published_event_cannot_be_deleted(app: Flask, organiser_browser: HtmlBrowser) -> None:
    assert organiser_browser.client.get(f"{PAGE_PATH}/delete").headers["Location"] == PAGE_PATH
    held = {"csrf_token": fetch_csrf_token(organiser_browser), "revision": str(load_event(app).revision)}  # type: ignore[union-attr]  # is there
    assert organiser_browser.client.post(PAGE_PATH, data={**held, "do": "delete"}).status_code == 409
    assert load_status(app) == EventStatus.CONFIRMED


@pytest.mark.usefixtures("summit")
def test_moderator_erases_an_event_after_a_preview(app: Flask, moderator_browser: HtmlBrowser) -> None:
    olga = create_team_browser(app, "summit", "olga@example.org")
    assert olga.client.get(f"{PAGE_PATH}/redact").status_code == 403
    said = moderator_browser.visit(f"{PAGE_PATH}/redact")
    assert "[removed]" in said
    assert "Three days of" not in said
    assert load_event(app).title == "Xen Summit"  # type: ignore[union-attr]  # is there
    assert "Its text is removed" in moderator_browser.submit_form(PAGE_PATH, do="redact")
    event = load_event(app)
    assert event is not None
    assert (event.title, event.status, event.description) == ("[removed]", EventStatus.CANCELLED, None)
    assert "Remove its text" not in moderator_browser.visit(PAGE_PATH)
    assert "Room 1" not in moderator_browser.visit("/organise/summit/parts")


@pytest.mark.parametrize("step", ["cancel", "redact"])
def test_preview_changes_nothing_and_does_not_count_as_a_fetch(
    app: Flask, moderator_browser: HtmlBrowser, summit: str, step: str
) -> None:
    before = app.test_client().get(f"/events/{summit}.ics")
    with database_of(app).read_session() as session:
        counted = session.scalars(select(FeedFetches.fetches)).all()
    moderator_browser.visit(f"{PAGE_PATH}/{step}")
    run_background_tasks(app)
    after = app.test_client().get(f"/events/{summit}.ics")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    with database_of(app).read_session() as session:
        assert sum(session.scalars(select(FeedFetches.fetches))) <= sum(counted) + 1


def test_preview_names_the_clients_that_fetch_the_calendar(app: Flask, organiser_browser: HtmlBrowser) -> None:
    assert "No program was seen" in organiser_browser.visit(f"{PAGE_PATH}/cancel")
    for agent in (GOOGLE_USER_AGENT, "curl/8", "Mozilla/5.0 Thunderbird/128"):
        app.test_client().get("/events/summit.ics", headers={"User-Agent": agent})
    run_background_tasks(app)
    said = organiser_browser.visit(f"{PAGE_PATH}/cancel")
    assert "These programs fetch the calendar of this event" in said
    assert "Google Calendar" in said
    assert "A script" not in said


def test_unknown_step_returns_404_and_missing_csrf_token_403(organiser_browser: HtmlBrowser) -> None:
    assert organiser_browser.client.get(f"{PAGE_PATH}/explode").status_code == 404
    assert (
        organiser_browser.client.post(
            PAGE_PATH, data={"csrf_token": fetch_csrf_token(organiser_browser), "do": "explode"}
        ).status_code
        == 404
    )
    assert organiser_browser.client.post(PAGE_PATH, data={"do": "cancel"}).status_code == 403


def test_hostile_text_is_escaped_in_the_preview(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        event = session.scalars(select(Event)).one()
        event.title, event.description, event.venue = HOSTILE_TEXT, f"{HOSTILE_TEXT}\n\n</pre></details>", HOSTILE_TEXT
    organiser_browser.visit(f"{PAGE_PATH}/cancel")
    assert is_hostile_text_escaped(organiser_browser)


def test_preview_supports_recurring_events_with_times(app: Flask) -> None:
    overrides = {"2026-06-17T10:00:00": {"status": "cancelled"}}
    with write_session(app) as session:
        make_event(
            session,
            slug="weekly",
            starts="2026-06-10T10:00:00",
            ends="2026-06-10T12:00:00",
            recurrence="FREQ=WEEKLY",
            recurrence_overrides=overrides,
        )
    olga = create_team_browser(app, "weekly", "olga@example.org")
    said = olga.visit("/organise/weekly/publishing/cancel")
    assert "Every week" in said
    assert "RRULE:FREQ=WEEKLY" in said
