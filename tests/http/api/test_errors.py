"""Every error is a problem (RFC 9457) with status, code and headers. Internal errors reveal no details."""

import importlib
import logging
import pkgutil
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import flask_smorest
import psycopg
import pytest
from flask import Flask, abort, request
from flask.testing import FlaskClient
from marshmallow import RAISE, Schema, ValidationError, fields
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import (
    BadRequest,
    NotAcceptable,
    PreconditionRequired,
    RequestEntityTooLarge,
    ServiceUnavailable,
    TooManyRequests,
    UnsupportedMediaType,
)
from werkzeug.test import TestResponse

import eventcal
from eventcal.kit.errors import (
    Conflict,
    DatabaseBusy,
    DomainError,
    FieldError,
    Forbidden,
    Gone,
    Invalid,
    Message,
    NotFound,
    Unauthenticated,
    VersionConflict,
)
from eventcal.web.http.errors import RequestInProgress, list_error_kinds, raise_validation, register_error_handlers

ErrorResponder = Callable[[Exception], TestResponse]


class TalksClosed(Conflict):
    """A domain error defined outside the web package."""

    code = "talks-closed-for-a-test"
    title = Message("Submissions closed")


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    register_error_handlers(app)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def error_responder(app: Flask) -> ErrorResponder:
    """Return a function that returns the response of a view raising an exception."""

    def answer(error: Exception) -> TestResponse:
        def view() -> str:
            raise error

        app.add_url_rule("/thing", view_func=view, methods=["GET", "POST"])
        return app.test_client().get("/thing")

    return answer


def test_domain_error_is_rendered_as_problem_with_all_members(error_responder: ErrorResponder) -> None:
    answer = error_responder(TalksClosed("The call for talks closed on 2 May."))
    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert answer.json == {
        "type": "/api/v1/docs#problem-talks-closed-for-a-test",
        "title": "Submissions closed",
        "status": 409,
        "detail": "The call for talks closed on 2 May.",
        "code": "talks-closed-for-a-test",
        "instance": "/thing",
    }


@pytest.mark.parametrize(
    ("refusal", "status", "code", "headers"),
    [
        (BadRequest("."), 400, "unreadable", {}),
        (Unauthenticated("."), 401, "unauthenticated", {"WWW-Authenticate": 'Bearer realm="eventcal"'}),
        (Forbidden("."), 403, "forbidden", {}),
        (NotFound("."), 404, "not-found", {}),
        (NotAcceptable("."), 406, "not-acceptable", {}),
        (Conflict("."), 409, "conflict", {}),
        (RequestInProgress(".", retry_after=1), 409, "under-way", {"Retry-After": "1"}),
        (Gone("."), 410, "gone", {}),
        (VersionConflict("."), 412, "stale", {}),
        (RequestEntityTooLarge("."), 413, "too-large", {}),
        (UnsupportedMediaType("."), 415, "unsupported-media-type", {}),
        (Invalid("."), 422, "invalid", {}),
        (PreconditionRequired("."), 428, "precondition-required", {}),
        (TooManyRequests(".", retry_after=30), 429, "too-many", {"Retry-After": "30"}),
        (DatabaseBusy("."), 503, "busy", {"Retry-After": "5"}),
    ],
)
def test_each_error_class_has_its_status_and_headers(
    error_responder: ErrorResponder, *, refusal: Exception, status: int, code: str, headers: dict[str, str]
) -> None:
    answer = error_responder(refusal)
    named = {name: answer.headers[name] for name in ("WWW-Authenticate", "Retry-After") if name in answer.headers}
    assert (answer.status_code, (answer.json or {})["code"], named) == (status, code, headers)


def test_every_error_code_of_http_api_has_one_status_and_title() -> None:
    for module in pkgutil.walk_packages(eventcal.__path__, "eventcal."):
        # Errors of datasets occur on the command line only.
        if module.name.endswith(".errors") and not module.name.startswith("eventcal.datasets."):
            for kind in vars(importlib.import_module(module.name)).values():
                if (
                    isinstance(kind, type)
                    and issubclass(kind, DomainError)
                    and "code" in vars(kind)
                    and kind != DomainError
                ):
                    assert kind.code in {code for _status, code, _title in list_error_kinds()}
    codes = [code for _status, code, _title in list_error_kinds()]
    assert {"not-found", "talks-closed", "internal", "too-many", "slug-taken"} <= set(codes)
    assert sorted(codes) == sorted(set(codes))


