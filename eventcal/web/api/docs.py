"""Views that return the OpenAPI document as JSON or as an HTML page, which loads no resources from other hosts."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple, cast

from flask import Blueprint, render_template
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from eventcal.kit.markdown import to_html
from eventcal.web.api.openapi.document import load_openapi_document
from eventcal.web.api.responses import Content, cached_view, json_content
from eventcal.web.identity.permissions import public
from eventcal.web.request.context import settings
from eventcal.web.schemas.response_schema import Json

docs = Blueprint("docs", __name__, url_prefix="/api/v1")

_HTTP_METHODS = ("get", "post", "put", "patch", "delete")
_FORMAT_NAMES = {
    "line": "one line",
    "text": "text",
    "date": "date",
    "date-time": "time with offset",
    "uri": "URL",
    "email": "e-mail address",
    "password": "password",
}
_TYPE_NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}


@docs.get("/openapi.json")
@public
@cached_view
def openapi(_session: Session) -> Content:
    """Return the OpenAPI document."""
    return json_content(load_openapi_document(settings()))


@docs.get("/docs")
@public
@cached_view
def reference_page(_session: Session) -> Content:
    """Return the API documentation as an HTML page."""
    said = load_openapi_document(settings())
    html = render_template(
        "api/docs.html",
        said=said,
        about=Markup(to_html(said["info"]["description"])),  # noqa: S704 - sanitised, and our own text
        operations=partial(iter_operations, said),
        codes_in=list_error_codes,
        form_of=describe_schema,
        shape_in=find_schema_name,
        problems=said["components"]["schemas"]["Problem"]["x-codes"],
        code=_backticks_to_html,
    )
    return Content(body=html.encode(), media_type="text/html; charset=utf-8")


def _backticks_to_html(text: str) -> Markup:
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


class ValueDescription(NamedTuple):
    """A description of the values that a schema allows. Only objects and lists of objects have a `schema_name`."""

    text: str
    schema_name: str | None = None


def iter_operations(document: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    """Yield the method, path and OpenAPI object of each operation that has the given tag, with resolved references."""
    for path, item in document["paths"].items():
        for method in _HTTP_METHODS:
            operation = item.get(method, {})
            if tag in operation.get("tags", ()):
                parameters = [*item.get("parameters", ()), *operation["parameters"]]
                parameters = [_resolve_reference(document, one) for one in parameters]
                responses = {code: _resolve_reference(document, one) for code, one in operation["responses"].items()}
                yield method, path, {**operation, "parameters": parameters, "responses": responses}


def _resolve_reference(document: Json, node: Json) -> Json:
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/")
    return cast("Json", document["components"][kind][name])


def list_error_codes(response: Json) -> list[str]:
    return cast("list[str]", response.get("x-codes", []))


def find_schema_name(node: Json) -> str | None:
    """Return the name of the schema of a request body or response, or None if the body is not a JSON object."""
    contents: Iterable[Json] = node.get("content", {}).values()
    return next((_referenced_name(content["schema"]) for content in contents if "$ref" in content["schema"]), None)


def describe_schema(schema: Json) -> ValueDescription:
    """Describe the values that a schema allows, for example as "one line, at most 200 characters, or null"."""
    if "$ref" in schema:
        return ValueDescription("", _referenced_name(schema))
    if "anyOf" in schema:
        parts = [describe_schema(one) for one in schema["anyOf"]]
        words = " or ".join(part.text for part in parts if part.text)
        return ValueDescription(f"or {words}", next(part.schema_name for part in parts if part.schema_name))
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds:
        inner = describe_schema(schema["items"])
        most = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return ValueDescription(f"list{most}: {inner.text}".rstrip(), inner.schema_name)
    words = ", ".join([_describe_type(schema, kinds), *_iter_constraints(schema)])
    return ValueDescription(f"{words}, or null" if len(kinds) > 1 else words)


def _describe_type(schema: Json, types: list[str]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(word) for word in schema["enum"] if word is not None)
    if schema.get("format") in _FORMAT_NAMES:
        return _FORMAT_NAMES[schema["format"]]
    return next((_TYPE_NAMES.get(kind, kind) for kind in types if kind != "null" or len(types) == 1), "any")


def _iter_constraints(schema: Json) -> Iterator[str]:
    if "examples" in schema:
        yield f"such as {schema['examples'][0]}"
    elif "pattern" in schema and "\\x00" not in schema["pattern"]:
        yield f"`{schema['pattern']}`"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
    if "minimum" in schema and "maximum" in schema:
        yield f"{schema['minimum']} to {schema['maximum']}"


def _referenced_name(schema: Json) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
