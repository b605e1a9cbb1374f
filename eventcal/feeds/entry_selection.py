"""Selection of the entries of a feed: queries for events and talks, joined with the feed index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.events.filter import Filter, tombstone_visible_condition
from eventcal.events.models import Event
from eventcal.events.queries import exclude_without_occurrence, select_public_events
from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.index.models import FeedEntry
from eventcal.talks.models import Talk
from eventcal.talks.queries import select_public_talks

_PAST_PERIOD, _AHEAD = timedelta(days=30), timedelta(days=400)
_BATCH_SIZE = 500

Columns = Sequence[InstrumentedAttribute[Any]]
# An SQL query for events or talks, and the condition that joins the query to the feed index.
_SubjectQuery = tuple[Select[Any], ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True)
class Feed:
    """The criteria that select the entries of a feed. Only talks in `talk_ids` are selected if `talk_ids` is set."""

    filters: Filter
    kinds: frozenset[EntryKind] = frozenset({EntryKind.EVENT, EntryKind.TALK})
    talk_ids: frozenset[str] | None = None
    cancelled: Cancelled = field(default=Cancelled.KEEP)


def with_window(filters: Filter, *, now: datetime) -> Filter:
    """Return the filter with a default date range, for clients that read only the first megabyte of a feed.

    No default start is added to a range that ends before the default start, and no default end is added to a range that
    starts after the default end.
    """
    from_day, to_day, today = filters.from_day, filters.to_day, now.astimezone(UTC).date()
    first = None if to_day is not None and to_day < today - _PAST_PERIOD else today - _PAST_PERIOD
    last = None if from_day is not None and from_day > today + _AHEAD else today + _AHEAD
    return replace(filters, from_day=from_day or first, to_day=to_day or last)


def exclude_absent_recurring_events(session: Session, feed: Feed) -> Feed:
    """Return the feed with a filter that excludes recurring events that have no occurrence in the filter's date range.

    Feeds with events must be passed to `exclude_absent_recurring_events` before their entries are selected.
    """
    if EntryKind.EVENT not in feed.kinds:
        return feed
    return replace(feed, filters=exclude_without_occurrence(session, feed.filters))


def iter_feed_rows(session: Session, feed: Feed, columns: Columns, *, now: datetime) -> Iterable[Row[Any]]:
    """Return the columns of every entry of a feed, in no particular order."""
    parts = _select_entries(feed, columns, now=now)
    if not parts:
        return ()
    found = union_all(*parts) if len(parts) > 1 else parts[0]
    # Without `yield_per`, the PostgreSQL driver loads the whole result into memory.
    return session.execute(found, execution_options={"yield_per": _BATCH_SIZE})


def list_newest_rows(
    session: Session, feed: Feed, columns: Columns, *, limit: int, now: datetime
) -> Sequence[Row[Any]]:
    """Return the columns of the most recently changed entries of a feed, newest first."""
    parts = _select_entries(feed, (FeedEntry.uid, FeedEntry.last_modified), now=now)
    if not parts:
        return ()
    found = union_all(*parts).subquery()
    newest = select(found.c.uid).order_by(found.c.last_modified.desc(), found.c.uid.desc()).limit(limit)
    # Only the keys of all entries are sorted, because sorting their texts as well would take much longer.
    rows: Select[Any] = select(*columns).where(FeedEntry.uid.in_(newest))
    return session.execute(rows.order_by(FeedEntry.last_modified.desc(), FeedEntry.uid.desc())).all()


def _select_entries(feed: Feed, columns: Columns, *, now: datetime) -> list[Select[Any]]:
    return [
        rows.join(FeedEntry, condition).with_only_columns(*columns, maintain_column_froms=True)
        for rows, condition in _subject_queries(feed, now=now)
    ]


def list_rows_changed_since(
    session: Session, feed: Feed, columns: Columns, *, revision: int, now: datetime
) -> Sequence[tuple[bool, Row[Any]]]:
    """Return each entry that changed after `revision`, with a flag that tells whether the feed contains the entry."""
    within = [
        rows.where(matched).with_only_columns(FeedEntry.uid).correlate(FeedEntry).exists()
        for rows, matched in _subject_queries(feed, now=now)
    ]
    here: ColumnElement[bool] = or_(false(), *within).label("here")
    found = session.execute(select(here, *columns).where(FeedEntry.revision > revision))
    return [(bool(row[0]), row) for row in found]


def _subject_queries(feed: Feed, *, now: datetime) -> list[_SubjectQuery]:
    queries: list[_SubjectQuery] = []
    if EntryKind.EVENT in feed.kinds:
        queries.append((select_public_events(feed.filters, now=now), index_entry_join(EntryKind.EVENT, Event.id)))
    if EntryKind.TALK in feed.kinds:
        talks = select_public_talks(feed.filters, now=now)
        if feed.talk_ids is not None:
            talks = talks.where(Talk.id.in_(feed.talk_ids))
        queries.append((talks, index_entry_join(EntryKind.TALK, Talk.id)))
    deadlines = [kind for kind in DEADLINE_KINDS if kind in feed.kinds]
    if deadlines:
        queries.append(_deadline_query(feed.filters, deadlines, now=now))
    if feed.cancelled == Cancelled.HIDE:
        return [(rows, and_(matched, FeedEntry.cancelled.is_(False))) for rows, matched in queries]
    return queries


def index_entry_join(kind: EntryKind, subject_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return and_(FeedEntry.kind == kind, FeedEntry.subject_id == subject_id)


def _deadline_query(filters: Filter, kinds: Sequence[EntryKind], *, now: datetime) -> _SubjectQuery:
    events = select_public_events(replace(filters, from_day=None, to_day=None, scheduled=None), now=now)
    conditions = [
        FeedEntry.kind.in_(kinds),
        FeedEntry.subject_id == Event.id,
        tombstone_visible_condition(now.date(), FeedEntry.tombstone_until),
    ]
    if filters.from_day:
        conditions.append(FeedEntry.last_day >= filters.from_day.isoformat())
    if filters.to_day:
        conditions.append(FeedEntry.first_day <= filters.to_day.isoformat())
    if filters.scheduled is False:
        conditions.append(false())
    return events, and_(*conditions)