def test_error_without_specific_class_returns_500(error_responder: ErrorResponder) -> None:
    assert error_responder(DomainError(".")).status_code == 500


def test_field_errors_have_pointer_or_parameter(error_responder: ErrorResponder) -> None:
    faults = [
        FieldError("/speakers/0/name", "is required"),
        FieldError("?cursor", "is no cursor"),
        FieldError("", "is no talk"),
    ]
    assert (error_responder(Invalid("See errors.", errors=faults)).json or {})["errors"] == [
        {"pointer": "/speakers/0/name", "detail": "is required"},
        {"parameter": "cursor", "detail": "is no cursor"},
        {"pointer": "", "detail": "is no talk"},
    ]


def test_problem_of_read_is_uncacheable_and_readable_by_any_origin(error_responder: ErrorResponder) -> None:
    answer = error_responder(NotFound("."))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_problem_of_write_is_not_readable_by_other_origins(client: FlaskClient) -> None:
    answer = client.post("/nothing")
    assert answer.status_code == 404
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_unknown_url_returns_problem(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").json == {
        "type": "/api/v1/docs#problem-not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no resource at this URL.",
        "code": "not-found",
        "instance": "/api/v1/nothing",
    }


def test_head_response_of_problem_has_headers_but_no_body(client: FlaskClient) -> None:
    answer = client.head("/nothing")
    assert (answer.status_code, answer.content_type, answer.data) == (404, "application/problem+json", b"")


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/a%20b", "/a%20b"),
        ("/%22%3Cscript%3E", "/%22%3Cscript%3E"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/%FF", "/%EF%BF%BD"),
        ("/%00%0A", "/%00%0A"),
        ("/50%25", "/50%25"),
        ("/%2F%2Fexample.org", "/example.org"),
    ],
)
def test_problem_instance_is_path_reference_on_this_server(client: FlaskClient, path: str, instance: str) -> None:
    assert (client.get(path).json or {})["instance"] == instance


def test_lone_surrogate_in_pointer_is_escaped(error_responder: ErrorResponder) -> None:
    answer = error_responder(Invalid("See errors.", errors=[FieldError("/\ud800", "is an unknown field; remove it")]))
    assert (answer.json or {})["errors"] == [{"pointer": "/\\ud800", "detail": "is an unknown field; remove it"}]


