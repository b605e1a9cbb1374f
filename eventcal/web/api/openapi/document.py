"""The whole document: every operation that answers programs is in it, the API's, the feeds', the checks', its own."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Flask
from flask_smorest import Api

from eventcal.config import Settings
from eventcal.web.api.blueprint import JSON_TYPES
from eventcal.web.api.openapi import extra_paths, headers, problem_responses
from eventcal.web.api.openapi.operation import Json, Operation, path_of
from eventcal.web.identity.security import security_schemes

_ABOUT = """Events and conference talks of a community: read, offer, decide.

**Who calls.** Reading needs no sign-in. Programs send a personal access token, made at `POST /api/v1/me/tokens`, as
`Authorization: Bearer …`. Its scopes are read, submit, organise and admin, and each holds the ones before it; every
operation names the one that it needs. Browsers sign in with a cookie, and their unsafe calls carry `X-CSRF-Token`.
Roles hold one another as well: a moderator is an organiser of every event.

**Refusals** are `application/problem+json` (RFC 9457). Programs go by `code`: each operation lists its own. Beside
them there are 405 with `Allow` for a method that an address does not take, and 500 with the code `internal` for a
fault of ours.

**Reading** is conditional (`ETag`, `Last-Modified`), compressed, and open to any origin. HEAD works wherever GET
does, and OPTIONS names the methods.

**Lists** are `{"items": […], "next": …}`. Ask again with `cursor` set to `next`, or follow `Link`, until `next` is
null.

**Changing.** PATCH is a JSON merge patch (RFC 7396): null clears a field, what is left out stays. An operation that
takes `If-Match` demands it. A POST with an `Idempotency-Key` may be sent again within a day: it gets its first
answer, and nothing is done twice. Bodies have the fields that are named here and no others; answers may gain some.

**Times.** What people write (`starts`, `ends`) is local to the event's `timezone`. What ends in `_at` is an instant,
with its offset. Years run from 1970 to 2199.

**Text** has no control characters. Of the format `line` it is one line that shows something; of the format `text` it
may have line breaks and may be empty."""


def describe(app: Flask, api: Api, settings: Settings) -> Json:
    """Return the document in plain values, for an app whose blueprints are all registered."""
    # Through JSON: a copy that nobody else changes, and the proof that it is plain.
    document: Json = orjson.loads(orjson.dumps(api.spec.to_dict()))
    document["info"]["description"] = _ABOUT
    document["servers"] = [{"url": settings.base_url, "description": settings.name}]
    document["tags"] += extra_paths.TAGS
    document["paths"] |= extra_paths.paths(app, api.ma_plugin.converter)
    document["components"] = {
        "schemas": {
            "Problem": problem_responses.problem_schema(),
            "Fault": problem_responses.fault_schema(),
            **_own_schemas(document, api),
        },
        "responses": {},
        "parameters": headers.SENT,
        "headers": headers.ANSWERED,
        "securitySchemes": security_schemes(settings),
    }
    for operation in _operations(app, document["paths"]):
        document["components"]["responses"] |= _finish(operation)
    for path, item in document["paths"].items():
        for parameter in item.get("parameters", []):
            parameter["description"] = _named(path, parameter["name"])
            parameter["schema"] = {"type": "string", "minLength": 1}
    _open(document)
    finished: Json = _tidy(document)
    return finished


def _own_schemas(document: Json, api: Api) -> Json:
    """Return the schemas with what their classes say beside their fields, and without flask-smorest's own."""
    schemas: Json = document["components"]["schemas"]
    for key, name in api.ma_plugin.converter.refs.items():
        schemas[name] |= getattr(key[0], "also", {})
        schemas[name].setdefault("description", inspect.getdoc(key[0]))
    return {name: schema for name, schema in schemas.items() if name not in {"Error", "PaginationMetadata"}}


def _operations(app: Flask, paths: Json) -> Iterator[Operation]:
    for rule in app.url_map.iter_rules():
        path, view = path_of(rule), app.view_functions[rule.endpoint]
        for method in sorted(verb.lower() for verb in rule.methods or ()):
            said = paths.get(path, {}).get(method)
            if said is not None:
                yield Operation(path=path, method=method, endpoint=rule.endpoint, view=view, said=said)


def _finish(operation: Operation) -> Json:
    """Complete what is said of an operation. Returns the shared responses that it refers to."""
    said = operation.said
    said["operationId"] = operation.name
    said["x-access"] = operation.who
    # flask-smorest's own refer to responses that are not what we answer.
    answers = {status: answer for status, answer in said["responses"].items() if "$ref" not in answer}
    headers.add_headers(operation, answers)
    kinds = problem_responses.refusals_of(operation)
    refusals = list(problem_responses.refused_answers(kinds))
    answers |= {status: {"$ref": f"#/components/responses/{name}"} for status, name, _ in refusals}
    said["responses"] = dict(sorted(answers.items()))
    said["parameters"] = [*said.get("parameters", []), *headers.sent_headers(operation, kinds)]
    if operation.method == "patch":
        body = said["requestBody"]["content"]
        body |= dict.fromkeys(sorted(JSON_TYPES), body["application/json"])
    return {name: answer for _, name, answer in refusals}


def _named(path: str, parameter: str) -> str:
    """Describe a path parameter: "The talk's id.", "The event's slug."."""
    before = path.partition(f"/{{{parameter}}}")[0].rpartition("/")[2].removesuffix("s")
    thing, _, what = parameter.rpartition("_")
    return f"The {thing or before}'s {what}."


def _open(document: Json) -> None:
    """Let answers gain fields, which bodies may not."""
    schemas = document["components"]["schemas"]
    for name in answered_schemas(document):
        schemas[name].pop("additionalProperties", None)


def answered_schemas(document: Json) -> set[str]:
    """Return the names of the schemas that answers are made of."""
    answers = [operation["responses"] for item in document["paths"].values() for operation in _verbs(item)]
    found: set[str] = set()
    reached = _schemas_in([answers, document["components"]["responses"]])
    while reached - found:
        found |= reached
        reached = _schemas_in([document["components"]["schemas"][name] for name in found])
    return found


def _verbs(item: Json) -> Iterator[Json]:
    return (operation for operation in item.values() if isinstance(operation, dict))


def _schemas_in(value: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', orjson.dumps(value).decode()))


def _tidy(value: Any) -> Any:  # noqa: ANN401 - JSON is of any kind
    """Return the same with what apispec cannot say: the type of an enum, and what may stand for a shape (x-or)."""
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    said = {key: _tidy(one) for key, one in value.items()}
    words = said.get("enum")
    if words and "type" not in said and "properties" not in said:
        said = {"type": ["string", "null"] if None in words else "string", **said}
    other = said.pop("x-or", None)
    if other:
        said["anyOf"] = [{"$ref": said.pop("$ref")}, other]
    return said
