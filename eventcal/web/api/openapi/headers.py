"""The headers of the document: those that callers send, those that answers carry, and which operation has which."""

from collections.abc import Collection
from typing import Any

from eventcal.kit.refusals import Refusal
from eventcal.members.errors import CsrfRefused
from eventcal.web.api.openapi.operation import Json, Operation
from eventcal.web.http.errors import PreconditionRequired
from eventcal.web.request.idempotency import HEADER, REPLAYED

# What is answered with an ETag whoever asks, also after a change.
_VERSIONED = frozenset({"EventOut", "TalkOut", "SpeakerOut", "SponsorOut"})
_TAG = '^"[^"]+"$'


def _sent(name: str, description: str, *, required: bool = False, **schema: Any) -> Json:  # noqa: ANN401 - JSON Schema
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def _answered(description: str, *, required: bool = True, **schema: Any) -> Json:  # noqa: ANN401 - JSON Schema
    return {"description": description, "required": required, "schema": {"type": "string", **schema}}


SENT: Json = {
    "If-Match": _sent(
        "If-Match",
        "The ETag of the version that is changed, in any encoding; or `*`, to change it whatever it is.",
        required=True,
        examples=["*"],
    ),
    "If-None-Match": _sent("If-None-Match", "ETags that the caller has; answered by 304 where one is current."),
    "If-Modified-Since": _sent("If-Modified-Since", "`Last-Modified` of what the caller has, without an ETag."),
    HEADER: _sent(
        HEADER,
        "A new random key; sent again with the same body within a day, the first answer comes again.",
        pattern="^[!-~]{1,255}$",
    ),
    "X-CSRF-Token": _sent("X-CSRF-Token", "With the cookie, and only then: the `csrf_token` that signing in gave."),
}
ANSWERED: Json = {
    "ETag": _answered("Names the version: strong, another one for each content coding.", pattern=_TAG),
    "Last-Modified": _answered("When something public last changed; never goes back.", required=False),
    "Cache-Control": _answered("Who may keep the answer, and for how long."),
    "Vary": _answered("Accept-Encoding: the codings are br, zstd and gzip."),
    "Link": _answered('The next page, as `<…>; rel="next"`; none on the last.', required=False),
    "Location": _answered("Where the new thing is.", format="uri"),
    "Content-Disposition": _answered("What a download is called."),
    "Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": _answered("How to say who calls (RFC 6750)."),
    "Set-Cookie": _answered("The session."),
    REPLAYED: _answered("This is the first answer again.", required=False, const="true"),
}
_READ = ("ETag", "Last-Modified", "Cache-Control", "Vary")


def sent_headers(operation: Operation, refusals: Collection[type[Refusal]]) -> list[Json]:
    """Return references to the headers that callers of the operation send, who can be refused in these ways."""
    names: list[str] = []
    if operation.conditional:
        names += ["If-None-Match", "If-Modified-Since"]
    if PreconditionRequired in refusals:
        names.append("If-Match")
    if operation.repeatable:
        names.append(HEADER)
    if CsrfRefused in refusals:
        names.append("X-CSRF-Token")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def add_headers(operation: Operation, answers: Json) -> None:
    """Add to the answers that are no refusals what headers they carry, and to a conditional GET its 304."""
    for status, answer in answers.items():
        names = _names(operation, status, answer)
        if names:
            answer.setdefault("headers", {}).update(_references(names))
    if operation.conditional:
        answers["304"] = {"description": "The caller has the current version.", "headers": _references(_READ)}


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


def _references(names: list[str] | tuple[str, ...]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
