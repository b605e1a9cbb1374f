"""Holds whatever an app answers in a test against its OpenAPI document: status, headers, type, and every field."""

import copy
from typing import Any

import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from eventcal.web.api.openapi.document import answered_schemas
from eventcal.web.api.openapi.operation import path_of

Json = dict[str, Any]


def closed(document: Json) -> Json:
    """Return a copy whose answers have no field that is not named."""
    told = copy.deepcopy(document)
    for name in answered_schemas(told):
        told["components"]["schemas"][name]["additionalProperties"] = False
    return told


def hold_to_document(app: Flask) -> None:
    """Let every test client of the app fail where an answer is none that the document tells of."""
    document: Json = app.extensions["eventcal_openapi"]()
    app.test_client_class = type("HeldClient", (_Held,), {"told": _Told(closed(document))})


class _Told:
    def __init__(self, document: Json) -> None:
        self._document = document
        self._schema = schemathesis.openapi.from_dict(document)

    def check(self, path: str, answer: TestResponse) -> None:
        """Fail where the answer to a call of the operation at `path` is none that it tells of."""
        method = answer.request.method.lower()
        said = self._document["paths"].get(path, {}).get(method)
        # What no operation answers, a method that is not taken, and a failure that a test planted, have no place there.
        if said is None or answer.status_code in {405, 500}:
            return
        label = f"{method.upper()} {path} {answer.status_code}"
        told = self._resolved(said["responses"].get(str(answer.status_code)))
        assert told is not None, f"{label} is not told of: {answer.get_data(as_text=True)[:300]}"
        for name, header in told.get("headers", {}).items():
            assert name in answer.headers or not self._resolved(header).get("required"), f"{label} has no {name}"
        assert bool(told.get("content")) is bool(answer.mimetype and answer.data), f"{label} has a body, or none"
        if "content" in told:
            assert answer.mimetype in told["content"], f"{label} is {answer.mimetype}"
            if "Content-Encoding" not in answer.headers:
                self._schema[path][method].validate_response(answer)

    def _resolved(self, part: Json | None) -> Any:  # noqa: ANN401 - whatever a reference leads to
        if part is None or "$ref" not in part:
            return part
        _, _, kind, name = part["$ref"].split("/")
        return self._document["components"][kind][name]


class _Held(FlaskClient):
    told: _Told

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as werkzeug has it
        answer = super().open(*args, **kwargs)
        path = self._path(answer)
        if path is not None:
            self.told.check(path, answer)
        return answer

    def _path(self, answer: TestResponse) -> str | None:
        adapter = self.application.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(answer.request.path, method=answer.request.method, return_rule=True)
        except HTTPException:
            return None
        return path_of(rule)
