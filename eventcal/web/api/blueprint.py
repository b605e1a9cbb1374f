"""flask-smorest, typed and made to our rules once: how a body is read, how an answer is written, what is documented."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any, ClassVar, NoReturn, ParamSpec, TypeVar, cast

import flask_smorest
import marshmallow
import orjson
from flask import Request, request
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser

from eventcal.kit.refusals import Fault, Invalid, Refusal, Sentence
from eventcal.media.picture import LARGEST_UPLOAD, MEDIA_TYPES
from eventcal.web.http.errors import BadRequest, UnsupportedMediaType, refuse_messages
from eventcal.web.media import takes_up_to

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, R]
Check = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Returns what is wrong with the valid fields of a body, by their names, as far as their shape does not show it."""

JSON_TYPES = frozenset({"application/json", "application/merge-patch+json"})


class _Parser(FlaskParser):
    """Reads a body strictly: the right type, readable, and every fault at once in our own words."""

    DEFAULT_VALIDATION_STATUS = 422
    checks: ClassVar[dict[Schema, Check]] = {}
    """What else a body is held against. It is asked even where other fields are wrong, so that all is told at once."""

    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "query", "headers", "form"), RAISE)

    def load_json(self, req: Request, schema: Schema) -> object:
        """Return the body as JSON. Raises UnsupportedMediaType, BadRequest, RequestEntityTooLarge."""
        del schema
        return read_json(req)

    def handle_error(self, error: marshmallow.ValidationError, req: Request, schema: Schema, **_: object) -> NoReturn:
        """Turn marshmallow's messages into faults with their places."""
        del req
        messages = cast("dict[str, Any]", error.messages)
        check = self.checks.get(schema)
        if check is not None and isinstance(error.valid_data, dict):
            messages = {place: {**found, **check(error.valid_data)} for place, found in messages.items()}
        refuse_messages(messages)


def read_json(req: Request) -> object:
    """Return what the body says. Raises UnsupportedMediaType for another type, BadRequest for what is no JSON."""
    if req.mimetype not in JSON_TYPES:
        raise UnsupportedMediaType(Sentence("Send the body as application/json."))
    _check_plain(req)
    body = req.get_data(cache=True)
    try:
        # orjson refuses what is nested deeper than 1024, lone surrogates, NaN and bytes that are not UTF-8.
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(Sentence("The body cannot be read as JSON: %(error)s.", error=error)) from error


