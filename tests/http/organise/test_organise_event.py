"""The event form: fields not sent stay unchanged, no update is lost, and access requires permission to decide."""

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import CallForTalks, Event
from eventcal.members.enums import Role
from tests.factories import make_event
from tests.feed_support.feed_client import fetch_feed
from tests.html_browser import HtmlBrowser
from tests.http_app import database_of, write_session
from tests.team_browsers import (
    HOSTILE_TEXT,
    create_member_browser,
    create_team_browser,
    invalid_field_names,
    is_hostile_text_escaped,
)

PAGE_PATH = "/organise/summit/event"


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


def load_event(app: Flask, slug: str = "summit") -> Event:
    with database_of(app).read_session() as session:
        return session.scalars(select(Event).where(Event.slug == slug)).one()


def load_call_for_talks(app: Flask) -> CallForTalks | None:
    with database_of(app).read_session() as session:
        return session.scalars(select(CallForTalks)).one_or_none()


def test_event_is_saved_after_a_preview_of_its_calendar_entry(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    said = organiser_browser.submit_form(
        PAGE_PATH, do="preview", title="Xen Summit 2026", venue="The Hall", starts="2026-06-09"
    )
    assert "SUMMARY:Xen Summit 2026" in said
    assert "The Hall, Berlin" in said
    assert (load_event(app).title, load_event(app).venue) == ("Xen Summit", None)
    assert "It is saved." in organiser_browser.submit_form(PAGE_PATH, do="save")
    event = load_event(app)
    assert (event.title, event.venue, event.starts) == ("Xen Summit 2026", "The Hall", "2026-06-09")
    assert [one.text("SUMMARY") for one in fetch_feed(app, "/events/summit.ics").events()] == ["Xen Summit 2026"]


def test_preview_changes_nothing(app: Flask, organiser_browser: HtmlBrowser) -> None:
    before = app.test_client().get("/events/summit.ics")
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="preview", title="Another", status="postponed", tags="other", call="")
    after = app.test_client().get("/events/summit.ics")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert load_call_for_talks(app) is not None


def test_saving_an_unchanged_event_creates_no_new_revision(app: Flask, organiser_browser: HtmlBrowser) -> None:
    before = load_event(app)
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="save")
    after = load_event(app)
    assert (after.revision, after.sequence, after.updated_at) == (before.revision, before.sequence, before.updated_at)


def test_values_that_the_form_normalises_stay_as_stored(app: Flask) -> None:
    overrides = {"2026-06-17T10:00:15": {"title": "Another one"}, "2026-06-24T10:00:15": {"excluded": True}}
    with write_session(app) as session:
        make_event(
            session,
            slug="weekly",
            starts="2026-06-10T10:00:15",
            ends="2026-06-10T12:00:00",
            recurrence="FREQ=WEEKLY",
            recurrence_overrides=overrides,
            description="One\r\nTwo",
            call={"opens": "2026-04-01T12:00:00+09:00", "closes": "2026-05-01", "anywhere_on_earth": True},
        )
    olga = create_team_browser(app, "weekly", "olga@example.org")
    where = "/organise/weekly/event"
    assert "2 of its dates are otherwise" in olga.visit(where)
    assert "Every week" in olga.main_text()
    held = olga.form_values(where, "save")
    assert (held["starts_time"], held["call_opens"], held["call_opens_time"]) == ("10:00:15", "2026-04-01", "05:00")
    olga.submit_form(where, do="save", title="Otherwise", call_note="Be short.")
    event, call = load_event(app, "weekly"), load_call_for_talks(app)
    assert (event.title, event.recurrence, event.recurrence_overrides) == ("Otherwise", "FREQ=WEEKLY", overrides)
    assert (event.description, event.starts) == ("One\r\nTwo", "2026-06-10T10:00:15")
    assert call is not None
    assert (call.opens, call.closes, call.anywhere_on_earth) == ("2026-04-01T12:00:00+09:00", "2026-05-01", True)
    assert call.note == "Be short."


