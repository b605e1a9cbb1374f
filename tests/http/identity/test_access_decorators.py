"""The access decorators, on test routes: who is admitted, with which permissions, and what the response reveals."""

from datetime import timedelta

import pytest
from flask import Blueprint, Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.events.enums import TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.enums import Role, Scope
from eventcal.members.models import AccessToken, Member
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.permissions import anonymous, member, moderator, organiser, public, session_only
from tests import http_app
from tests.clocks import NOON, FixedClock
from tests.factories import make_event
from tests.http_app import (
    SessionClient,
    call_api,
    create_signed_in_client,
    create_token_headers,
    database_of,
    get_json,
    make_settings,
    status_and_code,
    write_session,
)
from tests.sql_statements import record_statements

DECORATORS = ("feed", "public", "member", "organiser", "moderator", "by_cookie")
GET_AND_POST = ("GET", "POST")
Statuses = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def _shared_app() -> Flask:
    """Return the app with the test routes, without a database."""
    app = create_app(make_settings("sqlite:///nowhere.db"))
    app.config["RATELIMIT_ENABLED"] = False
    app.register_blueprint(make_test_routes())
    return app


def make_test_routes() -> Blueprint:
    """Return one route per access decorator; most respond with the current user's permissions."""
    routes = Blueprint("probes", __name__, url_prefix="/api/v1/probe")

    @routes.route("/feed", methods=GET_AND_POST)
    @anonymous
    def show_feed() -> dict[str, object]:
        return {}

    @routes.route("/public", methods=GET_AND_POST)
    @public
    def show_public() -> dict[str, object]:
        return {}

    @routes.route("/asking", methods=GET_AND_POST)
    @public
    def show_asking() -> dict[str, object]:
        return current_permissions()

    @routes.route("/member", methods=GET_AND_POST)
    @member(Scope.SUBMIT)
    def show_member() -> dict[str, object]:
        return current_permissions()

    @routes.route("/organiser", methods=GET_AND_POST, defaults={"slug": "summit"})
    @organiser(lambda _session, slug, caller: caller.is_signed_in and slug)
    def show_organiser(slug: str) -> dict[str, object]:
        del slug
        return current_permissions()

    @routes.route("/moderator", methods=GET_AND_POST)
    @moderator
    def show_moderator() -> dict[str, object]:
        return current_permissions()

    @routes.route("/by_cookie", methods=GET_AND_POST)
    @session_only
    def show_by_cookie() -> dict[str, object]:
        return current_permissions()

    return routes


def current_permissions() -> dict[str, object]:
    here = caller()
    return {
        "member_id": here.member_id,
        "role": here.role,
        "organises": sorted(here.organised_event_ids),
        "reviews": sorted(here.reviewed_event_ids),
    }


def request_every_route(
    app: Flask, *, browser: SessionClient | None = None, token: dict[str, str] | None = None
) -> Statuses:
    """Return the statuses of GET and POST for each decorator's route."""
    client = browser.client if browser else app.test_client()
    headers = {"X-CSRF-Token": browser.csrf_token} if browser else token or {}

    def status(method: str, mark: str) -> int:
        return call_api(client, method, f"/probe/{mark}", **headers).status_code

    return {mark: (status("GET", mark), status("POST", mark)) for mark in DECORATORS}


def test_anonymous_user_reaches_public_routes_only(app: Flask) -> None:
    answers = request_every_route(app)
    assert answers == {"feed": (200, 200), "public": (200, 200)} | dict.fromkeys(DECORATORS[2:], (401, 401))


def test_member_reaches_all_routes_except_moderator_routes(app: Flask) -> None:
    assert request_every_route(app, browser=create_signed_in_client(app)) == dict.fromkeys(DECORATORS, (200, 200)) | {
        "moderator": (403, 403)
    }


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_moderator_reaches_every_route(app: Flask, role: Role) -> None:
    assert request_every_route(app, browser=create_signed_in_client(app, role=role)) == dict.fromkeys(
        DECORATORS, (200, 200)
    )


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        (Scope.READ, ("feed", "public")),
        (Scope.SUBMIT, ("feed", "public", "member")),
        (Scope.ORGANISE, ("feed", "public", "member", "organiser")),
        (Scope.ADMIN, ("feed", "public", "member", "organiser", "moderator")),
    ],
)
def test_token_reaches_routes_of_its_scope(app: Flask, scope: Scope, inside: tuple[str, ...]) -> None:
    token = create_token_headers(http_app.create_moderator_client(app), scope)
    assert request_every_route(app, token=token) == dict.fromkeys(DECORATORS, (403, 403)) | dict.fromkeys(
        inside, (200, 200)
    )


