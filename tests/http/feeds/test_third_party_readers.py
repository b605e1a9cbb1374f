"""Feeds as parsed by other libraries: the same entries, texts and instants."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from eventcal.datasets.demo import read_demo_dataset
from eventcal.datasets.import_service import load_dataset
from eventcal.events.enums import EventStatus
from eventcal.events.models import Event
from eventcal.kit.localtime import format_local, get_zone
from eventcal.kit.text import multi_line_error, single_line_error
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.web.schemas.dataset_records import load_record
from tests.clocks import NOON
from tests.factories import make_event, make_talk
from tests.http_app import database_of, list_rows, write_session
from tests.readers.changes import changes
from tests.readers.compare import (
    IN_PYTHON,
    Libraries,
    Wanted,
    event_as_wanted,
    in_javascript,
    read_otherwise,
    talk_as_wanted,
)
from tests.readers.libraries import zones_of_our_release

ZONES = (
    "Africa/Casablanca",
    "America/New_York",
    "America/Nuuk",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "UTC",
)
ONE_DAY = timedelta(days=1)
# The app is not reset between examples: each creates its own event and fetches that event's feed.
forty_examples = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Return a single kind of database: the feeds are identical on both."""
    return sqlite_url


@pytest.fixture(params=["python", "javascript"])
def readers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Libraries]:
    """Return the libraries of one language; each test runs once per language."""
    language: str = request.param
    # Requested by name, so that the Python tests also run on machines without Node.
    found = IN_PYTHON if language == "python" else in_javascript(request.getfixturevalue("_javascript_process"))
    with zones_of_our_release(monkeypatch):
        yield found


# Demo data


def load_demo(app: Flask) -> tuple[dict[str, Event], list[Talk]]:
    """Load the demo data; return its events by id, and its talks."""
    with database_of(app).unit_of_work() as unit:
        load_dataset(unit, read_demo_dataset(load_record))
    return {event.id: event for event in list_rows(app, Event)}, list_rows(app, Talk)


def test_every_library_reads_the_demo_calendar_correctly(app: Flask, readers: Libraries) -> None:
    events, talks = load_demo(app)
    wanted = [event_as_wanted(app, event) for event in events.values()]
    wanted += [talk_as_wanted(app, talk, events[talk.event_id]) for talk in talks if talk.starts_at]
    assert len(wanted) > len(events)
    for query in ("from=2000-01-01", "from=2000-01-01&tz=utc"):
        assert read_otherwise(app, f"/calendar?{query}", readers, wanted=wanted) == {}


def test_every_library_reads_each_demo_event_and_talk_feed_correctly(app: Flask, readers: Libraries) -> None:
    events, talks = load_demo(app)
    for event in events.values():
        its_own = [talk_as_wanted(app, talk, event) for talk in talks if talk.event_id == event.id and talk.starts_at]
        assert (
            read_otherwise(app, f"/events/{event.slug}", readers, wanted=[event_as_wanted(app, event), *its_own]) == {}
        )
    assert {talk.starts_at is None for talk in talks} == {True, False}
    for talk in talks:
        status = "CONFIRMED" if talk.starts_at else "TENTATIVE"
        wanted = talk_as_wanted(app, talk, events[talk.event_id], status=status)
        assert read_otherwise(app, f"/talks/{talk.id}", readers, wanted=[wanted]) == {}


# Status


@pytest.mark.parametrize(
    ("status", "prefix", "read"),
    [
        (EventStatus.CONFIRMED, "", "CONFIRMED"),
        (EventStatus.TENTATIVE, "", "TENTATIVE"),
        (EventStatus.POSTPONED, "POSTPONED: ", "TENTATIVE"),
        (EventStatus.CANCELLED, "CANCELLED: ", "CANCELLED"),
    ],
)
def test_every_library_reads_the_status_correctly(
    app: Flask, readers: Libraries, *, status: EventStatus, prefix: str, read: str
) -> None:
    with write_session(app) as session:
        make_event(session, slug="one", title="Xen", status=status)
    (event,) = list_rows(app, Event)
    wanted = event_as_wanted(app, event, title=f"{prefix}Xen", status=read)
    assert read_otherwise(app, "/events/one", readers, wanted=[wanted]) == {}
    marked = event_as_wanted(app, event, title=f"{prefix}Xen", status=read.replace("CANCELLED", "CONFIRMED"))
    assert read_otherwise(app, "/events/one?cancelled=mark", readers, wanted=[marked]) == {}


