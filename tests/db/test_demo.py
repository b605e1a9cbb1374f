from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from eventcal.datasets.demo import (
    ORGANISER_EMAIL,
    create_demo_organiser,
    has_any_event,
    read_demo_dataset,
    shift_dataset_dates,
    weeks_to_future_start,
)
from eventcal.datasets.import_service import LoadReport, SectionCounts, load_dataset
from eventcal.datasets.parser import Dataset, validate_dataset
from eventcal.events.models import Event
from eventcal.kit.database import Database
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.talks.models import Talk
from eventcal.web.schemas.dataset_records import load_record
from tests.clocks import FixedClock
from tests.datasets import EVENT_RECORD, list_all_rows, open_indexed_database

TODAY = date(2026, 3, 1)


@pytest.fixture
def calendar_database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    calendar = open_indexed_database(database_url, clock)
    yield calendar
    calendar.engine.dispose()


def load_into_database(calendar: Database, dataset: Dataset) -> LoadReport:
    with calendar.unit_of_work() as unit:
        return load_dataset(unit, dataset)


def list_start_times(dataset: Dataset) -> list[str]:
    return [
        record.fields["starts"]
        for record in (*dataset.records["events"], *dataset.records["talks"])
        if record.fields.get("starts")
    ]


def test_demo_data_is_valid_and_complete(calendar_database: Database, clock: FixedClock) -> None:
    dataset = read_demo_dataset(load_record)
    assert dataset.errors == ()
    assert load_into_database(calendar_database, dataset) == {
        "speakers": SectionCounts(new=9, changed=0, unchanged=0),
        "sponsors": SectionCounts(new=1, changed=0, unchanged=0),
        "events": SectionCounts(new=8, changed=0, unchanged=0),
        "talks": SectionCounts(new=14, changed=0, unchanged=0),
    }
    before = list_all_rows(calendar_database)
    clock.tick(86_400)
    load_into_database(calendar_database, dataset)
    assert list_all_rows(calendar_database) == before


def test_all_demo_events_and_talks_are_public(calendar_database: Database) -> None:
    load_into_database(calendar_database, read_demo_dataset(load_record))
    with calendar_database.read_session() as session:
        assert {event.status.value for event in session.scalars(select(Event))} == {"confirmed"}
        assert None not in session.scalars(select(Talk.published_at)).all()
        assert session.scalar(text("SELECT count(*) FROM feed_entries")) == 22
        # Two talks are reprises.
        assert session.scalar(text("SELECT count(*) FROM talks WHERE reprise_of_id IS NOT NULL")) == 2


@given(st.dates(date(1980, 1, 1), date(2150, 1, 1)))
def test_moved_demo_starts_within_28_days_and_keeps_its_weekdays(today: date) -> None:
    was = read_demo_dataset(load_record)
    moved = shift_dataset_dates(was, weeks=weeks_to_future_start(was, today=today))
    first = min(date.fromisoformat(text[:10]) for text in list_start_times(moved))
    assert today < first < today + timedelta(days=28)
    for before, after in zip(list_start_times(was), list_start_times(moved), strict=True):
        assert date.fromisoformat(after[:10]).weekday() == date.fromisoformat(before[:10]).weekday()
        assert after[10:] == before[10:]
    assert moved.errors == ()


def test_move_dataset_moves_every_date() -> None:
    call = {"opens_at": "2026-04-01T09:00:00+02:00", "closes_at": "2026-05-01", "anywhere_on_earth": True}
    events = [{**EVENT_RECORD, "call_for_talks": call}, {"slug": "timeless", "call_for_talks": None}]
    talk = {"event": "summit", "title": "T", "starts": "2026-06-10T09:00:00", "ends": None}
    moved = shift_dataset_dates(validate_dataset({"events": events, "talks": [talk]}, load_record), weeks=2)
    assert [record.fields for record in (*moved.records["events"], *moved.records["talks"])] == [
        {
            **EVENT_RECORD,
            "starts": "2026-06-24",
            "ends": "2026-06-26",
            "call_for_talks": {
                "opens_at": "2026-04-15T09:00:00+02:00",
                "closes_at": "2026-05-15",
                "anywhere_on_earth": True,
            },
        },
        {"slug": "timeless", "call_for_talks": None},
        {**talk, "starts": "2026-06-24T09:00:00"},
    ]


def test_moving_the_demo_by_zero_weeks_changes_nothing() -> None:
    assert shift_dataset_dates(read_demo_dataset(load_record), weeks=0) == read_demo_dataset(load_record)


def test_demo_is_recognised_after_moving_its_dates(calendar_database: Database) -> None:
    was = read_demo_dataset(load_record)
    with calendar_database.unit_of_work() as unit:
        assert not has_any_event(unit.session, was)
        load_dataset(unit, shift_dataset_dates(was, weeks=weeks_to_future_start(was, today=TODAY)))
        assert has_any_event(unit.session, was)


def test_demo_call_is_open_until_its_event_begins(calendar_database: Database) -> None:
    was = read_demo_dataset(load_record)
    load_into_database(calendar_database, shift_dataset_dates(was, weeks=weeks_to_future_start(was, today=TODAY)))
    with calendar_database.read_session() as session:
        [(opens, closes, kinds, begins)] = session.execute(
            text("SELECT opens_at, closes_at, kinds, starts FROM calls_for_talks JOIN events ON id = event_id")
        )
    assert (opens, closes, begins) == (None, None, "2026-06-08")
    assert kinds in ('["bof"]', ["bof"])


def test_demo_organiser_organises_every_curated_event_and_is_a_moderator(calendar_database: Database) -> None:
    dataset = read_demo_dataset(load_record)
    load_into_database(calendar_database, dataset)
    with calendar_database.unit_of_work() as unit:
        assert create_demo_organiser(unit.session, dataset, password_hash="hash", now=unit.now) is not None
    with calendar_database.read_session() as session:
        member = session.scalars(select(Member)).one()
        team = "SELECT slug FROM team_members JOIN events ON id = event_id WHERE role = 'organiser' ORDER BY slug"
        assert session.scalars(text(team)).all() == [
            "xen-project-developer-summit-2014",
            "xen-project-user-summit-2014",
        ]
    assert (member.email, member.role, member.password) == (ORGANISER_EMAIL, Role.MODERATOR, "hash")
    assert member.confirmed_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_existing_demo_organiser_is_unchanged(calendar_database: Database, clock: FixedClock) -> None:
    dataset = read_demo_dataset(load_record)
    load_into_database(calendar_database, dataset)
    with calendar_database.unit_of_work() as unit:
        create_demo_organiser(unit.session, dataset, password_hash="hash", now=unit.now)
    before = list_all_rows(calendar_database)
    clock.tick(60)
    with calendar_database.unit_of_work() as unit:
        assert create_demo_organiser(unit.session, dataset, password_hash="another", now=unit.now) is None
    assert list_all_rows(calendar_database) == before
