"""Which refusals an operation can give, and how the document tells them: one response for each status.

Most follow from what the operation is: its mark, its body, its parameters. What a use case refuses beyond that, the
view names itself (`Subject.refuses`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus

from eventcal.kit.refusals import Busy, Forbidden, Gone, Invalid, NotFound, Refusal
from eventcal.members.errors import CsrfRefused, InsufficientScope, InvalidToken, KeyReused, NotSignedIn
from eventcal.web.api.openapi.operation import Json, Operation
from eventcal.web.http.errors import BadRequest, TooLarge, TooMany, UnsupportedMediaType, known_problems, status_of
from eventcal.web.http.problem_details import MEDIA_TYPE
from eventcal.web.request.idempotency import InProgress

_DECIDING = frozenset({"organiser", "moderator"})
# The header that always comes with a status.
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
    HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
    HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
}


def refusals_of(operation: Operation) -> set[type[Refusal]]:
    """Return every refusal that the operation can give. A failure of ours (500) is none."""
    kinds: set[type[Refusal]] = {*operation.refuses, *_by_access(operation)}
    if "{" in operation.path:
        kinds.add(NotFound)
    if "{secret}" in operation.path:
        kinds.add(Gone)
    # Where a path of the API has no parameters, it refuses any.
    if operation.parameters("query") or (operation.path.startswith("/api/") and operation.subject != "docs"):
        kinds.add(Invalid)
    if "requestBody" in operation.said:
        kinds |= {BadRequest, UnsupportedMediaType, TooLarge, Invalid}
    if operation.repeatable:
        kinds |= {InProgress, KeyReused, Invalid, TooLarge}
    if operation.subject != "health":
        kinds.add(Busy)
    return kinds


def _by_access(operation: Operation) -> Iterator[type[Refusal]]:
    mark = operation.access
    if mark.name == "feed":
        return
    yield InvalidToken
    if not operation.guarded:
        return
    yield NotSignedIn
    yield InsufficientScope if mark.scope else Forbidden
    if mark.name in _DECIDING:
        yield Forbidden
    if not operation.reads:
        yield CsrfRefused
        yield TooMany


def refused_answers(kinds: Iterable[type[Refusal]]) -> Iterator[tuple[str, str, Json]]:
    """Yield for each status: the status, what the response is called among the components, and the response."""
    by_status: dict[HTTPStatus, dict[str, str]] = defaultdict(dict)
    for kind in kinds:
        by_status[status_of(kind)][kind.code] = kind.title
    for status, titles in sorted(by_status.items()):
        yield str(int(status)), f"{int(status)}-{'-or-'.join(sorted(titles))}", _answer(status, titles)


def _answer(status: HTTPStatus, titles: Mapping[str, str]) -> Json:
    codes = sorted(titles)
    narrowed = {"properties": {"status": {"const": int(status)}, "code": {"enum": codes}}}
    answer: Json = {
        "description": " ".join(f"`{code}`: {titles[code]}." for code in codes),
        "content": {MEDIA_TYPE: {"schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]}}},
    }
    if status in _HEADERS:
        answer["headers"] = {_HEADERS[status]: {"$ref": f"#/components/headers/{_HEADERS[status]}"}}
    elif InProgress.code in titles:
        wait = {"description": f"Seconds to wait, with `{InProgress.code}`.", "schema": {"type": "integer"}}
        answer["headers"] = {"Retry-After": wait}
    return answer


def problem_schema() -> Json:
    """Return the schema of a problem (RFC 9457), with every code that there is."""
    return {
        "type": "object",
        "description": "Why something was refused (RFC 9457). Programs go by `code`; `x-codes` has all of them.",
        "required": ["type", "title", "status", "detail", "code", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": "Where the code is described."},
            "title": {"type": "string", "description": "The same for every problem of this code."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What is wrong in this case, and a way out; for people."},
            "code": {"type": "string", "pattern": "^[a-z0-9-]+$"},
            "instance": {"type": "string", "format": "uri-reference", "description": "The path that was asked for."},
            "errors": {
                "type": "array",
                "minItems": 1,
                "description": "For bad input: every fault, at once.",
                "items": {"$ref": "#/components/schemas/Fault"},
            },
        },
        "x-codes": {code: {"status": int(status), "title": title} for status, code, title in known_problems()},
    }


def fault_schema() -> Json:
    """Return the schema of one fault of what was sent."""
    return {
        "type": "object",
        "description": "One fault: in the body at a pointer (RFC 6901), or in a parameter.",
        "required": ["detail"],
        "properties": {
            "pointer": {"type": "string", "format": "json-pointer"},
            "parameter": {"type": "string"},
            "detail": {"type": "string", "description": "What is wrong there, after the field's name."},
        },
        "oneOf": [{"required": ["pointer"]}, {"required": ["parameter"]}],
    }
