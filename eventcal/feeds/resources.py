"""API lists read from the feed index: the JSON of events and talks, and the public changes since a revision."""

from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.events.filter import Filter, Sort, sort_keys
from eventcal.events.models import Event
from eventcal.events.queries import public_events
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.feed import shows
from eventcal.feeds.index.feed_index import state_of
from eventcal.feeds.index.models import FeedEntry
from eventcal.kit.paging import Page, Paging, fetch_page
from eventcal.talks.models import Talk
from eventcal.talks.queries import public_talks

# Never None for events and talks.
_RESOURCE = cast("InstrumentedAttribute[str]", FeedEntry.resource)


def talk_resources(session: Session, asked: Filter, *, sort: Sort, paging: Paging, now: datetime) -> Page[str]:
    """Return a page of public talks, each as JSON."""
    rows = _finished(public_talks(asked, now=now), EntryKind.TALK, Talk.id)
    return fetch_page(session, rows, order=sort_keys(sort, Talk, Talk.sort_at), paging=paging)


def event_resources(session: Session, asked: Filter, *, sort: Sort, paging: Paging, now: datetime) -> Page[str]:
    """Return a page of public events, each as JSON without occurrences; `asked` must not filter by date."""
    rows = _finished(public_events(asked, now=now), EntryKind.EVENT, Event.id)
    return fetch_page(session, rows, order=sort_keys(sort, Event, Event.starts_at), paging=paging)


def _finished(rows: Select[Any], kind: EntryKind, key: InstrumentedAttribute[str]) -> Select[str]:
    # Every row has an entry, but the outer join keeps SQLite from scanning and sorting the whole index for one page.
    return rows.outerjoin(FeedEntry, shows(kind, key)).with_only_columns(_RESOURCE, maintain_column_froms=True)


class PublicChange(NamedTuple):
    """A change of an event (by slug) or talk (by id), and its revision; `deleted` if it was removed from view."""

    kind: EntryKind
    id: str
    revision: int
    deleted: bool


def list_changes(session: Session, *, since: int, limit: int) -> tuple[list[PublicChange], int]:
    """Return the changes after revision `since`, in order, and the revision to continue from.

    Revisions are assigned under the single write lock and become visible in order, so a client that continues from the
    returned revision misses nothing. A subject that changed several times is listed once, with its last revision.
    """
    rows = session.execute(
        select(FeedEntry.kind, FeedEntry.public_id, FeedEntry.revision, FeedEntry.deleted)
        .where(FeedEntry.revision > since, FeedEntry.kind.in_([EntryKind.EVENT, EntryKind.TALK]))
        .order_by(FeedEntry.revision)
        .limit(limit)
    )
    items = [PublicChange(*row) for row in rows]
    if len(items) == limit:
        return items, items[-1].revision
    return items, max(since, state_of(session).revision)
