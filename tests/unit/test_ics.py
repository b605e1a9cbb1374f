"""Entries as text: what is written is what readers read, whatever anybody typed."""

import os
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventcal.feeds.entry import UTC_NAMES, CalendarEntry, Relation, Stamps, Status
from eventcal.feeds.ics import PRODID, fold, in_utc, marked_only, render_entry, render_feed, stamped
from eventcal.feeds.zones import vtimezone
from eventcal.kit.localtime import zone
from eventcal.kit.text import many_lines_fault, one_line_fault
from tests.clocks import NOON
from tests.icslint import Component, faults, parse
from tests.make_feeds import ENTRY, HEAD

STAMPS = Stamps(sequence=3, changed_at=NOON)
# Readers take a zone that they know from the machine, whose release may be another: these have been at rest for long.
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires")
UTC_ZONES = tuple(sorted(UTC_NAMES))

HOSTILE = (
    "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\n",
    "\nATTENDEE:mailto:mallory@example.org",
    "\rORGANIZER:mailto:mallory@example.org",
    "\u2028END:VCALENDAR\u2029",
    "\x85END:VCALENDAR\x0b\x0c\x1c\x1d\x1e",
    "\x00\x01\x1b[31m\x7f\x9f",
    "\ud800 half a character \udfff",
    "\ufffe\uffff\ufeff",
    r"C:\New\nightly;a,b\\;\,\N\n",
    ";VALUE=DATE:20260101",
    '"quoted";X="y":z^n^^',
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("https://evil.example","Click")',
    "\u202egnp.exe\u202c\u2066\u2069",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 40,
    "e\u0301\u0302\u0303" * 60,
    "\U0001f44b\U0001f3fd\u2764\ufe0f" * 30,
    "a" + "\u0300" * 300,
    "\\" * 301,
    " " * 300,
    "\tindented\r\n\tcode",
    "ß" * 200,
)


def typed(fault: Any) -> st.SearchStrategy[str]:  # noqa: ANN401 - a check of kit.text
    """Give texts that are taken at the door."""
    return st.text(max_size=200).filter(lambda text: fault(text) is None)


LINES, TEXTS = typed(one_line_fault), typed(many_lines_fault)
ANYTHING = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=30), min_size=1, max_size=4).map("".join).filter(bool)


def readable(text: str) -> str:
    """Return a text as readers must read it: each line break as one, a tab as a space, no control characters."""

    def one(character: str) -> str:
        if character.splitlines() == [""]:
            return "\n"
        if character == "\t":
            return " "
        bad = unicodedata.category(character) in {"Cc", "Cs"} or character in "\ufffe\uffff"
        return "\N{REPLACEMENT CHARACTER}" if bad else character

    return "".join(one(character) for character in text.replace("\r\n", "\n"))


def feed_of(*entries: CalendarEntry) -> bytes:
    """Return a feed of these entries with the zones that they need."""
    spans = {}
    for entry in entries:
        if entry.needs_zone:
            days = [
                (moment.date() if isinstance(moment, datetime) else moment) for moment in (entry.starts, entry.ends)
            ]
            spans[entry.zone] = (min(days), date(2199, 12, 31) if entry.recurrence else max(days))
    zones = [vtimezone(tzid, first, last) for tzid, (first, last) in sorted(spans.items())]
    return render_feed(HEAD, zones=zones, entries=[stamped(render_entry(entry), STAMPS) for entry in entries])


def read(entry: CalendarEntry) -> Component:
    """Return an entry as a strict reader reads it, after a look at the whole feed around it."""
    body = feed_of(entry)
    assert faults(body) == []
    (found,) = parse(body).events()
    return found


def read_by_icalendar(body: bytes) -> icalendar.Event:
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return event


def lines(text: str) -> list[str]:
    return text.split("\r\n")


# The whole


