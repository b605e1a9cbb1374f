"""Every rule on serving calendars, with a response that violates only that rule."""

from dataclasses import replace

import pytest

from eventcal.lint.http_responses import ServerResponses, lint_http_responses
from eventcal.lint.rules import RULES_BY_SUBJECT

HEADERS = {
    "content-type": 'text/calendar; component=vevent; charset="UTF-8"',
    "etag": '"1-gzip"',
    "last-modified": "Sun, 01 Mar 2026 12:00:00 GMT",
    "cache-control": "public, max-age=300",
}
GOOD = ServerResponses(status=200, headers=HEADERS, head_status=200, conditional_status=304)


def without(name: str) -> ServerResponses:
    return replace(GOOD, headers={key: value for key, value in HEADERS.items() if key != name})


def saying(name: str, value: str) -> ServerResponses:
    return replace(GOOD, headers={**HEADERS, name: value})


CASES = [
    ("content-type", without("content-type")),
    ("content-type", saying("content-type", "text/html; charset=utf-8")),
    ("charset", saying("content-type", "text/calendar")),
    ("charset", saying("content-type", "text/calendar; charset=iso-8859-1")),
    ("etag-missing", without("etag")),
    ("etag-form", saying("etag", "1")),
    ("etag-form", saying("etag", "w/'1'")),
    ("etag-weak", saying("etag", 'W/"1"')),
    ("last-modified", without("last-modified")),
    ("last-modified", saying("last-modified", "2026-03-01T12:00:00Z")),
    ("last-modified", saying("last-modified", "Sun, 99 Mar 2026 12:00:00 GMT")),
    ("cache-control", without("cache-control")),
    ("not-modified", replace(GOOD, conditional_status=200)),
    ("head", replace(GOOD, head_status=405)),
]


def test_correctly_served_calendar_has_no_findings() -> None:
    assert lint_http_responses(GOOD) == []
    assert lint_http_responses(replace(GOOD, conditional_status=None)) == []


@pytest.mark.parametrize(("code", "served"), CASES)
def test_single_serving_violation_gives_exactly_one_finding(code: str, served: ServerResponses) -> None:
    (rule,) = (rule for rule in RULES_BY_SUBJECT["Serving"] if rule.code == code)
    assert [(one.line, one.code, one.severity, one.section) for one in lint_http_responses(served)] == [
        (0, code, rule.severity, rule.section)
    ]


def test_every_serving_rule_has_a_test_case() -> None:
    assert {code for code, _ in CASES} == {rule.code for rule in RULES_BY_SUBJECT["Serving"]}
