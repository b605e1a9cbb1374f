"""What the document says of the check of a feed: its one parameter, and what it answers."""

import re
from urllib.parse import urlsplit

from apispec.ext.marshmallow.openapi import OpenAPIConverter

from eventcal.feeds.clients import ClientKind
from eventcal.web.api.openapi.operation import Json
from eventcal.web.params.feed_check import FEED_KINDS, SCHEMES, CheckArgs

TAG: Json = {"name": "checking", "description": "Why a calendar does not update"}


def parameters(converter: OpenAPIConverter, base_url: str) -> list[Json]:
    """Return the parameters; what is no address of this installation is refused."""
    [url] = converter.schema2parameters(CheckArgs(), location="query")
    place = re.sub(r"[.\[\]]", r"\\\g<0>", urlsplit(base_url).netloc)
    url["schema"]["pattern"] = rf"^({'|'.join(SCHEMES)})://{place}([/?#].*)?$"
    return [url]


def _object(description: str = "", **properties: Json) -> Json:
    said: Json = {"type": "object", "required": list(properties), "properties": properties}
    return {**said, "description": description} if description else said


def _text(description: str = "") -> Json:
    return {"type": "string", "description": description} if description else {"type": "string"}


def _count(description: str) -> Json:
    return {"type": "integer", "minimum": 0, "description": description}


def _instant(description: str) -> Json:
    return {"type": "string", "format": "date-time", "description": description}


def _list(item: Json, description: str) -> Json:
    return {"type": "array", "items": item, "description": description}


def _or_null(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


_CLIENT: Json = {"type": "string", "enum": [kind.value for kind in ClientKind]}
_FEED = _object(
    "Null where there is no feed, or none that may be known of.",
    kind={"type": "string", "enum": list(FEED_KINDS)},
    title=_or_null(_text("What it is called.")),
    media_type=_text(),
    size=_count("How many bytes it has."),
    entries=_or_null(_count("How many entries it has; null where this cannot be told.")),
    etag=_text("Its ETag, where it is not compressed."),
    last_modified=_or_null(_instant("Its Last-Modified, null where it has none.")),
    newest_change=_or_null(
        _object("The entry that changed last.", title=_text(), changed_at=_instant("When it changed."))
    ),
)
_ANSWER = _object(
    url=_text("The address in its canonical form, … in place of a secret."),
    feed=_or_null(_FEED),
    status={"type": "integer", "enum": [200, 404, 410, 422], "description": "How the address is answered."},
    detail=_text("Why."),
    problems=_list(_object(code=_text(), detail=_text()), "What may be in the way; programs go by `code`."),
    lint=_or_null(
        _object(
            "What `eventcal lint` finds in it.",
            errors=_count("How many faults break a standard."),
            warnings=_count("How many do what programs are known to stumble on."),
            codes=_list(_text(), "Their codes, each once."),
        )
    ),
    fetches=_list(
        _object(
            client=_CLIENT,
            name=_text(),
            first_at=_instant("When one first came, to the minute."),
            last_at=_instant("When one last came, to the minute."),
            last_status={"type": "integer", "description": "How the last one was answered."},
            fetches=_count("How often they came in all."),
            today=_count("How often they came today (UTC)."),
        ),
        "Who fetched it in the last 90 days, by kind of program; nothing is kept of who they are.",
    ),
    clients=_list(
        _object(
            client=_CLIENT,
            name=_text(),
            expect=_text("How often it looks."),
            refresh_now=_text("What makes it look at once."),
        ),
        "What each kind of program is known to do.",
    ),
)
CONTENT: Json = {"application/json": {"schema": _ANSWER}, "text/html": {"schema": {"type": "string"}}}
