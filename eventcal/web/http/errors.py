"""Error handling: the mapping from exceptions to status codes, and a problem details response for each exception."""

import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple, NoReturn

from flask import Flask, Response, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, default_exceptions

from eventcal.kit import refusals, values
from eventcal.kit.refusals import DomainError, FieldError, Invalid, Message, json_pointer
from eventcal.kit.text import slugify
from eventcal.web.http.problem_details import Problem, ProblemAnswer, answer_problem

_LOG = logging.getLogger(__name__)

# SQLSTATE classes and codes of temporary errors: connection, resources, operator intervention; serialization
# failure, deadlock, lock timeout.
_TEMPORARY = re.compile("08...|53...|57...|40001|40P01|55P03")
# SQLITE_BUSY and SQLITE_LOCKED: the low byte of their extended error codes.
_SQLITE_TEMPORARY = frozenset({5, 6})


ErrorClass = type[DomainError] | type[HTTPException]


class RequestInProgress(refusals.Conflict):
    """A request with the same Idempotency-Key is being processed. `retry_after` is in seconds."""

    code = "under-way"
    title = Message("Under way")

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InternalError(DomainError):
    """An internal server error. It is never raised: unexpected exceptions are reported as this error."""

    code = "internal"
    title = Message("Something broke here")


@dataclass(frozen=True, kw_only=True)
class _Row:
    """The errors that are reported with one status code.

    family: the base class of our errors with this status. Rows without one define `code` and `title` instead.
    says: the detail used for errors that werkzeug raises with its default description.
    """

    family: type[DomainError] | None = None
    code: str = ""
    title: str = ""
    says: str = Message("This is not possible.")
    headers: Mapping[str, str] = field(default_factory=dict)