class Subject(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest carries no types
    """The routes of one subject under /api/v1."""

    ARGUMENTS_PARSER = _Parser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, name, url_prefix="/api/v1", description=description)

    def get(self, rule: str) -> Callable[[View[P, R]], View[P, R]]:
        """Answer GET (and HEAD) at `rule`."""
        return self._at(rule, "GET")

    def post(self, rule: str) -> Callable[[View[P, R]], View[P, R]]:
        """Answer POST at `rule`."""
        return self._at(rule, "POST")

    def put(self, rule: str) -> Callable[[View[P, R]], View[P, R]]:
        """Answer PUT at `rule`."""
        return self._at(rule, "PUT")

    def patch(self, rule: str) -> Callable[[View[P, R]], View[P, R]]:
        """Answer PATCH at `rule`."""
        return self._at(rule, "PATCH")

    def delete(self, rule: str) -> Callable[[View[P, R]], View[P, R]]:
        """Answer DELETE at `rule`."""
        return self._at(rule, "DELETE")

    def _at(self, rule: str, method: str) -> Callable[[View[P, R]], View[P, R]]:
        route = cast("Callable[[View[P, R]], View[P, R]]", self.route(rule, methods=[method]))
        return lambda view: route(view if _reads_query(view) else _without_query(view))

    def body(
        self, schema: type[Schema] | Schema, *, required: bool = True, check: Check | None = None
    ) -> Callable[[View[..., R]], View[..., R]]:
        """Hand the view the request's body, loaded by `schema` and held against `check`, as its first argument."""
        made = _made(schema)
        reading = cast(
            "Callable[[View[..., R]], View[..., R]]", self.arguments(made, location="json", required=required)
        )
        if check is None:
            return reading
        _Parser.checks[made] = check

        def decorate(view: View[..., R]) -> View[..., R]:
            @wraps(view)
            def checked(fields: dict[str, Any], *args: Any, **kwargs: Any) -> R:  # noqa: ANN401 - whatever the route gives
                messages = check(fields)
                if messages:
                    refuse_messages({"json": messages})
                return view(fields, *args, **kwargs)

            return reading(checked)

        return decorate

    def optional_body(self, schema: type[Schema]) -> Callable[[View[..., R]], View[..., R]]:
        """Hand the view the body as its first argument, or None where there is none."""

        def decorate(view: View[..., R]) -> View[..., R]:
            with_body = self.body(schema, required=False)(view)

            @wraps(view)
            def read(*args: Any, **kwargs: Any) -> R:  # noqa: ANN401 - whatever the route gives
                return with_body(*args, **kwargs) if request.get_data(cache=True) else view(None, *args, **kwargs)

            cast("Any", read)._apidoc = cast("Any", with_body)._apidoc  # noqa: SLF001 - flask-smorest's own place for it
            return read

        return decorate

    def picture(self, view: View[..., R]) -> View[..., R]:
        """Hand the view the picture that the body is, as it was sent, as its first argument."""

        @wraps(view)
        def read(*args: Any, **kwargs: Any) -> R:  # noqa: ANN401 - whatever the route gives
            return view(_read_picture(request), *args, **kwargs)

        body = {"required": True, "content": {media_type: {"schema": {}} for media_type in MEDIA_TYPES}}
        documented = deepcopy(getattr(view, "_apidoc", {}))
        documented.setdefault("manual_doc", {})["requestBody"] = body
        cast("Any", read)._apidoc = documented  # noqa: SLF001 - flask-smorest's own place for it
        return takes_up_to(LARGEST_UPLOAD)(read)

    def documents_query(self, schema: type[Schema]) -> Callable[[View[P, R]], View[P, R]]:
        """Document the query's parameters; the view reads them itself."""

        def decorate(view: View[P, R]) -> View[P, R]:
            documented = cast("Any", self.arguments(schema, location="query")(view))

            @wraps(view)
            def same(*args: P.args, **kwargs: P.kwargs) -> R:
                return view(*args, **kwargs)

            cast("Any", same)._apidoc = documented._apidoc  # noqa: SLF001 - flask-smorest's own place for it
            return same

        return decorate

    def query(self, schema: type[Schema] | Schema) -> Callable[[View[..., R]], View[..., R]]:
        """Hand the view the query's parameters, loaded by `schema`, as its first argument."""
        return cast("Callable[[View[..., R]], View[..., R]]", self.arguments(_made(schema), location="query"))

    def answers(
        self, status: int, schema: type[Schema] | Schema | None = None, *, description: str | None = None
    ) -> Callable[[View[P, Any]], View[P, Any]]:
        """Write what the view returns with `schema`, under `status`."""
        return cast("Callable[[View[P, Any]], View[P, Any]]", self.response(status, schema, description=description))

    def refuses(self, *kinds: type[Refusal]) -> Callable[[View[P, R]], View[P, R]]:
        """Document what the view refuses beside what follows from its mark, its body and its parameters."""

        def decorate(view: View[P, R]) -> View[P, R]:
            cast("Any", view).refuses = kinds
            return view

        return decorate


def _read_picture(req: Request) -> bytes:
    """Return the body. Raises UnsupportedMediaType for another type, RequestEntityTooLarge."""
    if req.mimetype not in MEDIA_TYPES:
        raise UnsupportedMediaType(Sentence("Send the picture itself as image/png, image/jpeg or image/webp."))
    _check_plain(req)
    return req.get_data(cache=True)


def _check_plain(req: Request) -> None:
    if req.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType(Sentence("Send the body as it is: compressed ones are not read here."))


def _made(schema: type[Schema] | Schema) -> Schema:
    """Return a schema that is made once: a class would be made anew for each request, field by field."""
    return schema() if isinstance(schema, type) else schema


def _reads_query(view: View[P, R]) -> bool:
    documented = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", [])
    return any(parameter["in"] == "query" for parameter in documented)


def _without_query(view: View[P, R]) -> View[P, R]:
    """Let the view refuse every parameter: it knows none, and a typing error should not pass for an answer."""

    @wraps(view)
    def strict(*args: P.args, **kwargs: P.kwargs) -> R:
        if request.args:
            faults = [Fault(f"?{name}", Sentence("is not a parameter here")) for name in sorted(request.args)]
            raise Invalid(faults=faults)
        return view(*args, **kwargs)

    return strict
