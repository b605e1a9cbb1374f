"""The one table from a refusal to a status, and what becomes of every other exception; the form is problem.py's."""

import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Flask, Response, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, default_exceptions

from eventcal.kit.refusals import (
    Busy,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Refusal,
    Sentence,
    Stale,
    Unauthenticated,
)
from eventcal.kit.text import slugify
from eventcal.web.http.problem_details import Problem, answer_problem
from eventcal.web.http.validation_errors import faults_in

# SQLSTATE classes and codes that time heals: connection, resources, operator's intervention; serialization,
# deadlock, lock timeout.
_PASSING = re.compile("08...|53...|57...|40001|40P01|55P03")
# SQLITE_BUSY and SQLITE_LOCKED, in the low byte of every code derived from them.
_SQLITE_PASSING = frozenset({5, 6})

__all__ = [
    "BadRequest",
    "Broken",
    "MethodNotAllowed",
    "NotAcceptable",
    "PreconditionRequired",
    "RetryLater",
    "TooLarge",
    "TooMany",
    "UnderWay",
    "UnsupportedMediaType",
    "answer_problem",
    "known_problems",
    "problem_of",
    "refuse_messages",
    "register_errors",
    "status_of",
]

_LOG = logging.getLogger(__name__)
# Seconds, where whoever refused did not say how long.
_USUAL_WAIT = 60


class BadRequest(Refusal):
    """What was sent cannot be read at all."""

    code = "unreadable"
    title = Sentence("This cannot be read")


class MethodNotAllowed(Refusal):
    """There is something at this address, but it does not take this method."""

    code = "method-not-allowed"
    title = Sentence("Not with this method")


class NotAcceptable(Refusal):
    """There is no form of the thing that the caller would take."""

    code = "not-acceptable"
    title = Sentence("Not in this form")


class TooLarge(Refusal):
    """The body is larger than anything that belongs here."""

    code = "too-large"
    title = Sentence("Too large")


class UnsupportedMediaType(Refusal):
    """The body is of a type that is not read here."""

    code = "unsupported-media-type"
    title = Sentence("Not this type of body")


class PreconditionRequired(Refusal):
    """A change must say which version it is a change of."""

    code = "precondition-required"
    title = Sentence("Say which version you change")


class RetryLater(Refusal):
    """A refusal that time heals: `retry_after` is in whole seconds. Mixed in before the family it belongs to."""

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = max(1, retry_after)


class TooMany(RetryLater):
    """The caller asks too often."""

    code = "too-many"
    title = Sentence("Too many requests")


class UnderWay(RetryLater, Conflict):
    """The same request, by its Idempotency-Key, is being answered at this moment."""

    code = "under-way"
    title = Sentence("Under way")


class Broken(Refusal):
    """The fault is ours. Nobody raises it: it is what any other exception becomes."""

    code = "internal"
    title = Sentence("Something broke here")


@dataclass(frozen=True, kw_only=True)
class _Row:
    status: HTTPStatus
    says: str = Sentence("This is not possible.")
    headers: Mapping[str, str] = field(default_factory=dict)


# A family covers its subclasses. `says` is for werkzeug's own errors, which know nothing of us.
_TABLE: Mapping[type[Refusal], _Row] = {
    BadRequest: _Row(status=HTTPStatus.BAD_REQUEST, says=Sentence("The request cannot be read.")),
    Unauthenticated: _Row(
        status=HTTPStatus.UNAUTHORIZED,
        says=Sentence("Sign in, or send a token."),
        headers={"WWW-Authenticate": 'Bearer realm="eventcal"'},
    ),
    Forbidden: _Row(status=HTTPStatus.FORBIDDEN, says=Sentence("You may not do this.")),
    NotFound: _Row(status=HTTPStatus.NOT_FOUND, says=Sentence("There is nothing at this address.")),
    MethodNotAllowed: _Row(
        status=HTTPStatus.METHOD_NOT_ALLOWED, says=Sentence("This address takes only the methods that Allow names.")
    ),
    NotAcceptable: _Row(status=HTTPStatus.NOT_ACCEPTABLE, says=Sentence("There is no form of this that Accept names.")),
    Conflict: _Row(status=HTTPStatus.CONFLICT),
    Gone: _Row(status=HTTPStatus.GONE, says=Sentence("It was here, and will not come back.")),
    Stale: _Row(status=HTTPStatus.PRECONDITION_FAILED),
    TooLarge: _Row(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, says=Sentence("The body is larger than what is taken here.")
    ),
    UnsupportedMediaType: _Row(
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, says=Sentence("The body is of a type that is not read here.")
    ),
    Invalid: _Row(status=HTTPStatus.UNPROCESSABLE_ENTITY, says=Sentence("Some of this cannot be taken.")),
    PreconditionRequired: _Row(
        status=HTTPStatus.PRECONDITION_REQUIRED,
        says=Sentence("Send If-Match with the ETag of the version that you change."),
    ),
    TooMany: _Row(status=HTTPStatus.TOO_MANY_REQUESTS, says=Sentence("Wait a little, then try again.")),
    Broken: _Row(status=HTTPStatus.INTERNAL_SERVER_ERROR),
    Busy: _Row(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        says=Sentence("Try again in a few seconds."),
        headers={"Retry-After": "5"},
    ),
}
_FAMILIES = {row.status: family for family, row in _TABLE.items()}


def known_problems() -> list[tuple[HTTPStatus, str, str]]:
    """Return status, code and title of every refusal that has been loaded, sorted, for the documentation.

    Refusals of no family are left out: nothing that HTTP reaches raises them.
    """
    rows = [(kind, _find_row(kind)) for kind in _below(Refusal) if "code" in vars(kind)]
    return sorted({(row.status, kind.code, kind.title) for kind, row in rows if row is not None})


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)


