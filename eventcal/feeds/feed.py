"""Selection of a feed's entries: the queries of the event and talk lists, joined to the texts in the feed index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.events.filter import Filter, still_shown
from eventcal.events.models import Event
from eventcal.events.queries import exclude_without_occurrence, public_events
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.index.entry_loader import DEADLINES
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.options import Cancelled
from eventcal.talks.models import Talk
from eventcal.talks.queries import public_talks

_BACK, _AHEAD = timedelta(days=30), timedelta(days=400)
# The number of rows that are fetched at a time while a whole feed is read.
_AT_A_TIME = 500

Columns = Sequence[InstrumentedAttribute[Any]]


@dataclass(frozen=True, kw_only=True)
class Feed:
    """The selection of a feed: filter and kinds of entries. `only` limits talks to these ids (a member's agenda)."""

    asked: Filter
    kinds: frozenset[EntryKind] = frozenset({EntryKind.EVENT, EntryKind.TALK})
    only: frozenset[str] | None = None
    cancelled: Cancelled = field(default=Cancelled.KEEP)


def with_window(asked: Filter, *, now: datetime) -> Filter:
    """Return the filter with a default date range, because some clients stop reading after 1 MB.

    If only one end is given and lies beyond the default of the other end, the other end stays open.
    """
    today = now.astimezone(UTC).date()
    first: date | None = today - _BACK
    last: date | None = today + _AHEAD
    if asked.to_day is not None and asked.to_day < today - _BACK:
        first = None
    if asked.from_day is not None and asked.from_day > today + _AHEAD:
        last = None
    return replace(asked, from_day=asked.from_day or first, to_day=asked.to_day or last)


def with_resolved_ids(session: Session, feed: Feed) -> Feed:
    """Return the feed with its filter narrowed to the recurring events that occur on the requested days."""
    return (
        replace(feed, asked=exclude_without_occurrence(session, feed.asked)) if EntryKind.EVENT in feed.kinds else feed
    )


def rows_of(session: Session, feed: Feed, columns: Columns, *, now: datetime) -> Iterable[Row[Any]]:
    """Return these columns of every entry in a settled feed, unordered and in batches, because all texts are large."""
    members = [_joined(rows, matched, columns) for rows, matched in _members(feed, now=now)]
    if not members:
        return ()
    found = union_all(*members) if len(members) > 1 else members[0]
    # PostgreSQL's driver would load the whole result into memory.
    return session.execute(found, execution_options={"yield_per": _AT_A_TIME})


def _joined(rows: Select[Any], matched: ColumnElement[bool], columns: Columns) -> Select[Any]:
    return rows.join(FeedEntry, matched).with_only_columns(*columns, maintain_column_froms=True)


def newest_rows(session: Session, feed: Feed, columns: Columns, *, limit: int, now: datetime) -> Sequence[Row[Any]]:
    """Return these columns, which must include stamp and UID, of the newest changes in a settled feed, newest first."""
    members = [_joined(rows, matched, columns) for rows, matched in _members(feed, now=now)]
    if not members:
        return ()
    all_of_them = union_all(*members).subquery()
    newest = select(all_of_them).order_by(all_of_them.c.last_modified.desc(), all_of_them.c.uid.desc())
    return session.execute(newest.limit(limit)).all()


def rows_since(
    session: Session, feed: Feed, columns: Columns, *, revision: int, now: datetime
) -> Sequence[tuple[bool, Row[Any]]]:
    """Return these columns of every entry changed after `revision`, and whether the settled feed contains it now."""
    within = [
        rows.where(matched).with_only_columns(FeedEntry.uid).correlate(FeedEntry).exists()
        for rows, matched in _members(feed, now=now)
    ]
    here: ColumnElement[bool] = or_(false(), *within).label("here")
    found = session.execute(select(here, *columns).where(FeedEntry.revision > revision)).all()
    return [(bool(row[0]), row) for row in found]


def _members(feed: Feed, *, now: datetime) -> list[tuple[Select[Any], ColumnElement[bool]]]:
    """Return, for each kind of subject, its query and the condition that joins it to the feed index."""
    members: list[tuple[Select[Any], ColumnElement[bool]]] = []
    if EntryKind.EVENT in feed.kinds:
        members.append((public_events(feed.asked, now=now), shows(EntryKind.EVENT, Event.id)))
    if EntryKind.TALK in feed.kinds:
        talks = public_talks(feed.asked, now=now)
        if feed.only is not None:
            talks = talks.where(Talk.id.in_(feed.only))
        members.append((talks, shows(EntryKind.TALK, Talk.id)))
    wanted = [kind for kind in DEADLINES if kind in feed.kinds]
    if wanted:
        members.append(_deadlines(feed.asked, wanted, now=now))
    if feed.cancelled == Cancelled.HIDE:
        return [(rows, and_(matched, FeedEntry.cancelled.is_(False))) for rows, matched in members]
    return members


def shows(kind: EntryKind, key: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that joins the index entries of this kind to the subjects with the id `key`."""
    return and_(FeedEntry.kind == kind, FeedEntry.subject_id == key)


def _deadlines(asked: Filter, kinds: Sequence[EntryKind], *, now: datetime) -> tuple[Select[Any], ColumnElement[bool]]:
    events = public_events(replace(asked, from_day=None, to_day=None, scheduled=None), now=now)
    conditions = [
        FeedEntry.kind.in_(kinds),
        FeedEntry.subject_id == Event.id,
        still_shown(now.date(), FeedEntry.tombstone_until),
    ]
    if asked.from_day:
        conditions.append(FeedEntry.last_day >= asked.from_day.isoformat())
    if asked.to_day:
        conditions.append(FeedEntry.first_day <= asked.to_day.isoformat())
    if asked.scheduled is False:
        conditions.append(false())
    return events, and_(*conditions)
