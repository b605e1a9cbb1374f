"""Which refusals an operation can give, and how the OpenAPI document tells them: one response for each status.

Most follow from what the operation is: its mark, its body, its parameters. What a use case refuses beyond that,
the view names itself (`Subject.refuses`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from eventcal.kit.refusals import Busy, Conflict, Forbidden, Invalid, NotFound, Refusal
from eventcal.members.errors import CsrfRefused, InsufficientScope, InvalidToken, KeyReused, NotSignedIn
from eventcal.web.access import Access
from eventcal.web.errors import BadRequest, TooLarge, TooMany, UnsupportedMediaType, known_problems, status_of
from eventcal.web.idempotency import InProgress
from eventcal.web.problem import MEDIA_TYPE

Json = dict[str, Any]
View = Callable[..., Any]

# Marks whose views look at who calls, and let nobody else in.
GUARDED = frozenset({"member", "organiser", "moderator", "by_cookie"})
_DECIDING = frozenset({"organiser", "moderator"})
SAFE = frozenset({"get"})


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation: where it is, the view that answers it, and what the document says of it so far."""

    path: str
    method: str
    endpoint: str
    view: View
    said: Json

    @property
    def access(self) -> Access:
        """Return the view's mark."""
        mark: Access = self.view.access  # type: ignore[attr-defined]  # every view has one; tests hold that
        return mark

    @property
    def refuses(self) -> tuple[type[Refusal], ...]:
        """Return what the view names itself."""
        return getattr(self.view, "refuses", ())

    @property
    def guarded(self) -> bool:
        """Say whether the view lets only members in."""
        return self.access.name in GUARDED

    @property
    def safe(self) -> bool:
        """Say whether this only reads."""
        return self.method in SAFE

    @property
    def repeatable(self) -> bool:
        """Say whether the operation takes an Idempotency-Key."""
        return self.method == "post" and self.guarded and self.endpoint.partition(".")[0] != "auth"

    def takes(self, place: str) -> bool:
        """Say whether the operation has a parameter at this place: query, path."""
        return any(one.get("in") == place for one in self.said.get("parameters", []))


def refusals_of(operation: Operation) -> set[type[Refusal]]:
    """Return every refusal that the operation can give. That the server fails (500) is none of them."""
    kinds = set(operation.refuses) | _by_access(operation)
    if "{" in operation.path:
        kinds.add(NotFound)
    if operation.takes("query"):
        kinds.add(Invalid)
    if "requestBody" in operation.said:
        kinds |= {BadRequest, UnsupportedMediaType, TooLarge, Invalid}
    if operation.repeatable:
        kinds |= {InProgress, KeyReused, Invalid, TooLarge}
    if operation.endpoint.partition(".")[0] != "health":
        kinds.add(Busy)
    return kinds


def _by_access(operation: Operation) -> set[type[Refusal]]:
    mark = operation.access
    if mark.name == "feed":
        return set()
    kinds: set[type[Refusal]] = {InvalidToken}
    if operation.guarded:
        kinds |= {NotSignedIn, InsufficientScope if mark.scope else Forbidden}
        if mark.name in _DECIDING:
            kinds.add(Forbidden)
        if not operation.safe:
            kinds |= {CsrfRefused, TooMany}
    return kinds


def responses(kinds: Iterable[type[Refusal]]) -> Mapping[str, tuple[str, Json]]:
    """Return by status what a response with these refusals is called among the components, and what it is."""
    by_status: dict[HTTPStatus, dict[str, str]] = defaultdict(dict)
    for kind in kinds:
        by_status[status_of(kind)][kind.code] = kind.title
    return {
        str(int(status)): (f"{int(status)}-{'-or-'.join(sorted(titles))}", _response(status, titles))
        for status, titles in sorted(by_status.items())
    }


def _response(status: HTTPStatus, titles: Mapping[str, str]) -> Json:
    codes = sorted(titles)
    narrowed = {"properties": {"status": {"const": int(status)}, "code": {"enum": codes}}}
    response: Json = {
        "description": " ".join(f"`{code}`: {titles[code]}." for code in codes),
        "content": {MEDIA_TYPE: {"schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]}}},
    }
    headers = {
        HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
        HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
        HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
    }
    if status in headers:
        name = headers[status]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"}}
    if status == status_of(Conflict) and InProgress.code in titles:
        response["headers"] = {
            "Retry-After": {"description": f"With `{InProgress.code}`: seconds.", "schema": {"type": "integer"}}
        }
    return response


def problem_schema() -> Json:
    """Return the schema of a problem (RFC 9457), with every code that there is."""
    codes = {code: {"status": int(status), "title": title} for status, code, title in known_problems()}
    return {
        "type": "object",
        "description": "Why something was refused, as RFC 9457 has it. Programs go by `code`.",
        "required": ["type", "title", "status", "detail", "code", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": "Where the code is described."},
            "title": {"type": "string", "description": "The same for every problem of this code."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What is wrong in this case, and a way out; for people."},
            "code": {"type": "string", "description": "What was refused; one of x-codes.", "pattern": "^[a-z0-9-]+$"},
            "instance": {"type": "string", "format": "uri-reference", "description": "The path that was asked for."},
            "errors": {
                "type": "array",
                "minItems": 1,
                "description": "For bad input: every fault, at once.",
                "items": {"$ref": "#/components/schemas/Fault"},
            },
        },
        "x-codes": codes,
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
            "detail": {"type": "string", "description": "What is wrong there; it follows the field's name."},
        },
        "oneOf": [{"required": ["pointer"]}, {"required": ["parameter"]}],
    }
