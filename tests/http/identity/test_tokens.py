"""/me/tokens: creating, listing and revoking access tokens, which requires a session."""

from datetime import timedelta

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.members import service as members
from eventcal.members.enums import Role, Scope
from eventcal.members.models import Member
from tests.api_client import add_team_member
from tests.clocks import NOON, FixedClock
from tests.factories import make_event
from tests.http_app import (
    SessionClient,
    call_api,
    create_moderator_client,
    create_signed_in_client,
    create_token_headers,
    error_pointers,
    get_json,
    run_background_tasks,
    status_and_code,
    write_session,
)


def test_token_secret_is_shown_only_on_creation(app: Flask) -> None:
    browser = create_signed_in_client(app)
    asked = {"name": "a script", "scopes": ["organise", "read"], "expires_at": "2026-04-01T00:00:00+02:00"}
    answer = browser.post("/me/tokens", asked)
    made = get_json(answer)
    kept = {
        "id": made["id"],
        "name": "a script",
        "scopes": ["read", "organise"],
        "events": None,
        "expires_at": "2026-03-31T22:00:00Z",
        "created_at": "2026-03-01T12:00:00Z",
        "last_used_at": None,
    }
    assert (answer.status_code, made) == (201, kept | {"token": made["token"]})
    assert answer.headers["Location"] == f"http://127.0.0.1:8000/api/v1/me/tokens/{made['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.get("/me/tokens").json == {"items": [kept], "next": None}


def test_revoked_token_is_rejected(app: Flask) -> None:
    browser = create_signed_in_client(app)
    token = create_token_headers(browser, Scope.READ)
    [kept] = get_json(browser.get("/me/tokens"))["items"]
    assert browser.call("DELETE", f"/me/tokens/{kept['id']}").status_code == 204
    assert status_and_code(call_api(app.test_client(), "GET", "/me", **token)) == (401, "invalid-token")
    assert status_and_code(browser.call("DELETE", f"/me/tokens/{kept['id']}")) == (404, "not-found")


def test_member_cannot_see_or_revoke_token_of_another(app: Flask) -> None:
    ada, bob = create_signed_in_client(app), create_signed_in_client(app, "bob@example.org")
    token = create_token_headers(ada, Scope.READ)
    [kept] = get_json(ada.get("/me/tokens"))["items"]
    assert get_json(bob.get("/me/tokens"))["items"] == []
    assert status_and_code(bob.call("DELETE", f"/me/tokens/{kept['id']}")) == (404, "not-found")
    assert call_api(app.test_client(), "GET", "/me", **token).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me/tokens"), ("POST", "/me/tokens"), ("DELETE", "/me/tokens/x")]
)
def test_access_token_cannot_manage_tokens(app: Flask, method: str, path: str) -> None:
    token = create_token_headers(create_signed_in_client(app), Scope.ORGANISE)
    answer = call_api(app.test_client(), method, path, body={"name": "another", "scopes": ["admin"]}, **token)
    assert status_and_code(answer) == (403, "forbidden")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": "read"}, "/scopes"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"expires_at": "2026-03-01T12:00:00Z"}, "/expires_at"),
        ({"expires_at": "2026-04-01"}, "/expires_at"),
        ({"expires_at": "2027-03-01T12:00:01Z"}, "/expires_at"),
        ({"scopes": ["read", "admin"]}, "/scopes/1"),
        ({"events": []}, "/events"),
        ({"events": ["summit"]}, "/events/0"),
        ({"token": "my own"}, "/token"),
    ],
)
def test_invalid_token_fields_return_422(app: Flask, changes: dict[str, object], place: str) -> None:
    answer = create_signed_in_client(app).post("/me/tokens", {"name": "a script", "scopes": ["read"]} | changes)
    assert (answer.status_code, error_pointers(answer)) == (422, [place])


def test_tokens_are_paged_newest_first(app: Flask, clock: FixedClock) -> None:
    browser = create_signed_in_client(app)
    for name in "abc":
        browser.post("/me/tokens", {"name": name, "scopes": ["read"]})
        clock.tick()
    first = browser.get("/me/tokens?limit=2")
    cursor = get_json(first)["next"]
    assert first.headers["Link"] == (f'<http://127.0.0.1:8000/api/v1/me/tokens?cursor={cursor}&limit=2>; rel="next"')
    second = get_json(browser.get(f"/me/tokens?limit=2&cursor={cursor}"))
    assert [token["name"] for token in get_json(first)["items"] + second["items"]] == ["c", "b", "a"]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "page=2"])
def test_invalid_page_parameters_return_422(app: Flask, query: str) -> None:
    answer = create_signed_in_client(app).get(f"/me/tokens?{query}")
    assert (answer.status_code, error_pointers(answer)) == (422, [query.partition("=")[0]])


# Limits


def change_role(app: Flask, browser: SessionClient, role: Role) -> None:
    with write_session(app) as session:
        members.change_role(session, session.get_one(Member, browser.member["id"]), role)


def add_events(app: Flask, browser: SessionClient, *, role: TeamRole = TeamRole.ORGANISER) -> None:
    """Add two events, with the member on the team of both of them."""
    with write_session(app) as session:
        member = session.get_one(Member, browser.member["id"])
        for slug in ("summit", "meetup"):
            make_event(session, slug=slug)
            add_team_member(session, member, slug, role=role)


