"""Data sets that are loaded in several batches, each of which contains a single group of linked records."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select

from eventcal.datasets.import_service import InvalidDataset, LoadReport, SectionCounts, load_dataset_in_batches
from eventcal.datasets.parser import validate_dataset
from eventcal.events.models import CoLocation
from eventcal.kit.database import Database
from eventcal.kit.models import Base
from eventcal.speakers.models import Speaker
from eventcal.talks.models import Talk, TalkStateChange
from eventcal.web.schemas.dataset_records import load_record
from tests.clocks import FixedClock
from tests.datasets import (
    EVENT_RECORD,
    SPEAKER_RECORD,
    TALK_RECORD,
    Json,
    list_all_rows,
    load_errors,
    load_sections,
    open_indexed_database,
)

SECTIONS: Json = {
    "speakers": [SPEAKER_RECORD, {**SPEAKER_RECORD, "slug": "grace"}],
    "sponsors": [{"slug": "rackspace", "name": "Rackspace"}],
    "events": [
        {
            **EVENT_RECORD,
            "rooms": [{"name": "Attic"}],
            "tiers": [{"name": "Gold"}],
            "sponsorships": [{"sponsor": "rackspace", "tier": "Gold", "state": "confirmed"}],
            "co_located_with": ["beside"],
        },
        {**EVENT_RECORD, "slug": "other"},
        {**EVENT_RECORD, "slug": "beside"},
    ],
    "talks": [
        {
            "event": "other",
            "title": "Again",
            "speakers": ["grace", "ada"],
            "state": "confirmed",
            "reprise_of": {"event": "summit", "title": "Xen on ARM"},
        },
        {"event": "other", "title": "Alone", "tags": ["xen"], "abstract": "All of *Xen*."},
        {**TALK_RECORD, "room": "Attic", "starts": "2026-06-10T09:00:00"},
    ],
}


@pytest.fixture
def calendar_database(database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr("eventcal.datasets.import_service._BATCH_SIZE", 1)
    calendar = open_indexed_database(database_url, clock)
    yield calendar
    calendar.engine.dispose()


def load_in_batches(
    calendar: Database, sections: Json, *, on_progress: Callable[[int], object] = lambda _: None
) -> LoadReport:
    dataset = validate_dataset(sections, load_record)
    return load_dataset_in_batches(calendar, dataset, on_progress=on_progress)


def list_batch_errors(calendar: Database, sections: Json) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDataset, match=r"^Nothing was loaded") as caught:
        load_in_batches(calendar, sections)
    return [(error.pointer, error.detail) for error in caught.value.errors]


def count_rows(calendar: Database, table: type[Base]) -> int:
    with calendar.read_session() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_records_in_several_batches_refer_to_each_other(calendar_database: Database) -> None:
    assert load_in_batches(calendar_database, SECTIONS) == {
        "speakers": SectionCounts(new=2, changed=0, unchanged=0),
        "sponsors": SectionCounts(new=1, changed=0, unchanged=0),
        "events": SectionCounts(new=3, changed=0, unchanged=0),
        "talks": SectionCounts(new=3, changed=0, unchanged=0),
    }
    with calendar_database.read_session() as session:
        ids = dict(session.execute(select(Talk.title, Talk.id)).all())
        assert session.scalars(select(Talk.reprise_of_id).where(Talk.title == "Again")).all() == [ids["Xen on ARM"]]
    assert count_rows(calendar_database, CoLocation) == 2
    assert count_rows(calendar_database, TalkStateChange) == 3


def test_reloading_batches_changes_nothing(calendar_database: Database, clock: FixedClock) -> None:
    load_in_batches(calendar_database, SECTIONS)
    before = list_all_rows(calendar_database)
    clock.tick(3600)
    report = load_in_batches(calendar_database, SECTIONS)
    assert sum(count.unchanged for count in report.values()) == 9
    assert list_all_rows(calendar_database) == before


def test_repeating_an_interrupted_load_loads_the_remaining_batches(
    calendar_database: Database, clock: FixedClock
) -> None:
    heard: list[int] = []

    def interrupt(step: int) -> None:
        heard.append(step)
        if len(heard) == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_in_batches(calendar_database, SECTIONS, on_progress=interrupt)
    assert count_rows(calendar_database, Speaker) == 2
    assert count_rows(calendar_database, Talk) == 1
    clock.tick(60)
    report = load_in_batches(calendar_database, SECTIONS)
    assert report["talks"] == SectionCounts(new=2, changed=0, unchanged=1)
    assert count_rows(calendar_database, TalkStateChange) == 3


def test_each_batch_is_committed_separately(calendar_database: Database) -> None:
    seen: list[int] = []
    talks = [{**TALK_RECORD, "title": f"Talk {number}"} for number in range(4)]
    sections = {"speakers": [SPEAKER_RECORD], "events": [EVENT_RECORD], "talks": talks}
    load_in_batches(calendar_database, sections, on_progress=lambda _: seen.append(count_rows(calendar_database, Talk)))
    assert seen == [0, 0, 0, 1, 2, 3]


def test_small_data_set_is_loaded_in_a_single_transaction(
    calendar_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.datasets.import_service._BATCH_SIZE", 9)
    seen: list[int] = []
    load_in_batches(
        calendar_database, SECTIONS, on_progress=lambda _: seen.append(count_rows(calendar_database, Speaker))
    )
    assert seen == [0] * 9


@pytest.mark.parametrize("existing", [False, True])
def test_errors_of_all_batches_are_reported_before_anything_is_loaded(
    calendar_database: Database, *, existing: bool
) -> None:
    if existing:
        load_in_batches(calendar_database, SECTIONS)
    before = list_all_rows(calendar_database)
    talks = SECTIONS["talks"]
    invalid: Json = {
        **SECTIONS,
        "speakers": [*SECTIONS["speakers"], {"slug": "new"}, {"slug": "newer", "name": "Newer"}],
        "events": [*SECTIONS["events"], {"slug": "beside", "title": "Twice"}, {"slug": "fourth", "title": "Fourth"}],
        "talks": [
            {**talks[0], "track": "Main"},
            {**talks[1], "state": "confirmed", "speakers": ["ada", "ada"], "abstract": "Else."},
            {**talks[2], "starts": "2026-07-01T09:00:00", "speakers": ["nobody"]},
            {**talks[2], "title": "New", "speakers": ["newer", "newer"]},
        ],
    }
    errors = list_batch_errors(calendar_database, invalid)
    assert list_all_rows(calendar_database) == before
    assert errors == load_errors(calendar_database, **invalid)
    assert [pointer for pointer, _ in errors] == [
        "/events/3/slug",
        "/events/4/starts",
        "/events/4/timezone",
        "/speakers/2/name",
        "/talks/0/track",
        "/talks/1/speakers/1",
        "/talks/2/speakers/0",
        "/talks/2/starts",
        "/talks/3/speakers/1",
    ]


def test_talks_are_checked_against_the_events_in_the_file(calendar_database: Database) -> None:
    load_sections(calendar_database, events=[EVENT_RECORD], talks=[{"event": "summit", "title": "Xen on ARM"}])
    moved = {**EVENT_RECORD, "starts": "2027-06-10", "ends": "2027-06-12", "tracks": [{"name": "Main"}]}
    talk = {"event": "summit", "title": "Xen on ARM", "track": "Main", "starts": "2027-06-11T09:00:00"}
    late = {**talk, "title": "Late", "starts": "2026-06-11T09:00:00"}
    errors = list_batch_errors(calendar_database, {"events": [moved], "talks": [talk, late]})
    assert [pointer for pointer, _ in errors] == ["/talks/1/starts"]
    report = load_in_batches(calendar_database, {"events": [moved], "talks": [talk]})
    assert report["talks"] == SectionCounts(new=0, changed=1, unchanged=0)


def test_conflicting_change_between_batches_is_reported(
    calendar_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the check, the second batch fails as if another writer had changed the event after the check.
    monkeypatch.setattr("eventcal.datasets.import_service._check_dataset", lambda *_: None)
    talks = [{"event": "summit", "title": "First"}, {"event": "summit", "title": "Second", "track": "Main"}]
    with pytest.raises(InvalidDataset, match=r"^The file was loaded in part") as caught:
        load_in_batches(calendar_database, {"events": [EVENT_RECORD], "talks": talks})
    assert [error.pointer for error in caught.value.errors] == ["/talks/1/track"]
    assert count_rows(calendar_database, Talk) == 1
