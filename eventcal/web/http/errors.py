"""Error handlers that convert exceptions to problem details responses."""

import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple, NoReturn

from flask import Flask, Response, g, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, default_exceptions

from eventcal.kit import errors, validators
from eventcal.kit.errors import DomainError, FieldError, Invalid, Message, json_pointer
from eventcal.kit.text import slugify
from eventcal.web.http.problem_details import Problem, ProblemResponse, problem_response

_LOG = logging.getLogger(__name__)

# The attribute of `flask.g` that stores why a request is rejected, for the log.
REJECTION_CAUSE = "rejection_cause"

# SQLSTATE patterns for temporary errors, such as failed connections, serialisation failures and deadlocks.
_TEMPORARY_SQLSTATES = re.compile("08...|53...|57...|40001|40P01|55P03")
# SQLITE_BUSY and SQLITE_LOCKED. The low byte of an extended SQLite result code is the primary result code.
_TEMPORARY_SQLITE_CODES = frozenset({5, 6})


ErrorClass = type[DomainError] | type[HTTPException]


class RequestInProgress(errors.Conflict):
    """A request with the same Idempotency-Key is being processed. Clients should retry after `retry_after` seconds."""

    code = "under-way"
    title = Message("Request in progress")

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InternalError(DomainError):
    """The error that is reported to clients for an unexpected exception."""

    code = "internal"
    title = Message("Internal server error")


@dataclass(frozen=True, kw_only=True)
class _StatusRow:
    """The errors that share an HTTP status code: subclasses of `base`, or errors that also share `code` and `title`.

    The error message `detail` replaces Werkzeug's default description.
    """

    base: type[DomainError] | None = None
    code: str = ""
    title: str = ""
    detail: str = Message("The request conflicts with the current state.")
    headers: Mapping[str, str] = field(default_factory=dict)


