"""/me/tokens: personal access tokens, shown once and revoked after confirmation."""

import logging

import pytest
from flask import Flask
from sqlalchemy import text

from eventcal.events.enums import TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.enums import Role
from eventcal.members.models import AccessToken, Member
from tests.browsing import Browser, browser_of
from tests.clocks import FixedClock
from tests.http_app import call, database_of, rows, signed_in, writing
from tests.make import make_event
from tests.pages import tree_of

HOSTILE = "<script>alert(1)</script>\"'><img src=x>"


@pytest.fixture
def ada(app: Flask) -> Browser:
    browser = browser_of(app)
    browser.client = signed_in(app).client
    return browser


def typed(browser: Browser, **fields: object) -> dict[str, object]:
    """Return the form data to submit."""
    browser.go("/me/tokens")
    held: dict[str, object] = {**browser.fields("/me/tokens")}
    return held | {"name": "a script", "scopes": ["read"]} | fields


def make(browser: Browser, **fields: object) -> str:
    """Create a token and return it."""
    browser.at = browser.client.post("/me/tokens", data=typed(browser, **fields))
    assert browser.at.status_code == 201, browser.at.text
    return next(one.get("value", "") for one in tree_of(browser.at.text).iter("input") if one.get("id") == "token")


def works(app: Flask, token: str) -> int:
    return call(app.test_client(), "GET", "/me", Authorization=f"Bearer {token}").status_code


def test_new_token_is_shown_once_and_works_until_it_expires(app: Flask, ada: Browser, clock: FixedClock) -> None:
    token = make(ada, expires_at="2026-03-02", scopes=["read", "submit"])
    assert works(app, token) == 200
    assert token in ada.at.text
    assert (ada.at.headers["Cache-Control"], ada.at.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    said = ada.go("/me/tokens")
    assert token not in ada.at.text
    assert "a script Read: " in said
    assert "Works until: Mon, Mar 2, 2026, 11:59" in said
    [kept] = rows(app, AccessToken)
    assert kept.scopes == ["read", "submit"]
    clock.tick(36 * 3600)
    assert works(app, token) == 401
    assert "a script Over" in ada.go("/me/tokens")


def test_resubmitted_form_creates_no_second_token_and_shows_no_secret(app: Flask, ada: Browser) -> None:
    form = typed(ada)
    assert ada.client.post("/me/tokens", data=form).status_code == 201
    again = ada.client.post("/me/tokens", data=form, follow_redirects=True)
    assert (len(rows(app, AccessToken)), "evc_" in again.text) == (1, False)
    assert "This token was made before" in again.text


def test_revoked_token_is_rejected(app: Flask, ada: Browser) -> None:
    token = make(ada)
    [kept] = rows(app, AccessToken)
    assert "Revoke this token?" in ada.go(f"/me/tokens/{kept.id}")
    assert works(app, token) == 200
    assert "The token is revoked." in ada.send(f"/me/tokens/{kept.id}")
    assert works(app, token) == 401
    assert ada.client.get(f"/me/tokens/{kept.id}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "faulty", "said"),
    [
        ({"scopes": []}, "scopes", "Choose at least one"),
        ({"scopes": ["everything"]}, "scopes", "must be one of"),
        ({"name": ""}, "name", "is blank"),
        ({"name": "x" * 101}, "name", "100"),
        ({"expires_at": "2026-02-28"}, "expires_at", "is past"),
        ({"expires_at": "soon"}, "expires_at", "must be a date"),
        ({"expires_at": "2026-02-30"}, "expires_at", "must be a date"),
        ({"expires_at": "2026-04-01T10:00"}, "expires_at", "must be a date"),
    ],
)
def test_error_is_shown_beside_its_field_and_input_is_kept(
    app: Flask, ada: Browser, *, fields: dict[str, object], faulty: str, said: str
) -> None:
    ada.at = ada.client.post("/me/tokens", data=typed(ada, **({"scopes": ["submit"]} | fields)))
    assert (ada.at.status_code, rows(app, AccessToken)) == (422, [])
    tree = tree_of(ada.at.text)
    [fault] = [one for one in tree.iter() if one.get("class") == "fault"]
    assert fault.get("id") == f"{faulty}-fault-1"
    assert said in (fault.text or "")
    [beside] = [one for one in tree.iter() if one.get("id") == faulty]
    assert f"{faulty}-fault-1" in beside.get("aria-describedby", "").split()
    if "scopes" not in fields:
        assert [one.get("value") for one in tree.iter("input") if "checked" in one.attrib] == ["submit"]


def test_all_errors_are_reported_together(ada: Browser) -> None:
    ada.at = ada.client.post("/me/tokens", data=typed(ada, name="", scopes=[], expires_at="soon"))
    found = [one.get("id") for one in tree_of(ada.at.text).iter() if one.get("class") == "fault"]
    assert found == ["name-fault-1", "scopes-fault-1", "expires_at-fault-1"]


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        (None, ["read", "submit"]),
        (TeamRole.REVIEWER, ["read", "submit", "organise"]),
        (TeamRole.ORGANISER, ["read", "submit", "organise"]),
        (Role.MODERATOR, ["read", "submit", "organise", "admin"]),
    ],
)
def test_only_scopes_available_to_the_member_are_offered(
    app: Flask, ada: Browser, who: TeamRole | Role | None, offered: list[str]
) -> None:
    with writing(app) as session:
        member, event = session.query(Member).one(), make_event(session)
        if isinstance(who, TeamRole):
            session.add(TeamMember(event_id=event.id, member_id=member.id, role=who))
        elif who is not None:
            member.role = who
    ada.go("/me/tokens")
    boxes = [one.get("value") for one in tree_of(ada.at.text).iter("input") if one.get("name") == "scopes"]
    assert boxes == offered


