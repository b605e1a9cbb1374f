"""Entries as iCalendar components: times, what recurs, and with RFC 9073 who and where."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import CalendarEntry, Part, Participant, Status
from eventcal.feeds.formats.ics import write_component
from eventcal.feeds.formats.vevent import enriched_components
from eventcal.kit.localtime import zone
from tests.feed_support.ics_entries import (
    MEETUP,
    STAMPS,
    UTC_ZONES,
    ZONES,
    feed_of,
    local,
    otherwise,
    read,
    read_all,
    read_by_icalendar,
    timed_entries,
    wrapped,
    zones_of,
)
from tests.feed_support.icslint import Component, parse
from tests.feed_support.make_feeds import ENTRY

# Times


@given(case=timed_entries())
@settings(max_examples=150)
def test_every_reader_reads_the_instants(case: tuple[CalendarEntry, datetime, datetime]) -> None:
    entry, starts_at, ends_at = case
    found = read(entry)
    assert (_instant(found, "DTSTART"), _instant(found, "DTEND")) == (starts_at, ends_at)
    event = read_by_icalendar(feed_of(entry))
    assert [event.decoded(name).astimezone(UTC) for name in ("DTSTART", "DTEND")] == [starts_at, ends_at]


def _instant(entry: Component, name: str) -> datetime:
    moment = entry.get(name).moment
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def test_the_second_of_two_same_hours_is_written_in_utc() -> None:
    # In Berlin 02:30 comes twice on that day; 45 minutes after the first is the second 02:15.
    entry = replace(
        ENTRY,
        starts=local("2026-10-25T02:30"),
        ends=local("2026-10-25T02:15", fold=1),
    )
    found = read(entry)
    assert (found.value("DTSTART"), found.value("DTEND")) == ("20261025T003000Z", "20261025T011500Z")


@pytest.mark.parametrize("tzid", UTC_ZONES)
def test_utc_needs_no_zone_whatever_it_is_called(tzid: str) -> None:
    found = read(replace(ENTRY, starts=local("2026-06-10T09:00"), ends=local("2026-06-10T10:00"), zone=tzid))
    assert (found.get("DTSTART").parameters, found.value("DTSTART")) == ("", "20260610T090000Z")


@given(first=st.dates(date(1970, 1, 1), date(2199, 12, 1)), days=st.integers(1, 30))
@settings(max_examples=30)
def test_days_are_dates_and_the_end_is_the_day_after(first: date, days: int) -> None:
    found = read(replace(ENTRY, starts=first, ends=first + timedelta(days=days)))
    assert (found.get("DTSTART").moment, found.get("DTEND").moment) == (first, first + timedelta(days=days))
    assert found.get("DTSTART").parameters == ";VALUE=DATE"


# Recurrence


def rule_of(entry: CalendarEntry) -> str | None:
    found = read(entry).all("RRULE")
    return found[0].value if found else None


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("FREQ=MONTHLY;BYDAY=1TU", "FREQ=MONTHLY;BYDAY=1TU"),
        ("interval=2;freq=weekly;byday=tu,th", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH"),
        # A date holds its whole day in the zone; Berlin is at UTC+2 by then.
        ("FREQ=WEEKLY;UNTIL=20260630", "FREQ=WEEKLY;UNTIL=20260630T215959Z"),
        ("FREQ=WEEKLY;UNTIL=20260630T180000", "FREQ=WEEKLY;UNTIL=20260630T160000Z"),
        ("FREQ=WEEKLY;UNTIL=20260630T180000Z", "FREQ=WEEKLY;UNTIL=20260630T180000Z"),
        # What RFC 5545 cannot say is left out rather than said wrong.
        ("FREQ=YEARLY;BYEASTER=0", None),
        ("FREQ=WEEKLY;UNTIL=JUNE", None),
        ("FREQ=WEEKLY;UNTIL=20261340", None),
        ("FREQ=WEEKLY;BYMONTH=+1", None),
        ("BYDAY=TU", None),
    ],
)
def test_the_rule_of_what_recurs_at_a_time_ends_in_utc(written: str, printed: str | None) -> None:
    assert rule_of(replace(MEETUP, recurrence=written)) == printed


@pytest.mark.parametrize(
    ("until", "printed"),
    [
        ("20260630", "20260630"),
        ("20260630T180000", "20260630"),
        # Past midnight in Berlin.
        ("20260630T230000Z", "20260701"),
    ],
)
def test_the_rule_of_what_recurs_for_days_ends_with_a_day(until: str, printed: str) -> None:
    assert rule_of(replace(ENTRY, recurrence=f"FREQ=WEEKLY;UNTIL={until}")) == f"FREQ=WEEKLY;UNTIL={printed}"


@pytest.mark.parametrize(
    "rule",
    ["FREQ=WEEKLY;COUNT=40", "FREQ=MONTHLY;BYDAY=1TU;UNTIL=20270301", "FREQ=DAILY;INTERVAL=9;UNTIL=20261103T170000Z"],
)
@pytest.mark.parametrize("tzid", ZONES)
def test_what_recurs_stays_at_its_time_on_the_wall(rule: str, tzid: str) -> None:
    entry = replace(MEETUP, zone=tzid, recurrence=rule)
    calendar = icalendar.Calendar.from_ical(feed_of(entry))
    found = recurring_ical_events.of(calendar).between(date(2026, 1, 1), date(2028, 1, 1))
    here = zone(tzid)
    until = rule.endswith("Z")
    wall = rrulestr(
        rule.replace("UNTIL=20270301", "UNTIL=20270301T235959"),
        dtstart=datetime(2026, 3, 3, 18, tzinfo=here if until else None),
    )
    expected = [moment.replace(tzinfo=here).astimezone(UTC) for moment in wall]
    assert sorted(event.start.astimezone(UTC) for event in found) == expected


# Occurrences that are otherwise

WEEKLY = replace(MEETUP, recurrence="FREQ=WEEKLY;COUNT=4", excluded=(local("2026-03-17T18:00"),))


def times(entry: Component) -> dict[str, str]:
    """Return what an entry says of time, as it stands there."""
    return {line.name + line.parameters: line.value for line in entry.lines if line.name in TIMES}


TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RRULE", "EXDATE", "STATUS", "SUMMARY")


def test_an_occurrence_that_is_otherwise_names_the_one_that_it_replaces() -> None:
    moved = otherwise(
        WEEKLY,
        local("2026-03-10T18:00"),
        title="Moved",
        starts=local("2026-03-11T19:00"),
        ends=local("2026-03-11T20:00"),
    )
    off = otherwise(WEEKLY, local("2026-03-24T18:00"), status=Status.CANCELLED)
    series, *others = read_all(replace(WEEKLY, overrides=(moved, off)))
    assert times(series) == {
        "SUMMARY": "Xen Summit",
        "STATUS": "CONFIRMED",
        "DTSTART;TZID=Europe/Berlin": "20260303T180000",
        "DTEND;TZID=Europe/Berlin": "20260303T200000",
        "RRULE": "FREQ=WEEKLY;COUNT=4",
        "EXDATE;TZID=Europe/Berlin": "20260317T180000",
    }
    assert [times(other) for other in others] == [
        {
            "SUMMARY": "Moved",
            "STATUS": "CONFIRMED",
            "DTSTART;TZID=Europe/Berlin": "20260311T190000",
            "DTEND;TZID=Europe/Berlin": "20260311T200000",
            "RECURRENCE-ID;TZID=Europe/Berlin": "20260310T180000",
        },
        {
            "SUMMARY": "Xen Summit",
            "STATUS": "CANCELLED",
            "DTSTART;TZID=Europe/Berlin": "20260324T180000",
            "DTEND;TZID=Europe/Berlin": "20260324T200000",
            "RECURRENCE-ID;TZID=Europe/Berlin": "20260324T180000",
        },
    ]
    same = {name: {entry.value(name) for entry in (series, *others)} for name in ("UID", "DTSTAMP", "SEQUENCE")}
    assert same == {"UID": {ENTRY.uid}, "DTSTAMP": {"20260301T120000Z"}, "SEQUENCE": {"3"}}


def test_days_that_recur_are_left_out_and_replaced_by_their_dates() -> None:
    days = replace(ENTRY, recurrence="FREQ=MONTHLY", excluded=(date(2026, 7, 10), date(2026, 9, 10)))
    series, other = read_all(replace(days, overrides=(otherwise(days, date(2026, 8, 10), starts=date(2026, 8, 9)),)))
    left_out = [(line.parameters, line.value) for line in series.all("EXDATE")]
    assert left_out == [(";VALUE=DATE", "20260710"), (";VALUE=DATE", "20260910")]
    assert (other.get("RECURRENCE-ID").parameters, other.value("RECURRENCE-ID")) == (";VALUE=DATE", "20260810")
    assert other.value("DTSTART") == "20260809"


def test_a_reader_who_counts_finds_each_occurrence_where_it_is() -> None:
    moved = otherwise(
        WEEKLY, local("2026-03-10T18:00"), starts=local("2026-03-11T19:00"), ends=local("2026-03-11T20:00")
    )
    calendar = icalendar.Calendar.from_ical(feed_of(replace(WEEKLY, overrides=(moved,))))
    found = recurring_ical_events.of(calendar).between(date(2026, 1, 1), date(2027, 1, 1))
    assert sorted(f"{event.start:%m-%d %H:%M}" for event in found) == ["03-03 18:00", "03-11 19:00", "03-24 18:00"]


# Who and where, as RFC 9073 has them

GRACE = Participant(
    part=Part.SPEAKER, key="grace", name="Grace, Hopper", about="US Navy", url="https://cal.example.org/speakers/grace"
)
XEN = Participant(part=Part.SPONSOR, key="xen", name="Xen Project")


def rich(entry: CalendarEntry) -> list[Component]:
    """Return an entry's components with all that is said of them, as a strict reader reads them."""
    written = "".join(map(write_component, enriched_components(entry, STAMPS)))
    return parse(wrapped([written], zones_of(entry))).events()


