"""Lists that the ledger has ready: the JSON of events and talks, and what changed in public since a revision."""

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
from eventcal.feeds.index.models import LedgerEntry
from eventcal.kit.paging import Page, Paging, fetch_page
from eventcal.talks.models import Talk
from eventcal.talks.queries import public_talks

# Never None for events and talks.
_RESOURCE = cast("InstrumentedAttribute[str]", LedgerEntry.resource)


def talk_resources(session: Session, asked: Filter, *, sort: Sort, paging: Paging, now: datetime) -> Page[str]:
    """Return a page of public talks, each as JSON."""
    rows = _finished(public_talks(asked, now=now), EntryKind.TALK, Talk.id)
    return fetch_page(session, rows, order=sort_keys(sort, Talk, Talk.sort_at), paging=paging)


def event_resources(session: Session, asked: Filter, *, sort: Sort, paging: Paging, now: datetime) -> Page[str]:
    """Return a page of public events, each as JSON, without occurrences; the filter names no days."""
    rows = _finished(public_events(asked, now=now), EntryKind.EVENT, Event.id)
    return fetch_page(session, rows, order=sort_keys(sort, Event, Event.starts_at), paging=paging)


def _finished(rows: Select[Any], kind: EntryKind, key: InstrumentedAttribute[str]) -> Select[str]:
    # Each has one; by an outer join, SQLite does not begin with the ledger and sort all of it for one page.
    return rows.outerjoin(LedgerEntry, shows(kind, key)).with_only_columns(_RESOURCE, maintain_column_froms=True)


class PublicChange(NamedTuple):
    """An event by its slug or a talk by its id, and the revision it is at. Deleted is what was removed from view."""

    kind: EntryKind
    id: str
    revision: int
    deleted: bool


def list_changes(session: Session, *, since: int, limit: int) -> tuple[list[PublicChange], int]:
    """Return what is at a later revision than `since`, in order, and the revision to go on from.

    Revisions are handed out under the one write lock, so they become visible in order: whoever goes on from the
    last one misses nothing. What changed twice shows once, where it is now.
    """
    rows = session.execute(
        select(LedgerEntry.kind, LedgerEntry.public_id, LedgerEntry.revision, LedgerEntry.deleted)
        .where(LedgerEntry.revision > since, LedgerEntry.kind.in_([EntryKind.EVENT, EntryKind.TALK]))
        .order_by(LedgerEntry.revision)
        .limit(limit)
    )
    items = [PublicChange(*row) for row in rows]
    if len(items) == limit:
        return items, items[-1].revision
    return items, max(since, state_of(session).revision)
