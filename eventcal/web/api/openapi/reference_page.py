"""The document as people read it: what a page shows of each operation, each shape and each refusal."""

from collections.abc import Iterable, Iterator, Mapping
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
    codes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    who: str
    scope: str
    parameters: tuple[Field, ...]
    body: str | None
    body_required: bool
    answers: tuple[Answer, ...]

    @property
    def refuses(self) -> bool:
        """Say whether it refuses anything."""
        return any(answer.codes for answer in self.answers)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The operations of one tag."""

    name: str
    anchor: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One kind of object."""

    name: str
    description: str
    fields: tuple[Field, ...]


def subjects_of(document: Json) -> list[Subject]:
    """Return every operation, by subject, in the document's order."""
    return [_subject(document, tag) for tag in document["tags"]]


def shapes_of(document: Json) -> list[Shape]:
    """Return every shape, by name."""
    return [
        Shape(name=name, description=schema.get("description", ""), fields=tuple(_fields(schema)))
        for name, schema in sorted(document["components"]["schemas"].items())
    ]


def _subject(document: Json, tag: Json) -> Subject:
    operations = [
        _operation(document, path, method)
        for path, item in document["paths"].items()
        for method in _METHODS
        if tag["name"] in item.get(method, {}).get("tags", ())
    ]
    return Subject(
        name=tag["name"],
        anchor=tag["name"].replace(" ", "-"),
        description=tag["description"],
        operations=tuple(operations),
    )


def _operation(document: Json, path: str, method: str) -> Operation:
    item, said = document["paths"][path], document["paths"][path][method]
    scopes = [scope for way in said["security"] for scope in way.get("token", ())]
    parameters = [_resolved(document, one) for one in (*item.get("parameters", ()), *said["parameters"])]
    body = said.get("requestBody", {})
    return Operation(
        anchor=said["operationId"],
        method=method,
        path=path,
        summary=said["summary"],
        description=said.get("description", ""),
        who=said["x-access"],
        scope=", ".join(scopes),
        parameters=tuple(_field(one["name"], one, required=one["required"], place=one["in"]) for one in parameters),
        body=_shape_in(body),
        body_required=body.get("required", False),
        answers=tuple(_answers(document, said["responses"])),
    )


def _answers(document: Json, responses: Mapping[str, Json]) -> Iterator[Answer]:
    for status, response in responses.items():
        answer = _resolved(document, response)
        content: Json = answer.get("content", {})
        yield Answer(
            status=status,
            shape=_shape_in(answer),
            media_type=", ".join(content),
            codes=tuple(code for one in content.values() for code in _codes(one["schema"])),
        )


def _codes(schema: Json) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        yield from part.get("properties", {}).get("code", {}).get("enum", ())


def _shape_in(part: Json) -> str | None:
    contents: Iterable[Json] = part.get("content", {}).values()
    return next((_name(content["schema"]) for content in contents if "$ref" in content["schema"]), None)


def _resolved(document: Json, part: Json) -> Json:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Json = document["components"][kind][name]
    return found


def _fields(schema: Json) -> Iterator[Field]:
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        yield _field(name, field, required=name in required)


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