_TABLE: Mapping[HTTPStatus, _Row] = {
    HTTPStatus.BAD_REQUEST: _Row(
        code="unreadable", title=Message("This cannot be read"), says=Message("The request cannot be read.")
    ),
    HTTPStatus.UNAUTHORIZED: _Row(
        family=refusals.Unauthenticated,
        says=Message("Sign in, or send a token."),
        headers={"WWW-Authenticate": 'Bearer realm="eventcal"'},
    ),
    HTTPStatus.FORBIDDEN: _Row(family=refusals.Forbidden, says=Message("You may not do this.")),
    HTTPStatus.NOT_FOUND: _Row(family=refusals.NotFound, says=Message("There is nothing at this address.")),
    HTTPStatus.METHOD_NOT_ALLOWED: _Row(
        code="method-not-allowed",
        title=Message("Not with this method"),
        says=Message("This address takes only the methods that Allow names."),
    ),
    HTTPStatus.NOT_ACCEPTABLE: _Row(
        code="not-acceptable",
        title=Message("Not in this form"),
        says=Message("There is no form of this that Accept names."),
    ),
    HTTPStatus.CONFLICT: _Row(family=refusals.Conflict),
    HTTPStatus.GONE: _Row(family=refusals.Gone, says=Message("It was here, and will not come back.")),
    HTTPStatus.PRECONDITION_FAILED: _Row(family=refusals.VersionConflict),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _Row(
        code="too-large",
        title=Message("Too large"),
        says=Message("The body is larger than what is taken here."),
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: _Row(
        code="unsupported-media-type",
        title=Message("Not this type of body"),
        says=Message("The body is of a type that is not read here."),
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: _Row(family=Invalid, says=Message("Some of this cannot be taken.")),
    HTTPStatus.PRECONDITION_REQUIRED: _Row(
        code="precondition-required",
        title=Message("Say which version you change"),
        says=Message("Send If-Match with the ETag of the version that you change."),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: _Row(
        code="too-many",
        title=Message("Too many requests"),
        says=Message("Wait a little, then try again."),
        headers={"Retry-After": "60"},
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: _Row(family=InternalError),
    HTTPStatus.SERVICE_UNAVAILABLE: _Row(
        family=refusals.DatabaseBusy, says=Message("Try again in a few seconds."), headers={"Retry-After": "5"}
    ),
}
_STATUSES = {row.family: status for status, row in _TABLE.items() if row.family}


class ErrorKind(NamedTuple):
    """The status, code and title of a class of errors, as listed in the API documentation."""

    status: HTTPStatus
    code: str
    title: str


def status_of(kind: ErrorClass) -> HTTPStatus:
    """Return the status code for an error class. Raises LookupError if neither the class nor a base class has one."""
    if issubclass(kind, HTTPException):
        return HTTPStatus(kind.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    for family in kind.__mro__:
        if family in _STATUSES:
            return _STATUSES[family]
    raise LookupError(f"{kind.__name__} belongs to no family that has a status")


def kind_of(error: ErrorClass) -> ErrorKind:
    """Return the status, code and title that an exception of this class is reported with."""
    status = status_of(error)
    if issubclass(error, DomainError):
        return ErrorKind(status, error.code, error.title)
    row = _TABLE.get(status, _Row(code=slugify(status.phrase), title=status.phrase))
    return kind_of(row.family) if row.family else ErrorKind(status, row.code, row.title)


def known_problems() -> list[ErrorKind]:
    """Return the kinds of all errors that a response can report, sorted. Only imported error classes are included."""
    families = {kind_of(kind) for family in _STATUSES for kind in _with_subclasses(family)}
    return sorted(families | {ErrorKind(status, row.code, row.title) for status, row in _TABLE.items() if row.code})


def _with_subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _with_subclasses(subclass)


def answer_refusal(refusal: DomainError) -> ProblemAnswer:
    """Return the problem details response for an error."""
    status, code, title = kind_of(type(refusal))
    headers = dict(_TABLE[status].headers)
    if isinstance(refusal, RequestInProgress):
        headers["Retry-After"] = str(refusal.retry_after)
    return answer_problem(
        Problem(status=status, code=code, title=title, detail=refusal.detail, faults=refusal.errors, headers=headers)
    )


def raise_validation(messages: Mapping[str, Any]) -> NoReturn:
    """Raise Invalid with a field error for each webargs message. `messages` is keyed by location, such as json."""
    raise _invalid(messages)


def _invalid(messages: Mapping[str, Any]) -> Invalid:
    return Invalid(errors=[fault for where, found in messages.items() for fault in faults_in(found, location=where)])


def register_errors(app: Flask) -> None:
    """Report every error in `app` as problem details, including those that flask-smorest would handle itself."""
    app.register_error_handler(DomainError, answer_refusal)
    app.register_error_handler(ValidationError, lambda error: answer_refusal(_invalid({"json": error.messages})))
    app.register_error_handler(
        DBAPIError, lambda error: _answer_busy(error) if _is_temporary(error) else _answer_broken(error)
    )
    app.register_error_handler(PoolTimeoutError, _answer_busy)
    app.register_error_handler(Exception, _answer_broken)
    app.register_error_handler(HTTPException, _answer_http)
    # Flask prefers a handler for a status over a general one, so the order of registration does not matter.
    for status in default_exceptions:
        app.register_error_handler(status, _answer_http)


def _answer_http(error: HTTPException) -> Any:  # noqa: ANN401 - anything that Flask accepts as a response
    """Report an error of werkzeug, webargs or Flask-Limiter, replacing default descriptions with our own."""
    if isinstance(error, InternalServerError):
        return _answer_broken(error.original_exception or error)
    # Redirects and errors that carry a response are passed through.
    if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    messages = (getattr(error, "data", None) or {}).get("messages")
    if error.code == HTTPStatus.UNPROCESSABLE_ENTITY and messages:
        return answer_refusal(_invalid(messages))
    status, code, title = kind_of(type(error))
    row = _TABLE.get(status, _Row(says=f"{status.phrase}."))
    headers = {**row.headers, **{name: value for name, value in error.get_headers() if name != "Content-Type"}}
    detail = _own_words(error, status) or row.says
    return answer_problem(Problem(status=status, code=code, title=title, detail=detail, headers=headers))


def _own_words(error: HTTPException, status: HTTPStatus) -> str | None:
    cause = getattr(error, "exc", None)
    if isinstance(cause, ValueError) and status == HTTPStatus.BAD_REQUEST:
        return Message("The body cannot be read: %(cause)s.", cause=cause)
    usual = default_exceptions.get(status)
    return error.description if usual is not None and error.description != usual.description else None


def _answer_busy(error: Exception) -> Response:
    _LOG.warning(
        "the database did not answer in time at %s: %s", requested_route(), getattr(error, "orig", None) or error
    )
    return answer_refusal(refusals.DatabaseBusy(Message("The database is busy; try again in a few seconds.")))


def _answer_broken(error: BaseException) -> Response:
    """Log the exception and its traceback with a reference; the response contains only the reference."""
    reference = secrets.token_hex(4)
    _LOG.error("internal error %s at %s", reference, requested_route(), exc_info=error)
    return answer_refusal(
        InternalError(
            Message(
                "This is our fault, not yours. Whoever runs this calendar finds it under %(reference)s.",
                reference=reference,
            )
        )
    )


def requested_route() -> str:
    """Return the method and route of the request, for logs. The path is omitted because it can contain a secret."""
    return f"{request.method} {request.url_rule.rule if request.url_rule else 'an unknown address'}"


def _is_temporary(error: DBAPIError) -> bool:
    """Return whether the database was locked, overloaded or unreachable, so that a retry may succeed."""
    if error.connection_invalidated:
        return True
    sqlite = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite is not None:
        return sqlite & 0xFF in _SQLITE_TEMPORARY
    state = getattr(error.orig, "sqlstate", "")
    # psycopg sets no SQLSTATE if the server did not respond.
    return state is None or _TEMPORARY.fullmatch(state) is not None


# Messages have no subject, because they are shown after the name of the field. They replace marshmallow's defaults.
_PLAINLY = {
    "Missing data for required field.": values.REQUIRED,
    "Field may not be null.": Message("must not be null"),
    "Invalid input type.": values.NOT_OBJECT,
    "Not a valid string.": values.NOT_TEXT,
    "Not a valid list.": values.NOT_LIST,
    "Not a valid integer.": values.NOT_INTEGER,
}
_PLAINLY_IN_BODY = {**_PLAINLY, "Unknown field.": Message("is not a field here")}
_PLAINLY_IN_QUERY = {**_PLAINLY, "Unknown field.": Message("is not a parameter here")}
# Limits the size of the response to a body that consists of errors only.
_MOST_FAULTS = 100


def faults_in(messages: Any, *, location: str) -> list[FieldError]:  # noqa: ANN401 - marshmallow messages can be nested in any way
    """Return marshmallow's messages as field errors: JSON pointers (RFC 6901) for bodies, "?name" for parameters."""
    leaves = islice(_leaves(messages, ()), _MOST_FAULTS)
    if location in {"json", "form", "files", "json_or_form"}:
        return [FieldError(json_pointer(path), _PLAINLY_IN_BODY.get(text, text)) for path, text in leaves]
    return [FieldError(f"?{path[0] if path else ''}", _PLAINLY_IN_QUERY.get(text, text)) for path, text in leaves]


def _leaves(messages: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:  # noqa: ANN401 - as above
    if isinstance(messages, Mapping):
        # Indices first, then names. Sorting is needed because marshmallow reports unknown fields in set order.
        for key in sorted(messages, key=lambda key: (isinstance(key, str), key)):
            yield from _leaves(messages[key], path if key == "_schema" else (*path, key))
    elif isinstance(messages, (list, tuple)):
        for one in messages:
            yield from _leaves(one, path)
    else:
        yield path, str(messages)
