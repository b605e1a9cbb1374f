"""jCal documents follow RFC 7265 and are read correctly by the icalendar library."""

import json
from datetime import UTC, date, datetime
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings

from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.feeds.format_registry import ICS, JCAL, Format, Options
from eventcal.feeds.formats import jcal
from eventcal.feeds.formats.components import (
    Component,
    Property,
    ValueType,
    date_time_property,
    text_property,
    uri_property,
)
from eventcal.feeds.formats.vevent import event_components_with_rfc9073, vcalendar_properties_with_uid
from eventcal.feeds.zones import vtimezone
from tests.feed_documents import build_feed
from tests.feed_support.sample_entries import (
    ALL_DAY_ENTRY,
    ANY_TEXT,
    RECURRING_ALL_DAY_ENTRY,
    RECURRING_ENTRY,
    STAMPS,
    TALK_ENTRY,
    fill_entry,
    fill_feed_head,
    normalise_text,
)

BERLIN_VTIMEZONE = vtimezone("Europe/Berlin", date(2026, 1, 1), date(2026, 12, 31))
LOCAL_TIME = datetime(2014, 6, 4, 13, 30)  # noqa: DTZ001 - local


def jcal_properties(*properties: Property) -> Any:  # noqa: ANN401 - JSON
    """Return the properties of a component as written."""
    name, found, within = json.loads(jcal.components_to_json([Component("VEVENT", properties)]))
    assert (name, within) == ("vevent", [])
    return found


def parse_document(*entries: CalendarEntry, fmt: Format = JCAL) -> icalendar.Component:
    """Return a feed as parsed by the icalendar library."""
    body = build_feed(fmt, *entries, zones=[BERLIN_VTIMEZONE])
    return icalendar.Calendar.from_jcal(body.decode()) if fmt is JCAL else icalendar.Calendar.from_ical(body)


# Values


@pytest.mark.parametrize(
    ("one", "array"),
    [
        (text_property("SUMMARY", 'a "b"\n\\c; d, e'), ["summary", {}, "text", 'a "b"\n\\c; d, e']),
        (date_time_property("DTSTART", [date(2014, 8, 18)], None), ["dtstart", {}, "date", "2014-08-18"]),
        (
            date_time_property("DTSTART", [LOCAL_TIME.replace(tzinfo=UTC)], None),
            ["dtstart", {}, "date-time", "2014-06-04T13:30:00Z"],
        ),
        (
            date_time_property("DTSTART", [LOCAL_TIME], "Europe/Berlin"),
            ["dtstart", {"tzid": "Europe/Berlin"}, "date-time", "2014-06-04T13:30:00"],
        ),
        (date_time_property("DTSTART", [LOCAL_TIME], None), ["dtstart", {}, "date-time", "2014-06-04T13:30:00"]),
        (
            date_time_property("EXDATE", [date(2014, 8, 18), date(2014, 8, 25)], None),
            ["exdate", {}, "date", "2014-08-18", "2014-08-25"],
        ),
        (Property("SEQUENCE", ValueType.INTEGER, (2,)), ["sequence", {}, "integer", 2]),
        (
            Property("REFRESH-INTERVAL", ValueType.DURATION, ("PT1H",), explicit_type=True),
            ["refresh-interval", {}, "duration", "PT1H"],
        ),
        (Property("TZOFFSETTO", ValueType.UTC_OFFSET, ("-0500",)), ["tzoffsetto", {}, "utc-offset", "-05:00"]),
        (Property("TZOFFSETTO", ValueType.UTC_OFFSET, ("+1245",)), ["tzoffsetto", {}, "utc-offset", "+12:45"]),
        (Property("TZOFFSETTO", ValueType.UTC_OFFSET, ("-004430",)), ["tzoffsetto", {}, "utc-offset", "-00:44:30"]),
        (
            Property("GEO", ValueType.GEO, ((37.3860134, -122.082932),)),
            ["geo", {}, "float", [37.386013, -122.082932]],
        ),
        (Property("GEO", ValueType.GEO, ((-1e-9, 1e-7),)), ["geo", {}, "float", [0.0, 0.0]]),
        (
            Property("CATEGORIES", ValueType.TEXT, ("computers, old", "science")),
            ["categories", {}, "text", "computers, old", "science"],
        ),
        (
            uri_property(
                "CONFERENCE", "https://example.org/ö", ("FEATURE", "AUDIO,VIDEO"), ("LABEL", "Main"), explicit_type=True
            ),
            ["conference", {"feature": ["AUDIO", "VIDEO"], "label": "Main"}, "uri", "https://example.org/%C3%B6"],
        ),
        (
            text_property("X-ALT-DESC", "<p>a;b</p>", ("FMTTYPE", "text/html")),
            ["x-alt-desc", {"fmttype": "text/html"}, "text", "<p>a;b</p>"],
        ),
        (
            Property("X-THING", ValueType.TEXT, ("a",), (("X-WHO", "me"), ("X-WHO", "you"))),
            ["x-thing", {"x-who": ["me", "you"]}, "text", "a"],
        ),
    ],
)
def test_property_is_written_as_jcal_array(one: Property, array: list[Any]) -> None:
    assert jcal_properties(one) == [array]


