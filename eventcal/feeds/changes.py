"""What became public, changed or vanished since a revision."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.index.feed_index import state_of
from eventcal.feeds.index.models import LedgerEntry


@dataclass(frozen=True, kw_only=True)
class PublicChange:
    """One event or talk, and the revision it is at. `deleted` is true for what was removed from view."""

    kind: EntryKind
    id: str
    revision: int
    deleted: bool


def list_changes(session: Session, *, since: int, limit: int) -> tuple[list[PublicChange], int]:
    """Return what is at a later revision than `since`, in order, and the revision to go on from.

    Revisions are handed out under the one write lock, so they become visible in order: whoever goes on from the
    last one misses nothing. What changed twice shows once, where it is now.
    """
    rows = session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.revision > since, LedgerEntry.kind.in_([EntryKind.EVENT, EntryKind.TALK]))
        .order_by(LedgerEntry.revision)
        .limit(limit)
    ).all()
    items = [PublicChange(kind=row.kind, id=row.public_id, revision=row.revision, deleted=row.deleted) for row in rows]
    if len(items) == limit:
        return items, items[-1].revision
    return items, max(since, state_of(session).revision)
