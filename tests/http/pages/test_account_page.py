"""/me/account: name, email and password, and deleting the account after a summary of the consequences."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from eventcal.app import create_app
from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star, Talk
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_member, make_speaker, make_talk
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import element_text, parse_html
from tests.http_app import (
    PASSWORD,
    create_manual_background,
    create_signed_in_client,
    list_mails,
    list_rows,
    make_settings,
    write_session,
)

HOSTILE = "<script>alert(1)</script>"
NEW_PASSWORD = "another quiet bicycle"


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    return signed_in_browser(app)


def signed_in_browser(app: Flask, email: str = "ada@example.org", **fields: Any) -> HtmlBrowser:
    browser = create_browser(app)
    browser.client = create_signed_in_client(app, email, **fields).client
    return browser


def can_sign_in(app: Flask, password: str) -> bool:
    browser = create_browser(app)
    browser.visit("/login")
    browser.submit_form("/login", email="ada@example.org", password=password)
    return browser.response.status_code == 200


def invalid_fields(browser: HtmlBrowser) -> list[str | None]:
    return [one.get("name") for one in parse_html(browser.response.text).iter() if one.get("aria-invalid") == "true"]


# -- name and password -------------------------------------------------------------------------------------------------


def test_member_can_change_their_name(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/account")
    assert "Your name is changed." in member_browser.submit_form("/me/account", name=f"Ada {HOSTILE}")
    assert list_rows(app, Member)[0].name == f"Ada {HOSTILE}"
    assert member_browser.form_values("/me/account")["name"] == f"Ada {HOSTILE}"
    assert HOSTILE not in member_browser.response.text


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\nb"])
def test_invalid_name_is_rejected_and_kept_in_the_form(app: Flask, member_browser: HtmlBrowser, name: str) -> None:
    member_browser.visit("/me/account")
    member_browser.submit_form("/me/account", name=name)
    assert (member_browser.response.status_code, invalid_fields(member_browser)) == (422, ["name"])
    assert list_rows(app, Member)[0].name == "Ada Lovelace"


def test_password_change_ends_all_other_sessions(app: Flask, member_browser: HtmlBrowser) -> None:
    elsewhere = signed_in_browser(app)
    member_browser.visit("/me/account")
    said = member_browser.submit_form("/me/account/password", password=PASSWORD, new_password=NEW_PASSWORD)
    assert "Your password is changed. Every other session has ended." in said
    assert member_browser.client.get("/me").status_code == 200
    assert elsewhere.client.get("/me").status_code == 303
    assert (can_sign_in(app, NEW_PASSWORD), can_sign_in(app, PASSWORD)) == (True, False)
    # The page contains the CSRF token of the new session.
    assert "Your name is changed." in member_browser.submit_form("/me/account", name="Ada")


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"password": "wrong", "new_password": NEW_PASSWORD}, ["password"]),
        ({"password": PASSWORD, "new_password": "short"}, ["new_password"]),
        ({"password": "", "new_password": ""}, ["password", "new_password"]),
        ({"password": "wrong", "new_password": "short"}, ["password", "new_password"]),
    ],
)
def test_invalid_password_change_is_rejected_without_repeating_the_input(
    app: Flask, member_browser: HtmlBrowser, typed: dict[str, str], wrong: list[str]
) -> None:
    before = list_rows(app, Member)[0].password
    member_browser.visit("/me/account")
    member_browser.submit_form("/me/account/password", **typed)
    assert (member_browser.response.status_code, invalid_fields(member_browser)) == (422, wrong)
    assert not any(f'"{secret}"' in member_browser.response.text for secret in typed.values() if secret)
    assert list_rows(app, Member)[0].password == before


# -- email -------------------------------------------------------------------------------------------------------------


def test_confirmation_mail_can_be_sent_again(mailing_app: Flask) -> None:
    ada = signed_in_browser(mailing_app, confirmed_at=None)
    assert "ada@example.org Not confirmed yet" in ada.visit("/me/account")
    assert "A mail is on its way to ada@example.org." in ada.submit_form("/me/account/confirmation")
    [(to, subject)] = list_mails(mailing_app)
    assert (to, "confirm your address" in subject) == ("ada@example.org", True)


def test_no_confirmation_mail_is_sent_for_a_confirmed_email(mailing_app: Flask) -> None:
    ada = signed_in_browser(mailing_app)
    assert "ada@example.org Confirmed" in ada.visit("/me/account")
    csrf = ada.form_values("/me/account")["csrf_token"]
    ada.client.post("/me/account/confirmation", data={"csrf_token": csrf})
    assert list_mails(mailing_app) == []


def test_confirmation_mails_and_password_attempts_are_rate_limited(sqlite_url: str, clock: FixedClock) -> None:
    settings = make_settings(sqlite_url, mail_url="smtp://mail.example.org")
    app = create_app(settings, clock=clock, background=create_manual_background())
    ada = signed_in_browser(app, confirmed_at=None)
    ada.visit("/me/account")
    codes = []
    for _ in range(6):
        ada.submit_form("/me/account/confirmation")
        codes.append(ada.response.status_code)
    assert codes == [200] * 5 + [429]
    assert "Wait a moment" in ada.main_text()
    for _ in range(11):
        ada.submit_form("/me/account/password", password="wrong", new_password=NEW_PASSWORD)
    assert (ada.response.status_code, invalid_fields(ada)) == (429, ["password"])
    ada.visit("/me/account/delete")
    ada.submit_form("/me/account/delete", password=PASSWORD)
    assert (ada.response.status_code, len(list_rows(app, Member))) == (429, 1)
    assert [subject for _to, subject in list_mails(app)[3:]] == ["eventcal: failed attempts to sign in"]


# -- deleting the account ----------------------------------------------------------------------------------------------


def add_all_kinds_of_data(app: Flask) -> None:
    """Create one of every kind of data for Ada."""
    with write_session(app) as session:
        member = session.query(Member).one()
        speaker = make_speaker(session, member=member, slug="ada", name="Countess Ada", published_at=NOON)
        event = make_event(session, slug="summit")
        for state in (TalkState.DRAFT, TalkState.SUBMITTED, TalkState.ACCEPTED, TalkState.CONFIRMED):
            talk = make_talk(
                session,
                event,
                id=state,
                title=f"My {state} {HOSTILE}",
                state=state,
                submitter=member,
                speakers=[speaker],
            )
        session.add(Star(member_id=member.id, talk_id=talk.id, starred_at=NOON))
        session.add_all(
            PersonalFeed(member_id=member.id, name=name, secret_hash=name, created_at=NOON, revoked_at=revoked)
            for name, revoked in (("phone", None), ("desk", None), ("lost", NOON))
        )
        token = AccessToken(member_id=member.id, name="script", token_hash="x", scopes=[], created_at=NOON)
        token.granted_role, token.expires_at = member.role, NOON + timedelta(days=90)
        session.add(token)
        session.add(TeamMember(event_id=event.id, member_id=member.id, role=TeamRole.REVIEWER))


def text_by_heading(browser: HtmlBrowser) -> dict[str, str]:
    """Return the text below each heading."""
    titles = [element_text(one) for one in parse_html(browser.response.text).iter("h2")]
    pieces = re.split("|".join(re.escape(title) for title in titles), browser.main_text())
    return dict(zip(titles, pieces[1:], strict=True))


def test_deletion_page_lists_what_is_deleted_withdrawn_and_kept(app: Flask, member_browser: HtmlBrowser) -> None:
    add_all_kinds_of_data(app)
    member_browser.visit("/me/account")
    assert "Delete my account" in member_browser.visit("/me/account/delete")
    said = text_by_heading(member_browser)
    for goes in ("with 1 talk that", "2 calendar addresses", "1 token", "team of “Xen Summit”"):
        assert goes in said["What goes"]
    assert ("My draft" in said["What is withdrawn"], "My submitted" in said["What is withdrawn"]) == (True, True)
    assert "My accepted" in said["What only the organisers go on seeing"]
    assert ("Countess Ada" in said["What stays public"], "My confirmed" in said["What stays public"]) == (True, True)
    assert "ask a moderator" in said["What stays public"]
    assert "My draft" not in said["What stays public"]
    assert HOSTILE not in member_browser.response.text
    # Nothing has changed yet.
    assert {talk.state for talk in list_rows(app, Talk)} > {TalkState.DRAFT, TalkState.SUBMITTED}
    assert len(list_rows(app, Member)) == 1


def test_deleting_the_account_does_what_the_page_announced(app: Flask, member_browser: HtmlBrowser) -> None:
    add_all_kinds_of_data(app)
    member_browser.visit("/me/account/delete")
    assert "Your account is gone" in member_browser.submit_form("/me/account/delete", password=PASSWORD)
    assert (list_rows(app, Member), list_rows(app, AccessToken)) == ([], [])
    assert {talk.id: talk.state for talk in list_rows(app, Talk)} == {
        "draft": TalkState.WITHDRAWN,
        "submitted": TalkState.WITHDRAWN,
        "accepted": TalkState.ACCEPTED,
        "confirmed": TalkState.CONFIRMED,
    }
    assert all(feed.revoked_at for feed in list_rows(app, PersonalFeed))
    assert member_browser.client.get("/me").headers["Location"] == "/login?next=%2Fme"
    assert not can_sign_in(app, PASSWORD)


def test_deletion_page_of_a_member_without_data_says_that_nothing_was_public(member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/account/delete")
    assert list(text_by_heading(member_browser)) == ["What goes", "What stays public", "Delete it for good"]
    assert "nothing of yours was public" in member_browser.main_text()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_deleting_the_account_requires_the_password(app: Flask, member_browser: HtmlBrowser, password: str) -> None:
    add_all_kinds_of_data(app)
    member_browser.visit("/me/account/delete")
    member_browser.submit_form("/me/account/delete", password=password)
    assert (member_browser.response.status_code, invalid_fields(member_browser)) == (422, ["password"])
    assert "My draft" in member_browser.main_text()
    assert len(list_rows(app, Member)) == 1


def test_last_organiser_of_an_event_cannot_delete_their_account(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/account/delete")
    form = member_browser.form_values("/me/account/delete") | {"password": PASSWORD}
    with write_session(app) as session:
        member, other = session.query(Member).one(), make_member(session)
        for slug, fields, others in (
            ("alone", {"title": f"Alone {HOSTILE}"}, []),
            ("helped", {}, [other]),
            ("over", {"starts": "2026-02-01", "ends": "2026-02-02"}, []),
            ("off", {"status": EventStatus.CANCELLED}, []),
        ):
            event = make_event(session, slug=slug, **fields)
            session.add_all(
                TeamMember(event_id=event.id, member_id=one.id, role=TeamRole.ORGANISER) for one in (member, *others)
            )
    member_browser.response = member_browser.client.post(
        "/me/account/delete", data=form, headers={"Accept": "text/html"}
    )
    assert member_browser.response.status_code == 409
    assert "Add another organiser" in member_browser.main_text()
    for _ in range(2):
        ways = [one.get("href", "") for one in parse_html(member_browser.response.text).iter("a")]
        assert [way for way in ways if way.startswith("/organise/")] == ["/organise/alone/team"]
        assert f"Alone {HOSTILE}" in member_browser.main_text()
        # The button is hidden because the deletion would be rejected.
        assert "/me/account/delete" not in {
            one.get("action") for one in parse_html(member_browser.response.text).iter("form")
        }
        member_browser.visit("/me/account/delete")
    assert len(list_rows(app, Member)) == 2


@pytest.mark.parametrize(
    "path", ["/me/account", "/me/account/password", "/me/account/confirmation", "/me/account/delete"]
)
def test_account_forms_without_csrf_token_are_rejected(app: Flask, member_browser: HtmlBrowser, path: str) -> None:
    before = list_rows(app, Member)[0]
    typed = {"name": "Mallory", "password": PASSWORD, "new_password": NEW_PASSWORD}
    assert member_browser.client.post(path, data=typed).status_code == 403
    assert app.test_client().post(path, data=typed).status_code == 401
    [after] = list_rows(app, Member)
    assert (after.name, after.password) == (before.name, before.password)


@pytest.mark.parametrize("path", ["/me/account", "/me/account/delete"])
def test_account_pages_require_sign_in_and_are_not_stored(app: Flask, member_browser: HtmlBrowser, path: str) -> None:
    assert app.test_client().get(path).status_code == 303
    member_browser.visit(path)
    assert member_browser.response.headers["Cache-Control"] == "no-store"


def test_farewell_page_needs_no_sign_in(app: Flask) -> None:
    assert "Your account is gone" in create_browser(app).visit("/me/account/deleted")
