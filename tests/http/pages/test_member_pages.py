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
from tests.browsing import Browser, browser_of
from tests.feed_support.fetching import read
from tests.http_app import database_of, writing
from tests.make import make_event, make_member, make_talk
from tests.pages import tree_of

PASSWORD = "a quiet red bicycle"
ADA = {"name": "Ada Lovelace", "email": "ada@example.org", "password": PASSWORD}


@pytest.fixture
def browser(app: Flask) -> Browser:
    return browser_of(app)


@pytest.fixture
def summit(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="summit", title="Xen Summit", call={"kinds": ["talk", "lightning"]})


@pytest.fixture
def ada(app: Flask, browser: Browser) -> Browser:
    del app
    browser.go("/register")
    browser.send("/register", **ADA)
    browser.go("/login")
    browser.send("/login", email=ADA["email"], password=PASSWORD)
    return browser


def stored(app: Flask) -> Talk:
    with database_of(app).read_session() as session:
        return session.scalars(select(Talk)).one()


@pytest.mark.usefixtures("summit")
def test_member_registers_signs_in_previews_and_submits_a_talk(app: Flask, browser: Browser) -> None:
    assert "Sign in" in browser.go("/submit?event=summit")
    browser.go("/register")
    assert "You are registered" in browser.send("/register", **ADA)
    # After signing in, members are redirected to the page that they requested.
    browser.go("/submit?event=summit")
    assert "Xen Summit" in browser.send("/login", email=ADA["email"], password=PASSWORD)
    typed = {
        "title": "Xen on ARM",
        "abstract": "What, and *why*.\r\n\r\nAnd how.",
        "tags": "arm, xen, arm",
        "kind": "talk",
    }
    assert "This is how it will look" in browser.send("/submit", do="preview", **typed)
    assert "<em>why</em>" in browser.at.text
    # The form still contains the typed values; only another button is pressed.
    assert "Submitted: it waits for a decision" in browser.send("/submit", do="submit")
    talk = stored(app)
    assert (talk.title, talk.abstract, talk.state) == (
        "Xen on ARM",
        "What, and *why*.\n\nAnd how.",
        TalkState.SUBMITTED,
    )
    assert "Xen on ARM" in browser.go("/me")


@pytest.mark.usefixtures("summit")
def test_errors_are_shown_beside_their_fields_and_input_is_kept(app: Flask, ada: Browser) -> None:
    ada.go("/submit?event=summit")
    said = ada.send("/submit", do="submit", title="", duration_minutes="long", tags="x" * 60, abstract="Kept <b>")
    assert ada.at.status_code == 422
    tree = tree_of(ada.at.text)
    invalid = {one.get("name") for one in tree.iter() if one.get("aria-invalid") == "true"}
    assert invalid == {"title", "duration_minutes", "tags"}
    described = {one.get("id") for one in tree.iter()}
    for field in (one for one in tree.iter() if one.get("aria-describedby")):
        assert set(field.get("aria-describedby", "").split()) <= described
    held = ada.fields("/submit")
    assert (held["abstract"], held["duration_minutes"]) == ("Kept <b>", "long")
    assert "Some of this cannot be taken yet" in said
    with database_of(app).read_session() as session:
        assert session.scalars(select(Talk)).all() == []


@pytest.mark.usefixtures("summit")
def test_draft_can_be_saved_changed_submitted_and_withdrawn(app: Flask, ada: Browser) -> None:
    ada.go("/submit?event=summit")
    assert "Draft: only you see it" in ada.send("/submit", do="draft", title="A draft", abstract="One")
    where = f"/me/talks/{stored(app).id}"
    ada.send(where, do="save", title="A better draft", abstract="")
    talk = stored(app)
    assert (talk.title, talk.abstract, talk.state) == ("A better draft", None, TalkState.DRAFT)
    ada.send(where, do="submit")
    assert stored(app).state == TalkState.SUBMITTED
    assert "you cannot take this back" in ada.go(f"{where}/withdraw")
    assert "Withdrawn" in ada.send(where, do="withdraw")
    assert stored(app).state == TalkState.WITHDRAWN


def test_member_enters_the_time_of_a_talk_at_a_listed_event(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="fest", title="Linux Fest", programme=Programme.LISTED)
    ada.go("/submit?event=fest")
    ada.send("/submit", do="submit", title="Xen on ARM", starts="2026-06-11", starts_time="25:00")
    assert ada.at.status_code == 422
    assert (ada.fields("/submit")["starts"], ada.fields("/submit")["starts_time"]) == ("2026-06-11", "25:00")
    ada.send("/submit", do="submit", title="Xen on ARM", starts="2026-06-11", starts_time="13:30")
    talk = stored(app)
    assert (talk.starts, talk.ends) == ("2026-06-11T13:30:00", None)
    where = f"/me/talks/{talk.id}"
    assert ada.fields(where, "save")["starts_time"] == "13:30"
    ada.send(where, do="save", starts="2026-06-12", ends="2026-06-12", ends_time="14:00")
    assert (stored(app).starts, stored(app).ends) == ("2026-06-12T13:30:00", "2026-06-12T14:00:00")
    ada.send(where, do="save", starts_time="", ends_time="")
    assert (stored(app).starts, stored(app).ends) == (None, None)


