"""Hostile input is stored as written or rejected with a problem; it never causes an internal error."""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventcal.talks.models import Talk
from tests.api_client import API_URL, ApiClient, ApiResponse, count_rows
from tests.http_app import database_of

TALKS_PATH = "/events/summit/talks"

pytestmark = [pytest.mark.usefixtures("summit"), pytest.mark.both_databases]

TEXTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; &amp; &#x41;",
    "{{ 7*7 }} ${7*7} %s %n {0}",
    "'; DROP TABLE talks; --",
    '=HYPERLINK("http://evil.example";"x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "BEGIN:VEVENT\\nEND:VEVENT;,:",
    "\u202egnp.exe\u202c",
    "\u2066isolate\u2069 \u200f \ufeff",
    "e\u0301 \u00e9 \ufb03 \u0130 \u0131 \u00df \u1e9e",
    "👩‍👩‍👧‍👦🏳️‍🌈 🇩🇪",
    "\U0010ffff \U000e0041",
    "a" * 200,
    "漢字" * 100,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "../../etc/passwd",
    "%00%0d%0aX-Header: 1",
]


def test_hostile_text_is_stored_as_written(member: ApiClient, organiser: ApiClient) -> None:
    for text in TEXTS:
        made = member.post(TALKS_PATH, {"title": text, "abstract": f"{text}\n\n{text}", "tags": [text[:50]]})
        assert made.status == 201, (text, made.data)
        seen = organiser.get(f"/talks/{made.json['id']}").json
        assert (seen["title"], seen["abstract"], seen["tags"]) == (text, f"{text}\n\n{text}", [text[:50]])
        assert "<script" not in seen["abstract_html"]
        assert "<img" not in seen["abstract_html"]
        fields = {"title": text, "summary": text, "series": text[:80], "tags": [text[:50]]}
        event = organiser.patch("/events/summit", fields | {"location": {"city": text}})
        assert {name: event.json[name] for name in fields} == fields
        assert event.json["location"]["city"] == text
        assert organiser.patch("/me", {"name": text}).json["name"] == text


def test_slug_is_ascii_for_any_title(member: ApiClient) -> None:
    for title in ("👩", "%0d%0aX: 1", "../../x", "\u202ex", "漢字", "-", "a" * 200):
        made = member.post("/events", {"title": title, "timezone": "UTC", "starts": "2026-09-01"})
        assert re.fullmatch(rf"{re.escape(API_URL)}/events/[a-z0-9-]{{1,80}}", made.headers["Location"])
        assert member.get(made.headers["Location"]).json["title"] == title


CONTROL_CHARACTERS = ["\x00", "\x01", "\x08", "\x0b", "\x1b[31m", "\x7f", "\x85", "\x9f", "\ufffe", "\uffff"]
LINE_BREAKS = ["\n", "\r", "\r\n", "\t", "\u2028", "\u2029"]


def test_control_characters_are_rejected_with_their_position(member: ApiClient, organiser: ApiClient) -> None:
    for character in CONTROL_CHARACTERS:
        faults = member.post(
            TALKS_PATH, {"title": f"a{character}b", "abstract": f"a{character}", "tags": [character]}
        ).errors
        assert faults.keys() == {"/title", "/abstract", "/tags/0"}
        assert f"U+{ord(character[0]):04X}" in faults["/title"]
        assert "at position 2" in faults["/title"]
        assert organiser.post("/events/summit/rooms", {"name": character}).errors.keys() == {"/name"}
    for character in LINE_BREAKS:
        assert member.post(TALKS_PATH, {"title": f"a{character}b"}).errors.keys() == {"/title"}
        kept = member.post(TALKS_PATH, {"title": "x", "abstract": f"a{character}b"})
        assert kept.status == (422 if character == "\r" else 201), repr(character)
    for blank in ("", " ", "\u00a0\u200b\u2003"):
        assert member.post(TALKS_PATH, {"title": blank}).errors == {"/title": "must not be blank"}


def _nested_json(opening: str, closing: str, depth: int) -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


