"""Counts of feed requests by feed and kind of client, without IP addresses and User-Agent headers."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import PrimaryKeyConstraint, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from eventcal.feeds.clients import ClientKind
from eventcal.kit.models import Base, enum_column

FETCH_RETENTION = timedelta(days=90)
"""The time for which the counts of a feed are kept after its last fetch."""

MAX_ROWS = 20_000
"""The maximum number of stored rows, which limits the effect of requests for arbitrary feeds."""


class FeedFetches(Base):
    """Counts of the requests for a feed from one kind of client. `fetches_today` covers the UTC day of `last_at`."""

    __tablename__ = "feed_fetches"
    __table_args__ = (PrimaryKeyConstraint("feed", "client"),)

    feed: Mapped[str] = mapped_column(String(32))
    client: Mapped[ClientKind] = enum_column(ClientKind)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    last_status: Mapped[int]
    fetches: Mapped[int]
    fetches_today: Mapped[int]


def hash_feed_url(path: str) -> str:
    """Return the key for counting fetches of a public feed: a digest of the feed's path and canonical query string."""
    return hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def personal_feed_key(feed_id: str) -> str:
    return f"personal-{feed_id}"


def record_fetches(session: Session, batch: Iterable[FeedFetches]) -> None:
    """Add new fetches to the stored counts. No rows are added to a table that has MAX_ROWS rows."""
    noted = sorted(batch, key=lambda one: (one.feed, one.client, one.last_at))
    stored = session.scalars(select(FeedFetches).where(FeedFetches.feed.in_({one.feed for one in noted})))
    rows = {(row.feed, row.client): row for row in stored}
    room = MAX_ROWS - (session.scalar(select(func.count()).select_from(FeedFetches)) or 0)
    for one in noted:
        row = rows.get((one.feed, one.client))
        if row is not None:
            _add_to_row(row, one)
        elif room > 0:
            one.first_at, one.last_at = _truncate_to_minute(one.first_at), _truncate_to_minute(one.last_at)
            rows[one.feed, one.client] = one
            session.add(one)
            room -= 1


def list_feed_fetches(session: Session, feed_key: str) -> Sequence[FeedFetches]:
    """Return the numbers of fetches of a feed by kind of client, sorted by the latest fetch, newest first."""
    rows = select(FeedFetches).where(FeedFetches.feed == feed_key)
    return sorted(session.scalars(rows), key=lambda row: (-row.last_at.timestamp(), row.client))


def delete_old_fetches(session: Session, *, before: datetime) -> None:
    session.execute(delete(FeedFetches).where(FeedFetches.last_at < before))


def _add_to_row(row: FeedFetches, added: FeedFetches) -> None:
    # Batches from different workers can arrive out of order.
    last_at = _truncate_to_minute(added.last_at)
    if last_at.date() == row.last_at.astimezone(UTC).date():
        row.fetches_today += added.fetches_today
    elif last_at > row.last_at:
        row.fetches_today = added.fetches_today
    row.fetches += added.fetches
    row.first_at = min(row.first_at, _truncate_to_minute(added.first_at))
    if last_at >= row.last_at:
        row.last_at, row.last_status = last_at, added.last_status


def _truncate_to_minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
