"""Proposing an event: errors beside the fields, a preview of the calendar entry, and moderation."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import CallForTalks, Event, TeamMember
from eventcal.members.enums import Role
from eventcal.members.models import Member
from tests.api_client import count_rows
from tests.factories import make_event
from tests.html_browser import HtmlBrowser
from tests.html_pages import html_parse_errors
from tests.http_app import database_of, write_session
from tests.team_browsers import HOSTILE_TEXT, create_member_browser, invalid_field_names, is_hostile_text_escaped

REQUIRED_FIELDS = {"title": "Xen Summit", "timezone": "Europe/Berlin", "starts": "2026-06-10", "ends": "2026-06-12"}
ALL_FIELDS = REQUIRED_FIELDS | {
    "kind": "meetup",
    "summary": "Three days\r\nof Xen.",
    "description": "*All* of it.",
    "tags": "xen, arm, xen",
    "series": "Xen Summit",
    "starts_time": "09:30",
    "ends_time": "17:00",
    "attendance": "hybrid",
    "venue": "The Hall",
    "address": "Example Street 1",
    "city": "Berlin",
    "region": "Berlin",
    "country": "de",
    "latitude": "52,52",
    "longitude": "13.405",
    "online_url": "https://video.example.org/",
    "url": " https://example.org/ ",
    "registration_url": "https://tickets.example.org/",
    "price_amount": "12,50",
    "price_currency": "eur",
    "programme": "listed",
    "call": "yes",
    "call_opens": "2026-04-01",
    "call_opens_time": "12:00",
    "call_closes": "2026-05-01",
    "call_closes_time": "23:59",
    "call_talk": "yes",
    "call_panel": "yes",
    "call_note": "Be short.",
}


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    return create_member_browser(app)


def load_proposal(app: Flask) -> Any:  # noqa: ANN401 - an event with what belongs to it
    with database_of(app).read_session() as session:
        event = session.scalars(select(Event)).one()
        call = session.scalars(select(CallForTalks)).one_or_none()
        team = session.scalars(select(TeamMember)).all()
        return event, call, team


def submit_form(browser: HtmlBrowser, **typed: str) -> str:
    """Submit the form without following the redirect, and return the redirect's URL."""
    held = browser.form_values("/propose", "propose")
    browser.response = browser.client.post("/propose", data={**held, "do": "propose", **typed})
    return browser.response.headers.get("Location", "")


def test_event_is_previewed_proposed_and_pending_moderation(app: Flask, member_browser: HtmlBrowser) -> None:
    assert "A moderator looks at it before it is public" in member_browser.visit("/propose")
    said = member_browser.submit_form("/propose", do="preview", **ALL_FIELDS)
    assert "This is what subscribers will see" in said
    assert "The Hall, Example Street 1, Berlin, Berlin, Germany" in said
    assert "SUMMARY:Xen Summit" in said
    assert "STATUS:CONFIRMED" in said
    assert count_rows(app, Event) == 0
    # The form still contains the typed values; only another button is pressed.
    assert submit_form(member_browser) == "/organise/xen-summit?done=proposed"
    assert "It waits for a moderator to publish it." in member_browser.visit("/organise/xen-summit?done=proposed")
    event, call, team = load_proposal(app)
    assert (event.status, event.kind, event.programme, event.attendance) == ("pending", "meetup", "listed", "hybrid")
    assert (event.starts, event.ends) == ("2026-06-10T09:30:00", "2026-06-12T17:00:00")
    assert (event.summary, event.url, event.country) == ("Three days\nof Xen.", "https://example.org/", "DE")
    assert (event.latitude, event.longitude) == (52.52, 13.405)
    assert (f"{event.price_amount:.2f}", event.price_currency) == ("12.50", "EUR")
    assert (call.opens, call.closes, call.kinds) == ("2026-04-01T12:00", "2026-05-01T23:59", ["talk", "panel"])
    assert [row.role for row in team] == [TeamRole.ORGANISER]


