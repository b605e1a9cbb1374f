"""What the document says of the operations that flask-smorest does not know: feeds, health checks, and itself."""

import inspect
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, cast

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from werkzeug.routing import Rule

from eventcal.web.api.openapi import feed_check
from eventcal.web.api.openapi.operation import Json, path_of
from eventcal.web.feeds.registry import FEEDS
from eventcal.web.params.listing_filters import FeedArgs
from eventcal.web.request.context import House

TAGS: list[Json] = [
    {"name": "calendars", "description": "Feeds: calendar entries at a URL that programs fetch again and again"},
    feed_check.TAG,
    {"name": "health", "description": "For whoever watches the process"},
    {"name": "docs", "description": "This document"},
]
# By blueprint; some share a tag.
_TAGS = {tag["name"]: tag["name"] for tag in TAGS} | {"documents": "calendars"}
_STATUS: Json = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"type": "string", "description": "`ok`, or what is wrong."}},
        }
    }
}
# What a program that knows JSON makes of a feed.
_READ_AS = {"application/calendar+json": "array", "application/jscalendar+json": "object", "application/json": "object"}
# By what a path ends in.
_CONTENT: dict[str, Json] = {
    "/feeds/check": feed_check.CONTENT,
    "/docs": {"text/html": {"schema": {"type": "string"}}},
    "/openapi.json": {"application/json": {"schema": {"type": "object"}}},
    "/healthz": _STATUS,
    "/readyz": _STATUS,
}


def paths(app: Flask, converter: OpenAPIConverter) -> Json:
    """Return the path items of these operations; `converter` knows how parameters are written."""
    base_url = cast("House", app.extensions["eventcal"]).settings.base_url
    query: dict[str, list[Json]] = {
        "calendars": converter.schema2parameters(FeedArgs(), location="query"),
        "checking": feed_check.parameters(converter, base_url),
    }
    return {path_of(rule): _item(rule, app.view_functions[rule.endpoint], query) for rule in _rules(app)}


def _rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in _TAGS:
            yield rule


def _content(rule: Rule) -> Json:
    if rule.endpoint in FEEDS:
        name = FEEDS[rule.endpoint].media_type.partition(";")[0]
        return {name: {"schema": {"type": _READ_AS.get(name, "string")}}}
    return next(kind for end, kind in _CONTENT.items() if rule.rule.endswith(end))


def _item(rule: Rule, view: Callable[..., Any], query: dict[str, list[Json]]) -> Json:
    tag = _TAGS[rule.endpoint.partition(".")[0]]
    said = FEEDS[rule.endpoint].description if rule.endpoint in FEEDS else inspect.getdoc(view) or ""
    summary, _, description = said.partition("\n\n")
    content = _content(rule)
    operation: Json = {
        "tags": [tag],
        "summary": summary,
        "security": cast("Any", view)._apidoc["manual_doc"]["security"],  # noqa: SLF001 - where the marks write it
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