def test_an_entry_is_these_lines() -> None:
    entry = replace(
        ENTRY,
        title="Xen; on ARM, again",
        starts=datetime(2026, 6, 10, 13, 30),  # noqa: DTZ001 - local
        ends=datetime(2026, 6, 10, 14, 15),  # noqa: DTZ001 - local
        status=Status.TENTATIVE,
        transparent=True,
        location="Room 1, Hall, Berlin",
        geo=(52.5, -13.4),
        categories=("Hypervisors, big", "arm"),
        conference="https://meet.example.org/xen",
        related=((Relation.PARENT, "event-0@cal.example.org"), (Relation.SIBLING, "talk-2@cal.example.org")),
        description="Grace Hopper\n\nWhat, and why.",
        html="<p>Grace Hopper</p>",
    )
    assert set(lines(stamped(render_entry(entry), STAMPS))) == {
        "",
        "BEGIN:VEVENT",
        "DTSTAMP:20260301T120000Z",
        "LAST-MODIFIED:20260301T120000Z",
        "SEQUENCE:3",
        "CREATED:20260301T120000Z",
        "UID:event-1@cal.example.org",
        r"SUMMARY:Xen\; on ARM\, again",
        "DTSTART;TZID=Europe/Berlin:20260610T133000",
        "DTEND;TZID=Europe/Berlin:20260610T141500",
        "STATUS:TENTATIVE",
        "TRANSP:TRANSPARENT",
        r"DESCRIPTION:Grace Hopper\n\nWhat\, and why.",
        "X-ALT-DESC;FMTTYPE=text/html:<p>Grace Hopper</p>",
        r"LOCATION:Room 1\, Hall\, Berlin",
        "GEO:52.500000;-13.400000",
        "URL:https://cal.example.org/events/xen-summit",
        "CONFERENCE;FEATURE=VIDEO;VALUE=URI:https://meet.example.org/xen",
        r"CATEGORIES:Hypervisors\, big,arm",
        "RELATED-TO;RELTYPE=PARENT:event-0@cal.example.org",
        "RELATED-TO;RELTYPE=SIBLING:talk-2@cal.example.org",
        "END:VEVENT",
    }


def test_a_feed_begins_with_its_names_and_its_zones() -> None:
    head = replace(HEAD, name="Xen, all of it", changed_at=NOON + timedelta(days=1))
    body = render_feed(head, zones=["BEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\n"], entries=["BEGIN:VEVENT\r\nEND:VEVENT\r\n"])
    assert lines(body.decode()) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "CALSCALE:GREGORIAN",
        "UID:feed-1@cal.example.org",
        r"NAME:Xen\, all of it",
        r"X-WR-CALNAME:Xen\, all of it",
        "DESCRIPTION:Events and talks.",
        "X-WR-CALDESC:Events and talks.",
        "X-WR-TIMEZONE:UTC",
        "URL:https://cal.example.org/",
        "SOURCE;VALUE=URI:https://cal.example.org/calendar.ics",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "LAST-MODIFIED:20260302T120000Z",
        "BEGIN:VTIMEZONE",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_a_feed_at_a_secret_address_does_not_say_where_it_is() -> None:
    body = render_feed(replace(HEAD, source=None), zones=[], entries=[])
    assert parse(body).all("SOURCE") == []


# Texts


@given(title=LINES, location=LINES, description=TEXTS, categories=st.lists(LINES, max_size=4))
@settings(max_examples=120)
def test_what_people_type_reads_back_the_same(
    title: str, location: str, description: str, categories: list[str]
) -> None:
    entry = replace(ENTRY, title=title, location=location, description=description, html=description)
    found = read(replace(entry, categories=tuple(categories)))
    assert found.text("SUMMARY") == title
    assert found.text("LOCATION") == location
    assert found.text("DESCRIPTION") == found.text("X-ALT-DESC") == readable(description)
    assert [found.get("CATEGORIES").texts] == [categories] if categories else not found.all("CATEGORIES")


@given(title=LINES, description=TEXTS, categories=st.lists(LINES, max_size=4))
@settings(max_examples=60)
@example(title=r"C:\New", description="a\\nb\\\nc", categories=["a,b", "c;d", r"e\f", r"g\\,h"])
def test_the_icalendar_library_reads_the_same(title: str, description: str, categories: list[str]) -> None:
    event = read_by_icalendar(
        feed_of(replace(ENTRY, title=title, description=description, categories=tuple(categories)))
    )
    assert (event["UID"], event["SUMMARY"]) == (ENTRY.uid, title)
    assert event["DESCRIPTION"] == readable(description)
    assert event.categories == categories


@given(text=ANYTHING)
@settings(max_examples=150)
def test_nothing_breaks_out_of_its_property(text: str) -> None:
    entry = replace(
        ENTRY,
        uid=text,
        title=text,
        description=text,
        html=text,
        location=text,
        categories=(text, "plain"),
        conference=f"https://meet.example.org/{text}",
        url=f"https://cal.example.org/{text}",
        related=((Relation.PARENT, text),),
    )
    found = read(entry)
    assert sorted(line.name for line in found.lines) == [
        *("CATEGORIES", "CONFERENCE", "CREATED", "DESCRIPTION", "DTEND", "DTSTAMP", "DTSTART", "LAST-MODIFIED"),
        *("LOCATION", "RELATED-TO", "SEQUENCE", "STATUS", "SUMMARY", "TRANSP", "UID", "URL", "X-ALT-DESC"),
    ]
    assert found.text("SUMMARY") == readable(text)
    assert found.get("CATEGORIES").texts == [readable(text), "plain"]