_ROWS: Mapping[HTTPStatus, _StatusRow] = {
    HTTPStatus.BAD_REQUEST: _StatusRow(
        code="unreadable", title=Message("Bad request"), detail=Message("The request cannot be read.")
    ),
    HTTPStatus.UNAUTHORIZED: _StatusRow(
        base=errors.Unauthenticated,
        detail=Message("Authentication is required. Sign in or send a token."),
        headers={"WWW-Authenticate": 'Bearer realm="eventcal"'},
    ),
    HTTPStatus.FORBIDDEN: _StatusRow(base=errors.Forbidden, detail=Message("You do not have permission to do this.")),
    HTTPStatus.NOT_FOUND: _StatusRow(base=errors.NotFound, detail=Message("There is no resource at this URL.")),
    HTTPStatus.METHOD_NOT_ALLOWED: _StatusRow(
        code="method-not-allowed",
        title=Message("Method not allowed"),
        detail=Message("Method not allowed; see the Allow header."),
    ),
    HTTPStatus.NOT_ACCEPTABLE: _StatusRow(
        code="not-acceptable",
        title=Message("Not acceptable"),
        detail=Message("No available representation matches the Accept header."),
    ),
    HTTPStatus.REQUEST_TIMEOUT: _StatusRow(
        code="request-timeout",
        title=Message("Request timeout"),
        detail=Message("The body of the request arrived too slowly. Try again on a faster connection."),
    ),
    HTTPStatus.CONFLICT: _StatusRow(base=errors.Conflict),
    HTTPStatus.GONE: _StatusRow(base=errors.Gone, detail=Message("The resource has been removed permanently.")),
    HTTPStatus.PRECONDITION_FAILED: _StatusRow(base=errors.VersionConflict),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _StatusRow(
        code="too-large", title=Message("Request too large"), detail=Message("The body is too large.")
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: _StatusRow(
        code="unsupported-media-type",
        title=Message("Unsupported media type"),
        detail=Message("The media type of the body is not supported."),
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: _StatusRow(base=Invalid, detail=Message("The request contains invalid values.")),
    HTTPStatus.PRECONDITION_REQUIRED: _StatusRow(
        code="precondition-required",
        title=Message("Precondition required"),
        detail=Message("Send If-Match with the ETag of the version that you want to change."),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: _StatusRow(
        code="too-many",
        title=Message("Too many requests"),
        detail=Message("Wait a moment and try again."),
        headers={"Retry-After": "60"},
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: _StatusRow(base=InternalError),
    HTTPStatus.SERVICE_UNAVAILABLE: _StatusRow(
        base=errors.Unavailable, detail=Message("Try again in a few seconds."), headers={"Retry-After": "5"}
    ),
}
_STATUS_BY_CLASS = {row.base: status for status, row in _ROWS.items() if row.base}


class ErrorKind(NamedTuple):
    """The status, code and title of an error class, as listed in the API documentation."""

    status: HTTPStatus
    code: str
    title: str


def status_of(error_class: ErrorClass) -> HTTPStatus:
    """Return the HTTP status code for an error class. Raises LookupError if no status is defined for the class."""
    if issubclass(error_class, HTTPException):
        return HTTPStatus(error_class.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    for base in error_class.__mro__:
        if base in _STATUS_BY_CLASS:
            return _STATUS_BY_CLASS[base]
    raise LookupError(f"{error_class.__name__} has no base class with a status")


def error_kind(error_class: ErrorClass) -> ErrorKind:
    status = status_of(error_class)
    if issubclass(error_class, DomainError):
        return ErrorKind(status, error_class.code, error_class.title)
    row = _ROWS.get(status, _StatusRow(code=slugify(status.phrase), title=status.phrase))
    return error_kind(row.base) if row.base else ErrorKind(status, row.code, row.title)


def retry_after(status: HTTPStatus | int) -> str | None:
    """Return the Retry-After header of the responses with a status code, or None if they do not have this header."""
    row = _ROWS.get(HTTPStatus(status))
    return row.headers.get("Retry-After") if row is not None else None


def list_error_kinds() -> list[ErrorKind]:
    """Return a sorted list of all kinds of errors. Only error classes whose modules have been imported are included."""
    kinds = {error_kind(subclass) for base in _STATUS_BY_CLASS for subclass in _iter_subclasses(base)}
    return sorted(kinds | {ErrorKind(status, row.code, row.title) for status, row in _ROWS.items() if row.code})


def _iter_subclasses(error_class: type[DomainError]) -> Iterator[type[DomainError]]:
    yield error_class
    for subclass in error_class.__subclasses__():
        yield from _iter_subclasses(subclass)


def error_response(error: DomainError) -> ProblemResponse:
    status, code, title = error_kind(type(error))
    headers = dict(_ROWS[status].headers)
    if isinstance(error, (RequestInProgress, errors.Unavailable)):
        headers["Retry-After"] = str(error.retry_after)
    return problem_response(
        Problem(status=status, code=code, title=title, detail=error.detail, faults=error.errors, headers=headers)
    )


def raise_validation(messages: Mapping[str, Any]) -> NoReturn:
    """Raise Invalid with a field error for each message. `messages` maps request locations to webargs messages."""
    raise _validation_error(messages)


def _validation_error(messages: Mapping[str, Any]) -> Invalid:
    return Invalid(errors=[error for key, found in messages.items() for error in to_field_errors(found, location=key)])


def register_error_handlers(app: Flask) -> None:
    """Register error handlers that return problem details."""
    app.register_error_handler(DomainError, error_response)
    app.register_error_handler(
        ValidationError, lambda error: error_response(_validation_error({"json": error.messages}))
    )
    app.register_error_handler(
        DBAPIError,
        lambda error: _database_busy_response(error) if _is_temporary_error(error) else _internal_error_response(error),
    )
    app.register_error_handler(PoolTimeoutError, _database_busy_response)
    app.register_error_handler(Exception, _internal_error_response)
    app.register_error_handler(HTTPException, _http_error_response)
    # Flask prefers error handlers for status codes to error handlers for exception classes.
    for status in default_exceptions:
        app.register_error_handler(status, _http_error_response)


def _http_error_response(error: HTTPException) -> Response | HTTPException:
    if isinstance(error, InternalServerError):
        return _internal_error_response(error.original_exception or error)
    if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    messages = (getattr(error, "data", None) or {}).get("messages")
    if error.code == HTTPStatus.UNPROCESSABLE_ENTITY and messages:
        return error_response(_validation_error(messages))
    status, code, title = error_kind(type(error))
    row = _ROWS.get(status, _StatusRow(detail=f"{status.phrase}."))
    headers = {**row.headers, **{name: value for name, value in error.get_headers() if name != "Content-Type"}}
    detail = _custom_description(error, status) or row.detail
    return problem_response(Problem(status=status, code=code, title=title, detail=detail, headers=headers))


def _custom_description(error: HTTPException, status: HTTPStatus) -> str | None:
    cause = getattr(error, "exc", None)
    if isinstance(cause, ValueError) and status == HTTPStatus.BAD_REQUEST:
        return Message("The body cannot be read: %(cause)s.", cause=cause)
    usual = default_exceptions.get(status)
    return error.description if usual is not None and error.description != usual.description else None


def _database_busy_response(error: Exception) -> Response:
    cause = getattr(error, "orig", None) or error
    setattr(g, REJECTION_CAUSE, cause)
    return error_response(errors.DatabaseBusy(Message("The database is busy. Try again in a few seconds.")))


def _internal_error_response(error: BaseException) -> Response:
    """Log the exception with a reference, and return a response that contains the reference but not the exception."""
    reference = secrets.token_hex(4)
    _LOG.error("internal error %s at %s", reference, requested_route(), exc_info=error)
    detail = Message(
        "An unexpected error occurred. If it persists, report this reference to the operator: %(reference)s.",
        reference=reference,
    )
    return error_response(InternalError(detail))


def requested_route() -> str:
    """Return the HTTP method and URL rule for logging. The path is not logged, because it can contain a secret."""
    return f"{request.method} {request.url_rule.rule if request.url_rule else 'an unknown URL'}"


def _is_temporary_error(error: DBAPIError) -> bool:
    """Return whether the database was locked, overloaded or unreachable, in which case a retry may succeed."""
    if error.connection_invalidated:
        return True
    sqlite = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite is not None:
        return sqlite & 0xFF in _TEMPORARY_SQLITE_CODES
    state = getattr(error.orig, "sqlstate", "")
    # psycopg sets no SQLSTATE if the server does not respond.
    return state is None or _TEMPORARY_SQLSTATES.fullmatch(state) is not None


# Replacements for marshmallow messages. An error message has no subject, because it is displayed after a field name.
_MESSAGES = {
    "Missing data for required field.": validators.REQUIRED,
    "Field may not be null.": Message("must not be null"),
    "Invalid input type.": validators.NOT_OBJECT,
    "Not a valid string.": validators.NOT_TEXT,
    "Not a valid list.": validators.NOT_LIST,
    "Not a valid integer.": validators.NOT_INTEGER,
}
_BODY_MESSAGES = {**_MESSAGES, "Unknown field.": Message("is an unknown field; remove it")}
_QUERY_MESSAGES = {**_MESSAGES, "Unknown field.": Message("is an unknown parameter; remove it")}
_MAX_FIELD_ERRORS = 100


def to_field_errors(messages: object, *, location: str) -> list[FieldError]:
    """Convert marshmallow messages to field errors, which refer to a JSON pointer or to "?" and a parameter name."""
    leaves = islice(_iter_messages(messages, ()), _MAX_FIELD_ERRORS)
    if location in {"json", "form", "files", "json_or_form"}:
        return [FieldError(json_pointer(path), _BODY_MESSAGES.get(text, text)) for path, text in leaves]
    return [FieldError(f"?{path[0] if path else ''}", _QUERY_MESSAGES.get(text, text)) for path, text in leaves]


def _iter_messages(messages: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(messages, Mapping):
        # Messages are sorted, because marshmallow reports unknown fields in arbitrary order. Indices precede names.
        for key in sorted(messages, key=lambda key: (isinstance(key, str), key)):
            yield from _iter_messages(messages[key], path if key == "_schema" else (*path, key))
    elif isinstance(messages, (list, tuple)):
        for one in messages:
            yield from _iter_messages(one, path)
    else:
        yield path, str(messages)
