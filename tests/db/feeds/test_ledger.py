"""The ledger: increasing numbers, the time of publication, and complete recomputation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata, resources
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.models import Event
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.kit import localtime
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
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


def test_new_entry_is_stamped_with_its_publication_time(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    entry = calendar.entry(event_id)
    numbers = {name: entry.value(name) for name in ("SEQUENCE", "CREATED", "DTSTAMP", "LAST-MODIFIED")}
    assert numbers == {
        "SEQUENCE": "0",
        "CREATED": "20260301T120000Z",
        "DTSTAMP": "20260301T120100Z",
        "LAST-MODIFIED": "20260301T120100Z",
    }


def test_change_raises_sequence_and_stamps_but_not_created(calendar: Calendar) -> None:
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
def test_long_unit_of_work_dates_the_ledger_at_its_end_and_stamps_entries_at_its_start(
    calendar: Calendar, took: int, dated: int
) -> None:
    event_id = add_event(calendar)
    calendar.clock.tick(60)
    began = calendar.clock.now()
    with calendar.database.unit_of_work() as unit:
        unit.session.get_one(Event, event_id).title = "Else"
        calendar.clock.tick(took)
    with calendar.database.read_session() as session:
        assert get_feed_state(session).changed_at == began + timedelta(seconds=dated)
    assert calendar.numbers()[event_id].stamp == began


@pytest.mark.parametrize("move", [0, 0.4, -86400])
def test_changes_within_a_second_are_stamped_one_second_apart_and_wait_for_their_stamp(
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


def test_two_changes_in_one_unit_of_work_raise_the_sequence_once(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    with calendar.write() as session:
        event = session.get_one(Event, event_id)
        event.title = "one"
        session.flush()
        event.title = "two"
    assert calendar.entry(event_id).value("SEQUENCE") == "1"


def test_change_reverted_within_a_unit_of_work_leaves_the_entry_unchanged(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    before = calendar.numbers()[event_id]
    with calendar.write() as session:
        event = session.get_one(Event, event_id)
        event.title = "Else"
        session.flush()
        event.title = "Xen Summit"
    after = calendar.numbers()[event_id]
    assert (after.sequence, after.stamp, after.text) == (before.sequence, before.stamp, before.text)


def test_event_and_talk_rows_store_the_sequence_of_their_entry(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    calendar.change(Event, event_id, title="Else")
    with calendar.database.read_session() as session:
        known = session.get_one(Event, event_id).sequence, session.get_one(Talk, talk_id).sequence
    assert known == (calendar.numbers()[event_id].sequence, calendar.numbers()[talk_id].sequence) == (2, 1)


def test_event_change_statement_count_is_independent_of_its_talks(calendar: Calendar) -> None:
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


# Publication


def test_talk_is_public_once_accepted_if_listed_and_once_confirmed_if_curated(calendar: Calendar) -> None:
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


def test_talks_are_unpublished_until_their_event_is_published(calendar: Calendar) -> None:
    event_id = add_event(calendar, status=EventStatus.PENDING)
    talk_id = add_talk(calendar, event_id)
    assert (calendar.numbers(), calendar.state()[0]) == ({}, 0)
    calendar.change(Event, event_id, status=EventStatus.CONFIRMED)
    assert calendar.numbers().keys() == {event_id, talk_id}


# Recomputation


def test_renew_without_changes_writes_nothing(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write() as session:
        calendar.ledger.rerender_all(session, now=calendar.clock.now())
    before = calendar.numbers(), calendar.state(), calendar.fetch(), calendar.version()
    with calendar.write() as session:
        assert calendar.ledger.rerender_all(session, now=calendar.clock.now()) == 0
        assert calendar.ledger.force_rerender_all(session, now=calendar.clock.now()) == 0
    assert (calendar.numbers(), calendar.state(), calendar.fetch(), calendar.version()) == before


def test_changed_base_url_updates_every_entry(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    before = calendar.numbers()
    moved = moved_to(calendar, ledger_of(base_url="https://other.example.org"))
    with moved.write() as session:
        assert moved.ledger.rerender_all(session, now=moved.clock.now()) == 2
    after = moved.numbers()
    assert {id_: new.sequence - before[id_].sequence for id_, new in after.items()} == {event_id: 1, talk_id: 1}
    assert moved.entry(talk_id).value("URL") == f"https://other.example.org/talks/{talk_id}"
    assert moved.entry(talk_id).text("UID") == f"talk-{talk_id}@cal.example.org"
    with moved.write() as session:
        assert moved.ledger.rerender_all(session, now=moved.clock.now()) == 0
    moved.database.engine.dispose()


def test_changed_domain_updates_the_uid_of_the_same_entry(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    moved = moved_to(calendar, ledger_of(domain="other.example.org"))
    with moved.write() as session:
        assert moved.ledger.rerender_all(session, now=moved.clock.now()) == 2
    assert moved.numbers().keys() == {event_id, talk_id}
    assert [line.text for line in moved.entry(talk_id).all("RELATED-TO")] == [f"event-{event_id}@other.example.org"]
    calendar_entries = {entry.text("UID"): entry.value("SEQUENCE") for entry in moved.read().events()}
    assert calendar_entries == {f"event-{event_id}@other.example.org": "2", f"talk-{talk_id}@other.example.org": "1"}
    moved.change(Talk, talk_id, title="Else")
    assert moved.numbers()[talk_id].sequence == 2
    moved.database.engine.dispose()


def test_entry_keeps_its_number_under_another_uid(calendar: Calendar) -> None:
    def numbers(of: Calendar) -> dict[str, int]:
        with of.database.read_session() as session:
            return {row["subject_id"]: row["serial"] for row in kept(session).values()}

    event_id = add_event(calendar)
    ids = [event_id, *(add_talk(calendar, event_id) for _ in range(3))]
    calendar.change(Talk, ids[1], title="Else", state=TalkState.WITHDRAWN)
    assert numbers(calendar) == {id_: number for number, id_ in enumerate(ids, start=1)}
    moved = moved_to(calendar, ledger_of(domain="other.example.org"))
    with moved.write() as session:
        moved.ledger.rerender_all(session, now=moved.clock.now())
    late = add_talk(moved, event_id)
    assert numbers(moved) == {id_: number for number, id_ in enumerate([*ids, late], start=1)}
    moved.database.engine.dispose()


def test_renew_fills_missing_data_for_other_formats(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write() as session:
        before = kept(session)
        # The state after an upgrade from a release that supported only iCalendar.
        session.execute(update(FeedEntry).values(entry="", resource=None))
        get_feed_state(session).renderer_version = ""
    with calendar.write() as session:
        assert calendar.ledger.rerender_all(session, now=calendar.clock.now()) == 0
    with calendar.write() as session:
        assert kept(session) == before


def test_new_renderer_with_identical_output_changes_only_the_ledger_state(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write() as session:
        get_feed_state(session).renderer_version = "an older one"
    before, revision = calendar.numbers(), calendar.revision()
    heard: list[int] = []
    with calendar.write() as session:
        assert calendar.ledger.rerender_all(session, now=calendar.clock.now(), tell=heard.append) == 0
    assert (calendar.numbers(), sum(heard)) == (before, 2)
    # The text around the entries, such as a VTIMEZONE, may have changed.
    assert calendar.state() == (revision + 1, calendar.clock.now())


@pytest.mark.parametrize("name", ["tzdata", "icalendar", "nh3", "markdown-it-py"])
def test_renderer_id_depends_on_the_versions_of_rendering_libraries(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    now = ledger_of().renderer_version
    installed = metadata.version
    monkeypatch.setattr("eventcal.feeds.index.feed_index.version", lambda one: "0" if one == name else installed(one))
    assert ledger_of().renderer_version != now


def test_changed_time_zone_rules_move_instants_and_keep_local_times(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        monkeypatch.context() as patch,
        resources.files("tzdata.zoneinfo").joinpath("Europe/Moscow").open("rb") as file,
    ):
        # The data is written as if Berlin used Moscow's time.
        moscow = ZoneInfo.from_file(file, key="Europe/Berlin")
        patch.setattr(localtime, "_read_zone", lambda _name: moscow)
        days = add_event(calendar)
        meeting = add_event(calendar, starts="2026-06-10T18:00:00", ends="2026-06-10T20:00:00")
        talk = add_talk(calendar, days)
    before = calendar.numbers()
    with calendar.write() as session:
        assert calendar.ledger.force_rerender_all(session, now=calendar.clock.now()) == 2
    after = calendar.numbers()
    # The text of a date is independent of the time zone; that of a time depends on its rules.
    assert {id_: after[id_].sequence - before[id_].sequence for id_ in after} == {days: 0, meeting: 1, talk: 1}
    assert calendar.entry(meeting).value("DTSTART") == "20260610T180000"
    assert all(after[id_].revision > before[id_].revision for id_ in after)
    with calendar.database.read_session() as session:
        starts = [session.get_one(Event, id_).starts_at for id_ in (days, meeting)]
        starts_at = session.get_one(Talk, talk).starts_at
    assert [*starts, starts_at] == [
        datetime(2026, 6, 9, 22, tzinfo=UTC),
        datetime(2026, 6, 10, 16, tzinfo=UTC),
        datetime(2026, 6, 10, 11, 30, tzinfo=UTC),
    ]


def test_new_ledger_has_revision_zero(calendar: Calendar) -> None:
    assert calendar.state() == (0, datetime(1970, 1, 1, tzinfo=UTC))
    assert calendar.changes() == ([], 0)