def test_recurrence_required_by_overrides_cannot_be_removed(app: Flask) -> None:
    overrides = {"2026-06-17": {"title": "Another one"}}
    with write_session(app) as session:
        make_event(session, slug="weekly", recurrence="FREQ=WEEKLY", recurrence_overrides=overrides, ends="2026-06-10")
    olga = create_team_browser(app, "weekly", "olga@example.org")
    olga.visit("/organise/weekly/event")
    olga.submit_form("/organise/weekly/event", do="save", recurrence="")
    assert (olga.response.status_code, invalid_field_names(olga)) == (422, {"recurrence"})
    assert load_event(app, "weekly").recurrence == "FREQ=WEEKLY"


def test_call_for_talks_can_be_removed_and_added_again(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="save", call="")
    assert load_call_for_talks(app) is None
    organiser_browser.submit_form(
        PAGE_PATH, do="save", call="yes", call_closes="2026-05-01", call_earth="yes", call_lightning="yes"
    )
    call = load_call_for_talks(app)
    assert call is not None
    assert (call.closes, call.anywhere_on_earth, call.kinds) == ("2026-05-01", True, ["lightning"])
    # Unticked checkboxes are not sent.
    held = organiser_browser.form_values(PAGE_PATH, "save")
    held.pop("call_lightning")
    organiser_browser.client.post(PAGE_PATH, data={**held, "do": "save"})
    assert (load_call_for_talks(app) or call).kinds == []


def test_emptied_fields_are_cleared(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="save", description="", city="", country="", tags="")
    event = load_event(app)
    assert (event.description, event.city, event.country) == (None, None, None)


def test_fields_not_sent_stay_unchanged(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    held = organiser_browser.form_values(PAGE_PATH, "save")
    sent = {name: held[name] for name in ("csrf_token", "revision")}
    organiser_browser.client.post(PAGE_PATH, data={**sent, "do": "save", "title": "Only this"})
    event = load_event(app)
    assert (event.title, event.city, event.description) == ("Only this", "Berlin", "Three days of *Xen*.")
    assert load_call_for_talks(app) is not None


@pytest.mark.parametrize(("now", "then"), [("confirmed", "postponed"), ("tentative", "confirmed")])
def test_form_changes_the_event_status(app: Flask, organiser_browser: HtmlBrowser, now: str, then: str) -> None:
    with write_session(app) as session:
        session.scalars(select(Event)).one().status = EventStatus(now)
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="save", status=then)
    assert load_event(app).status == then


def test_status_unreachable_by_editing_is_rejected(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="save", status="cancelled")
    assert organiser_browser.response.status_code == 409
    assert load_event(app).status == EventStatus.CONFIRMED


def test_conflicting_edit_returns_412_and_shows_the_current_values(app: Flask, organiser_browser: HtmlBrowser) -> None:
    otto = create_team_browser(app, "summit", "otto@example.org")
    organiser_browser.visit(PAGE_PATH)
    otto.visit(PAGE_PATH)
    otto.submit_form(PAGE_PATH, do="save", title="Otto's title", city="Bonn")
    said = organiser_browser.submit_form(PAGE_PATH, do="save", title="Olga's title")
    assert organiser_browser.response.status_code == 412
    assert "Somebody else changed this event meanwhile" in said
    assert "There stands now: Otto's title" in said
    assert "There stands now: Bonn" in said
    assert invalid_field_names(organiser_browser) == {"title", "city"}
    assert (load_event(app).title, organiser_browser.form_values(PAGE_PATH, "save")["title"]) == (
        "Otto's title",
        "Olga's title",
    )
    # After seeing the current values, the organiser may overwrite them.
    organiser_browser.submit_form(PAGE_PATH, do="save", city="Bonn")
    assert (load_event(app).title, load_event(app).city) == ("Olga's title", "Bonn")


