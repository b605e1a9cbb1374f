"""An operation of the OpenAPI document, with its access rule, errors and headers."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from werkzeug.exceptions import (
    BadRequest,
    PreconditionRequired,
    RequestEntityTooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from werkzeug.routing import Rule

from eventcal.kit.errors import DatabaseBusy, Forbidden, Gone, Invalid, NotFound, Overloaded
from eventcal.kit.pagination import CursorExpired
from eventcal.members.errors import (
    CsrfFailed,
    EmailNotConfirmed,
    IdempotencyKeyReused,
    InsufficientScope,
    InvalidToken,
    NotSignedIn,
)
from eventcal.web.http.errors import ErrorClass, error_kind
from eventcal.web.http.problem_details import MEDIA_TYPE
from eventcal.web.identity.permissions import AccessRule
from eventcal.web.request.idempotency import KEY_HEADER, REPLAYED_HEADER, IdempotentRequestInProgress
from eventcal.web.schemas.response_schema import Json

# Maps a status code to the header that all responses with this status code contain.
_STATUS_HEADERS = {
    HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
    HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
    HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
}
# The schemas of resources for which even the responses to unsafe requests have an ETag.
_SCHEMAS_WITH_ETAG = frozenset({"EventOut", "TalkOut", "SpeakerOut", "SponsorOut"})
_CONDITIONAL_HEADERS = ("ETag", "Last-Modified", "Cache-Control", "Vary")


def openapi_path(rule: Rule) -> str:
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation of the OpenAPI document. `spec` is the incomplete OpenAPI object of the operation."""

    path: str
    method: str
    blueprint: str
    access: AccessRule
    declared_errors: Collection[ErrorClass]
    spec: Json

    @property
    def requires_sign_in(self) -> bool:
        return self.access.name not in {"feed", "public"}

    @property
    def is_conditional(self) -> bool:
        """Whether the operation supports conditional requests and can return a 304 response."""
        return self.method == "get" and self.blueprint != "health"

    @property
    def accepts_idempotency_key(self) -> bool:
        return self.method == "post" and self.requires_sign_in and self.blueprint != "auth"

    def parameter_names(self, location: str) -> set[str]:
        return {one["name"] for one in self.spec.get("parameters", []) if one.get("in") == location}

    def possible_errors(self) -> set[ErrorClass]:
        """Return the errors with which the operation can respond, except internal server errors."""
        kinds: set[ErrorClass] = {*self.declared_errors, *self._access_errors()}
        if "{" in self.path:
            kinds.add(NotFound)
        if "{secret}" in self.path:
            kinds.add(Gone)
        if self.parameter_names("query") & {"cursor", "since"}:
            kinds.add(CursorExpired)
        # Operations that define no query parameters reject requests with query parameters.
        if self.parameter_names("query") or (self.path.startswith("/api/") and self.blueprint != "docs"):
            kinds.add(Invalid)
        if "requestBody" in self.spec:
            kinds |= {BadRequest, UnsupportedMediaType, RequestEntityTooLarge, Invalid}
        if self.accepts_idempotency_key:
            kinds |= {IdempotentRequestInProgress, IdempotencyKeyReused, Invalid, RequestEntityTooLarge}
        if self.blueprint != "health":
            kinds |= {DatabaseBusy, Overloaded}
        return kinds

    def _access_errors(self) -> set[ErrorClass]:
        if not self.requires_sign_in:
            return set() if self.access.name == "feed" else {InvalidToken}
        errors: set[ErrorClass] = {InvalidToken, NotSignedIn, InsufficientScope if self.access.scope else Forbidden}
        if self.access.name in {"organiser", "moderator", "admin"}:
            errors.add(Forbidden)
        if self.access.requires_confirmed_email:
            errors.add(EmailNotConfirmed)
        return errors if self.method == "get" else errors | {CsrfFailed, TooManyRequests}

    def request_headers(self, errors: Collection[ErrorClass]) -> list[Json]:
        names = ["If-None-Match", "If-Modified-Since"] if self.is_conditional else []
        names += ["If-Match"] * (PreconditionRequired in errors)
        names += [KEY_HEADER] * self.accepts_idempotency_key
        names += ["X-CSRF-Token"] * (CsrfFailed in errors)
        return list(_component_references("parameters", names).values())

    def add_response_headers(self, responses: Json) -> None:
        """Add headers to the given responses, and add a 304 response if the operation is conditional."""
        for status, answer in responses.items():
            names = self._response_header_names(status, answer)
            if names:
                answer.setdefault("headers", {}).update(_component_references("headers", names))
        if self.is_conditional:
            headers = _component_references("headers", _CONDITIONAL_HEADERS)
            responses["304"] = {"description": "The cached representation is current.", "headers": headers}

    def _response_header_names(self, status: str, response: Json) -> list[str]:
        if self.is_conditional:
            names = [*_CONDITIONAL_HEADERS, *["Link"] * ("cursor" in self.parameter_names("query"))]
            return names + ["Content-Disposition"] * (self.blueprint == "calendars")
        content = response.get("content", {}).get("application/json", {})
        schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        names = ["Cache-Control"] if schema or self.blueprint == "health" else []
        names += ["ETag"] * (schema in _SCHEMAS_WITH_ETAG)
        names += ["Location"] * (status == "201")
        names += ["Set-Cookie"] * (schema == "SignedInOut")
        names += [REPLAYED_HEADER] * self.accepts_idempotency_key
        return names


def iter_error_responses(error_classes: Iterable[ErrorClass]) -> Iterator[tuple[str, str, Json]]:
    """Yield the status code, the component name and the OpenAPI response object for each status of the given errors."""
    by_status: dict[HTTPStatus, dict[str, str]] = defaultdict(dict)
    for kind in error_classes:
        status, code, title = error_kind(kind)
        by_status[status][code] = title
    for status, titles in sorted(by_status.items()):
        yield str(int(status)), f"{int(status)}-{'-or-'.join(sorted(titles))}", _error_response_object(status, titles)


def _error_response_object(status: HTTPStatus, titles: Mapping[str, str]) -> Json:
    codes = sorted(titles)
    # Client generators omit responses whose schemas narrow the fields of another schema.
    answer: Json = {
        "description": " ".join(f"`{code}`: {titles[code]}." for code in codes),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "x-codes": codes,
    }
    if status in _STATUS_HEADERS:
        answer["headers"] = _component_references("headers", [_STATUS_HEADERS[status]])
    elif IdempotentRequestInProgress.code in titles:
        wait = f"Seconds to wait, with `{IdempotentRequestInProgress.code}`."
        answer["headers"] = {"Retry-After": {"description": wait, "schema": {"type": "integer"}}}
    return answer


def _component_references(kind: str, names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/{kind}/{name}"} for name in names}
