"""Recurrences as expanded by other libraries: the same days and times for every zone and rule."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import pytest
from dateutil.rrule import rrulestr
from flask import Flask

from eventcal.kit.localtime import get_zone, local_to_utc_lenient
from tests.factories import make_event
from tests.feed_support.feed_client import fetch
from tests.http_app import write_session
from tests.readers import libraries
from tests.readers.libraries import Expander, Found, Moment, of_node, zones_of_our_release
from tests.readers.node import NodeReader

# No occurrence is close to either day.
FIRST_DAY, LAST_DAY = date(2026, 1, 1), date(2027, 12, 20)
# Every rule includes the first Tuesday of March 2026.
RULES = (
    "FREQ=DAILY;INTERVAL=10",
    "FREQ=DAILY;COUNT=60",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=SU",
    "FREQ=WEEKLY;UNTIL=20261027",
    "FREQ=MONTHLY;BYDAY=1TU",
    "FREQ=MONTHLY;BYMONTHDAY=3,-1",
    "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2",
    "FREQ=YEARLY;BYMONTH=3,11;BYDAY=1TU",
)
START, LENGTH = datetime(2026, 3, 3, 18), timedelta(hours=2)  # noqa: DTZ001 - local
ZONES = (
    "America/New_York",
    "America/Nuuk",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "UTC",
)


class ExpectedOccurrence(NamedTuple):
    """An expected occurrence."""

    title: str
    start: Moment
    end: Moment
    status: str = "CONFIRMED"


@dataclass(frozen=True)
class Library:
    """A library that expands recurrences."""

    expand: Expander
    suffix: str = ".ics"


Libraries = Mapping[str, Library]

PYTHON_LIBRARIES = {
    "recurring-ical-events": Library(libraries.expanded_by_recurring_ical_events),
    "recurring-ical-events, from jCal": Library(libraries.expanded_from_jcal, suffix=".jcal"),
    "ical": Library(libraries.expanded_by_ical),
}


def javascript_libraries(node: NodeReader) -> Libraries:
    def expanded(first: date, last: date, request: dict[str, Any]) -> list[Found]:
        between = [f"{day}T00:00:00Z" for day in (first, last)]
        return [of_node(entry) for entry in node.ask({**request, "between": between})["occurrences"]]

    return {
        "ical.js": Library(lambda feed, first, last: expanded(first, last, {"reader": "ical.js", "text": feed})),
        "ical.js, from jCal": Library(
            lambda feed, first, last: expanded(first, last, {"reader": "ical.js", "jcal": json.loads(feed)}),
            suffix=".jcal",
        ),
        "node-ical": Library(lambda feed, first, last: expanded(first, last, {"reader": "node-ical", "text": feed})),
    }


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Return a single kind of database: the feeds are identical on both."""
    return sqlite_url


@pytest.fixture(params=["python", "javascript"])
def expanders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Libraries]:
    """Return the libraries of one language; each test runs once per language."""
    language: str = request.param
    # Requested by name, so that the Python tests also run on machines without Node.
    found = (
        PYTHON_LIBRARIES
        if language == "python"
        else javascript_libraries(request.getfixturevalue("_javascript_process"))
    )
    with zones_of_our_release(monkeypatch):
        yield found


def expansion_differences(
    app: Flask, expanders: Libraries, expected: list[ExpectedOccurrence]
) -> dict[str, tuple[object, object]]:
    """Return the surplus and the missing occurrences of each library that expands the calendar incorrectly."""
    wrong: dict[str, tuple[object, object]] = {}
    for name, library in expanders.items():
        answer = fetch(app, f"/calendar{library.suffix}?from={FIRST_DAY}")
        assert answer.status_code == 200, answer.text
        occurrences = library.expand(answer.text, FIRST_DAY, LAST_DAY)
        found = Counter(ExpectedOccurrence(one.title, one.start, one.end, one.status) for one in occurrences)
        if found != Counter(expected):
            wrong[name] = (dict(found - Counter(expected)), dict(Counter(expected) - found))
    return wrong


def parse_datetime(text: str) -> datetime:
    return datetime.fromisoformat(text)


def expand_with_dateutil(rule: str) -> list[datetime]:
    """Return the local times of a rule according to dateutil, including the UNTIL day."""
    ended = rule.replace("UNTIL=20261027", "UNTIL=20261027T235959")
    found: list[datetime] = rrulestr(ended, dtstart=START).between(START, datetime.combine(LAST_DAY, time()), inc=True)
    return found


