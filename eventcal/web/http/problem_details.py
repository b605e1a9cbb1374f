"""Problem details (RFC 9457): the one form in which anything here says no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from flask import Response, request

from eventcal.kit.refusals import Fault
from eventcal.web.http.urls import quote_path

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What the caller is told. `headers` go with it."""

    status: HTTPStatus
    code: str
    title: str
    detail: str
    faults: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemAnswer(Response):
    """An answer that tells of a problem; the problem itself is with it, for whoever says it in other words."""

    problem: Problem


def answer_problem(problem: Problem) -> ProblemAnswer:
    """Return the answer to the request under way: application/problem+json, never kept by a cache."""
    said: dict[str, object] = {
        "type": f"/api/v1/docs#problem-{problem.code}",
        "title": problem.title,
        "status": int(problem.status),
        "detail": _as_utf8(problem.detail),
        "code": problem.code,
        "instance": _instance(),
    }
    if problem.faults:
        said["errors"] = [_placed(fault) for fault in problem.faults]
    answer = ProblemAnswer(orjson.dumps(said), status=problem.status, content_type=MEDIA_TYPE)
    answer.problem = problem
    answer.headers.update(problem.headers)
    answer.headers["Cache-Control"] = "no-store"
    if request.method in {"GET", "HEAD"}:
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return answer


def _instance() -> str:
    """Return a reference to the path that was asked for, without the secret that may be in it."""
    secret = (request.view_args or {}).get("secret")
    path = request.path.replace(secret, "…") if secret else request.path
    # Two slashes at the beginning would name a host (RFC 3986, 4.2).
    return "/" + quote_path(path.lstrip("/"))


def _placed(fault: Fault) -> dict[str, str]:
    detail = _as_utf8(fault.detail)
    if fault.pointer.startswith("?"):
        return {"parameter": _as_utf8(fault.pointer[1:]), "detail": detail}
    return {"pointer": _as_utf8(fault.pointer), "detail": detail}


def _as_utf8(text: str) -> str:
    """Write out half a character (a lone surrogate) that a text quotes: UTF-8 cannot carry it."""
    return text.encode("utf-8", "backslashreplace").decode()
