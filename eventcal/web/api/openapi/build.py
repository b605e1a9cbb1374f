"""Building the OpenAPI document. Access rules, errors and headers are added to flask-smorest's view descriptions."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from importlib import resources
from typing import Any, cast

import orjson
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from flask_smorest import Api, Blueprint
from werkzeug.routing import Rule

from eventcal.web.api.blueprint import JSON_TYPES
from eventcal.web.api.openapi.operation import Operation, iter_error_responses, openapi_path
from eventcal.web.feeds.endpoints import FEEDS
from eventcal.web.http.errors import list_error_kinds
from eventcal.web.params.feed_check import FeedCheckQuerySchema
from eventcal.web.params.listing_filters import FeedQuerySchema
from eventcal.web.schemas.response_schema import Json

# Maps the name of an access rule to the value of `x-access` in the OpenAPI document.
_ACCESS_LABELS = {"feed": "anyone", "public": "anyone", "by_cookie": "member, signed in by password"}
# Maps the name of a blueprint outside the API to the OpenAPI tag of its operations.
_TAGS = {"calendars": "calendars", "documents": "calendars", "checking": "checking", "health": "health", "docs": "docs"}
# Maps the media type of a JSON feed format to the JSON schema of a feed in that format.
_FEED_JSON_SCHEMAS: Mapping[str, Json] = {
    "application/calendar+json": {"type": "array", "items": {}},
    "application/jscalendar+json": {"type": "object"},
    "application/json": {"type": "object"},
}


def build_openapi_document(app: Flask) -> Json:
    """Return the OpenAPI document of a new app, without the values that depend on the settings and the version."""
    api = Api(app, spec_kwargs={"title": "", "version": "", "openapi_version": "3.1.0"})
    for blueprint in app.blueprints.values():
        if isinstance(blueprint, Blueprint):
            blueprint.register_views_in_doc(api, app, api.spec, name=blueprint.name, parameters=None)
            api.spec.tag({"name": blueprint.name, "description": blueprint.description})
    # Converting the document to JSON text and back creates a deep copy, and fails if a value cannot be serialised.
    document: Json = orjson.loads(orjson.dumps(api.spec.to_dict()))
    here = resources.files(__package__)
    static: Json = orjson.loads((here / "static.json").read_bytes())
    static["schemas"]["Problem"]["x-codes"] = {
        code: {"status": int(status), "title": title} for status, code, title in list_error_kinds()
    }
    document["info"]["description"] = (here / "about.md").read_text("utf-8").strip()
    document["servers"] = []
    document["tags"] += static["tags"]
    document["paths"] |= _path_items_outside_api(app, api.ma_plugin.converter, contents=static["content"])
    document["components"] = {
        "schemas": {**static["schemas"], **_component_schemas(document, api)},
        "responses": {},
        "parameters": static["parameters"],
        "headers": static["headers"],
        "securitySchemes": static["securitySchemes"],
    }
    for operation in _iter_operations(app, document["paths"]):
        document["components"]["responses"] |= _complete_and_collect_errors(operation)
    for path, item in document["paths"].items():
        for parameter in item.get("parameters", []):
            parameter["description"] = _describe_path_parameter(path, parameter["name"])
            parameter["schema"] = {"type": "string", "minLength": 1}
    # Future versions may add fields to responses, so clients must accept unknown fields.
    for name in response_schema_names(document):
        document["components"]["schemas"][name].pop("additionalProperties", None)
    return cast("Json", _add_missing_keywords(document))


def _path_items_outside_api(app: Flask, converter: OpenAPIConverter, *, contents: Json) -> Json:
    """Return the path items of the views that are not registered with flask-smorest."""
    schemas = {"calendars": FeedQuerySchema(), "checking": FeedCheckQuerySchema()}
    query = {tag: converter.schema2parameters(schema, location="query") for tag, schema in schemas.items()}
    return {
        openapi_path(rule): _path_item(rule, app.view_functions[rule.endpoint], query, contents=contents)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in _TAGS
    }


def _path_item(rule: Rule, view: Callable[..., Any], query: dict[str, list[Json]], *, contents: Json) -> Json:
    tag = _TAGS[rule.endpoint.partition(".")[0]]
    if rule.endpoint in FEEDS:
        feed = FEEDS[rule.endpoint]
        media_type = feed.media_type.partition(";")[0]
        said, content = (
            feed.description,
            {media_type: {"schema": _FEED_JSON_SCHEMAS.get(media_type, {"type": "string"})}},
        )
    else:
        said = inspect.getdoc(view) or ""
        content = next(found for end, found in contents.items() if rule.rule.endswith(end))
    summary, _, description = said.partition("\n\n")
    operation: Json = {
        "tags": [tag],
        "summary": summary,
        "security": cast("Any", view).access.openapi_security,
        "parameters": list(query.get(tag, [])),
        "responses": {"200": {"description": HTTPStatus.OK.phrase, "content": content}},
    }
    if description:
        operation["description"] = description
    if rule.rule == "/readyz":
        wait = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
        operation["responses"]["503"] = {"description": "Not ready.", "content": content, "headers": wait}
    item: Json = {"get": operation}
    if rule.arguments:
        one = {"in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        item["parameters"] = [{**one, "name": name} for name in sorted(rule.arguments)]
    return item


def _component_schemas(document: Json, api: Api) -> Json:
    """Return the component schemas, except those of flask-smorest. A schema's docstring becomes its description."""
    schemas: Json = document["components"]["schemas"]
    for key, name in api.ma_plugin.converter.refs.items():
        schemas[name] |= getattr(key[0], "extra_json_schema", {})
        schemas[name].setdefault("description", inspect.getdoc(key[0]))
    return {name: schema for name, schema in schemas.items() if name not in {"Error", "PaginationMetadata"}}


