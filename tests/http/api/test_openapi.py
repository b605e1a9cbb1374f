"""The OpenAPI document is complete and correct for every operation, and the documentation page contains all of it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from eventcal.app import create_app
from eventcal.feeds.clients import ClientKind
from eventcal.web.api.openapi.document import load_openapi_document
from eventcal.web.api.openapi.operation import openapi_path
from eventcal.web.feed_check.feed_url_diagnosis import KINDS_BY_PATH
from tests import sample_calendar
from tests.clocks import FixedClock
from tests.http_app import create_test_app, get_json, make_settings, services_of
from tests.openapi.fuzzing import narrow_document

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[3]
METHODS = ("get", "post", "put", "patch", "delete")
# Routes that are not described: the blueprints of HTML pages, and paths that browsers and robots fetch.
PAGE_ENDPOINTS = ("pages.", "embeds.")
UNDOCUMENTED_PATHS = {"/", "/metrics", "/robots.txt", "/static/{filename}"}
MODERATOR_HEADERS = {"Authorization": f"Bearer {sample_calendar.MODERATOR_TOKEN}"}
PROTECTED_ACCESS = {"member", "organiser", "moderator", "admin", "by_cookie"}


class Operation(NamedTuple):
    """One operation of the document and its view function."""

    method: str
    path: str
    definition: Json
    view: Any

    @property
    def name(self) -> str:
        """Return the name that schemathesis uses."""
        return f"{self.method.upper()} {self.path}"


def _create_app() -> Flask:
    return create_app(make_settings("sqlite:///nowhere.db"), clock=FixedClock())


def _operations(app: Flask) -> Iterator[Operation]:
    paths = DOCUMENT["paths"]
    for rule in app.url_map.iter_rules():
        for method in METHODS:
            said = paths.get(openapi_path(rule), {}).get(method)
            if said is not None and method.upper() in (rule.methods or ()):
                yield Operation(method, openapi_path(rule), said, app.view_functions[rule.endpoint])


APP = _create_app()
DOCUMENT: Json = load_openapi_document(services_of(APP).settings)
ERROR_KINDS: Json = DOCUMENT["components"]["schemas"]["Problem"]["x-codes"]
OPERATIONS = list(_operations(APP))
OPERATIONS_BY_NAME = {operation.name: operation for operation in OPERATIONS}

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=[one.name for one in OPERATIONS])
each_get_path = pytest.mark.parametrize("path", [one.path for one in OPERATIONS if one.method == "get"])
each_path = pytest.mark.parametrize("path", DOCUMENT["paths"])


@pytest.fixture(scope="module")
def client(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """Yield a client of an app with one object of every kind. The tests of this module only read."""
    path = shutil.copy(_sqlite_template, tmp_path_factory.mktemp("calendar") / "eventcal.db")
    with create_test_app(f"sqlite:///{path}", FixedClock()) as app:
        sample_calendar.create_sample_calendar(app)
        yield app.test_client()


NARROWED_PATHS = narrow_document(DOCUMENT)["paths"]


def fill_path(path: str) -> str:
    """Return the path with the IDs of existing objects."""
    return path.format(**{one["name"]: one["schema"]["enum"][0] for one in NARROWED_PATHS[path].get("parameters", [])})


def resolve_reference(part: Json) -> Json:
    """Return the target of a reference, or the part itself."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Json = DOCUMENT["components"][kind][name]
    return found


def error_codes(operation: Operation) -> set[str]:
    """Return every error code that an operation documents."""
    return {code for status in operation.definition["responses"] for code in _error_codes_for_status(operation, status)}


def _error_codes_for_status(operation: Operation, status: str) -> list[str]:
    codes: list[str] = resolve_reference(operation.definition["responses"][status]).get("x-codes", [])
    return codes


def _iter_references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref":
                yield one
            yield from _iter_references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _iter_references(one)


def test_document_is_up_to_date(tmp_path: Path) -> None:
    # The document contains all imported error classes, so it is built in a process without those of the tests.
    command = [sys.executable, "-m", "tests.openapi.document", str(tmp_path / "openapi.json")]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own
    current = (ROOT / "eventcal/web/api/openapi/openapi.json").read_bytes()
    assert current == (tmp_path / "openapi.json").read_bytes(), "`make openapi` updates the document"


def test_document_describes_exactly_the_routes_of_the_api() -> None:
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item if method in METHODS}
    routed = {
        (openapi_path(rule), method.lower())
        for rule in APP.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith(PAGE_ENDPOINTS)
    }
    assert described == {(path, method) for path, method in routed if path not in UNDOCUMENTED_PATHS}


def test_every_reference_resolves_and_every_component_is_used() -> None:
    kinds = ("schemas", "responses", "parameters", "headers")
    there = {f"#/components/{kind}/{name}" for kind in kinds for name in DOCUMENT["components"][kind]}
    assert set(_iter_references(DOCUMENT)) == there