@given(text=ANYTHING)
@settings(max_examples=80)
def test_nothing_breaks_out_of_a_feeds_head(text: str) -> None:
    url = f"https://cal.example.org/{text}"
    head = replace(HEAD, uid=f"feed {text}", name=text, description=text, zone=text, url=url, source=url)
    body = render_feed(head, zones=[], entries=[])
    assert faults(body) == []
    calendar = parse(body)
    assert len(calendar.lines) == 13
    assert (calendar.text("NAME"), calendar.text("X-WR-CALDESC")) == (readable(text), readable(text))


def test_a_long_abstract_stays_whole() -> None:
    abstract = "Wörter, und noch mehr; \\ über Xen.\n" * 3000
    assert len(abstract.encode()) > 100_000
    assert read(replace(ENTRY, description=abstract)).text("DESCRIPTION") == abstract


@pytest.mark.parametrize(
    ("given_url", "printed"),
    [
        ("https://example.org/a?b=c,d;e&f=%20#g", "https://example.org/a?b=c,d;e&f=%20#g"),
        ("https://[::1]:8000/~xen/(1)!*'", "https://[::1]:8000/~xen/(1)!*'"),
        ("https://example.org/köln", "https://example.org/k%C3%B6ln"),
        ('https://example.org/a\r\nb"c\\d', "https://example.org/a%0D%0Ab%22c%5Cd"),
    ],
)
def test_a_url_is_printed_in_the_characters_that_urls_have(given_url: str, printed: str) -> None:
    found = read(replace(ENTRY, url=given_url, conference=given_url))
    assert (found.value("URL"), found.value("CONFERENCE")) == (printed, printed)


@given(latitude=st.floats(-90, 90, allow_subnormal=True), longitude=st.floats(-180, 180, allow_subnormal=True))
@settings(max_examples=60)
@example(latitude=1e-7, longitude=-0.0)
@example(latitude=-1e-9, longitude=179.9999999)
def test_a_place_is_right_to_six_decimals(latitude: float, longitude: float) -> None:
    found = read(replace(ENTRY, geo=(latitude, longitude))).value("GEO")
    assert "-0.000000" not in found.split(";")
    assert [float(part) for part in found.split(";")] == [
        pytest.approx(latitude, abs=6e-7),
        pytest.approx(longitude, abs=6e-7),
    ]


# Folding


@given(
    line=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=400)
    | st.sampled_from(HOSTILE[-10:-2])
)
@settings(max_examples=150)
def test_a_folded_line_is_the_same_line_in_lines_of_75_octets(line: str) -> None:
    folded = fold(line)
    assert folded.endswith("\r\n")
    assert folded[:-2].replace("\r\n ", "") == line
    assert all(len(part.encode()) <= 75 for part in folded.split("\r\n"))


def test_a_line_is_filled_to_75_octets() -> None:
    assert [len(part) for part in lines(fold("x" * 75))] == [75, 0]
    assert [len(part) for part in lines(fold("x" * 76))] == [75, 2, 0]
    assert [len(part) for part in lines(fold("x" * (75 + 74 + 1)))] == [75, 75, 2, 0]


@pytest.mark.parametrize(
    "cluster",
    [
        r"\n",
        r"\\",
        "e\u0301\u0302",
        "\U0001f44b\U0001f3fd",
        "\u2764\ufe0f",
        "\U0001f469\U0001f3fd\u200d\U0001f469\U0001f3fd\u200d\U0001f467\U0001f3fd\u200d\U0001f466\U0001f3fd",
        "\N{DEVANAGARI LETTER KA}\N{DEVANAGARI VOWEL SIGN I}",
    ],
)
def test_what_is_one_character_to_its_reader_is_not_cut(cluster: str) -> None:
    for before in range(80):
        parts = fold("x" * before + cluster * 30).replace("\r\n ", "\r\n").split("\r\n")
        assert all(part.strip("x").replace(cluster, "") == "" for part in parts)


def test_a_tower_of_marks_is_cut_where_it_must_be() -> None:
    parts = lines(fold("SUMMARY:a" + "\u0300" * 500))
    assert max(len(part.encode()) for part in parts) <= 75


# Times


@st.composite
def timed_entries(draw: st.DrawFn) -> tuple[CalendarEntry, datetime, datetime]:
    """Give an entry, and the instants at which it begins and ends."""
    tzid = draw(st.sampled_from([*ZONES, *UTC_ZONES]))
    at = draw(st.datetimes(datetime(1971, 1, 1), datetime(2198, 1, 1)).map(lambda t: t.replace(microsecond=0)))  # noqa: DTZ001 - bounds
    starts_at = at.replace(tzinfo=UTC)
    ends_at = starts_at + timedelta(minutes=draw(st.integers(1, 5000)))
    here = zone(tzid)
    starts, ends = (moment.astimezone(here).replace(tzinfo=None) for moment in (starts_at, ends_at))
    return replace(ENTRY, starts=starts, ends=ends, zone=tzid), starts_at, ends_at


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


