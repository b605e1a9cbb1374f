"""One operation of the OpenAPI document: its access, errors and headers.

Most errors follow from the access mark, the body and the parameters of the operation. The others are listed in
`refuses=` when the view is registered with a `ApiBlueprint`. The headers are defined in static.json.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import (
    BadRequest,
    PreconditionRequired,
    RequestEntityTooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from werkzeug.routing import Rule

from eventcal.kit.refusals import DatabaseBusy, Forbidden, Gone, Invalid, NotFound
from eventcal.members.errors import CsrfFailed, IdempotencyKeyReused, InsufficientScope, InvalidToken, NotSignedIn
from eventcal.web.http.errors import ErrorClass, kind_of
from eventcal.web.http.problem_details import MEDIA_TYPE
from eventcal.web.identity.permissions import Access
from eventcal.web.request.idempotency import HEADER, REPLAYED, IdempotentRequestInProgress

Json = dict[str, Any]

# Header that is always sent with a status.
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
    HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
    HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
}
# Schemas of resources whose responses always have an ETag, also after a change.
_VERSIONED = frozenset({"EventOut", "TalkOut", "SpeakerOut", "SponsorOut"})
_READ = ("ETag", "Last-Modified", "Cache-Control", "Vary")


def path_of(rule: Rule) -> str:
    """Return the path of a URL rule in OpenAPI syntax."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation: its path, method and view, and its OpenAPI description so far (`said`)."""

    path: str
    method: str
    endpoint: str
    view: Callable[..., Any]
    said: Json

    @property
    def access(self) -> Access:
        """The access mark of the view."""
        mark: Access = self.view.access  # type: ignore[attr-defined]  # tests check that every view has one
        return mark

    @property
    def subject(self) -> str:
        """The name of the view's blueprint."""
        return self.endpoint.partition(".")[0]

    @property
    def guarded(self) -> bool:
        """Whether the operation requires a signed-in member."""
        return self.access.name not in {"feed", "public"}

    @property
    def conditional(self) -> bool:
        """Whether the operation supports conditional requests and may respond with 304."""
        return self.method == "get" and self.subject != "health"

    @property
    def repeatable(self) -> bool:
        """Whether the operation accepts an Idempotency-Key."""
        return self.method == "post" and self.guarded and self.subject != "auth"

    def parameters(self, place: str) -> set[str]:
        """Return the names of the operation's parameters in a location ("query" or "header")."""
        return {one["name"] for one in self.said.get("parameters", []) if one.get("in") == place}

    def refusals(self) -> set[ErrorClass]:
        """Return all errors that the operation can respond with, except internal errors (500)."""
        kinds: set[ErrorClass] = {*getattr(self.view, "refuses", ()), *self._by_access()}
        if "{" in self.path:
            kinds.add(NotFound)
        if "{secret}" in self.path:
            kinds.add(Gone)
        # API operations without query parameters reject all of them.
        if self.parameters("query") or (self.path.startswith("/api/") and self.subject != "docs"):
            kinds.add(Invalid)
        if "requestBody" in self.said:
            kinds |= {BadRequest, UnsupportedMediaType, RequestEntityTooLarge, Invalid}
        if self.repeatable:
            kinds |= {IdempotentRequestInProgress, IdempotencyKeyReused, Invalid, RequestEntityTooLarge}
        if self.subject != "health":
            kinds.add(DatabaseBusy)
        return kinds

    def _by_access(self) -> Iterator[ErrorClass]:
        mark = self.access
        if mark.name == "feed":
            return
        yield InvalidToken
        if not self.guarded:
            return
        yield NotSignedIn
        yield InsufficientScope if mark.scope else Forbidden
        if mark.name in {"organiser", "moderator"}:
            yield Forbidden
        if self.method != "get":
            yield CsrfFailed
            yield TooManyRequests

    def sent_headers(self, refusals: Collection[ErrorClass]) -> list[Json]:
        """Return references to the request headers of the operation; some follow from its possible errors."""
        names = ["If-None-Match", "If-Modified-Since"] if self.conditional else []
        names += ["If-Match"] * (PreconditionRequired in refusals)
        names += [HEADER] * self.repeatable
        names += ["X-CSRF-Token"] * (CsrfFailed in refusals)
        return list(_references("parameters", names).values())

    def add_headers(self, answers: Json) -> None:
        """Add headers to the successful responses, and the 304 response to a conditional GET."""
        for status, answer in answers.items():
            names = self._names(status, answer)
            if names:
                answer.setdefault("headers", {}).update(_references("headers", names))
        if self.conditional:
            headers = _references("headers", _READ)
            answers["304"] = {"description": "The cached representation is current.", "headers": headers}

    def _names(self, status: str, answer: Json) -> list[str]:
        if self.conditional:
            paged = "cursor" in self.parameters("query")
            return [*_READ, *["Link"] * paged, *["Content-Disposition"] * (self.subject == "calendars")]
        content = answer.get("content", {}).get("application/json", {})
        schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        names = ["Cache-Control"] if schema or self.subject == "health" else []
        names += ["ETag"] * (schema in _VERSIONED)
        names += ["Location"] * (status == "201")
        names += ["Set-Cookie"] * (schema == "SignedInOut")
        names += [REPLAYED] * self.repeatable
        return names


def refused_answers(kinds: Iterable[ErrorClass]) -> Iterator[tuple[str, str, Json]]:
    """Yield the status, the component name and the response object for each status of these errors."""
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
    elif IdempotentRequestInProgress.code in titles:
        wait = {
            "description": f"Seconds to wait, with `{IdempotentRequestInProgress.code}`.",
            "schema": {"type": "integer"},
        }
        answer["headers"] = {"Retry-After": wait}
    return answer


def _references(kind: str, names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/{kind}/{name}"} for name in names}
