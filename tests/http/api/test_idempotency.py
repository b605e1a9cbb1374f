"""A POST request with an Idempotency-Key is executed once; repetitions get the stored response."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Blueprint, Flask, Response
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.kit import write_lock
from eventcal.members.enums import Scope
from eventcal.members.models import IdempotencyRecord, Member, PersonalFeed
from eventcal.talks.models import Talk
from eventcal.web.identity.current_user import current_member
from eventcal.web.identity.permissions import member
from eventcal.web.request.context import unit_of_work
from tests.clocks import NOON, FixedClock
from tests.factories import make_event
from tests.http_app import (
    SessionClient,
    call_api,
    create_signed_in_client,
    create_test_app,
    create_token_headers,
    database_of,
    error_pointers,
    get_json,
    list_rows,
    make_settings,
    post_to_api,
    status_and_code,
    write_session,
)

pytestmark = pytest.mark.both_databases

TALKS_PATH = "/events/summit/talks"
TALK = {"title": "Xen on ARM"}
IDEMPOTENCY_KEY = "4ec5bd1c-7dbd-4e2c-8a41-2f5a3f3a9a2d"


@pytest.fixture(scope="module")
def _shared_app() -> Flask:
    """Return the app with a test route, without a database."""
    app = create_app(make_settings("sqlite:///nowhere.db"))
    app.config["RATELIMIT_ENABLED"] = False
    app.register_blueprint(make_conflict_route())
    return app


@pytest.fixture
def browser(app: Flask) -> SessionClient:
    """Create the event for the talks and return a signed-in member's browser."""
    with write_session(app) as session:
        make_event(session, slug="summit")
    return create_signed_in_client(app)


def make_conflict_route() -> Blueprint:
    """Return a route that writes to the database and returns a 409 without raising an exception."""
    routes = Blueprint("answering_no", __name__, url_prefix="/api/v1")

    @routes.post("/no")
    @member(Scope.SUBMIT)
    def change_and_say_no() -> Response:
        with unit_of_work() as session:
            current_member(session).name = "changed"
        return Response("no", status=409)

    return routes


def post_with_key(
    browser: SessionClient, path: str = TALKS_PATH, body: object = TALK, *, key: str = IDEMPOTENCY_KEY
) -> TestResponse:
    return browser.post(path, body, **{"Idempotency-Key": key})


def test_repeated_request_gets_stored_response_and_changes_nothing(
    app: Flask, browser: SessionClient, clock: FixedClock
) -> None:
    first = post_with_key(browser)
    clock.set_time(NOON + timedelta(hours=24))
    again = post_with_key(browser)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert {name: again.headers.get(name) for name in ("Location", "ETag", "Content-Type", "Cache-Control")} == {
        name: first.headers.get(name) for name in ("Location", "ETag", "Content-Type", "Cache-Control")
    }
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert [talk.id for talk in list_rows(app, Talk)] == [get_json(first)["id"]]


def test_another_key_makes_another_request(app: Flask, browser: SessionClient) -> None:
    assert get_json(post_with_key(browser))["id"] != get_json(post_with_key(browser, key="another"))["id"]
    assert len(list_rows(app, Talk)) == 2


def test_requests_without_key_are_executed_each_time(app: Flask, browser: SessionClient) -> None:
    assert [browser.post(TALKS_PATH, TALK).status_code for _ in range(2)] == [201, 201]
    assert (len(list_rows(app, Talk)), list_rows(app, IdempotencyRecord)) == (2, [])


def test_key_cannot_be_reused_for_another_request(app: Flask, browser: SessionClient) -> None:
    post_with_key(browser)
    assert status_and_code(post_with_key(browser, body={"title": "Another"})) == (422, "idempotency-key-reused")
    assert status_and_code(post_with_key(browser, path="/me/feeds", body=TALK)) == (422, "idempotency-key-reused")
    assert len(list_rows(app, Talk)) == 1


def test_keys_are_separate_for_each_member(app: Flask, browser: SessionClient) -> None:
    assert (
        get_json(post_with_key(browser))["id"]
        != get_json(post_with_key(create_signed_in_client(app, "bob@example.org")))["id"]
    )


def test_raised_error_is_not_stored(app: Flask, browser: SessionClient) -> None:
    assert status_and_code(post_with_key(browser, body={})) == (422, "invalid")
    assert status_and_code(post_with_key(browser, path="/events/nowhere/talks")) == (404, "not-found")
    assert list_rows(app, IdempotencyRecord) == []
    assert post_with_key(browser).status_code == 201


def test_returned_error_response_is_not_stored_and_rolls_back(app: Flask, browser: SessionClient) -> None:
    assert (post_with_key(browser, path="/no").status_code, post_with_key(browser, path="/no").status_code) == (
        409,
        409,
    )
    assert list_rows(app, IdempotencyRecord) == []
    assert [row.name for row in list_rows(app, Member)] == ["Ada Lovelace"]


