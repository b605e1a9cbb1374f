"""Parsed calendar entries, and Hypothesis strategies for entries with arbitrary values."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import (
    CalendarEntry,
    EntryKind,
    Override,
    Participant,
    ParticipantType,
    Relation,
    Stamps,
    Status,
    TalkFacts,
)
from eventcal.feeds.formats.components import Component as VTimezone
from eventcal.feeds.formats.ics import ics_header_and_footer, render_entry, with_timestamps
from eventcal.feeds.formats.vevent import vcalendar_properties
from eventcal.feeds.zones import vtimezone
from eventcal.kit.localtime import UTC_NAMES, get_zone
from eventcal.kit.text import multi_line_error, single_line_error
from tests.clocks import NOON
from tests.feed_support.feed_calendar import FEED_HEAD, SAMPLE_ENTRY
from tests.feed_support.ics_reader import Component, feed_errors, parse_ics

STAMPS = Stamps(sequence=3, changed_at=NOON)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires")
"""Time zones with stable rules, because calendar libraries use the release of the tz database on the machine."""
UTC_ZONES = tuple(sorted(UTC_NAMES))

HOSTILE_TEXTS = (
    "BEGIN:VEVENT",
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


def _valid_texts(fault: Any) -> st.SearchStrategy[str]:  # noqa: ANN401 - a check of kit.text
    """Return a strategy for texts that pass the validation."""
    return st.text(max_size=200).filter(lambda text: fault(text) is None)


SINGLE_LINE_TEXTS, MULTI_LINE_TEXTS = _valid_texts(single_line_error), _valid_texts(multi_line_error)
ANY_TEXT = (
    st.lists(st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=30), min_size=1, max_size=4).map("".join).filter(bool)
)


def local_time(text: str, *, fold: int = 0) -> datetime:
    """Return a local time without a time zone."""
    return datetime.fromisoformat(text).replace(fold=fold)


MEETUP_ENTRY = replace(SAMPLE_ENTRY, starts=local_time("2026-03-03T18:00"), ends=local_time("2026-03-03T20:00"))
"""An entry of two hours in Berlin, on the first Tuesday of March."""


def make_override(series: CalendarEntry, occurrence: date | datetime, **changes: Any) -> Override:
    """Return a changed occurrence of a recurring entry, by default at its original time."""
    alone = replace(series, starts=occurrence, recurrence=None, excluded=(), overrides=())
    if isinstance(occurrence, datetime):
        alone = replace(alone, ends=occurrence + timedelta(hours=2))
    else:
        alone = replace(alone, ends=occurrence + timedelta(days=1))
    return Override(occurrence=occurrence, entry=replace(alone, **changes))


@st.composite
def timed_entries(draw: st.DrawFn) -> tuple[CalendarEntry, datetime, datetime]:
    """Return an entry, its start and its end. Start and end are instants."""
    tzid = draw(st.sampled_from([*ZONES, *UTC_ZONES]))
    at = draw(st.datetimes(datetime(1971, 1, 1), datetime(2198, 1, 1)).map(lambda t: t.replace(microsecond=0)))  # noqa: DTZ001 - bounds
    starts_at = at.replace(tzinfo=UTC)
    ends_at = starts_at + timedelta(minutes=draw(st.integers(1, 5000)))
    here = get_zone(tzid)
    starts, ends = (moment.astimezone(here).replace(tzinfo=None) for moment in (starts_at, ends_at))
    return replace(SAMPLE_ENTRY, starts=starts, ends=ends, zone=tzid), starts_at, ends_at


@st.composite
def any_entries(draw: st.DrawFn, texts: st.SearchStrategy[str] = ANY_TEXT) -> CalendarEntry:
    """Return an entry with arbitrary values in all fields."""
    maybe = st.none() | texts
    related = st.tuples(st.sampled_from(Relation), st.just("event-2@cal.example.org"))
    entry = replace(
        draw(st.just(SAMPLE_ENTRY) | timed_entries().map(lambda case: case[0])),
        kind=draw(st.sampled_from(EntryKind)),
        title=draw(texts),
        status=draw(st.sampled_from(Status)),
        transparent=draw(st.booleans()),
        url=draw(texts),
        description=draw(texts),
        html=draw(texts),
        location=draw(maybe),
        geo=draw(st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))),
        categories=tuple(draw(st.lists(texts, max_size=2))),
        conference=draw(maybe),
        recurrence=draw(maybe | st.just("FREQ=WEEKLY")),
        related=tuple(draw(st.lists(related, max_size=2))),
        participants=tuple(draw(st.lists(_participants(texts, maybe), max_size=2))),
        talk=draw(st.none() | _talk_facts(texts, maybe)),
    )
    if not draw(st.booleans()):
        return entry
    other = make_override(entry, entry.starts, title=draw(texts), status=draw(st.sampled_from(Status)))
    return replace(entry, excluded=(entry.starts, entry.ends), overrides=(other,))


def _participants(
    texts: st.SearchStrategy[str], maybe: st.SearchStrategy[str | None]
) -> st.SearchStrategy[Participant]:
    return st.builds(Participant, part=st.sampled_from(ParticipantType), key=texts, name=texts, about=maybe, url=maybe)


def _talk_facts(texts: st.SearchStrategy[str], maybe: st.SearchStrategy[str | None]) -> st.SearchStrategy[TalkFacts]:
    optional = dict.fromkeys(("language", "track", "room", "slides_url", "recording_url"), maybe)
    return st.builds(TalkFacts, event=texts, kind=texts, abstract=texts, **optional)


def build_ics_feed(*entries: CalendarEntry) -> bytes:
    """Return a feed of these entries with the required VTIMEZONE components."""
    return wrap_vevents(
        [with_timestamps(render_entry(entry), STAMPS) for entry in entries], required_vtimezones(*entries)
    )


def wrap_vevents(texts: Iterable[str], zones: Iterable[VTimezone] = ()) -> bytes:
    """Return a feed of these VEVENT and VTIMEZONE components."""
    above, below = ics_header_and_footer(vcalendar_properties(FEED_HEAD), zones=zones)
    return b"".join([above, *(text.encode() for text in texts), below])


def required_vtimezones(*entries: CalendarEntry) -> list[VTimezone]:
    """Return the VTIMEZONE components that these entries require."""
    spans = dict[str, tuple[date, date]]()
    for entry in entries:
        if entry.needs_zone:
            days = [date.fromisoformat(moment.isoformat()[:10]) for moment in (entry.starts, entry.ends)]
            days += [date(2199, 12, 31)] if entry.recurrence else []
            days += spans.get(entry.zone, ())
            spans[entry.zone] = (min(days), max(days))
    return [vtimezone(tzid, first, last) for tzid, (first, last) in sorted(spans.items())]


def parse_entry(entry: CalendarEntry, write: Callable[[CalendarEntry], bytes] = build_ics_feed) -> Component:
    """Return an entry as a parsed component after checking that a feed with the entry is valid."""
    return parse_entries(entry, write)[0]


def parse_entries(entry: CalendarEntry, write: Callable[[CalendarEntry], bytes] = build_ics_feed) -> list[Component]:
    """Return the parsed components of an entry and of its changed occurrences."""
    body = write(entry)
    assert feed_errors(body) == []
    return parse_ics(body).events()


def parse_with_icalendar(body: bytes) -> icalendar.Event:
    """Return the only entry of a feed as parsed by the icalendar library."""
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return event


def split_lines(text: str) -> list[str]:
    return text.split("\r\n")
