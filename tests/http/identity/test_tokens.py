"""/me/tokens: creating, listing and revoking access tokens, which requires a session."""

import pytest
from flask import Flask

from eventcal.members.enums import Scope
from tests.clocks import FixedClock
from tests.http_app import (
    call_api,
    create_signed_in_client,
    create_token_headers,
    error_pointers,
    get_json,
    status_and_code,
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
        "expires_at": "2026-03-31T22:00:00Z",
        "created_at": "2026-03-01T12:00:00Z",
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
    token = create_token_headers(create_signed_in_client(app), Scope.ADMIN)
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
