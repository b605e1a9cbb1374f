"""Answering an invitation: the page behind the emailed link, and the member's own page."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import Event, TeamMember
from eventcal.invitations.service import invite_to_team
from eventcal.members.caller import Caller
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.outbox.models import OutboxMessage
from tests.api_client import count_rows
from tests.clocks import NOON
from tests.factories import make_event, make_member
from tests.html_browser import HtmlBrowser, create_browser
from tests.http_app import PASSWORD, list_rows, write_session
from tests.team_browsers import HOSTILE_TEXT, create_member_browser, create_team_browser, is_hostile_text_escaped


def invite(app: Flask, *, email: str = "ada@example.org", title: str = "Xen Summit", now: datetime = NOON) -> str:
    """Invite an address to the team of a new event, and return the path of the emailed link."""
    with write_session(app) as session:
        event = make_event(session, slug="summit", title=title)
        inviter = make_member(session, email="max@example.org", role=Role.MODERATOR)
        caller = Caller(role=Role.MODERATOR, member_id=inviter.id)
        _invitation, token = invite_to_team(session, event, email=email, role=TeamRole.REVIEWER, caller=caller, now=now)
    return f"/invitations/{token}"


def button_values(browser: HtmlBrowser) -> list[str]:
    """Return the answers that the page offers."""
    return re.findall(r'name="do" value="(\w+)"', browser.response.text)


@pytest.mark.both_databases
def test_invited_member_accepts_with_the_emailed_link(app: Flask) -> None:
    path = invite(app)
    ada = create_member_browser(app)
    said = ada.visit(path)
    assert "You are invited to join the team of this event. Xen Summit Reviewer" in said
    assert "You can accept until: Tue, Mar 31, 2026" in said
    assert ada.response.headers["Referrer-Policy"] == "no-referrer"
    assert button_values(ada) == ["accept", "decline"]
    assert "Submissions" in ada.submit_form(path, do="accept")
    assert [row.role for row in _team(app)] == [TeamRole.REVIEWER]
    assert "This invitation has already been accepted." in ada.visit(path)
    assert button_values(ada) == []


def _team(app: Flask) -> list[TeamMember]:
    with write_session(app) as session:
        return list(session.query(TeamMember))


def test_opening_the_link_changes_nothing(app: Flask) -> None:
    path = invite(app)
    ada = create_member_browser(app)
    for _ in range(2):
        ada.visit(path)
    assert count_rows(app, TeamMember) == 0
    assert button_values(ada) == ["accept", "decline"]


def test_signed_out_reader_signs_in_and_comes_back(app: Flask) -> None:
    path = invite(app)
    create_member_browser(app)
    reader = create_browser(app)
    assert "Sign in to accept, or register with ada@example.org." in reader.visit(path)
    assert button_values(reader) == ["decline"]
    [login, register] = re.findall(r'<a class="button[^"]*" href="([^"]*)"', reader.response.text)
    assert (login, register) == tuple(f"/{page}?next={path.replace('/', '%2F')}" for page in ("login", "register"))
    reader.visit(login)
    assert "You can accept until" in reader.submit_form("/login", email="ada@example.org", password=PASSWORD)
    assert button_values(reader) == ["accept", "decline"]


def test_new_member_registers_and_comes_back(app: Flask) -> None:
    path = invite(app, email="new@example.org")
    reader = create_browser(app)
    reader.visit(f"/register?next={path}")
    new = {"name": "New", "email": "new@example.org", "password": "correct horse battery"}
    reader.submit_form("/register", **new)
    [login] = re.findall(r'<a class="button" href="([^"]*)"', reader.response.text)
    reader.visit(login)
    reader.submit_form("/login", email=new["email"], password=new["password"])
    assert button_values(reader) == ["accept", "decline"]


def test_signed_out_reader_declines_without_account(app: Flask) -> None:
    path = invite(app)
    reader = create_browser(app)
    reader.visit(path)
    assert "This invitation has been declined." in reader.submit_form(path, do="decline")
    assert button_values(reader) == []


def test_signed_out_reader_cannot_accept(app: Flask) -> None:
    path = invite(app)
    reader = create_browser(app)
    reader.visit(path)
    assert reader.client.post(path, data=reader.form_values(path) | {"do": "accept"}).status_code == 401
    assert count_rows(app, TeamMember) == 0


def test_other_member_cannot_accept(app: Flask) -> None:
    path = invite(app)
    mallory = create_member_browser(app, "mallory@example.org")
    assert "This invitation is for ada@example.org, but you are signed in as mallory@example.org." in mallory.visit(
        path
    )
    assert button_values(mallory) == ["decline"]
    mallory.response = mallory.client.post(path, data=mallory.form_values(path) | {"do": "accept"})
    assert mallory.response.status_code == 404
    assert count_rows(app, TeamMember) == 0


def test_unconfirmed_member_cannot_accept(mailing_app: Flask) -> None:
    path = invite(mailing_app)
    ada = create_member_browser(mailing_app)
    with write_session(mailing_app) as session:
        session.query(Member).filter_by(role=Role.MEMBER).one().confirmed_at = None
    assert "Please confirm your email address first." in ada.visit(path)
    assert button_values(ada) == ["decline"]
    ada.response = ada.client.post(path, data=ada.form_values(path) | {"do": "accept"})
    assert ada.response.status_code == 403
    assert "Xen Summit" not in ada.visit("/me")
    assert count_rows(mailing_app, TeamMember) == 0


def test_expired_invitation_cannot_be_answered(app: Flask) -> None:
    path = invite(app, now=NOON - timedelta(days=30))
    ada = create_member_browser(app)
    ada.visit("/me/account")
    csrf = ada.form_values("/logout")["csrf_token"]
    for answer in ("accept", "decline"):
        assert ada.client.post(path, data={"csrf_token": csrf, "do": answer}).status_code == 410
    assert "This invitation has expired." in ada.visit(path)
    assert button_values(ada) == []
    assert count_rows(app, TeamMember) == 0


@pytest.mark.parametrize("do", ["accept", "decline"])
def test_form_without_csrf_token_is_rejected(app: Flask, do: str) -> None:
    path = invite(app)
    ada = create_member_browser(app)
    assert ada.client.post(path, data={"do": do}).status_code == 403
    ada.visit(path)
    assert button_values(ada) == ["accept", "decline"]


def test_unknown_token_returns_404(app: Flask) -> None:
    assert app.test_client().get("/invitations/nonsense").status_code == 404


def test_invitations_are_answered_on_own_page(app: Flask) -> None:
    invite(app)
    ada = create_member_browser(app)
    assert "Invitations Xen Summit Reviewer" in ada.visit("/me")
    [path] = set(re.findall(r'action="(/me/invitations/\w+)"', ada.response.text))
    assert "Invitation declined." in ada.submit_form(path, do="decline")
    assert "Invitations" not in ada.main_text()
    assert count_rows(app, TeamMember) == 0


def test_accepting_on_own_page_leads_to_the_event(app: Flask) -> None:
    invite(app)
    ada = create_member_browser(app)
    ada.visit("/me")
    [path] = set(re.findall(r'action="(/me/invitations/\w+)"', ada.response.text))
    assert "Submissions" in ada.submit_form(path, do="accept")
    assert count_rows(app, TeamMember) == 1


def test_hostile_titles_are_escaped(app: Flask) -> None:
    path = invite(app, title=HOSTILE_TEXT)
    ada = create_member_browser(app)
    for page in (path, "/me"):
        ada.visit(page)
        assert is_hostile_text_escaped(ada)


@pytest.mark.parametrize(("status", "is_named"), [(EventStatus.CONFIRMED, True), (EventStatus.PENDING, False)])
def test_email_contains_the_link_and_names_only_public_events(
    mailing_app: Flask, *, status: EventStatus, is_named: bool
) -> None:
    with write_session(mailing_app) as session:
        make_event(session, slug="summit", title="Buy now", status=status)
    olga = create_team_browser(mailing_app, "summit", "olga@example.org")
    olga.visit("/organise/summit/team")
    typed = {"new-email": "ada@example.org", "new-role": "organiser"}
    assert "Invitation sent." in olga.submit_form("/organise/summit/team", do="add", **typed)
    [mail] = list_rows(mailing_app, OutboxMessage)
    assert mail.payload["to"] == "ada@example.org"
    assert ("Buy now" in mail.payload["text"]) is is_named
    assert "organiser" in mail.payload["text"]
    [path] = re.findall(r"http://127.0.0.1:8000(/invitations/\S+)", mail.payload["text"])
    ada = create_member_browser(mailing_app)
    assert "Buy now" in ada.visit(path)
    assert button_values(ada) == ["accept", "decline"]
    assert path.rpartition("/")[2] not in {str(value) for value in _invitation_values(mailing_app)}


def test_invitations_are_limited_to_five_per_recipient_and_minute(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit")
    olga = create_team_browser(app, "summit", "olga@example.org")
    page = "/organise/summit/team"
    olga.visit(page)
    form = {**olga.form_values(page, "add"), "new-email": "ada@example.org", "do": "add"}
    app.config["RATELIMIT_ENABLED"] = True
    try:
        statuses = [olga.client.post(page, data=form).status_code for _ in range(6)]
    finally:
        app.config["RATELIMIT_ENABLED"] = False
    assert statuses == [303] * 5 + [429]


def _invitation_values(app: Flask) -> list[object]:
    with write_session(app) as session:
        return list(session.execute(Event.metadata.tables["invitations"].select()).one())
