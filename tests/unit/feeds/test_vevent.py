"""Entries as iCalendar components: times, recurrence, and RFC 9073 participants and locations."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import CalendarEntry, Participant, ParticipantType, Status
from eventcal.feeds.formats.ics import serialize_component
from eventcal.feeds.formats.vevent import event_components_with_rfc9073
from eventcal.kit.localtime import get_zone
from tests.feed_support.feed_calendar import SAMPLE_ENTRY
from tests.feed_support.ics_entries import (
    MEETUP_ENTRY,
    STAMPS,
    UTC_ZONES,
    ZONES,
    build_ics_feed,
    local_time,
    make_override,
    parse_entries,
    parse_entry,
    parse_with_icalendar,
    required_vtimezones,
    timed_entries,
    wrap_vevents,
)
from tests.feed_support.ics_reader import Component, parse_ics

# Times


@given(case=timed_entries())
@settings(max_examples=150)
def test_readers_compute_the_same_instants(case: tuple[CalendarEntry, datetime, datetime]) -> None:
    entry, starts_at, ends_at = case
    found = parse_entry(entry)
    assert (_instant_of(found, "DTSTART"), _instant_of(found, "DTEND")) == (starts_at, ends_at)
    event = parse_with_icalendar(build_ics_feed(entry))
    assert [event.decoded(name).astimezone(UTC) for name in ("DTSTART", "DTEND")] == [starts_at, ends_at]


def _instant_of(entry: Component, name: str) -> datetime:
    moment = entry.get_property(name).date_or_time
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def test_second_occurrence_of_repeated_hour_is_written_in_utc() -> None:
    # In Berlin, 02:30 occurs twice on that day. The second 02:15 is 45 minutes after the first 02:30.
    entry = replace(
        SAMPLE_ENTRY,
        starts=local_time("2026-10-25T02:30"),
        ends=local_time("2026-10-25T02:15", fold=1),
    )
    found = parse_entry(entry)
    assert (found.value("DTSTART"), found.value("DTEND")) == ("20261025T003000Z", "20261025T011500Z")


@pytest.mark.parametrize("tzid", UTC_ZONES)
def test_utc_needs_no_vtimezone_under_any_name(tzid: str) -> None:
    found = parse_entry(
        replace(SAMPLE_ENTRY, starts=local_time("2026-06-10T09:00"), ends=local_time("2026-06-10T10:00"), zone=tzid)
    )
    assert (found.get_property("DTSTART").parameters, found.value("DTSTART")) == ("", "20260610T090000Z")


@given(first=st.dates(date(1970, 1, 1), date(2199, 12, 1)), days=st.integers(1, 30))
@settings(max_examples=30)
def test_all_day_entry_has_dates_with_an_exclusive_end(first: date, days: int) -> None:
    found = parse_entry(replace(SAMPLE_ENTRY, starts=first, ends=first + timedelta(days=days)))
    assert (found.get_property("DTSTART").date_or_time, found.get_property("DTEND").date_or_time) == (
        first,
        first + timedelta(days=days),
    )
    assert found.get_property("DTSTART").parameters == ";VALUE=DATE"


# Recurrence


def rule_of(entry: CalendarEntry) -> str | None:
    found = parse_entry(entry).list_properties("RRULE")
    return found[0].value if found else None


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("FREQ=MONTHLY;BYDAY=1TU", "FREQ=MONTHLY;BYDAY=1TU"),
        ("interval=2;freq=weekly;byday=tu,th", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH"),
        # A date includes the whole local day. Berlin is at UTC+2 then.
        ("FREQ=WEEKLY;UNTIL=20260630", "FREQ=WEEKLY;UNTIL=20260630T215959Z"),
        ("FREQ=WEEKLY;UNTIL=20260630T180000", "FREQ=WEEKLY;UNTIL=20260630T160000Z"),
        ("FREQ=WEEKLY;UNTIL=20260630T180000Z", "FREQ=WEEKLY;UNTIL=20260630T180000Z"),
        # Rules that RFC 5545 cannot express are omitted.
        ("FREQ=YEARLY;BYEASTER=0", None),
        ("FREQ=WEEKLY;UNTIL=JUNE", None),
        ("FREQ=WEEKLY;UNTIL=20261340", None),
        ("FREQ=WEEKLY;BYMONTH=+1", None),
        ("BYDAY=TU", None),
    ],
)
def test_until_of_timed_rule_is_in_utc(written: str, printed: str | None) -> None:
    assert rule_of(replace(MEETUP_ENTRY, recurrence=written)) == printed


@pytest.mark.parametrize(
    ("until", "printed"),
    [
        ("20260630", "20260630"),
        ("20260630T180000", "20260630"),
        # After midnight in Berlin.
        ("20260630T230000Z", "20260701"),
    ],
)
def test_until_of_all_day_rule_is_a_date(until: str, printed: str) -> None:
    assert rule_of(replace(SAMPLE_ENTRY, recurrence=f"FREQ=WEEKLY;UNTIL={until}")) == f"FREQ=WEEKLY;UNTIL={printed}"


@pytest.mark.parametrize(
    "rule",
    ["FREQ=WEEKLY;COUNT=40", "FREQ=MONTHLY;BYDAY=1TU;UNTIL=20270301", "FREQ=DAILY;INTERVAL=9;UNTIL=20261103T170000Z"],
)
@pytest.mark.parametrize("tzid", ZONES)
def test_recurring_entry_keeps_its_local_time(rule: str, tzid: str) -> None:
    entry = replace(MEETUP_ENTRY, zone=tzid, recurrence=rule)
    calendar = icalendar.Calendar.from_ical(build_ics_feed(entry))
    found = recurring_ical_events.of(calendar).between(date(2026, 1, 1), date(2028, 1, 1))
    here = get_zone(tzid)
    until = rule.endswith("Z")
    wall = rrulestr(
        rule.replace("UNTIL=20270301", "UNTIL=20270301T235959"),
        dtstart=datetime(2026, 3, 3, 18, tzinfo=here if until else None),
    )
    expected = [moment.replace(tzinfo=here).astimezone(UTC) for moment in wall]
    assert sorted(event.start.astimezone(UTC) for event in found) == expected


# Overridden occurrences

WEEKLY_ENTRY = replace(MEETUP_ENTRY, recurrence="FREQ=WEEKLY;COUNT=4", excluded=(local_time("2026-03-17T18:00"),))


def time_properties(entry: Component) -> dict[str, str]:
    """Return the properties of an entry that concern its time, status and title, as written."""
    return {line.name + line.parameters: line.value for line in entry.lines if line.name in TIME_PROPERTY_NAMES}


TIME_PROPERTY_NAMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RRULE", "EXDATE", "STATUS", "SUMMARY")


def test_overridden_occurrence_has_the_recurrence_id_of_the_original() -> None:
    moved = make_override(
        WEEKLY_ENTRY,
        local_time("2026-03-10T18:00"),
        title="Moved",
        starts=local_time("2026-03-11T19:00"),
        ends=local_time("2026-03-11T20:00"),
    )
    off = make_override(WEEKLY_ENTRY, local_time("2026-03-24T18:00"), status=Status.CANCELLED)
    series, *others = parse_entries(replace(WEEKLY_ENTRY, overrides=(moved, off)))
    assert time_properties(series) == {
        "SUMMARY": "Xen Summit",
        "STATUS": "CONFIRMED",
        "DTSTART;TZID=Europe/Berlin": "20260303T180000",
        "DTEND;TZID=Europe/Berlin": "20260303T200000",
        "RRULE": "FREQ=WEEKLY;COUNT=4",
        "EXDATE;TZID=Europe/Berlin": "20260317T180000",
    }
    assert [time_properties(other) for other in others] == [
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
    assert same == {"UID": {SAMPLE_ENTRY.uid}, "DTSTAMP": {"20260301T120000Z"}, "SEQUENCE": {"3"}}


def test_all_day_occurrences_are_excluded_and_overridden_by_date() -> None:
    days = replace(SAMPLE_ENTRY, recurrence="FREQ=MONTHLY", excluded=(date(2026, 7, 10), date(2026, 9, 10)))
    series, other = parse_entries(
        replace(days, overrides=(make_override(days, date(2026, 8, 10), starts=date(2026, 8, 9)),))
    )
    left_out = [(line.parameters, line.value) for line in series.list_properties("EXDATE")]
    assert left_out == [(";VALUE=DATE", "20260710"), (";VALUE=DATE", "20260910")]
    assert (other.get_property("RECURRENCE-ID").parameters, other.value("RECURRENCE-ID")) == (";VALUE=DATE", "20260810")
    assert other.value("DTSTART") == "20260809"


def test_readers_expand_moved_and_cancelled_occurrences_correctly() -> None:
    moved = make_override(
        WEEKLY_ENTRY,
        local_time("2026-03-10T18:00"),
        starts=local_time("2026-03-11T19:00"),
        ends=local_time("2026-03-11T20:00"),
    )
    calendar = icalendar.Calendar.from_ical(build_ics_feed(replace(WEEKLY_ENTRY, overrides=(moved,))))
    found = recurring_ical_events.of(calendar).between(date(2026, 1, 1), date(2027, 1, 1))
    assert sorted(f"{event.start:%m-%d %H:%M}" for event in found) == ["03-03 18:00", "03-11 19:00", "03-24 18:00"]


# Participants and locations (RFC 9073)

GRACE = Participant(
    part=ParticipantType.SPEAKER,
    key="grace",
    name="Grace, Hopper",
    about="US Navy",
    url="https://cal.example.org/speakers/grace",
)
XEN_PROJECT = Participant(part=ParticipantType.SPONSOR, key="xen", name="Xen Project")


def enriched_components_of(entry: CalendarEntry) -> list[Component]:
    """Return the enriched components of an entry, parsed by a strict reader."""
    written = "".join(map(serialize_component, event_components_with_rfc9073(entry, STAMPS)))
    return parse_ics(wrap_vevents([written], required_vtimezones(entry))).events()


def content_lines(component: Component) -> list[tuple[str, str, str]]:
    return [(line.name, line.parameters, line.text) for line in component.lines]


def test_participants_and_location_are_subcomponents_after_all_properties() -> None:
    entry = replace(SAMPLE_ENTRY, participants=(GRACE, XEN_PROJECT), location="Hall; Berlin", geo=(52.5, 13.4))
    (found,) = enriched_components_of(entry)
    assert [(part.name, content_lines(part)) for part in found.components] == [
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
    styled = found.get_property("STYLED-DESCRIPTION")
    assert (styled.parameters, styled.text) == (";VALUE=TEXT;FMTTYPE=text/html", "<p>Three days of Xen.</p>")


def test_enriched_entry_keeps_all_plain_properties() -> None:
    entry = replace(SAMPLE_ENTRY, participants=(GRACE,), location="Hall")
    (plain,), (found,) = parse_entries(entry), enriched_components_of(entry)
    assert [line for line in found.lines if line.name != "STYLED-DESCRIPTION"] == plain.lines
    assert enriched_components_of(SAMPLE_ENTRY)[0].components == []


def test_each_occurrence_has_its_own_location() -> None:
    weekly = replace(WEEKLY_ENTRY, location="Hall", participants=(XEN_PROJECT,))
    elsewhere = make_override(weekly, local_time("2026-03-10T18:00"), location="Barn")
    nowhere = make_override(weekly, local_time("2026-03-24T18:00"), location=None)
    places = [
        [part.text("NAME") for part in one.components if part.name == "VLOCATION"]
        for one in enriched_components_of(replace(weekly, overrides=(elsewhere, nowhere)))
    ]
    assert places == [["Hall"], ["Barn"], []]