@pytest.mark.parametrize(
    ("rule", "recur"),
    [
        ("FREQ=WEEKLY", {"freq": "WEEKLY"}),
        (
            "FREQ=YEARLY;COUNT=5;BYDAY=-1SU,2MO;BYMONTH=10",
            {"freq": "YEARLY", "count": 5, "byday": ["-1SU", "2MO"], "bymonth": 10},
        ),
        (
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=15,-1,+3;UNTIL=20140104",
            {"freq": "MONTHLY", "interval": 2, "bymonthday": [15, -1, 3], "until": "2014-01-04"},
        ),
        (
            "FREQ=YEARLY;UNTIL=20140604T133000Z;BYDAY=MO;BYSETPOS=-1;BYWEEKNO=20;BYYEARDAY=1,200;WKST=SU",
            {
                "freq": "YEARLY",
                "until": "2014-06-04T13:30:00Z",
                "byday": "MO",
                "bysetpos": -1,
                "byweekno": 20,
                "byyearday": [1, 200],
                "wkst": "SU",
            },
        ),
    ],
)
def test_rule_is_written_as_jcal_recur_object(rule: str, recur: dict[str, Any]) -> None:
    assert jcal_properties(Property("RRULE", ValueType.RECUR, (rule,))) == [["rrule", {}, "recur", recur]]


# Documents


def test_nested_components_are_written() -> None:
    inner = Component("STANDARD", (text_property("TZNAME", "CET"),))
    outer = Component("VTIMEZONE", (text_property("TZID", "Europe/Berlin"),), (inner,))
    assert json.loads(b"[" + jcal.components_to_json([outer, inner]) + b"]") == [
        [
            "vtimezone",
            [["tzid", {}, "text", "Europe/Berlin"]],
            [["standard", [["tzname", {}, "text", "CET"]], []]],
        ],
        ["standard", [["tzname", {}, "text", "CET"]], []],
    ]


def test_feed_contains_zones_followed_by_unchanged_pieces() -> None:
    above, below = jcal.jcal_header_and_footer([text_property("VERSION", "2.0")], zones=[Component("VTIMEZONE", ())])
    body = above + jcal.SEPARATOR.join([b'"one" ', b'"two","three"']) + below
    assert body == b'["vcalendar",[["version",{},"text","2.0"]],[["vtimezone",[],[]],"one" ,"two","three"]]'


def test_feed_without_entries_is_a_valid_calendar() -> None:
    body = b"".join(jcal.jcal_header_and_footer([text_property("VERSION", "2.0")], zones=[]))
    assert json.loads(body) == ["vcalendar", [["version", {}, "text", "2.0"]], []]
    assert icalendar.Calendar.from_jcal(body.decode())["VERSION"] == "2.0"


# Parsing


@given(hostile=ANY_TEXT)
@settings(max_examples=100)
def test_hostile_text_stays_within_its_property(hostile: str) -> None:
    body = build_feed(JCAL, fill_entry(hostile), head=fill_feed_head(hostile), options=Options(rich=True))
    name, names, (event,) = json.loads(body)
    head = vcalendar_properties_with_uid(fill_feed_head(hostile))
    usual = json.loads(jcal.components_to_json(event_components_with_rfc9073(fill_entry("x"), STAMPS)))
    assert name == "vcalendar"
    assert [one[:3] for one in names] == [[one.name.lower(), {}, one.type.value] for one in head]
    assert [one[:3] for one in event[1]] == [one[:3] for one in usual[1]]
    assert [one[0] for one in event[2]] == ["participant", "vlocation"]
    said = {one[0]: one[3:] for one in event[1]}
    assert (said["summary"], said["categories"]) == ([normalise_text(hostile)], [normalise_text(hostile), "plain"])
    assert said["url"][0].isascii()


def _property_items(component: icalendar.Component) -> list[tuple[str, str, Any]]:
    """Return the properties of a component, except X- properties, whose types are unknown in .ics."""
    items: list[tuple[str, Any]] = component.property_items(recursive=False)
    return sorted(
        (name, str(sorted((key, value) for key, value in one.params.items() if key != "VALUE")), one.to_ical())
        for name, one in items
        if not name.startswith("X-") and hasattr(one, "params")
    )


def test_icalendar_library_reads_jcal_and_ics_alike() -> None:
    entries = (TALK_ENTRY, ALL_DAY_ENTRY, RECURRING_ENTRY, RECURRING_ALL_DAY_ENTRY)
    ours, theirs = parse_document(*entries), parse_document(*entries, fmt=ICS)
    assert [one.name for one in ours.walk()] == [one.name for one in theirs.walk()]
    assert len(ours.walk("VEVENT")) == 6
    for one, other in zip(ours.walk(), theirs.walk(), strict=True):
        assert _property_items(one) == _property_items(other)
        assert len(_property_items(one)) > 3 or one.name == "VTIMEZONE"


@given(hostile=ANY_TEXT)
@settings(max_examples=60)
def test_icalendar_library_reads_texts_unchanged(hostile: str) -> None:
    (event,) = parse_document(fill_entry(hostile)).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    assert (event["SUMMARY"], event["DESCRIPTION"]) == (normalise_text(hostile), normalise_text(hostile))
    assert event.categories == [normalise_text(hostile), "plain"]
    assert str(event.start) == "2026-06-10 13:30:00+02:00"


@pytest.mark.parametrize("entry", [RECURRING_ENTRY, RECURRING_ALL_DAY_ENTRY])
def test_recurring_entry_has_the_occurrences_of_ics(entry: CalendarEntry) -> None:
    taken, expected = (
        sorted((str(one.start), str(one.end), one["SUMMARY"]) for one in recurring_ical_events.of(calendar).all())
        for calendar in (parse_document(entry), parse_document(entry, fmt=ICS))
    )
    assert taken == expected
    assert len(taken) > 4
