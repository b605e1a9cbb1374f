"""/me/account: name, email and password, and deleting the account after a summary of the consequences."""

import re

import pytest
from flask import Flask

from eventcal.app import create_app
from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star, Talk
from tests.browsing import Browser, browser_of
from tests.clocks import NOON, FixedClock
from tests.http_app import PASSWORD, mails, rows, settings_of, signed_in, when_asked, writing
from tests.make import make_event, make_member, make_speaker, make_talk
from tests.pages import text_of, tree_of

HOSTILE = "<script>alert(1)</script>"
NEW = "another quiet bicycle"


@pytest.fixture
def ada(app: Flask) -> Browser:
    return at_home(app)


def at_home(app: Flask, email: str = "ada@example.org", **fields: object) -> Browser:
    browser = browser_of(app)
    browser.client = signed_in(app, email, **fields).client
    return browser


def signs_in(app: Flask, password: str) -> bool:
    browser = browser_of(app)
    browser.go("/login")
    browser.send("/login", email="ada@example.org", password=password)
    return browser.at.status_code == 200


def faulty(browser: Browser) -> list[str | None]:
    return [one.get("name") for one in tree_of(browser.at.text).iter() if one.get("aria-invalid") == "true"]


# -- name and password -------------------------------------------------------------------------------------------------


def test_member_can_change_their_name(app: Flask, ada: Browser) -> None:
    ada.go("/me/account")
    assert "Your name is changed." in ada.send("/me/account", name=f"Ada {HOSTILE}")
    assert rows(app, Member)[0].name == f"Ada {HOSTILE}"
    assert ada.fields("/me/account")["name"] == f"Ada {HOSTILE}"
    assert HOSTILE not in ada.at.text


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\nb"])
def test_invalid_name_is_rejected_and_kept_in_the_form(app: Flask, ada: Browser, name: str) -> None:
    ada.go("/me/account")
    ada.send("/me/account", name=name)
    assert (ada.at.status_code, faulty(ada)) == (422, ["name"])
    assert rows(app, Member)[0].name == "Ada Lovelace"


def test_password_change_ends_all_other_sessions(app: Flask, ada: Browser) -> None:
    elsewhere = at_home(app)
    ada.go("/me/account")
    said = ada.send("/me/account/password", password=PASSWORD, new_password=NEW)
    assert "Your password is changed. Every other session has ended." in said
    assert ada.client.get("/me").status_code == 200
    assert elsewhere.client.get("/me").status_code == 303
    assert (signs_in(app, NEW), signs_in(app, PASSWORD)) == (True, False)
    # The page contains the CSRF token of the new session.
    assert "Your name is changed." in ada.send("/me/account", name="Ada")


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"password": "wrong", "new_password": NEW}, ["password"]),
        ({"password": PASSWORD, "new_password": "short"}, ["new_password"]),
        ({"password": "", "new_password": ""}, ["password", "new_password"]),
        ({"password": "wrong", "new_password": "short"}, ["password", "new_password"]),
    ],
)
def test_invalid_password_change_is_rejected_without_repeating_the_input(
    app: Flask, ada: Browser, typed: dict[str, str], wrong: list[str]
) -> None:
    before = rows(app, Member)[0].password
    ada.go("/me/account")
    ada.send("/me/account/password", **typed)
    assert (ada.at.status_code, faulty(ada)) == (422, wrong)
    assert not any(f'"{secret}"' in ada.at.text for secret in typed.values() if secret)
    assert rows(app, Member)[0].password == before


# -- email -------------------------------------------------------------------------------------------------------------


def test_confirmation_mail_can_be_sent_again(mailing_app: Flask) -> None:
    ada = at_home(mailing_app, confirmed_at=None)
    assert "ada@example.org Not confirmed yet" in ada.go("/me/account")
    assert "A mail is on its way to ada@example.org." in ada.send("/me/account/confirmation")
    [(to, subject)] = mails(mailing_app)
    assert (to, "confirm your address" in subject) == ("ada@example.org", True)


def test_no_confirmation_mail_is_sent_for_a_confirmed_email(mailing_app: Flask) -> None:
    ada = at_home(mailing_app)
    assert "ada@example.org Confirmed" in ada.go("/me/account")
    csrf = ada.fields("/me/account")["csrf_token"]
    ada.client.post("/me/account/confirmation", data={"csrf_token": csrf})
    assert mails(mailing_app) == []


def test_confirmation_mails_and_password_attempts_are_rate_limited(sqlite_url: str, clock: FixedClock) -> None:
    settings = settings_of(sqlite_url, mail_url="smtp://mail.example.org")
    app = create_app(settings, clock=clock, background=when_asked())
    ada = at_home(app, confirmed_at=None)
    ada.go("/me/account")
    codes = []
    for _ in range(6):
        ada.send("/me/account/confirmation")
        codes.append(ada.at.status_code)
    assert codes == [200] * 5 + [429]
    assert "wait a little" in ada.says()
    for _ in range(11):
        ada.send("/me/account/password", password="wrong", new_password=NEW)
    assert (ada.at.status_code, faulty(ada)) == (429, ["password"])
    ada.go("/me/account/delete")
    ada.send("/me/account/delete", password=PASSWORD)
    assert (ada.at.status_code, len(rows(app, Member))) == (429, 1)
    assert len(mails(app)) == 5


