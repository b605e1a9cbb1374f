"""Lists of finished resources: the same rows as the lists of events and talks, as the JSON that the ledger keeps."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.events.filter import Filter, Sort, sort_keys
from eventcal.events.models import Event
from eventcal.events.queries import public_events
from eventcal.feeds.entries.entry import EntryKind
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
    kept: ColumnElement[bool] = and_(LedgerEntry.kind == kind, LedgerEntry.subject_id == key)
    # Each has one; by an outer join, SQLite does not begin with the ledger and sort all of it for one page.
    return rows.outerjoin(LedgerEntry, kept).with_only_columns(_RESOURCE, maintain_column_froms=True)
