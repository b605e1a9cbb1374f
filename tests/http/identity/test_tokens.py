"""/me/tokens: creating, listing and revoking access tokens, which requires a session."""

import pytest
from flask import Flask

from eventcal.members.enums import Scope
from tests.clocks import FixedClock
from tests.http_app import call, json_of, pointers, problem, signed_in, token_of


def test_token_secret_is_shown_only_on_creation(app: Flask) -> None:
    browser = signed_in(app)
    asked = {"name": "a script", "scopes": ["organise", "read"], "expires_at": "2026-04-01T00:00:00+02:00"}
    answer = browser.post("/me/tokens", asked)
    made = json_of(answer)
    kept = {
        "id": made["id"],
        "name": "a script",
        "scopes": ["read", "organise"],
        "expires_at": "2026-03-31T22:00:00Z",
        "created_at": "2026-03-01T12:00:00Z",
    }
    assert (answer.status_code, made) == (201, kept | {"token": made["token"]})
    assert answer.headers["Location"] == f"http://127.0.0.1:8000/api/v1/me/tokens/{made['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.get("/me/tokens").json == {"items": [kept], "next": None}


def test_revoked_token_is_rejected(app: Flask) -> None:
    browser = signed_in(app)
    token = token_of(browser, Scope.READ)
    [kept] = json_of(browser.get("/me/tokens"))["items"]
    assert browser.call("DELETE", f"/me/tokens/{kept['id']}").status_code == 204
    assert problem(call(app.test_client(), "GET", "/me", **token)) == (401, "invalid-token")
    assert problem(browser.call("DELETE", f"/me/tokens/{kept['id']}")) == (404, "not-found")


def test_member_cannot_see_or_revoke_token_of_another(app: Flask) -> None:
    ada, bob = signed_in(app), signed_in(app, "bob@example.org")
    token = token_of(ada, Scope.READ)
    [kept] = json_of(ada.get("/me/tokens"))["items"]
    assert json_of(bob.get("/me/tokens"))["items"] == []
    assert problem(bob.call("DELETE", f"/me/tokens/{kept['id']}")) == (404, "not-found")
    assert call(app.test_client(), "GET", "/me", **token).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me/tokens"), ("POST", "/me/tokens"), ("DELETE", "/me/tokens/x")]
)
def test_access_token_cannot_manage_tokens(app: Flask, method: str, path: str) -> None:
    token = token_of(signed_in(app), Scope.ADMIN)
    answer = call(app.test_client(), method, path, body={"name": "another", "scopes": ["admin"]}, **token)
    assert problem(answer) == (403, "forbidden")


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
        ({"token": "my own"}, "/token"),
    ],
)
def test_invalid_token_fields_return_422(app: Flask, changes: dict[str, object], place: str) -> None:
    answer = signed_in(app).post("/me/tokens", {"name": "a script", "scopes": ["read"]} | changes)
    assert (answer.status_code, pointers(answer)) == (422, [place])


def test_tokens_are_paged_newest_first(app: Flask, clock: FixedClock) -> None:
    browser = signed_in(app)
    for name in "abc":
        browser.post("/me/tokens", {"name": name, "scopes": ["read"]})
        clock.tick()
    first = browser.get("/me/tokens?limit=2")
    cursor = json_of(first)["next"]
    assert first.headers["Link"] == (f'<http://127.0.0.1:8000/api/v1/me/tokens?cursor={cursor}&limit=2>; rel="next"')
    second = json_of(browser.get(f"/me/tokens?limit=2&cursor={cursor}"))
    assert [token["name"] for token in json_of(first)["items"] + second["items"]] == ["c", "b", "a"]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "page=2"])
def test_invalid_page_parameters_return_422(app: Flask, query: str) -> None:
    answer = signed_in(app).get(f"/me/tokens?{query}")
    assert (answer.status_code, pointers(answer)) == (422, [query.partition("=")[0]])
