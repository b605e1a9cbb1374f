"""The ledger: one row for each public entry, kept in the transaction of the change that it shows.

`follow` is called before every commit (app.py wires it), so no service has to know of feeds and none can forget
them. It also keeps what is derived: instants, search texts, revisions.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from importlib.metadata import version
from typing import TypeVar

from sqlalchemy import Select, func, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from eventcal.events.derive import derive_event
from eventcal.events.models import Event
from eventcal.events.queries import whole_event
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.feeds.build import Builder
from eventcal.feeds.entry import CalendarEntry, Stamps, Status
from eventcal.feeds.ics import RENDERER_VERSION, in_utc, render_entry, stamped
from eventcal.feeds.models import EntryKind, LedgerEntry, LedgerState
from eventcal.feeds.reach import Reach, later_reprises, reach_of
from eventcal.kit.clock import whole_second
from eventcal.kit.database import Change, answer_not_before
from eventcal.speakers.models import Speaker
from eventcal.talks.derive import derive_talk
from eventcal.talks.models import Talk
from eventcal.talks.queries import is_public, whole_talk

_A_SECOND = timedelta(seconds=1)
# How many rows are loaded and rendered at a time when the whole ledger is.
_BATCH = 200
# What decides, besides ourselves, on the text of an entry and on the VTIMEZONE beside it.
_LIBRARIES = ("icalendar", "markdown-it-py", "nh3", "tzdata")

Tell = Callable[[int], object]
Subject = TypeVar("Subject", Event, Talk)


def _nobody(_more: int) -> None:
    """Let it be."""


def state_of(session: Session) -> LedgerState:
    """Return how far the ledger is."""
    return session.get_one(LedgerState, 1)


class Ledger:
    """Follows changes, and renders the entries that they touch."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    @cached_property
    def renderer(self) -> str:
        """Name what texts are made with: another name, and `renew` makes them all again."""
        libraries = " ".join(version(name) for name in _LIBRARIES)
        sample = f"{RENDERER_VERSION} {libraries} {self.builder.domain} {self.builder.links.event_page('x')}"
        return hashlib.blake2b(sample.encode(), digest_size=8).hexdigest()

    def follow(self, session: Session, changes: Sequence[Change], now: datetime) -> None:
        """Bring every derived value and every entry up to date with what was touched (a hook of the database)."""
        reach = reach_of(session, changes)
        if reach.events or reach.talks or reach.entries or reach.elsewhere:
            _Following(session, self.builder, now).follow(reach)

    def renew(self, session: Session, *, now: datetime, tell: Tell = _nobody) -> int:
        """Derive and render everything again where the renderer changed. Returns how many entries are new.

        An entry whose text stays as it was keeps its numbers. `tell` as in `recompute`.
        """
        if state_of(session).renderer == self.renderer:
            return 0
        return self.recompute(session, now=now, tell=tell)

    def recompute(self, session: Session, *, now: datetime, tell: Tell = _nobody) -> int:
        """Derive and render everything again, whatever the renderer. Returns how many entries changed.

        `tell` hears, again and again, how many more events and talks were looked at.
        """
        following = _Following(session, self.builder, now)
        events, talks = session.scalars(select(Event.id)).all(), session.scalars(select(Talk.id)).all()
        for ids in _batches(events):
            following.follow(Reach(entries=set(ids)))
            tell(len(ids))
        for ids in _batches(talks):
            following.recheck(set(ids))
            tell(len(ids))
        following.note_renderer(self.renderer)
        return following.changed


