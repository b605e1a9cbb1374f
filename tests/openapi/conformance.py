"""Validates every response in a test against the OpenAPI document: status, headers, content type and fields."""

from functools import cached_property
from typing import Any

import jsonschema_rs
import orjson
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from eventcal.web.api.openapi.build import response_schema_names
from eventcal.web.api.openapi.document import load_openapi_document
from eventcal.web.api.openapi.operation import openapi_path
from tests.http_app import PatientClient, services_of

Json = dict[str, Any]

# Operations do not document 405 responses for unsupported methods, or 500 responses that a test has provoked.
_UNDOCUMENTED_STATUSES = {405, 500}


def forbid_extra_fields(document: Json) -> Json:
    """Return a copy of the document whose response schemas forbid additional fields."""
    told: Json = orjson.loads(orjson.dumps(document))
    for name in response_schema_names(told):
        told["components"]["schemas"][name]["additionalProperties"] = False
    return told


def check_responses(app: Flask) -> None:
    """Make every test client of the app fail if a response does not match the OpenAPI document."""
    app.test_client_class = type("CheckedClient", (_CheckedClient,), {"checker": _ResponseChecker(app)})


class _ResponseChecker:
    """Validates responses against the OpenAPI document, which is loaded for the first response."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    @cached_property
    def _document(self) -> Json:
        return forbid_extra_fields(load_openapi_document(services_of(self._app).settings))

    def check_response(self, path: str, answer: TestResponse) -> None:
        """Raise AssertionError if the response does not match its documentation at this path."""
        said = self._document["paths"].get(path, {}).get(answer.request.method.lower())
        if said is None or answer.status_code in _UNDOCUMENTED_STATUSES:
            return
        label = f"{answer.request.method} {path} {answer.status_code}"
        told = self._resolve_reference(said["responses"].get(str(answer.status_code)))
        assert told is not None, f"{label} is not told of: {answer.get_data(as_text=True)[:300]}"
        for name, header in told.get("headers", {}).items():
            assert name in answer.headers or not self._resolve_reference(header).get("required"), (
                f"{label} has no {name}"
            )
        assert bool(told.get("content")) is bool(answer.data), f"{label} has a body, or none"
        if "content" in told:
            assert answer.mimetype in told["content"], f"{label} is {answer.mimetype}"
            self._check_json(label, told["content"][answer.mimetype]["schema"], answer)
        if "x-codes" in told and answer.is_json:
            problem = answer.get_json()
            assert problem["status"] == answer.status_code, f"{label} has another status in its body"
            assert problem["code"] in told["x-codes"], f"{label} has an undocumented code: {problem['code']}"

    def _check_json(self, label: str, schema: Json, answer: TestResponse) -> None:
        if not answer.is_json or "Content-Encoding" in answer.headers:
            return
        if label not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[label] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        faults = [
            f"{fault.instance_path}: {fault.message}" for fault in self._validators[label].iter_errors(answer.json)
        ]
        assert not faults, f"{label} says what is not told: {faults}"

    def _resolve_reference(self, part: Json | None) -> Any:  # noqa: ANN401 - any referenced value
        if part is None or "$ref" not in part:
            return part
        _, _, kind, name = part["$ref"].split("/")
        return self._document["components"][kind][name]


class _CheckedClient(PatientClient):
    checker: _ResponseChecker

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request and check the response against the OpenAPI document."""
        answer = super().open(*args, **kwargs)
        adapter = self.application.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(answer.request.path, method=answer.request.method, return_rule=True)
        except HTTPException:
            return answer
        self.checker.check_response(openapi_path(rule), answer)
        return answer
