"""Entries as a CSV table: spreadsheets show the original text and never evaluate a formula."""

import csv
import io
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import CalendarEntry, Participant, ParticipantType, Stamps, TalkFacts
from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.feeds.format_registry import CSV
from eventcal.feeds.formats.csv_feed import COLUMNS, HEADER
from tests.clocks import NOON
from tests.feed_documents import build_feed
from tests.feed_support import sample_entries as samples

TALK = replace(
    samples.TALK_ENTRY,
    title='Xen, "the" hypervisor',
    location="Room 1, Hall",
    categories=("Core", "arm"),
    participants=(
        Participant(part=ParticipantType.SPEAKER, key="grace", name="Grace Hopper"),
        Participant(part=ParticipantType.SPEAKER, key="ada", name="Ada Lovelace"),
        Participant(part=ParticipantType.SPONSOR, key="citrix", name="Citrix"),
    ),
    talk=TalkFacts(event="xen-summit", kind="talk", abstract="Why.", language="en", track="Core", room="Room 1"),
)
STAMPS = Stamps(sequence=3, changed_at=NOON + timedelta(hours=1))
# Includes surrogates, which hypothesis omits from text by default.
ANY_TEXT = st.text(st.characters(), max_size=40)


def parse_rows(*entries: CalendarEntry) -> list[dict[str, str]]:
    """Return the rows of the table, parsed by a strict reader."""
    text = build_feed(CSV, *entries, stamps=STAMPS).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def title_cell(text: str) -> str:
    """Return the title cell of an entry with this title."""
    (row,) = parse_rows(replace(TALK, title=text))
    return row["title"]


def test_table_has_a_header_and_one_complete_row_per_entry() -> None:
    header = (
        "kind,title,starts,ends,timezone,starts_at,ends_at,all_day,recurrence,status,"
        "location,speakers,categories,event,track,room,language,url,uid,updated"
    )
    event = (
        "event,Xen Summit,2026-06-10,2026-06-12,Europe/Berlin,2026-06-10T00:00:00+02:00,2026-06-13T00:00:00+02:00,"
        "true,,tentative,,,,,,,,https://cal.example.org/events/xen-summit,event-1@cal.example.org,2026-03-01T13:00:00Z"
    )
    talk = (
        'talk,"Xen, ""the"" hypervisor",2026-06-10T13:30:00,2026-06-10T14:15:00,Europe/Berlin,'
        "2026-06-10T13:30:00+02:00,2026-06-10T14:15:00+02:00,false,,confirmed,"
        '"Room 1, Hall",Grace Hopper; Ada Lovelace,Core; arm,xen-summit,Core,Room 1,en,'
        "https://cal.example.org/talks/1,talk-1@cal.example.org,2026-03-01T13:00:00Z"
    )
    assert (
        build_feed(CSV, samples.ALL_DAY_ENTRY, TALK, stamps=STAMPS).decode()
        == f"\ufeff{header}\r\n{event}\r\n{talk}\r\n"
    )


def test_table_without_entries_has_only_the_header() -> None:
    assert build_feed(CSV) == HEADER
    assert parse_rows() == []


def test_recurring_entry_is_one_row_with_its_rule() -> None:
    (row,) = parse_rows(replace(samples.ALL_DAY_ENTRY, recurrence="FREQ=WEEKLY;BYDAY=WE"))
    assert (row["recurrence"], row["starts"]) == ("FREQ=WEEKLY;BYDAY=WE", "2026-06-10")


def test_instants_follow_clock_changes() -> None:
    night = replace(
        TALK,
        starts=datetime(2026, 10, 25, 1, 30),  # noqa: DTZ001 - local
        ends=datetime(2026, 10, 25, 2, 30, fold=1),  # noqa: DTZ001 - local
    )
    day = replace(samples.ALL_DAY_ENTRY, starts=date(2026, 10, 25), ends=date(2026, 10, 26))
    assert [(row["starts_at"], row["ends_at"]) for row in parse_rows(night, day)] == [
        ("2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://evil.example","Click")',
        "+1",
        "-1+1",
        "@SUM(A1)",
        " =1",
        " \u3000\xa0=1",
        "\u200b=1",
        "\ufeff@x",
        "\N{FULLWIDTH EQUALS SIGN}1",
        "\N{FULLWIDTH PLUS SIGN}1",
        "\N{FULLWIDTH HYPHEN-MINUS}1",
        " \N{FULLWIDTH COMMERCIAL AT}x",
        "\N{SMALL HYPHEN-MINUS}1",
        "\N{MINUS SIGN}1",
        "\n",
        "\n=1",
        " \n=1",
        "=",
    ],
)
def test_formula_like_cell_is_escaped(text: str) -> None:
    assert title_cell(text) == f"'{text}"


@pytest.mark.parametrize(("text", "written"), [("\tx", "' x"), ("\rx", "'\nx"), ("\r\nx", "'\nx"), ("\t=1", "' =1")])
def test_leading_tab_or_line_break_is_escaped(text: str, written: str) -> None:
    assert title_cell(text) == written


@pytest.mark.parametrize("text", ["Xen", "a=b", "1-2", "'quoted'", " x", "(-1)", "“=”", "#1", "x\ny", "", "ß"])
def test_other_cell_is_unchanged(text: str) -> None:
    assert title_cell(text) == text


@given(text=ANY_TEXT, other=ANY_TEXT)
@settings(max_examples=200)
def test_user_text_stays_within_its_cell(text: str, other: str) -> None:
    person = Participant(part=ParticipantType.SPEAKER, key="x", name=text)
    facts = TalkFacts(event=text, kind="talk", abstract=text, language=other, track=text, room=other)
    entry = replace(
        TALK,
        uid=other,
        title=text,
        location=text,
        url=other,
        recurrence=text,
        categories=(other,),
        participants=(person,),
        talk=facts,
    )
    rows = parse_rows(entry, samples.ALL_DAY_ENTRY)
    assert [list(row) for row in rows] == [list(COLUMNS)] * 2
    assert rows[1] == parse_rows(samples.ALL_DAY_ENTRY)[0]
    for name in ("title", "location", "speakers", "event", "track", "recurrence"):
        assert rows[0][name] in {replace_controls(text), f"'{replace_controls(text)}"}
    for name in ("uid", "url", "categories", "language", "room"):
        assert rows[0][name] in {replace_controls(other), f"'{replace_controls(other)}"}
    assert not any(value.lstrip()[:1] in {*"=+-@\t\r"} for row in rows for value in row.values() if value.strip())
