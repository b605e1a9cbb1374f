"""A typed flask-smorest blueprint that parses request bodies and query strings and adds OpenAPI metadata to views."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from typing import Any, NoReturn, TypedDict, Unpack, cast

import flask_smorest
import marshmallow
import orjson
from flask import Request, Response, request
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, PreconditionRequired, UnsupportedMediaType

from eventcal.kit.errors import FieldError, Invalid, Message, VersionConflict
from eventcal.media.images import MAX_UPLOAD_BYTES, MEDIA_TYPES
from eventcal.web.api.prepare_body import prepare_body
from eventcal.web.http.errors import ErrorClass, raise_validation
from eventcal.web.media import max_content_length
from eventcal.web.schemas.response_schema import page_schema

View = Callable[..., Response | None]
ViewDecorator = Callable[[View], View]
JSON_TYPES = frozenset({"application/json", "application/merge-patch+json"})


class _StrictParser(FlaskParser):
    """A request parser that checks the media type and reports all field errors, including unknown fields, together."""

    DEFAULT_VALIDATION_STATUS = 422
    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "query", "headers", "form"), RAISE)

    def load_json(self, req: Request, schema: Schema) -> object:
        del req, schema
        return read_json()

    def handle_error(self, error: marshmallow.ValidationError, req: Request, schema: Schema, **_: object) -> NoReturn:
        del req, schema
        raise_validation(cast("dict[str, Any]", error.messages))


def read_json() -> object:
    """Return the parsed body of the request. Raises UnsupportedMediaType, BadRequest or RequestEntityTooLarge."""
    body = _read_body(JSON_TYPES, wrong_type=Message("Send the body as application/json."))
    try:
        # orjson rejects NaN, invalid UTF-8, lone surrogates, and nesting deeper than 1024 levels.
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(Message("The body is not valid JSON: %(error)s.", error=error)) from error


class OperationOptions(TypedDict, total=False):
    """Options for registering a view, which receives the parsed request body or query string as its first argument.

    `optional_body`: the schema of an optional request body. If the body is missing, the view receives an empty dict.
    `documented_body` and `documented_query`: the schema of a JSON body or query string that the view itself parses.
    `picture`: whether the request body is an image, which the view receives as bytes.
    `returns`, `creates` and `accepts`: the schema of the 200, 201 or 202 response, respectively.
    `lists`: the schema of the items in a page of a list. A view without a response schema returns a 204 response.
    `if_match`: whether the view checks the `If-Match` header.
    `errors`: the errors that cannot be derived from the access rule and the other options.
    """

    body: type[Schema]
    optional_body: type[Schema]
    documented_body: type[Schema]
    picture: bool
    query: type[Schema]
    documented_query: type[Schema]
    returns: type[Schema]
    lists: type[Schema]
    creates: type[Schema]
    accepts: type[Schema]
    if_match: bool
    errors: Sequence[ErrorClass]


class ApiBlueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no type annotations
    """A blueprint for API views. `access` is a decorator from `web/identity/permissions.py`."""

    ARGUMENTS_PARSER = _StrictParser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, name, url_prefix="/api/v1", description=description)

    def get(self, rule: str, access: ViewDecorator, **operation: Unpack[OperationOptions]) -> ViewDecorator:
        return self._register_route("GET", rule, access, operation=operation)

    def post(self, rule: str, access: ViewDecorator, **operation: Unpack[OperationOptions]) -> ViewDecorator:
        return self._register_route("POST", rule, access, operation=operation)

    def put(self, rule: str, access: ViewDecorator, **operation: Unpack[OperationOptions]) -> ViewDecorator:
        return self._register_route("PUT", rule, access, operation=operation)

    def patch(self, rule: str, access: ViewDecorator, **operation: Unpack[OperationOptions]) -> ViewDecorator:
        return self._register_route("PATCH", rule, access, operation=operation)

    def delete(self, rule: str, access: ViewDecorator, **operation: Unpack[OperationOptions]) -> ViewDecorator:
        return self._register_route("DELETE", rule, access, operation=operation)

    def _register_route(
        self, method: str, rule: str, access: ViewDecorator, *, operation: OperationOptions
    ) -> ViewDecorator:
        def decorate(view: View) -> View:
            if_match_errors = (PreconditionRequired, VersionConflict) if operation.get("if_match") else ()
            cast("Any", view).errors = (*operation.get("errors", ()), *if_match_errors)
            inner = self._wrap_body(self._wrap_responses(view, operation), operation)
            inner = access(self._wrap_query(inner, operation))
            if operation.get("picture"):
                inner = max_content_length(MAX_UPLOAD_BYTES)(inner)
            return cast("View", self.route(rule, methods=[method])(inner))

        return decorate

    def _wrap_responses(self, view: View, operation: OperationOptions) -> View:
        page = page_schema(operation["lists"]) if "lists" in operation else operation.get("returns")
        given = {202: operation.get("accepts"), 201: operation.get("creates"), 200: page}
        if not any(given.values()):
            return cast("View", self.response(204)(_return_no_content(view)))
        for status, schema in given.items():
            view = self.response(status, schema)(view) if schema else view
        return view

    def _wrap_body(self, view: View, operation: OperationOptions) -> View:
        if "body" in operation:
            return self._wrap_arguments(_prepare_body_before(view), operation["body"], "json")
        if "optional_body" in operation:
            with_body = self._wrap_arguments(view, operation["optional_body"], "json", required=False)

            @wraps(with_body)
            def wrapper(*args: Any, **kwargs: Any) -> Response | None:
                return with_body(*args, **kwargs) if request.get_data(cache=True) else view({}, *args, **kwargs)

            return wrapper
        if "documented_body" in operation:
            return self._document_arguments(view, operation["documented_body"], "json")
        return self._wrap_image_body(view) if operation.get("picture") else view

    def _wrap_image_body(self, view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response | None:
            wrong_type = Message("Send the image as image/png, image/jpeg or image/webp.")
            return view(_read_body(MEDIA_TYPES, wrong_type=wrong_type), *args, **kwargs)

        body = {"required": True, "content": {media_type: {"schema": {}} for media_type in MEDIA_TYPES}}
        return cast("View", self.doc(requestBody=body)(wrapper))

    def _wrap_query(self, view: View, operation: OperationOptions) -> View:
        if "documented_query" in operation:
            return self._document_arguments(view, operation["documented_query"], "query")
        if "query" in operation:
            return self._wrap_arguments(view, operation["query"], "query")
        return _reject_query_params(view)

    def _document_arguments(self, view: View, schema: type[Schema], location: str) -> View:
        documented = self._wrap_arguments(view, schema, location)
        cast("Any", view)._apidoc = cast("Any", documented)._apidoc  # noqa: SLF001 - where flask-smorest stores it
        return view

    def _wrap_arguments(self, view: View, schema: type[Schema], location: str, *, required: bool = True) -> View:
        # Pass an instance of the schema, because webargs would create a new instance of a class for each request.
        return cast("View", self.arguments(schema(), location=location, required=required)(view))


def _prepare_body_before(view: View) -> View:
    @wraps(view)
    def wrapper(fields: Mapping[str, Any], *args: Any, **kwargs: Any) -> Response | None:
        prepare_body(fields)
        return view(fields, *args, **kwargs)

    return wrapper


def _read_body(media_types: Collection[str], *, wrong_type: Message) -> bytes:
    if request.mimetype not in media_types:
        raise UnsupportedMediaType(wrong_type)
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType(Message("Send the body without a content encoding."))
    return request.get_data(cache=True)


def _return_no_content(view: View) -> View:
    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        view(*args, **kwargs)
        return Response(status=204)

    return wrapper


def _reject_query_params(view: View) -> View:
    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response | None:
        if request.args:
            unknown = Message("is an unknown parameter; remove it")
            raise Invalid(errors=[FieldError(f"?{name}", unknown) for name in sorted(request.args)])
        return view(*args, **kwargs)

    return wrapper
