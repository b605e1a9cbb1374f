"""The ledger: numbers that only rise, what becomes public when, and all of it rendered anew."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata, resources
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from eventcal.events.models import Event
from eventcal.events.words import EventStatus, Programme
from eventcal.feeds.index.feed_index import state_of
from eventcal.feeds.index.models import LedgerEntry
from eventcal.kit import localtime
from eventcal.talks.models import Talk
from eventcal.talks.words import TalkState
from tests.clocks import FixedClock
from tests.feed_support.make_feeds import (
    Calendar,
    add_event,
    add_talk,
    kept,
    ledger_of,
    moved_to,
    open_calendar,
    whole_event,
)
from tests.make import make_speaker, make_talk
from tests.statements import statements

A_DAY = timedelta(days=1)


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Calendar]:
    with open_calendar(database_url, clock) as calendar:
        yield calendar


# Stamps


def test_a_new_entry_is_stamped_with_the_moment_at_which_it_became_public(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    entry = calendar.entry(event_id)
    numbers = {name: entry.value(name) for name in ("SEQUENCE", "CREATED", "DTSTAMP", "LAST-MODIFIED")}
    assert numbers == {
        "SEQUENCE": "0",
        "CREATED": "20260301T120000Z",
        "DTSTAMP": "20260301T120100Z",
        "LAST-MODIFIED": "20260301T120100Z",
    }


def test_a_change_raises_sequence_and_stamps_but_not_created(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    calendar.change(Event, event_id, title="Else")
    entry = calendar.entry(event_id)
    numbers = {name: entry.value(name) for name in ("SEQUENCE", "CREATED", "DTSTAMP", "LAST-MODIFIED")}
    assert numbers == {
        "SEQUENCE": "1",
        "CREATED": "20260301T120000Z",
        "DTSTAMP": "20260301T120200Z",
        "LAST-MODIFIED": "20260301T120200Z",
    }


@pytest.mark.parametrize(("took", "dated"), [(0, 0), (600, 600), (-600, 0)])
def test_a_unit_that_took_minutes_is_dated_when_it_settles_and_stamped_when_it_began(
    calendar: Calendar, took: int, dated: int
) -> None:
    event_id = add_event(calendar)
    calendar.clock.tick(60)
    began = calendar.clock.now()
    with calendar.database.unit_of_work() as unit:
        unit.session.get_one(Event, event_id).title = "Else"
        calendar.clock.tick(took)
    with calendar.database.reading() as session:
        assert state_of(session).changed_at == began + timedelta(seconds=dated)
    assert calendar.numbers()[event_id].stamp == began


@pytest.mark.parametrize("move", [0, 0.4, -86400])
def test_changes_in_the_same_second_are_stamped_a_second_apart_and_answered_when_it_has_come(
    calendar: Calendar, move: float
) -> None:
    event_id = add_event(calendar)
    stamps = [calendar.numbers()[event_id].stamp]
    for title in ("one", "two", "three"):
        calendar.clock.tick(move)
        with calendar.database.unit_of_work() as unit:
            unit.session.get_one(Event, event_id).title = title
        stamps.append(calendar.numbers()[event_id].stamp)
        assert stamps[-1] <= calendar.clock.now()
    assert [later - earlier for earlier, later in pairwise(stamps)] == [timedelta(seconds=1)] * 3


def test_two_changes_in_one_unit_are_one(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    with calendar.write() as session:
        event = session.get_one(Event, event_id)
        event.title = "one"
        session.flush()
        event.title = "two"
    assert calendar.entry(event_id).value("SEQUENCE") == "1"


def test_what_is_changed_back_in_the_same_unit_was_not_changed(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    before = calendar.numbers()[event_id]
    with calendar.write() as session:
        event = session.get_one(Event, event_id)
        event.title = "Else"
        session.flush()
        event.title = "Xen Summit"
    after = calendar.numbers()[event_id]
    assert (after.sequence, after.stamp, after.text) == (before.sequence, before.stamp, before.text)


def test_resources_know_the_sequence_of_their_entries(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    calendar.change(Event, event_id, title="Else")
    with calendar.database.reading() as session:
        known = session.get_one(Event, event_id).sequence, session.get_one(Talk, talk_id).sequence
    assert known == (calendar.numbers()[event_id].sequence, calendar.numbers()[talk_id].sequence) == (2, 1)


def test_a_change_asks_as_much_for_many_talks_as_for_one(calendar: Calendar) -> None:
    def asked(talks: int) -> int:
        event_id = add_event(calendar, title=f"With {talks}")
        with calendar.write() as session:
            event = whole_event(session, event_id)
            speakers = [make_speaker(session) for _ in range(talks)]
            for speaker in speakers:
                make_talk(session, event, state=TalkState.CONFIRMED, starts="2026-06-10T09:00:00", speakers=[speaker])
        with statements(calendar.database) as seen:
            calendar.change(Event, event_id, city="Bonn")
        return sum(statement.startswith("SELECT") for statement in seen)

    assert asked(1) == asked(20)


# Becoming public


def test_a_listed_events_talk_is_public_once_accepted_and_a_curated_ones_once_confirmed(calendar: Calendar) -> None:
    for programme in Programme:
        event_id = add_event(calendar, programme=programme, title=programme)
        for state in (TalkState.SUBMITTED, TalkState.ACCEPTED, TalkState.CONFIRMED):
            add_talk(calendar, event_id, state=state, title=f"{programme}, {state}")
    assert calendar.shown() == [
        "curated",
        "curated, confirmed",
        "listed",
        "listed, accepted",
        "listed, confirmed",
    ]


def test_an_events_talks_wait_for_it_to_become_public(calendar: Calendar) -> None:
    event_id = add_event(calendar, status=EventStatus.PENDING)
    talk_id = add_talk(calendar, event_id)
    assert (calendar.numbers(), calendar.state()[0]) == ({}, 0)
    calendar.change(Event, event_id, status=EventStatus.CONFIRMED)
    assert calendar.numbers().keys() == {event_id, talk_id}


# All of it anew


def test_nothing_is_rendered_anew_where_nothing_changed(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write() as session:
        calendar.ledger.renew(session, now=calendar.clock.now())
    before = calendar.numbers(), calendar.state(), calendar.fetch(), calendar.version()
    with calendar.write() as session:
        assert calendar.ledger.renew(session, now=calendar.clock.now()) == 0
        assert calendar.ledger.recompute(session, now=calendar.clock.now()) == 0
    assert (calendar.numbers(), calendar.state(), calendar.fetch(), calendar.version()) == before


def test_another_base_url_is_another_text(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    before = calendar.numbers()
    moved = moved_to(calendar, ledger_of(base_url="https://other.example.org"))
    with moved.write() as session:
        assert moved.ledger.renew(session, now=moved.clock.now()) == 2
    after = moved.numbers()
    assert {id_: new.sequence - before[id_].sequence for id_, new in after.items()} == {event_id: 1, talk_id: 1}
    assert moved.entry(talk_id).value("URL") == f"https://other.example.org/talks/{talk_id}"
    assert moved.entry(talk_id).text("UID") == f"talk-{talk_id}@cal.example.org"
    with moved.write() as session:
        assert moved.ledger.renew(session, now=moved.clock.now()) == 0
    moved.database.engine.dispose()


def test_another_domain_is_another_uid_of_the_same_entry(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    moved = moved_to(calendar, ledger_of(domain="other.example.org"))
    with moved.write() as session:
        assert moved.ledger.renew(session, now=moved.clock.now()) == 2
    assert moved.numbers().keys() == {event_id, talk_id}
    assert [line.text for line in moved.entry(talk_id).all("RELATED-TO")] == [f"event-{event_id}@other.example.org"]
    calendar_entries = {entry.text("UID"): entry.value("SEQUENCE") for entry in moved.read().events()}
    assert calendar_entries == {f"event-{event_id}@other.example.org": "2", f"talk-{talk_id}@other.example.org": "1"}
    moved.change(Talk, talk_id, title="Else")
    assert moved.numbers()[talk_id].sequence == 2
    moved.database.engine.dispose()


def test_an_entry_keeps_a_number_of_its_own_whatever_it_is_called(calendar: Calendar) -> None:
    def numbers(of: Calendar) -> dict[str, int]:
        with of.database.reading() as session:
            return {row["subject_id"]: row["number"] for row in kept(session).values()}

    event_id = add_event(calendar)
    ids = [event_id, *(add_talk(calendar, event_id) for _ in range(3))]
    calendar.change(Talk, ids[1], title="Else", state=TalkState.WITHDRAWN)
    assert numbers(calendar) == {id_: number for number, id_ in enumerate(ids, start=1)}
    moved = moved_to(calendar, ledger_of(domain="other.example.org"))
    with moved.write() as session:
        moved.ledger.renew(session, now=moved.clock.now())
    late = add_talk(moved, event_id)
    assert numbers(moved) == {id_: number for number, id_ in enumerate([*ids, late], start=1)}
    moved.database.engine.dispose()


def test_what_other_formats_are_written_from_is_made_where_it_is_missing(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write() as session:
        before = kept(session)
        # As an upgrade leaves it from a version that had .ics alone.
        session.execute(update(LedgerEntry).values(entry="", resource=None))
        state_of(session).renderer = ""
    with calendar.write() as session:
        assert calendar.ledger.renew(session, now=calendar.clock.now()) == 0
    with calendar.write() as session:
        assert kept(session) == before


def test_another_renderer_that_writes_the_same_changes_no_entry_but_the_date(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write() as session:
        state_of(session).renderer = "an older one"
    before, revision = calendar.numbers(), calendar.revision()
    heard: list[int] = []
    with calendar.write() as session:
        assert calendar.ledger.renew(session, now=calendar.clock.now(), tell=heard.append) == 0
    assert (calendar.numbers(), sum(heard)) == (before, 2)
    # What stands around the entries, such as a VTIMEZONE, may be another.
    assert calendar.state() == (revision + 1, calendar.clock.now())


@pytest.mark.parametrize("name", ["tzdata", "icalendar", "nh3", "markdown-it-py"])
def test_another_release_of_a_library_that_writes_is_another_renderer(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    now = ledger_of().renderer
    installed = metadata.version
    monkeypatch.setattr("eventcal.feeds.index.feed_index.version", lambda one: "0" if one == name else installed(one))
    assert ledger_of().renderer != now


def test_new_rules_of_a_zone_move_the_instants_and_not_the_meeting(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        monkeypatch.context() as patch,
        resources.files("tzdata.zoneinfo").joinpath("Europe/Moscow").open("rb") as file,
    ):
        # As if Berlin had kept Moscow's time when all this was written.
        moscow = ZoneInfo.from_file(file, key="Europe/Berlin")
        patch.setattr(localtime, "_read_zone", lambda _name: moscow)
        days = add_event(calendar)
        meeting = add_event(calendar, starts="2026-06-10T18:00:00", ends="2026-06-10T20:00:00")
        talk = add_talk(calendar, days)
    before = calendar.numbers()
    with calendar.write() as session:
        assert calendar.ledger.recompute(session, now=calendar.clock.now()) == 2
    after = calendar.numbers()
    # A day's text is the same in every zone; a time's is the same only to those who know the zone.
    assert {id_: after[id_].sequence - before[id_].sequence for id_ in after} == {days: 0, meeting: 1, talk: 1}
    assert calendar.entry(meeting).value("DTSTART") == "20260610T180000"
    assert all(after[id_].revision > before[id_].revision for id_ in after)
    with calendar.database.reading() as session:
        starts = [session.get_one(Event, id_).starts_at for id_ in (days, meeting)]
        starts_at = session.get_one(Talk, talk).starts_at
    assert [*starts, starts_at] == [
        datetime(2026, 6, 9, 22, tzinfo=UTC),
        datetime(2026, 6, 10, 16, tzinfo=UTC),
        datetime(2026, 6, 10, 11, 30, tzinfo=UTC),
    ]


def test_the_ledger_is_at_nothing_before_the_first_change(calendar: Calendar) -> None:
    assert calendar.state() == (0, datetime(1970, 1, 1, tzinfo=UTC))
    assert calendar.changes() == ([], 0)
