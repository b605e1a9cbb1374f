"""Loading a data set atomically; loading it again creates no duplicates."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from eventcal.datasets.events import load_event, load_neighbours
from eventcal.datasets.loading import ImportSession
from eventcal.datasets.reading import SECTIONS, Dataset, Record, Section
from eventcal.datasets.talks import load_reprise, load_talk
from eventcal.kit.database import UnitOfWork
from eventcal.kit.refusals import FieldError, Invalid
from eventcal.members.caller import OPERATOR
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import add_speaker, edit_speaker
from eventcal.sponsors.service import add_sponsor, edit_sponsor


class FaultyDataset(Invalid):
    """The data set is invalid. `faults` lists all errors with their place in the file."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """The numbers of new, changed and unchanged records of a section."""

    new: int
    changed: int
    same: int


Report = dict[Section, Count]


def load_dataset(unit: UnitOfWork, dataset: Dataset, *, tell: Callable[[int], object] = lambda _: None) -> Report:
    """Update existing records, add new ones and delete nothing. Return the counts per section.

    `tell` is called with 1 for each record. Raises FaultyDataset with all errors, ordered by place. The unit of work
    must then be rolled back, which happens if the exception leaves it.
    """
    loading = ImportSession(unit.session, dataset, now=unit.now)
    for section in SECTIONS:
        for record in dataset.records[section]:
            _LOAD[section](loading, record)
            tell(1)
        if section == "events":
            load_neighbours(loading, dataset)
    for record in dataset.records["talks"]:
        load_reprise(loading, record)
    if loading.faults:
        raise _refusal(loading.faults)
    unit.flush_hooks()
    return {section: _count(loading, dataset, section) for section in SECTIONS}


def _load_speaker(loading: ImportSession, record: Record) -> None:
    known = loading.speakers.get(record.key)
    if known is not None and known.slug != record.key:
        # This speaker was merged into another one, whose profile must not be overwritten.
        return
    edit = partial(edit_speaker, loading.session, caller=OPERATOR, now=loading.now)

    def add(fields: Mapping[str, Any]) -> Speaker:
        return edit(add_speaker(loading.session, fields, member_id=None, now=loading.now), fields)

    loading.upsert(loading.speakers, record, add=add, edit=edit, needed=["name"])


def _load_sponsor(loading: ImportSession, record: Record) -> None:
    add = partial(add_sponsor, loading.session, now=loading.now)
    edit = partial(edit_sponsor, loading.session, caller=OPERATOR, now=loading.now)
    loading.upsert(loading.sponsors, record, add=add, edit=edit, needed=["name"])


_LOAD = {"speakers": _load_speaker, "sponsors": _load_sponsor, "events": load_event, "talks": load_talk}


def _refusal(faults: Iterable[FieldError]) -> FaultyDataset:
    found = sorted(dict.fromkeys(faults), key=lambda fault: [_step(step) for step in fault.pointer.split("/")])
    number = "a fault" if len(found) == 1 else f"{len(found)} faults"
    return FaultyDataset(f"Nothing was loaded, for the file has {number}:", faults=found)


def _step(step: str) -> tuple[bool, int, str]:
    return (False, int(step), "") if step.isascii() and step.isdigit() else (True, 0, step)


def _count(loading: ImportSession, dataset: Dataset, section: Section) -> Count:
    rows = [loading.rows[section][record.key] for record in dataset.records[section]]
    new = sum(row.created_at == loading.now for row in rows)
    touched = sum(row.updated_at == loading.now for row in rows)
    return Count(new=new, changed=touched - new, same=len(rows) - touched)
