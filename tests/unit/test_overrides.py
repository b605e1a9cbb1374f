"""Overrides of single occurrences: merging changes and validating the result."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.events.models import Event
from eventcal.events.recurrence.overrides import (
    MAX_OVERRIDES,
    drop_empty_overrides,
    merge_overrides,
    occurrence_id_error,
    override_errors,
)
from eventcal.kit.errors import FieldError

CALL_FIELDS: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "starts": "2026-03-03T16:00:00",
    "ends": "2026-03-03T17:00:00",
    "recurrence": "FREQ=MONTHLY;BYDAY=1TU",
}
ALL_DAY_FIELDS: dict[str, Any] = {**CALL_FIELDS, "starts": "2026-03-03", "ends": "2026-03-04"}
APRIL, DAY_IN_APRIL = "2026-04-07T16:00:00", "2026-04-07"


def errors_of(overrides: dict[str, dict[str, Any]], event: dict[str, Any] = CALL_FIELDS) -> list[FieldError]:
    return override_errors(Event(**event), overrides, changed=overrides)


def error_at(occurrence: str, name: str, detail: str) -> list[FieldError]:
    return [FieldError(f"/recurrence_overrides/{occurrence}{name}", detail)]


# Merging


def test_change_is_merged_at_both_levels_and_null_removes() -> None:
    present: dict[str, dict[str, Any]] = {"2026-04-07": {"title": "A", "venue": "B"}, "2026-05-05": {"excluded": True}}
    changes: list[tuple[Any, dict[str, dict[str, Any]]]] = [
        ({}, present),
        ({"2026-03-03": {"title": "New"}}, {"2026-03-03": {"title": "New"}, **present}),
        ({"2026-04-07": {"title": "C", "venue": None}}, {**present, "2026-04-07": {"title": "C"}}),
        ({"2026-04-07": None, "2026-06-02": None}, {"2026-05-05": {"excluded": True}}),
        ({"2026-05-05": {"excluded": None}}, {**present, "2026-05-05": {}}),
        (None, {}),
    ]
    for given_, expected in changes:
        assert merge_overrides(present, given_) == expected
    assert present == {"2026-04-07": {"title": "A", "venue": "B"}, "2026-05-05": {"excluded": True}}


def test_empty_override_is_dropped() -> None:
    assert drop_empty_overrides({"2026-04-07": {}, "2026-05-05": {"title": "A"}}) == {"2026-05-05": {"title": "A"}}


OVERRIDE_PATCHES = st.dictionaries(st.sampled_from(["title", "venue", "excluded"]), st.none() | st.text(max_size=3))
OVERRIDES_PATCHES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.none() | OVERRIDE_PATCHES)


def merge_patch(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON
    """Apply a merge patch with the algorithm of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    whole = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            whole.pop(name, None)
        else:
            whole[name] = merge_patch(whole.get(name), value)
    return whole


@given(OVERRIDES_PATCHES, OVERRIDES_PATCHES)
def test_merge_follows_rfc_7396_and_sorts_keys(first: Any, second: Any) -> None:  # noqa: ANN401 - any change
    once = merge_overrides({}, first)
    assert once == merge_patch({}, first)
    twice = merge_overrides(once, second)
    assert twice == merge_patch(once, second)
    assert list(twice) == sorted(twice)
    assert all(list(override) == sorted(override) for override in twice.values())


# Validation


@pytest.mark.parametrize(
    ("occurrence", "override"),
    [
        (APRIL, {"excluded": True}),
        (
            APRIL,
            {"title": "Other", "status": "cancelled", "summary": "", "venue": "Attic", "online_url": "https://a.b"},
        ),
        (APRIL, {"starts": "2026-04-08T09:00:00"}),
        (APRIL, {"ends": "2026-04-09T09:00:00"}),
        (APRIL, {"starts": "1999-12-31T23:00:00", "ends": "1999-12-31T23:00:01"}),
        # In the first of the two repeated hours.
        ("2026-10-06T16:00:00", {"starts": "2026-10-25T02:10:00", "ends": "2026-10-25T02:20:00"}),
        ("2199-12-03T16:00:00", {"starts": "2199-12-31T22:59:59"}),
    ],
)
def test_override_of_existing_occurrence_is_valid(occurrence: str, override: dict[str, Any]) -> None:
    assert errors_of({occurrence: override}) == []


