"""The JSCalendar validator used by the tests detects invalid objects."""

from typing import Any

import pytest

from tests.feed_support.entries import TALK
from tests.feed_support.jscal_groups import PAGE, event
from tests.feed_support.jscalendar import faults


@pytest.mark.parametrize(
    "change",
    [
        {"@type": "Task"},
        {"uid": None},
        {"start": "2026-06-10T13:30:00Z"},
        {"updated": "2026-03-01T12:00:00.000Z"},
        {"timeZone": "Berlin"},
        {"duration": "PT1H5S"},
        {"duration": "P"},
        {"sequence": "3"},
        {"status": "CONFIRMED"},
        {"method": "request"},
        {"keywords": {"arm": False}},
        {"links": {}},
        {"links": {"a page": {**PAGE, "href": "https://example.org/"}}},
        {"links": {"page": {**PAGE, "href": "https://example.org/ö"}}},
        {"participants": {"x": {"@type": "Participant", "roles": {}}}},
        {"relatedTo": {"a": {"@type": "Relation", "relation": {"sibling": True}}}},
        {"recurrenceRules": [{"@type": "RecurrenceRule", "frequency": "weekly", "byMonth": [1]}]},
        {
            "recurrenceRules": [
                {"@type": "RecurrenceRule", "frequency": "daily", "count": 1, "until": "2026-06-10T00:00:00"}
            ]
        },
        {"recurrenceOverrides": {"2026-06-10": {"excluded": True}}},
        {"recurrenceOverrides": {"2026-06-10T13:30:00": {"uid": "other"}}},
        {"recurrenceOverrides": {"2026-06-10T13:30:00": {"excluded": True, "title": "x"}}},
        {"recurrenceOverrides": {"2026-06-10T13:30:00": {"status": "off"}}},
    ],
)
def test_validator_rejects_each_invalid_event(change: dict[str, Any]) -> None:
    assert faults(event(TALK), "Event") == []
    assert faults({**event(TALK), **change}, "Event") != []


def test_validator_reports_missing_group_properties_and_duplicate_uids() -> None:
    one = event(TALK)
    assert faults({"@type": "Group", "uid": "a", "entries": [one, one]}) == [
        "Group lacks updated",
        "Group.entries: two entries have the same uid",
    ]
