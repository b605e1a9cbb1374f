"""Clients of the application, and the files in which all responses are recorded."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.clocks import FixedClock
from tests.comparison.application import PASSWORD, finish_background_work, list_emails
from tests.comparison.masks import mask_headers, mask_text
from tests.comparison.randomness import Randomness

Route = tuple[str, str]

_MAX_NAME_LENGTH = 150
_UNSAFE_IN_NAMES = re.compile(r"[^\w.=,+-]+", re.ASCII)
_MIN_ERROR_STATUS = 400


# The metrics count the requests of the recording.
_EXCLUDED_ROUTES = frozenset({("GET", "/metrics")})


@dataclass
class RouteCoverage:
    """The routes and methods that have been requested, and whether any response was successful."""

    requested: dict[Route, bool] = field(default_factory=dict)

    def add_response(self, app: Flask, method: str, path: str, *, status: int) -> None:
        """Record the status of a response to a request for `path`."""
        try:
            rule, _values = app.url_map.bind("localhost").match(path, method=method, return_rule=True)
        except HTTPException:
            return
        route = (method, rule.rule)
        self.requested[route] = self.requested.get(route, False) or status < _MIN_ERROR_STATUS

    def list_missing(self, app: Flask) -> list[str]:
        """Return the routes and methods without a successful response."""
        known = {
            (method, rule.rule)
            for rule in app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
        missing = {route for route in known - _EXCLUDED_ROUTES if not self.requested.get(route)}
        return sorted(f"{method} {rule}" for method, rule in missing)


@dataclass
class Recorder:
    """Writes the responses of an application to a folder.

    With a `clock`, requests depend on previous requests. The files are numbered, and each request advances the clock
    by a second.
    """

    app: Flask
    folder: Path
    randomness: Randomness
    routes: RouteCoverage
    base_url: str
    clock: FixedClock | None = None
    count: int = 0
    _name_counts: Counter[str] = field(default_factory=Counter)

    def create_client(self, name: str, **headers: str) -> "RecordingClient":
        """Return a client that sends these headers and stores cookies."""
        return RecordingClient(self, name, self.app.test_client(), headers)

    def send_request(
        self,
        person: "RecordingClient",
        method: str,
        url: str,
        *,
        label: str = "",
        **request: Any,
    ) -> TestResponse:
        """Send a request, record the response, and return the response."""
        name = self._unique_name(f"{person.name} {method} {mask_text(url)}{f' [{label}]' if label else ''}")
        # Seeding makes the identifiers of a request independent of previous requests.
        self.randomness.seed(f"{self.folder.name} {name}")
        answer = person.client.open(url, method=method, base_url=self.base_url, **request)
        self.routes.add_response(self.app, method, answer.request.path, status=answer.status_code)
        self._write_file(name, f"{_format_request(method, url, **request)}\n\n{_format_response(answer)}")
        finish_background_work(self.app)
        if self.clock is not None:
            self.clock.tick()
        return answer

    def write_emails(self, label: str) -> None:
        """Record the subject, recipient and text of all emails in the outbox."""
        texts = (f"To: {one.to}\nSubject: {one.subject}\n\n{one.text}" for one in list_emails(self.app))
        self._write_file(self._unique_name(f"emails {label}"), mask_text("\n----\n".join(texts)))

    def _unique_name(self, said: str) -> str:
        """Return a unique file name."""
        plain = said.replace("/?", "/listing_").replace("?", "__").replace("/", "_")
        name = _UNSAFE_IN_NAMES.sub("_", plain).strip("_")
        if len(name) > _MAX_NAME_LENGTH:
            name = f"{name[:_MAX_NAME_LENGTH]}_{hashlib.sha256(said.encode()).hexdigest()[:8]}"
        self._name_counts[name.lower()] += 1
        times = self._name_counts[name.lower()]
        return name if times == 1 else f"{name}_{times}"

    def _write_file(self, name: str, text: str) -> None:
        self.count += 1
        number = f"{self.count:03}_" if self.clock else ""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{number}{name}.txt").open("xb") as file:
            file.write(text.encode())


@dataclass
class RecordingClient:
    """A client that records all responses. Authentication by access token or session cookie is optional."""

    recorder: Recorder
    name: str
    client: FlaskClient
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(
        self,
        method: str,
        url: str,
        *,
        label: str = "",
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> TestResponse:
        """Return the response to a request with the headers of the client and additional headers."""
        sent = {**self.headers, **(headers or {})}
        return self.recorder.send_request(self, method, url, label=label, headers=sent, **request)

    def get(self, url: str, *, label: str = "", **headers: str) -> TestResponse:
        """Return the response to a GET request. Underscores in header names become hyphens."""
        return self.request("GET", url, label=label, headers=_with_hyphens(headers))

    def call_api(self, method: str, path: str, body: object = None, *, label: str = "", **headers: str) -> TestResponse:
        """Return the response to an API request with an optional JSON body."""
        request = {} if body is None else {"json": body}
        return self.request(method, f"/api/v1{path}", label=label, headers=_with_hyphens(headers), **request)

    def sign_in(self, email: str) -> "RecordingClient":
        """Sign in, add the CSRF token to the headers, and return the client."""
        answer = self.call_api("POST", "/auth/login", {"email": email, "password": PASSWORD})
        self.headers = {**self.headers, "X-CSRF-Token": get_json(answer)["csrf_token"]}
        return self


def get_json(answer: TestResponse) -> dict[str, Any]:
    """Return the JSON object in a successful response. Raise AssertionError for an error response."""
    body = answer.get_json()
    if answer.status_code >= _MIN_ERROR_STATUS or not isinstance(body, dict):
        raise AssertionError(f"{answer.request.method} {answer.request.path}: {answer.status} {answer.text[:500]}")
    return body


def _with_hyphens(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _format_request(method: str, url: str, **request: Any) -> str:
    headers: Mapping[str, str] = request.get("headers", {})
    # Form fields are omitted, because the preceding page contains most of them.
    body = [json.dumps(request["json"], ensure_ascii=False)] if "json" in request else []
    said = [f"{key}: {'{csrf_token}' if key == 'X-CSRF-Token' else value}" for key, value in headers.items()]
    return mask_text("\n".join([f"{method} {url}", *said, *body]))


def _format_response(answer: TestResponse) -> str:
    body = _format_body(answer)
    masked = mask_text(body)
    headers = []
    for name, value in mask_headers(answer.headers.items()):
        is_length = name == "Content-Length" and masked != body
        headers.append(f"{name}: {'{length}' if is_length else value}")
    return "\n".join([answer.status, *headers, "", masked])


def _format_body(answer: TestResponse) -> str:
    raw = answer.get_data()
    if "Content-Encoding" not in answer.headers:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return f"{len(raw)} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"