RAW_BODIES: list[tuple[bytes, int]] = [
    (b"", 400),
    (b" ", 400),
    (b"{", 400),
    (b'{"title": "x"', 400),
    (b'{"title": "x"}}', 400),
    (b"{'title': 'x'}", 400),
    (b'{"title": "x",}', 400),
    (b'{"title": NaN}', 400),
    (b'{"title": Infinity}', 400),
    (b'{"duration_minutes": 1e400}', 400),
    (b'{"title": "\\ud800"}', 400),
    (b'{"\\udc00": 1}', 400),
    (b'{"title": "\xff"}', 400),
    (b'\xef\xbb\xbf{"title": "x"}', 400),
    ('{"title": "x"}'.encode("utf-16"), 400),
    (b"[" * 200_000, 400),
    (b'{"a":' * 200_000, 400),
    (_nested_json("[", "]", 5000), 400),
    (_nested_json("[", "]", 1000), 422),
    (_nested_json('{"title":', "}", 1000), 422),
    (_nested_json('{"title":', "}", 5000), 400),
    (b"null", 422),
    (b"[]", 422),
    (b"[[]]", 422),
    (b'"title"', 422),
    (b"0", 422),
    (b"true", 422),
    (b"{}", 422),
    (b'{"title": "x", "duration_minutes": 99999999999999999999999999}', 422),
    (b'{"title": "x", "duration_minutes": -1e308}', 422),
    (b'{"title": "x", "duration_minutes": 1.0}', 201),
    (b'{"title": "x", "duration_minutes": "1"}', 422),
    (b'{"title": "x", "duration_minutes": true}', 422),
    (b'{"title": "x", "title": null}', 422),
    (b'{"title": null, "title": "x"}', 201),
    (b'{"title": "x", "__proto__": {"admin": true}}', 422),
    (b'{"title": "x", "": 1, "/a~b": 2}', 422),
    (b'{"title": "x", "abstract": "' + b"a" * 100_000 + b'"}', 422),
    (b'{"title": "x", "abstract": "' + b"a" * 20_000 + b'"}', 201),
    (b'{"title": "x", "tags": [' + b'"a",' * 50_000 + b'"a"]}', 422),
    (b'{"title": "x", "speakers": [' + b"{}," * 50_000 + b"{}]}", 422),
    (b"{" + b",".join(b'"%d": 1' % i for i in range(50_000)) + b"}", 422),
    (b'{"title": "' + b"x" * (1024 * 1024) + b'"}', 413),
]


def test_any_body_is_accepted_or_rejected_with_expected_status(app: Flask, member: ApiClient) -> None:
    for body, status in RAW_BODIES:
        for kind in ("application/json", "application/merge-patch+json"):
            answer = member.post(TALKS_PATH, body, Content_Type=kind)
            assert (body[:60], answer.status) == (body[:60], status)
            assert status == 201 or answer.status_and_code[0] == status
            assert len(answer.data) < 60_000
    assert count_rows(app, Talk) == 2 * sum(status == 201 for _body, status in RAW_BODIES)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_non_json_content_type_returns_415(member: ApiClient, organiser: ApiClient, method: str) -> None:
    talk = member.post(TALKS_PATH, {"title": "x"}).json["id"]
    path = {"POST": TALKS_PATH, "PATCH": f"/talks/{talk}", "PUT": "/events/summit/team"}[method]
    for kind in (
        *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/json", ""),
        *("application/xml", "application/json-patch+json", "application/jsonx", "*/*", "nonsense"),
    ):
        answer = organiser.call(method, path, b'{"title": "x"}', headers={"Content-Type": kind, "If-Match": "*"})
        assert (kind, answer.status_and_code) == (kind, (415, "unsupported-media-type"))


def test_compressed_body_returns_415(member: ApiClient) -> None:
    body = gzip.compress(b'{"title": "x"}')
    answer = member.post(TALKS_PATH, body, Content_Type="application/json", Content_Encoding="gzip")
    assert answer.status_and_code == (415, "unsupported-media-type")


# One value of each type for each field: the response is a success or a 422 with the field's pointer.
FIELD_VALUES: list[Any] = [None, True, -1, 1.5, "", "x", [], {}, [[]], [{}], {"a": {"b": []}}, 2**63]


def test_wrong_type_in_any_field_is_reported_with_pointer(member: ApiClient, organiser: ApiClient) -> None:
    talk = member.post(TALKS_PATH, {"title": "x"}).json["id"]
    tier = organiser.post("/events/summit/tiers", {"name": "x"}).json["id"]
    places: list[tuple[Callable[[Any], ApiResponse], list[str]]] = [
        (lambda body: organiser.patch(f"/talks/{talk}", body), _FIELDS["talk"]),
        (lambda body: organiser.patch("/events/summit", body), _FIELDS["event"]),
        (lambda body: organiser.patch(f"/tiers/{tier}", body), ["name", "rank", "price", "capacity", "benefits"]),
        (lambda body: member.patch("/speakers/ada-lovelace", body), ["name", "bio", "links", "photo_url"]),
        (lambda body: member.post("/me/feeds", body), ["name"]),
        (lambda body: organiser.put("/events/summit/team", body), ["email", "role"]),
    ]
    for send, fields in places:
        for field in fields:
            for value in FIELD_VALUES:
                answer = send({field: value})
                assert answer.status in {200, 201, 409, 422}, (field, value, answer.data)
                if answer.status == 422:
                    assert all(place.startswith("/") for place in answer.errors), (field, value)


