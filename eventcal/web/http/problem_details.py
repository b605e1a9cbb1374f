"""Problem details (RFC 9457): the format of all error responses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from flask import Response, request

from eventcal.kit.errors import FieldError
from eventcal.web.http.urls import quote_path

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """The content of an error response, and the headers that are added to the response."""

    status: HTTPStatus
    code: str
    title: str
    detail: str
    faults: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemResponse(Response):
    """A problem details response. The `problem` attribute allows pages to render the error in another format."""

    problem: Problem


def problem_response(problem: Problem) -> ProblemResponse:
    """Return an application/problem+json response, which must not be cached."""
    content: dict[str, object] = {
        "type": f"/api/v1/docs#problem-{problem.code}",
        "title": problem.title,
        "status": int(problem.status),
        "detail": _escape_surrogates(problem.detail),
        "code": problem.code,
        "instance": _redacted_request_path(),
    }
    if problem.faults:
        content["errors"] = [_field_error_json(error) for error in problem.faults]
    response = ProblemResponse(orjson.dumps(content), status=problem.status, content_type=MEDIA_TYPE)
    response.problem = problem
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    if request.method in {"GET", "HEAD"}:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return response


def _redacted_request_path() -> str:
    """Return the request path, in which an ellipsis replaces the secret of a personal feed."""
    secret = (request.view_args or {}).get("secret")
    path = request.path.replace(secret, "…") if secret else request.path
    # A URI reference that begins with two slashes specifies a host (RFC 3986, section 4.2).
    return "/" + quote_path(path.lstrip("/"))


def _field_error_json(error: FieldError) -> dict[str, str]:
    pointer = _escape_surrogates(error.pointer)
    place = {"parameter": pointer[1:]} if pointer.startswith("?") else {"pointer": pointer}
    return {**place, "detail": _escape_surrogates(error.detail)}


def _escape_surrogates(text: str) -> str:
    """Escape lone surrogates, which UTF-8 cannot encode."""
    return text.encode("utf-8", "backslashreplace").decode()
