"""xCal documents follow RFC 6321 and have the same content as jCal."""

import json
from datetime import UTC, date, datetime
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings

from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.feeds.format_registry import JCAL, XCAL, Options
from eventcal.feeds.formats import xcal
from eventcal.feeds.formats.components import (
    Component,
    Property,
    ValueType,
    date_time_property,
    text_property,
    uri_property,
)
from eventcal.feeds.zones import vtimezone
from tests.feed_documents import build_feed
from tests.feed_support.sample_entries import (
    ALL_DAY_ENTRY,
    ANY_TEXT,
    RECURRING_ALL_DAY_ENTRY,
    RECURRING_ENTRY,
    TALK_ENTRY,
    fill_entry,
    fill_feed_head,
    normalise_text,
)

XCAL_NAMESPACE = "{urn:ietf:params:xml:ns:icalendar-2.0}"
NEW_YORK_VTIMEZONE = vtimezone("America/New_York", date(2026, 1, 1), date(2026, 12, 31))
LOCAL_TIME = datetime(2014, 6, 4, 13, 30)  # noqa: DTZ001 - local
NUMERIC_RECUR_PARTS = frozenset(
    {"count", "interval", "bymonthday", "byyearday", "byweekno", "bymonth", "bysetpos", "byhour", "byminute"}
)


def xcal_properties(*properties: Property) -> str:
    """Return the properties of a component as written."""
    body = xcal.components_to_xml([Component("VEVENT", properties)]).decode()
    return body.removeprefix("<vevent><properties>").removesuffix("</properties></vevent>")


def parse_xml(body: bytes) -> Element:
    return fromstring(body)  # noqa: S314 - our own


def local_tag(element: Element) -> str:
    assert element.tag.startswith(XCAL_NAMESPACE)
    assert element.attrib == {}
    return element.tag.removeprefix(XCAL_NAMESPACE)


def to_jcal(component: Element) -> list[Any]:
    """Convert an xCal component to jCal, following the mappings of both RFCs."""
    parts = {local_tag(part): part for part in component}
    assert list(parts) in (["properties"], ["properties", "components"])
    return [
        local_tag(component),
        [_property_to_jcal(one) for one in parts["properties"]],
        [to_jcal(one) for one in parts.get("components", ())],
    ]


def _property_to_jcal(element: Element) -> list[Any]:
    values = list(element)
    parameters: dict[str, Any] = {}
    if values and local_tag(values[0]) == "parameters":
        for one in values.pop(0):
            assert {local_tag(value) for value in one} == {"text"}
            written = [value.text for value in one]
            parameters[local_tag(one)] = written if len(written) > 1 else written[0]
    if local_tag(element) == "geo":
        assert [local_tag(value) for value in values] == ["latitude", "longitude"]
        return ["geo", parameters, "float", [float(value.text or "") for value in values]]
    (kind,) = {local_tag(value) for value in values}
    return [local_tag(element), parameters, kind, *[_value_to_jcal(kind, value) for value in values]]


def _value_to_jcal(kind: str, element: Element) -> Any:  # noqa: ANN401 - JSON
    if kind == "recur":
        parts: dict[str, list[Any]] = {}
        for part in element:
            said = part.text or ""
            parts.setdefault(local_tag(part), []).append(int(said) if local_tag(part) in NUMERIC_RECUR_PARTS else said)
        return {name: values if len(values) > 1 else values[0] for name, values in parts.items()}
    assert list(element) == []
    return int(element.text or "") if kind == "integer" else element.text or ""


# Values


