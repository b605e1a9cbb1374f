"""The access marks, on routes of the tests' own: who comes in, as what, and what the answer shows of it."""

from datetime import timedelta

import pytest
from flask import Blueprint, Flask
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.events.models import TeamMember
from eventcal.events.words import TeamRole
from eventcal.members.models import AccessToken, Member
from eventcal.members.words import Role, Scope
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.permissions import Access, by_cookie, feed, member, moderator, organiser, public
from tests import http_app
from tests.clocks import NOON, FixedClock
from tests.http_app import (
    Browser,
    call,
    database_of,
    json_of,
    problem,
    settings_of,
    signed_in,
    token_of,
    writing,
)
from tests.make import make_event
from tests.statements import statements

MARKED = ("feed", "public", "member", "organiser", "moderator", "by_cookie")
BOTH = ("GET", "POST")
Statuses = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def _walls() -> Flask:
    """Give the app with routes of these tests, on no database yet."""
    app = create_app(settings_of("sqlite:///nowhere.db"))
    app.config["RATELIMIT_ENABLED"] = False
    app.register_blueprint(probes())
    return app


def probes() -> Blueprint:
    """Give a route for each mark, which answers with what it knows of the caller."""
    routes = Blueprint("probes", __name__, url_prefix="/api/v1/probe")

    @routes.route("/feed", methods=BOTH)
    @feed
    def show_feed() -> dict[str, object]:
        return {}

    @routes.route("/public", methods=BOTH)
    @public
    def show_public() -> dict[str, object]:
        return {}

    @routes.route("/asking", methods=BOTH)
    @public
    def show_asking() -> dict[str, object]:
        return shown()

    @routes.route("/member", methods=BOTH)
    @member(Scope.SUBMIT)
    def show_member() -> dict[str, object]:
        return shown()

    @routes.route("/organiser", methods=BOTH)
    @organiser()
    def show_organiser() -> dict[str, object]:
        return shown()

    @routes.route("/moderator", methods=BOTH)
    @moderator
    def show_moderator() -> dict[str, object]:
        return shown()

    @routes.route("/by_cookie", methods=BOTH)
    @by_cookie
    def show_by_cookie() -> dict[str, object]:
        return shown()

    return routes


def shown() -> dict[str, object]:
    here = caller()
    return {
        "member_id": here.member_id,
        "role": here.role,
        "organises": sorted(here.organises),
        "reviews": sorted(here.reviews),
    }


def statuses(app: Flask, *, browser: Browser | None = None, token: dict[str, str] | None = None) -> Statuses:
    """Give what GET and POST of each mark's route answer."""
    client = browser.client if browser else app.test_client()
    headers = {"X-CSRF-Token": browser.csrf} if browser else token or {}

    def status(method: str, mark: str) -> int:
        return call(client, method, f"/probe/{mark}", **headers).status_code

    return {mark: (status("GET", mark), status("POST", mark)) for mark in MARKED}


def test_a_visitor_sees_what_is_public(app: Flask) -> None:
    answers = statuses(app)
    assert answers == {"feed": (200, 200), "public": (200, 200)} | dict.fromkeys(MARKED[2:], (401, 401))


def test_a_member_comes_in_but_not_as_a_moderator(app: Flask) -> None:
    assert statuses(app, browser=signed_in(app)) == dict.fromkeys(MARKED, (200, 200)) | {"moderator": (403, 403)}


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_a_moderator_comes_in_everywhere(app: Flask, role: Role) -> None:
    assert statuses(app, browser=signed_in(app, role=role)) == dict.fromkeys(MARKED, (200, 200))


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        (Scope.READ, ("feed", "public")),
        (Scope.SUBMIT, ("feed", "public", "member")),
        (Scope.ORGANISE, ("feed", "public", "member", "organiser")),
        (Scope.ADMIN, ("feed", "public", "member", "organiser", "moderator")),
    ],
)
def test_a_token_reaches_as_far_as_its_scope(app: Flask, scope: Scope, inside: tuple[str, ...]) -> None:
    token = token_of(http_app.moderator(app), scope)
    assert statuses(app, token=token) == dict.fromkeys(MARKED, (403, 403)) | dict.fromkeys(inside, (200, 200))


def test_a_token_makes_nobody_a_moderator(app: Flask) -> None:
    token = token_of(signed_in(app), Scope.ADMIN)
    assert problem(call(app.test_client(), "POST", "/probe/moderator", **token)) == (403, "forbidden")


