"""The OpenAPI document, as JSON for programs and as a page for people; nothing on it comes from another host."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, render_template
from sqlalchemy.orm import Session

from eventcal.web.access import public
from eventcal.web.api.answers import document, page, serve_public
from eventcal.web.conditional import Rendition
from eventcal.web.errors import known_problems

docs = Blueprint("docs", __name__, url_prefix="/api/v1")

Spec = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")


@docs.get("/openapi.json")
@public
def openapi() -> Response:
    """Give the OpenAPI document."""

    def make(session: Session) -> Rendition:
        return document(session, _spec())

    return serve_public(make)


@docs.get("/docs")
@public
def readable() -> Response:
    """Give the same as a page."""

    def make(session: Session) -> Rendition:
        spec = _spec()
        html = render_template(
            "api/docs.html",
            spec=spec,
            subjects=list(_subjects(spec)),
            shapes=[(name, list(_fields(shape))) for name, shape in sorted(spec["components"]["schemas"].items())],
            problems=sorted(known_problems(), key=lambda row: (row[0], row[1])),
        )
        return page(session, html)

    return serve_public(make)


def _spec() -> Spec:
    spec: Spec = current_app.extensions["eventcal_openapi"]()
    return spec


def _subjects(spec: Spec) -> Iterator[dict[str, Any]]:
    for tag in spec["tags"]:
        operations = [
            _operation(path, method, item[method], item.get("parameters", []))
            for path, item in spec["paths"].items()
            for method in _METHODS
            if method in item and tag["name"] in item[method]["tags"]
        ]
        yield {"name": tag["name"], "description": tag["description"], "operations": operations}


def _operation(path: str, method: str, operation: Spec, shared: list[Any]) -> dict[str, Any]:
    answers = [(status, _shape(answer)) for status, answer in sorted(operation["responses"].items())]
    return {
        "anchor": f"{method}{path.replace('/', '-').replace('{', '').replace('}', '')}",
        "path": path,
        "method": method,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "who": operation.get("x-access", "anyone"),
        "parameters": [one for one in [*shared, *operation.get("parameters", [])] if "name" in one],
        "body": _shape(operation.get("requestBody", {})),
        "answers": [(status, shape if str(status) < "400" else None) for status, shape in answers],
    }


def _shape(part: Spec) -> str | None:
    for content in part.get("content", {}).values():
        return _name(content.get("schema", {}))
    return None


def _name(schema: Spec) -> str | None:
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2] or None


def _fields(shape: Spec) -> Iterator[dict[str, Any]]:
    required = set(shape.get("required", []))
    for name, field in shape.get("properties", {}).items():
        yield {"name": name, "form": _form(field), "shape": _inner(field), "required": name in required}


def _form(field: Spec) -> str:
    kind = field.get("type", "")
    words = field.get("enum")
    form = " or ".join(kind) if isinstance(kind, list) else kind
    if words:
        form = "one of " + ", ".join(str(word) for word in words if word is not None)
    if "maxLength" in field:
        form += f", at most {field['maxLength']} characters"
    return form


def _inner(field: Spec) -> str | None:
    for part in (field, field.get("items", {}), *field.get("anyOf", []), *field.get("allOf", [])):
        found = _name(part)
        if found:
            return found
    return None
