"""/me: the profile, secret feeds, and leaving."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.models import TeamMember
from eventcal.events.words import EventStatus, TeamRole
from eventcal.kit.ids import secret_hash
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.members.words import Scope
from eventcal.speakers.models import Speaker
from eventcal.talks.models import Talk
from eventcal.talks.words import TalkState
from tests.clocks import NOON
from tests.http_app import (
    PASSWORD,
    call,
    json_of,
    pointers,
    problem,
    rows,
    signed_in,
    token_of,
    writing,
)
from tests.make import make_event, make_speaker, make_talk

FEEDS = "http://127.0.0.1:8000/feeds/"


# -- the profile -------------------------------------------------------------------------------------------------------


def test_a_member_changes_their_name(app: Flask) -> None:
    browser = signed_in(app)
    answer = browser.call("PATCH", "/me", {"name": "Ada, Countess of Lovelace"})
    assert (answer.status_code, answer.json) == (200, browser.member | {"name": "Ada, Countess of Lovelace"})
    assert browser.get("/me").json == answer.json
    assert browser.call("PATCH", "/me", {}).json == answer.json


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": None}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"email": "x@y.org"}, "/email"),
        ({"role": "x"}, "/role"),
    ],
)
def test_what_is_not_theirs_to_change_is_refused(app: Flask, fields: dict[str, Any], place: str) -> None:
    answer = signed_in(app).call("PATCH", "/me", fields)
    assert (answer.status_code, pointers(answer)) == (422, [place])


def test_the_profile_names_who_they_are_on_stage(app: Flask) -> None:
    browser = signed_in(app)
    with writing(app) as session:
        make_speaker(session, member=session.get_one(Member, browser.member["id"]), slug="ada")
    assert json_of(browser.get("/me"))["speaker"] == "ada"


def test_the_profile_is_the_reader_s_own_and_can_be_asked_for_conditionally(app: Flask) -> None:
    browser = signed_in(app)
    answer = browser.get("/me")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert browser.call("GET", "/me", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304


# -- secret feeds ------------------------------------------------------------------------------------------------------


def test_a_secret_feed_is_shown_once_and_its_secret_is_not_kept(app: Flask) -> None:
    browser = signed_in(app)
    answer = browser.post("/me/feeds", {"name": "phone"})
    made = json_of(answer)
    kept = {"id": made["id"], "name": "phone", "url": None, "last_fetched_at": None}
    assert (answer.status_code, made) == (201, kept | {"url": made["url"]})
    secret = made["url"].removeprefix(FEEDS).removesuffix(".ics")
    assert len(secret) == 43
    assert [feed.secret_hash for feed in rows(app, PersonalFeed)] == [secret_hash(secret)]
    assert browser.get("/me/feeds").json == {"items": [kept], "next": None}


def test_a_revoked_feed_is_off_the_list_and_its_row_remembers(app: Flask) -> None:
    browser = signed_in(app)
    made = json_of(browser.post("/me/feeds", {"name": "phone"}))
    assert browser.call("DELETE", f"/me/feeds/{made['id']}").status_code == 204
    assert browser.get("/me/feeds").json == {"items": [], "next": None}
    assert [feed.revoked_at for feed in rows(app, PersonalFeed)] == [NOON]
    assert problem(browser.call("DELETE", f"/me/feeds/{made['id']}")) == (404, "not-found")


def test_nobody_sees_or_revokes_another_s_feed(app: Flask) -> None:
    ada, bob = signed_in(app), signed_in(app, "bob@example.org")
    made = json_of(ada.post("/me/feeds", {"name": "phone"}))
    assert bob.get("/me/feeds").json == {"items": [], "next": None}
    assert problem(bob.call("DELETE", f"/me/feeds/{made['id']}")) == (404, "not-found")


def test_a_token_that_only_reads_makes_no_feed(app: Flask) -> None:
    token = token_of(signed_in(app), Scope.READ)
    assert call(app.test_client(), "GET", "/me/feeds", **token).status_code == 200
    answer = call(app.test_client(), "POST", "/me/feeds", {"name": "phone"}, **token)
    assert problem(answer) == (403, "insufficient-scope")


# -- leaving -----------------------------------------------------------------------------------------------------------


def test_who_leaves_is_told_what_stays_public(app: Flask) -> None:
    browser = signed_in(app)
    with writing(app) as session:
        member = session.get_one(Member, browser.member["id"])
        speaker = make_speaker(session, member=member, slug="ada", email="ada@example.org", published_at=NOON)
        event = make_event(session)
        states = {
            state: make_talk(session, event, state=state, submitter=member, speakers=[speaker]).id
            for state in (TalkState.DRAFT, TalkState.SUBMITTED, TalkState.WAITLISTED, TalkState.CONFIRMED)
        }
    browser.post("/me/feeds", {"name": "phone"})
    token = token_of(browser, Scope.READ)
    answer = browser.call("DELETE", "/me", {"password": PASSWORD})
    body = json_of(answer)
    assert answer.status_code == 200
    assert body["stays_public"] == {"talks": [states[TalkState.CONFIRMED]], "speaker": "ada"}
    assert "eventcal=;" in answer.headers["Set-Cookie"]
    assert browser.get("/me").status_code == 401
    assert call(app.test_client(), "GET", "/me", **token).status_code == 401
    left = {talk.id: (talk.state, talk.submitter_id) for talk in rows(app, Talk)}
    assert left == {
        talk_id: (state if state == TalkState.CONFIRMED else TalkState.WITHDRAWN, None)
        for state, talk_id in states.items()
    }
    assert (rows(app, Member), rows(app, AccessToken)) == ([], [])
    assert [(row.slug, row.member_id, row.email) for row in rows(app, Speaker)] == [("ada", None, None)]
    assert [(feed.member_id, feed.revoked_at) for feed in rows(app, PersonalFeed)] == [(None, NOON)]


def test_who_was_never_public_leaves_nothing_public(app: Flask) -> None:
    browser = signed_in(app)
    with writing(app) as session:
        make_speaker(session, member=session.get_one(Member, browser.member["id"]))
    answer = browser.call("DELETE", "/me", {"password": PASSWORD})
    assert json_of(answer)["stays_public"] == {"talks": [], "speaker": None}


def test_the_password_is_asked_for_again(app: Flask) -> None:
    browser = signed_in(app)
    answer = browser.call("DELETE", "/me", {"password": "wrong"})
    assert (answer.status_code, pointers(answer)) == (422, ["/password"])
    assert pointers(browser.call("DELETE", "/me", {})) == ["/password"]
    assert browser.get("/me").status_code == 200


def test_a_token_removes_no_account(app: Flask) -> None:
    token = token_of(signed_in(app), Scope.ADMIN)
    answer = call(app.test_client(), "DELETE", "/me", {"password": PASSWORD}, **token)
    assert problem(answer) == (403, "forbidden")


@pytest.mark.parametrize(
    ("fields", "others", "status"),
    [
        ({}, [], 409),
        ({"status": EventStatus.PENDING}, [], 409),
        ({}, [TeamRole.REVIEWER], 409),
        ({}, [TeamRole.ORGANISER], 200),
        ({"status": EventStatus.CANCELLED}, [], 200),
        ({"starts": "2026-02-01", "ends": "2026-02-02"}, [], 200),
    ],
)
def test_no_event_to_come_is_left_without_an_organiser(
    app: Flask, fields: dict[str, Any], others: list[TeamRole], status: int
) -> None:
    browser, bob = signed_in(app), signed_in(app, "bob@example.org")
    with writing(app) as session:
        event = make_event(session, slug="summit", **fields)
        session.add(TeamMember(event_id=event.id, member_id=browser.member["id"], role=TeamRole.ORGANISER))
        session.add_all(TeamMember(event_id=event.id, member_id=bob.member["id"], role=role) for role in others)
    answer = browser.call("DELETE", "/me", {"password": PASSWORD})
    assert answer.status_code == status
    if status == 409:
        assert (json_of(answer)["code"], "summit" in json_of(answer)["detail"]) == ("last-organiser", True)
        assert browser.get("/me").status_code == 200