def patch_status(app: Flask, slug: str, token: dict[str, str]) -> int:
    headers = {"If-Match": "*", **token}
    return call_api(app.test_client(), "PATCH", f"/events/{slug}", body={"summary": "New"}, **headers).status_code


def status(app: Flask, path: str, token: dict[str, str]) -> int:
    return call_api(app.test_client(), "GET", path, **token).status_code


def test_token_expires_after_ninety_days_by_default(app: Flask, clock: FixedClock) -> None:
    token = create_token_headers(create_signed_in_client(app), Scope.READ)
    clock.set_time(NOON + timedelta(days=90, seconds=-1))
    assert status(app, "/me", token) == 200
    clock.set_time(NOON + timedelta(days=90))
    assert status(app, "/me", token) == 401


def test_token_expires_after_a_year_at_most(app: Flask) -> None:
    body = {"name": "x", "scopes": ["read"], "expires_at": "2027-03-01T12:00:00Z"}
    assert create_signed_in_client(app).post("/me/tokens", body).status_code == 201


def test_all_errors_of_a_token_are_reported_together(app: Flask) -> None:
    body = {"name": "x", "scopes": ["admin"], "events": ["a", "b"], "expires_at": "2030-01-01T00:00:00Z"}
    answer = create_signed_in_client(app).post("/me/tokens", body)
    assert error_pointers(answer) == ["/events", "/events/0", "/events/1", "/expires_at", "/scopes/0"]


@pytest.mark.both_databases
@pytest.mark.parametrize("scope", [Scope.READ, Scope.ORGANISE])
def test_promotion_does_not_widen_token(app: Flask, scope: Scope) -> None:
    browser = create_signed_in_client(app)
    before = create_token_headers(browser, scope)
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING)
    change_role(app, browser, Role.ADMIN)
    after = create_token_headers(browser, scope)
    for path in ("/events/hidden", "/events?status=pending"):
        assert (status(app, path, before) == 200, status(app, path, after)) == (False, 200)
    assert patch_status(app, "hidden", before) in {403, 404}
    assert (patch_status(app, "hidden", after) == 200) is (scope is Scope.ORGANISE)


@pytest.mark.both_databases
def test_token_does_not_regain_permissions_after_demotion(app: Flask) -> None:
    browser = create_moderator_client(app)
    token = create_token_headers(browser, Scope.ADMIN)
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING)
    for role, expected in ((Role.MODERATOR, 200), (Role.MEMBER, 404), (Role.MODERATOR, 404)):
        change_role(app, browser, role)
        assert status(app, "/events/hidden", token) == expected


@pytest.mark.both_databases
@pytest.mark.parametrize("role", [Role.MEMBER, Role.MODERATOR, Role.ADMIN])
def test_token_for_an_event_cannot_organise_other_events(app: Flask, role: Role) -> None:
    browser = create_signed_in_client(app, role=role)
    add_events(app, browser)
    token = create_token_headers(browser, Scope.ORGANISE, events=["summit"])
    everywhere = create_token_headers(browser, Scope.ORGANISE)
    assert (patch_status(app, "summit", token), patch_status(app, "meetup", token)) == (200, 403)
    assert (patch_status(app, "summit", everywhere), patch_status(app, "meetup", everywhere)) == (200, 200)
    submissions = "/events/{}/talks?state=submitted"
    assert [status(app, submissions.format(slug), token) for slug in ("summit", "meetup")] == [200, 403]
    assert [row["events"] for row in get_json(browser.get("/me/tokens"))["items"]] in (
        [None, ["summit"]],
        [["summit"], None],
    )


def test_token_for_an_event_gives_a_reviewer_no_rights_of_an_organiser(app: Flask) -> None:
    browser = create_signed_in_client(app)
    add_events(app, browser, role=TeamRole.REVIEWER)
    token = create_token_headers(browser, Scope.ORGANISE, events=["summit"])
    assert status(app, "/events/summit/talks?state=submitted", token) == 200
    assert patch_status(app, "summit", token) == 403


def test_token_for_an_event_ends_with_the_place_on_its_team(app: Flask) -> None:
    browser = create_signed_in_client(app)
    other = create_signed_in_client(app, "bob@example.org")
    add_events(app, browser)
    token = create_token_headers(browser, Scope.ORGANISE, events=["summit"])
    with write_session(app) as session:
        add_team_member(session, session.get_one(Member, other.member["id"]), "summit")
    assert other.call("DELETE", f"/events/summit/team/{browser.member['id']}").status_code == 204
    assert patch_status(app, "summit", token) == 403


def test_token_for_events_cannot_have_scope_admin(app: Flask) -> None:
    browser = create_moderator_client(app)
    add_events(app, browser)
    answer = browser.post("/me/tokens", {"name": "x", "scopes": ["admin"], "events": ["summit"]})
    assert (answer.status_code, error_pointers(answer)) == (422, ["/events"])


@pytest.mark.both_databases
def test_last_use_of_token_is_stored_to_the_hour(app: Flask, clock: FixedClock) -> None:
    browser = create_signed_in_client(app)
    token = create_token_headers(browser, Scope.READ)
    used = []
    for minutes in (59, 60, 119, 121):
        clock.set_time(NOON + timedelta(minutes=minutes))
        assert status(app, "/me", token) == 200
        run_background_tasks(app)
        used.append(get_json(browser.get("/me/tokens"))["items"][0]["last_used_at"])
    assert used == [f"2026-03-01T{hour}:00:00Z" for hour in (12, 13, 13, 14)]
