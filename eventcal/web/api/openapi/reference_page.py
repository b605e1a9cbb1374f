"""The document as people read it: what a page shows of each operation, each shape and each refusal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a value looks like, in words; `shape` is the object that it is, or is a list of, if any."""

    words: str
    shape: str | None = None


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a shape or a parameter of an operation; `place` is query, path or header."""

    name: str
    form: Form
    required: bool
    description: str
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What comes back under a status: an object, or another type of body, or refusals by their codes."""

    status: str
    shape: str | None
    media_type: str
    codes: list[str]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation: what the document has of it (`said`), and its parameters, body and answers."""

    method: str
    path: str
    said: Json
    parameters: list[Field]
    body: str | None
    answers: list[Answer]


def subjects_of(document: Json) -> list[tuple[Json, list[Operation]]]:
    """Return every tag with its operations, in the document's order."""
    operations = [
        _operation(document, path, method)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    return [(tag, [one for one in operations if tag["name"] in one.said["tags"]]) for tag in document["tags"]]


def shapes_of(document: Json) -> list[tuple[str, str, list[Field]]]:
    """Return the name, the description and the fields of every shape, by name."""
    schemas = document["components"]["schemas"]
    return [(name, schema.get("description", ""), _fields(schema)) for name, schema in sorted(schemas.items())]


def _operation(document: Json, path: str, method: str) -> Operation:
    item, said = document["paths"][path], document["paths"][path][method]
    parameters = [_resolved(document, one) for one in (*item.get("parameters", ()), *said["parameters"])]
    return Operation(
        method=method,
        path=path,
        said=said,
        parameters=[_field(one["name"], one, required=one["required"], place=one["in"]) for one in parameters],
        body=_shape_in(said.get("requestBody", {})),
        answers=[_answer(status, _resolved(document, response)) for status, response in said["responses"].items()],
    )


def _answer(status: str, response: Json) -> Answer:
    content: Json = response.get("content", {})
    parts = [part for one in content.values() for part in one["schema"].get("allOf", ())]
    codes = [code for part in parts for code in part.get("properties", {}).get("code", {}).get("enum", ())]
    return Answer(status=status, shape=_shape_in(response), media_type=", ".join(content), codes=codes)


def _shape_in(part: Json) -> str | None:
    contents: Iterable[Json] = part.get("content", {}).values()
    return next((_name(content["schema"]) for content in contents if "$ref" in content["schema"]), None)


def _resolved(document: Json, part: Json) -> Json:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Json = document["components"][kind][name]
    return found


def _fields(schema: Json) -> list[Field]:
    required = schema.get("required", ())
    return [_field(name, field, required=name in required) for name, field in schema.get("properties", {}).items()]


def _field(name: str, said: Json, *, required: bool, place: str = "") -> Field:
    form = _form(said.get("schema", said))
    return Field(name=name, form=form, required=required, description=said.get("description", ""), place=place)


def _form(schema: Json) -> Form:
    """Return what a value of this schema looks like: "one line, at most 200 characters, or null"."""
    if "$ref" in schema:
        return Form(words="", shape=_name(schema))
    if "anyOf" in schema:
        parts = [_form(one) for one in schema["anyOf"]]
        words = " or ".join(part.words for part in parts if part.words)
        return Form(words=f"or {words}", shape=next(part.shape for part in parts if part.shape))
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds:
        inner = _form(schema["items"])
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
