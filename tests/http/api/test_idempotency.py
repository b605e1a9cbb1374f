"""A POST with an Idempotency-Key: done once, answered again."""

import threading
from datetime import timedelta

import pytest
from flask import Blueprint, Flask, Response
from werkzeug.test import TestResponse

from eventcal.app import create_app
from eventcal.kit import database
from eventcal.members.models import KeptAnswer, Member, PersonalFeed
from eventcal.members.words import Scope
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
    """Give the app with a route of these tests, on no database yet."""
    app = create_app(settings_of("sqlite:///nowhere.db"))
    app.config["RATELIMIT_ENABLED"] = False
    app.register_blueprint(answering_no())
    return app


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Give a member, and the event that the talks go to."""
    with writing(app) as session:
        make_event(session, slug="summit")
    return signed_in(app)


def answering_no() -> Blueprint:
    """Give a route that writes, and then answers 409 without raising."""
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


def test_the_same_again_gets_the_same_answer_and_does_nothing(app: Flask, browser: Browser, clock: FixedClock) -> None:
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


def test_another_key_is_another_request(app: Flask, browser: Browser) -> None:
    assert json_of(send(browser))["id"] != json_of(send(browser, key="another"))["id"]
    assert len(rows(app, Talk)) == 2


def test_without_a_key_everything_is_done_each_time(app: Flask, browser: Browser) -> None:
    assert [browser.post(TALKS, TALK).status_code for _ in range(2)] == [201, 201]
    assert (len(rows(app, Talk)), rows(app, KeptAnswer)) == (2, [])


def test_a_key_is_for_one_request_only(app: Flask, browser: Browser) -> None:
    send(browser)
    assert problem(send(browser, body={"title": "Another"})) == (422, "idempotency-key-reused")
    assert problem(send(browser, path="/me/feeds", body=TALK)) == (422, "idempotency-key-reused")
    assert len(rows(app, Talk)) == 1


def test_each_member_has_keys_of_their_own(app: Flask, browser: Browser) -> None:
    assert json_of(send(browser))["id"] != json_of(send(signed_in(app, "bob@example.org")))["id"]


def test_a_refusal_is_not_kept(app: Flask, browser: Browser) -> None:
    assert problem(send(browser, body={})) == (422, "invalid")
    assert problem(send(browser, path="/events/nowhere/talks")) == (404, "not-found")
    assert rows(app, KeptAnswer) == []
    assert send(browser).status_code == 201


def test_an_answer_that_says_no_is_not_kept_and_changes_nothing(app: Flask, browser: Browser) -> None:
    assert (send(browser, path="/no").status_code, send(browser, path="/no").status_code) == (409, 409)
    assert rows(app, KeptAnswer) == []
    assert [row.name for row in rows(app, Member)] == ["Ada Lovelace"]


def test_a_key_is_forgotten_after_a_day(app: Flask, browser: Browser, clock: FixedClock) -> None:
    send(browser)
    clock.move(NOON + timedelta(hours=24, seconds=1))
    answer = send(browser)
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)
    assert (len(rows(app, Talk)), len(rows(app, KeptAnswer))) == (2, 1)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü"])
def test_a_key_is_visible_ascii(browser: Browser, key: str) -> None:
    answer = send(browser, key=key)
    assert (problem(answer), pointers(answer)) == ((422, "invalid"), ["Idempotency-Key"])


def test_whoever_may_not_is_refused_before_any_key_is_looked_at(app: Flask, browser: Browser) -> None:
    send(browser)
    headers = {"Idempotency-Key": KEY}
    assert problem(post(app, TALKS, TALK, **headers)) == (401, "not-signed-in")
    assert problem(call(browser.client, "POST", TALKS, TALK, **headers)) == (403, "csrf")
    read_only = token_of(browser, Scope.READ)
    assert problem(post(app, TALKS, TALK, **headers, **read_only)) == (403, "insufficient-scope")


def test_signing_in_takes_no_key(app: Flask) -> None:
    signed_in(app)
    keys = {"email": "ada@example.org", "password": "correct horse"}
    answers = [post(app, "/auth/login", keys, **{"Idempotency-Key": KEY}) for _ in range(2)]
    assert [(answer.status_code, "Idempotency-Replayed" in answer.headers) for answer in answers] == [(200, False)] * 2


@pytest.mark.parametrize(("path", "secret"), [("/me/feeds", "url"), ("/me/tokens", "token")])
def test_a_secret_is_shown_once_and_kept_in_no_answer(app: Flask, browser: Browser, path: str, secret: str) -> None:
    body = {"name": "phone"} if path == "/me/feeds" else {"name": "a script", "scopes": ["read"]}
    first = json_of(send(browser, path, body))
    assert json_of(send(browser, path, body)) == first | {secret: None}
    [kept] = rows(app, KeptAnswer)
    assert first[secret] not in kept.body


def test_many_at_once_do_it_once_and_all_get_the_same_answer(app: Flask, browser: Browser) -> None:
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


def test_while_the_first_is_under_way_the_next_is_told_to_come_back(
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
