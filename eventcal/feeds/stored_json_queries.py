"""API lists that are read from the feed index: events and talks as JSON, and the public changes since a revision."""

from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.events.filter import Filter, Sort, sort_keys
from eventcal.events.models import Event
from eventcal.events.queries import select_public_events
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.entry_selection import index_entry_join
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.kit.pagination import Page, PageRequest, fetch_page
from eventcal.talks.models import Talk
from eventcal.talks.queries import select_public_talks

# `FeedEntry.resource` is never NULL for events and talks.
_RESOURCE_COLUMN = cast("InstrumentedAttribute[str]", FeedEntry.resource)


def list_talk_json(session: Session, filters: Filter, *, sort: Sort, paging: PageRequest, now: datetime) -> Page[str]:
    rows = _select_stored_json(select_public_talks(filters, now=now), EntryKind.TALK, Talk.id)
    return fetch_page(session, rows, order=sort_keys(sort, Talk, Talk.sort_at), paging=paging)


def list_event_json(session: Session, filters: Filter, *, sort: Sort, paging: PageRequest, now: datetime) -> Page[str]:
    """Return a page of public events as JSON without their occurrences. `filters` must not contain dates."""
    rows = _select_stored_json(select_public_events(filters, now=now), EntryKind.EVENT, Event.id)
    return fetch_page(session, rows, order=sort_keys(sort, Event, Event.starts_at), paging=paging)


def _select_stored_json(rows: Select[Any], kind: EntryKind, subject_id: InstrumentedAttribute[str]) -> Select[str]:
    # An inner join would be correct, because all rows have index entries, but would make SQLite sort the whole index.
    rows = rows.outerjoin(FeedEntry, index_entry_join(kind, subject_id))
    return rows.with_only_columns(_RESOURCE_COLUMN, maintain_column_froms=True)


class PublicChange(NamedTuple):
    """A change to an event or a talk. `id` is the slug of the event or the ID of the talk.

    `first` is true if the event or talk became public after the revision from which the list starts. `resource` is its
    JSON.
    """

    kind: EntryKind
    id: str
    revision: int
    deleted: bool
    first: bool
    resource: str


def list_public_changes(
    session: Session, *, since: int, limit: int, kind: EntryKind | None = None, event_slug: str | None = None
) -> tuple[list[PublicChange], int]:
    """Return the last change to each event or talk after the revision `since`, and the revision from which to continue.

    Only changes of one kind, or to one event and its talks, are listed if `kind` or `event_slug` is given. Clients that
    continue from the returned revision miss no changes, because revisions become visible in order.
    """
    query = (
        select(
            FeedEntry.kind,
            FeedEntry.public_id,
            FeedEntry.revision,
            FeedEntry.deleted,
            FeedEntry.first_revision > since,
            _RESOURCE_COLUMN,
        )
        # With an IN condition, SQLite would sort all entries of these kinds instead of reading the index of revisions.
        .where(FeedEntry.revision > since, FeedEntry.kind.not_in(DEADLINE_KINDS))
        .order_by(FeedEntry.revision)
        .limit(limit)
    )
    if kind is not None:
        query = query.where(FeedEntry.kind == kind)
    if event_slug is not None:
        event_id = select(Event.id).where(Event.slug == event_slug).scalar_subquery()
        talks = select(Talk.id).where(Talk.event_id == event_id)
        query = query.where(or_(FeedEntry.subject_id == event_id, FeedEntry.subject_id.in_(talks)))
    rows = session.execute(query)
    items = [PublicChange(*row) for row in rows]
    if len(items) == limit:
        return items, items[-1].revision
    return items, max(since, get_feed_state(session).revision)
