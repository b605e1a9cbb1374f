"""A member's workflow through the pages, using only links and forms, as in a browser without JavaScript."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import Programme
from eventcal.members.models import Member
from eventcal.outbox.models import OutboxMessage
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.factories import make_event, make_member, make_talk
from tests.feed_support.feed_client import fetch_feed
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import parse_html
from tests.http_app import database_of, write_session

PASSWORD = "a quiet red bicycle"
REGISTRATION = {"name": "Ada Lovelace", "email": "ada@example.org", "password": PASSWORD}


@pytest.fixture
def browser(app: Flask) -> HtmlBrowser:
    return create_browser(app)


@pytest.fixture
def summit(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", title="Xen Summit", call={"kinds": ["talk", "lightning"]})


@pytest.fixture
def member_browser(app: Flask, browser: HtmlBrowser) -> HtmlBrowser:
    del app
    browser.visit("/register")
    browser.submit_form("/register", **REGISTRATION)
    browser.visit("/login")
    browser.submit_form("/login", email=REGISTRATION["email"], password=PASSWORD)
    return browser


def load_talk(app: Flask) -> Talk:
    with database_of(app).read_session() as session:
        return session.scalars(select(Talk)).one()


@pytest.mark.usefixtures("summit")
def test_member_registers_signs_in_previews_and_submits_a_talk(app: Flask, browser: HtmlBrowser) -> None:
    assert "Sign in" in browser.visit("/submit?event=summit")
    browser.visit("/register")
    assert "You are registered" in browser.submit_form("/register", **REGISTRATION)
    # After signing in, members are redirected to the page that they requested.
    browser.visit("/submit?event=summit")
    assert "Xen Summit" in browser.submit_form("/login", email=REGISTRATION["email"], password=PASSWORD)
    typed = {
        "title": "Xen on ARM",
        "abstract": "What, and *why*.\r\n\r\nAnd how.",
        "tags": "arm, xen, arm",
        "kind": "talk",
    }
    assert "This is how it will look" in browser.submit_form("/submit", do="preview", **typed)
    assert "<em>why</em>" in browser.response.text
    # The form still contains the typed values; only another button is pressed.
    assert "Submitted: it waits for a decision" in browser.submit_form("/submit", do="submit")
    talk = load_talk(app)
    assert (talk.title, talk.abstract, talk.state) == (
        "Xen on ARM",
        "What, and *why*.\n\nAnd how.",
        TalkState.SUBMITTED,
    )
    assert "Xen on ARM" in browser.visit("/me")


@pytest.mark.usefixtures("summit")
def test_errors_are_shown_beside_their_fields_and_input_is_kept(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/submit?event=summit")
    said = member_browser.submit_form(
        "/submit", do="submit", title="", duration_minutes="long", tags="x" * 60, abstract="Kept <b>"
    )
    assert member_browser.response.status_code == 422
    tree = parse_html(member_browser.response.text)
    invalid = {one.get("name") for one in tree.iter() if one.get("aria-invalid") == "true"}
    assert invalid == {"title", "duration_minutes", "tags"}
    described = {one.get("id") for one in tree.iter()}
    for field in (one for one in tree.iter() if one.get("aria-describedby")):
        assert set(field.get("aria-describedby", "").split()) <= described
    held = member_browser.form_values("/submit")
    assert (held["abstract"], held["duration_minutes"]) == ("Kept <b>", "long")
    assert "Some of this cannot be taken yet" in said
    with database_of(app).read_session() as session:
        assert session.scalars(select(Talk)).all() == []


@pytest.mark.usefixtures("summit")
def test_draft_can_be_saved_changed_submitted_and_withdrawn(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/submit?event=summit")
    assert "Draft: only you see it" in member_browser.submit_form(
        "/submit", do="draft", title="A draft", abstract="One"
    )
    where = f"/me/talks/{load_talk(app).id}"
    member_browser.submit_form(where, do="save", title="A better draft", abstract="")
    talk = load_talk(app)
    assert (talk.title, talk.abstract, talk.state) == ("A better draft", None, TalkState.DRAFT)
    member_browser.submit_form(where, do="submit")
    assert load_talk(app).state == TalkState.SUBMITTED
    assert "You can reinstate a withdrawn talk later." in member_browser.visit(f"{where}/withdraw")
    assert "Withdrawn" in member_browser.submit_form(where, do="withdraw")
    assert load_talk(app).state == TalkState.WITHDRAWN


def test_member_enters_the_time_of_a_talk_at_a_listed_event(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="fest", title="Linux Fest", programme=Programme.LISTED)
    member_browser.visit("/submit?event=fest")
    member_browser.submit_form("/submit", do="submit", title="Xen on ARM", starts="2026-06-11", starts_time="25:00")
    assert member_browser.response.status_code == 422
    assert (member_browser.form_values("/submit")["starts"], member_browser.form_values("/submit")["starts_time"]) == (
        "2026-06-11",
        "25:00",
    )
    member_browser.submit_form("/submit", do="submit", title="Xen on ARM", starts="2026-06-11", starts_time="13:30")
    talk = load_talk(app)
    assert (talk.starts, talk.ends) == ("2026-06-11T13:30:00", None)
    where = f"/me/talks/{talk.id}"
    assert member_browser.form_values(where, "save")["starts_time"] == "13:30"
    member_browser.submit_form(where, do="save", starts="2026-06-12", ends="2026-06-12", ends_time="14:00")
    assert (load_talk(app).starts, load_talk(app).ends) == ("2026-06-12T13:30:00", "2026-06-12T14:00:00")
    member_browser.submit_form(where, do="save", starts_time="", ends_time="")
    assert (load_talk(app).starts, load_talk(app).ends) == (None, None)


@pytest.mark.usefixtures("summit")
def test_form_of_a_curated_event_has_no_time_fields(member_browser: HtmlBrowser) -> None:
    member_browser.visit("/submit?event=summit")
    assert "starts_time" not in member_browser.form_values("/submit")


@pytest.mark.usefixtures("summit")
def test_conflicting_edit_returns_412(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/submit?event=summit")
    member_browser.submit_form("/submit", do="submit", title="Mine", abstract="One")
    talk = load_talk(app)
    form = member_browser.form_values(f"/me/talks/{talk.id}", "save")
    with write_session(app) as session:
        session.get_one(Talk, talk.id).title = "An organiser's"
    member_browser.response = member_browser.client.post(
        f"/me/talks/{talk.id}", data={**form, "do": "save", "title": "Mine again"}
    )
    assert member_browser.response.status_code == 412
    assert (load_talk(app).title, member_browser.form_values(f"/me/talks/{talk.id}", "save")["title"]) == (
        "An organiser's",
        "Mine again",
    )
    # A revision is a single number, not a list of candidates.
    guessed = ", ".join(f'"{number}"' for number in range(20)).strip('"')
    assert (
        member_browser.client.post(f"/me/talks/{talk.id}", data={**form, "do": "save", "revision": guessed}).status_code
        == 412
    )
    # After seeing the current values, the member may overwrite them.
    member_browser.submit_form(f"/me/talks/{talk.id}", do="save")
    assert load_talk(app).title == "Mine again"


@pytest.mark.usefixtures("summit")
def test_validation_error_does_not_hide_a_concurrent_change(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/submit?event=summit")
    member_browser.submit_form("/submit", do="submit", title="Mine")
    where = f"/me/talks/{load_talk(app).id}"
    with write_session(app) as session:
        session.get_one(Talk, load_talk(app).id).title = "An organiser's"
    member_browser.submit_form(where, do="save", title="Mine again", duration_minutes="long")
    assert member_browser.response.status_code == 422
    member_browser.submit_form(where, do="save", duration_minutes="20")
    assert (member_browser.response.status_code, load_talk(app).title) == (412, "An organiser's")


def test_confirmed_talk_appears_on_its_page_and_in_its_feed(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        member = session.scalars(select(Member)).one()
        event = make_event(session, slug="summit")
        make_talk(session, event, id="talk", title="Accepted", state=TalkState.ACCEPTED, submitter=member)
    assert "please confirm it" in member_browser.visit("/me/talks/talk")
    assert "Confirmed" in member_browser.submit_form("/me/talks/talk", do="confirm")
    assert [entry.text("SUMMARY") for entry in fetch_feed(app, "/talks/talk.ics").events()] == ["Accepted"]
    assert "Accepted" in member_browser.visit("/talks/talk")


@pytest.mark.parametrize(
    ("way", "leads_to"),
    [
        ("/submit?event=summit", "/submit?event=summit"),
        ("//evil.example.org", "/me"),
        ("https://evil.example.org/", "/me"),
        ("/\\evil.example.org", "/me"),
        ("/\r\nX: y", "/me"),
        ("", "/me"),
    ],
)
def test_sign_in_redirects_only_to_pages_of_this_site(browser: HtmlBrowser, way: str, leads_to: str) -> None:
    browser.visit("/register")
    browser.submit_form("/register", **REGISTRATION)
    browser.visit("/login")
    form = browser.form_values("/login") | {"email": REGISTRATION["email"], "password": PASSWORD, "next": way}
    assert browser.client.post("/login", data=form).headers["Location"] == leads_to


def test_wrong_password_is_rejected_and_not_repeated(browser: HtmlBrowser) -> None:
    browser.visit("/login")
    said = browser.submit_form("/login", email="nobody@example.org", password="secret-typed")
    assert (browser.response.status_code, "Wrong email address or password" in said) == (401, True)
    assert "secret-typed" not in browser.response.text
    assert browser.form_values("/login")["email"] == "nobody@example.org"


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm", "/logout"])
def test_form_without_csrf_token_is_rejected(app: Flask, path: str) -> None:
    assert app.test_client().post(path, data=REGISTRATION).status_code == 403
    with database_of(app).read_session() as session:
        assert session.scalars(select(Member)).all() == []


@pytest.mark.usefixtures("summit")
def test_talk_of_another_member_returns_404(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="other")
        make_talk(session, event, id="hers", title="Hers", submitter=make_member(session), state=TalkState.CONFIRMED)
    member_browser.visit("/me")
    csrf = member_browser.form_values("/logout")["csrf_token"]
    assert member_browser.client.get("/me/talks/hers").status_code == 404
    assert member_browser.client.post("/me/talks/hers", data={"csrf_token": csrf, "do": "withdraw"}).status_code == 404


def test_personal_pages_are_not_stored(member_browser: HtmlBrowser) -> None:
    for path in ("/me", "/submit", "/login", "/register"):
        member_browser.visit(path)
        assert member_browser.response.headers["Cache-Control"] == "no-store"


def test_links_in_mails_open_working_pages(mailing_app: Flask) -> None:
    browser = create_browser(mailing_app)
    browser.visit("/register")
    assert "A mail is on its way to ada@example.org" in browser.submit_form("/register", **REGISTRATION)
    browser.visit(mailed_link(mailing_app, "confirm"))
    assert "Your address is confirmed" in browser.submit_form("/confirm", password=REGISTRATION["password"])
    browser.visit("/reset")
    browser.submit_form("/reset", email=REGISTRATION["email"])
    browser.visit(mailed_link(mailing_app, "reset"))
    assert "Your password is changed" in browser.submit_form("/reset", password="another red bicycle")
    browser.visit("/login")
    assert "My talks" in browser.submit_form("/login", email=REGISTRATION["email"], password="another red bicycle")


def mailed_link(app: Flask, path: str) -> str:
    """Return the path and query of the most recent mailed link to a path."""
    with database_of(app).read_session() as session:
        texts = [str(row.payload) for row in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]
    found = [match[0] for text in texts for match in re.finditer(rf"/{path}\?token=[\w.-]+", text)]
    return found[-1]
