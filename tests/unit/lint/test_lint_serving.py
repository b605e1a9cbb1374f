"""Every rule on serving calendars, with a response that violates only that rule."""

from dataclasses import replace

import pytest

from eventcal.lint.response_checks import ServerResponses, lint_http_responses
from eventcal.lint.rules import RULES_BY_SUBJECT

HEADERS = {
    "content-type": 'text/calendar; component=vevent; charset="UTF-8"',
    "etag": '"1-gzip"',
    "last-modified": "Sun, 01 Mar 2026 12:00:00 GMT",
    "cache-control": "public, max-age=300",
}
VALID_RESPONSES = ServerResponses(status=200, headers=HEADERS, head_status=200, conditional_status=304)


def without_header(name: str) -> ServerResponses:
    return replace(VALID_RESPONSES, headers={key: value for key, value in HEADERS.items() if key != name})


def with_header(name: str, value: str) -> ServerResponses:
    return replace(VALID_RESPONSES, headers={**HEADERS, name: value})


CASES = [
    ("content-type", without_header("content-type")),
    ("content-type", with_header("content-type", "text/html; charset=utf-8")),
    ("charset", with_header("content-type", "text/calendar")),
    ("charset", with_header("content-type", "text/calendar; charset=iso-8859-1")),
    ("etag-missing", without_header("etag")),
    ("etag-form", with_header("etag", "1")),
    ("etag-form", with_header("etag", "w/'1'")),
    ("etag-weak", with_header("etag", 'W/"1"')),
    ("last-modified", without_header("last-modified")),
    ("last-modified", with_header("last-modified", "2026-03-01T12:00:00Z")),
    ("last-modified", with_header("last-modified", "Sun, 99 Mar 2026 12:00:00 GMT")),
    ("cache-control", without_header("cache-control")),
    ("not-modified", replace(VALID_RESPONSES, conditional_status=200)),
    ("head", replace(VALID_RESPONSES, head_status=405)),
]


def test_correctly_served_calendar_has_no_findings() -> None:
    assert lint_http_responses(VALID_RESPONSES) == []
    assert lint_http_responses(replace(VALID_RESPONSES, conditional_status=None)) == []


@pytest.mark.parametrize(("code", "served"), CASES)
def test_single_serving_violation_gives_exactly_one_finding(code: str, served: ServerResponses) -> None:
    (rule,) = (rule for rule in RULES_BY_SUBJECT["Serving"] if rule.code == code)
    assert [(one.line, one.code, one.severity, one.section) for one in lint_http_responses(served)] == [
        (0, code, rule.severity, rule.section)
    ]


def test_every_serving_rule_has_a_test_case() -> None:
    assert {code for code, _ in CASES} == {rule.code for rule in RULES_BY_SUBJECT["Serving"]}