def _find_row(kind: type[Refusal]) -> _Row | None:
    """Return the row of the closest family."""
    return next((_TABLE[family] for family in kind.__mro__ if family in _TABLE), None)


def _row(kind: type[Refusal]) -> _Row:
    """Return the row of the closest family. Raises LookupError: a refusal of no family is a mistake of ours."""
    row = _find_row(kind)
    if row is None:
        raise LookupError(f"{kind.__name__} belongs to no family that has a status")
    return row


def status_of(kind: type[Refusal]) -> HTTPStatus:
    """Return the status that a refusal of this kind is answered with, for the documentation."""
    return _row(kind).status


def problem_of(refusal: Refusal) -> Problem:
    """Return what a refusal tells the caller."""
    row = _row(type(refusal))
    headers = dict(row.headers)
    if isinstance(refusal, RetryLater):
        headers["Retry-After"] = str(refusal.retry_after)
    return Problem(
        status=row.status,
        code=refusal.code,
        title=refusal.title,
        detail=refusal.detail,
        faults=refusal.faults,
        headers=headers,
    )


def refuse_messages(messages: Mapping[str, Any]) -> NoReturn:
    """Raise Invalid with a fault for each of webargs' messages, which are by location: json, query, path, ..."""
    raise _invalid(messages)


def _invalid(messages: Mapping[str, Any]) -> Invalid:
    faults = [fault for location, found in messages.items() for fault in faults_in(found, location=location)]
    return Invalid(faults=faults)


def register_errors(app: Flask) -> None:
    """Make every refusal and every failure in `app` a problem, also where flask-smorest has a handler of its own."""
    app.register_error_handler(Refusal, lambda refusal: answer_problem(problem_of(refusal)))
    app.register_error_handler(
        ValidationError, lambda error: answer_problem(problem_of(_invalid({"json": error.messages})))
    )
    app.register_error_handler(DBAPIError, _answer_database)
    app.register_error_handler(PoolTimeoutError, _answer_busy)
    app.register_error_handler(Exception, _answer_broken)
    app.register_error_handler(HTTPException, _answer_http)
    # A handler for a status goes before one for all of them: so the order of registering does not matter.
    for status in default_exceptions:
        app.register_error_handler(status, _answer_http)


def _answer_http(error: HTTPException) -> Any:  # noqa: ANN401 - what Flask takes as an answer
    """Answer for werkzeug, webargs and Flask-Limiter, in our own words wherever they only have their usual ones."""
    if isinstance(error, InternalServerError):
        return _answer_broken(error.original_exception or error)
    # Redirects and ready answers are not errors of ours.
    if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    messages = (getattr(error, "data", None) or {}).get("messages")
    if error.code == HTTPStatus.UNPROCESSABLE_ENTITY and messages:
        return answer_problem(problem_of(_invalid(messages)))
    return answer_problem(_http_problem(error, error.code))


def _http_problem(error: HTTPException, code: int) -> Problem:
    family = _FAMILIES.get(HTTPStatus(code))
    row = _TABLE[family] if family else _Row(status=HTTPStatus(code), says=f"{HTTPStatus(code).phrase}.")
    given = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    headers = {**row.headers, **given}
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        headers.setdefault("Retry-After", str(_USUAL_WAIT))
    return Problem(
        status=row.status,
        code=family.code if family else slugify(row.status.phrase),
        title=family.title if family else row.status.phrase,
        detail=_own_words(error, code) or row.says,
        headers=headers,
    )


def _own_words(error: HTTPException, code: int) -> str | None:
    """Return what was said for this very case, which is more than the usual sentence of its status."""
    cause = getattr(error, "exc", None)
    if isinstance(cause, ValueError) and code == HTTPStatus.BAD_REQUEST:
        return Sentence("The body cannot be read: %(cause)s.", cause=cause)
    usual = default_exceptions.get(code)
    return error.description if usual is not None and error.description != usual.description else None


def _answer_database(error: DBAPIError) -> Response:
    return _answer_busy(error) if will_pass(error) else _answer_broken(error)


def _answer_busy(error: Exception) -> Response:
    _LOG.warning("the database did not answer in time at %s: %s", _route(), getattr(error, "orig", None) or error)
    return answer_problem(problem_of(Busy(Sentence("The database is busy; try again in a few seconds."))))


def _answer_broken(error: BaseException) -> Response:
    """Log the failure with its traceback under a reference, and tell the caller nothing but the reference."""
    reference = secrets.token_hex(4)
    _LOG.error("internal error %s at %s", reference, _route(), exc_info=error)
    return answer_problem(
        problem_of(
            Broken(
                Sentence(
                    "This is our fault, not yours. Whoever runs this calendar finds it under %(reference)s.",
                    reference=reference,
                )
            )
        )
    )


def _route() -> str:
    """Name the route and not the path: a path can hold a secret, and a log is no place for one."""
    return f"{request.method} {request.url_rule.rule if request.url_rule else 'an unknown address'}"


def will_pass(error: DBAPIError) -> bool:
    """Say whether the database was only locked, full of callers or away, so that trying again helps."""
    if error.connection_invalidated:
        return True
    sqlite = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite is not None:
        return sqlite & 0xFF in _SQLITE_PASSING
    state = getattr(error.orig, "sqlstate", "")
    # psycopg has no state to give where no server answered.
    return state is None or _PASSING.fullmatch(state) is not None