@pytest.mark.parametrize(
    ("one", "element"),
    [
        (text_property("SUMMARY", 'a & "b"\n<c>'), '<summary><text>a &amp; "b"\n&lt;c&gt;</text></summary>'),
        (date_time_property("DTSTART", [date(2014, 8, 18)], None), "<dtstart><date>2014-08-18</date></dtstart>"),
        (
            date_time_property("DTSTART", [LOCAL_TIME.replace(tzinfo=UTC)], None),
            "<dtstart><date-time>2014-06-04T13:30:00Z</date-time></dtstart>",
        ),
        (
            date_time_property("DTSTART", [LOCAL_TIME], "America/New_York"),
            (
                "<dtstart><parameters><tzid><text>America/New_York</text></tzid></parameters>"
                "<date-time>2014-06-04T13:30:00</date-time></dtstart>"
            ),
        ),
        (
            date_time_property("EXDATE", [date(2014, 8, 18), date(2014, 8, 25)], None),
            "<exdate><date>2014-08-18</date><date>2014-08-25</date></exdate>",
        ),
        (Property("SEQUENCE", ValueType.INTEGER, (2,)), "<sequence><integer>2</integer></sequence>"),
        (
            Property("REFRESH-INTERVAL", ValueType.DURATION, ("PT1H",), explicit_type=True),
            "<refresh-interval><duration>PT1H</duration></refresh-interval>",
        ),
        (
            Property("TZOFFSETTO", ValueType.UTC_OFFSET, ("-0500",)),
            "<tzoffsetto><utc-offset>-05:00</utc-offset></tzoffsetto>",
        ),
        (
            Property("TZOFFSETTO", ValueType.UTC_OFFSET, ("-004430",)),
            "<tzoffsetto><utc-offset>-00:44:30</utc-offset></tzoffsetto>",
        ),
        (
            Property("GEO", ValueType.GEO, ((37.3860134, -122.082932),)),
            "<geo><latitude>37.386013</latitude><longitude>-122.082932</longitude></geo>",
        ),
        (
            Property("GEO", ValueType.GEO, ((-1e-9, 1e-6),)),
            "<geo><latitude>0.000000</latitude><longitude>0.000001</longitude></geo>",
        ),
        (
            Property("CATEGORIES", ValueType.TEXT, ("computers, old", "science")),
            "<categories><text>computers, old</text><text>science</text></categories>",
        ),
        (
            uri_property("CONFERENCE", "https://example.org/ö?a&b", ("FEATURE", "AUDIO,VIDEO"), explicit_type=True),
            (
                "<conference><parameters><feature><text>AUDIO</text><text>VIDEO</text></feature></parameters>"
                "<uri>https://example.org/%C3%B6?a&amp;b</uri></conference>"
            ),
        ),
        (
            # Parts have the order of the schema (RFC 6321, appendix A), not that of the rule.
            Property(
                "RRULE",
                ValueType.RECUR,
                ("WKST=SU;BYMONTH=10,11;BYDAY=-1SU,2MO;INTERVAL=2;UNTIL=20140604T133000Z;FREQ=YEARLY",),
            ),
            (
                "<rrule><recur><freq>YEARLY</freq><until>2014-06-04T13:30:00Z</until><interval>2</interval>"
                "<byday>-1SU</byday><byday>2MO</byday><bymonth>10</bymonth><bymonth>11</bymonth><wkst>SU</wkst>"
                "</recur></rrule>"
            ),
        ),
        (
            Property("RRULE", ValueType.RECUR, ("FREQ=WEEKLY;UNTIL=20140604",)),
            "<rrule><recur><freq>WEEKLY</freq><until>2014-06-04</until></recur></rrule>",
        ),
    ],
)
def test_property_is_written_as_xcal_element(one: Property, element: str) -> None:
    assert xcal_properties(one) == element


# Documents


def test_feed_contains_zones_followed_by_unchanged_pieces() -> None:
    inner = Component("STANDARD", (text_property("TZNAME", "CET"),))
    above, below = xcal.xcal_header_and_footer(
        [text_property("VERSION", "2.0")], zones=[Component("VTIMEZONE", (), (inner,))]
    )
    assert (above + b"<one/><two/>" + below).decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar>'
        "<properties><version><text>2.0</text></version></properties><components>"
        "<vtimezone><properties></properties><components><standard><properties><tzname><text>CET</text></tzname>"
        "</properties></standard></components></vtimezone><one/><two/></components></vcalendar></icalendar>\n"
    )


def test_feed_without_entries_is_a_valid_calendar() -> None:
    (calendar,) = parse_xml(b"".join(xcal.xcal_header_and_footer([text_property("VERSION", "2.0")], zones=[])))
    assert to_jcal(calendar) == ["vcalendar", [["version", {}, "text", "2.0"]], []]


# Parsing


@pytest.mark.parametrize(
    "entries",
    [[TALK_ENTRY], [ALL_DAY_ENTRY, TALK_ENTRY], [RECURRING_ENTRY], [RECURRING_ALL_DAY_ENTRY, RECURRING_ENTRY]],
)
def test_xcal_has_the_same_content_as_jcal(entries: list[CalendarEntry]) -> None:
    xml, array = (
        build_feed(fmt, *entries, zones=[NEW_YORK_VTIMEZONE], options=Options(rich=True)) for fmt in (XCAL, JCAL)
    )
    (calendar,) = parse_xml(xml)
    assert to_jcal(calendar) == json.loads(array)


@given(hostile=ANY_TEXT)
@settings(max_examples=100)
def test_hostile_text_stays_within_its_element(hostile: str) -> None:
    xml, array = (build_feed(fmt, fill_entry(hostile), head=fill_feed_head(hostile)) for fmt in (XCAL, JCAL))
    (calendar,) = parse_xml(xml)
    read = to_jcal(calendar)
    assert read == json.loads(array)
    assert [one[3] for one in read[2][0][1] if one[0] == "summary"] == [normalise_text(hostile)]
