"""Tables of the feed index: one row per entry, and one row with the state of the index and the revision counter."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.feeds.entries.entry import EntryKind
from eventcal.kit.models import Base, enum_column

# Columns with a sort_order were added later and are last in the database too.


class FeedEntry(Base):
    """One feed entry: its rendered text and its increasing numbers.

    `subject_id` is the id of the event or talk; for a deadline, of its event. It is no foreign key, because an entry
    outlives its subject. `serial` is a small integer that permanently identifies the entry.
    `content_hash` is a digest of the content without timestamps; SEQUENCE rises only if it changes.
    `last_modified` is DTSTAMP and LAST-MODIFIED. `tombstone_until` is the end of a tombstone, if the subject does not
    define it.
    `zone` is None if no VTIMEZONE is needed; the days are local dates, for the range of the VTIMEZONE.
    `ics` is the rendered VEVENT, `entry` the source of all other formats (entry_codec.py), and `resource` the public
    JSON representation of the event or talk in the API.
    """

    __tablename__ = "feed_entries"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id"),
        UniqueConstraint("serial"),
        Index("ix_feed_entries_revision", "revision"),
    )

    uid: Mapped[str] = mapped_column(String(300), primary_key=True)
    kind: Mapped[EntryKind] = enum_column(EntryKind)
    subject_id: Mapped[str] = mapped_column(String(16))
    # The identifier in /changes: an event's slug or a talk's id.
    public_id: Mapped[str] = mapped_column(String(80))
    serial: Mapped[int] = mapped_column(sort_order=1)
    deleted: Mapped[bool] = mapped_column(default=False)
    cancelled: Mapped[bool] = mapped_column(default=False)
    sequence: Mapped[int]
    revision: Mapped[int] = mapped_column(BigInteger)
    last_modified: Mapped[datetime]
    created_at: Mapped[datetime]
    tombstone_until: Mapped[datetime | None] = mapped_column(default=None, sort_order=1)
    zone: Mapped[str | None] = mapped_column(String(64))
    first_day: Mapped[str] = mapped_column(String(10))
    last_day: Mapped[str] = mapped_column(String(10))
    content_hash: Mapped[str] = mapped_column(String(64))
    ics: Mapped[str]
    entry: Mapped[str] = mapped_column(sort_order=1)
    resource: Mapped[str | None] = mapped_column(default=None, sort_order=1)


class FeedStateRow(Base):
    """The state of the feed index, a single row.

    `revision` rises with every change to public data; `changed_at` is the time of the last one.
    `full_rebuild_revision` is the revision of the last change after which unchanged entries may have joined or left a
    feed, for example because an event, and so its talks, moved to another country.
    `last_serial` is the last serial given to an entry. `renderer_version` identifies the code that rendered the texts.
    """

    __tablename__ = "feed_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    changed_at: Mapped[datetime]
    full_rebuild_revision: Mapped[int] = mapped_column(BigInteger, default=0, sort_order=1)
    last_serial: Mapped[int] = mapped_column(default=0, sort_order=1)
    renderer_version: Mapped[str] = mapped_column(String(64), default="")


class FeedState(NamedTuple):
    """The public revision, the time of its last change (UTC), and `full_rebuild_revision` (see FeedStateRow)."""

    revision: int
    changed_at: datetime
    full_rebuild_revision: int


_SELECT_STATE = select(*(FeedStateRow.__table__.c[name] for name in FeedState._fields))


def read_feed_state(connection: Connection) -> FeedState:
    """Return the state as this connection's transaction sees it. Every public request reads it first."""
    return FeedState(*connection.execute(_SELECT_STATE).one())
