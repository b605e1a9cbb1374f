"""A load under way: what is there already, what has been loaded, and every fault so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.datasets.reading import Dataset, Section
from eventcal.events.models import Event
from eventcal.events.queries import whole_event
from eventcal.kit.refusals import Fault, Refusal
from eventcal.members.caller import OPERATOR
from eventcal.speakers.models import Speaker
from eventcal.speakers.queries import find_speaker
from eventcal.sponsors.models import Sponsor
from eventcal.sponsors.queries import find_sponsor
from eventcal.talks.models import Talk
from eventcal.talks.queries import whole_talk
from eventcal.talks.rules import GONE
from eventcal.talks.words import TalkState

TalkKey = tuple[str, str]


class Loading:
    """What one load knows: rows by what the file calls them, those that it has added among them."""

    def __init__(self, session: Session, dataset: Dataset, *, now: datetime) -> None:
        self.session = session
        self.now = now
        self.faults: list[Fault] = []
        self.speakers = _speakers(session, dataset)
        self.sponsors = _sponsors(session, dataset)
        self.events = _events(session, dataset)
        self.talks = _talks(session, dataset)
        self._named: dict[Section, frozenset[object]] = {
            section: frozenset(record.key for record in dataset.records(section)) | dataset.broken[section]
            for section in ("speakers", "sponsors", "events", "talks")
        }

    def knows(self, section: Section, key: object) -> bool:
        """Say whether there is such a thing, here or in the file, sound or not."""
        return key in self._named[section] or key in getattr(self, section)

    @contextmanager
    def attempt(self, pointer: str) -> Iterator[None]:
        """Undo what is done inside where it is refused, and go on: the refusal is one more fault of the file."""
        try:
            with self.session.begin_nested():
                yield
        except Refusal as refusal:
            found = refusal.faults or [Fault("", refusal.detail)]
            self.faults += (Fault(pointer + fault.pointer, fault.detail) for fault in found)


def _speakers(session: Session, dataset: Dataset) -> dict[str, Speaker]:
    slugs = {record.fields["slug"] for record in dataset.speakers}
    slugs.update(slug for talk in dataset.talks for slug in talk.fields.get("speakers", ()))
    found = ((slug, find_speaker(session, slug, OPERATOR)) for slug in sorted(slugs))
    return {slug: speaker for slug, speaker in found if speaker is not None}


def _sponsors(session: Session, dataset: Dataset) -> dict[str, Sponsor]:
    slugs = {record.fields["slug"] for record in dataset.sponsors}
    slugs.update(held["sponsor"] for event in dataset.events for held in event.fields.get("sponsorships", ()))
    found = ((slug, find_sponsor(session, slug, OPERATOR)) for slug in sorted(slugs))
    return {slug: sponsor for slug, sponsor in found if sponsor is not None}


def _events(session: Session, dataset: Dataset) -> dict[str, Event]:
    slugs = {record.fields["slug"] for record in dataset.events} | {talk.fields["event"] for talk in dataset.talks}
    slugs.update(slug for event in dataset.events for slug in event.fields.get("co_located_with") or ())
    rows = select(Event).where(Event.slug.in_(sorted(slugs))).options(*whole_event())
    return {event.slug: event for event in session.scalars(rows)}


def _talks(session: Session, dataset: Dataset) -> dict[TalkKey, Talk]:
    named = [talk.fields for talk in dataset.talks]
    named += [talk["reprise_of"] for talk in named if talk.get("reprise_of")]
    slugs = sorted({talk["event"] for talk in named})
    rows = select(Talk).join(Talk.event).where(Event.slug.in_(slugs)).options(*whole_talk())
    # Two may have one title: the last of them here is the one that the file means.
    return {(talk.event.slug, talk.title): talk for talk in sorted(session.scalars(rows), key=_likelihood)}


def _likelihood(talk: Talk) -> tuple[bool, bool, float, str]:
    """Order talks of one title: those that still stand, then those that the public knows, then the oldest come last."""
    over = talk.state in GONE or talk.state == TalkState.REJECTED
    return not over, talk.published_at is not None, -talk.created_at.timestamp(), talk.id
