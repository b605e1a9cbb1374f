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
from tests.documents import document
from tests.feed_support.entries import ANYTHING, DAYS, MEETUP, TALK, WEEK, filled, filled_head, readable

SPACE = "{urn:ietf:params:xml:ns:icalendar-2.0}"
NEW_YORK = vtimezone("America/New_York", date(2026, 1, 1), date(2026, 12, 31))
AT = datetime(2014, 6, 4, 13, 30)  # noqa: DTZ001 - local
NUMBERS = frozenset(
    {"count", "interval", "bymonthday", "byyearday", "byweekno", "bymonth", "bysetpos", "byhour", "byminute"}
)


def written(*properties: Property) -> str:
    """Return the properties of a component as written."""
    body = xcal.components_to_xml([Component("VEVENT", properties)]).decode()
    return body.removeprefix("<vevent><properties>").removesuffix("</properties></vevent>")


def parsed(body: bytes) -> Element:
    return fromstring(body)  # noqa: S314 - our own


def tag(element: Element) -> str:
    assert element.tag.startswith(SPACE)
    assert element.attrib == {}
    return element.tag.removeprefix(SPACE)


def as_jcal(component: Element) -> list[Any]:
    """Convert an xCal component to jCal, following the mappings of both RFCs."""
    parts = {tag(part): part for part in component}
    assert list(parts) in (["properties"], ["properties", "components"])
    return [
        tag(component),
        [_property(one) for one in parts["properties"]],
        [as_jcal(one) for one in parts.get("components", ())],
    ]


def _property(element: Element) -> list[Any]:
    values = list(element)
    parameters: dict[str, Any] = {}
    if values and tag(values[0]) == "parameters":
        for one in values.pop(0):
            assert {tag(value) for value in one} == {"text"}
            written = [value.text for value in one]
            parameters[tag(one)] = written if len(written) > 1 else written[0]
    if tag(element) == "geo":
        assert [tag(value) for value in values] == ["latitude", "longitude"]
        return ["geo", parameters, "float", [float(value.text or "") for value in values]]
    (kind,) = {tag(value) for value in values}
    return [tag(element), parameters, kind, *[_value(kind, value) for value in values]]


def _value(kind: str, element: Element) -> Any:  # noqa: ANN401 - JSON
    if kind == "recur":
        parts: dict[str, list[Any]] = {}
        for part in element:
            said = part.text or ""
            parts.setdefault(tag(part), []).append(int(said) if tag(part) in NUMBERS else said)
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
            date_time_property("DTSTART", [AT.replace(tzinfo=UTC)], None),
            "<dtstart><date-time>2014-06-04T13:30:00Z</date-time></dtstart>",
        ),
        (
            date_time_property("DTSTART", [AT], "America/New_York"),
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
    assert written(one) == element


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
    (calendar,) = parsed(b"".join(xcal.xcal_header_and_footer([text_property("VERSION", "2.0")], zones=[])))
    assert as_jcal(calendar) == ["vcalendar", [["version", {}, "text", "2.0"]], []]


# Parsing


@pytest.mark.parametrize("entries", [[TALK], [DAYS, TALK], [MEETUP], [WEEK, MEETUP]])
def test_xcal_has_the_same_content_as_jcal(entries: list[CalendarEntry]) -> None:
    xml, array = (document(fmt, *entries, zones=[NEW_YORK], options=Options(rich=True)) for fmt in (XCAL, JCAL))
    (calendar,) = parsed(xml)
    assert as_jcal(calendar) == json.loads(array)


@given(hostile=ANYTHING)
@settings(max_examples=100)
def test_hostile_text_stays_within_its_element(hostile: str) -> None:
    xml, array = (document(fmt, filled(hostile), head=filled_head(hostile)) for fmt in (XCAL, JCAL))
    (calendar,) = parsed(xml)
    read = as_jcal(calendar)
    assert read == json.loads(array)
    assert [one[3] for one in read[2][0][1] if one[0] == "summary"] == [readable(hostile)]