def test_all_day_event_needs_no_times_and_a_one_day_event_no_end(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/propose")
    assert submit_form(member_browser, **REQUIRED_FIELDS | {"ends": ""}) == "/organise/xen-summit?done=proposed"
    event, call, _team = load_proposal(app)
    assert (event.starts, event.ends, call) == ("2026-06-10", "2026-06-10", None)


def test_event_proposed_by_a_moderator_is_published_immediately(app: Flask) -> None:
    moderator = create_member_browser(app, "mo@example.org", role=Role.MODERATOR)
    assert "it is public at once" in moderator.visit("/propose")
    submit_form(moderator, **REQUIRED_FIELDS)
    assert load_proposal(app)[0].status == EventStatus.CONFIRMED


def test_empty_form_reports_required_fields_and_creates_nothing(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/propose")
    member_browser.submit_form("/propose", do="propose")
    assert member_browser.response.status_code == 422
    assert invalid_field_names(member_browser) == {"title", "timezone", "starts", "starts_time"}
    assert count_rows(app, Event) == 0


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"price_amount": "12"}, ({"price_currency"}, "is required")),
        ({"price_currency": "EUR"}, ({"price_amount"}, "is required")),
        ({"price_amount": "a lot", "price_currency": "EUR"}, ({"price_amount"}, "decimal")),
        ({"starts": "2026-06-13"}, ({"ends", "ends_time"}, "must not be before `starts`")),
        ({"starts_time": "10:00"}, ({"ends", "ends_time"}, "must be a date-time, like `starts`")),
        (
            {"starts": "", "starts_time": "10:00"},
            ({"starts", "starts_time"}, "neither a date (2014-08-18) nor a local date-time"),
        ),
        (
            {"starts": "2026-03-29", "starts_time": "02:30", "ends_time": "10:00"},
            ({"starts", "starts_time"}, "does not exist in"),
        ),
        ({"timezone": "Berlin"}, ({"timezone"}, "is not an IANA time zone")),
        ({"country": "Germany"}, ({"country"}, "two capital letters")),
        ({"latitude": "52.5"}, ({"latitude"}, "must be set together")),
        ({"latitude": "north", "longitude": "0"}, ({"latitude"}, "must be a number")),
        ({"url": "javascript:alert(1)"}, ({"url"}, "http")),
        ({"registration_url": "example.org"}, ({"registration_url"}, "http")),
        ({"tags": "x" * 60}, ({"tags"}, "at most 50")),
        ({"recurrence": "FREQ=HOURLY"}, ({"recurrence"}, "RRULE")),
        ({"slug": "No Slug"}, ({"slug"}, "lower-case")),
        ({"call": "yes", "call_closes": "2026-05-01"}, ({"call_closes", "call_closes_time"}, "has no time of day")),
        ({"call_note": "Be short."}, ({"call"}, "choose that there is one")),
        (
            {"title": "", "starts": "2026-03-29", "starts_time": "02:30", "ends_time": "02:30", "price_amount": "5"},
            ({"title", "starts", "starts_time", "price_currency"}, "does not exist in"),
        ),
        (
            {"url": "x", "call": "yes", "call_opens": "2026-05-02", "call_opens_time": "10:00"}
            | {"call_closes": "2026-05-01", "call_closes_time": "10:00"},
            ({"url", "call_closes", "call_closes_time"}, "must be later than `opens_at`"),
        ),
        ({"kind": "party"}, ({"kind"}, "must be one of")),
    ],
)
def test_error_is_shown_beside_its_field_and_input_is_kept(
    app: Flask, member_browser: HtmlBrowser, typed: dict[str, str], wrong: tuple[set[str], str]
) -> None:
    fields, says = wrong
    member_browser.visit("/propose")
    held = member_browser.form_values("/propose", "propose") | REQUIRED_FIELDS | typed
    said = member_browser.submit_form("/propose", do="propose", **REQUIRED_FIELDS | typed)
    assert (member_browser.response.status_code, invalid_field_names(member_browser)) == (422, fields)
    assert says in said
    again = member_browser.form_values("/propose", "propose")
    assert {name: value for name, value in again.items() if name not in {"kind", "csrf_token"}} == {
        name: value for name, value in held.items() if name not in {"kind", "csrf_token"}
    }
    assert count_rows(app, Event) == 0