def test_method_not_allowed_response_lists_allowed_methods(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/thing", view_func=lambda: "", methods=["GET", "POST"], endpoint="thing")
    answer = client.delete("/thing")
    assert (answer.status_code, (answer.json or {})["code"]) == (405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_too_large_body_returns_413(app: Flask, client: FlaskClient) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.add_url_rule("/thing", view_func=lambda: request.get_data(as_text=True), methods=["POST"], endpoint="thing")
    answer = client.post("/thing", data=b"x" * 11)
    assert (answer.status_code, (answer.json or {})["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (400, "unreadable", "The request cannot be read."),
        (401, "unauthenticated", "Authentication is required. Sign in or send a token."),
        (403, "forbidden", "You do not have permission to do this."),
        (406, "not-acceptable", "No available representation matches the Accept header."),
        (415, "unsupported-media-type", "The media type of the body is not supported."),
        (418, "im-a-teapot", "I'm a Teapot."),
        (503, "unavailable", "Try again in a few seconds."),
    ],
)
def test_abort_without_description_uses_our_detail(
    app: Flask, client: FlaskClient, *, status: int, code: str, detail: str
) -> None:
    app.add_url_rule("/thing", view_func=lambda: abort(status), endpoint="thing")
    answer = client.get("/thing")
    said = answer.json or {}
    assert (answer.status_code, said["status"], said["code"], said["detail"]) == (status, status, code, detail)


def test_abort_with_description_keeps_it_as_detail(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/thing", view_func=lambda: abort(400, "The CSRF token is missing."), endpoint="thing")
    assert (client.get("/thing").json or {})["detail"] == "The CSRF token is missing."


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (TooManyRequests(), "60"),
        (TooManyRequests(retry_after=7), "7"),
        (ServiceUnavailable(), "5"),
        (ServiceUnavailable(retry_after=9), "9"),
    ],
)
def test_retry_after_is_sent_with_429_and_503(error_responder: ErrorResponder, error: Exception, after: str) -> None:
    assert error_responder(error).headers["Retry-After"] == after


def test_redirects_and_complete_responses_are_unchanged(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/folder/", view_func=lambda: "", endpoint="folder")
    app.add_url_rule(
        "/ready", view_func=lambda: abort(409, response=app.response_class("ready", 409)), endpoint="ready"
    )
    assert client.get("/folder").headers["Location"] == "http://localhost/folder/"
    assert client.get("/ready").data == b"ready"


class PersonSchema(Schema):
    """A nested schema, and the schema of the query."""

    name = fields.String(required=True)


class BodySchema(Schema):
    """The schema of the request body."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE

    title = fields.String(required=True)
    people = fields.List(fields.Nested(PersonSchema))
    numbers = fields.List(fields.Integer())


@pytest.fixture(params=["before", "after"])
def smorest_client(request: pytest.FixtureRequest) -> FlaskClient:
    """Return a client of a flask-smorest app whose error handler is registered before or after ours."""
    app = Flask(__name__)
    app.config.update(API_TITLE="t", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    blueprint = flask_smorest.Blueprint("forms", __name__)

    def take(form: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
        return {"form": form, "person": person}

    view = blueprint.arguments(BodySchema)(blueprint.arguments(PersonSchema, location="query", unknown=RAISE)(take))
    blueprint.route("/forms", methods=["POST"])(view)
    if request.param == "after":
        register_error_handlers(app)
    flask_smorest.Api(app).register_blueprint(blueprint)
    if request.param == "before":
        register_error_handlers(app)
    return app.test_client()


def test_invalid_body_reports_pointer_of_every_error(smorest_client: FlaskClient) -> None:
    body = {"people": [{"name": "A"}, {"name": None}, 3], "numbers": list("1234567890x"), "a/b~c": 1, "z": 2}
    answer = smorest_client.post("/forms?name=x", json=body)
    assert answer.status_code == 422
    said = answer.json or {}
    assert (said["code"], said["title"]) == ("invalid", "Validation failed")
    assert said["errors"] == [
        {"pointer": "/a~1b~0c", "detail": "is an unknown field; remove it"},
        {"pointer": "/numbers/10", "detail": "must be an integer"},
        {"pointer": "/people/1/name", "detail": "must not be null"},
        {"pointer": "/people/2", "detail": "must be a JSON object"},
        {"pointer": "/title", "detail": "is required"},
        {"pointer": "/z", "detail": "is an unknown field; remove it"},
    ]


def test_body_of_wrong_type_has_empty_pointer(smorest_client: FlaskClient) -> None:
    answer = smorest_client.post("/forms?name=x", json=["title"])
    assert (answer.json or {})["errors"] == [{"pointer": "", "detail": "must be a JSON object"}]


def test_invalid_query_reports_parameter_of_every_error(smorest_client: FlaskClient) -> None:
    answer = smorest_client.post("/forms?nam=x", json={"title": "A"})
    assert answer.status_code == 422
    assert (answer.json or {})["errors"] == [
        {"parameter": "nam", "detail": "is an unknown parameter; remove it"},
        {"parameter": "name", "detail": "is required"},
    ]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "The body cannot be read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."),
        (b"\xff", "The body cannot be read: Bytes decoding error : invalid start byte: line 1 column 1 (char 0)."),
    ],
)
def test_malformed_json_returns_400_with_position(smorest_client: FlaskClient, body: bytes, detail: str) -> None:
    answer = smorest_client.post("/forms?name=x", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert ((answer.json or {})["code"], (answer.json or {})["detail"]) == ("unreadable", detail)


def test_marshmallow_messages_are_converted_to_field_errors() -> None:
    with pytest.raises(Invalid) as refusal:
        raise_validation({"json": {"title": ["Field may not be null."]}, "path": {"slug": ["Unknown field."]}})
    assert refusal.value.errors == (
        FieldError("/title", "must not be null"),
        FieldError("?slug", "is an unknown parameter; remove it"),
    )


def test_validation_error_in_view_returns_422(error_responder: ErrorResponder) -> None:
    answer = error_responder(ValidationError({"ends": ["must be later than `starts`"]}))
    assert (answer.status_code, (answer.json or {})["errors"]) == (
        422,
        [{"pointer": "/ends", "detail": "must be later than `starts`"}],
    )


@pytest.fixture
def locked_database_url(tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an SQLite database that another connection has locked for writing."""
    path = tmp_path / "locked.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE things (name TEXT)")
        writer.execute("BEGIN IMMEDIATE")
        yield f"sqlite:///{path}?timeout=0"


def operational_error_of(url: str, statement: str) -> DBAPIError:
    engine = create_engine(url)
    with engine.connect() as connection, pytest.raises(OperationalError) as failure:
        connection.execute(text(statement))
    engine.dispose()
    return failure.value


def test_locked_database_returns_503_with_retry_after(
    error_responder: ErrorResponder, locked_database_url: str
) -> None:
    answer = error_responder(operational_error_of(locked_database_url, "INSERT INTO things VALUES ('secret')"))
    assert (answer.status_code, (answer.json or {})["code"], answer.headers["Retry-After"]) == (503, "busy", "5")


@pytest.mark.parametrize(
    "error",
    [
        DBAPIError("SELECT 1", {}, psycopg.errors.LockNotAvailable()),
        DBAPIError("SELECT 1", {}, psycopg.errors.DeadlockDetected()),
        DBAPIError("SELECT 1", {}, psycopg.errors.SerializationFailure()),
        DBAPIError("SELECT 1", {}, psycopg.errors.QueryCanceled()),
        DBAPIError("SELECT 1", {}, psycopg.errors.TooManyConnections()),
        DBAPIError("SELECT 1", {}, psycopg.errors.AdminShutdown()),
        DBAPIError("SELECT 1", {}, psycopg.OperationalError("connection refused")),
        DBAPIError("SELECT 1", {}, Exception(), connection_invalidated=True),
        PoolTimeoutError(),
    ],
)
def test_temporary_database_error_returns_503(error_responder: ErrorResponder, error: Exception) -> None:
    assert error_responder(error).status_code == 503


@pytest.mark.parametrize(
    "error",
    [
        DBAPIError("SELECT 1", {}, psycopg.errors.UndefinedTable()),
        DBAPIError("SELECT 1", {}, psycopg.errors.UniqueViolation()),
        DBAPIError("SELECT 1", {}, Exception()),
    ],
)
def test_permanent_database_error_returns_500(error_responder: ErrorResponder, error: Exception) -> None:
    assert error_responder(error).status_code == 500


def test_missing_table_returns_500(error_responder: ErrorResponder) -> None:
    assert error_responder(operational_error_of("sqlite://", "SELECT * FROM nothing")).status_code == 500


@pytest.mark.parametrize("mode", [{}, {"TESTING": True}, {"DEBUG": True}, {"PROPAGATE_EXCEPTIONS": True}])
def test_internal_error_is_logged_and_reported_by_reference(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture, mode: dict[str, bool]
) -> None:
    app.config.update(mode)

    @app.get("/feeds/<secret>.ics")
    def broken(secret: str) -> str:
        del secret
        raise RuntimeError("the password is hunter2")

    with caplog.at_level(logging.WARNING):
        answer = client.get("/feeds/s3cr3t.ics")
    said = answer.json or {}
    reference = re.fullmatch(r"An unexpected error occurred\. .*: ([0-9a-f]{8})\.", said["detail"])
    assert reference is not None
    assert (answer.status_code, said["code"], said["title"]) == (500, "internal", "Internal server error")
    assert b"hunter2" not in answer.data
    (record,) = caplog.records
    assert record.getMessage() == f"internal error {reference[1]} at GET /feeds/<secret>.ics"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], RuntimeError)
    # The path contains the feed's secret, which must not be logged.
    assert "s3cr3t" not in record.getMessage()


def test_error_after_view_returns_problem(app: Flask, client: FlaskClient) -> None:
    @app.after_request
    def broken(_: object) -> Any:  # noqa: ANN401 - it never answers
        raise RuntimeError("too late")

    answer = client.get("/nothing")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert b"too late" not in answer.data
