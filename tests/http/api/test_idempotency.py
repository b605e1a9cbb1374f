"""A POST request with an Idempotency-Key is executed once; repetitions get the stored response."""

import threading
from datetime import timedelta

import pytest
from flask import Blueprint, Flask, Response
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.kit import database
from eventcal.members.enums import Scope
from eventcal.members.models import IdempotencyRecord, Member, PersonalFeed
from eventcal.talks.models import Talk
from eventcal.web.identity.current_user import current_member
from eventcal.web.identity.permissions import member
from eventcal.web.request.context import unit_of_work
from tests.clocks import NOON, FixedClock
from tests.http_app import (
    Browser,
    call,
    database_of,
    json_of,
    pointers,
    post,
    problem,
    rows,
    running,
    settings_of,
    signed_in,
    token_of,
    writing,
)
from tests.make import make_event

pytestmark = pytest.mark.both_databases

TALKS = "/events/summit/talks"
TALK = {"title": "Xen on ARM"}
KEY = "4ec5bd1c-7dbd-4e2c-8a41-2f5a3f3a9a2d"


@pytest.fixture(scope="module")
def _walls() -> Flask:
    """Return the app with a test route, without a database."""
    app = create_app(settings_of("sqlite:///nowhere.db"))
    app.config["RATELIMIT_ENABLED"] = False
    app.register_blueprint(answering_no())
    return app


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Create the event for the talks and return a signed-in member's browser."""
    with writing(app) as session:
        make_event(session, slug="summit")
    return signed_in(app)


def answering_no() -> Blueprint:
    """Return a route that writes to the database and returns a 409 without raising an exception."""
    routes = Blueprint("answering_no", __name__, url_prefix="/api/v1")

    @routes.post("/no")
    @member(Scope.SUBMIT)
    def change_and_say_no() -> Response:
        with unit_of_work() as session:
            current_member(session).name = "changed"
        return Response("no", status=409)

    return routes


def send(browser: Browser, path: str = TALKS, body: object = TALK, *, key: str = KEY) -> TestResponse:
    return browser.post(path, body, **{"Idempotency-Key": key})


def test_repeated_request_gets_stored_response_and_changes_nothing(
    app: Flask, browser: Browser, clock: FixedClock
) -> None:
    first = send(browser)
    clock.move(NOON + timedelta(hours=24))
    again = send(browser)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert {name: again.headers.get(name) for name in ("Location", "ETag", "Content-Type", "Cache-Control")} == {
        name: first.headers.get(name) for name in ("Location", "ETag", "Content-Type", "Cache-Control")
    }
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert [talk.id for talk in rows(app, Talk)] == [json_of(first)["id"]]


def test_another_key_makes_another_request(app: Flask, browser: Browser) -> None:
    assert json_of(send(browser))["id"] != json_of(send(browser, key="another"))["id"]
    assert len(rows(app, Talk)) == 2


def test_requests_without_key_are_executed_each_time(app: Flask, browser: Browser) -> None:
    assert [browser.post(TALKS, TALK).status_code for _ in range(2)] == [201, 201]
    assert (len(rows(app, Talk)), rows(app, IdempotencyRecord)) == (2, [])


def test_key_cannot_be_reused_for_another_request(app: Flask, browser: Browser) -> None:
    send(browser)
    assert problem(send(browser, body={"title": "Another"})) == (422, "idempotency-key-reused")
    assert problem(send(browser, path="/me/feeds", body=TALK)) == (422, "idempotency-key-reused")
    assert len(rows(app, Talk)) == 1


def test_keys_are_separate_for_each_member(app: Flask, browser: Browser) -> None:
    assert json_of(send(browser))["id"] != json_of(send(signed_in(app, "bob@example.org")))["id"]


def test_raised_error_is_not_stored(app: Flask, browser: Browser) -> None:
    assert problem(send(browser, body={})) == (422, "invalid")
    assert problem(send(browser, path="/events/nowhere/talks")) == (404, "not-found")
    assert rows(app, IdempotencyRecord) == []
    assert send(browser).status_code == 201


def test_returned_error_response_is_not_stored_and_rolls_back(app: Flask, browser: Browser) -> None:
    assert (send(browser, path="/no").status_code, send(browser, path="/no").status_code) == (409, 409)
    assert rows(app, IdempotencyRecord) == []
    assert [row.name for row in rows(app, Member)] == ["Ada Lovelace"]


def test_key_expires_after_a_day(app: Flask, browser: Browser, clock: FixedClock) -> None:
    send(browser)
    clock.move(NOON + timedelta(hours=24, seconds=1))
    answer = send(browser)
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)
    assert (len(rows(app, Talk)), len(rows(app, IdempotencyRecord))) == (2, 1)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü"])
def test_invalid_key_returns_422(browser: Browser, key: str) -> None:
    answer = send(browser, key=key)
    assert (problem(answer), pointers(answer)) == ((422, "invalid"), ["Idempotency-Key"])


def test_permissions_are_checked_before_key(app: Flask, browser: Browser) -> None:
    send(browser)
    headers = {"Idempotency-Key": KEY}
    assert problem(post(app, TALKS, TALK, **headers)) == (401, "not-signed-in")
    assert problem(call(browser.client, "POST", TALKS, body=TALK, **headers)) == (403, "csrf")
    read_only = token_of(browser, Scope.READ)
    assert problem(post(app, TALKS, TALK, **headers, **read_only)) == (403, "insufficient-scope")


def test_sign_in_ignores_key(app: Flask) -> None:
    signed_in(app)
    keys = {"email": "ada@example.org", "password": "correct horse"}
    answers = [post(app, "/auth/login", keys, **{"Idempotency-Key": KEY}) for _ in range(2)]
    assert [(answer.status_code, "Idempotency-Replayed" in answer.headers) for answer in answers] == [(200, False)] * 2


@pytest.mark.parametrize(("path", "secret"), [("/me/feeds", "url"), ("/me/tokens", "token")])
def test_stored_response_does_not_contain_secret(app: Flask, browser: Browser, path: str, secret: str) -> None:
    body = {"name": "phone"} if path == "/me/feeds" else {"name": "a script", "scopes": ["read"]}
    first = json_of(send(browser, path, body))
    assert json_of(send(browser, path, body)) == first | {secret: None}
    [kept] = rows(app, IdempotencyRecord)
    assert first[secret] not in kept.body


def test_concurrent_requests_with_one_key_share_one_response(app: Flask, browser: Browser) -> None:
    headers = {"Idempotency-Key": KEY, **token_of(browser, Scope.SUBMIT)}
    answers: list[tuple[int, bytes]] = []

    def try_it() -> None:
        answer = post(app, TALKS, TALK, **headers)
        answers.append((answer.status_code, answer.data))

    threads = [threading.Thread(target=try_it) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 10
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert len(rows(app, Talk)) == 1


def test_request_during_write_lock_gets_409_with_retry_after(
    database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_LOCK_TIMEOUT_MS", 50)
    with running(database_url, clock) as app:
        browser = signed_in(app)
        with database_of(app).unit_of_work():
            answer = send(browser, path="/me/feeds", body={"name": "phone"})
        assert problem(answer) == (409, "idempotency-in-progress")
        assert int(answer.headers["Retry-After"]) >= 1
        assert rows(app, PersonalFeed) == []
        assert send(browser, path="/me/feeds", body={"name": "phone"}).status_code == 201
