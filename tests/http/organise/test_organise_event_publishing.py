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
from tests.browsing import Browser
from tests.clocks import FixedClock
from tests.feed_support.fetching import read
from tests.http_app import catch_up, database_of, writing
from tests.make import make_event, make_sponsorship, make_talk, make_tier
from tests.organising import HOSTILE, browser_of_member, browser_of_team, is_harmless

HERE = "/organise/summit/publishing"
GOOGLE = "Google-Calendar-Importer"


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


@pytest.fixture
def moderator(app: Flask) -> Browser:
    return browser_of_member(app, "mo@example.org", role=Role.MODERATOR)


@pytest.fixture
def waits(app: Flask) -> str:
    with writing(app) as session:
        make_event(session, slug="waits", title="It waits", status=EventStatus.PENDING, venue="The Hall")
    return "waits"


def stored(app: Flask, slug: str = "summit") -> Event | None:
    with database_of(app).read_session() as session:
        return session.scalars(select(Event).where(Event.slug == slug)).one_or_none()


def status(app: Flask, slug: str = "summit") -> EventStatus | None:
    event = stored(app, slug)
    return event.status if event else None


def lines(browser: Browser) -> list[str]:
    """Return the iCalendar lines in the preview."""
    text = browser.at.text.partition('<pre class="lines">')[2].partition("</pre>")[0]
    return unescape(text).replace("\r\n ", "").splitlines()


