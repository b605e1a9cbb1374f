"""Every rule on serving calendars, with a response that violates only that rule."""

from dataclasses import replace

import pytest

from eventcal.lint.rules import SUBJECTS
from eventcal.lint.serving import Served, lint_answer

HEADERS = {
    "content-type": 'text/calendar; component=vevent; charset="UTF-8"',
    "etag": '"1-gzip"',
    "last-modified": "Sun, 01 Mar 2026 12:00:00 GMT",
    "cache-control": "public, max-age=300",
}
GOOD = Served(status=200, headers=HEADERS, head=200, again=304)


def without(name: str) -> Served:
    return replace(GOOD, headers={key: value for key, value in HEADERS.items() if key != name})


def saying(name: str, value: str) -> Served:
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
    ("not-modified", replace(GOOD, again=200)),
    ("head", replace(GOOD, head=405)),
]


def test_correctly_served_calendar_has_no_findings() -> None:
    assert lint_answer(GOOD) == []
    assert lint_answer(replace(GOOD, again=None)) == []


@pytest.mark.parametrize(("code", "served"), CASES)
def test_single_serving_violation_gives_exactly_one_finding(code: str, served: Served) -> None:
    (rule,) = (rule for rule in SUBJECTS["Serving"] if rule.code == code)
    assert [(one.line, one.code, one.severity, one.section) for one in lint_answer(served)] == [
        (0, code, rule.severity, rule.section)
    ]


def test_every_serving_rule_has_a_test_case() -> None:
    assert {code for code, _ in CASES} == {rule.code for rule in SUBJECTS["Serving"]}