def test_admin_token_of_former_moderator_does_not_reach_moderator_routes(app: Flask) -> None:
    token = create_token_headers(http_app.create_moderator_client(app), Scope.ADMIN)
    with write_session(app) as session:
        session.scalars(select(Member)).one().role = Role.MEMBER
    assert status_and_code(call_api(app.test_client(), "POST", "/probe/moderator", **token)) == (403, "forbidden")


def test_insufficient_scope_is_named_in_www_authenticate(app: Flask) -> None:
    answer = call_api(
        app.test_client(), "POST", "/probe/member", **create_token_headers(create_signed_in_client(app), Scope.READ)
    )
    assert status_and_code(answer) == (403, "insufficient-scope")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="eventcal", error="insufficient_scope"'


@pytest.mark.parametrize("path", ["/probe/public", "/probe/asking", "/probe/member", "/me/tokens"])
@pytest.mark.parametrize("token", ["evc_made-up", "", "ü", "a b"])
def test_invalid_token_is_rejected_on_every_route(app: Flask, path: str, token: str) -> None:
    answer = call_api(app.test_client(), "GET", path, Authorization=f"Bearer {token}")
    assert status_and_code(answer) == (401, "invalid-token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="eventcal", error="invalid_token"'


def test_feed_ignores_invalid_token(app: Flask) -> None:
    assert call_api(app.test_client(), "GET", "/probe/feed", Authorization="Bearer made-up").status_code == 200


def test_other_authorization_scheme_is_ignored(app: Flask) -> None:
    assert call_api(app.test_client(), "GET", "/probe/asking", Authorization="Basic YTpi").status_code == 200


def test_authorization_scheme_is_case_insensitive(app: Flask) -> None:
    token = create_token_headers(create_signed_in_client(app), Scope.READ)["Authorization"].replace("Bearer", "bearer")
    assert call_api(app.test_client(), "GET", "/me", Authorization=token).status_code == 200


def test_token_expires_at_its_expiry_time(app: Flask, clock: FixedClock) -> None:
    token = create_token_headers(create_signed_in_client(app), Scope.READ, expires_at="2026-03-01T13:00:00Z")
    clock.set_time(NOON + timedelta(minutes=59))
    assert call_api(app.test_client(), "GET", "/me", **token).status_code == 200
    clock.set_time(NOON + timedelta(hours=1))
    assert status_and_code(call_api(app.test_client(), "GET", "/me", **token)) == (401, "invalid-token")


def test_token_of_inactive_member_is_rejected(app: Flask) -> None:
    browser = create_signed_in_client(app)
    token = create_token_headers(browser, Scope.READ)
    with write_session(app) as session:
        session.get_one(Member, browser.member["id"]).active = False
    assert status_and_code(call_api(app.test_client(), "GET", "/me", **token)) == (401, "invalid-token")


def test_only_hash_of_token_is_stored(app: Flask) -> None:
    token = create_token_headers(create_signed_in_client(app), Scope.READ)["Authorization"].removeprefix("Bearer ")
    [kept] = http_app.list_rows(app, AccessToken)
    assert token.startswith("evc_")
    assert token not in {str(getattr(kept, column.name)) for column in AccessToken.__table__.columns}


def test_current_user_lists_organised_and_reviewed_events(app: Flask) -> None:
    browser = create_signed_in_client(app)
    with write_session(app) as session:
        decides, reads = make_event(session, slug="decides"), make_event(session, slug="reads")
        for event, role in ((decides, TeamRole.ORGANISER), (reads, TeamRole.REVIEWER)):
            session.add(TeamMember(event_id=event.id, member_id=browser.member["id"], role=role))
    whole = {
        "member_id": browser.member["id"],
        "role": "member",
        "organises": [decides.id],
        "reviews": [reads.id],
    }
    assert browser.get("/probe/asking").json == whole
    assert browser.get("/me").json == browser.member | {
        "teams": [{"event": "decides", "role": "organiser"}, {"event": "reads", "role": "reviewer"}]
    }


def test_narrow_token_reads_as_its_member_and_writes_as_ordinary_member(app: Flask) -> None:
    browser = http_app.create_moderator_client(app)
    with write_session(app) as session:
        event = make_event(session)
        session.add(TeamMember(event_id=event.id, member_id=browser.member["id"], role=TeamRole.ORGANISER))
    whole = {"member_id": browser.member["id"], "role": "moderator", "organises": [event.id], "reviews": []}
    plain = whole | {"role": "member", "organises": []}

    def seen(method: str, scope: Scope) -> dict[str, object]:
        return get_json(call_api(app.test_client(), method, "/probe/member", **create_token_headers(browser, scope)))

    assert seen("GET", Scope.SUBMIT) == whole
    assert seen("POST", Scope.SUBMIT) == plain
    assert seen("POST", Scope.ORGANISE) == whole


# -- the cookie and its CSRF token -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/probe/member", "/probe/organiser", "/probe/by_cookie", "/auth/password"])
@pytest.mark.parametrize("token", [None, "", "made-up", "ü"])
def test_unsafe_request_with_cookie_requires_csrf_token(app: Flask, path: str, token: str | None) -> None:
    browser = create_signed_in_client(app)
    headers = {} if token is None else {"X-CSRF-Token": token}
    assert status_and_code(call_api(browser.client, "POST", path, body={}, **headers)) == (403, "csrf")
    assert browser.get("/me").status_code == 200


def test_csrf_token_of_another_session_is_rejected(app: Flask) -> None:
    browser, other = create_signed_in_client(app), create_signed_in_client(app)
    answer = call_api(browser.client, "POST", "/probe/member", **{"X-CSRF-Token": other.csrf_token})
    assert status_and_code(answer) == (403, "csrf")


def test_csrf_token_is_accepted_as_form_field(app: Flask) -> None:
    browser = create_signed_in_client(app)

    def sent(token: str) -> TestResponse:
        return browser.client.post("/api/v1/probe/member", data={"csrf_token": token})

    assert (sent(browser.csrf_token).status_code, sent("made-up").status_code) == (200, 403)


def test_access_token_with_cookie_requires_no_csrf_token(app: Flask) -> None:
    browser = create_signed_in_client(app)
    answer = call_api(browser.client, "POST", "/probe/member", **create_token_headers(browser, Scope.SUBMIT))
    assert answer.status_code == 200


def test_cookie_of_ended_session_is_treated_as_anonymous(app: Flask) -> None:
    browser = create_signed_in_client(app)
    with write_session(app) as session:
        session.get_one(Member, browser.member["id"]).fs_uniquifier = "ended elsewhere"
    assert browser.get("/probe/asking").json == {"member_id": None, "role": None, "organises": [], "reviews": []}
    assert status_and_code(browser.get("/me")) == (401, "not-signed-in")
    assert create_signed_in_client(app).get("/me").status_code == 200


@pytest.mark.parametrize(
    "cookie", ["remember_token=1|x", "remember_token=1|\u00c3\u00bc", "eventcal=x", "eventcal=a.b.c", "eventcal="]
)
def test_malformed_cookie_is_treated_as_anonymous(app: Flask, cookie: str) -> None:
    environ = {"HTTP_COOKIE": cookie}
    client = app.test_client(use_cookies=False)
    assert client.get("/api/v1/me", environ_overrides=environ).status_code == 401
    assert client.get("/api/v1/probe/asking", environ_overrides=environ).status_code == 200
    assert client.post("/api/v1/auth/logout", environ_overrides=environ).status_code == 204


# -- SQL statements and caching headers --------------------------------------------------------------------------------


def test_loading_current_user_takes_two_statements_only_if_needed(app: Flask) -> None:
    browser = create_signed_in_client(app)

    def cost(path: str) -> int:
        with record_statements(database_of(app)) as sent:
            assert browser.get(path).status_code == 200
        return len([text for text in sent if text.startswith("SELECT")])

    assert {path: cost(f"/probe/{path}") for path in ("feed", "public", "asking", "member")} == {
        "feed": 0,
        "public": 0,
        "asking": 2,
        "member": 2,
    }


@pytest.mark.parametrize("path", ["/probe/feed", "/probe/public"])
def test_response_independent_of_user_has_no_cookie_headers(app: Flask, path: str) -> None:
    answer = create_signed_in_client(app).get(path)
    assert [name for name in ("Vary", "Set-Cookie") if name in answer.headers] == []


def test_response_varies_by_cookie_only_if_request_has_one(app: Flask) -> None:
    without = call_api(app.test_client(), "GET", "/probe/asking")
    assert "Vary" not in without.headers
    assert create_signed_in_client(app).get("/probe/asking").headers["Vary"] == "Cookie"


def test_public_response_does_not_renew_cookie(app: Flask, clock: FixedClock) -> None:
    browser = create_signed_in_client(app)
    clock.set_time(NOON + timedelta(days=2))
    assert "Set-Cookie" not in browser.get("/probe/asking").headers
    assert "Set-Cookie" in browser.get("/probe/member").headers


# -- the OpenAPI document ----------------------------------------------------------------------------------------------


def test_openapi_document_lists_security_requirements(app: Flask) -> None:
    paths = get_json(call_api(app.test_client(), "GET", "/openapi.json"))["paths"]
    assert paths["/api/v1/me/tokens"]["post"]["security"] == [{"session": []}]
    assert paths["/api/v1/me"]["patch"]["security"] == [{"token": ["submit"]}, {"session": []}]
    assert paths["/api/v1/auth/login"]["post"]["security"] == [{}, {"token": []}, {"session": []}]
    assert {"200", "401", "403", "422", "429"} <= paths["/api/v1/me"]["patch"]["responses"].keys()
