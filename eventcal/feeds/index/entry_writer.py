"""Writing of entries to the feed index, with increasing sequence numbers, revisions and timestamps."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from sqlalchemy import Table, bindparam, insert, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from eventcal.events.models import Event
from eventcal.events.rules import tombstone_until
from eventcal.feeds.entries.deadlines import cancel_deadline_entry
from eventcal.feeds.entries.entry import CalendarEntry, EntryKind, Stamps, Status
from eventcal.feeds.entries.entry_codec import dump_entry, load_entry
from eventcal.feeds.formats.ics import render_entry, with_timestamps
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS, FeedIndexRows, load_index_rows
from eventcal.feeds.index.models import FeedEntry, FeedStateRow
from eventcal.kit.clock import truncate_to_second
from eventcal.kit.database import commit_time
from eventcal.kit.errors import ChangedTooRecently, Message
from eventcal.kit.localtime import local_to_utc_lenient
from eventcal.talks.models import Talk

_A_SECOND = timedelta(seconds=1)
# The clocks of two servers differ by less than this.
_MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)
# The key of the entries that a transaction has already changed, in the `info` of its session.
_STAMPED = "stamped_entries"
_EntryKey = tuple[EntryKind, str]

_ENTRY_TABLE, _STATE_TABLE = cast("Table", FeedEntry.__table__), cast("Table", FeedStateRow.__table__)
_TALK_TABLE = cast("Table", Talk.__table__)
# The columns of a talk that are set by an update of the feed index.
_TALK_COLUMNS = ("sequence", "revision", "updated_at")
_UPDATE_ROW = update(_ENTRY_TABLE).where(_ENTRY_TABLE.c.serial == bindparam("this"))
_UPDATE_TALK = update(_TALK_TABLE).where(_TALK_TABLE.c.id == bindparam("this"))
_UPDATE_TALK = _UPDATE_TALK.values({name: bindparam(name) for name in _TALK_COLUMNS})


class ResourceRenderer(Protocol):
    """Serializer for the public API resources of events and talks."""

    def render_event(self, event: Event) -> str: ...

    def render_talk(self, talk: Talk) -> str: ...


class EntryWriter:
    """Collects the rows to write in an update of the feed index, all with the same timestamp.

    `changed` is the number of entries with changed content. `rewrote_unchanged` is true if the stored representation of
    an entry changed although its content did not.
    """

    def __init__(self, session: Session, resources: ResourceRenderer, now: datetime) -> None:
        self.session = session
        self.resources = resources
        self.now = now
        self.changed = 0
        self.rewrote_unchanged = False
        self._dated = False
        # The row with the state of the index is locked until the transaction ends.
        found = session.connection().execute(select(_STATE_TABLE).with_for_update())
        self.state = FeedStateRow(**found.mappings().one())
        # Rows are keyed by kind and subject instead of by UID, because the UID contains the domain, which can change.
        self.rows: FeedIndexRows = {}
        self._new: FeedIndexRows = {}
        self._touched: FeedIndexRows = {}
        self._talks: dict[str, Talk] = {}
        self._changed_too_recently: set[_EntryKey] = set()

    def load_rows(self, kinds: Collection[EntryKind], ids: Collection[str]) -> None:
        missing = [id_ for id_ in ids if any((kind, id_) not in self.rows for kind in kinds)]
        for key, row in load_index_rows(self.session, kinds, missing).items():
            self.rows.setdefault(key, row)

    def save(self) -> None:
        connection = self.session.connection()
        if self._new:
            connection.execute(insert(_ENTRY_TABLE), [_row_values(row, _ENTRY_TABLE) for row in self._new.values()])
        if self._touched:
            changed = [{**_row_values(row, _ENTRY_TABLE), "this": row.serial} for row in self._touched.values()]
            connection.execute(_UPDATE_ROW, changed)
        if self._talks:
            talks = self._talks.values()
            noted = [{"this": talk.id, **{name: getattr(talk, name) for name in _TALK_COLUMNS}} for talk in talks]
            connection.execute(_UPDATE_TALK, noted)
        connection.execute(update(_STATE_TABLE), _row_values(self.state, _STATE_TABLE))
        self._new, self._touched, self._talks = {}, {}, {}

    def next_revision(self, own_revision: int) -> int:
        """Return a new public revision above `own_revision`, which private changes to the subject also increment."""
        self.state.revision = max(self.state.revision, own_revision) + 1
        if not self._dated:
            # Changes become visible when the transaction commits, which can be minutes after `self.now`.
            moment = commit_time(self.session, started_at=self.now)
            second, last = truncate_to_second(moment), self.state.changed_at
            # If the clock was set back, a client may have seen the previous time a while ago.
            self.state.changed_at = second if second >= last else last + _A_SECOND
            self._dated = True
        return self.state.revision

    def check_timestamps(self, keys: Iterable[_EntryKey]) -> None:
        """Raise ChangedTooRecently if one of these entries also changed in an earlier transaction of this second.

        Clients compare timestamps in whole seconds, so a client would ignore the second change. The entries that are
        derived from the changed ones, such as the line-up of an event, are not checked. Their SEQUENCE increases.
        """
        if not self._changed_too_recently.isdisjoint(keys):
            raise ChangedTooRecently(Message("This was changed less than a second ago. Try again in a second."))

    def require_full_rebuild(self) -> None:
        """Record that unchanged entries might join or leave feeds. `next_revision` must be called first."""
        self.state.full_rebuild_revision = self.state.revision

    def record_renderer(self, renderer: str) -> None:
        if self.state.renderer_version != renderer:
            self.state.renderer_version = renderer
            self.next_revision(0)
            self.require_full_rebuild()

    def set_talk_revision(self, talk: Talk, *, revision: int) -> None:
        self._set_talk_columns(talk, revision=revision, updated_at=self.now)

    def is_unchanged(self, subject: Event | Talk, entry: CalendarEntry) -> bool:
        row = self.rows.get(_subject_key(subject))
        return row is not None and row.content_hash == hash_content(entry, render_entry(entry))

    def rewrite_unchanged(self, subject: Event | Talk, entry: CalendarEntry) -> None:
        """Store the entry and the API resource of a subject whose rendered content is unchanged."""
        row = self.rows[_subject_key(subject)]
        stored = row.entry, row.resource
        row.entry, row.resource = dump_entry(entry), self._render_resource(subject)
        if (row.entry, row.resource) != stored:
            self.rewrote_unchanged = True
            self._mark_for_update(row)

    def has_entry(self, subject: Event | Talk) -> bool:
        return _subject_key(subject) in self.rows

    def create_or_update_entry(self, subject: Event | Talk, entry: CalendarEntry) -> None:
        """Write an entry and increment its SEQUENCE if the content changed."""
        key = _subject_key(subject)
        row = self.rows.get(key) or self._create_row(key, subject.created_at)
        row.public_id = subject.slug if isinstance(subject, Event) else subject.id
        row.revision, row.deleted = subject.revision, subject.redacted_at is not None
        self._update_row(row, entry, days=(subject.first_day, subject.last_day))
        if isinstance(subject, Talk):
            self._set_talk_columns(subject, sequence=row.sequence)
        else:
            subject.sequence = row.sequence
        row.resource = self._render_resource(subject)

    def write_deadlines(self, event: Event, entries: Mapping[EntryKind, CalendarEntry]) -> None:
        """Write the deadline entries of an event, and cancel deadline entries that are no longer needed."""
        for kind in DEADLINE_KINDS:
            row = self.rows.get((kind, event.id))
            entry = entries.get(kind)
            if entry is not None:
                self._write_deadline(row or self._create_row((kind, event.id), event.created_at), event, entry)
            elif row is not None:
                was = load_entry(row.entry)
                if event.redacted_at is not None:
                    was = replace(was, title="Call for talks", description=was.url, html="", categories=())
                self._write_deadline(row, event, cancel_deadline_entry(was))
                row.tombstone_until = row.tombstone_until or tombstone_until(_to_utc(was, was.ends), now=self.now)

    def _write_deadline(self, row: FeedEntry, event: Event, entry: CalendarEntry) -> None:
        row.public_id, row.deleted = event.slug, event.redacted_at is not None
        if entry.status != Status.CANCELLED:
            row.tombstone_until = None
        before = row.content_hash
        self._update_row(row, entry, days=(entry.starts.isoformat()[:10], entry.ends.isoformat()[:10]))
        if row.content_hash != before:
            row.revision = self.next_revision(0)

    def _update_row(self, row: FeedEntry, entry: CalendarEntry, *, days: tuple[str, str]) -> None:
        row.uid, row.cancelled = entry.uid, entry.status == Status.CANCELLED
        row.first_day, row.last_day = days
        row.zone = entry.zone if entry.needs_zone else None
        row.entry = dump_entry(entry)
        text = render_entry(entry)
        content = hash_content(entry, text)
        if row.content_hash != content:
            self.changed += 1
            row.content_hash = content
            row.sequence += 1
            row.last_modified = self._next_timestamp(row)
            row.ics = with_timestamps(text, Stamps(sequence=row.sequence, changed_at=row.last_modified))
        self._mark_for_update(row)

    def _next_timestamp(self, row: FeedEntry) -> datetime:
        """Return the timestamp of a change to an entry, and note whether another transaction used the same second."""
        key, second = (row.kind, row.subject_id), truncate_to_second(self.now)
        last = row.last_modified
        if last > second + _MAX_CLOCK_DIFFERENCE:
            # The clock was wrong when the entry was last changed.
            last = second - _A_SECOND
        stamped: set[_EntryKey] = self.session.info.setdefault(_STAMPED, set())
        if last >= second and key not in stamped:
            self._changed_too_recently.add(key)
        stamped.add(key)
        return max(second, last)

    def _mark_for_update(self, row: FeedEntry) -> None:
        key = row.kind, row.subject_id
        if key not in self._new:
            self._touched[key] = row

    def _create_row(self, key: tuple[EntryKind, str], created_at: datetime) -> FeedEntry:
        kind, subject_id = key
        self.state.last_serial += 1
        row = FeedEntry(
            kind=kind,
            subject_id=subject_id,
            created_at=created_at,
            serial=self.state.last_serial,
            sequence=-1,
            revision=0,
            first_revision=self.state.revision,
            last_modified=truncate_to_second(self.now) - _A_SECOND,
            tombstone_until=None,
            content_hash="",
        )
        self.rows[key] = self._new[key] = row
        return row

    def _set_talk_columns(self, talk: Talk, **values: object) -> None:
        """Set columns of a talk. If the talk has no other modifications, `save` writes the columns in bulk."""
        if inspect(talk).modified:
            for name, value in values.items():
                setattr(talk, name, value)
            return
        for name, value in values.items():
            set_committed_value(talk, name, value)
        self._talks[talk.id] = talk

    def _render_resource(self, subject: Event | Talk) -> str:
        resources = self.resources
        return resources.render_talk(subject) if isinstance(subject, Talk) else resources.render_event(subject)


def _row_values(row: FeedEntry | FeedStateRow, table: Table) -> dict[str, Any]:
    return {name: getattr(row, name) for name in table.c.keys()}  # noqa: SIM118 - iteration yields columns, not names


def _subject_key(subject: Event | Talk) -> tuple[EntryKind, str]:
    return (EntryKind.TALK if isinstance(subject, Talk) else EntryKind.EVENT), subject.id


def hash_content(entry: CalendarEntry, text: str) -> str:
    # New time zone rules can change the instants of an entry but not its local times.
    instants = () if entry.all_day else (_to_utc(entry, entry.starts), _to_utc(entry, entry.ends))
    participants = [
        f"Participant(part=<Part.{one.part.name}: {one.part.value!r}>, key={one.key!r}, name={one.name!r}, "
        f"about={one.about!r}, url={one.url!r})"
        for one in entry.participants
    ]
    # Never change the format of this string, because a different digest increments the SEQUENCE of every entry.
    listed = f"({', '.join(participants)}{',' * (len(participants) == 1)})"
    return hashlib.blake2b(f"{text}{instants}{listed}".encode(errors="replace"), digest_size=32).hexdigest()


def _to_utc(entry: CalendarEntry, moment: object) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.fromisoformat(str(moment))
    return local_to_utc_lenient(moment, entry.zone)
