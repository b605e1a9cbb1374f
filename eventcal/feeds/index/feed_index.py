"""The feed index: one row for each public entry, updated in the transaction of every change.

`FeedIndex.update_entries` runs before every commit, so services do not have to update feeds.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import product

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.models import Event
from eventcal.events.rules import recompute_event_columns
from eventcal.feeds.entries.deadlines import build_deadline_entries
from eventcal.feeds.entries.entry import CalendarEntry, EntryKind
from eventcal.feeds.entries.entry_builder import EntryBuilder
from eventcal.feeds.index.entry_loader import (
    DEADLINE_KINDS,
    count_talks,
    list_unscheduled_talks,
    load_events,
    load_talks,
)
from eventcal.feeds.index.entry_writer import EntryWriter, ResourceRenderer
from eventcal.feeds.index.invalidation import AffectedEntries, affected_entries, reprise_ids
from eventcal.feeds.index.models import FeedStateRow
from eventcal.feeds.index.renderer_version import build_renderer_version
from eventcal.kit.database import Change, Database, has_public_change
from eventcal.sponsors.queries import list_confirmed_sponsors_by_tier
from eventcal.talks.models import Talk, TalkSpeaker
from eventcal.talks.queries import is_public
from eventcal.talks.rules import recompute_talk_columns

_BATCH_SIZE = 1000

Callback = Callable[[int], object]


def get_feed_state(session: Session) -> FeedStateRow:
    return session.get_one(FeedStateRow, 1, populate_existing=True)


@dataclass(frozen=True)
class FeedIndex:
    """Renders the entries and the API resources that are affected by a change."""

    builder: EntryBuilder
    resources: ResourceRenderer

    @cached_property
    def renderer_version(self) -> str:
        return build_renderer_version(domain=self.builder.domain, sample_url=self.builder.links.event_page("x"))

    def update_entries(self, session: Session, changes: Sequence[Change], now: datetime) -> None:
        """Update the entries and derived columns that are affected by the changes, before they are committed."""
        reach = affected_entries(session, changes)
        if reach.events or reach.talks or reach.talks_of_renamed_part or reach.event_entries or reach.other_public_data:
            _IndexUpdate(session, self, now).apply_changes(reach)

    def rerender_all(self, database: Database, *, on_progress: Callback = lambda _: None) -> int:
        """Render all entries again if the renderer changed, and return the number of changed entries.

        `on_progress` is called after each batch with the number of events or talks in the batch.
        """
        with database.read_session() as session:
            if get_feed_state(session).renderer_version == self.renderer_version:
                return 0
        return self.render_all_again(database, on_progress=on_progress)

    def render_all_again(self, database: Database, *, on_progress: Callback = lambda _: None) -> int:
        """Render all entries again, even if the renderer is unchanged, and return the number of changed entries.

        Each batch has its own unit of work, so that other transactions can run between batches. The renderer is
        recorded after the last batch. If the process is interrupted, the next run therefore renders all entries again.
        """
        changed = 0
        for table in (Event, Talk):
            with database.read_session() as session:
                ids = session.scalars(select(table.id)).all()
            for batch in _split_into_batches(ids):
                with database.unit_of_work() as unit:
                    changed += self.rerender(unit.session, table, batch, now=unit.now)
                on_progress(len(batch))
        with database.unit_of_work() as unit:
            writer = EntryWriter(unit.session, self.resources, unit.now)
            writer.record_renderer(self.renderer_version)
            writer.save()
        return changed

    def rerender(self, session: Session, table: type[Event | Talk], ids: Collection[str], *, now: datetime) -> int:
        """Render the entries of events or talks again, and return the number of changed entries."""
        update = _IndexUpdate(session, self, now)
        if table is Event:
            update.apply_changes(AffectedEntries(event_entries=set(ids)))
        else:
            update.refresh_talks(set(ids))
        if update.writer.rewrote_unchanged:
            # Cached responses contain the previous representations.
            update.writer.next_revision(0)
            update.writer.require_full_rebuild()
        update.writer.save()
        return update.writer.changed


class _IndexUpdate:
    def __init__(self, session: Session, ledger: FeedIndex, now: datetime) -> None:
        self.session = session
        self.builder = ledger.builder
        self.now = now
        self.writer = EntryWriter(session, ledger.resources, now)
        # The IDs of the speakers who became public.
        self.published_speakers: set[str] = set()

    def apply_changes(self, affected: AffectedEntries) -> None:
        talks = self._load_talks(affected.talks, reload=affected.talks_with_changed_children)
        for talk in talks:
            recompute_talk_columns(talk, now=self.now)
        became_public = [talk for talk in talks if self._write_talk(talk)]
        for talk in self._load_talks(affected.talks_of_renamed_part):
            self._write_talk(talk)
        self.writer.check_timestamps((EntryKind.TALK, id_) for id_ in affected.talks | affected.talks_of_renamed_part)
        self._show_public_names(affected.talks)
        if became_public:
            self.refresh_talks(reprise_ids(self.session, [talk.id for talk in became_public]) - affected.talks)
        self.session.flush()
        for event in self._load_events(affected.events):
            self._write_event(event)
        self.writer.check_timestamps(product((EntryKind.EVENT, *DEADLINE_KINDS), affected.events))
        counted = {talk.event_id for talk in became_public} - affected.events
        for event in self._load_events(affected.event_entries | counted):
            self._refresh_event(event)
        if affected.other_public_data:
            self.writer.next_revision(0)
        if affected.full_rebuild:
            self.writer.require_full_rebuild()
        self.session.flush()
        self.writer.save()

    def refresh_talks(self, talk_ids: set[str]) -> None:
        """Render talks again, and increment the revision of each talk whose content differs."""
        for talk in self._load_talks(talk_ids):
            talk.render_abstract()
            recompute_talk_columns(talk, now=self.now)
            entry = self.builder.build_talk_entry(talk) if is_public(talk) else None
            different = entry is not None and not self.writer.is_unchanged(talk, entry)
            if different or has_public_change(talk):
                self._write_talk(talk)
            elif entry is not None:
                self.writer.rewrite_unchanged(talk, entry)
        self.session.flush()

    def _write_talk(self, talk: Talk) -> bool:
        """Write the entry of a talk and return whether the entry is new."""
        if not is_public(talk):
            self.writer.set_talk_revision(talk, revision=talk.revision + 1)
            return False
        self.writer.set_talk_revision(talk, revision=self.writer.next_revision(talk.revision))
        self._publish_speakers(talk)
        is_new = not self.writer.has_entry(talk)
        self.writer.create_or_update_entry(talk, self.builder.build_talk_entry(talk))
        return is_new

    def _publish_speakers(self, talk: Talk) -> None:
        for speaker in talk.speaker_rows:
            if speaker.published_at is None:
                speaker.published_at = self.now
                self.published_speakers.add(speaker.id)

    def _show_public_names(self, written: Collection[str]) -> None:
        """Replace the names that submitters entered for speakers who are public from now on.

        `written` contains the IDs of the talks whose entries have already been written.
        """
        if not self.published_speakers:
            return
        named = (TalkSpeaker.speaker_id.in_(self.published_speakers), TalkSpeaker.entered.is_not(None))
        for talk in self._load_talks(set(self.session.scalars(select(TalkSpeaker.talk_id).where(*named)))):
            recompute_talk_columns(talk, now=self.now)
            if talk.id not in written:
                self._write_talk(talk)

    def _write_event(self, event: Event) -> None:
        recompute_event_columns(event, now=self.now)
        event.updated_at = self.now
        if event.status not in PUBLIC_STATUSES:
            event.revision += 1
            return
        event.revision = self.writer.next_revision(event.revision)
        self.writer.create_or_update_entry(event, self._build_event_entry(event))
        self.writer.write_deadlines(event, build_deadline_entries(self.builder, event))
        # Feeds select talks by the country, series, status and call for talks of the event.
        self.writer.require_full_rebuild()

    def _refresh_event(self, event: Event) -> None:
        recompute_event_columns(event, now=self.now)
        entry = self._build_event_entry(event) if event.status in PUBLIC_STATUSES else None
        different = entry is not None and not self.writer.is_unchanged(event, entry)
        if different or has_public_change(event):
            self._write_event(event)
        elif entry is not None:
            self.writer.rewrite_unchanged(event, entry)
            self.writer.write_deadlines(event, build_deadline_entries(self.builder, event))

    def _build_event_entry(self, event: Event) -> CalendarEntry:
        public = (Talk.event_id == event.id) & Talk.published_at.is_not(None)
        return self.builder.build_event_entry(
            event,
            talk_count=count_talks(self.session, public),
            unscheduled_talks=list_unscheduled_talks(self.session, public),
            sponsors=list_confirmed_sponsors_by_tier(self.session, event),
        )

    def _load_talks(self, ids: set[str], *, reload: Collection[str] = ()) -> Sequence[Talk]:
        self.writer.load_rows([EntryKind.TALK], ids)
        return load_talks(self.session, ids, reload=reload)

    def _load_events(self, ids: set[str]) -> Sequence[Event]:
        self.writer.load_rows([EntryKind.EVENT, *DEADLINE_KINDS], ids)
        return load_events(self.session, ids)


def _split_into_batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + _BATCH_SIZE] for i in range(0, len(ids), _BATCH_SIZE))
