"""The complete app for HTTP tests, and clients with a signed-in session."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, session
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.http import parse_cookie
from werkzeug.test import TestResponse

from eventcal.app import build_services, create_app
from eventcal.config import Settings
from eventcal.feeds.index.models import FeedEntry, FeedState
from eventcal.kit.clock import Clock, truncate_to_second
from eventcal.kit.database import Database
from eventcal.members.enums import Role, Scope
from eventcal.members.models import Member
from eventcal.outbox.models import OutboxMessage
from eventcal.web.identity import password_hashes
from eventcal.web.identity.current_user import sign_in as begin_session
from eventcal.web.process_state import BackgroundThread
from eventcal.web.request.context import Services, attach_services
from tests.clocks import FixedClock
from tests.factories import make_member

PASSWORD = "correct horse"
PRODUCTION_ARGON2_COST = dict(password_hashes.ARGON2_COST)
# A password hash with production costs takes 25 ms, which would be a tenth of the duration of all tests.
password_hashes.ARGON2_COST.update(memory_cost=64, time_cost=1)
MAIL_URL = "smtp://mail.example.org"


@contextmanager
def attach_test_services(app: Flask, database_url: str, clock: Clock, **changes: Any) -> Iterator[Flask]:
    """Provide an existing app with new services for this database and these settings."""
    house = build_services(make_settings(database_url, **changes), clock=clock, background=create_manual_background())
    attach_services(app, house)
    app.test_client_class = PatientClient
    try:
        yield app
    finally:
        house.database.engine.dispose()


@contextmanager
def create_test_app(database_url: str, clock: Clock, **changes: Any) -> Iterator[Flask]:
    """Provide a new app with these settings and without rate limits. The database connections are closed at the end."""
    app = create_app(make_settings(database_url, **changes), clock=clock, background=create_manual_background())
    app.config["RATELIMIT_ENABLED"] = False
    app.test_client_class = PatientClient
    try:
        yield app
    finally:
        database_of(app).engine.dispose()


class PatientClient(FlaskClient):
    """A client that repeats a request in the next second if an entry has already been changed in this second.

    Most tests change an entry several times without advancing the clock.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request, with a second request if necessary."""
        response = super().open(*args, **kwargs)
        clock = services_of(self.application).clock
        if response.status_code != 503 or b"changed-too-recently" not in response.data:
            return response
        assert isinstance(clock, FixedClock)
        clock.tick(int(response.headers["Retry-After"]))
        return super().open(*args, **kwargs)


def load_feed_state(app: Flask) -> FeedState:
    """Return the current feed state."""
    return services_of(app).feed_states.read_primary()


class _ManualExecutor(Executor):
    """Runs queued tasks in the thread of the test when `run_pending` is called."""

    def __init__(self) -> None:
        self._pending: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        self._pending.append(lambda: done.set_result(fn(*args, **kwargs)))
        return done

    def run_pending(self) -> None:
        while self._pending:
            self._pending.pop(0)()


def create_manual_background() -> BackgroundThread:
    """Return a background thread that runs its tasks only in `run_background_tasks`."""
    return BackgroundThread(_ManualExecutor())


def run_background_tasks(app: Flask) -> None:
    """Run the background tasks that have been queued since the last call."""
    executor = services_of(app).background.executor
    assert isinstance(executor, _ManualExecutor)
    executor.run_pending()


def make_settings(database_url: str, **changes: Any) -> Settings:
    """Return the default settings with these changes."""
    usual: dict[str, Any] = {"instance": Path("instance"), "secret_key": "k" * 40}
    return Settings(database_url=database_url, **{**usual, **changes})


def services_of(app: Flask) -> Services:
    house = app.extensions["eventcal"]
    assert isinstance(house, Services)
    return house


def database_of(app: Flask) -> Database:
    return services_of(app).database


@contextmanager
def write_session(app: Flask) -> Iterator[Session]:
    """Provide a session that is committed at the end of the block. If an entry has just been changed, wait a second."""
    clock = services_of(app).clock
    with database_of(app).read_session() as session:
        last_change = session.scalar(select(func.max(FeedEntry.last_modified)))
    if isinstance(clock, FixedClock) and last_change == truncate_to_second(clock.now()):
        clock.tick()
    with database_of(app).unit_of_work() as unit:
        yield unit.session


@dataclass
class SessionClient:
    """A client with the session cookie and CSRF token of a member who has signed in."""

    client: FlaskClient
    member: dict[str, Any]
    csrf_token: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        """Send a request with the CSRF token to a path of the API."""
        return call_api(self.client, method, path, body=body, **{"X-CSRF-Token": self.csrf_token, **headers})

    def get(self, path: str) -> TestResponse:
        """Send a GET request to a path of the API."""
        return self.call("GET", path)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        """Send a POST request to a path of the API."""
        return self.call("POST", path, body, **headers)


def call_api(client: FlaskClient, method: str, path: str, *, body: object = None, **headers: str) -> TestResponse:
    """Send a request with an optional JSON body to a path of the API."""
    return client.open(f"/api/v1{path}", method=method, json=body, headers=headers)


def post_to_api(app: Flask, path: str, body: object = None, **headers: str) -> TestResponse:
    """Send a POST request without cookies to a path of the API."""
    return call_api(app.test_client(), "POST", path, body=body, **headers)


def create_signed_in_client(
    app: Flask, email: str = "ada@example.org", *, reauthenticated: bool = False, **fields: Any
) -> SessionClient:
    """Return the client of a signed-in member, who is created if no member has this email address.

    The member has the password PASSWORD. The password is not verified, because that takes longer than most tests. If
    `reauthenticated` is true, the member has authenticated again, and can change how to sign in.
    """
    with write_session(app) as unit:
        member = unit.scalar(select(Member).where(Member.email == email))
        member = member or make_member(unit, email=email, password=hash_password_once(), **fields)
    with app.test_request_context():
        csrf = begin_session(member)
        if reauthenticated:
            csrf = begin_session(member)
        answer = app.response_class()
        app.session_interface.save_session(app, session, answer)
    client = app.test_client()
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], parse_cookie(answer.headers["Set-Cookie"])["eventcal"])
    return SessionClient(client, get_json(call_api(client, "GET", "/me")), csrf)


def sign_in_with_password(app: Flask, email: str = "ada@example.org", password: str = PASSWORD) -> SessionClient:
    """Return the client of a member who has signed in with a password."""
    client = app.test_client()
    answer = call_api(client, "POST", "/auth/login", body={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return SessionClient(client, answer.json["member"], answer.json["csrf_token"])


def create_moderator_client(app: Flask) -> SessionClient:
    return create_signed_in_client(app, "moderator@example.org", role=Role.MODERATOR)


def create_token_headers(browser: SessionClient, *scopes: Scope, **fields: Any) -> dict[str, str]:
    """Return the Authorization header for a new access token."""
    answer = browser.post("/me/tokens", {"name": "a script", "scopes": list(scopes), **fields})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return {"Authorization": f"Bearer {answer.json['token']}"}


def list_rows(app: Flask, table: Any) -> list[Any]:  # noqa: ANN401 - any table
    """Return all rows of a table, ordered by id."""
    with database_of(app).read_session() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def list_mails(app: Flask) -> list[tuple[str, str]]:
    """Return the recipient and subject of each email in the outbox, the oldest first."""
    return [(row.payload["to"], row.payload["subject"]) for row in list_rows(app, OutboxMessage) if row.kind == "mail"]


def status_and_code(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the error code of a problem document."""
    assert answer.json is not None, answer.text
    assert answer.mimetype == "application/problem+json"
    return answer.status_code, answer.json["code"]


def error_pointers(answer: TestResponse) -> list[str]:
    """Return the distinct JSON pointers and parameter names of the errors in a response."""
    assert answer.json is not None
    return sorted({fault.get("pointer") or fault["parameter"] for fault in answer.json["errors"]})


def get_json(answer: TestResponse) -> dict[str, Any]:
    """Return the JSON object in the body of a response."""
    assert answer.json is not None, answer.text
    body: dict[str, Any] = answer.json
    return body


@cache
def hash_password_once(password: str = PASSWORD) -> str:
    """Return a cached hash of a password."""
    return password_hashes.hash_password(password)
