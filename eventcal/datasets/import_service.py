"""Atomic loading of data sets. Loading the same data set again creates no duplicates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from eventcal.datasets.import_events import load_co_locations, load_event
from eventcal.datasets.import_session import ImportSession
from eventcal.datasets.import_talks import load_reprise, load_talk
from eventcal.datasets.parser import SECTIONS, Dataset, Record, Section
from eventcal.kit.database import UnitOfWork
from eventcal.kit.errors import FieldError, Invalid
from eventcal.kit.text import format_count
from eventcal.members.caller import OPERATOR
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import create_speaker, update_speaker
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


def load_dataset(
    unit: UnitOfWork, dataset: Dataset, *, on_progress: Callable[[int], object] = lambda _: None
) -> LoadReport:
    """Create or update a row for each record in the data set, and return the record counts per section.

    `on_progress` is called with 1 after each record. If InvalidDataset is raised, the caller must roll back.
    """
    loading = ImportSession(unit.session, dataset, now=unit.now)
    for section in SECTIONS:
        for record in dataset.records[section]:
            _RECORD_LOADERS[section](loading, record)
            on_progress(1)
        if section == "events":
            load_co_locations(loading, dataset)
    for record in dataset.records["talks"]:
        load_reprise(loading, record)
    if loading.errors:
        errors = sorted(dict.fromkeys(loading.errors), key=_pointer_sort_key)
        number = format_count(len(errors), "error")
        raise InvalidDataset(f"Nothing was loaded, because the file has {number}:", errors=errors)
    unit.flush_hooks()
    return {section: _count_changes(loading, dataset, section) for section in SECTIONS}


def _load_speaker(loading: ImportSession, record: Record) -> None:
    known = loading.speakers.get(record.key)
    if known is not None and known.slug != record.key:
        # The record of a merged speaker must not overwrite the profile of the speaker who replaces the merged speaker.
        return
    edit = partial(update_speaker, loading.session, caller=OPERATOR, now=loading.now)

    def add(fields: Mapping[str, Any]) -> Speaker:
        return edit(create_speaker(loading.session, fields, member_id=None, now=loading.now), fields)

    loading.upsert(loading.speakers, record, add=add, edit=edit, required_fields=["name"])


def _load_sponsor(loading: ImportSession, record: Record) -> None:
    add = partial(create_sponsor, loading.session, now=loading.now)
    edit = partial(update_sponsor, loading.session, caller=OPERATOR, now=loading.now)
    loading.upsert(loading.sponsors, record, add=add, edit=edit, required_fields=["name"])


_RECORD_LOADERS = {"speakers": _load_speaker, "sponsors": _load_sponsor, "events": load_event, "talks": load_talk}


def _pointer_sort_key(error: FieldError) -> list[tuple[bool, int, str]]:
    segments = error.pointer.split("/")
    return [(False, int(part), "") if part.isascii() and part.isdigit() else (True, 0, part) for part in segments]


def _count_changes(loading: ImportSession, dataset: Dataset, section: Section) -> SectionCounts:
    rows = [loading.rows[section][record.key] for record in dataset.records[section]]
    new = sum(row.created_at == loading.now for row in rows)
    touched = sum(row.updated_at == loading.now for row in rows)
    return SectionCounts(new=new, changed=touched - new, unchanged=len(rows) - touched)