@pytest.mark.usefixtures("summit")
def test_form_of_a_curated_event_has_no_time_fields(ada: Browser) -> None:
    ada.go("/submit?event=summit")
    assert "starts_time" not in ada.fields("/submit")


@pytest.mark.usefixtures("summit")
def test_conflicting_edit_returns_412(app: Flask, ada: Browser) -> None:
    ada.go("/submit?event=summit")
    ada.send("/submit", do="submit", title="Mine", abstract="One")
    talk = stored(app)
    form = ada.fields(f"/me/talks/{talk.id}", "save")
    with writing(app) as session:
        session.get_one(Talk, talk.id).title = "An organiser's"
    ada.at = ada.client.post(f"/me/talks/{talk.id}", data={**form, "do": "save", "title": "Mine again"})
    assert ada.at.status_code == 412
    assert (stored(app).title, ada.fields(f"/me/talks/{talk.id}", "save")["title"]) == ("An organiser's", "Mine again")
    # A revision is a single number, not a list of candidates.
    guessed = ", ".join(f'"{number}"' for number in range(20)).strip('"')
    assert ada.client.post(f"/me/talks/{talk.id}", data={**form, "do": "save", "revision": guessed}).status_code == 412
    # After seeing the current values, the member may overwrite them.
    ada.send(f"/me/talks/{talk.id}", do="save")
    assert stored(app).title == "Mine again"


@pytest.mark.usefixtures("summit")
def test_validation_error_does_not_hide_a_concurrent_change(app: Flask, ada: Browser) -> None:
    ada.go("/submit?event=summit")
    ada.send("/submit", do="submit", title="Mine")
    where = f"/me/talks/{stored(app).id}"
    with writing(app) as session:
        session.get_one(Talk, stored(app).id).title = "An organiser's"
    ada.send(where, do="save", title="Mine again", duration_minutes="long")
    assert ada.at.status_code == 422
    ada.send(where, do="save", duration_minutes="20")
    assert (ada.at.status_code, stored(app).title) == (412, "An organiser's")


def test_confirmed_talk_appears_on_its_page_and_in_its_feed(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        member = session.scalars(select(Member)).one()
        event = make_event(session, slug="summit")
        make_talk(session, event, id="talk", title="Accepted", state=TalkState.ACCEPTED, submitter=member)
    assert "please confirm it" in ada.go("/me/talks/talk")
    assert "Confirmed" in ada.send("/me/talks/talk", do="confirm")
    assert [entry.text("SUMMARY") for entry in read(app, "/talks/talk.ics").events()] == ["Accepted"]
    assert "Accepted" in ada.go("/talks/talk")


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
def test_sign_in_redirects_only_to_pages_of_this_site(browser: Browser, way: str, leads_to: str) -> None:
    browser.go("/register")
    browser.send("/register", **ADA)
    browser.go("/login")
    form = browser.fields("/login") | {"email": ADA["email"], "password": PASSWORD, "next": way}
    assert browser.client.post("/login", data=form).headers["Location"] == leads_to


def test_wrong_password_is_rejected_and_not_repeated(browser: Browser) -> None:
    browser.go("/login")
    said = browser.send("/login", email="nobody@example.org", password="secret-typed")
    assert (browser.at.status_code, "do not belong together" in said) == (401, True)
    assert "secret-typed" not in browser.at.text
    assert browser.fields("/login")["email"] == "nobody@example.org"


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm", "/logout"])
def test_form_without_csrf_token_is_rejected(app: Flask, path: str) -> None:
    assert app.test_client().post(path, data=ADA).status_code == 403
    with database_of(app).read_session() as session:
        assert session.scalars(select(Member)).all() == []


@pytest.mark.usefixtures("summit")
def test_talk_of_another_member_returns_404(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        event = make_event(session, slug="other")
        make_talk(session, event, id="hers", title="Hers", submitter=make_member(session), state=TalkState.CONFIRMED)
    ada.go("/me")
    csrf = ada.fields("/logout")["csrf_token"]
    assert ada.client.get("/me/talks/hers").status_code == 404
    assert ada.client.post("/me/talks/hers", data={"csrf_token": csrf, "do": "withdraw"}).status_code == 404


def test_personal_pages_are_not_stored(ada: Browser) -> None:
    for path in ("/me", "/submit", "/login", "/register"):
        ada.go(path)
        assert ada.at.headers["Cache-Control"] == "no-store"


def test_links_in_mails_open_working_pages(mailing_app: Flask) -> None:
    browser = browser_of(mailing_app)
    browser.go("/register")
    assert "A mail is on its way to ada@example.org" in browser.send("/register", **ADA)
    browser.go(mailed(mailing_app, "confirm"))
    assert "Your address is confirmed" in browser.send("/confirm")
    browser.go("/reset")
    browser.send("/reset", email=ADA["email"])
    browser.go(mailed(mailing_app, "reset"))
    assert "Your password is changed" in browser.send("/reset", password="another red bicycle")
    browser.go("/login")
    assert "My talks" in browser.send("/login", email=ADA["email"], password="another red bicycle")


def mailed(app: Flask, path: str) -> str:
    """Return the path and query of the most recent mailed link to a path."""
    with database_of(app).read_session() as session:
        texts = [str(row.payload) for row in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]
    found = [match[0] for text in texts for match in re.finditer(rf"/{path}\?token=[\w.-]+", text)]
    return found[-1]