def test_timed_recurrence_keeps_its_local_time_in_every_library(app: Flask, expanders: Libraries) -> None:
    expected = []
    with write_session(app) as session:
        for tzid in ZONES:
            for rule in RULES:
                title = f"{tzid} {rule}"
                ends = f"{START + LENGTH:%Y-%m-%dT%H:%M:%S}"
                starts = f"{START:%Y-%m-%dT%H:%M:%S}"
                make_event(session, title=title, timezone=tzid, starts=starts, ends=ends, recurrence=rule)
                begins = [wall.replace(tzinfo=get_zone(tzid)) for wall in expand_with_dateutil(rule)]
                expected += [
                    ExpectedOccurrence(title, one.astimezone(UTC), (one + LENGTH).astimezone(UTC)) for one in begins
                ]
    assert expansion_differences(app, expanders, expected) == {}


def test_all_day_recurrence_has_the_same_days_in_every_library(app: Flask, expanders: Libraries) -> None:
    expected = []
    with write_session(app) as session:
        for tzid in ("America/New_York", "Asia/Kolkata", "Pacific/Apia"):
            for rule in RULES:
                title = f"{tzid} {rule}"
                make_event(session, title=title, timezone=tzid, starts="2026-03-03", ends="2026-03-04", recurrence=rule)
                days = [wall.date() for wall in expand_with_dateutil(rule)]
                expected += [ExpectedOccurrence(title, day, day + timedelta(days=2)) for day in days]
    assert expansion_differences(app, expanders, expected) == {}


def test_every_library_applies_recurrence_overrides(app: Flask, expanders: Libraries) -> None:
    with write_session(app) as session:
        make_event(
            session,
            title="Call",
            starts="2026-03-03T18:00:00",
            ends="2026-03-03T20:00:00",
            recurrence="FREQ=MONTHLY;BYDAY=1TU;COUNT=6",
            recurrence_overrides={
                "2026-04-07T18:00:00": {"excluded": True},
                "2026-05-05T18:00:00": {"starts": "2026-05-12T09:30:00", "title": "With guests"},
                "2026-06-02T18:00:00": {"status": "cancelled"},
                "2026-07-07T18:00:00": {"ends": "2026-07-08T02:00:00"},
            },
        )
    expected = [
        ExpectedOccurrence("Call", parse_datetime("2026-03-03T17:00Z"), parse_datetime("2026-03-03T19:00Z")),
        ExpectedOccurrence("With guests", parse_datetime("2026-05-12T07:30Z"), parse_datetime("2026-05-12T09:30Z")),
        ExpectedOccurrence(
            "CANCELLED: Call", parse_datetime("2026-06-02T16:00Z"), parse_datetime("2026-06-02T18:00Z"), "CANCELLED"
        ),
        ExpectedOccurrence("Call", parse_datetime("2026-07-07T16:00Z"), parse_datetime("2026-07-08T00:00Z")),
        ExpectedOccurrence("Call", parse_datetime("2026-08-04T16:00Z"), parse_datetime("2026-08-04T18:00Z")),
    ]
    assert expansion_differences(app, expanders, expected) == {}


# Each time of day and length, in each zone, meets a change of the clocks in another way.
CLOCK_CHANGE_TIMES = (("00:15", 1), ("01:30", 1), ("02:30", 1), ("02:30", 4), ("22:00", 8))
CLOCK_CHANGE_ZONES = (
    *("America/New_York", "America/Nuuk", "America/St_Johns", "Atlantic/Azores", "Australia/Lord_Howe"),
    *("Europe/Berlin", "Europe/Dublin", "Pacific/Auckland"),
)


def test_libraries_read_the_same_instants_around_clock_changes(app: Flask, expanders: Libraries) -> None:
    expected = []
    with write_session(app) as session:
        for tzid in CLOCK_CHANGE_ZONES:
            for clock, hours in CLOCK_CHANGE_TIMES:
                title, first = f"{tzid} {clock} {hours}", datetime.fromisoformat(f"2026-01-15T{clock}:00")
                lasts = timedelta(hours=hours)
                make_event(
                    session,
                    title=title,
                    timezone=tzid,
                    starts=first.isoformat(),
                    ends=(first + lasts).isoformat(),
                    recurrence="FREQ=DAILY;COUNT=365",
                )
                begins = [local_to_utc_lenient(first + timedelta(days=day), tzid) for day in range(365)]
                expected += [ExpectedOccurrence(title, one, one + lasts) for one in begins]
    # node-ical shifts whole series by an hour after a change of the clocks, for which explicit instances are no remedy.
    others = {name: library for name, library in expanders.items() if name != "node-ical"}
    assert expansion_differences(app, others, expected) == {}
