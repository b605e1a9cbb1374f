"""The ledger: increasing numbers, the time of publication, and complete recomputation."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import metadata, resources
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.models import Event
from eventcal.feeds.index import renderer_version
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.kit import localtime
from eventcal.kit.errors import ChangedTooRecently
from eventcal.kit.retry import call_again_in_next_second
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import FixedClock
from tests.factories import make_speaker, make_talk
from tests.feed_support.feed_calendar import (
    FeedCalendar,
    add_event,
    add_talk,
    load_event,
    load_feed_rows,
    make_feed_index,
    open_feed_calendar,
    with_feed_index,
)
from tests.sql_statements import record_statements

ONE_DAY = timedelta(days=1)


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


# Stamps


def test_new_entry_is_stamped_with_its_publication_time(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    entry = calendar.parse_entry(event_id)
    numbers = {name: entry.value(name) for name in ("SEQUENCE", "CREATED", "DTSTAMP", "LAST-MODIFIED")}
    assert numbers == {
        "SEQUENCE": "0",
        "CREATED": "20260301T120000Z",
        "DTSTAMP": "20260301T120100Z",
        "LAST-MODIFIED": "20260301T120100Z",
    }


def test_change_raises_sequence_and_stamps_but_not_created(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    calendar.set_columns(Event, event_id, title="Else")
    entry = calendar.parse_entry(event_id)
    numbers = {name: entry.value(name) for name in ("SEQUENCE", "CREATED", "DTSTAMP", "LAST-MODIFIED")}
    assert numbers == {
        "SEQUENCE": "1",
        "CREATED": "20260301T120000Z",
        "DTSTAMP": "20260301T120200Z",
        "LAST-MODIFIED": "20260301T120200Z",
    }


@pytest.mark.parametrize(("took", "dated"), [(0, 0), (600, 600), (-600, 0)])
def test_long_unit_of_work_dates_the_ledger_at_its_end_and_stamps_entries_at_its_start(
    calendar: FeedCalendar, took: int, dated: int
) -> None:
    event_id = add_event(calendar)
    calendar.clock.tick(60)
    began = calendar.clock.now()
    with calendar.database.unit_of_work() as unit:
        unit.session.get_one(Event, event_id).title = "Else"
        calendar.clock.tick(took)
    with calendar.database.read_session() as session:
        assert get_feed_state(session).changed_at == began + timedelta(seconds=dated)
    assert calendar.entry_versions()[event_id].last_modified == began


def set_title(calendar: FeedCalendar, event_id: str) -> None:
    with calendar.database.unit_of_work() as unit:
        unit.session.get_one(Event, event_id).title = "Else"


@pytest.mark.parametrize(("move", "is_refused"), [(0, True), (0.4, True), (-2, True), (1, False), (-86400, False)])
def test_second_change_within_a_second_is_refused(calendar: FeedCalendar, *, move: float, is_refused: bool) -> None:
    event_id = add_event(calendar)
    before = calendar.entry_versions()[event_id]
    calendar.clock.tick(move)
    with pytest.raises(ChangedTooRecently) if is_refused else nullcontext():
        set_title(calendar, event_id)
    after = calendar.entry_versions()[event_id]
    assert after.last_modified == (before.last_modified if is_refused else calendar.clock.now())
    assert after.sequence == before.sequence + (not is_refused)


def test_change_repeated_in_the_next_second_succeeds(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    began = calendar.clock.now()
    call_again_in_next_second(partial(set_title, calendar, event_id), clock=calendar.clock)
    assert calendar.entry_versions()[event_id].last_modified == began + timedelta(seconds=1)


def test_two_changes_in_one_unit_of_work_raise_the_sequence_once(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    with calendar.write_session() as session:
        event = session.get_one(Event, event_id)
        event.title = "one"
        session.flush()
        event.title = "two"
    assert calendar.parse_entry(event_id).value("SEQUENCE") == "1"


def test_change_reverted_within_a_unit_of_work_leaves_the_entry_unchanged(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    before = calendar.entry_versions()[event_id]
    with calendar.write_session() as session:
        event = session.get_one(Event, event_id)
        event.title = "Else"
        session.flush()
        event.title = "Xen Summit"
    after = calendar.entry_versions()[event_id]
    assert (after.sequence, after.last_modified, after.ics) == (before.sequence, before.last_modified, before.ics)


def test_event_and_talk_rows_store_the_sequence_of_their_entry(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    calendar.set_columns(Event, event_id, title="Else")
    with calendar.database.read_session() as session:
        known = session.get_one(Event, event_id).sequence, session.get_one(Talk, talk_id).sequence
    assert (
        known == (calendar.entry_versions()[event_id].sequence, calendar.entry_versions()[talk_id].sequence) == (2, 1)
    )


def test_event_change_statement_count_is_independent_of_its_talks(calendar: FeedCalendar) -> None:
    def asked(talks: int) -> int:
        event_id = add_event(calendar, title=f"With {talks}")
        with calendar.write_session() as session:
            event = load_event(session, event_id)
            speakers = [make_speaker(session) for _ in range(talks)]
            for speaker in speakers:
                make_talk(session, event, state=TalkState.CONFIRMED, starts="2026-06-10T09:00:00", speakers=[speaker])
        with record_statements(calendar.database) as seen:
            calendar.set_columns(Event, event_id, city="Bonn")
        return sum(statement.startswith("SELECT") for statement in seen)

    assert asked(1) == asked(20)


# Publication


def test_talk_is_public_once_accepted_if_listed_and_once_confirmed_if_curated(calendar: FeedCalendar) -> None:
    for programme in Programme:
        event_id = add_event(calendar, programme=programme, title=programme)
        for state in (TalkState.SUBMITTED, TalkState.ACCEPTED, TalkState.CONFIRMED):
            add_talk(calendar, event_id, state=state, title=f"{programme}, {state}")
    assert calendar.list_titles() == [
        "curated",
        "curated, confirmed",
        "listed",
        "listed, accepted",
        "listed, confirmed",
    ]


def test_talks_are_unpublished_until_their_event_is_published(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, status=EventStatus.PENDING)
    talk_id = add_talk(calendar, event_id)
    assert (calendar.entry_versions(), calendar.get_feed_state()[0]) == ({}, 0)
    calendar.set_columns(Event, event_id, status=EventStatus.CONFIRMED)
    assert calendar.entry_versions().keys() == {event_id, talk_id}


# Recomputation


def test_renew_without_changes_writes_nothing(calendar: FeedCalendar) -> None:
    add_talk(calendar, add_event(calendar))
    calendar.feed_index.rerender_all(calendar.database)
    before = calendar.entry_versions(), calendar.get_feed_state(), calendar.fetch_valid(), calendar.fetch_version()
    assert calendar.feed_index.rerender_all(calendar.database) == 0
    assert calendar.feed_index.render_all_again(calendar.database) == 0
    assert (
        calendar.entry_versions(),
        calendar.get_feed_state(),
        calendar.fetch_valid(),
        calendar.fetch_version(),
    ) == before


def test_changed_base_url_updates_every_entry(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    before = calendar.entry_versions()
    moved = with_feed_index(calendar, make_feed_index(base_url="https://other.example.org"))
    assert moved.feed_index.rerender_all(moved.database) == 2
    after = moved.entry_versions()
    assert {id_: new.sequence - before[id_].sequence for id_, new in after.items()} == {event_id: 1, talk_id: 1}
    assert moved.parse_entry(talk_id).value("URL") == f"https://other.example.org/talks/{talk_id}"
    assert moved.parse_entry(talk_id).text("UID") == f"talk-{talk_id}@cal.example.org"
    assert moved.feed_index.rerender_all(moved.database) == 0
    moved.database.engine.dispose()


def test_changed_domain_updates_the_uid_of_the_same_entry(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    moved = with_feed_index(calendar, make_feed_index(domain="other.example.org"))
    assert moved.feed_index.rerender_all(moved.database) == 2
    assert moved.entry_versions().keys() == {event_id, talk_id}
    assert [line.text for line in moved.parse_entry(talk_id).list_properties("RELATED-TO")] == [
        f"event-{event_id}@other.example.org"
    ]
    calendar_entries = {entry.text("UID"): entry.value("SEQUENCE") for entry in moved.fetch_parsed().events()}
    assert calendar_entries == {f"event-{event_id}@other.example.org": "2", f"talk-{talk_id}@other.example.org": "1"}
    moved.set_columns(Talk, talk_id, title="Else")
    assert moved.entry_versions()[talk_id].sequence == 2
    moved.database.engine.dispose()


def test_entry_keeps_its_number_under_another_uid(calendar: FeedCalendar) -> None:
    def numbers(of: FeedCalendar) -> dict[str, int]:
        with of.database.read_session() as session:
            return {row["subject_id"]: row["serial"] for row in load_feed_rows(session).values()}

    event_id = add_event(calendar)
    ids = [event_id, *(add_talk(calendar, event_id) for _ in range(3))]
    calendar.set_columns(Talk, ids[1], title="Else", state=TalkState.WITHDRAWN)
    assert numbers(calendar) == {id_: number for number, id_ in enumerate(ids, start=1)}
    moved = with_feed_index(calendar, make_feed_index(domain="other.example.org"))
    moved.feed_index.rerender_all(moved.database)
    late = add_talk(moved, event_id)
    assert numbers(moved) == {id_: number for number, id_ in enumerate([*ids, late], start=1)}
    moved.database.engine.dispose()


def test_renew_fills_missing_data_for_other_formats(calendar: FeedCalendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write_session() as session:
        before = load_feed_rows(session)
        # The state after an upgrade from a release that supported only iCalendar.
        session.execute(update(FeedEntry).values(entry="", resource=None))
        get_feed_state(session).renderer_version = ""
    assert calendar.feed_index.rerender_all(calendar.database) == 0
    with calendar.write_session() as session:
        assert load_feed_rows(session) == before


def test_new_renderer_with_identical_output_changes_only_the_ledger_state(calendar: FeedCalendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.write_session() as session:
        get_feed_state(session).renderer_version = "an older one"
    before, revision = calendar.entry_versions(), calendar.get_revision()
    heard: list[int] = []
    assert calendar.feed_index.rerender_all(calendar.database, on_progress=heard.append) == 0
    assert (calendar.entry_versions(), sum(heard)) == (before, 2)
    # The text around the entries, such as a VTIMEZONE, may have changed.
    assert calendar.get_feed_state() == (revision + 1, calendar.clock.now())


def test_interrupted_rerender_is_completed_by_the_next_run(
    calendar: FeedCalendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.feeds.index.feed_index._BATCH_SIZE", 1)
    event_id = add_event(calendar)
    ids = [event_id, *(add_talk(calendar, event_id) for _ in range(3))]
    before = calendar.entry_versions()
    moved = with_feed_index(calendar, make_feed_index(base_url="https://other.example.org"))
    revisions: list[int] = []

    def interrupt(_count: int) -> None:
        revisions.append(moved.get_revision())
        if len(revisions) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moved.feed_index.rerender_all(moved.database, on_progress=interrupt)
    # Each batch is committed with a revision of its own.
    assert len(set(revisions)) == 3
    assert moved.feed_index.rerender_all(moved.database) == 1
    after = moved.entry_versions()
    assert {id_: after[id_].sequence - before[id_].sequence for id_ in ids} == dict.fromkeys(ids, 1)
    assert moved.feed_index.rerender_all(moved.database) == 0
    moved.database.engine.dispose()


def test_other_writers_can_commit_between_rerendered_batches(
    calendar: FeedCalendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.feeds.index.feed_index._BATCH_SIZE", 1)
    event_id = add_event(calendar)
    talks = [add_talk(calendar, event_id) for _ in range(2)]
    titles = iter(["One", "Two", "Three"])
    moved = with_feed_index(calendar, make_feed_index(base_url="https://other.example.org"))
    moved.feed_index.rerender_all(
        moved.database, on_progress=lambda _: moved.set_columns(Talk, talks[0], title=next(titles))
    )
    assert moved.parse_entry(talks[0]).text("SUMMARY") == "Three"
    assert moved.entry_versions().keys() == {event_id, *talks}
    moved.database.engine.dispose()


def test_rewritten_resource_of_an_unchanged_entry_increases_the_revision(calendar: FeedCalendar) -> None:
    talk_id = add_talk(calendar, add_event(calendar))
    with calendar.write_session() as session:
        session.execute(update(FeedEntry).values(resource="{}"))
    before, revision = calendar.entry_versions(), calendar.get_revision()
    with calendar.write_session() as session:
        assert calendar.feed_index.rerender(session, Talk, [talk_id], now=calendar.clock.now()) == 0
    assert (calendar.entry_versions(), calendar.get_revision()) == (before, revision + 1)


@pytest.mark.parametrize("name", ["tzdata", "icalendar", "nh3", "markdown-it-py"])
def test_renderer_id_depends_on_the_versions_of_rendering_libraries(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    now = make_feed_index().renderer_version
    installed = metadata.version
    monkeypatch.setattr(renderer_version, "version", lambda one: "0" if one == name else installed(one))
    assert make_feed_index().renderer_version != now


def test_changed_time_zone_rules_move_instants_and_keep_local_times(
    calendar: FeedCalendar, monkeypatch: pytest.MonkeyPatch
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
    before = calendar.entry_versions()
    assert calendar.feed_index.render_all_again(calendar.database) == 2
    after = calendar.entry_versions()
    # The text of a date is independent of the time zone; that of a time depends on its rules.
    assert {id_: after[id_].sequence - before[id_].sequence for id_ in after} == {days: 0, meeting: 1, talk: 1}
    assert calendar.parse_entry(meeting).value("DTSTART") == "20260610T180000"
    assert all(after[id_].revision > before[id_].revision for id_ in after)
    with calendar.database.read_session() as session:
        starts = [session.get_one(Event, id_).starts_at for id_ in (days, meeting)]
        starts_at = session.get_one(Talk, talk).starts_at
    assert [*starts, starts_at] == [
        datetime(2026, 6, 9, 22, tzinfo=UTC),
        datetime(2026, 6, 10, 16, tzinfo=UTC),
        datetime(2026, 6, 10, 11, 30, tzinfo=UTC),
    ]


def test_new_ledger_has_revision_zero(calendar: FeedCalendar) -> None:
    assert calendar.get_feed_state() == (0, datetime(1970, 1, 1, tzinfo=UTC))
    assert calendar.list_changes() == ([], 0)