def test_schemathesis_reads_every_operation() -> None:
    read: Any = schemathesis.openapi.from_dict(DOCUMENT)
    assert sorted(found.ok().label for found in read.get_all_operations()) == sorted(OPERATIONS_BY_NAME)


def test_operation_ids_are_unique_and_derived_from_method_and_path() -> None:
    names = {one.name: one.definition["operationId"] for one in OPERATIONS}
    assert len(set(names.values())) == len(names)
    some = (
        "GET /api/v1/events",
        "POST /api/v1/events/{slug}/talks",
        "DELETE /api/v1/events/{slug}/team/{member_id}",
        "GET /calendar.ics",
        "GET /talks/{talk_id}.ics",
    )
    assert [names[name] for name in some] == [
        "get_events",
        "post_event_talks",
        "delete_event_team_member",
        "get_calendar_ics",
        "get_talk_ics",
    ]


@each_operation
def test_operation_documents_summary_and_access(operation: Operation) -> None:
    said, access = operation.definition, operation.view.access
    assert re.fullmatch(r"[A-Z].*\.", said["summary"])
    assert said["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    who = {"public": "anyone", "feed": "anyone", "by_cookie": "member, signed in by password"}
    assert said["x-access"] == who.get(access.name, access.name)
    ways = {way: scopes for one in said["security"] for way, scopes in one.items()}
    assert ways == {
        "public": {"token": [], "session": []},
        "feed": {},
        "by_cookie": {"session": []},
    }.get(access.name, {"token": [str(access.scope)], "session": []})
    assert ({} in said["security"] or not said["security"]) is (access.name in {"public", "feed"})


@each_operation
def test_operation_documents_request_headers(operation: Operation) -> None:
    unsafe, guarded = operation.method != "get", operation.view.access.name in PROTECTED_ACCESS
    sent = {
        resolve_reference(one)["name"]
        for one in operation.definition["parameters"]
        if resolve_reference(one)["in"] == "header"
    }
    expected = set()
    if not unsafe and "health" not in operation.definition["tags"]:
        expected |= {"If-None-Match", "If-Modified-Since"}
    if operation.name in {
        f"PATCH /api/v1/{one}" for one in ("events/{slug}", "talks/{talk_id}", "speakers/{slug}", "sponsors/{slug}")
    }:
        expected.add("If-Match")
    if operation.method == "post" and guarded and not operation.path.startswith("/api/v1/auth/"):
        expected.add("Idempotency-Key")
    if (unsafe and guarded) or operation.path in {"/api/v1/auth/logout", "/api/v1/auth/confirm"}:
        expected.add("X-CSRF-Token")
    assert sent == expected
    assert ("428" in operation.definition["responses"]) is ("If-Match" in sent)


@each_operation
def test_error_responses_are_problems_with_known_codes(operation: Operation) -> None:
    known = {(kind["status"], code) for code, kind in ERROR_KINDS.items()}
    for status in operation.definition["responses"]:
        if status >= "400" and operation.path != "/readyz":
            answer = resolve_reference(operation.definition["responses"][status])
            assert list(answer["content"]) == ["application/problem+json"]
            assert {(int(status), code) for code in _error_codes_for_status(operation, status)} <= known
            assert _error_codes_for_status(operation, status)
            assert answer["description"]


@each_operation
def test_operation_documents_response_headers(operation: Operation) -> None:
    answers = {status: resolve_reference(answer) for status, answer in operation.definition["responses"].items()}
    required = {
        status: {
            name for name, header in answer.get("headers", {}).items() if resolve_reference(header).get("required")
        }
        for status, answer in answers.items()
    }
    for status, header in (
        ("201", "Location"),
        ("401", "WWW-Authenticate"),
        ("429", "Retry-After"),
        ("503", "Retry-After"),
    ):
        assert status not in answers or header in required[status]
    if operation.method == "get" and "health" not in operation.definition["tags"]:
        assert {"ETag", "Cache-Control", "Vary"} <= required["200"]
        assert {"ETag", "Cache-Control", "Vary"} <= required["304"]
        assert "content" not in answers["304"]
    paged = any(one.get("name") == "cursor" for one in operation.definition["parameters"])
    assert ("Link" in answers.get("200", {}).get("headers", {})) is paged


def test_only_request_schemas_forbid_additional_properties() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        is_body = name.endswith(("In", "Patch", "Fields")) or name in {"Place", "Money", "Registration"} | {
            "SpeakerOnTalk",
            "SponsorNamed",
        }
        assert (schema.get("additionalProperties") is False) is is_body, name


def test_patch_schema_has_the_fields_of_its_post_schema() -> None:
    types = {one.name: sorted(one.definition["requestBody"]["content"]) for one in OPERATIONS if one.method == "patch"}
    assert set(map(tuple, types.values())) == {("application/json", "application/merge-patch+json")}
    schemas = DOCUMENT["components"]["schemas"]
    for patch, post in (("EventPatch", "EventIn"), ("TalkPatch", "TalkIn")):
        ours, theirs = schemas[patch]["properties"], schemas[post]["properties"]
        assert "required" not in schemas[patch]
        assert {name: ours[name] for name in ours.keys() & theirs.keys()} == {
            name: theirs[name] for name in ours.keys() & theirs.keys()
        }
        assert ours.keys() ^ theirs.keys() <= {"room", "draft"}


def test_lists_and_feeds_document_the_same_filters() -> None:
    def query(path: str) -> list[Json]:
        return [one for one in DOCUMENT["paths"][path]["get"]["parameters"] if one.get("in") == "query"]

    lists = [query(path) for path in ("/api/v1/events", "/api/v1/talks", "/api/v1/events/{slug}/talks")]
    feeds = [query(path) for path in DOCUMENT["paths"] if path.endswith(".ics")]
    assert all(one == lists[0] for one in lists)
    assert all(one == feeds[0] for one in feeds)
    only_lists, only_feeds = {"sort", "limit", "cursor"}, {"include", "cancelled", "tz", "profile"}
    assert [one for one in lists[0] if one["name"] not in only_lists] == [
        one for one in feeds[0] if one["name"] not in only_feeds
    ]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("POST /api/v1/events/{slug}/talks", {"talks-closed", "event-over"}),
        ("POST /api/v1/sponsorships/{sponsorship_id}/confirm", {"tier-full", "forbidden-step"}),
        ("PATCH /api/v1/events/{slug}", {"slug-taken", "slug-fixed", "stale", "precondition-required"}),
        ("POST /api/v1/events", {"slug-taken", "idempotency-in-progress", "idempotency-key-reused"}),
        ("POST /api/v1/talks/{talk_id}/confirm", {"forbidden-step", "csrf", "insufficient-scope"}),
        ("DELETE /api/v1/me", {"last-organiser"}),
        ("GET /feeds/{secret}.ics", {"gone"}),
    ],
)
def test_operation_documents_its_domain_error_codes(name: str, codes: set[str]) -> None:
    assert codes <= error_codes(OPERATIONS_BY_NAME[name])


