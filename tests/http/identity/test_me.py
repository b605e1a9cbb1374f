"""/me: the profile, personal feeds, and account deletion."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import TeamMember
from eventcal.kit.ids import hash_secret
from eventcal.members.enums import Scope
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import NOON
from tests.factories import make_event, make_speaker, make_talk
from tests.http_app import (
    PASSWORD,
    call_api,
    create_signed_in_client,
    create_token_headers,
    error_pointers,
    get_json,
    list_rows,
    status_and_code,
    write_session,
)

FEEDS_URL = "http://127.0.0.1:8000/feeds/"


# -- the profile -------------------------------------------------------------------------------------------------------


def test_member_changes_their_name(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = browser.call("PATCH", "/me", {"name": "Ada, Countess of Lovelace"})
    assert (answer.status_code, answer.json) == (200, browser.member | {"name": "Ada, Countess of Lovelace"})
    assert browser.get("/me").json == answer.json
    assert browser.call("PATCH", "/me", {}).json == answer.json


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": None}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"email": "x@y.org"}, "/password"),
        ({"role": "x"}, "/role"),
    ],
)
def test_profile_update_rejects_invalid_and_read_only_fields(app: Flask, fields: dict[str, Any], place: str) -> None:
    answer = create_signed_in_client(app).call("PATCH", "/me", fields)
    assert (answer.status_code, error_pointers(answer)) == (422, [place])


def test_profile_includes_speaker_slug(app: Flask) -> None:
    browser = create_signed_in_client(app)
    with write_session(app) as session:
        make_speaker(session, member=session.get_one(Member, browser.member["id"]), slug="ada")
    assert get_json(browser.get("/me"))["speaker"] == "ada"


def test_profile_is_private_and_supports_conditional_requests(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = browser.get("/me")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert browser.call("GET", "/me", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304


# -- personal feeds ----------------------------------------------------------------------------------------------------


def test_feed_url_is_shown_once_and_only_its_hash_is_stored(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = browser.post("/me/feeds", {"name": "phone"})
    made = get_json(answer)
    kept = {"id": made["id"], "name": "phone", "url": None, "last_fetched_at": None}
    assert (answer.status_code, made) == (201, kept | {"url": made["url"]})
    secret = made["url"].removeprefix(FEEDS_URL).removesuffix(".ics")
    assert len(secret) == 43
    assert [feed.secret_hash for feed in list_rows(app, PersonalFeed)] == [hash_secret(secret)]
    assert browser.get("/me/feeds").json == {"items": [kept], "next": None}


def test_revoked_feed_is_not_listed_and_its_row_is_kept(app: Flask) -> None:
    browser = create_signed_in_client(app)
    made = get_json(browser.post("/me/feeds", {"name": "phone"}))
    assert browser.call("DELETE", f"/me/feeds/{made['id']}").status_code == 204
    assert browser.get("/me/feeds").json == {"items": [], "next": None}
    assert [feed.revoked_at for feed in list_rows(app, PersonalFeed)] == [NOON]
    assert status_and_code(browser.call("DELETE", f"/me/feeds/{made['id']}")) == (404, "not-found")


def test_member_cannot_see_or_revoke_feed_of_another(app: Flask) -> None:
    ada, bob = create_signed_in_client(app), create_signed_in_client(app, "bob@example.org")
    made = get_json(ada.post("/me/feeds", {"name": "phone"}))
    assert bob.get("/me/feeds").json == {"items": [], "next": None}
    assert status_and_code(bob.call("DELETE", f"/me/feeds/{made['id']}")) == (404, "not-found")


def test_read_token_cannot_create_feed(app: Flask) -> None:
    token = create_token_headers(create_signed_in_client(app), Scope.READ)
    assert call_api(app.test_client(), "GET", "/me/feeds", **token).status_code == 200
    answer = call_api(app.test_client(), "POST", "/me/feeds", body={"name": "phone"}, **token)
    assert status_and_code(answer) == (403, "insufficient-scope")


# -- account deletion --------------------------------------------------------------------------------------------------


def test_account_deletion_reports_talks_and_speaker_that_stay_public(app: Flask) -> None:
    browser = create_signed_in_client(app)
    with write_session(app) as session:
        member = session.get_one(Member, browser.member["id"])
        speaker = make_speaker(session, member=member, slug="ada", email="ada@example.org", published_at=NOON)
        event = make_event(session)
        states = {
            state: make_talk(session, event, state=state, submitter=member, speakers=[speaker]).id
            for state in (TalkState.DRAFT, TalkState.SUBMITTED, TalkState.WAITLISTED, TalkState.CONFIRMED)
        }
    browser.post("/me/feeds", {"name": "phone"})
    token = create_token_headers(browser, Scope.READ)
    answer = browser.call("DELETE", "/me", {"password": PASSWORD})
    body = get_json(answer)
    assert answer.status_code == 200
    assert body["stays_public"] == {"talks": [states[TalkState.CONFIRMED]], "speaker": "ada"}
    assert "eventcal=;" in answer.headers["Set-Cookie"]
    assert browser.get("/me").status_code == 401
    assert call_api(app.test_client(), "GET", "/me", **token).status_code == 401
    left = {talk.id: (talk.state, talk.submitter_id) for talk in list_rows(app, Talk)}
    assert left == {
        talk_id: (state if state == TalkState.CONFIRMED else TalkState.WITHDRAWN, None)
        for state, talk_id in states.items()
    }
    assert (list_rows(app, Member), list_rows(app, AccessToken)) == ([], [])
    assert [(row.slug, row.member_id, row.email) for row in list_rows(app, Speaker)] == [("ada", None, None)]
    assert [(feed.member_id, feed.revoked_at) for feed in list_rows(app, PersonalFeed)] == [(None, NOON)]


def test_account_deletion_of_unpublished_speaker_leaves_nothing_public(app: Flask) -> None:
    browser = create_signed_in_client(app)
    with write_session(app) as session:
        make_speaker(session, member=session.get_one(Member, browser.member["id"]))
    answer = browser.call("DELETE", "/me", {"password": PASSWORD})
    assert get_json(answer)["stays_public"] == {"talks": [], "speaker": None}


def test_account_deletion_requires_password(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = browser.call("DELETE", "/me", {"password": "wrong"})
    assert (answer.status_code, error_pointers(answer)) == (422, ["/password"])
    assert error_pointers(browser.call("DELETE", "/me", {})) == ["/password"]
    assert browser.get("/me").status_code == 200


def test_access_token_cannot_delete_account(app: Flask) -> None:
    token = create_token_headers(create_signed_in_client(app), Scope.ORGANISE)
    answer = call_api(app.test_client(), "DELETE", "/me", body={"password": PASSWORD}, **token)
    assert status_and_code(answer) == (403, "forbidden")


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
def test_last_organiser_of_upcoming_event_cannot_delete_account(
    app: Flask, fields: dict[str, Any], others: list[TeamRole], status: int
) -> None:
    browser, bob = create_signed_in_client(app), create_signed_in_client(app, "bob@example.org")
    with write_session(app) as session:
        event = make_event(session, slug="summit", **fields)
        session.add(TeamMember(event_id=event.id, member_id=browser.member["id"], role=TeamRole.ORGANISER))
        session.add_all(TeamMember(event_id=event.id, member_id=bob.member["id"], role=role) for role in others)
    answer = browser.call("DELETE", "/me", {"password": PASSWORD})
    assert answer.status_code == status
    if status == 409:
        assert (get_json(answer)["code"], "summit" in get_json(answer)["detail"]) == ("last-organiser", True)
        assert browser.get("/me").status_code == 200