def test_a_token_that_does_not_reach_far_enough_says_so(app: Flask) -> None:
    answer = call(app.test_client(), "POST", "/probe/member", **token_of(signed_in(app), Scope.READ))
    assert problem(answer) == (403, "insufficient-scope")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="eventcal", error="insufficient_scope"'


@pytest.mark.parametrize("path", ["/probe/public", "/probe/asking", "/probe/member", "/me/tokens"])
@pytest.mark.parametrize("token", ["evc_made-up", "", "ü", "a b"])
def test_a_token_that_is_none_is_refused_everywhere(app: Flask, path: str, token: str) -> None:
    answer = call(app.test_client(), "GET", path, Authorization=f"Bearer {token}")
    assert problem(answer) == (401, "invalid-token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="eventcal", error="invalid_token"'


def test_a_feed_does_not_even_look_at_a_token(app: Flask) -> None:
    assert call(app.test_client(), "GET", "/probe/feed", Authorization="Bearer made-up").status_code == 200


def test_another_scheme_of_authorization_is_none_of_ours(app: Flask) -> None:
    assert call(app.test_client(), "GET", "/probe/asking", Authorization="Basic YTpi").status_code == 200


def test_the_name_of_the_scheme_is_caseless(app: Flask) -> None:
    token = token_of(signed_in(app), Scope.READ)["Authorization"].replace("Bearer", "bearer")
    assert call(app.test_client(), "GET", "/me", Authorization=token).status_code == 200


def test_a_token_ends_at_its_time(app: Flask, clock: FixedClock) -> None:
    token = token_of(signed_in(app), Scope.READ, expires_at="2026-03-01T13:00:00Z")
    clock.move(NOON + timedelta(minutes=59))
    assert call(app.test_client(), "GET", "/me", **token).status_code == 200
    clock.move(NOON + timedelta(hours=1))
    assert problem(call(app.test_client(), "GET", "/me", **token)) == (401, "invalid-token")


def test_a_token_of_a_member_made_inactive_is_no_good(app: Flask) -> None:
    browser = signed_in(app)
    token = token_of(browser, Scope.READ)
    with writing(app) as session:
        session.get_one(Member, browser.member["id"]).active = False
    assert problem(call(app.test_client(), "GET", "/me", **token)) == (401, "invalid-token")


def test_only_the_token_s_hash_is_kept(app: Flask) -> None:
    token = token_of(signed_in(app), Scope.READ)["Authorization"].removeprefix("Bearer ")
    [kept] = http_app.rows(app, AccessToken)
    assert token.startswith("evc_")
    assert token not in {str(getattr(kept, column.name)) for column in AccessToken.__table__.columns}


def test_the_caller_knows_their_events(app: Flask) -> None:
    browser = signed_in(app)
    with writing(app) as session:
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


def test_a_narrow_token_reads_as_its_member_and_writes_as_a_plain_one(app: Flask) -> None:
    browser = http_app.moderator(app)
    with writing(app) as session:
        event = make_event(session)
        session.add(TeamMember(event_id=event.id, member_id=browser.member["id"], role=TeamRole.ORGANISER))
    whole = {"member_id": browser.member["id"], "role": "moderator", "organises": [event.id], "reviews": []}
    plain = whole | {"role": "member", "organises": []}

    def seen(method: str, scope: Scope) -> dict[str, object]:
        return json_of(call(app.test_client(), method, "/probe/member", **token_of(browser, scope)))

    assert seen("GET", Scope.SUBMIT) == whole
    assert seen("POST", Scope.SUBMIT) == plain
    assert seen("POST", Scope.ORGANISE) == whole


# -- the cookie and its CSRF token -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/probe/member", "/probe/organiser", "/probe/by_cookie", "/auth/password"])
@pytest.mark.parametrize("token", [None, "", "made-up", "ü"])
def test_an_unsafe_call_with_the_cookie_needs_the_csrf_token(app: Flask, path: str, token: str | None) -> None:
    browser = signed_in(app)
    headers = {} if token is None else {"X-CSRF-Token": token}
    assert problem(call(browser.client, "POST", path, {}, **headers)) == (403, "csrf")
    assert browser.get("/me").status_code == 200


def test_another_session_s_csrf_token_is_no_good(app: Flask) -> None:
    browser, other = signed_in(app), signed_in(app)
    answer = call(browser.client, "POST", "/probe/member", **{"X-CSRF-Token": other.csrf})
    assert problem(answer) == (403, "csrf")


def test_a_page_s_form_carries_the_csrf_token_as_a_field(app: Flask) -> None:
    browser = signed_in(app)

    def sent(token: str) -> TestResponse:
        return browser.client.post("/api/v1/probe/member", data={"csrf_token": token})

    assert (sent(browser.csrf).status_code, sent("made-up").status_code) == (200, 403)


def test_a_token_needs_no_csrf_token_even_beside_a_cookie(app: Flask) -> None:
    browser = signed_in(app)
    answer = call(browser.client, "POST", "/probe/member", **token_of(browser, Scope.SUBMIT))
    assert answer.status_code == 200


def test_a_cookie_that_signs_nobody_in_is_a_visitor_s(app: Flask) -> None:
    browser = signed_in(app)
    with writing(app) as session:
        session.get_one(Member, browser.member["id"]).fs_uniquifier = "ended elsewhere"
    assert browser.get("/probe/asking").json == {"member_id": None, "role": None, "organises": [], "reviews": []}
    assert problem(browser.get("/me")) == (401, "not-signed-in")
    assert signed_in(app).get("/me").status_code == 200


@pytest.mark.parametrize(
    "cookie", ["remember_token=1|x", "remember_token=1|\u00c3\u00bc", "eventcal=x", "eventcal=a.b.c", "eventcal="]
)
def test_a_strange_cookie_signs_nobody_in(app: Flask, cookie: str) -> None:
    environ = {"HTTP_COOKIE": cookie}
    client = app.test_client(use_cookies=False)
    assert client.get("/api/v1/me", environ_overrides=environ).status_code == 401
    assert client.get("/api/v1/probe/asking", environ_overrides=environ).status_code == 200
    assert client.post("/api/v1/auth/logout", environ_overrides=environ).status_code == 204


# -- what it costs, and what caches see --------------------------------------------------------------------------------


def test_who_calls_costs_two_statements_and_only_where_it_is_asked(app: Flask) -> None:
    browser = signed_in(app)

    def cost(path: str) -> int:
        with statements(database_of(app)) as sent:
            assert browser.get(path).status_code == 200
        return len([text for text in sent if text.startswith("SELECT")])

    assert {path: cost(f"/probe/{path}") for path in ("feed", "public", "asking", "member")} == {
        "feed": 0,
        "public": 0,
        "asking": 2,
        "member": 2,
    }


@pytest.mark.parametrize("path", ["/probe/feed", "/probe/public"])
def test_what_does_not_ask_who_calls_does_not_touch_the_cookie(app: Flask, path: str) -> None:
    answer = signed_in(app).get(path)
    assert [name for name in ("Vary", "Set-Cookie") if name in answer.headers] == []


def test_an_answer_varies_by_cookie_only_where_there_is_one(app: Flask) -> None:
    without = call(app.test_client(), "GET", "/probe/asking")
    assert "Vary" not in without.headers
    assert signed_in(app).get("/probe/asking").headers["Vary"] == "Cookie"


def test_a_public_answer_never_sets_the_cookie(app: Flask, clock: FixedClock) -> None:
    browser = signed_in(app)
    clock.move(NOON + timedelta(days=2))
    assert "Set-Cookie" not in browser.get("/probe/asking").headers
    assert "Set-Cookie" in browser.get("/probe/member").headers


# -- the whole tree ----------------------------------------------------------------------------------------------------


def test_every_route_carries_a_mark(app: Flask) -> None:
    ours = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}
    unmarked = {name for name in ours if not isinstance(getattr(app.view_functions[name], "access", None), Access)}
    assert unmarked == set()


def test_the_document_says_who_may_call(app: Flask) -> None:
    paths = json_of(call(app.test_client(), "GET", "/openapi.json"))["paths"]
    assert paths["/api/v1/me/tokens"]["post"]["security"] == [{"session": []}]
    assert paths["/api/v1/me"]["patch"]["security"] == [{"token": ["submit"]}, {"session": []}]
    assert paths["/api/v1/auth/login"]["post"]["security"] == [{}, {"token": []}, {"session": []}]
    assert {"200", "401", "403", "422", "429"} <= paths["/api/v1/me"]["patch"]["responses"].keys()