@given(case=timed_entries())
@settings(max_examples=60)
def test_in_utc_the_instants_are_the_same(case: tuple[CalendarEntry, datetime, datetime]) -> None:
    entry, starts_at, ends_at = case
    text = in_utc(stamped(render_entry(entry), STAMPS))
    (found,) = parse(render_feed(HEAD, zones=[], entries=[text]).strip() + b"\r\n").events()
    assert [found.value("DTSTART"), found.value("DTEND")] == [
        f"{moment:%Y%m%dT%H%M%SZ}" for moment in (starts_at, ends_at)
    ]


def test_the_second_of_two_same_hours_is_written_in_utc() -> None:
    # In Berlin 02:30 comes twice on that day; 45 minutes after the first is the second 02:15.
    entry = replace(
        ENTRY,
        starts=datetime(2026, 10, 25, 2, 30),  # noqa: DTZ001 - local
        ends=datetime(2026, 10, 25, 2, 15, fold=1),  # noqa: DTZ001 - local
    )
    found = read(entry)
    assert (found.value("DTSTART"), found.value("DTEND")) == ("20261025T003000Z", "20261025T011500Z")


@pytest.mark.parametrize("tzid", UTC_ZONES)
def test_utc_needs_no_zone_whatever_it_is_called(tzid: str) -> None:
    found = read(replace(ENTRY, starts=datetime(2026, 6, 10, 9), ends=datetime(2026, 6, 10, 10), zone=tzid))  # noqa: DTZ001 - local
    assert (found.get("DTSTART").parameters, found.value("DTSTART")) == ("", "20260610T090000Z")


@given(first=st.dates(date(1970, 1, 1), date(2199, 12, 1)), days=st.integers(1, 30))
@settings(max_examples=30)
def test_days_are_dates_and_the_end_is_the_day_after(first: date, days: int) -> None:
    found = read(replace(ENTRY, starts=first, ends=first + timedelta(days=days)))
    assert (found.get("DTSTART").moment, found.get("DTEND").moment) == (first, first + timedelta(days=days))
    assert found.get("DTSTART").parameters == ";VALUE=DATE"


# Recurrence

MEETUP = replace(
    ENTRY,
    starts=datetime(2026, 3, 3, 18),  # noqa: DTZ001 - local
    ends=datetime(2026, 3, 3, 20),  # noqa: DTZ001 - local
)


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


def test_what_recurs_keeps_its_zone_where_others_are_in_utc() -> None:
    text = render_entry(replace(MEETUP, recurrence="FREQ=WEEKLY"))
    assert in_utc(text) == text


# Status


def test_a_cancelled_entry_can_be_marked_in_its_title_alone() -> None:
    entry = replace(
        ENTRY, title="CANCELLED: Xen", description="STATUS:CANCELLED\r\nSTATUS:CANCELLED\r\n", status=Status.CANCELLED
    )
    text = stamped(render_entry(entry), STAMPS)
    different = [pair for pair in zip(lines(text), lines(marked_only(text)), strict=True) if pair[0] != pair[1]]
    assert different == [("STATUS:CANCELLED", "STATUS:CONFIRMED")]


# The same in, the same out

_AGAIN = """
from dataclasses import replace
from tests.make_feeds import ENTRY, HEAD
from eventcal.feeds.entry import Relation, Stamps
from eventcal.feeds.ics import render_entry, render_feed, stamped
from eventcal.feeds.zones import vtimezone
from datetime import date
from tests.clocks import NOON
entry = replace(ENTRY, categories=tuple("a b c d e f".split()), geo=(1.5, 2.5), conference="https://meet.example.org/",
    location="Hall", related=((Relation.PARENT, "b"), (Relation.SIBLING, "a"), (Relation.SIBLING, "c")))
text = stamped(render_entry(entry), Stamps(sequence=1, changed_at=NOON))
zones = [vtimezone(name, date(2026, 1, 1), date(2026, 12, 31)) for name in ("Africa/Casablanca", "Europe/Berlin")]
print(render_feed(HEAD, zones=zones, entries=[text]).hex())
"""


def test_two_processes_write_the_same_bytes() -> None:
    printed = {
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _AGAIN],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": tz, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed, tz in (("1", "UTC"), ("2", "Pacific/Apia"))
    }
    assert len(printed) == 1


def test_stamps_alone_tell_two_versions_of_the_same_entry_apart() -> None:
    versions = [
        stamped(render_entry(ENTRY), Stamps(sequence=n, changed_at=NOON + timedelta(seconds=n))) for n in range(3)
    ]
    for older, newer in pairwise(versions):
        changed = {a.partition(":")[0] for a, b in zip(lines(older), lines(newer), strict=True) if a != b}
        assert changed == {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}
