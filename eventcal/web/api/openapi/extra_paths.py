"""What the document says of the operations that flask-smorest does not know: feeds, health checks, and itself."""

import inspect
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from werkzeug.routing import Rule

from eventcal.web.api.openapi.operation import Json, path_of
from eventcal.web.feeds.endpoints import FEEDS
from eventcal.web.params.feed_check import SCHEMES, CheckArgs
from eventcal.web.params.listing_filters import FeedArgs

# The tag of each blueprint.
_TAGS = {"calendars": "calendars", "documents": "calendars", "checking": "checking", "health": "health", "docs": "docs"}
# What a program that knows JSON makes of a feed.
_READ_AS = {"application/calendar+json": "array", "application/jscalendar+json": "object", "application/json": "object"}


def paths(app: Flask, converter: OpenAPIConverter, base_url: str, contents: Json) -> Json:
    """Return the path items of these operations.

    converter: knows how parameters are written
    contents: by what a path ends in, the content of its response, unless it is a feed
    """
    query: dict[str, list[Json]] = {
        "calendars": converter.schema2parameters(FeedArgs(), location="query"),
        "checking": _check_parameters(converter, base_url),
    }
    return {
        path_of(rule): _item(rule, app.view_functions[rule.endpoint], query, contents)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in _TAGS
    }


def _check_parameters(converter: OpenAPIConverter, base_url: str) -> list[Json]:
    """Return the parameters of the check of a feed; what is no address of this installation is refused."""
    [url] = converter.schema2parameters(CheckArgs(), location="query")
    place = re.sub(r"[.\[\]]", r"\\\g<0>", urlsplit(base_url).netloc)
    url["schema"]["pattern"] = rf"^({'|'.join(SCHEMES)})://{place}([/?#].*)?$"
    return [url]


def _content(rule: Rule, contents: Json) -> Json:
    if rule.endpoint in FEEDS:
        name = FEEDS[rule.endpoint].media_type.partition(";")[0]
        return {name: {"schema": {"type": _READ_AS.get(name, "string")}}}
    found: Json = next(content for end, content in contents.items() if rule.rule.endswith(end))
    return found


def _item(rule: Rule, view: Callable[..., Any], query: dict[str, list[Json]], contents: Json) -> Json:
    tag = _TAGS[rule.endpoint.partition(".")[0]]
    said = FEEDS[rule.endpoint].description if rule.endpoint in FEEDS else inspect.getdoc(view) or ""
    summary, _, description = said.partition("\n\n")
    content = _content(rule, contents)
    operation: Json = {
        "tags": [tag],
        "summary": summary,
        "security": cast("Any", view).access.security,
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
