"""The state of a load: existing and added rows, and the field errors found so far."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.datasets.reading import SECTIONS, Dataset, Key, Record, Section, key_of
from eventcal.events.models import Event
from eventcal.events.queries import event_load_options
from eventcal.kit.refusals import DomainError, FieldError, raise_if_invalid
from eventcal.members.caller import OPERATOR, Caller
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import find_speaker
from eventcal.sponsors.models import Sponsor
from eventcal.sponsors.queries import find_sponsor
from eventcal.talks.models import Talk
from eventcal.talks.queries import talk_load_options
from eventcal.talks.rules import GONE
from eventcal.talks.words import TalkState

Row = TypeVar("Row")

_REFERS_TO_ITSELF = {
    "events": "an event is not held beside itself",
    "talks": "a talk does not repeat itself; name the earlier one",
}


class ImportSession:
    """The state of a load. Rows, existing and added, are indexed by the key that the file uses for them."""

    def __init__(self, session: Session, dataset: Dataset, *, now: datetime) -> None:
        self.session = session
        self.now = now
        wanted = {section: {record.key for record in dataset.records[section]} for section in SECTIONS}
        for _record, _place, section, key in _references(dataset):
            wanted[section].add(key)
        self.speakers = _find_each(find_speaker, session, wanted["speakers"])
        self.sponsors = _find_each(find_sponsor, session, wanted["sponsors"])
        self.events = _events(session, wanted["events"])
        self.talks = _talks(session, wanted["talks"])
        self.rows: Mapping[Section, Mapping[Key, Speaker | Sponsor | Event | Talk]] = {
            "speakers": self.speakers,
            "sponsors": self.sponsors,
            "events": self.events,
            "talks": self.talks,
        }
        # Invalid records count as known, because their own errors are reported.
        known = {section: dataset.named[section] | self.rows[section].keys() for section in SECTIONS}
        self.faults = [*dataset.faults, *_reference_faults(dataset, known)]

    @contextmanager
    def attempt(self, pointer: str) -> Iterator[None]:
        """Context manager: if the block raises an error, roll it back and add the error to those of the file."""
        try:
            with self.session.begin_nested():
                yield
        except DomainError as refusal:
            found = refusal.faults or [FieldError("", refusal.detail)]
            self.faults += (FieldError(pointer + fault.pointer, fault.detail) for fault in found)

    def upsert(
        self,
        rows: MutableMapping[Key, Row],
        record: Record,
        *,
        add: Callable[[Mapping[str, Any]], Row],
        edit: Callable[[Row, Mapping[str, Any]], object],
        needed: Sequence[str] = (),
    ) -> Row | None:
        """Update or add the row with the record's key, and return it, or None if it could not be added.

        needed: the fields that are required for a new row.
        """
        with self.attempt(record.pointer):
            row = rows.get(record.key)
            if row is not None:
                edit(row, record.about)
            else:
                new = "a new event" if record.kind == "events" else "somebody new"
                missing = [name for name in needed if name not in record.fields]
                raise_if_invalid([FieldError(f"/{name}", f"is required of {new}") for name in missing])
                rows[record.key] = add(record.fields)
        return rows.get(record.key)


def _references(dataset: Dataset) -> Iterator[tuple[Record, str, Section, Key]]:
    """Yield each reference to another record: the record and place that contain it, the target section and key."""
    for event in dataset.records["events"]:
        for i, slug in enumerate(event.fields.get("co_located_with") or ()):
            yield event, f"/co_located_with/{i}", "events", slug
        for i, held in enumerate(event.fields.get("sponsorships", ())):
            yield event, f"/sponsorships/{i}/sponsor", "sponsors", held["sponsor"]
    for talk in dataset.records["talks"]:
        yield talk, "/event", "events", talk.fields["event"]
        for i, slug in enumerate(talk.fields.get("speakers", ())):
            yield talk, f"/speakers/{i}", "speakers", slug
        if talk.fields.get("reprise_of"):
            yield talk, "/reprise_of", "talks", key_of("talks", talk.fields["reprise_of"])


def _reference_faults(dataset: Dataset, known: Mapping[Section, Collection[Key]]) -> Iterator[FieldError]:
    for record, place, section, key in _references(dataset):
        if section == record.kind and key == record.key:
            yield FieldError(record.pointer + place, _REFERS_TO_ITSELF[section])
        elif key not in known[section]:
            named = f"“{key}”" if isinstance(key, str) else f"“{key[1]}” at “{key[0]}”"
            yield FieldError(record.pointer + place, f"there is no {section[:-1]} {named}, in this file or here")


def _find_each(
    find: Callable[[Session, str, Caller], Row | None], session: Session, slugs: Iterable[Key]
) -> dict[Key, Row]:
    found = ((slug, find(session, slug, OPERATOR)) for slug in sorted(map(str, slugs)))
    return {slug: row for slug, row in found if row is not None}


def _events(session: Session, slugs: Iterable[Key]) -> dict[Key, Event]:
    rows = select(Event).where(Event.slug.in_(sorted(map(str, slugs)))).options(*event_load_options())
    return {event.slug: event for event in session.scalars(rows)}


def _talks(session: Session, keys: Iterable[Key]) -> dict[Key, Talk]:
    slugs = sorted({key[0] for key in keys})
    rows = select(Talk).join(Talk.event).where(Event.slug.in_(slugs)).options(*talk_load_options())
    # Talks may have equal titles. The last one in this order is used.
    return {(talk.event.slug, talk.title): talk for talk in sorted(session.scalars(rows), key=_likelihood)}


def _likelihood(talk: Talk) -> tuple[bool, bool, float, str]:
    """Sort key for talks of equal title. Active talks come last, then published ones, then the oldest."""
    over = talk.state in GONE or talk.state == TalkState.REJECTED
    return not over, talk.published_at is not None, -talk.created_at.timestamp(), talk.id