def test_document_is_served_unchanged(client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    served = get_json(answer)
    assert served["openapi"] == "3.1.0"
    assert served["paths"] == DOCUMENT["paths"]
    assert served["servers"] == [{"url": "http://127.0.0.1:8000", "description": "eventcal"}]


@each_path
def test_options_and_405_responses_list_documented_methods(client: FlaskClient, path: str) -> None:
    described = {method.upper() for method in DOCUMENT["paths"][path] if method in METHODS}
    allowed = described | {"OPTIONS"} | ({"HEAD"} if "GET" in described else set())
    options = client.options(fill_path(path))
    assert (options.status_code, set(options.headers["Allow"].split(", "))) == (200, allowed)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - described:
        answer = client.open(fill_path(path), method=method)
        assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
        assert set(answer.headers["Allow"].split(", ")) == allowed


@each_get_path
def test_head_response_has_the_headers_of_get_and_no_body(client: FlaskClient, path: str) -> None:
    get, head = (client.open(fill_path(path), method=method, headers=MODERATOR_HEADERS) for method in ("GET", "HEAD"))
    assert (head.status_code, dict(head.headers), head.data) == (get.status_code, dict(get.headers), b"")


class _PageParser(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.ids += [name for name in [said.get("id")] if name]
        self.links += [link for name in ("href", "src", "action") if (link := said.get(name))]
        assert tag not in {"script", "iframe", "img", "object", "embed"}


@pytest.fixture
def docs_html(client: FlaskClient) -> str:
    """Return the HTML of the documentation page."""
    answer = client.get("/api/v1/docs")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    return answer.get_data(as_text=True)


def test_documentation_page_contains_every_operation_schema_and_problem(docs_html: str) -> None:
    page = _PageParser(docs_html)
    assert len(page.ids) == len(set(page.ids))
    assert {one.definition["operationId"] for one in OPERATIONS} <= set(page.ids)
    assert {f"shape-{name}" for name in DOCUMENT["components"]["schemas"]} <= set(page.ids)
    assert {f"problem-{code}" for code in ERROR_KINDS} <= set(page.ids)


def test_documentation_page_links_resolve(docs_html: str, client: FlaskClient) -> None:
    page = _PageParser(docs_html)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    others = {link for link in page.links if not link.startswith("#")}
    assert others == {"/api/v1/openapi.json", "/static/docs.css"}
    with client.get("/static/docs.css") as styles:
        assert (styles.status_code, b"url(" in styles.data, b"@import" in styles.data) == (200, False, False)


def test_feed_check_report_documents_all_feed_and_client_kinds() -> None:
    content = DOCUMENT["paths"]["/feeds/check"]["get"]["responses"]["200"]["content"]
    report = content["application/json"]["schema"]["properties"]
    assert report["feed"]["properties"]["kind"]["enum"] == [*KINDS_BY_PATH.values(), "other"]
    for name in ("fetches", "clients"):
        assert report[name]["items"]["properties"]["client"]["enum"] == [str(kind) for kind in ClientKind]
