"""The ledger: one row for each public entry, kept in the transaction of the change that it shows.

`follow` is called before every commit (app.py wires it), so no service has to know of feeds and none can forget
them. It also keeps what is derived: instants, search texts, revisions.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from eventcal.events.derive import derive_event
from eventcal.events.models import Event
from eventcal.events.queries import whole_event
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.feeds.build import Builder
from eventcal.feeds.entry import CalendarEntry, Stamps, Status
from eventcal.feeds.ics import RENDERER_VERSION, render_entry
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


def state_of(session: Session) -> LedgerState:
    """Return how far the ledger is."""
    return session.get_one(LedgerState, 1)


class Ledger:
    """Follows changes, and renders the entries that they touch."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    @property
    def renderer(self) -> str:
        """Name what texts are made with: another name, and `renew` makes them all again."""
        sample = f"{RENDERER_VERSION} {self.builder.domain} {self.builder.links.event_page('x')}"
        return hashlib.blake2b(sample.encode(), digest_size=8).hexdigest()

    def follow(self, session: Session, changes: Sequence[Change], now: datetime) -> None:
        """Bring every derived value and every entry up to date with what was touched (a hook of the database)."""
        reach = reach_of(session, changes)
        if reach.events or reach.talks or reach.entries or reach.elsewhere:
            _Following(session, self.builder, now).follow(reach)

    def renew(self, session: Session, *, now: datetime) -> int:
        """Derive and render everything again where the renderer changed. Returns how many entries are new.

        An entry whose text stays as it was keeps its numbers.
        """
        state = state_of(session)
        if state.renderer == self.renderer:
            return 0
        renewed = self.recompute(session, now=now)
        state.renderer = self.renderer
        return renewed

    def recompute(self, session: Session, *, now: datetime) -> int:
        """Derive and render everything again, whatever the renderer. Returns how many entries changed."""
        following = _Following(session, self.builder, now)
        events, talks = session.scalars(select(Event.id)).all(), session.scalars(select(Talk.id)).all()
        for ids in _batches(events):
            following.follow(Reach(entries=set(ids)))
        for ids in _batches(talks):
            following.recheck(set(ids))
        return following.changed


class _Following:
    """One pass over what was touched, at one moment."""

    def __init__(self, session: Session, builder: Builder, now: datetime) -> None:
        self.session = session
        self.builder = builder
        self.now = now
        self.changed = 0
        self.state = session.get_one(LedgerState, 1, with_for_update=True)

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
            if self.session.is_modified(talk) or (is_public(talk) and self._differs(talk)):
                self._follow_talk(talk)
        self.session.flush()

    def _follow_talk(self, talk: Talk) -> bool:
        """Bring a touched talk up to date. Returns whether it is new to the public."""
        derive_talk(talk, now=self.now)
        talk.updated_at = self.now
        if not is_public(talk):
            talk.revision += 1
            return False
        talk.revision = self._next_revision(talk.revision)
        entry = self.builder.talk_entry(talk)
        for speaker in talk.speakers:
            _make_public(speaker, now=self.now)
        row = self.session.get(LedgerEntry, entry.uid)
        kept = self._keep(
            row, entry, kind=EntryKind.TALK, subject_id=talk.id, public_id=talk.id, revision=talk.revision
        )
        kept.deleted = talk.redacted_at is not None
        kept.first_day, kept.last_day = talk.first_day, talk.last_day
        talk.sequence = kept.sequence
        return row is None

    def _follow_event(self, event: Event) -> None:
        derive_event(event, now=self.now)
        event.updated_at = self.now
        if event.status not in PUBLIC_STATUSES:
            event.revision += 1
            return
        event.revision = self._next_revision(event.revision)
        entry = self._event_entry(event)
        row = self.session.get(LedgerEntry, entry.uid)
        kept = self._keep(
            row, entry, kind=EntryKind.EVENT, subject_id=event.id, public_id=event.slug, revision=event.revision
        )
        kept.deleted = event.redacted_at is not None
        kept.first_day, kept.last_day = event.first_day, event.last_day
        event.sequence = kept.sequence

    def _recheck_event(self, event: Event) -> None:
        derive_event(event, now=self.now)
        different = event.status in PUBLIC_STATUSES and self._row_differs(self._event_entry(event))
        if different or self.session.is_modified(event):
            self._follow_event(event)

    def _differs(self, talk: Talk) -> bool:
        return self._row_differs(self.builder.talk_entry(talk))

    def _row_differs(self, entry: CalendarEntry) -> bool:
        row = self.session.get(LedgerEntry, entry.uid)
        return row is None or row.content != _content(entry)

    def _keep(
        self,
        row: LedgerEntry | None,
        entry: CalendarEntry,
        *,
        kind: EntryKind,
        subject_id: str,
        public_id: str,
        revision: int,
    ) -> LedgerEntry:
        """Write an entry down; where its content is new, with raised numbers and a new text."""
        content = _content(entry)
        if row is None:
            row = LedgerEntry(
                uid=entry.uid, kind=kind, subject_id=subject_id, created_at=entry.created_at, sequence=-1, content=""
            )
            row.first_day = row.last_day = ""
            row.stamp = whole_second(self.now) - _A_SECOND
            self.session.add(row)
        row.public_id, row.revision = public_id, revision
        if row.content != content:
            self.changed += 1
            row.content = content
            row.sequence += 1
            # Clients compare whole seconds: each stamp is later than the last by one at least. Where that is
            # still to come, whoever made the change is answered when it has.
            row.stamp = max(whole_second(self.now), row.stamp + _A_SECOND)
            answer_not_before(self.session, row.stamp)
            row.cancelled = entry.status == Status.CANCELLED
            row.zone = entry.zone if entry.needs_zone else None
            row.ics = render_entry(entry, Stamps(sequence=row.sequence, changed_at=row.stamp))
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

    def _talks(self, ids: Iterable[str]) -> Sequence[Talk]:
        rows = select(Talk).where(Talk.id.in_(list(ids))).options(*whole_talk()).order_by(Talk.id)
        return self.session.scalars(rows.execution_options(populate_existing=True)).all() if ids else ()

    def _events(self, ids: Iterable[str]) -> Sequence[Event]:
        rows = select(Event).where(Event.id.in_(list(ids))).options(*whole_event()).order_by(Event.id)
        events = self.session.scalars(rows.execution_options(populate_existing=True)).all() if ids else ()
        if any(inspect(event).unloaded for event in events):
            # Whoever is another's neighbour was loaded anew as such, without parts of its own: they are put back.
            self.session.scalars(rows).all()
        return events


def _content(entry: CalendarEntry) -> str:
    return hashlib.blake2b(repr(entry).encode(), digest_size=32).hexdigest()


def _make_public(speaker: Speaker, *, now: datetime) -> None:
    if speaker.published_at is None:
        speaker.published_at = now


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + _BATCH] for i in range(0, len(ids), _BATCH))
