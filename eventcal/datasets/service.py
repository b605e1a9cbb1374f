"""The use case of data sets: load one, whole or not at all, and again without doubles."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from eventcal.datasets.errors import FaultyDataset
from eventcal.datasets.events import load_event, load_neighbours
from eventcal.datasets.people import load_speaker, load_sponsor
from eventcal.datasets.reading import SECTIONS, Dataset, Section
from eventcal.datasets.references import reference_faults
from eventcal.datasets.state import Loading
from eventcal.datasets.talks import load_reprise, load_talk
from eventcal.kit.database import Unit
from eventcal.kit.refusals import Fault

_LOAD = {"speakers": load_speaker, "sponsors": load_sponsor, "events": load_event, "talks": load_talk}


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many records of one section are new, were changed, or are as they were."""

    new: int
    changed: int
    same: int


Report = dict[Section, Count]


def load_dataset(unit: Unit, dataset: Dataset, *, tell: Callable[[int], object] = lambda _: None) -> Report:
    """Bring what is there to what the file says, add what is not, and delete nothing. Returns what came of it.

    `tell` hears of each record, as 1. Raises FaultyDataset with every fault that was found, ordered by place;
    the unit must then be given up, as an exception inside it does.
    """
    loading = Loading(unit.session, dataset, now=unit.now)
    loading.faults += [*dataset.faults, *reference_faults(loading, dataset)]
    for section in SECTIONS:
        for record in dataset.records(section):
            _LOAD[section](loading, record)
            tell(1)
        if section == "events":
            load_neighbours(loading, dataset)
    for record in dataset.talks:
        load_reprise(loading, record)
    if loading.faults:
        raise _refusal(loading.faults)
    unit.flush_hooks()
    return _report(loading, dataset)


def _refusal(faults: Iterable[Fault]) -> FaultyDataset:
    found = sorted(dict.fromkeys(faults), key=lambda fault: [_step(step) for step in fault.pointer.split("/")])
    number = "a fault" if len(found) == 1 else f"{len(found)} faults"
    return FaultyDataset(f"Nothing was loaded, for the file has {number}:", faults=found)


def _step(step: str) -> tuple[bool, int, str]:
    return (False, int(step), "") if step.isascii() and step.isdigit() else (True, 0, step)


class _Dated(Protocol):
    created_at: object
    updated_at: object


def _report(loading: Loading, dataset: Dataset) -> Report:
    return {section: _count(loading, section, [r.key for r in dataset.records(section)]) for section in SECTIONS}


def _count(loading: Loading, section: Section, keys: Iterable[object]) -> Count:
    rows: list[_Dated] = [getattr(loading, section)[key] for key in keys]
    new = sum(row.created_at == loading.now for row in rows)
    touched = sum(row.updated_at == loading.now for row in rows)
    return Count(new=new, changed=touched - new, same=len(rows) - touched)