def test_all_day_event_accepts_date_overrides() -> None:
    fine = {"starts": "2026-04-08"}, {"starts": "2026-04-08", "ends": "2026-04-08"}, {"ends": "2026-04-07"}
    for override in fine:
        assert errors_of({DAY_IN_APRIL: override}, ALL_DAY_FIELDS) == []


def test_missing_overrides_are_valid() -> None:
    assert errors_of({}, {**CALL_FIELDS, "recurrence": None}) == []


def test_overrides_need_a_recurrence() -> None:
    assert errors_of({APRIL: {"title": "Other"}}, {**CALL_FIELDS, "recurrence": None}) == [
        FieldError(
            "/recurrence_overrides",
            "requires a recurrence; set `recurrence`, or set this field to null",
        )
    ]


def test_number_of_overrides_is_limited() -> None:
    daily = {**ALL_DAY_FIELDS, "recurrence": "FREQ=DAILY", "starts": "2026-01-01", "ends": "2026-01-01"}
    several = {f"2026-{month:02}-{day:02}": {"title": "A"} for month in range(1, 9) for day in range(1, 26)}
    assert (len(several), errors_of(several, daily)) == (MAX_OVERRIDES, [])
    assert errors_of({**several, "2026-12-01": {"title": "A"}}, daily) == [
        FieldError("/recurrence_overrides", "must have at most 200 occurrences; there are 201")
    ]


@pytest.mark.parametrize(
    ("occurrence", "detail"),
    [
        (
            "2026-04-07T16:30:00",
            "is not an occurrence of the rule; the next occurrence is 2026-04-07T16:00:00",
        ),
        (
            "2026-04-14T16:00:00",
            "is not an occurrence of the rule; the next occurrence is 2026-05-05T16:00:00",
        ),
        (
            "2025-04-01T16:00:00",
            "is not an occurrence of the rule; the next occurrence is 2026-03-03T16:00:00",
        ),
        ("2199-12-31T16:00:00", "is not an occurrence of the rule, which has none from that day on"),
        (DAY_IN_APRIL, "must be a date and a time, like the event's `starts`"),
    ],
)
def test_override_of_unknown_occurrence_is_rejected_with_the_next_occurrence(occurrence: str, detail: str) -> None:
    assert errors_of({occurrence: {"title": "Other"}}) == error_at(occurrence, "", detail)


def test_all_day_rule_rejects_override_at_a_time() -> None:
    assert errors_of({APRIL: {"title": "Other"}}, ALL_DAY_FIELDS) == error_at(
        APRIL, "", "must be a date, like the event's `starts`"
    )
    expected = "is not an occurrence of the rule; the next occurrence is 2026-05-05"
    assert errors_of({"2026-04-08": {"title": "Other"}}, ALL_DAY_FIELDS) == error_at("2026-04-08", "", expected)


def test_error_distinguishes_former_occurrence_from_unknown_occurrence() -> None:
    overrides = {APRIL[:11] + "15:00:00": {"title": "Old"}}
    assert override_errors(Event(**CALL_FIELDS), overrides, changed=()) == error_at(
        "2026-04-07T15:00:00",
        "",
        "is no longer an occurrence of the rule; the next occurrence is 2026-04-07T16:00:00",
    )


@pytest.mark.parametrize(
    ("override", "name", "detail"),
    [
        (
            {"excluded": True, "title": "A", "venue": "B"},
            "/excluded",
            "cannot be combined with title, venue; set this field or the others to null",
        ),
        ({"starts": "2026-04-08"}, "/starts", "must be a date-time, like the event's `starts`"),
        ({"ends": "2026-04-08"}, "/ends", "must be a date-time, like the event's `starts`"),
        (
            {"starts": "2026-03-29T02:30:00"},
            "/starts",
            (
                "2026-03-29T02:30:00 does not exist in Europe/Berlin because of a clock change; the next valid time "
                "is 2026-03-29T03:00:00"
            ),
        ),
        ({"ends": "2026-04-07T16:00:00"}, "/ends", "must be later than the start, 2026-04-07T16:00:00"),
        (
            {"starts": "2026-04-08T09:00:00", "ends": "2026-04-07T17:00:00"},
            "/ends",
            "must be later than the start, 2026-04-08T09:00:00",
        ),
        (
            {"starts": "2199-12-31T23:30:00"},
            "/starts",
            "makes the occurrence end after 2199-12-31; choose an earlier start or set `ends`",
        ),
    ],
)
def test_inconsistent_override_is_rejected(override: dict[str, Any], name: str, detail: str) -> None:
    assert errors_of({APRIL: override}) == error_at(APRIL, name, detail)


