"""Loading of data sets, in batches or in one transaction. Loading the same data set again creates no duplicates."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from eventcal.datasets.import_events import load_co_locations, load_event
from eventcal.datasets.import_session import ImportSession
from eventcal.datasets.import_talks import check_talk, flush_talks, load_reprise, load_talk
from eventcal.datasets.parser import SECTIONS, Dataset, Record, RecordKey, Section, split_dataset
from eventcal.events.models import Event
from eventcal.events.queries import ensure_event_loaded
from eventcal.kit.database import Database, UnitOfWork
from eventcal.kit.errors import FieldError, Invalid
from eventcal.kit.retry import call_again_in_next_second
from eventcal.kit.text import format_count
from eventcal.members.caller import OPERATOR
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import build_speaker, update_speaker
from eventcal.sponsors.service import create_sponsor, update_sponsor


class InvalidDataset(Invalid):
    """The data set is invalid. `errors` lists all field errors with their JSON pointers."""


@dataclass(frozen=True, kw_only=True)
class SectionCounts:
    """The numbers of new, changed and unchanged records in a section."""

    new: int
    changed: int
    unchanged: int


LoadReport = dict[Section, SectionCounts]

_BATCH_SIZE = 1000


def load_dataset_in_batches(
    database: Database, dataset: Dataset, *, on_progress: Callable[[int], object] = lambda _: None
) -> LoadReport:
    """Load a data set with one unit of work for each batch of records. Other transactions can run between batches.

    A data set with several batches is checked completely before anything is loaded. Raises InvalidDataset.
    """
    batches = split_dataset(dataset, size=_BATCH_SIZE)
    if len(batches) > 1:
        _check_dataset(database, dataset)
    reports: list[LoadReport] = []
    for batch in batches:
        try:
            load_batch = partial(_load_batch, database, batch, on_progress=on_progress)
            reports.append(call_again_in_next_second(load_batch, clock=database.clock))
        except InvalidDataset as error:
            if not reports:
                raise
            detail = "The file was loaded in part, because the calendar changed during the load. Load the file again:"
            raise InvalidDataset(detail, errors=error.errors) from error
    return {section: _add_counts(report[section] for report in reports) for section in SECTIONS}


def _load_batch(database: Database, batch: Dataset, *, on_progress: Callable[[int], object]) -> LoadReport:
    with database.unit_of_work() as unit:
        return load_dataset(unit, batch, on_progress=on_progress)


def load_dataset(
    unit: UnitOfWork, dataset: Dataset, *, on_progress: Callable[[int], object] = lambda _: None
) -> LoadReport:
    """Create or update a row for each record in the data set, and return the record counts per section.

    No rows are deleted. `on_progress` is called with 1 after each record. Raises InvalidDataset with all errors, sorted
    by JSON pointer. If InvalidDataset is raised, the caller must roll back the unit of work.
    """
    loading = ImportSession(unit.session, dataset, now=unit.now)
    _load_all_but_talks(loading, on_progress)
    for record in dataset.records["talks"]:
        load_talk(loading, record)
        on_progress(1)
    for record in dataset.records["talks"]:
        load_reprise(loading, record)
    _raise_if_invalid(loading.errors)
    flush_talks(loading)
    unit.flush_hooks()
    return {section: _count_changes(loading, dataset, section) for section in SECTIONS}


def _check_dataset(database: Database, dataset: Dataset) -> None:
    """Raise InvalidDataset with all errors in the data set, without changing the database.

    Talks are checked without the write lock, with the events of a transaction that has been rolled back.
    """
    now = database.clock.now()
    events: dict[RecordKey, Event] = {}
    errors: list[FieldError] = []
    # The session is not committed.
    with database.write_session() as session:
        for batch in split_dataset(dataset.select(_RECORD_LOADERS), size=_BATCH_SIZE):
            loading = ImportSession(session, batch, now=now)
            _load_all_but_talks(loading)
            events.update(loading.events)
            errors += loading.errors
        for event in events.values():
            ensure_event_loaded(session, event)
        session.expunge_all()
    # The speakers of the rolled-back transaction are represented by objects that are never saved.
    new_speakers = {slug: Speaker(id=slug, slug=slug) for slug in dataset.all_keys["speakers"]}
    for batch in split_dataset(dataset.select(["talks"]), size=_BATCH_SIZE):
        with database.read_session() as session:
            loading = ImportSession(session, batch, now=now)
            loading.events.update(events)
            loading.speakers.update({**new_speakers, **loading.speakers})
            for record in batch.records["talks"]:
                check_talk(loading, record)
            errors += loading.errors
    _raise_if_invalid(errors)


def _raise_if_invalid(found: Iterable[FieldError]) -> None:
    errors = sorted(dict.fromkeys(found), key=_pointer_sort_key)
    if errors:
        number = format_count(len(errors), "error")
        raise InvalidDataset(f"Nothing was loaded, because the file has {number}:", errors=errors)


def _load_all_but_talks(loading: ImportSession, on_progress: Callable[[int], object] = lambda _: None) -> None:
    for section, load_record in _RECORD_LOADERS.items():
        for record in loading.dataset.records[section]:
            load_record(loading, record)
            on_progress(1)
        loading.session.flush()
    load_co_locations(loading, loading.dataset)


def _load_speaker(loading: ImportSession, record: Record) -> None:
    known = loading.speakers.get(record.key)
    if known is not None and known.slug != record.key:
        # The record of a merged speaker must not overwrite the profile of the speaker who replaces the merged speaker.
        return

    def add(fields: Mapping[str, Any]) -> Speaker:
        speaker = build_speaker(loading.session, fields, member_id=None, now=loading.now)
        loading.session.add(speaker)
        return speaker

    edit = partial(update_speaker, loading.session, caller=OPERATOR, now=loading.now)
    loading.upsert(loading.speakers, record, add=add, edit=edit, required_fields=["name"])


def _load_sponsor(loading: ImportSession, record: Record) -> None:
    add = partial(create_sponsor, loading.session, now=loading.now)
    edit = partial(update_sponsor, loading.session, caller=OPERATOR, now=loading.now)
    loading.upsert(loading.sponsors, record, add=add, edit=edit, required_fields=["name"])


_RECORD_LOADERS: Mapping[Section, Callable[[ImportSession, Record], None]] = {
    "speakers": _load_speaker,
    "sponsors": _load_sponsor,
    "events": load_event,
}


def _pointer_sort_key(error: FieldError) -> list[tuple[bool, int, str]]:
    segments = error.pointer.split("/")
    return [(False, int(part), "") if part.isascii() and part.isdigit() else (True, 0, part) for part in segments]


def _count_changes(loading: ImportSession, dataset: Dataset, section: Section) -> SectionCounts:
    rows = [loading.rows[section][record.key] for record in dataset.records[section]]
    new = sum(row.created_at == loading.now for row in rows)
    touched = sum(row.updated_at == loading.now for row in rows)
    return SectionCounts(new=new, changed=touched - new, unchanged=len(rows) - touched)


def _add_counts(counts: Iterable[SectionCounts]) -> SectionCounts:
    columns = zip(*((count.new, count.changed, count.unchanged) for count in counts), strict=True)
    new, changed, unchanged = map(sum, columns)
    return SectionCounts(new=new, changed=changed, unchanged=unchanged)
