"""The examples in docs/api.md: runs each curl command and updates the response in the document.

Run `make examples` after a change to the API.
"""

import json
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.comparison.application import create_application, load_demo
from tests.comparison.randomness import Randomness, patch_secrets

DOCUMENT = Path("docs/api.md")

_NOW = datetime(2014, 7, 1, 12, tzinfo=UTC)
_EXAMPLE_PATTERN = re.compile(r"```sh\n(?P<command>.*?)```\n\n```http\n(?P<response>.*?)```", re.DOTALL)
_COOKIE_FILE_PATTERN = re.compile(r" -[bc] (\S+)")
_SHOWN_HEADERS = ("Location", "ETag", "Link", "Retry-After")
_LINE_WIDTH = 110


@dataclass
class _BrowserSession:
    """A cookie jar of the examples: a client with its cookies and the CSRF token of its session."""

    client: FlaskClient
    csrf_token: str = ""


@dataclass
class _Shell:
    """Runs the commands of docs/api.md with the variables of the document."""

    app: Flask
    randomness: Randomness
    variables: dict[str, str] = field(default_factory=dict)
    browsers: dict[str, _BrowserSession] = field(default_factory=dict)
    changed_values: dict[str, str] = field(default_factory=dict)
    """The current values that replace outdated values of the document, such as identifiers."""

    def refresh_example(self, example: re.Match[str]) -> str:
        """Return the example with the current response."""
        command = self._replace_changed_values(example["command"])
        response = _format_response(self._run_command(command))
        self.changed_values |= _find_changed_values(example["response"], response)
        return f"```sh\n{command}```\n\n```http\n{response}```"

    def _replace_changed_values(self, command: str) -> str:
        for old, new in self.changed_values.items():
            command = command.replace(old, new)
        return command

    def _run_command(self, command: str) -> TestResponse:
        """Set the variables of a block, run the curl command in its last line, and return the response."""
        self.randomness.seed(command)
        *assignments, curl = command.replace("\\\n", "").strip().splitlines()
        for assignment in assignments:
            name, _, value = assignment.partition("=")
            [self.variables[name]] = shlex.split(self._expand_variables(value))
        files = _COOKIE_FILE_PATTERN.findall(curl)
        browser = self.browsers.setdefault("".join(files), _BrowserSession(self.app.test_client()))
        self.variables["CSRF"] = browser.csrf_token
        response = _send_request(browser.client, shlex.split(self._expand_variables(curl)))
        if "-c" in curl:
            browser.csrf_token = (response.json or {}).get("csrf_token", "")
        return response

    def _expand_variables(self, text: str) -> str:
        return Template(text).substitute(self.variables)


def refresh_document(document: str) -> str:
    """Return the document with the responses of the current application."""
    with _open_shell() as shell:
        return _EXAMPLE_PATTERN.sub(shell.refresh_example, document)


@contextmanager
def _open_shell() -> Iterator[_Shell]:
    with tempfile.TemporaryDirectory() as folder, patch_secrets() as randomness:
        randomness.seed("demo")
        with create_application(Path(folder) / "demo", _NOW) as (app, _clock):
            load_demo(app, _NOW)
            yield _Shell(app, randomness)


def _send_request(client: FlaskClient, arguments: list[str]) -> TestResponse:
    """Send the request of a curl command that uses -H, -d, -X and one URL."""
    command, *rest = arguments
    if command != "curl":
        raise ValueError(arguments)
    given: dict[str, list[str]] = {"-H": [], "-d": [], "-X": [], "-b": [], "-c": [], "url": []}
    words = iter(rest)
    for word in words:
        if word != "-i":
            given[word if word in given else "url"].append(next(words) if word in given else word)
    [url], data = given["url"], "".join(given["-d"])
    address = urlsplit(url)
    return client.open(
        address.path,
        query_string=address.query,
        method="".join(given["-X"]) or ("POST" if data else "GET"),
        headers=[("User-Agent", "curl/8.14.1"), *(tuple(header.split(": ", 1)) for header in given["-H"])],
        data=data.encode() or None,
        base_url=f"{address.scheme}://{address.netloc}",
    )


def _format_response(response: TestResponse) -> str:
    status = HTTPStatus(response.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {response.headers[name]}" for name in _SHOWN_HEADERS if name in response.headers]
    if response.data:
        body = json.loads(response.data)
        if "csrf_token" in body:
            # The CSRF token contains the time of the request.
            body["csrf_token"] = "…"
        lines += [f"Content-Type: {response.headers['Content-Type']}", "", _format_json(body, "")]
    return "\n".join([*lines, ""])


def _format_json(value: Any, indent: str) -> str:  # noqa: ANN401 - any JSON
    """Return indented JSON with each object and list on one line if it fits."""
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or (len(indent) + len(line) < _LINE_WIDTH and indent):
        return line
    inner = f"{indent}  "
    if isinstance(value, list):
        items, (start, end) = [_format_json(item, inner) for item in value], "[]"
    else:
        items, (start, end) = [f"{json.dumps(name)}: {_format_json(item, inner)}" for name, item in value.items()], "{}"
    return start + ",".join(f"\n{inner}{item}" for item in items) + f"\n{indent}{end}"


def _find_changed_values(before: str, after: str) -> dict[str, str]:
    """Return the values that differ in the second response, each with its new value."""
    old, new = _parse_values(before), _parse_values(after)
    return {value: new[place] for place, value in old.items() if place in new and new[place] != value}


def _parse_values(response: str) -> dict[str, str]:
    head, _, body = response.partition("\n\n")
    headers = (line.partition(": ") for line in head.splitlines()[1:])
    return {name: value for name, _, value in headers} | dict(_iter_strings(json.loads(body or "null"), ""))


def _iter_strings(value: Any, place: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        yield place, value
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inner:
        yield from _iter_strings(item, f"{place}/{step}")


if __name__ == "__main__":
    current = DOCUMENT.read_text()
    DOCUMENT.write_text(refresh_document(current))
    sys.stdout.write(f"{DOCUMENT}: {'no change' if DOCUMENT.read_text() == current else 'updated'}\n")
