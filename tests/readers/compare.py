"""Comparison of the entries that calendar libraries find in feeds with the expected entries."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask

from eventcal.events.models import Event
from eventcal.talks.models import Talk
from tests.feed_support.feed_client import fetch
from tests.feed_support.ics_reader import parse_ics
from tests.http_app import services_of
from tests.readers import libraries, limits
from tests.readers.libraries import Found, Moment, Reader, of_node
from tests.readers.limits import Limit, no_limit
from tests.readers.node import NodeReader
from tests.readers.xcal import by_element_tree


@dataclass(frozen=True)
class Library:
    """A calendar library, its known limits, and the suffix of the feeds that it reads."""

    read: Reader
    limit: Limit = no_limit
    suffix: str = ".ics"


IN_PYTHON = {
    "icalendar": Library(libraries.by_icalendar),
    "recurring-ical-events": Library(libraries.by_recurring_ical_events, limits.limit_of_recurring_ical_events),
    "ical": Library(libraries.by_ical, limits.limit_of_ical),
    "vobject": Library(libraries.by_vobject, limits.limit_of_vobject),
    "ics": Library(libraries.by_ics, limits.limit_of_ics),
    "icalendar, from jCal": Library(libraries.by_icalendar_from_jcal, suffix=".jcal"),
    "ElementTree, from xCal": Library(by_element_tree, suffix=".xcal"),
}


def in_javascript(node: NodeReader) -> dict[str, Library]:
    """Return the JavaScript libraries, which run in Node."""

    def reader(name: str) -> Reader:
        return lambda feed: [of_node(entry) for entry in node.ask({"reader": name, "text": feed})["entries"]]

    def from_jcal(feed: str) -> list[Found]:
        return [of_node(entry) for entry in node.ask({"reader": "ical.js", "jcal": json.loads(feed)})["entries"]]

    return {
        "ical.js": Library(reader("ical.js"), limits.limit_of_ical_js),
        "ical.js, from jCal": Library(from_jcal, limits.limit_of_ical_js_in_jcal, suffix=".jcal"),
        "node-ical": Library(reader("node-ical"), limits.limit_of_node_ical),
    }


Libraries = Mapping[str, Library]


@dataclass(frozen=True)
class Wanted:
    """The expected values of an entry, and the time zone in which the feed writes its times."""

    uid: str
    title: str
    start: Moment
    end: Moment
    tzid: str
    status: str = "CONFIRMED"


def read_otherwise(app: Flask, path: str, readers: Libraries, *, wanted: Sequence[Wanted]) -> dict[str, list[object]]:
    """Return the found and expected values for each library that does not find the expected entries.

    Expected texts that combine several fields are read by a strict parser.
    """
    feeds = {suffix: _feed(app, path, suffix) for suffix in {".ics", *(one.suffix for one in readers.values())}}
    expected = _expected(feeds[".ics"], wanted)
    wrong: dict[str, list[object]] = {}
    for name, library in readers.items():
        found = {entry.uid: entry for entry in library.read(feeds[library.suffix])}
        if found.keys() != expected.keys():
            wrong.setdefault(name, []).append((sorted(found), sorted(expected)))
        for one in wanted:
            differing = _differing(found[one.uid], expected[one.uid], library.limit(expected[one.uid], one.tzid))
            if differing:
                wrong.setdefault(name, []).append(differing)
    return wrong


def _feed(app: Flask, path: str, suffix: str) -> str:
    stem, _, query = path.partition("?")
    answer = fetch(app, f"{stem}{suffix}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.get_data(as_text=True)


def _expected(feed: str, wanted: Sequence[Wanted]) -> dict[str, Found]:
    strict = {entry.text("UID"): entry for entry in parse_ics(feed.encode()).events()}
    assert sorted(strict) == sorted(one.uid for one in wanted)
    return {
        one.uid: Found(
            uid=one.uid,
            title=one.title,
            status=one.status,
            start=one.start,
            end=one.end,
            description=entry.text("DESCRIPTION"),
            location=entry.text("LOCATION") if entry.list_properties("LOCATION") else None,
            categories=tuple(entry.get_property("CATEGORIES").texts) if entry.list_properties("CATEGORIES") else (),
        )
        for one in wanted
        for entry in [strict[one.uid]]
    }


def _differing(found: Found, expected: Found, limit: Iterator[str]) -> dict[str, tuple[object, object]]:
    left_out = set(limit)
    pairs = {name: (getattr(found, name), getattr(expected, name)) for name in Found._fields if name not in left_out}
    if "categories" in pairs:
        # The order of categories is not significant, and some libraries do not preserve the order.
        pairs["categories"] = (tuple(sorted(found.categories)), tuple(sorted(expected.categories)))
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def event_as_wanted(app: Flask, event: Event, **otherwise: Any) -> Wanted:
    start, end = _days_of(event) if "T" not in event.starts else (event.starts_at, event.ends_at)
    uid = f"event-{event.id}@{_domain(app)}"
    return Wanted(**{"uid": uid, "title": event.title, "start": start, "end": end, "tzid": event.timezone, **otherwise})


def talk_as_wanted(app: Flask, talk: Talk, event: Event, **otherwise: Any) -> Wanted:
    start, end = (talk.starts_at, talk.ends_at) if talk.starts_at and talk.ends_at else _days_of(event)
    uid = f"talk-{talk.id}@{_domain(app)}"
    return Wanted(**{"uid": uid, "title": talk.title, "start": start, "end": end, "tzid": event.timezone, **otherwise})


def _days_of(event: Event) -> tuple[date, date]:
    return date.fromisoformat(event.starts[:10]), date.fromisoformat(event.ends[:10]) + timedelta(days=1)


def _domain(app: Flask) -> str:
    return services_of(app).settings.domain
