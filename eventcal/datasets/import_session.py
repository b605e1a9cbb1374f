"""The state of a data set import: existing and new rows, and the field errors found so far."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.datasets.parser import SECTIONS, Dataset, Record, RecordKey, Section, iter_references
from eventcal.events.models import Event
from eventcal.events.queries import event_load_options
from eventcal.kit.errors import DomainError, FieldError, raise_if_invalid
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import speakers_by_slug
from eventcal.sponsors.models import Sponsor
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.queries import talk_load_options
from eventcal.talks.rules import GONE_STATES

Row = TypeVar("Row")

_SELF_REFERENCE_MESSAGES = {
    "events": "an event cannot be co-located with itself",
    "talks": "a talk cannot be a repetition of itself; use the earlier talk",
}


class ImportSession:
    """The state of a data set import. Existing and new rows are indexed by record key."""

    def __init__(self, session: Session, dataset: Dataset, *, now: datetime) -> None:
        self.session = session
        self.dataset = dataset
        self.now = now
        wanted = {section: {record.key for record in dataset.records[section]} for section in SECTIONS}
        for _record, _place, section, key in iter_references(dataset):
            wanted[section].add(key)
        slugs = {section: sorted(map(str, wanted[section])) for section in ("speakers", "sponsors", "events")}
        self.speakers: dict[RecordKey, Speaker] = dict(speakers_by_slug(session, slugs["speakers"]).items())
        sponsors = session.scalars(select(Sponsor).where(Sponsor.slug.in_(slugs["sponsors"])))
        self.sponsors: dict[RecordKey, Sponsor] = {sponsor.slug: sponsor for sponsor in sponsors}
        events = session.scalars(select(Event).where(Event.slug.in_(slugs["events"])).options(*event_load_options()))
        self.events: dict[RecordKey, Event] = {event.slug: event for event in events}
        self.talks = _fetch_talks(session, wanted["talks"])
        self.new_talks: list[Talk] = []
        self.rows: Mapping[Section, Mapping[RecordKey, Speaker | Sponsor | Event | Talk]] = {
            "speakers": self.speakers,
            "sponsors": self.sponsors,
            "events": self.events,
            "talks": self.talks,
        }
        # References to invalid records are not reported, because each invalid record has already been reported.
        known = {section: dataset.all_keys[section] | self.rows[section].keys() for section in SECTIONS}
        self.errors = [*dataset.errors, *_iter_reference_errors(dataset, known)]

    @contextmanager
    def collect_errors(self, pointer: str) -> Iterator[None]:
        """If the block raises a DomainError, collect the field errors under `pointer`."""
        try:
            yield
        except DomainError as error:
            found = error.errors or [FieldError("", error.detail)]
            self.errors += (FieldError(pointer + error.pointer, error.detail) for error in found)

    def upsert(
        self,
        rows: MutableMapping[RecordKey, Row],
        record: Record,
        *,
        add: Callable[[Mapping[str, Any]], Row],
        edit: Callable[[Row, Mapping[str, Any]], object],
        required_fields: Sequence[str] = (),
    ) -> Row | None:
        """Create or update the row for a record, and return the row, or None if a new row cannot be created."""
        with self.collect_errors(record.pointer):
            row = rows.get(record.key)
            if row is not None:
                edit(row, record.non_key_fields)
            else:
                new = "a new event" if record.kind == "events" else "a new record"
                missing = [name for name in required_fields if name not in record.fields]
                raise_if_invalid([FieldError(f"/{name}", f"is required for {new}") for name in missing])
                rows[record.key] = add(record.fields)
        return rows.get(record.key)


def _iter_reference_errors(dataset: Dataset, known: Mapping[Section, Collection[RecordKey]]) -> Iterator[FieldError]:
    for record, place, section, key in iter_references(dataset):
        if section == record.kind and key == record.key:
            yield FieldError(record.pointer + place, _SELF_REFERENCE_MESSAGES[section])
        elif key not in known[section]:
            named = f"“{key}”" if isinstance(key, str) else f"“{key[1]}” at “{key[0]}”"
            message = f"refers to {section[:-1]} {named}, which exists neither in the file nor in the calendar"
            yield FieldError(record.pointer + place, message)


def _fetch_talks(session: Session, keys: Iterable[RecordKey]) -> dict[RecordKey, Talk]:
    slugs, titles = sorted({key[0] for key in keys}), sorted({key[1] for key in keys})
    rows = select(Talk).join(Talk.event).where(Event.slug.in_(slugs), Talk.title.in_(titles))
    talks = session.scalars(rows.options(*talk_load_options()))
    # If several talks at an event have the same title, the talk that sorts last is used.
    return {(talk.event.slug, talk.title): talk for talk in sorted(talks, key=_preference_sort_key)}


def _preference_sort_key(talk: Talk) -> tuple[bool, bool, float, str]:
    """Return a sort key that prefers active, then published, then older talks. The preferred talk is sorted last."""
    over = talk.state in GONE_STATES or talk.state == TalkState.REJECTED
    return not over, talk.published_at is not None, -talk.created_at.timestamp(), talk.id