# Texts

AWKWARD_TEXTS = (
    *("\\", "\\n", "\\N", "\\,", "\\;", '"', "'", ",", ";", ":", "=", "^n", "^'", "%0A", "&amp;", "<b>", "#", "BEGIN:"),
    *(" ", " " * 80, "\N{NO-BREAK SPACE}", "\N{IDEOGRAPHIC SPACE}", "\N{ZERO WIDTH SPACE}", "\ufeff"),
    *("\N{RIGHT-TO-LEFT OVERRIDE}", "\N{RIGHT-TO-LEFT MARK}", "\N{FIRST STRONG ISOLATE}", "שלום", "مرحبا", "漢字"),
    *("é", "e\u0301", "ß" * 40, "x" * 80, "👩\u200d👩\u200d👧", "👋🏽", "\U0010ffff", "\ue000", "TRUE", "12"),
    *("END:VEVENT", "END:VCALENDAR", "DTSTART:20260101T000000Z", "TZID=Europe/Berlin", "quoted-printable="),
)
_CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"
)
_PIECES = st.sampled_from(AWKWARD_TEXTS) | st.text(_CHARACTERS, max_size=20)


def valid_texts(pieces: st.SearchStrategy[str], fault: Callable[[str], str | None]) -> st.SearchStrategy[str]:
    """Return a strategy for texts that pass validation."""
    return st.lists(pieces, min_size=1, max_size=6).map("".join).filter(lambda text: text and fault(text) is None)


SINGLE_LINES = valid_texts(_PIECES, single_line_error)
MULTI_LINE_TEXTS = valid_texts(
    _PIECES | st.sampled_from(["\n", "\r\n", "\n\n", "\t", "\u2028", "- a\n- b\n"]), multi_line_error
)


@given(
    title=SINGLE_LINES,
    talk=SINGLE_LINES,
    room=SINGLE_LINES,
    venue=SINGLE_LINES,
    text=MULTI_LINE_TEXTS,
    tags=st.lists(SINGLE_LINES, max_size=3, unique=True),
)
@forty_examples
@example(title=r"C:\New\nightly", talk='"quoted"', room="a;b", venue="a,b", text="a\\nb\n\nc", tags=["a,b", r"c\;d"])
@example(title="a BEGIN:VEVENT", talk="END:VEVENT", room="\\", venue="a\\", text="\\", tags=["a\\", "b", "\\,"])
@example(title="x" + " " * 300 + "x", talk="TRUE", room='"', venue="12", text="\u2028", tags=[" a ", '"b"'])
def test_every_library_reads_user_text_unchanged(
    app: Flask, readers: Libraries, *, title: str, talk: str, room: str, venue: str, text: str, tags: list[str]
) -> None:
    with write_session(app) as session:
        event = make_event(session, title=title, venue=venue, rooms=[room], tags=tags, description=text, summary=title)
        on_it: dict[str, Any] = {"state": TalkState.CONFIRMED, "room": room, "tags": tags, "abstract": text}
        given_talk = make_talk(session, event, title=talk, starts="2026-06-10T13:30:00", **on_it)
        wanted = [event_as_wanted(app, event), talk_as_wanted(app, given_talk, event)]
        path = f"/events/{event.slug}"
    assert read_otherwise(app, path, readers, wanted=wanted) == {}


# Times

_FIRST_DAY, _LAST_DAY = date(1975, 1, 1), date(2060, 1, 1)


@cache
def offset_changes(tzid: str) -> list[datetime]:
    return [at for at, _, _ in changes(get_zone(tzid), _FIRST_DAY, _LAST_DAY)] or [NOON]