def test_key_expires_after_a_day(app: Flask, browser: SessionClient, clock: FixedClock) -> None:
    post_with_key(browser)
    clock.tick(timedelta(hours=24, seconds=1).total_seconds())
    answer = post_with_key(browser)
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)
    assert (len(list_rows(app, Talk)), len(list_rows(app, IdempotencyRecord))) == (2, 1)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü"])
def test_invalid_key_returns_422(browser: SessionClient, key: str) -> None:
    answer = post_with_key(browser, key=key)
    assert (status_and_code(answer), error_pointers(answer)) == ((422, "invalid"), ["Idempotency-Key"])


def test_permissions_are_checked_before_key(app: Flask, browser: SessionClient) -> None:
    post_with_key(browser)
    headers = {"Idempotency-Key": IDEMPOTENCY_KEY}
    assert status_and_code(post_to_api(app, TALKS_PATH, TALK, **headers)) == (401, "not-signed-in")
    assert status_and_code(call_api(browser.client, "POST", TALKS_PATH, body=TALK, **headers)) == (403, "csrf")
    read_only = create_token_headers(browser, Scope.READ)
    assert status_and_code(post_to_api(app, TALKS_PATH, TALK, **headers, **read_only)) == (403, "insufficient-scope")


def test_sign_in_ignores_key(app: Flask) -> None:
    create_signed_in_client(app)
    keys = {"email": "ada@example.org", "password": "correct horse"}
    answers = [post_to_api(app, "/auth/login", keys, **{"Idempotency-Key": IDEMPOTENCY_KEY}) for _ in range(2)]
    assert [(answer.status_code, "Idempotency-Replayed" in answer.headers) for answer in answers] == [(200, False)] * 2


@pytest.mark.parametrize(("path", "secret"), [("/me/feeds", "url"), ("/me/tokens", "token")])
def test_stored_response_does_not_contain_secret(app: Flask, browser: SessionClient, path: str, secret: str) -> None:
    body = {"name": "phone"} if path == "/me/feeds" else {"name": "a script", "scopes": ["read"]}
    first = get_json(post_with_key(browser, path, body))
    assert get_json(post_with_key(browser, path, body)) == first | {secret: None}
    [kept] = list_rows(app, IdempotencyRecord)
    assert first[secret] not in kept.body


def test_concurrent_requests_with_one_key_share_one_response(app: Flask, browser: SessionClient) -> None:
    headers = {"Idempotency-Key": IDEMPOTENCY_KEY, **create_token_headers(browser, Scope.SUBMIT)}
    answers: list[tuple[int, bytes]] = []

    def try_it() -> None:
        answer = post_to_api(app, TALKS_PATH, TALK, **headers)
        while answer.status_code == 409:
            assert status_and_code(answer) == (409, "idempotency-in-progress")
            answer = post_to_api(app, TALKS_PATH, TALK, **headers)
        answers.append((answer.status_code, answer.data))

    threads = [threading.Thread(target=try_it) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 10
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert len(list_rows(app, Talk)) == 1


def test_repeated_request_while_the_first_is_in_progress_gets_409_with_retry_after(
    app: Flask, browser: SessionClient
) -> None:
    headers = {"Idempotency-Key": IDEMPOTENCY_KEY, **create_token_headers(browser, Scope.SUBMIT)}
    with ThreadPoolExecutor(1) as threads:
        with database_of(app).unit_of_work():
            first = threads.submit(post_to_api, app, TALKS_PATH, TALK, **headers)
            while database_of(app).write_lock.queue.waiting == 0:
                threading.Event().wait(0.001)
            second = post_to_api(app, TALKS_PATH, TALK, **headers)
        assert status_and_code(second) == (409, "idempotency-in-progress")
        assert int(second.headers["Retry-After"]) >= 1
        assert first.result(30).status_code == 201
    assert post_to_api(app, TALKS_PATH, TALK, **headers).data == first.result().data
    assert len(list_rows(app, Talk)) == 1


def test_request_that_does_not_get_the_write_lock_gets_503_and_can_be_repeated(
    database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_lock, "LOCK_SECONDS", 0.05)
    with create_test_app(database_url, clock) as app:
        browser = create_signed_in_client(app)
        with database_of(app).unit_of_work():
            answer = post_with_key(browser, path="/me/feeds", body={"name": "phone"})
        assert status_and_code(answer) == (503, "busy")
        assert int(answer.headers["Retry-After"]) >= 1
        assert list_rows(app, PersonalFeed) == []
        assert post_with_key(browser, path="/me/feeds", body={"name": "phone"}).status_code == 201