def test_cancelled_event_is_served_exactly_as_previewed(app: Flask, olga: Browser, clock: FixedClock) -> None:
    with writing(app) as session:
        event = session.scalars(select(Event)).one()
        make_talk(session, event, state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00")
    assert "Cancel the event" in olga.go(HERE)
    said = olga.go(f"{HERE}/cancel")
    assert "CANCELLED: Xen Summit" in said
    assert "Its public talk is shown as cancelled with it." in said
    assert "Looks every 4 to 24 hours" in said
    assert status(app) == EventStatus.CONFIRMED
    shown = lines(olga)
    assert "STATUS:CANCELLED" in shown
    clock.tick(60)
    assert "It is cancelled" in olga.send(HERE, do="cancel")
    assert status(app) == EventStatus.CANCELLED
    entries = read(app, "/events/summit.ics").events()
    assert [one.text("SUMMARY") for one in entries] == ["CANCELLED: Xen Summit", "CANCELLED: Xen on ARM"]
    body = app.test_client().get("/events/summit.ics").text.replace("\r\n ", "")
    for line in shown:
        assert line.startswith(("DTSTAMP", "LAST-MODIFIED")) or line in body.splitlines()


def test_only_a_moderator_can_publish_a_pending_event(app: Flask, moderator: Browser, waits: str) -> None:
    otto = browser_of_team(app, waits, "otto@example.org")
    here = "/organise/waits/publishing"
    assert "Publish" not in otto.go(here).replace("Publishing", "")
    assert otto.client.get(f"{here}/publish").status_code == 403
    held = {"csrf_token": csrf(otto), "revision": str(stored(app, waits).revision)}  # type: ignore[union-attr]  # is there
    assert otto.client.post(here, data={**held, "do": "publish"}).status_code == 403
    said = moderator.go(f"{here}/publish")
    assert "STATUS:CONFIRMED" in said
    assert "SEQUENCE:0" in said
    assert status(app, waits) == EventStatus.PENDING
    assert "It is published." in moderator.send(here, do="publish")
    assert "/events/waits.ics" in moderator.at.text
    assert [one.text("SUMMARY") for one in read(app, "/events/waits.ics").events()] == ["It waits"]


def csrf(browser: Browser) -> str:
    browser.go("/propose")
    return browser.fields("/propose", "propose")["csrf_token"]


def test_preview_lists_talks_published_with_the_event(app: Flask, moderator: Browser, waits: str) -> None:
    with writing(app) as session:
        event = session.scalars(select(Event).where(Event.slug == waits)).one()
        session.refresh(event, ["tracks", "rooms", "tags", "call", "neighbours"])
        make_talk(session, event, state=TalkState.CONFIRMED, title="First talk", published_at=None)
        make_talk(session, event, state=TalkState.SUBMITTED, title="Not yet", published_at=None)
    said = moderator.go("/organise/waits/publishing/publish")
    assert "So they see one talk of it." in said
    assert "- First talk" in said
    assert "Not yet" not in said


def test_event_changed_since_the_preview_is_previewed_again(app: Flask, olga: Browser) -> None:
    olga.go(f"{HERE}/cancel")
    with writing(app) as session:
        session.scalars(select(Event)).one().title = "Another title"
    said = olga.send(HERE, do="cancel")
    assert olga.at.status_code == 412
    assert "Somebody changed this event meanwhile" in said
    assert "CANCELLED: Another title" in said
    assert status(app) == EventStatus.CONFIRMED
    olga.send(HERE, do="cancel")
    assert status(app) == EventStatus.CANCELLED


def test_step_already_taken_is_rejected_and_no_longer_offered(app: Flask, olga: Browser) -> None:
    olga.go(f"{HERE}/cancel")
    held = olga.fields(HERE, "cancel")
    olga.send(HERE, do="cancel")
    assert olga.client.post(HERE, data={**held, "do": "cancel"}).status_code == 412
    held["revision"] = str(stored(app).revision)  # type: ignore[union-attr]  # is there
    again = olga.client.post(HERE, data={**held, "do": "cancel"})
    assert (again.status_code, "only a public one that still stands" in again.text) == (409, True)
    assert olga.client.get(f"{HERE}/cancel").headers["Location"] == HERE
    assert "Cancel the event" not in olga.go(HERE)


def test_unpublished_event_can_be_deleted(app: Flask, waits: str) -> None:
    otto = browser_of_team(app, waits, "otto@example.org")
    here = "/organise/waits/publishing"
    assert "no calendar shows it" in otto.go(f"{here}/delete")
    held = otto.fields(here, "delete")
    answer = otto.client.post(here, data={**held, "do": "delete"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/organise?done=delete")
    assert stored(app, waits) is None


@pytest.mark.parametrize("what", ["a talk", "a sponsor"])
def test_unpublished_event_with_talks_or_sponsors_cannot_be_deleted(app: Flask, waits: str, what: str) -> None:
    with writing(app) as session:
        event = session.scalars(select(Event).where(Event.slug == waits)).one()
        session.refresh(event, ["tracks", "rooms", "tags", "call", "neighbours"])
        if what == "a talk":
            make_talk(session, event)
        else:
            make_sponsorship(session, make_tier(session, event))
    otto = browser_of_team(app, waits, "otto@example.org")
    otto.go("/organise/waits/publishing/delete")
    said = otto.send("/organise/waits/publishing", do="delete")
    assert (otto.at.status_code, "cannot be deleted any more" in said) == (409, True)
    assert stored(app, waits) is not None


def test_published_event_cannot_be_deleted(app: Flask, olga: Browser) -> None:
    assert olga.client.get(f"{HERE}/delete").headers["Location"] == HERE
    held = {"csrf_token": csrf(olga), "revision": str(stored(app).revision)}  # type: ignore[union-attr]  # is there
    assert olga.client.post(HERE, data={**held, "do": "delete"}).status_code == 409
    assert status(app) == EventStatus.CONFIRMED


@pytest.mark.usefixtures("summit")
def test_moderator_erases_an_event_after_a_preview(app: Flask, moderator: Browser) -> None:
    olga = browser_of_team(app, "summit", "olga@example.org")
    assert olga.client.get(f"{HERE}/redact").status_code == 403
    said = moderator.go(f"{HERE}/redact")
    assert "[removed]" in said
    assert "Three days of" not in said
    assert stored(app).title == "Xen Summit"  # type: ignore[union-attr]  # is there
    assert "Its text is removed" in moderator.send(HERE, do="redact")
    event = stored(app)
    assert event is not None
    assert (event.title, event.status, event.description) == ("[removed]", EventStatus.CANCELLED, None)
    assert "Remove its text" not in moderator.go(HERE)
    assert "Room 1" not in moderator.go("/organise/summit/parts")


@pytest.mark.parametrize("step", ["cancel", "redact"])
def test_preview_changes_nothing_and_does_not_count_as_a_fetch(
    app: Flask, moderator: Browser, summit: str, step: str
) -> None:
    before = app.test_client().get(f"/events/{summit}.ics")
    with database_of(app).read_session() as session:
        counted = session.scalars(select(FeedFetches.fetches)).all()
    moderator.go(f"{HERE}/{step}")
    catch_up(app)
    after = app.test_client().get(f"/events/{summit}.ics")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    with database_of(app).read_session() as session:
        assert sum(session.scalars(select(FeedFetches.fetches))) <= sum(counted) + 1


def test_preview_names_the_clients_that_fetch_the_calendar(app: Flask, olga: Browser) -> None:
    assert "No program was seen" in olga.go(f"{HERE}/cancel")
    for agent in (GOOGLE, "curl/8", "Mozilla/5.0 Thunderbird/128"):
        app.test_client().get("/events/summit.ics", headers={"User-Agent": agent})
    catch_up(app)
    said = olga.go(f"{HERE}/cancel")
    assert "These programs fetch the calendar of this event" in said
    assert "Google Calendar" in said
    assert "A script" not in said


def test_unknown_step_returns_404_and_missing_csrf_token_403(olga: Browser) -> None:
    assert olga.client.get(f"{HERE}/explode").status_code == 404
    assert olga.client.post(HERE, data={"csrf_token": csrf(olga), "do": "explode"}).status_code == 404
    assert olga.client.post(HERE, data={"do": "cancel"}).status_code == 403


def test_hostile_text_is_escaped_in_the_preview(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        event = session.scalars(select(Event)).one()
        event.title, event.description, event.venue = HOSTILE, f"{HOSTILE}\n\n</pre></details>", HOSTILE
    olga.go(f"{HERE}/cancel")
    assert is_harmless(olga)


def test_preview_supports_recurring_events_with_times(app: Flask) -> None:
    overrides = {"2026-06-17T10:00:00": {"status": "cancelled"}}
    with writing(app) as session:
        make_event(
            session,
            slug="weekly",
            starts="2026-06-10T10:00:00",
            ends="2026-06-10T12:00:00",
            recurrence="FREQ=WEEKLY",
            recurrence_overrides=overrides,
        )
    olga = browser_of_team(app, "weekly", "olga@example.org")
    said = olga.go("/organise/weekly/publishing/cancel")
    assert "Every week" in said
    assert "RRULE:FREQ=WEEKLY" in said