@st.composite
def timed_events(draw: st.DrawFn) -> tuple[str, datetime, int]:
    """Return a zone, a start instant, often close to a UTC offset change, and a duration in minutes.

    The start is the first of two instants with the same local time, because users cannot enter the second.
    """
    tzid = draw(st.sampled_from(ZONES))
    close = st.sampled_from([-7_200, -3_600, -1_800, -1, 0, 1, 1_800, 3_599, 3_600, 7_200, 86_400])
    near = st.builds(lambda at, by: at + timedelta(seconds=by), st.sampled_from(offset_changes(tzid)), close)
    far = st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1))  # noqa: DTZ001 - bounds
    midnights = far.map(lambda at: first_instant_of(at.date(), tzid))
    at = draw(near | midnights | far.map(lambda at: at.replace(microsecond=0, tzinfo=UTC)))
    return tzid, first_of_repeated(at, tzid), draw(st.sampled_from([1, 30, 45, 60, 90, 180, 1_440, 10_000, 300_000]))


def first_of_repeated(at: datetime, tzid: str) -> datetime:
    return at.astimezone(get_zone(tzid)).replace(fold=0).astimezone(UTC)


def first_instant_of(day: date, tzid: str) -> datetime:
    """Return the first instant of a day, or its replacement if midnight is skipped."""
    return datetime(day.year, day.month, day.day, tzinfo=get_zone(tzid)).astimezone(UTC)


def add_timed_event(session: Session, tzid: str, starts_at: datetime, minutes: int) -> tuple[Event, Talk]:
    """Add an event spanning the days of a talk; the talk may end at the second of two equal local times."""
    here = get_zone(tzid)
    starts, ends = (moment.astimezone(here) for moment in (starts_at, starts_at + timedelta(minutes=minutes)))
    event = make_event(session, timezone=tzid, starts=f"{starts:%Y-%m-%d}", ends=f"{ends:%Y-%m-%d}", call=None)
    local = format_local(starts.replace(tzinfo=None, fold=0))
    made = make_talk(session, event, state=TalkState.CONFIRMED, starts=local, duration_minutes=minutes)
    return event, made


@given(time=timed_events())
@forty_examples
@example(time=("Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 60))
@example(time=("Pacific/Apia", datetime(2011, 12, 30, 9, 30, tzinfo=UTC), 60))
@example(time=("America/Nuuk", datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC), 1))
def test_every_library_reads_times_as_instants_and_dates_as_dates(
    app: Flask, readers: Libraries, time: tuple[str, datetime, int]
) -> None:
    tzid, starts_at, minutes = time
    with write_session(app) as session:
        event, talk = add_timed_event(session, tzid, starts_at, minutes)
        ends_at = starts_at + timedelta(minutes=minutes)
        wanted = [event_as_wanted(app, event), talk_as_wanted(app, talk, event, start=starts_at, end=ends_at)]
        path = f"/events/{event.slug}"
    assert read_otherwise(app, path, readers, wanted=wanted) == {}
    # In UTC, only libraries that apply X-WR-TIMEZONE, which still names the event's zone, can misread a time.
    in_utc = [*wanted[:1], Wanted(wanted[1].uid, talk.title, starts_at, ends_at, tzid)]
    assert read_otherwise(app, f"{path}?tz=utc", readers, wanted=in_utc) == {}


@given(first=st.dates(date(1970, 1, 1), date(2199, 1, 1)), days=st.integers(1, 366), tzid=st.sampled_from(ZONES))
@forty_examples
def test_every_library_reads_all_day_events_of_any_length_and_zone(
    app: Flask, readers: Libraries, *, first: date, days: int, tzid: str
) -> None:
    last = first + (days - 1) * ONE_DAY
    with write_session(app) as session:
        event = make_event(session, timezone=tzid, starts=first.isoformat(), ends=last.isoformat(), call=None)
        wanted = event_as_wanted(app, event, start=first, end=last + ONE_DAY)
    assert read_otherwise(app, f"/events/{event.slug}", readers, wanted=[wanted]) == {}


def test_every_library_reads_several_zones_in_one_feed(app: Flask, readers: Libraries) -> None:
    days = ("2024-01-15", "2024-03-31", "2024-07-15", "2024-10-27")
    with write_session(app) as session:
        wanted = [
            event_as_wanted(app, make_event(session, timezone=tzid, starts=f"{day}T09:00:00", ends=f"{day}T17:30:00"))
            for tzid in ZONES
            for day in days
        ]
    assert read_otherwise(app, "/calendar?from=2024-01-01&to=2024-12-31", readers, wanted=wanted) == {}