# -- deleting the account ----------------------------------------------------------------------------------------------


def settle(app: Flask) -> None:
    """Create one of every kind of data for Ada."""
    with writing(app) as session:
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
        session.add(AccessToken(member_id=member.id, name="script", token_hash="x", scopes=[], created_at=NOON))
        session.add(TeamMember(event_id=event.id, member_id=member.id, role=TeamRole.REVIEWER))


def parts(browser: Browser) -> dict[str, str]:
    """Return the text below each heading."""
    titles = [text_of(one) for one in tree_of(browser.at.text).iter("h2")]
    pieces = re.split("|".join(re.escape(title) for title in titles), browser.says())
    return dict(zip(titles, pieces[1:], strict=True))


def test_deletion_page_lists_what_is_deleted_withdrawn_and_kept(app: Flask, ada: Browser) -> None:
    settle(app)
    ada.go("/me/account")
    assert "Delete my account" in ada.go("/me/account/delete")
    said = parts(ada)
    for goes in ("with 1 talk that", "2 calendar addresses", "1 token", "team of “Xen Summit”"):
        assert goes in said["What goes"]
    assert ("My draft" in said["What is withdrawn"], "My submitted" in said["What is withdrawn"]) == (True, True)
    assert "My accepted" in said["What only the organisers go on seeing"]
    assert ("Countess Ada" in said["What stays public"], "My confirmed" in said["What stays public"]) == (True, True)
    assert "ask a moderator" in said["What stays public"]
    assert "My draft" not in said["What stays public"]
    assert HOSTILE not in ada.at.text
    # Nothing has changed yet.
    assert {talk.state for talk in rows(app, Talk)} > {TalkState.DRAFT, TalkState.SUBMITTED}
    assert len(rows(app, Member)) == 1


def test_deleting_the_account_does_what_the_page_announced(app: Flask, ada: Browser) -> None:
    settle(app)
    ada.go("/me/account/delete")
    assert "Your account is gone" in ada.send("/me/account/delete", password=PASSWORD)
    assert (rows(app, Member), rows(app, AccessToken)) == ([], [])
    assert {talk.id: talk.state for talk in rows(app, Talk)} == {
        "draft": TalkState.WITHDRAWN,
        "submitted": TalkState.WITHDRAWN,
        "accepted": TalkState.ACCEPTED,
        "confirmed": TalkState.CONFIRMED,
    }
    assert all(feed.revoked_at for feed in rows(app, PersonalFeed))
    assert ada.client.get("/me").headers["Location"] == "/login?next=%2Fme"
    assert not signs_in(app, PASSWORD)


def test_deletion_page_of_a_member_without_data_says_that_nothing_was_public(ada: Browser) -> None:
    ada.go("/me/account/delete")
    assert list(parts(ada)) == ["What goes", "What stays public", "Delete it for good"]
    assert "nothing of yours was public" in ada.says()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_deleting_the_account_requires_the_password(app: Flask, ada: Browser, password: str) -> None:
    settle(app)
    ada.go("/me/account/delete")
    ada.send("/me/account/delete", password=password)
    assert (ada.at.status_code, faulty(ada)) == (422, ["password"])
    assert "My draft" in ada.says()
    assert len(rows(app, Member)) == 1


def test_last_organiser_of_an_event_cannot_delete_their_account(app: Flask, ada: Browser) -> None:
    ada.go("/me/account/delete")
    form = ada.fields("/me/account/delete") | {"password": PASSWORD}
    with writing(app) as session:
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
    ada.at = ada.client.post("/me/account/delete", data=form, headers={"Accept": "text/html"})
    assert ada.at.status_code == 409
    assert "Name another organiser first" in ada.says()
    for _ in range(2):
        ways = [one.get("href", "") for one in tree_of(ada.at.text).iter("a")]
        assert [way for way in ways if way.startswith("/organise/")] == ["/organise/alone/team"]
        assert f"Alone {HOSTILE}" in ada.says()
        # The button is hidden because the deletion would be rejected.
        assert "/me/account/delete" not in {one.get("action") for one in tree_of(ada.at.text).iter("form")}
        ada.go("/me/account/delete")
    assert len(rows(app, Member)) == 2


@pytest.mark.parametrize(
    "path", ["/me/account", "/me/account/password", "/me/account/confirmation", "/me/account/delete"]
)
def test_account_forms_without_csrf_token_are_rejected(app: Flask, ada: Browser, path: str) -> None:
    before = rows(app, Member)[0]
    typed = {"name": "Mallory", "password": PASSWORD, "new_password": NEW}
    assert ada.client.post(path, data=typed).status_code == 403
    assert app.test_client().post(path, data=typed).status_code == 401
    [after] = rows(app, Member)
    assert (after.name, after.password) == (before.name, before.password)


@pytest.mark.parametrize("path", ["/me/account", "/me/account/delete"])
def test_account_pages_require_sign_in_and_are_not_stored(app: Flask, ada: Browser, path: str) -> None:
    assert app.test_client().get(path).status_code == 303
    ada.go(path)
    assert ada.at.headers["Cache-Control"] == "no-store"


def test_farewell_page_needs_no_sign_in(app: Flask) -> None:
    assert "Your account is gone" in browser_of(app).go("/me/account/deleted")
