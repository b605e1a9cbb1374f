"""/me/tokens: personal access tokens, shown once and revoked after confirmation."""

import logging

import pytest
from flask import Flask
from sqlalchemy import text

from eventcal.events.enums import TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.enums import Role
from eventcal.members.models import AccessToken, Member
from tests.clocks import FixedClock
from tests.factories import make_event
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import parse_html
from tests.http_app import call_api, create_signed_in_client, database_of, list_rows, write_session

HOSTILE = "<script>alert(1)</script>\"'><img src=x>"


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    browser = create_browser(app)
    browser.client = create_signed_in_client(app).client
    return browser


def token_form_data(browser: HtmlBrowser, **fields: object) -> dict[str, object]:
    """Return the form data to submit."""
    browser.visit("/me/tokens")
    held: dict[str, object] = {**browser.form_values("/me/tokens")}
    return held | {"name": "a script", "scopes": ["read"]} | fields


def create_token(browser: HtmlBrowser, **fields: object) -> str:
    """Create a token and return it."""
    browser.response = browser.client.post("/me/tokens", data=token_form_data(browser, **fields))
    assert browser.response.status_code == 201, browser.response.text
    return next(
        one.get("value", "") for one in parse_html(browser.response.text).iter("input") if one.get("id") == "token"
    )


def status_with_token(app: Flask, token: str) -> int:
    return call_api(app.test_client(), "GET", "/me", Authorization=f"Bearer {token}").status_code


def test_new_token_is_shown_once_and_works_until_it_expires(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock
) -> None:
    token = create_token(member_browser, expires_at="2026-03-02", scopes=["read", "submit"])
    assert status_with_token(app, token) == 200
    assert token in member_browser.response.text
    assert (member_browser.response.headers["Cache-Control"], member_browser.response.headers["Referrer-Policy"]) == (
        "no-store",
        "no-referrer",
    )
    said = member_browser.visit("/me/tokens")
    assert token not in member_browser.response.text
    assert "a script Read: " in said
    assert "Works until: Mon, Mar 2, 2026, 11:59" in said
    [kept] = list_rows(app, AccessToken)
    assert kept.scopes == ["read", "submit"]
    clock.tick(36 * 3600)
    assert status_with_token(app, token) == 401
    assert "a script Over" in member_browser.visit("/me/tokens")


def test_resubmitted_form_creates_no_second_token_and_shows_no_secret(app: Flask, member_browser: HtmlBrowser) -> None:
    form = token_form_data(member_browser)
    assert member_browser.client.post("/me/tokens", data=form).status_code == 201
    again = member_browser.client.post("/me/tokens", data=form, follow_redirects=True)
    assert (len(list_rows(app, AccessToken)), "evc_" in again.text) == (1, False)
    assert "This token was made before" in again.text


def test_revoked_token_is_rejected(app: Flask, member_browser: HtmlBrowser) -> None:
    token = create_token(member_browser)
    [kept] = list_rows(app, AccessToken)
    assert "Revoke this token?" in member_browser.visit(f"/me/tokens/{kept.id}")
    assert status_with_token(app, token) == 200
    assert "The token is revoked." in member_browser.submit_form(f"/me/tokens/{kept.id}")
    assert status_with_token(app, token) == 401
    assert member_browser.client.get(f"/me/tokens/{kept.id}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "faulty", "said"),
    [
        ({"scopes": []}, "scopes", "Choose at least one"),
        ({"scopes": ["everything"]}, "scopes", "must be one of"),
        ({"name": ""}, "name", "must not be blank"),
        ({"name": "x" * 101}, "name", "100"),
        ({"expires_at": "2026-02-28"}, "expires_at", "must be in the future"),
        ({"expires_at": "soon"}, "expires_at", "must be a date"),
        ({"expires_at": "2026-02-30"}, "expires_at", "must be a date"),
        ({"expires_at": "2026-04-01T10:00"}, "expires_at", "must be a date"),
    ],
)
def test_error_is_shown_beside_its_field_and_input_is_kept(
    app: Flask, member_browser: HtmlBrowser, *, fields: dict[str, object], faulty: str, said: str
) -> None:
    member_browser.response = member_browser.client.post(
        "/me/tokens", data=token_form_data(member_browser, **({"scopes": ["submit"]} | fields))
    )
    assert (member_browser.response.status_code, list_rows(app, AccessToken)) == (422, [])
    tree = parse_html(member_browser.response.text)
    [fault] = [one for one in tree.iter() if one.get("class") == "fault"]
    assert fault.get("id") == f"{faulty}-fault-1"
    assert said in (fault.text or "")
    [beside] = [one for one in tree.iter() if one.get("id") == faulty]
    assert f"{faulty}-fault-1" in beside.get("aria-describedby", "").split()
    if "scopes" not in fields:
        assert [one.get("value") for one in tree.iter("input") if "checked" in one.attrib] == ["submit"]


