"""Problem details (RFC 9457): the one form in which anything here says no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request

from eventcal.kit.refusals import Fault
from eventcal.web.http.urls import quote_path

MEDIA_TYPE = "application/problem+json"
DOCS = "/api/v1/docs"


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
    said: dict[str, Any] = {
        "type": f"{DOCS}#problem-{problem.code}",
        "title": problem.title,
        "status": int(problem.status),
        "detail": problem.detail,
        "code": problem.code,
        "instance": _instance(_path()),
    }
    if problem.faults:
        said["errors"] = [_placed(fault) for fault in problem.faults]
    answer = ProblemAnswer(_json(said), status=problem.status, content_type=MEDIA_TYPE)
    answer.problem = problem
    answer.headers.update(problem.headers)
    answer.headers["Cache-Control"] = "no-store"
    if request.method in {"GET", "HEAD"}:
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return answer


def _path() -> str:
    """Return the path that was asked for, without the secret that may be in it."""
    secret = (request.view_args or {}).get("secret")
    return request.path.replace(secret, "…") if secret else request.path


def _instance(path: str) -> str:
    # Two slashes at the beginning would name a host (RFC 3986, 4.2).
    return "/" + quote_path(path.lstrip("/"))


def _placed(fault: Fault) -> dict[str, str]:
    if fault.pointer.startswith("?"):
        return {"parameter": fault.pointer[1:], "detail": fault.detail}
    return {"pointer": fault.pointer, "detail": fault.detail}


def _json(said: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(said)
    except TypeError:
        # Half a character, which somebody sent and a fault quotes: UTF-8 cannot carry it.
        return orjson.dumps(_mended(said))


def _mended(value: Any) -> Any:  # noqa: ANN401 - JSON is of any kind
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {key: _mended(one) for key, one in value.items()}
    return [_mended(one) for one in value] if isinstance(value, list) else value