def test_form_without_a_valid_revision_is_rejected(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    held = organiser_browser.form_values(PAGE_PATH, "save")
    for revision in ("", "*", '", "1', "x"):
        answer = organiser_browser.client.post(
            PAGE_PATH, data={**held, "do": "save", "title": "Blind", "revision": revision}
        )
        assert answer.status_code == 412
    assert load_event(app).title == "Xen Summit"


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"title": " "}, {"title"}),
        ({"starts": ""}, {"starts", "starts_time"}),
        ({"ends": "2026-06-01"}, {"ends", "ends_time"}),
        ({"timezone": "Mars/Olympus"}, {"timezone"}),
        (
            {"starts": "2027-03-28", "starts_time": "02:30", "ends": "2027-03-28", "ends_time": "04:00"},
            {"starts", "starts_time"},
        ),
        ({"price_amount": "5"}, {"price_currency"}),
        ({"title": " ", "country": "XX", "latitude": "x", "online_url": "ftp://x"}, {"title", "country"}),
    ],
)
def test_errors_are_shown_beside_their_fields_and_nothing_is_saved(
    app: Flask, organiser_browser: HtmlBrowser, typed: dict[str, str], fields: set[str]
) -> None:
    before = load_event(app)
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="save", summary="This would be new.", **typed)
    assert organiser_browser.response.status_code == 422
    assert fields <= invalid_field_names(organiser_browser)
    assert organiser_browser.form_values(PAGE_PATH, "save")["summary"] == "This would be new."
    assert (load_event(app).summary, load_event(app).revision) == (before.summary, before.revision)


def test_slug_can_be_changed_until_the_event_is_public(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="waits", status=EventStatus.PENDING)
    otto = create_team_browser(app, "waits", "otto@example.org")
    otto.visit("/organise/waits/event")
    assert "It is saved." in otto.submit_form("/organise/waits/event", do="save", slug="waits-no-more")
    assert load_event(app, "waits-no-more").status == EventStatus.PENDING
    organiser_browser.visit(PAGE_PATH)
    assert "slug" not in organiser_browser.form_values(PAGE_PATH, "save")
    organiser_browser.submit_form(PAGE_PATH, do="save", slug="elsewhere")
    assert organiser_browser.response.status_code == 409
    assert load_event(app).slug == "summit"


def test_hostile_text_is_escaped_in_the_form_and_in_conflicts(app: Flask, organiser_browser: HtmlBrowser) -> None:
    otto = create_team_browser(app, "summit", "otto@example.org")
    organiser_browser.visit(PAGE_PATH)
    otto.visit(PAGE_PATH)
    otto.submit_form(PAGE_PATH, do="save", title=HOSTILE_TEXT, venue=HOSTILE_TEXT)
    assert is_hostile_text_escaped(otto)
    organiser_browser.submit_form(PAGE_PATH, do="save", title="Mine", summary=HOSTILE_TEXT)
    assert (organiser_browser.response.status_code, is_hostile_text_escaped(organiser_browser)) == (412, True)


@pytest.mark.usefixtures("summit")
@pytest.mark.parametrize("path", ["event", "parts", "sponsors", "team", "publishing", "publishing/cancel"])
def test_event_pages_require_permission_to_decide(app: Flask, path: str) -> None:
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING)
        make_event(session, slug="other")
    rita = create_team_browser(app, "summit", "rita@example.org", role=TeamRole.REVIEWER)
    other = create_team_browser(app, "other", "other@example.org")
    moderator = create_member_browser(app, "mo@example.org", role=Role.MODERATOR)
    post = path.partition("/")[0]
    for browser, public, hidden in ((rita, 403, 404), (other, 403, 404), (moderator, 200, 200)):
        browser.visit("/propose")
        csrf = {"csrf_token": browser.form_values("/propose", "propose")["csrf_token"]}
        for slug, status in (("summit", public), ("hidden", hidden)):
            if (path, slug) != ("publishing/cancel", "hidden"):
                assert browser.client.get(f"/organise/{slug}/{path}").status_code == status
            if status != 200:
                sent = browser.client.post(f"/organise/{slug}/{post}", data={**csrf, "do": "cancel"})
                assert sent.status_code == status
    assert moderator.client.post(f"/organise/summit/{post}", data={"do": "save"}).status_code == 403
    visitor = app.test_client().get(f"/organise/summit/{path}")
    assert (visitor.status_code, visitor.headers["Location"].partition("?")[0]) == (303, "/login")
    assert app.test_client().get(f"/organise/nowhere/{path}").status_code == 303
    assert moderator.client.get(f"/organise/nowhere/{path}").status_code == 404


def test_organisers_cannot_change_an_erased_event(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        session.scalars(select(Event)).one().redacted_at = load_event(app).created_at
    assert organiser_browser.client.get(PAGE_PATH).status_code == 403
