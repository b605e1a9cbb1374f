"""The feed index: one row per public entry, updated in the transaction of the change that it reflects.

`update_entries` runs before every commit (app.py registers it), so services need not update feeds themselves. It also
keeps derived values up to date: instants, search texts and revisions.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import version

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.rules import recompute_event_columns
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.feeds.entries.deadlines import deadline_entries
from eventcal.feeds.entries.entry import CalendarEntry, EntryKind
from eventcal.feeds.entries.entry_builder import Builder
from eventcal.feeds.index.entry_loader import DEADLINES, count_talks, load_events, load_talks, waiting_talks
from eventcal.feeds.index.entry_writer import EntryWriter, ResourceRenderer
from eventcal.feeds.index.invalidation import AffectedEntries, affected_entries, later_reprises
from eventcal.feeds.index.models import FeedStateRow
from eventcal.kit.database import Change, has_public_change
from eventcal.sponsors.queries import confirmed_sponsors
from eventcal.talks.models import Talk
from eventcal.talks.queries import is_public
from eventcal.talks.rules import recompute_talk_columns

# Increase this number with every change to the text of an entry or of a resource, so that `db upgrade` renders all
# of them again.
RENDERER_VERSION = 4

# The number of rows that are loaded and rendered at a time when the whole index is rebuilt.
_BATCH = 200
# The libraries whose version affects the text of an entry or of its VTIMEZONE.
_LIBRARIES = ("icalendar", "markdown-it-py", "nh3", "tzdata")

ProgressCallback = Callable[[int], object]


def _nobody(_more: int) -> None:
    """No-op callback."""


def state_of(session: Session) -> FeedStateRow:
    """Return the current state of the feed index."""
    return session.get_one(FeedStateRow, 1, populate_existing=True)


@dataclass(frozen=True)
class FeedIndex:
    """The feed index: re-renders the entries and the resources that a change affects."""

    builder: Builder
    shapes: ResourceRenderer

    @cached_property
    def renderer(self) -> str:
        """Identifier of the code and settings that render entries. `rerender_all` renders all entries if it differs."""
        libraries = " ".join(version(name) for name in _LIBRARIES)
        sample = f"{RENDERER_VERSION} {libraries} {self.builder.domain} {self.builder.links.event_page('x')}"
        return hashlib.blake2b(sample.encode(), digest_size=8).hexdigest()

    def update_entries(self, session: Session, changes: Sequence[Change], now: datetime) -> None:
        """Update the derived values and entries that the changes affect. Database hook, called before each commit."""
        reach = affected_entries(session, changes)
        if reach.events or reach.talks or reach.beside or reach.entries or reach.elsewhere:
            _Following(session, self, now).follow(reach)

    def rerender_all(self, session: Session, *, now: datetime, tell: ProgressCallback = _nobody) -> int:
        """Derive and render everything again if the renderer changed. Return the number of changed entries.

        An entry with unchanged text keeps its SEQUENCE and stamp. For `tell` see `recompute`.
        """
        if state_of(session).renderer_version == self.renderer:
            return 0
        return self.recompute(session, now=now, tell=tell)

    def recompute(self, session: Session, *, now: datetime, tell: ProgressCallback = _nobody) -> int:
        """Derive and render everything again, even if the renderer is unchanged. Return the number of changed entries.

        `tell` is called after each batch with the number of events or talks in it.
        """
        following = _Following(session, self, now)
        events, talks = session.scalars(select(Event.id)).all(), session.scalars(select(Talk.id)).all()
        for ids in _batches(events):
            following.follow(AffectedEntries(entries=set(ids)))
            tell(len(ids))
        for ids in _batches(talks):
            following.recheck(set(ids))
            following.writer.save()
            tell(len(ids))
        following.writer.note_renderer(self.renderer)
        following.writer.save()
        return following.writer.changed


class _Following:
    """One update of the feed index, with a single timestamp."""

    def __init__(self, session: Session, ledger: FeedIndex, now: datetime) -> None:
        self.session = session
        self.builder = ledger.builder
        self.now = now
        self.writer = EntryWriter(session, ledger.shapes, now)

    def follow(self, reach: AffectedEntries) -> None:
        talks = self._talks(reach.talks, anew=reach.parts)
        for talk in talks:
            recompute_talk_columns(talk, now=self.now)
        became_public = [talk for talk in talks if self._write_talk(talk)]
        for talk in self._talks(reach.beside):
            self._write_talk(talk)
        if became_public:
            self.recheck(later_reprises(self.session, [talk.id for talk in became_public]) - reach.talks)
        self.session.flush()
        for event in self._events(reach.events):
            self._follow_event(event)
        counted = {talk.event_id for talk in became_public} - reach.events
        for event in self._events(reach.entries | counted):
            self._recheck_event(event)
        if reach.elsewhere:
            self.writer.next_revision(0)
        if reach.reshapes:
            self.writer.note_reshaping()
        self.session.flush()
        self.writer.save()

    def recheck(self, talk_ids: set[str]) -> None:
        """Check talks that were not changed themselves; they get a new revision only if their content differs."""
        for talk in self._talks(talk_ids):
            talk.read_abstract()
            recompute_talk_columns(talk, now=self.now)
            entry = self.builder.talk_entry(talk) if is_public(talk) else None
            different = entry is not None and not self.writer.is_kept(talk, entry)
            if different or has_public_change(talk):
                self._write_talk(talk)
            elif entry is not None:
                self.writer.refresh(talk, entry)
        self.session.flush()

    def _write_talk(self, talk: Talk) -> bool:
        """Write the entry of a talk with new numbers. Return whether the entry is the first of this talk."""
        if not is_public(talk):
            self.writer.note_talk(talk, revision=talk.revision + 1)
            return False
        self.writer.note_talk(talk, revision=self.writer.next_revision(talk.revision))
        for speaker in talk.speakers:
            if speaker.published_at is None:
                speaker.published_at = self.now
        return self.writer.write(talk, self.builder.talk_entry(talk))

    def _follow_event(self, event: Event) -> None:
        recompute_event_columns(event, now=self.now)
        event.updated_at = self.now
        if event.status not in PUBLIC_STATUSES:
            event.revision += 1
            return
        event.revision = self.writer.next_revision(event.revision)
        self.writer.write(event, self._event_entry(event))
        self.writer.write_deadlines(event, deadline_entries(self.builder, event))
        # Feeds select talks by the country, series, status and call of their event.
        self.writer.note_reshaping()

    def _recheck_event(self, event: Event) -> None:
        recompute_event_columns(event, now=self.now)
        entry = self._event_entry(event) if event.status in PUBLIC_STATUSES else None
        different = entry is not None and not self.writer.is_kept(event, entry)
        if different or has_public_change(event):
            self._follow_event(event)
        elif entry is not None:
            self.writer.refresh(event, entry)
            self.writer.write_deadlines(event, deadline_entries(self.builder, event))

    def _event_entry(self, event: Event) -> CalendarEntry:
        public = (Talk.event_id == event.id) & Talk.published_at.is_not(None)
        return self.builder.event_entry(
            event,
            talks=count_talks(self.session, public),
            line_up=waiting_talks(self.session, public),
            sponsors=confirmed_sponsors(self.session, event),
        )

    def _talks(self, ids: set[str], *, anew: Collection[str] = ()) -> Sequence[Talk]:
        self.writer.load([EntryKind.TALK], ids)
        return load_talks(self.session, ids, anew=anew)

    def _events(self, ids: set[str]) -> Sequence[Event]:
        self.writer.load([EntryKind.EVENT, *DEADLINES], ids)
        return load_events(self.session, ids)


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + _BATCH] for i in range(0, len(ids), _BATCH))
