"""The JSCalendar validator used by the tests detects invalid objects."""

from typing import Any

import pytest

from tests.feed_support.jscal_groups import PAGE_LINK, render_event, render_group
from tests.feed_support.jscalendar import validation_errors
from tests.feed_support.sample_entries import RECURRING_ENTRY, TALK_ENTRY


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
        {"links": {"a page": {**PAGE_LINK, "href": "https://example.org/"}}},
        {"links": {"page": {**PAGE_LINK, "href": "https://example.org/ö"}}},
        {"participants": {"x": {"@type": "Participant", "roles": {}}}},
        {"relatedTo": {"a": {"@type": "Relation", "relation": {"sibling": True}}}},
        {"recurrenceRules": [{"@type": "RecurrenceRule", "frequency": "weekly", "byMonth": [1]}]},
        {"recurrenceRules": [{"@type": "RecurrenceRule", "frequency": "daily", "until": "2026-06-10"}]},
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
    assert validation_errors(render_event(TALK_ENTRY), "Event") == []
    assert validation_errors({**render_event(TALK_ENTRY), **change}, "Event") != []


# Valid objects of each type, and invalid values of their properties.
LINK = {**PAGE_LINK, "href": "https://example.org/a?b=%C3%B6", "title": "Page"}
NDAY = {"@type": "NDay", "day": "tu", "nthOfPeriod": -1}
VALID_OBJECTS: dict[str, dict[str, Any]] = {
    "Group": {**render_group(TALK_ENTRY), "created": "2026-03-01T12:00:00.5Z", "keywords": {"arm": True}},
    "Event": {**render_event(RECURRING_ENTRY), "showWithoutTime": False},
    "Link": LINK,
    "Location": {"@type": "Location", "name": "Room 1", "coordinates": "geo:-50.9375,-6", "links": {"page": LINK}},
    "VirtualLocation": {
        "@type": "VirtualLocation",
        "name": "Stream",
        "uri": "https://meet.example.org/[xen]",
        "features": {"video": True},
    },
    "Relation": {"@type": "Relation", "relation": {"parent": True}},
    "Participant": {**render_event(TALK_ENTRY)["participants"]["speaker-grace-hopper"], "links": {"page": LINK}},
    "RecurrenceRule": {
        "@type": "RecurrenceRule",
        "frequency": "yearly",
        "interval": 2,
        "count": 3,
        "firstDayOfWeek": "su",
        "byDay": [NDAY],
        "byMonthDay": [-31, 31],
        "byMonth": ["1", "12L"],
        "byYearDay": [-366, 366],
        "byWeekNo": [-53, 53],
        "bySetPosition": [-366, 366],
    },
    "NDay": NDAY,
}
UNPATCHABLE_PROPERTIES = (
    *("@type", "excludedRecurrenceRules", "method", "privacy", "prodId", "recurrenceId", "recurrenceOverrides"),
    *("recurrenceRules", "relatedTo", "replyTo", "sentBy", "timeZones", "uid", "locations/room"),
)
INVALID_PATCHES: list[Any] = [
    *([], {"": None}, {"excluded": 1}, {"start": None}),
    *({name: None} for name in UNPATCHABLE_PROPERTIES),
]
INVALID_PROPERTIES: dict[str, dict[str, list[Any]]] = {
    "Group": {
        "uid": ["", 1],
        "prodId": ["", 1],
        "created": ["2026-03-01T12:00:00", 1],
        "updated": ["2026-03-01", "2026-03-01T12:00:00.50Z", "2026-03-01T12:00:00Z ", " 2026-03-01T12:00:00Z"],
        "title": [1],
        "description": [None],
        "descriptionContentType": ["text/markdown"],
        "keywords": [["arm"], {"arm": 1}],
        "links": [[], {}, {"page": {}}],
        "source": ["calendar.ics", 1],
        "entries": [
            {},
            [{}],
            [{**render_event(TALK_ENTRY), "recurrenceOverrides": {"2026-06-10T13:30:00": {"title": 1}}}],
        ],
    },
    "Event": {
        "sequence": [-1, 0.5, True, 2**53],
        "start": [
            1,
            "2026-06-10",
            "2026-06-10T13:30",
            "2026-06-10T13:30:005",
            " 2026-06-10T13:30:00",
            "2026-06-10T13:30:00\n",
        ],
        "timeZone": ["Europe/berlin", 1],
        "duration": ["PT", "P1DT", "P1Y", "-PT1H", "1H", "PT1H0", 3600],
        "showWithoutTime": ["true", 1],
        "freeBusyStatus": ["BUSY"],
        "locations": [[], {"room 1": {"@type": "Location"}}, {"room": {}}],
        "virtualLocations": [[], {"room 1": VALID_OBJECTS["VirtualLocation"]}, {"room": {}}],
        "relatedTo": [[], {"": {"@type": "Relation"}}, {"a": {}}],
        "participants": [[], {"a b": VALID_OBJECTS["Participant"]}, {"a": {}}],
        "recurrenceRules": [{}, [], [{}]],
        "recurrenceOverrides": [
            [],
            {"2026-03-03": {"start": "2026-03-03T18:00:00"}},
            *({"2026-03-03T18:00:00": patch} for patch in INVALID_PATCHES),
        ],
        "excluded": ["true", 1],
    },
    "Link": {
        "href": ["/a", "", "http://[a/", "https://a/[%zz]", "https://a/[ö]", " https://a/[", 1],
        "contentType": ["", 1],
        "rel": ["self"],
        "title": [1],
    },
    "Location": {"name": [1], "coordinates": ["50,6", "geo:50", " geo:50,6", "geo:50,6;u=9", 1], "links": [{}]},
    "VirtualLocation": {"name": [1], "uri": ["/a", 1], "features": [[], {"tv": True}, {"video": False}]},
    "Relation": {"relation": [[], {"parent": False}]},
    "Participant": {
        "name": [1],
        "description": [1],
        "kind": ["person"],
        "roles": [[], {"speaker": True}, {"attendee": False}],
        "links": [{}],
    },
    "RecurrenceRule": {
        "frequency": ["hourly"],
        "interval": [0, "1", 2**53],
        "count": [-1, "1"],
        "firstDayOfWeek": ["SU"],
        "byDay": [{}, [], [{}], ["tu"]],
        "byMonthDay": [1, [], [0], [32], [-32], ["1"]],
        "byMonth": [1, [], ["0"], ["13"], ["01"], ["1 "]],
        "byYearDay": [1, [], [0], [367], [-367], ["1"]],
        "byWeekNo": [1, [], [0], [54], [-54], ["1"]],
        "bySetPosition": [1, [], [0], [367], [-367], ["1"]],
    },
    "NDay": {"day": ["TU", "1tu"], "nthOfPeriod": [0, 54, -54, "1"]},
}
REQUIRED_PROPERTIES = {
    "Group": ("uid", "updated", "entries"),
    "Event": ("uid", "updated", "start"),
    "Link": ("href",),
    "VirtualLocation": ("uri",),
    "Participant": ("roles",),
    "RecurrenceRule": ("frequency",),
    "NDay": ("day",),
}