def test_preview_with_errors_shows_no_calendar_entry(member_browser: HtmlBrowser) -> None:
    member_browser.visit("/propose")
    said = member_browser.submit_form("/propose", do="preview", **REQUIRED_FIELDS | {"starts": "2026-06-13"})
    assert member_browser.response.status_code == 422
    assert "This is what subscribers will see" not in said


def test_taken_slug_is_rejected_beside_its_field(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit")
    member_browser.visit("/propose")
    member_browser.submit_form("/propose", do="propose", **REQUIRED_FIELDS | {"slug": "summit"})
    assert (member_browser.response.status_code, invalid_field_names(member_browser)) == (409, {"slug"})


def test_hostile_text_is_escaped_in_the_form_and_the_preview(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/propose")
    texts = ("title", "summary", "description", "venue", "city", "series", "call_note", "tags")
    typed = REQUIRED_FIELDS | {"call": "yes"} | dict.fromkeys(texts, HOSTILE_TEXT) | {"tags": "<b>, &amp;"}
    member_browser.submit_form("/propose", do="preview", **typed)
    assert (member_browser.response.status_code, is_hostile_text_escaped(member_browser)) == (200, True)
    submit_form(member_browser)
    assert load_proposal(app)[0].title == HOSTILE_TEXT
    slug = load_proposal(app)[0].slug
    for path in ("event", "publishing"):
        member_browser.visit(f"/organise/{slug}/{path}")
        assert is_hostile_text_escaped(member_browser)


def test_null_bytes_are_rejected(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/propose")
    held = member_browser.form_values("/propose", "propose")
    member_browser.response = member_browser.client.post(
        "/propose", data={**held, **REQUIRED_FIELDS, "do": "propose", "title": "a\x00b"}
    )
    assert member_browser.response.status_code == 422
    assert html_parse_errors(member_browser.response.text.replace("\x00", "")) == []
    assert count_rows(app, Event) == 0


def test_anonymous_request_is_redirected_to_sign_in(app: Flask) -> None:
    answer = app.test_client().get("/propose", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2Fpropose")
    assert app.test_client().post("/propose", data=REQUIRED_FIELDS).status_code == 401


def test_form_without_csrf_token_is_rejected(app: Flask, member_browser: HtmlBrowser) -> None:
    assert member_browser.client.post("/propose", data={**REQUIRED_FIELDS, "do": "propose"}).status_code == 403
    assert count_rows(app, Event) == 0


def test_preview_with_an_idempotency_key_creates_nothing(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/propose")
    held = member_browser.form_values("/propose", "propose") | REQUIRED_FIELDS | {"do": "preview"}
    answer = member_browser.client.post("/propose", data=held, headers={"Idempotency-Key": "one"})
    assert (answer.status_code, count_rows(app, Event)) == (200, 0)


def test_member_with_unconfirmed_email_is_rejected_and_input_is_kept(mailing_app: Flask) -> None:
    ada = create_member_browser(mailing_app)
    with write_session(mailing_app) as session:
        session.scalars(select(Member)).one().confirmed_at = None
    ada.visit("/propose")
    ada.submit_form("/propose", do="propose", **REQUIRED_FIELDS)
    assert (ada.response.status_code, ada.form_values("/propose", "propose")["title"]) == (403, "Xen Summit")
    assert count_rows(mailing_app, Event) == 0
