"""Components as iCalendar text: any input is read back unchanged."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import CalendarEntry, Relation, Stamps, Status
from eventcal.feeds.formats.components import Component
from eventcal.feeds.formats.ics import (
    fold_line,
    ics_header_and_footer,
    render_entry,
    serialize_component,
    with_timestamps,
)
from eventcal.feeds.formats.vevent import PRODID, event_components, vcalendar_properties
from tests.clocks import NOON
from tests.feed_support.feed_calendar import FEED_HEAD, SAMPLE_ENTRY
from tests.feed_support.ics_entries import (
    ANY_TEXT,
    HOSTILE_TEXTS,
    MULTI_LINE_TEXTS,
    SINGLE_LINE_TEXTS,
    STAMPS,
    any_entries,
    build_ics_feed,
    local_time,
    parse_entry,
    parse_with_icalendar,
    split_lines,
)
from tests.feed_support.ics_reader import feed_errors, parse_ics
from tests.feed_support.sample_entries import normalise_text

# Documents


def test_render_entry_writes_complete_vevent() -> None:
    entry = replace(
        SAMPLE_ENTRY,
        title="Xen; on ARM, again",
        starts=local_time("2026-06-10T13:30"),
        ends=local_time("2026-06-10T14:15"),
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
    assert split_lines(with_timestamps(render_entry(entry), STAMPS)) == [
        "BEGIN:VEVENT",
        "DTSTAMP:20260301T120000Z",
        "LAST-MODIFIED:20260301T120000Z",
        "SEQUENCE:3",
        "UID:event-1@cal.example.org",
        "CREATED:20260301T120000Z",
        r"SUMMARY:Xen\; on ARM\, again",
        "DTSTART;TZID=Europe/Berlin:20260610T133000",
        "DTEND;TZID=Europe/Berlin:20260610T141500",
        "STATUS:TENTATIVE",
        "TRANSP:TRANSPARENT",
        r"DESCRIPTION:Grace Hopper\n\nWhat\, and why.",
        "X-ALT-DESC;FMTTYPE=text/html:<p>Grace Hopper</p>",
        r"LOCATION:Room 1\, Hall\, Berlin",
        "GEO:52.500000;-13.400000",
        "CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example.org/xen",
        "URL:https://cal.example.org/events/xen-summit",
        r"CATEGORIES:Hypervisors\, big,arm",
        "RELATED-TO;RELTYPE=PARENT:event-0@cal.example.org",
        "RELATED-TO;RELTYPE=SIBLING:talk-2@cal.example.org",
        "END:VEVENT",
        "",
    ]


def test_feed_starts_with_its_properties_and_time_zones() -> None:
    head = replace(FEED_HEAD, name="Xen, all of it", changed_at=NOON + timedelta(days=1))
    above, below = ics_header_and_footer(vcalendar_properties(head), zones=[Component("VTIMEZONE", ())])
    assert split_lines((above + below).decode()) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "CALSCALE:GREGORIAN",
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
        "END:VCALENDAR",
        "",
    ]


def test_feed_at_a_secret_url_has_no_source() -> None:
    properties = vcalendar_properties(replace(FEED_HEAD, source=None))
    assert parse_ics(b"".join(ics_header_and_footer(properties, zones=()))).list_properties("SOURCE") == []


# Texts


@given(
    title=SINGLE_LINE_TEXTS,
    location=SINGLE_LINE_TEXTS,
    description=MULTI_LINE_TEXTS,
    categories=st.lists(SINGLE_LINE_TEXTS, max_size=4),
)
@settings(max_examples=120)
def test_user_text_round_trips(title: str, location: str, description: str, categories: list[str]) -> None:
    entry = replace(SAMPLE_ENTRY, title=title, location=location, description=description, html=description)
    found = parse_entry(replace(entry, categories=tuple(categories)))
    assert found.text("SUMMARY") == title
    assert found.text("LOCATION") == location
    assert found.text("DESCRIPTION") == found.text("X-ALT-DESC") == normalise_text(description)
    assert (
        [found.get_property("CATEGORIES").texts] == [categories]
        if categories
        else not found.list_properties("CATEGORIES")
    )


@given(title=SINGLE_LINE_TEXTS, description=MULTI_LINE_TEXTS, categories=st.lists(SINGLE_LINE_TEXTS, max_size=4))
@settings(max_examples=60)
@example(title=r"C:\New", description="a\\nb\\\nc", categories=["a,b", "c;d", r"e\f", r"g\\,h"])
def test_icalendar_library_reads_user_text_unchanged(title: str, description: str, categories: list[str]) -> None:
    event = parse_with_icalendar(
        build_ics_feed(replace(SAMPLE_ENTRY, title=title, description=description, categories=tuple(categories)))
    )
    assert (event["UID"], event["SUMMARY"]) == (SAMPLE_ENTRY.uid, title)
    assert event["DESCRIPTION"] == normalise_text(description)
    assert event.categories == categories


@given(text=ANY_TEXT)
@settings(max_examples=150)
def test_hostile_text_stays_within_its_property(text: str) -> None:
    entry = replace(
        SAMPLE_ENTRY,
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
    found = parse_entry(entry)
    assert sorted(line.name for line in found.lines) == [
        *("CATEGORIES", "CONFERENCE", "CREATED", "DESCRIPTION", "DTEND", "DTSTAMP", "DTSTART", "LAST-MODIFIED"),
        *("LOCATION", "RELATED-TO", "SEQUENCE", "STATUS", "SUMMARY", "TRANSP", "UID", "URL", "X-ALT-DESC"),
    ]
    assert found.text("SUMMARY") == normalise_text(text)
    assert found.get_property("CATEGORIES").texts == [normalise_text(text), "plain"]


@given(text=ANY_TEXT)
@settings(max_examples=80)
def test_hostile_text_stays_within_the_feed_properties(text: str) -> None:
    url = f"https://cal.example.org/{text}"
    head = replace(FEED_HEAD, uid=f"feed {text}", name=text, description=text, zone=text, url=url, source=url)
    body = b"".join(ics_header_and_footer(vcalendar_properties(head), zones=()))
    assert feed_errors(body) == []
    calendar = parse_ics(body)
    assert len(calendar.lines) == 12
    assert (calendar.text("NAME"), calendar.text("X-WR-CALDESC")) == (normalise_text(text), normalise_text(text))


def test_long_abstract_round_trips() -> None:
    abstract = "Wörter, und noch mehr; \\ über Xen.\n" * 3000
    assert len(abstract.encode()) > 100_000
    assert parse_entry(replace(SAMPLE_ENTRY, description=abstract)).text("DESCRIPTION") == abstract


@pytest.mark.parametrize(
    ("given_url", "printed"),
    [
        ("https://example.org/a?b=c,d;e&f=%20#g", "https://example.org/a?b=c,d;e&f=%20#g"),
        ("https://[::1]:8000/~xen/(1)!*'", "https://[::1]:8000/~xen/(1)!*'"),
        ("https://example.org/köln", "https://example.org/k%C3%B6ln"),
        ('https://example.org/a\r\nb"c\\d', "https://example.org/a%0D%0Ab%22c%5Cd"),
    ],
)
def test_url_is_percent_encoded(given_url: str, printed: str) -> None:
    found = parse_entry(replace(SAMPLE_ENTRY, url=given_url, conference=given_url))
    assert (found.value("URL"), found.value("CONFERENCE")) == (printed, printed)


@given(latitude=st.floats(-90, 90, allow_subnormal=True), longitude=st.floats(-180, 180, allow_subnormal=True))
@settings(max_examples=60)
@example(latitude=1e-7, longitude=-0.0)
@example(latitude=-1e-9, longitude=179.9999999)
def test_coordinates_are_written_with_six_decimals(latitude: float, longitude: float) -> None:
    found = parse_entry(replace(SAMPLE_ENTRY, geo=(latitude, longitude))).value("GEO")
    assert "-0.000000" not in found.split(";")
    assert [float(part) for part in found.split(";")] == [
        pytest.approx(latitude, abs=6e-7),
        pytest.approx(longitude, abs=6e-7),
    ]


# Folding


@given(
    line=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=400)
    | st.sampled_from(HOSTILE_TEXTS[-10:-2])
)
@settings(max_examples=150)
def test_folded_line_unfolds_unchanged_and_has_at_most_75_octets_per_line(line: str) -> None:
    folded = fold_line(line)
    assert folded.endswith("\r\n")
    assert folded[:-2].replace("\r\n ", "") == line
    assert all(len(part.encode()) <= 75 for part in folded.split("\r\n"))


def test_lines_are_filled_to_75_octets() -> None:
    assert [len(part) for part in split_lines(fold_line("x" * 75))] == [75, 0]
    assert [len(part) for part in split_lines(fold_line("x" * 76))] == [75, 2, 0]
    assert [len(part) for part in split_lines(fold_line("x" * (75 + 74 + 1)))] == [75, 75, 2, 0]


LONG_TEXT = (
    "Wer es versucht hat, sagt: es geht. Und wie es geht, das sehen wir hier in einer halben Stunde. " * 3 + "Punkt."
)


@pytest.mark.parametrize("text", [LONG_TEXT, f"Über {LONG_TEXT}"], ids=["ASCII", "beyond"])
def test_folding_breaks_plain_and_html_descriptions_at_the_same_text(text: str) -> None:
    plain = split_lines(fold_line(rf"DESCRIPTION:Ada\nThe Summit\n\n{text}\n\nhttps://cal.example.org/1"))
    html = split_lines(fold_line(rf"X-ALT-DESC:<p>Ada<br>The Summit</p><p>{text}</p>\n<p><a>1</a></p>"))
    assert plain[:2] == [r"DESCRIPTION:Ada\n", r" The Summit\n\n"]
    assert html[:5] == ["X-ALT-DESC:<p>", " Ada", " <br>", " The Summit", " </p><p>"]
    assert html[-4:] == [r" </p>\n<p><a>", " 1", " </a></p>", ""]
    said = html[5:-4]
    assert plain[2 : len(said) + 2] == [*said[:-1], rf"{said[-1]}\n\n"]


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
def test_folding_keeps_grapheme_clusters_intact(cluster: str) -> None:
    for before in range(80):
        parts = fold_line("x" * before + cluster * 30).replace("\r\n ", "\r\n").split("\r\n")
        assert all(part.strip("x").replace(cluster, "") == "" for part in parts)


def test_overlong_grapheme_cluster_is_folded_at_75_octets() -> None:
    parts = split_lines(fold_line("SUMMARY:a" + "\u0300" * 500))
    assert max(len(part.encode()) for part in parts) <= 75


# Reproducible output

_NEW_PROCESS_SCRIPT = """
from dataclasses import replace
from datetime import date
from eventcal.feeds.entries.entry import ParticipantType, Participant, Relation
from eventcal.feeds.formats.ics import ics_header_and_footer, serialize_component
from eventcal.feeds.formats.vevent import event_components_with_rfc9073, vcalendar_properties
from eventcal.feeds.zones import vtimezone
from tests.feed_support.ics_entries import STAMPS
from tests.feed_support.feed_calendar import FEED_HEAD, SAMPLE_ENTRY
entry = replace(SAMPLE_ENTRY, categories=tuple("a b c d e f".split()), geo=(1.5, 2.5),
    conference="https://meet.example.org/", location="Hall",
    related=((Relation.PARENT, "b"), (Relation.SIBLING, "a"), (Relation.SIBLING, "c")),
    participants=tuple(Participant(part=part, key=key, name=key) for part in ParticipantType for key in "cab"))