@pytest.mark.parametrize("kind", VALID_OBJECTS)
def test_validator_rejects_other_types_and_missing_or_unknown_properties(kind: str) -> None:
    valid = VALID_OBJECTS[kind]
    assert validation_errors(valid, kind) == []
    for required in ("@type", *REQUIRED_PROPERTIES.get(kind, ())):
        assert validation_errors({name: value for name, value in valid.items() if name != required}, kind) != []
    invalid: list[Any] = [{**valid, "@type": "Task"}, {**valid, "color": "red"}, [valid]]
    assert all(validation_errors(value, kind) for value in invalid)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind, names in INVALID_PROPERTIES.items()
        for name, values in names.items()
        for value in values
    ],
)
def test_error_names_the_property_with_the_invalid_value(kind: str, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    assert any(name in error for error in validation_errors({**VALID_OBJECTS[kind], name: value}, kind))


def test_validator_reports_missing_group_properties_and_duplicate_uids() -> None:
    one = render_event(TALK_ENTRY)
    assert validation_errors({"@type": "Group", "uid": "a", "entries": [one]}) == [
        '/: "updated" is a required property'
    ]
    assert validation_errors({**render_group(TALK_ENTRY), "entries": [one, one]}) == [
        "/entries: two entries have the same uid"
    ]
