"""Recurring events through the API: overrides, lists with a period, and pages of occurrences."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask, g
from markdown_it.token import Token

from eventcal.events.enums import EventStatus
from eventcal.events.recurrence.day_selection import DaySelector
from eventcal.kit import markdown
from eventcal.kit.localtime import FIRST_YEAR, LAST_YEAR
from tests.api_client import API_URL, ApiClient, list_all_items
from tests.clocks import NOON, FixedClock
from tests.factories import make_event
from tests.http_app import database_of, write_session
from tests.openapi.conformance import check_responses
from tests.sql_statements import record_statements

CALL_FIELDS: dict[str, Any] = {
    "slug": "call",
    "title": "Community call",
    "timezone": "Europe/Berlin",
    "starts": "2026-03-03T16:00:00",
    "ends": "2026-03-03T17:00:00",
    "recurrence": "FREQ=MONTHLY;BYDAY=1TU",
    "location": {"venue": "Hall"},
    "online_url": "https://meet.example/call",
}
APRIL, MAY, JUNE = "2026-04-07T16:00:00", "2026-05-05T16:00:00", "2026-06-02T16:00:00"
INVALID_TIME = "is neither a date (2014-08-18) nor a local date-time (2014-06-04T13:30:00)"
OVERRIDES: dict[str, Any] = {
    APRIL: {"excluded": True},
    MAY: {"starts": "2026-05-12T18:00:00", "title": "With guests", "venue": "Attic"},
    JUNE: {"online_url": "https://meet.example/other", "status": "cancelled"},
}


@pytest.fixture
def call_path(moderator: ApiClient) -> str:
    """Create a community call on the first Tuesday of each month, with overrides, and return its path."""
    answer = moderator.post("/events", CALL_FIELDS | {"recurrence_overrides": OVERRIDES})
    assert answer.status == 201, answer.json
    return "/events/call"


@pytest.fixture
def weekly_event_path(app: Flask) -> str:
    """Create an event at 02:30 in New York each Sunday from 1 March 2026, and return its path."""
    with write_session(app) as session:
        make_event(
            session,
            slug="weeks",
            title="Early hour",
            timezone="America/New_York",
            starts="2026-03-01T02:30:00",
            ends="2026-03-01T03:00:00",
            recurrence="FREQ=WEEKLY",
        )
    return "/events/weeks"


@pytest.fixture
def validating_client(app: Flask, monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    """Return an anonymous client that checks every response against the OpenAPI document."""
    monkeypatch.setattr(app, "test_client_class", None)
    check_responses(app)
    return ApiClient(app)


def occurrence_times(answer: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 - JSON of a list
    return [(one["starts"], one["starts_at"], one["ends_at"]) for one in answer]


# Writing


def test_overrides_are_returned_as_written(call_path: str, anonymous: ApiClient) -> None:
    seen = anonymous.get(call_path).json
    assert (seen["recurrence"], seen["recurrence_overrides"]) == (CALL_FIELDS["recurrence"], OVERRIDES)
    assert seen["occurrences"] is None
    assert (seen["starts_at"], seen["ends_at"]) == ("2026-03-03T16:00:00+01:00", "2026-03-03T17:00:00+01:00")


def test_patch_merges_overrides_and_their_fields(call_path: str, moderator: ApiClient, anonymous: ApiClient) -> None:
    change = {
        APRIL: None,
        MAY: {"title": None, "summary": "Bring *questions*."},
        JUNE: {"online_url": None, "status": None},
    }
    changed = moderator.patch(call_path, {"recurrence_overrides": change})
    expected = {MAY: {"starts": "2026-05-12T18:00:00", "summary": "Bring *questions*.", "venue": "Attic"}}
    assert (changed.status, changed.json["recurrence_overrides"]) == (200, expected)
    assert anonymous.get(call_path).json["recurrence_overrides"] == expected
    same = moderator.patch(call_path, {"recurrence_overrides": {MAY: {"venue": "Attic"}}})
    assert same.etag == changed.etag
    assert moderator.patch(call_path, {"recurrence_overrides": None}).json["recurrence_overrides"] == {}


def test_override_patch_reports_all_schema_errors(call_path: str, moderator: ApiClient) -> None:
    key = "must be the original start of an occurrence: a date (2014-08-18) or local date-time (2014-06-04T13:30:00)"
    wrong: dict[str, Any] = {
        "first/second~third": {},
        "2026-05-05T16:00": {"title": "A"},
        MAY: {"title": "x" * 201, "summary": "x" * 1001, "venue": "a\nb", "online_url": "javascript:1", "price": 1},
        JUNE: {"excluded": False, "status": "postponed", "starts": "noon", "ends": 7},
        APRIL: "excluded",
    }
    where = "/recurrence_overrides"
    assert moderator.patch(call_path, {"recurrence_overrides": wrong}).errors == {
        f"{where}/first~1second~0third": key,
        f"{where}/2026-05-05T16:00": key,
        f"{where}/{MAY}/title": "must have at most 200 characters",
        f"{where}/{MAY}/summary": "must have at most 1000 characters",
        f"{where}/{MAY}/venue": "contains a line break (U+000A) at position 2; use a space instead",
        f"{where}/{MAY}/online_url": "must be a URL that starts with https:// or http:// and a host name",
        f"{where}/{MAY}/price": "is not a known field; remove it",
        f"{where}/{JUNE}/excluded": "must be true, or null to remove it",
        f"{where}/{JUNE}/status": "must be one of: tentative, confirmed, cancelled",
        f"{where}/{JUNE}/starts": f"'noon' {INVALID_TIME}",
        f"{where}/{JUNE}/ends": "must be a string",
        f"{where}/{APRIL}": "must be a JSON object",
    }
    many = {f"2026-{month:02}-{day:02}": {"title": "A"} for month in range(1, 9) for day in range(1, 27)}
    assert moderator.patch(call_path, {"recurrence_overrides": many}).errors == {
        where: "must have at most 200 occurrences"
    }
    assert moderator.patch(call_path, {"recurrence_overrides": [MAY]}).errors == {where: "must be a JSON object"}


def test_override_patch_reports_all_domain_errors(call_path: str, moderator: ApiClient, anonymous: ApiClient) -> None:
    before = anonymous.get(call_path)
    wrong = {
        "2026-04-08T16:00:00": {"title": "A"},
        "2026-07-07": {"title": "A"},
        APRIL: {"title": "A"},
        MAY: {"ends": "2026-05-12T18:00:00"},
        JUNE: {"starts": "2027-03-28T02:30:00"},
    }
    where = "/recurrence_overrides"
    refused = moderator.patch(call_path, {"recurrence_overrides": wrong, "location": {"latitude": 1}})
    assert refused.errors == {
        "/location": "latitude and longitude must be set together",
        f"{where}/2026-04-08T16:00:00": "is not an occurrence of the rule; the next occurrence is 2026-05-05T16:00:00",
        f"{where}/2026-07-07": "must be a date and a time, like the event's `starts`",
        f"{where}/{APRIL}/excluded": "cannot be combined with title; set this field or the others to null",
        f"{where}/{MAY}/ends": "must be later than the start, 2026-05-12T18:00:00",
        f"{where}/{JUNE}/starts": "2027-03-28T02:30:00 does not exist in Europe/Berlin because of a clock change; "
        "the next valid time is 2027-03-28T03:00:00",
    }
    assert anonymous.get(call_path).etag == before.etag


def test_recurrence_rule_must_start_with_its_event(member: ApiClient) -> None:
    wrong = CALL_FIELDS | {"recurrence": "FREQ=MONTHLY;BYDAY=1WE"}
    assert member.post("/events", wrong).errors == {
        "/recurrence": "has its first occurrence on 2026-03-04T16:00:00, but the event starts on "
        "2026-03-03T16:00:00; both must be the same"
    }


LEAP_SUNDAYS = "FREQ=DAILY;BYSETPOS=1;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU"
# Every day of the supported years is examined up to three times: for the last date, the overrides, and the density.
MAX_EXAMINED_DAYS = 3 * 366 * (LAST_YEAR - FIRST_YEAR + 1)


@pytest.mark.parametrize(
    ("rule", "starts", "error"),
    [
        (LEAP_SUNDAYS, "1976-02-29", "/recurrence"),
        (LEAP_SUNDAYS.replace("DAILY;BYSETPOS=1;", "MONTHLY;"), "1976-02-29", "/recurrence"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "1976-02-29", "/recurrence_overrides/1977-01-01"),
        ("FREQ=YEARLY;COUNT=9999", "1976-02-29", "/recurrence_overrides/1977-01-01"),
        ("FREQ=MONTHLY;BYDAY=1MO,-1SU;BYSETPOS=-1;UNTIL=21991231", "1976-02-29", "/recurrence_overrides/1977-01-01"),
    ],
)
def test_rules_and_overrides_are_checked_with_a_limited_amount_of_work(
    member: ApiClient, monkeypatch: pytest.MonkeyPatch, rule: str, starts: str, error: str
) -> None:
    examined, select = [0], DaySelector.select

    def count(selector: DaySelector, period: Sequence[date]) -> Sequence[date]:
        examined[0] += len(period)
        return select(selector, period)

    monkeypatch.setattr(DaySelector, "select", count)
    overrides = {f"{1977 + number}-01-01": {"title": "Other"} for number in range(200)}
    event = CALL_FIELDS | {"slug": "sparse", "starts": starts, "ends": starts, "recurrence": rule}
    response = member.post("/events", event | {"recurrence_overrides": overrides})
    assert error in response.errors
    assert 0 < examined[0] <= MAX_EXAMINED_DAYS
    assert member.post("/events", event).status == (422 if error == "/recurrence" else 201)
    assert examined[0] <= 2 * MAX_EXAMINED_DAYS


@pytest.mark.parametrize(
    ("method", "path", "change"),
    [
        ("POST", "/events", {"slug": "new", "starts": "2026-02-03", "ends": "2026-02-03"}),
        ("PATCH", "/events/call", {}),
        ("POST", "/events/summit/talks", None),
    ],
)
@pytest.mark.usefixtures("call_path", "summit")
def test_texts_and_rules_are_expanded_before_the_write_lock(
    moderator: ApiClient, monkeypatch: pytest.MonkeyPatch, method: str, path: str, change: dict[str, str] | None
) -> None:
    rendered, parse = list[bool](), markdown._parse_tokens
    examined, select = {True: 0, False: 0}, DaySelector.select

    def record_text(text: str) -> tuple[str, list[Token] | None]:
        rendered.append("unit" in g)
        return parse(text)

    def count_days(selector: DaySelector, period: Sequence[date]) -> Sequence[date]:
        examined["unit" in g] += len(period)
        return select(selector, period)

    monkeypatch.setattr(markdown, "_parse_tokens", record_text)
    monkeypatch.setattr(DaySelector, "select", count_days)
    texts = {"abstract": f"*{method} {path}*", "title": "Talk"}
    if change is not None:
        rule = {"recurrence": "FREQ=MONTHLY;BYDAY=1TU;COUNT=900"} if change else {}
        texts = {"description": f"*{method} {path}*", "summary": f"**{method} {path}**", **rule}
    fields = (CALL_FIELDS if change else {}) | texts | (change or {})
    response = moderator.call(method, f"{API_URL}{path}", fields, headers={"If-Match": "*"})
    assert response.status in {200, 201}, response.json
    assert (True in rendered, False in rendered) == (False, True)
    # Under the lock, only the first dates of a rule are searched again.
    assert examined[True] <= 400
    assert not change or examined[False] > 10_000


def test_redacted_event_has_no_overrides(call_path: str, moderator: ApiClient, anonymous: ApiClient) -> None:
    moderator.post(f"{call_path}/redact")
    assert anonymous.get(call_path).json["recurrence_overrides"] == {}
    [one] = anonymous.get(f"{call_path}/occurrences?limit=1").json["items"]
    assert (one["title"], one["status"], one["venue"], one["online_url"]) == ("[removed]", "cancelled", None, None)


# Lists


def test_list_with_period_includes_occurrences(call_path: str, anonymous: ApiClient) -> None:
    [event] = anonymous.get("/events?from=2026-03-03&to=2026-06-30").json["items"]
    usual = {"venue": "Hall", "online_url": "https://meet.example/call"}
    assert event["occurrences"] == [
        {
            "occurrence": "2026-03-03T16:00:00",
            "title": "Community call",
            "status": "confirmed",
            "starts": "2026-03-03T16:00:00",
            "ends": "2026-03-03T17:00:00",
            "starts_at": "2026-03-03T16:00:00+01:00",
            "ends_at": "2026-03-03T17:00:00+01:00",
            **usual,
        },
        {
            "occurrence": MAY,
            "title": "With guests",
            "status": "confirmed",
            "starts": "2026-05-12T18:00:00",
            "ends": "2026-05-12T19:00:00",
            "starts_at": "2026-05-12T18:00:00+02:00",
            "ends_at": "2026-05-12T19:00:00+02:00",
            "venue": "Attic",
            "online_url": "https://meet.example/call",
        },
        {
            "occurrence": JUNE,
            "title": "Community call",
            "status": "cancelled",
            "starts": JUNE,
            "ends": "2026-06-02T17:00:00",
            "starts_at": "2026-06-02T16:00:00+02:00",
            "ends_at": "2026-06-02T17:00:00+02:00",
            "venue": "Hall",
            "online_url": "https://meet.example/other",
        },
    ]
    assert event == anonymous.get(call_path).json | {"occurrences": event["occurrences"]}


def test_list_omits_events_without_occurrence_in_period(call_path: str, summit: str, anonymous: ApiClient) -> None:
    assert call_path == "/events/call"
    for query, slugs in {
        "from=2026-04-01&to=2026-04-30": [],
        "from=2026-05-05&to=2026-05-11": [],
        "from=2026-05-12&to=2026-05-12": ["call"],
        "from=2026-06-03": ["call", summit],
        "to=2026-03-02": [],
        "q=guests": ["call"],
    }.items():
        assert (query, anonymous.get(f"/events?{query}").item_values("slug")) == (query, slugs)


def test_occurrences_require_a_period_and_a_recurrence(
    weekly_event_path: str, summit: str, anonymous: ApiClient
) -> None:
    assert weekly_event_path == "/events/weeks"
    assert anonymous.get("/events").item_values("occurrences") == [None, None]
    found = {
        one["slug"]: one["occurrences"] for one in anonymous.get("/events?from=2026-06-07&to=2026-06-10").json["items"]
    }
    assert [one["starts"] for one in found["weeks"]] == ["2026-06-07T02:30:00"]
    assert found[summit] is None
    # If one end of the period is missing, the period has 400 days.
    [from_march] = anonymous.get("/events?from=2026-03-01&event=weeks").item_values("occurrences")
    assert (len(from_march), from_march[-1]["starts"]) == (58, "2027-04-04T02:30:00")
    [to_april] = anonymous.get("/events?to=2027-04-05&event=weeks").item_values("occurrences")
    assert to_april == from_march
    [hundred] = anonymous.get("/events?from=2026-03-01&to=2199-12-31&event=weeks").item_values("occurrences")
    assert (len(hundred), hundred[:58]) == (100, from_march)


def test_pending_event_has_occurrences(member: ApiClient, moderator: ApiClient) -> None:
    member.post("/events", CALL_FIELDS)
    [[one]] = moderator.get("/events?status=pending&from=2026-04-01&to=2026-04-30").item_values("occurrences")
    assert (one["starts"], one["status"]) == (APRIL, "pending")
    assert moderator.get("/events?status=pending&from=2026-04-08&to=2026-04-30").json["items"] == []


def test_number_of_statements_does_not_depend_on_event_count(app: Flask, anonymous: ApiClient) -> None:
    costs = []
    for count in (1, 20):
        with write_session(app) as session:
            for _ in range(count):
                make_event(session, starts="2026-03-03", ends="2026-03-03", recurrence="FREQ=DAILY")
        with record_statements(database_of(app)) as seen:
            assert anonymous.get("/events?from=2026-06-01&limit=200").status == 200
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_occurrence_responses_match_openapi_document(
    call_path: str, weekly_event_path: str, validating_client: ApiClient
) -> None:
    for query in (
        "/events",
        "/events?from=2026-03-01",
        call_path,
        f"{call_path}/occurrences",
        f"{weekly_event_path}/occurrences?limit=2",
    ):
        assert validating_client.get(query).status == 200
    assert validating_client.get(f"{weekly_event_path}/occurrences?limit=x").status == 422
    assert validating_client.get("/events/nowhere/occurrences").status == 404


# Occurrences of one event


def test_occurrences_handle_daylight_saving_time_changes(weekly_event_path: str, anonymous: ApiClient) -> None:
    spring = anonymous.get(f"{weekly_event_path}/occurrences?from=2026-03-01&to=2026-03-15").json
    assert occurrence_times(spring["items"]) == [
        ("2026-03-01T02:30:00", "2026-03-01T02:30:00-05:00", "2026-03-01T03:00:00-05:00"),
        # The clocks skip 02:30, so it starts at 03:30, with the usual duration.
        ("2026-03-08T03:30:00", "2026-03-08T03:30:00-04:00", "2026-03-08T04:00:00-04:00"),
        ("2026-03-15T02:30:00", "2026-03-15T02:30:00-04:00", "2026-03-15T03:00:00-04:00"),
    ]
    assert [one["occurrence"] for one in spring["items"]][1] == "2026-03-08T02:30:00"
    autumn = anonymous.get(f"{weekly_event_path}/occurrences?from=2026-10-25&to=2026-11-08").json
    assert [at for _, at, _ in occurrence_times(autumn["items"])] == [
        "2026-10-25T02:30:00-04:00",
        "2026-11-01T02:30:00-05:00",
        "2026-11-08T02:30:00-05:00",
    ]


def test_all_day_series_ends_with_its_rule(app: Flask, anonymous: ApiClient) -> None:
    rules = {"counted": "FREQ=WEEKLY;COUNT=3", "until": "FREQ=WEEKLY;UNTIL=20260331"}
    with write_session(app) as session:
        for slug, rule in rules.items():
            make_event(session, slug=slug, starts="2026-03-21", ends="2026-03-22", recurrence=rule)
    for slug, dates in {
        "counted": ["2026-03-21", "2026-03-28", "2026-04-04"],
        "until": ["2026-03-21", "2026-03-28"],
    }.items():
        page = anonymous.get(f"/events/{slug}/occurrences").json
        assert ([one["starts"] for one in page["items"]], page["next"]) == (dates, None)
        # This weekend has 47 hours, because the clocks go forward.
        assert occurrence_times(page["items"])[1] == (
            "2026-03-28",
            "2026-03-28T00:00:00+01:00",
            "2026-03-30T00:00:00+02:00",
        )
        after = anonymous.get("/events?from=2026-04-06").item_values("slug")
        assert after == []


def test_default_period_is_400_days_from_today(weekly_event_path: str, anonymous: ApiClient, clock: FixedClock) -> None:
    whole = list_all_items(anonymous, f"{weekly_event_path}/occurrences")
    assert (len(whole), whole[0]["starts"], whole[-1]["starts"]) == (58, "2026-03-01T02:30:00", "2027-04-04T02:30:00")
    # It is still Sunday in New York.
    clock.set_time(NOON + timedelta(hours=16, minutes=59))
    assert anonymous.get(f"{weekly_event_path}/occurrences").item_values("starts")[0] == "2026-03-01T02:30:00"
    clock.set_time(NOON + timedelta(hours=17))
    assert anonymous.get(f"{weekly_event_path}/occurrences").item_values("starts")[0] == "2026-03-08T03:30:00"
    assert anonymous.get(f"{weekly_event_path}/occurrences?to=2026-03-15").item_values("starts") == [
        "2026-03-08T03:30:00",
        "2026-03-15T02:30:00",
    ]


def test_event_without_recurrence_has_one_occurrence(summit: str, anonymous: ApiClient) -> None:
    page = anonymous.get(f"/events/{summit}/occurrences").json
    assert page == {
        "items": [
            {
                "occurrence": "2026-06-10",
                "title": "Xen Summit",
                "status": "confirmed",
                "starts": "2026-06-10",
                "ends": "2026-06-12",
                "starts_at": "2026-06-10T00:00:00+02:00",
                "ends_at": "2026-06-13T00:00:00+02:00",
                "venue": None,
                "online_url": None,
            }
        ],
        "next": None,
    }
    assert anonymous.get(f"/events/{summit}/occurrences?from=2026-06-13").json["items"] == []


def test_occurrence_pages_contain_each_occurrence_once_in_order(call_path: str, anonymous: ApiClient) -> None:
    whole = anonymous.get(f"{call_path}/occurrences?from=2026-01-01&to=2028-12-31&limit=200").json
    assert (len(whole["items"]), whole["next"]) == (33, None)
    for limit in (1, 2, 7, 33):
        path = f"{call_path}/occurrences?from=2026-01-01&to=2028-12-31&limit={limit}"
        assert list_all_items(anonymous, path) == whole["items"]
    first = anonymous.get(f"{call_path}/occurrences?from=2026-01-01&limit=2")
    cursor = first.json["next"]
    query = f"cursor={cursor}&from=2026-01-01&limit=2&to=2027-02-05"
    assert cursor.partition(".")[2] == "20260512T160000Z_20260505T160000"
    assert first.headers["Link"] == f'<{API_URL}/events/call/occurrences?{query}>; rel="next"'


def test_occurrence_paging_continues_after_changes(call_path: str, moderator: ApiClient, anonymous: ApiClient) -> None:
    first = anonymous.get(f"{call_path}/occurrences?from=2026-01-01&to=2026-12-31&limit=2")
    assert first.item_values("occurrence") == ["2026-03-03T16:00:00", MAY]
    moderator.patch(
        call_path, {"recurrence_overrides": {MAY: None, APRIL: None, "2026-03-03T16:00:00": {"excluded": True}}}
    )
    second = anonymous.get(first.headers["Link"][1:].partition(">")[0])
    assert second.item_values("occurrence") == [JUNE, "2026-07-07T16:00:00"]


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("cursor=x", {"?cursor": "is not a valid cursor of this list; omit it to start from the first page"}),
        (
            "cursor=20261399T000000Z_20260505",
            {"?cursor": "is not a valid cursor of this list; omit it to start from the first page"},
        ),
        ("from=2026-06-02&to=2026-06-01", {"?to": "must not be before `from`, which is 2026-06-02"}),
        ("to=2026-02-28", {"?to": "must not be before `from`, which is 2026-03-01"}),
        ("limit=0", {"?limit": "must be between 1 and 200"}),
        (
            "limit=201&from=x",
            {"?limit": "must be between 1 and 200", "?from": f"'x' {INVALID_TIME}"},
        ),
        ("sort=starts", {"?sort": "is an unknown parameter; remove it"}),
    ],
)
def test_invalid_occurrence_query_is_rejected(
    weekly_event_path: str, anonymous: ApiClient, query: str, faults: dict[str, str]
) -> None:
    assert anonymous.get(f"{weekly_event_path}/occurrences?{query}").errors == faults


def test_occurrences_of_hidden_event_are_hidden(app: Flask, anonymous: ApiClient, moderator: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING, recurrence="FREQ=YEARLY")
    for slug in ("hidden", "nowhere"):
        assert anonymous.get(f"/events/{slug}/occurrences").status_and_code == (404, "not-found")
    seen = moderator.get("/events/hidden/occurrences")
    assert (seen.status, seen.headers["Cache-Control"]) == (200, "private, no-cache")


def test_occurrences_support_caching_and_conditional_requests(
    call_path: str, moderator: ApiClient, anonymous: ApiClient
) -> None:
    path = f"{call_path}/occurrences?from=2026-01-01"
    first = anonymous.get(path)
    assert first.headers["Cache-Control"].startswith("public, max-age=300")
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert "Last-Modified" in first.headers
    unchanged = anonymous.get(path, If_None_Match=first.etag)
    assert (unchanged.status, unchanged.data, unchanged.etag) == (304, b"", first.etag)
    # A list that begins today changes with the date in the event's time zone, which is not recorded as a change.
    assert "Last-Modified" not in anonymous.get(f"{call_path}/occurrences").headers
    moderator.patch(call_path, {"recurrence_overrides": {MAY: {"title": "Other guests"}}})
    assert anonymous.get(path, If_None_Match=first.etag).status == 200


# Talks


@pytest.mark.both_databases
def test_talk_must_be_on_a_day_on_which_the_event_occurs(call_path: str, moderator: ApiClient) -> None:
    assert moderator.patch(call_path, {"programme": "listed"}, if_match="*").status == 200
    talk = moderator.post(f"{call_path}/talks", {"title": "News"}).json["id"]
    wrong = "must be on a day on which the event occurs; the next one is %s"
    for starts, following in (
        ("2026-04-08T16:00:00", "2026-05-12"),
        # This occurrence is excluded, and the next one is moved.
        (APRIL, "2026-05-12"),
        (MAY, "2026-05-12"),
        ("2026-05-13T16:00:00", JUNE[:10]),
    ):
        refused = moderator.patch(f"/talks/{talk}", {"starts": starts}, if_match="*")
        assert refused.errors == {"/starts": wrong % following}
    for starts in ("2026-03-03T16:10:00", "2026-05-12T18:10:00", JUNE):
        assert moderator.patch(f"/talks/{talk}", {"starts": starts}, if_match="*").status == 200


@pytest.mark.both_databases
@pytest.mark.parametrize("override", [{"status": "cancelled"}, {"excluded": True}])
def test_talk_of_cancelled_occurrence_is_shown_as_cancelled_until_it_is_restored(
    moderator: ApiClient, anonymous: ApiClient, clock: FixedClock, override: dict[str, Any]
) -> None:
    assert moderator.post("/events", CALL_FIELDS | {"programme": "listed"}).status == 201
    ids = []
    for starts in (APRIL, MAY):
        made = moderator.post("/events/call/talks", {"title": f"News on {starts}", "starts": starts})
        assert made.status == 201, made.json
        talk = made.json["id"]
        clock.tick()
        assert moderator.post(f"/talks/{talk}/accept").json["state"] == "accepted"
        ids.append(talk)
    sequence = anonymous.get(f"/talks/{ids[0]}").json["sequence"]
    for value, state in ((override, "cancelled"), (None, "accepted")):
        clock.tick()
        changed = moderator.patch("/events/call", {"recurrence_overrides": {APRIL: value}}, if_match="*")
        assert changed.status == 200, changed.json
        shown = anonymous.get(f"/talks/{ids[0]}").json
        assert (shown["state"], shown["sequence"]) == (state, sequence := sequence + 1)
        assert anonymous.get(f"/talks/{ids[1]}").json["state"] == "accepted"
        listed = anonymous.get("/talks?state=cancelled").json["items"]
        assert [one["id"] for one in listed] == ([ids[0]] if state == "cancelled" else [])
        page = anonymous.get_feed(f"/talks/{ids[0]}").data.decode()
        feed = anonymous.get_feed(f"/talks/{ids[0]}.ics").data.decode()
        assert ("STATUS:CANCELLED" in feed, "CANCELLED: News" in feed) == (state == "cancelled",) * 2
        assert ("cancelled" in page.lower()) is (state == "cancelled")