text = "".join(map(serialize_component, event_components_with_rfc9073(entry, STAMPS)))
zones = [vtimezone(name, date(2026, 1, 1), date(2026, 12, 31)) for name in ("Africa/Casablanca", "Europe/Berlin")]
print(ics_header_and_footer(vcalendar_properties(FEED_HEAD), zones=zones), text.encode())
"""


def test_output_is_identical_across_processes() -> None:
    printed = {
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _NEW_PROCESS_SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": tz, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed, tz in (("1", "UTC"), ("2", "Pacific/Apia"))
    }
    assert len(printed) == 1


@given(entry=any_entries())
@settings(max_examples=60)
def test_stamped_text_equals_directly_written_entry(entry: CalendarEntry) -> None:
    written = "".join(map(serialize_component, event_components(entry, STAMPS)))
    assert with_timestamps(render_entry(entry), STAMPS) == written


def test_versions_of_an_unchanged_entry_differ_only_in_stamps() -> None:
    versions = [
        with_timestamps(render_entry(SAMPLE_ENTRY), Stamps(sequence=n, changed_at=NOON + timedelta(seconds=n)))
        for n in range(3)
    ]
    for older, newer in pairwise(versions):
        changed = {a.partition(":")[0] for a, b in zip(split_lines(older), split_lines(newer), strict=True) if a != b}
        assert changed == {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}