class _Following:
    """One pass over what was touched, at one moment."""

    def __init__(self, session: Session, builder: Builder, now: datetime) -> None:
        self.session = session
        self.builder = builder
        self.now = now
        self.changed = 0
        self.state = session.get_one(LedgerState, 1, with_for_update=True)
        # By what they show and not by UID, which another domain would change.
        self.rows: dict[tuple[EntryKind, str], LedgerEntry] = {}

    def follow(self, reach: Reach) -> None:
        talks = self._talks(reach.talks)
        became_public = [talk.id for talk in talks if self._follow_talk(talk)]
        if became_public:
            self.recheck(later_reprises(self.session, became_public) - reach.talks)
        self.session.flush()
        for event in self._events(reach.events):
            self._follow_event(event)
        for event in self._events(reach.entries):
            self._recheck_event(event)
        if reach.elsewhere:
            self._next_revision(0)
        self.session.flush()

    def recheck(self, talk_ids: set[str]) -> None:
        """Look at talks that were not touched: they have a new revision only where something is different."""
        for talk in self._talks(talk_ids):
            derive_talk(talk, now=self.now)
            different = is_public(talk) and self._differs(talk, self.builder.talk_entry(talk))
            if different or self.session.is_modified(talk):
                self._follow_talk(talk)
        self.session.flush()

    def note_renderer(self, renderer: str) -> None:
        """Write down what texts are made with now. With it, what stands around them may have changed."""
        if self.state.renderer != renderer:
            self.state.renderer = renderer
            self._next_revision(0)

    def _follow_talk(self, talk: Talk) -> bool:
        """Bring a touched talk up to date. Returns whether it is new to the public."""
        derive_talk(talk, now=self.now)
        talk.updated_at = self.now
        if not is_public(talk):
            talk.revision += 1
            return False
        talk.revision = self._next_revision(talk.revision)
        for speaker in talk.speakers:
            _make_public(speaker, now=self.now)
        return self._write(talk, self.builder.talk_entry(talk), public_id=talk.id)

    def _follow_event(self, event: Event) -> None:
        derive_event(event, now=self.now)
        event.updated_at = self.now
        if event.status not in PUBLIC_STATUSES:
            event.revision += 1
            return
        event.revision = self._next_revision(event.revision)
        self._write(event, self._event_entry(event), public_id=event.slug)

    def _recheck_event(self, event: Event) -> None:
        derive_event(event, now=self.now)
        different = event.status in PUBLIC_STATUSES and self._differs(event, self._event_entry(event))
        if different or self.session.is_modified(event):
            self._follow_event(event)

    def _differs(self, subject: Event | Talk, entry: CalendarEntry) -> bool:
        row = self.rows.get(_key(subject))
        return row is None or row.content != _content(render_entry(entry))

    def _write(self, subject: Event | Talk, entry: CalendarEntry, *, public_id: str) -> bool:
        """Write an entry down; where its text is new, with raised numbers. Returns whether it is the first."""
        row = self.rows.get(_key(subject))
        is_first = row is None
        row = row or self._new_row(subject)
        row.uid, row.public_id, row.revision = entry.uid, public_id, subject.revision
        row.deleted, row.cancelled = subject.redacted_at is not None, entry.status == Status.CANCELLED
        row.first_day, row.last_day = subject.first_day, subject.last_day
        row.zone = entry.zone if entry.needs_zone else None
        text = render_entry(entry)
        if row.content != _content(text):
            self.changed += 1
            row.content = _content(text)
            row.sequence += 1
            # Clients compare whole seconds: each stamp is later than the last by one at least. Where that is
            # still to come, whoever made the change is answered when it has.
            row.stamp = max(whole_second(self.now), row.stamp + _A_SECOND)
            answer_not_before(self.session, row.stamp)
            row.ics = stamped(text, Stamps(sequence=row.sequence, changed_at=row.stamp))
        subject.sequence = row.sequence
        self.session.add(row)
        return is_first

    def _new_row(self, subject: Event | Talk) -> LedgerEntry:
        kind, subject_id = _key(subject)
        before = whole_second(self.now) - _A_SECOND
        row = LedgerEntry(
            kind=kind, subject_id=subject_id, created_at=subject.created_at, sequence=-1, stamp=before, content=""
        )
        self.rows[kind, subject_id] = row
        return row

    def _next_revision(self, own: int) -> int:
        """Take the next revision. Private changes count on their own, so the common counter may have to jump."""
        self.state.revision = max(self.state.revision, own) + 1
        self.state.changed_at = max(whole_second(self.now), self.state.changed_at)
        return self.state.revision

    def _event_entry(self, event: Event) -> CalendarEntry:
        public = select(Talk).where(Talk.event_id == event.id, Talk.published_at.is_not(None))
        talks = self.session.scalar(select(func.count()).select_from(public.subquery())) or 0
        waiting = public.where(Talk.starts_at.is_(None), Talk.shown_until.is_(None)).options(*whole_talk())
        line_up = self.session.scalars(waiting.order_by(Talk.created_at, Talk.id)).all()
        return self.builder.event_entry(event, talks=talks, line_up=line_up)

    def _talks(self, ids: Collection[str]) -> Sequence[Talk]:
        self._load_rows(EntryKind.TALK, ids)
        return self._load(select(Talk).where(Talk.id.in_(ids)).order_by(Talk.id), whole_talk()) if ids else ()

    def _events(self, ids: Collection[str]) -> Sequence[Event]:
        self._load_rows(EntryKind.EVENT, ids)
        return self._load(select(Event).where(Event.id.in_(ids)).order_by(Event.id), whole_event()) if ids else ()

    def _load(self, rows: Select[Subject], options: Iterable[ORMOption]) -> Sequence[Subject]:
        """Return what there is now, whole: what the session remembers of relations may be older than their keys."""
        for known in self.session.scalars(rows):
            self.session.expire(known, inspect(type(known)).relationships.keys())
        # Only what was let go of is loaded anew, so that whoever holds an event or a talk still has it whole.
        return self.session.scalars(rows.options(*options)).all()

    def _load_rows(self, kind: EntryKind, ids: Collection[str]) -> None:
        rows = select(LedgerEntry).where(LedgerEntry.kind == kind, LedgerEntry.subject_id.in_(ids))
        if ids:
            self.rows.update({(row.kind, row.subject_id): row for row in self.session.scalars(rows)})


def _key(subject: Event | Talk) -> tuple[EntryKind, str]:
    return (EntryKind.TALK if isinstance(subject, Talk) else EntryKind.EVENT), subject.id


def _content(text: str) -> str:
    """Return what a text says, as a digest: also in UTC, for new rules of a zone move what looks the same."""
    return hashlib.blake2b(f"{text}{in_utc(text)}".encode(), digest_size=32).hexdigest()


def _make_public(speaker: Speaker, *, now: datetime) -> None:
    if speaker.published_at is None:
        speaker.published_at = now


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + _BATCH] for i in range(0, len(ids), _BATCH))
