"""The OpenAPI document as JSON and as an HTML page. The page loads nothing from other hosts."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, current_app, render_template
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from eventcal.kit.markdown import to_html
from eventcal.web.api.responses import Content, cached, document
from eventcal.web.http.errors import known_problems
from eventcal.web.identity.permissions import public

docs = Blueprint("docs", __name__, url_prefix="/api/v1")

Json = dict[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_FORMATS = {
    "line": "one line",
    "text": "text",
    "date": "date",
    "date-time": "time with offset",
    "uri": "URL",
    "email": "e-mail address",
    "password": "password",
}
_KINDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}


@docs.get("/openapi.json")
@public
@cached
def openapi(_session: Session) -> Content:
    """Return the OpenAPI document."""
    return document(_document())


@docs.get("/docs")
@public
@cached
def readable(_session: Session) -> Content:
    """Return the API documentation as an HTML page."""
    said = _document()
    html = render_template(
        "api/docs.html",
        said=said,
        about=Markup(to_html(said["info"]["description"])),  # noqa: S704 - sanitised, and our own text
        operations=partial(operations_of, said),
        codes_in=codes_in,
        form_of=form_of,
        shape_in=shape_in,
        problems=sorted(known_problems(), key=lambda row: (row[0], row[1])),
        code=_code,
    )
    return Content(body=html.encode(), media_type="text/html; charset=utf-8")


def _document() -> Json:
    said: Json = current_app.extensions["eventcal_openapi"]()
    return said


def _code(text: str) -> Markup:
    """Return the text as HTML, with words in backticks in <code> elements."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


@dataclass(frozen=True, kw_only=True)
class Form:
    """A description of a value in words. `shape` is the name of its schema, or of its items, if these are objects."""

    words: str
    shape: str | None = None


def operations_of(document: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    """Yield the method, path and operation of each operation with this tag, in the document's order.

    References to parameters and responses are resolved.
    """
    for path, item in document["paths"].items():
        for method in _METHODS:
            operation = item.get(method, {})
            if tag in operation.get("tags", ()):
                parameters = [*item.get("parameters", ()), *operation["parameters"]]
                responses = {status: _resolved(document, one) for status, one in operation["responses"].items()}
                resolved = {"parameters": [_resolved(document, one) for one in parameters], "responses": responses}
                yield method, path, {**operation, **resolved}


def _resolved(document: Json, part: Json) -> Json:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Json = document["components"][kind][name]
    return found


def codes_in(response: Json) -> list[str]:
    """Return the error codes that a response may have."""
    parts = [part for one in response.get("content", {}).values() for part in one["schema"].get("allOf", ())]
    return [code for part in parts for code in part.get("properties", {}).get("code", {}).get("enum", ())]


def shape_in(part: Json) -> str | None:
    """Return the name of the schema of a request body or a response, or None if it is not an object."""
    contents: Iterable[Json] = part.get("content", {}).values()
    return next((_name(content["schema"]) for content in contents if "$ref" in content["schema"]), None)


def form_of(schema: Json) -> Form:
    """Return a description of the values of a schema, such as "one line, at most 200 characters, or null"."""
    if "$ref" in schema:
        return Form(words="", shape=_name(schema))
    if "anyOf" in schema:
        parts = [form_of(one) for one in schema["anyOf"]]
        words = " or ".join(part.words for part in parts if part.words)
        return Form(words=f"or {words}", shape=next(part.shape for part in parts if part.shape))
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds:
        inner = form_of(schema["items"])
        most = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return Form(words=f"list{most}: {inner.words}".rstrip(), shape=inner.shape)
    words = ", ".join([_kind(schema, kinds), *_limits(schema)])
    return Form(words=f"{words}, or null" if len(kinds) > 1 else words)


def _kind(schema: Json, kinds: list[str]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(word) for word in schema["enum"] if word is not None)
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return next((_KINDS.get(kind, kind) for kind in kinds if kind != "null" or len(kinds) == 1), "any")


def _limits(schema: Json) -> Iterator[str]:
    if "examples" in schema:
        yield f"such as {schema['examples'][0]}"
    elif "pattern" in schema and "\\x00" not in schema["pattern"]:
        yield f"`{schema['pattern']}`"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
    if "minimum" in schema and "maximum" in schema:
        yield f"{schema['minimum']} to {schema['maximum']}"


def _name(schema: Json) -> str:
    reference: str = schema["$ref"]
    return reference.rpartition("/")[2]