def test_hostile_name_is_escaped_everywhere(app: Flask, ada: Browser) -> None:
    make(ada, name=HOSTILE)
    assert HOSTILE in ada.says()
    [kept] = rows(app, AccessToken)
    for path in ("/me/tokens", f"/me/tokens/{kept.id}"):
        assert HOSTILE in ada.go(path)
        assert "<script>alert" not in ada.at.text


def test_token_is_neither_logged_nor_stored(app: Flask, ada: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        token = make(ada)
    assert token not in caplog.text
    with database_of(app).read_session() as session:
        for table in ("access_tokens", "idempotency_keys"):
            assert token not in str(session.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608 - names above


def test_token_of_another_member_is_neither_visible_nor_revocable(app: Flask, ada: Browser) -> None:
    token = make(ada, name="Ada's own")
    [kept] = rows(app, AccessToken)
    bob = browser_of(app)
    bob.client = signed_in(app, "bob@example.org").client
    assert "Ada's own" not in bob.go("/me/tokens")
    form = bob.fields("/me/tokens")
    assert bob.client.get(f"/me/tokens/{kept.id}").status_code == 404
    assert bob.client.post(f"/me/tokens/{kept.id}", data=form).status_code == 404
    assert works(app, token) == 200


def test_token_forms_require_a_session_and_a_csrf_token(app: Flask, ada: Browser) -> None:
    token = make(ada, scopes=["read", "submit"])
    [kept] = rows(app, AccessToken)
    bearer = {"Authorization": f"Bearer {token}"}
    for path in ("/me/tokens", f"/me/tokens/{kept.id}"):
        assert ada.client.post(path, data={"name": "more", "scopes": ["read"]}).status_code == 403
        assert (
            app.test_client().post(path, data={"name": "more", "scopes": ["read"]}, headers=bearer).status_code == 403
        )
        assert app.test_client().get(path, headers=bearer).status_code == 403
    assert works(app, token) == 200
