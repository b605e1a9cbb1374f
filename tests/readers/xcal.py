"""A small xCal parser (RFC 6321) that uses only the XML parser of the standard library."""

from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from tests.readers.libraries import Found, Moment

_IN = "{urn:ietf:params:xml:ns:icalendar-2.0}"


def by_element_tree(feed: str) -> list[Found]:
    """Return the entries of a feed, after checking that the feed defines exactly the time zones that it refers to."""
    root = ET.fromstring(feed.encode())  # noqa: S314 - our own XML
    named = {one.text for one in root.iterfind(f".//{_IN}parameters/{_IN}tzid/{_IN}text")}
    described = {one.text for one in root.iterfind(f".//{_IN}vtimezone/{_IN}properties/{_IN}tzid/{_IN}text")}
    assert named == described
    return [_found(properties) for properties in root.iterfind(f".//{_IN}vevent/{_IN}properties")]


def _found(properties: ET.Element) -> Found:
    return Found(
        uid=_one(properties, "uid"),
        title=_one(properties, "summary"),
        status=_one(properties, "status"),
        start=_moment(properties, "dtstart"),
        end=_moment(properties, "dtend"),
        description=_one(properties, "description"),
        location=_one(properties, "location") if properties.find(f"{_IN}location") is not None else None,
        categories=tuple(_texts(properties, "categories")),
    )


def _texts(properties: ET.Element, name: str) -> list[str]:
    return [value.text or "" for value in properties.iterfind(f"{_IN}{name}/{_IN}text")]


def _one(properties: ET.Element, name: str) -> str:
    (value,) = _texts(properties, name)
    return value


def _moment(properties: ET.Element, name: str) -> Moment:
    day = properties.findtext(f"{_IN}{name}/{_IN}date")
    if day is not None:
        return date.fromisoformat(day)
    time = datetime.fromisoformat(properties.findtext(f"{_IN}{name}/{_IN}date-time", ""))
    tzid = properties.findtext(f"{_IN}{name}/{_IN}parameters/{_IN}tzid/{_IN}text")
    assert (time.tzinfo is None) == (tzid is not None), f"{time} is floating"
    return (time.replace(tzinfo=ZoneInfo(tzid)) if tzid else time).astimezone(UTC)
