"""The responses of an operation: the refusals that it can give, one response for each status, and the headers.

Most refusals follow from what the operation is: its mark, its body, its parameters. The others are named where its
view is registered (`refuses=` of `Subject`). The headers themselves are in static.json.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from http import HTTPStatus

from werkzeug.exceptions import BadRequest, PreconditionRequired, RequestEntityTooLarge, UnsupportedMediaType

from eventcal.kit.refusals import Busy, Forbidden, Gone, Invalid, NotFound
from eventcal.members.errors import CsrfRefused, InsufficientScope, InvalidToken, KeyReused, NotSignedIn
from eventcal.web.api.openapi.operation import Json, Operation
from eventcal.web.http.errors import ErrorClass, TooMany, kind_of
from eventcal.web.http.problem_details import MEDIA_TYPE
from eventcal.web.request.idempotency import HEADER, REPLAYED, InProgress

# The header that always comes with a status.
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
    HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
    HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
}
# What is answered with an ETag whoever asks, also after a change.
_VERSIONED = frozenset({"EventOut", "TalkOut", "SpeakerOut", "SponsorOut"})
_READ = ("ETag", "Last-Modified", "Cache-Control", "Vary")


def refusals_of(operation: Operation) -> set[ErrorClass]:
    """Return every refusal that the operation can give. A failure of ours (500) is none."""
    kinds: set[ErrorClass] = {*getattr(operation.view, "refuses", ()), *_by_access(operation)}
    if "{" in operation.path:
        kinds.add(NotFound)
    if "{secret}" in operation.path:
        kinds.add(Gone)
    # Where a path of the API has no parameters, it refuses any.
    if operation.parameters("query") or (operation.path.startswith("/api/") and operation.subject != "docs"):
        kinds.add(Invalid)
    if "requestBody" in operation.said:
        kinds |= {BadRequest, UnsupportedMediaType, RequestEntityTooLarge, Invalid}
    if operation.repeatable:
        kinds |= {InProgress, KeyReused, Invalid, RequestEntityTooLarge}
    if operation.subject != "health":
        kinds.add(Busy)
    return kinds


def _by_access(operation: Operation) -> Iterator[ErrorClass]:
    mark = operation.access
    if mark.name == "feed":
        return
    yield InvalidToken
    if not operation.guarded:
        return
    yield NotSignedIn
    yield InsufficientScope if mark.scope else Forbidden
    if mark.name in {"organiser", "moderator"}:
        yield Forbidden
    if operation.method != "get":
        yield CsrfRefused
        yield TooMany


def refused_answers(kinds: Iterable[ErrorClass]) -> Iterator[tuple[str, str, Json]]:
    """Yield for each status: the status, what the response is called among the components, and the response."""
    by_status: dict[HTTPStatus, dict[str, str]] = defaultdict(dict)
    for kind in kinds:
        status, code, title = kind_of(kind)
        by_status[status][code] = title
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
        answer["headers"] = _references("headers", [_HEADERS[status]])
    elif InProgress.code in titles:
        wait = {"description": f"Seconds to wait, with `{InProgress.code}`.", "schema": {"type": "integer"}}
        answer["headers"] = {"Retry-After": wait}
    return answer


def sent_headers(operation: Operation, refusals: Collection[ErrorClass]) -> list[Json]:
    """Return references to the headers that callers of the operation send, who can be refused in these ways."""
    names = ["If-None-Match", "If-Modified-Since"] if operation.conditional else []
    names += ["If-Match"] * (PreconditionRequired in refusals)
    names += [HEADER] * operation.repeatable
    names += ["X-CSRF-Token"] * (CsrfRefused in refusals)
    return list(_references("parameters", names).values())


def add_headers(operation: Operation, answers: Json) -> None:
    """Add to the answers that are no refusals what headers they carry, and to a conditional GET its 304."""
    for status, answer in answers.items():
        names = _names(operation, status, answer)
        if names:
            answer.setdefault("headers", {}).update(_references("headers", names))
    if operation.conditional:
        answers["304"] = {
            "description": "The caller has the current version.",
            "headers": _references("headers", _READ),
        }


def _names(operation: Operation, status: str, answer: Json) -> list[str]:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    if operation.conditional:
        paged = "cursor" in operation.parameters("query")
        return [*_READ, *["Link"] * paged, *["Content-Disposition"] * (operation.subject == "calendars")]
    names = ["Cache-Control"] if schema or operation.subject == "health" else []
    names += ["ETag"] * (schema in _VERSIONED)
    names += ["Location"] * (status == "201")
    names += ["Set-Cookie"] * (schema == "SignedInOut")
    names += [REPLAYED] * operation.repeatable
    return names


def _references(kind: str, names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/{kind}/{name}"} for name in names}