@pytest.mark.parametrize(
    ("override", "name", "detail"),
    [
        ({"starts": APRIL}, "/starts", "must be a date, like the event's `starts`"),
        ({"ends": "2026-04-06"}, "/ends", "must not be before the start, 2026-04-07; the last day is included"),
        (
            {"starts": "2199-12-31"},
            "/starts",
            "makes the occurrence end after 2199-12-31; choose an earlier start or set `ends`",
        ),
    ],
)
def test_inconsistent_all_day_override_is_rejected(override: dict[str, Any], name: str, detail: str) -> None:
    assert errors_of({DAY_IN_APRIL: override}, ALL_DAY_FIELDS) == error_at(DAY_IN_APRIL, name, detail)


def test_skipped_occurrence_is_overridden_by_its_local_time() -> None:
    early = {**CALL_FIELDS, "starts": "2026-03-01T02:30:00", "ends": "2026-03-01T03:30:00", "recurrence": "FREQ=DAILY"}
    assert errors_of({"2026-03-29T02:30:00": {"title": "Other"}}, early) == []
    assert errors_of({"2026-03-29T02:30:00": {"ends": "2026-03-29T03:30:00"}}, early) == error_at(
        "2026-03-29T02:30:00", "/ends", "must be later than the start, 2026-03-29T03:30:00"
    )


def test_every_override_error_has_a_json_pointer() -> None:
    wrong: dict[str, dict[str, Any]] = {
        "2026-04-08T16:00:00": {"excluded": True, "starts": "2026-04-08", "title": "A"},
        APRIL: {"starts": "2026-03-29T02:30:00", "ends": "2026-04-08"},
    }
    where = "/recurrence_overrides/2026-04-08T16:00:00"
    there = f"/recurrence_overrides/{APRIL}"
    assert [fault.pointer for fault in errors_of(wrong)] == [
        *(where, f"{where}/excluded", f"{where}/starts"),
        *(f"{there}/starts", f"{there}/ends"),
    ]


@pytest.mark.parametrize("written", [APRIL, DAY_IN_APRIL, "1970-01-01", "2199-12-31T23:59:59"])
def test_occurrence_key_has_the_format_of_starts(written: str) -> None:
    assert occurrence_id_error(written) is None


@pytest.mark.parametrize(
    "written", ["", "2026-04-07T16:00", "2026-04-07T16:00:00Z", "20260407", "2026-02-30", "1969-12-31", "a/b~c", "\x00"]
)
def test_occurrence_key_in_another_format_is_rejected(written: str) -> None:
    assert occurrence_id_error(written) == (
        "must be the original start of an occurrence: a date (2014-08-18) or local date-time (2014-06-04T13:30:00)"
    )


@pytest.mark.parametrize(
    ("event", "first", "second"),
    [(CALL_FIELDS, "2026-03-03T16:00:00", APRIL), (ALL_DAY_FIELDS, "2026-03-03", DAY_IN_APRIL)],
)
@pytest.mark.parametrize("end", ["COUNT=2", "UNTIL=20260430"])
def test_at_least_one_occurrence_is_not_excluded(event: dict[str, Any], first: str, second: str, end: str) -> None:
    finite = {**event, "recurrence": f"{CALL_FIELDS['recurrence']};{end}"}
    excluded: dict[str, dict[str, Any]] = {one: {"excluded": True} for one in (first, second)}
    [error] = errors_of(excluded, finite)
    assert (error.pointer, "must not exclude every occurrence" in error.detail) == ("/recurrence_overrides", True)
    assert errors_of({first: {"excluded": True}}, finite) == []
    assert errors_of({**excluded, second: {"title": "Last call"}}, finite) == []
    # A rule without an end has more occurrences than can be excluded.
    assert errors_of(excluded, event) == []