def said(component: Component) -> list[tuple[str, str, str]]:
    return [(line.name, line.parameters, line.text) for line in component.lines]


def test_people_and_places_are_components_of_their_own_after_all_properties() -> None:
    entry = replace(ENTRY, participants=(GRACE, XEN), location="Hall; Berlin", geo=(52.5, 13.4))
    (found,) = rich(entry)
    assert [(part.name, said(part)) for part in found.parts] == [
        (
            "PARTICIPANT",
            [
                ("UID", "", "speaker-grace@cal.example.org"),
                ("PARTICIPANT-TYPE", "", "SPEAKER"),
                ("SUMMARY", "", "Grace, Hopper"),
                ("DESCRIPTION", "", "US Navy"),
                ("URL", "", "https://cal.example.org/speakers/grace"),
            ],
        ),
        (
            "PARTICIPANT",
            [
                ("UID", "", "sponsor-xen@cal.example.org"),
                ("PARTICIPANT-TYPE", "", "SPONSOR"),
                ("SUMMARY", "", "Xen Project"),
            ],
        ),
        (
            "VLOCATION",
            [
                ("UID", "", "place-of-event-1@cal.example.org"),
                ("NAME", "", "Hall; Berlin"),
                ("GEO", "", "52.500000;13.400000"),
            ],
        ),
    ]
    styled = found.get("STYLED-DESCRIPTION")
    assert (styled.parameters, styled.text) == (";VALUE=TEXT;FMTTYPE=text/html", "<p>Three days of Xen.</p>")


def test_what_is_rich_says_all_that_is_plain() -> None:
    entry = replace(ENTRY, participants=(GRACE,), location="Hall")
    (plain,), (found,) = read_all(entry), rich(entry)
    assert [line for line in found.lines if line.name != "STYLED-DESCRIPTION"] == plain.lines
    assert rich(ENTRY)[0].parts == []


def test_each_occurrence_has_its_own_place() -> None:
    weekly = replace(WEEKLY, location="Hall", participants=(XEN,))
    elsewhere = otherwise(weekly, local("2026-03-10T18:00"), location="Barn")
    nowhere = otherwise(weekly, local("2026-03-24T18:00"), location=None)
    places = [
        [part.text("NAME") for part in one.parts if part.name == "VLOCATION"]
        for one in rich(replace(weekly, overrides=(elsewhere, nowhere)))
    ]
    assert places == [["Hall"], ["Barn"], []]