def test_all_errors_are_reported_together(member_browser: HtmlBrowser) -> None:
    member_browser.response = member_browser.client.post(
        "/me/tokens", data=token_form_data(member_browser, name="", scopes=[], expires_at="soon")
    )
    found = [one.get("id") for one in parse_html(member_browser.response.text).iter() if one.get("class") == "fault"]
    assert found == ["name-fault-1", "scopes-fault-1", "expires_at-fault-1"]


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        (None, ["read", "submit", "organise"]),
        (TeamRole.REVIEWER, ["read", "submit", "organise"]),
        (TeamRole.ORGANISER, ["read", "submit", "organise"]),
        (Role.MODERATOR, ["read", "submit", "organise", "admin"]),
    ],
)
def test_only_scopes_available_to_the_member_are_offered(
    app: Flask, member_browser: HtmlBrowser, who: TeamRole | Role | None, offered: list[str]
) -> None:
    with write_session(app) as session:
        member, event = session.query(Member).one(), make_event(session)
        if isinstance(who, TeamRole):
            session.add(TeamMember(event_id=event.id, member_id=member.id, role=who))
        elif who is not None:
            member.role = who
    member_browser.visit("/me/tokens")
    boxes = [
        one.get("value")
        for one in parse_html(member_browser.response.text).iter("input")
        if one.get("name") == "scopes"
    ]
    assert boxes == offered


def test_hostile_name_is_escaped_everywhere(app: Flask, member_browser: HtmlBrowser) -> None:
    create_token(member_browser, name=HOSTILE)
    assert HOSTILE in member_browser.main_text()
    [kept] = list_rows(app, AccessToken)
    for path in ("/me/tokens", f"/me/tokens/{kept.id}"):
        assert HOSTILE in member_browser.visit(path)
        assert "<script>alert" not in member_browser.response.text


def test_token_is_neither_logged_nor_stored(
    app: Flask, member_browser: HtmlBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        token = create_token(member_browser)
    assert token not in caplog.text
    with database_of(app).read_session() as session:
        for table in ("access_tokens", "idempotency_keys"):
            assert token not in str(session.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608 - names above


def test_token_of_another_member_is_neither_visible_nor_revocable(app: Flask, member_browser: HtmlBrowser) -> None:
    token = create_token(member_browser, name="Ada's own")
    [kept] = list_rows(app, AccessToken)
    bob = create_browser(app)
    bob.client = create_signed_in_client(app, "bob@example.org").client
    assert "Ada's own" not in bob.visit("/me/tokens")
    form = bob.form_values("/me/tokens")
    assert bob.client.get(f"/me/tokens/{kept.id}").status_code == 404
    assert bob.client.post(f"/me/tokens/{kept.id}", data=form).status_code == 404
    assert status_with_token(app, token) == 200


def test_token_forms_require_a_session_and_a_csrf_token(app: Flask, member_browser: HtmlBrowser) -> None:
    token = create_token(member_browser, scopes=["read", "submit"])
    [kept] = list_rows(app, AccessToken)
    bearer = {"Authorization": f"Bearer {token}"}
    for path in ("/me/tokens", f"/me/tokens/{kept.id}"):
        assert member_browser.client.post(path, data={"name": "more", "scopes": ["read"]}).status_code == 403
        assert (
            app.test_client().post(path, data={"name": "more", "scopes": ["read"]}, headers=bearer).status_code == 403
        )
        assert app.test_client().get(path, headers=bearer).status_code == 403
    assert status_with_token(app, token) == 200