_FIELDS = {
    "talk": [
        *("title", "abstract", "kind", "language", "track", "room", "starts", "ends", "duration_minutes", "tags"),
        *("speakers", "notes", "slides_url", "recording_url", "reprise_of"),
    ],
    "event": [
        *("title", "kind", "summary", "description", "programme", "attendance", "timezone", "starts", "ends"),
        *("location", "online_url", "url", "registration", "tags", "status", "series", "recurrence"),
        "recurrence_overrides",
        *("co_located_with", "call_for_talks", "slug"),
    ],
}


PATHS = [
    *("/events/%00", "/events/a%00b/talks", "/talks/%0a", "/talks/%7f", "/speakers/%01", "/sponsors/%1b"),
    *("/events/%ff%fe", "/events/%ed%a0%80", "/talks/%F0%9F%A6%84", "/events/.%2e/%2e.", "/talks/'%20OR%201=1"),
    *("/events/" + "a" * 5000, "/talks/" + "%25" * 500, "/events/%E2%80%AE", "//events", "/events//talks"),
]


def test_malformed_path_returns_404(anonymous: ApiClient, moderator: ApiClient) -> None:
    for path in PATHS:
        for api in (anonymous, moderator):
            assert (path, api.get(path).status_and_code) == (path, (404, "not-found"))
        assert (path, moderator.post(f"{path}/publish").status) in {(path, 404), (path, 405)}


QUERIES = [
    *("q=%00", "q=%ff", "q=%ed%a0%80", "tag=%0d%0aSet-Cookie:x", "%00=1", "q", "&&&", "=", "q[]=1", "q=%"),
    *("cursor=%00", "limit=1e9", "from=0000-00-00", "from=9999-12-31", "updated_since=9999-12-31T23:59:59Z"),
    *(f"q={'a' * 5000}", f"q={'a+' * 100}", "&".join(f"tag={i}" for i in range(500)), f"event={'a,' * 500}"),
    *("since=-1", f"since={'9' * 400}", "since=1e3", "since=%D9%A3"),
]


def test_malformed_query_returns_200_or_422(anonymous: ApiClient) -> None:
    for path in ("/calendar.ics", "/api/v1/events", "/api/v1/talks", "/api/v1/changes", "/api/v1/speakers"):
        for query in QUERIES:
            answer = anonymous.get_feed(f"{path}?{query}")
            assert answer.status in {200, 422}, (path, query, answer.data)
            assert answer.status == 200 or answer.status_and_code[0] == answer.status
            assert "Set-Cookie" not in answer.headers


HEADERS = [
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer \x80ÿ"},
    {"Authorization": "Bearer " + "x" * 7000},
    {"Cookie": "eventcal=x"},
    {"Cookie": "eventcal=\x80; ;;=;"},
    {"Accept-Encoding": "br;q=2, ;;;, gzip;q=, *;q=0"},
    {"Accept": "text/html;q=nonsense"},
    {"If-None-Match": '"' * 999},
    {"If-Modified-Since": "yesterday"},
    {"If-Match": "\x80"},
    {"Range": "bytes=0-0,-1"},
    {"Idempotency-Key": "\x80"},
    {"X-Forwarded-For": "nonsense, 1.2.3.4"},
    {"X-Forwarded-Host": "evil.example"},
    {"Host": "evil.example"},
    {"Content-Length": "0"},
]


def test_malformed_headers_cause_no_server_error(anonymous: ApiClient) -> None:
    for headers in HEADERS:
        read = anonymous.call("GET", "/events", headers=headers)
        written = anonymous.call("POST", TALKS_PATH, {}, headers=headers)
        assert read.status in {200, 401}, headers
        assert written.status in {400, 401, 403}, headers
        assert b"evil.example" not in read.data + str(read.headers).encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(_FIELDS["talk"]), json_values, max_size=4))
def test_random_body_causes_no_server_error(member: ApiClient, body: dict[str, Any]) -> None:
    answer = member.post(TALKS_PATH, json.dumps({"title": "x", **body}).encode(), Content_Type="application/json")
    assert answer.status in {201, 400, 422}, answer.data


def test_rejected_requests_leak_no_database_connections(app: Flask, member: ApiClient) -> None:
    for _ in range(3):
        member.post(TALKS_PATH, b"{", Content_Type="application/json")
        member.post(TALKS_PATH, {"title": "x", "speakers": [{"name": "New"}, {"slug": "nobody"}]})
    pool: Any = database_of(app).engine.pool
    assert pool.checkedout() == 0