def _iter_operations(app: Flask, paths: Json) -> Iterator[Operation]:
    for rule in app.url_map.iter_rules():
        path, view = openapi_path(rule), app.view_functions[rule.endpoint]
        for method in sorted(verb.lower() for verb in rule.methods or ()):
            said = paths.get(path, {}).get(method)
            if said is not None:
                yield Operation(
                    path=path,
                    method=method,
                    blueprint=rule.endpoint.partition(".")[0],
                    access=cast("Any", view).access,
                    declared_errors=getattr(view, "errors", ()),
                    spec=said,
                )


def _complete_and_collect_errors(operation: Operation) -> Json:
    """Complete the description of an operation in place, and return the response components that the operation uses."""
    said = operation.spec
    said["security"] = operation.access.openapi_security
    said["operationId"] = _operation_id(operation)
    said["x-access"] = _ACCESS_LABELS.get(operation.access.name, operation.access.name)
    # flask-smorest adds references to default error responses, which this API does not return.
    answers = {status: answer for status, answer in said["responses"].items() if "$ref" not in answer}
    operation.add_response_headers(answers)
    kinds = operation.possible_errors()
    errors = list(iter_error_responses(kinds))
    answers |= {status: {"$ref": f"#/components/responses/{name}"} for status, name, _ in errors}
    said["responses"] = dict(sorted(answers.items()))
    said["parameters"] = [*said.get("parameters", []), *operation.request_headers(kinds)]
    if operation.method == "patch":
        body = said["requestBody"]["content"]
        body |= dict.fromkeys(sorted(JSON_TYPES), body["application/json"])
    return {name: answer for _, name, answer in errors}


def _operation_id(operation: Operation) -> str:
    """Return an `operationId` that consists of the method and the path, such as "post_event_talks"."""
    words: list[str] = []
    for part in operation.path.removeprefix("/api/v1").replace(".", "/").strip("/").split("/"):
        if not part.startswith("{"):
            words.append(part)
        elif words and words[-1].endswith("s"):
            words[-1] = words[-1][:-1]
        else:
            words.append(part.strip("{}").removesuffix("_id"))
    return "_".join([operation.method, *words])


def _describe_path_parameter(path: str, parameter: str) -> str:
    before = path.partition(f"/{{{parameter}}}")[0].rpartition("/")[2].removesuffix("s")
    thing, _, what = parameter.rpartition("_")
    return f"The {thing or before}'s {what}."


def response_schema_names(document: Json) -> set[str]:
    """Return the names of all schemas that responses use directly or through other schemas."""
    operations = [one for item in document["paths"].values() for one in item.values() if isinstance(one, dict)]
    found: set[str] = set()
    reached = _referenced_schemas([[one["responses"] for one in operations], document["components"]["responses"]])
    while reached - found:
        found |= reached
        reached = _referenced_schemas([document["components"]["schemas"][name] for name in found])
    return found


def _referenced_schemas(value: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', orjson.dumps(value).decode()))


def _add_missing_keywords(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Add the keywords that apispec cannot express, which are the types of enums and the alternatives in `x-or`."""
    if isinstance(value, list):
        return [_add_missing_keywords(one) for one in value]
    if not isinstance(value, dict):
        return value
    said = {key: _add_missing_keywords(one) for key, one in value.items()}
    words = said.get("enum")
    if words and "type" not in said and "properties" not in said:
        said = {"type": ["string", "null"] if None in words else "string", **said}
    other = said.pop("x-or", None)
    if other:
        said["anyOf"] = [{"$ref": said.pop("$ref")}, other]
    return said
