"""Tables of the feed index: one row for each entry, and a single row for the state of the index."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.feeds.entries.entry import EntryKind
from eventcal.kit.models import Base, enum_column

# Columns with a `sort_order` were added by later migrations and are therefore the last columns of the table.


class FeedEntry(Base):
    """A calendar entry with its rendered representations, sequence number and revision.

    `subject_id` is the ID of the event or talk, or of the event to which a deadline belongs. `subject_id` is not a
    foreign key, because an entry outlives its subject. `serial` is a small integer that permanently identifies the
    entry. `content_hash` is a digest of the content without timestamps. `first_revision` is the revision with which the
    event or talk became public. `tombstone_until` is the end of the period in which a cancelled deadline is shown.
    `zone` is None if the entry requires no VTIMEZONE. `ics` contains the rendered VEVENTs. `entry` contains the
    calendar entry as JSON. `resource` is the API representation of the event or talk.
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
    # The slug of an event or the ID of a talk, as returned by the `/changes` endpoint.
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
    first_revision: Mapped[int] = mapped_column(BigInteger, default=0, sort_order=1)


class FeedStateRow(Base):
    """The state of the feed index, stored in a single row.

    `revision` increases with every change to public data, and `changed_at` is the time of the last change.
    `full_rebuild_revision` is the revision of the last change that can move unchanged entries to other feeds.
    `renderer_version` identifies the code and settings that rendered the entries. `epoch` is a random text that is
    replaced when the database has been restored from a backup, and `epoch_started_at` is the time of the replacement.
    """

    __tablename__ = "feed_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    changed_at: Mapped[datetime]
    full_rebuild_revision: Mapped[int] = mapped_column(BigInteger, default=0, sort_order=1)
    last_serial: Mapped[int] = mapped_column(default=0, sort_order=1)
    renderer_version: Mapped[str] = mapped_column(String(64), default="")
    epoch: Mapped[str] = mapped_column(String(16), sort_order=1)
    epoch_started_at: Mapped[datetime] = mapped_column(sort_order=1)


class FeedState(NamedTuple):
    """The columns of `FeedStateRow` that every public request reads.

    `database_generation` is the generation of the `RowReader` that read the columns. `is_provisional`: whether the
    columns were read from a standby, so that the client may have a newer version.
    """

    revision: int
    changed_at: datetime
    full_rebuild_revision: int
    epoch: str
    epoch_started_at: datetime
    database_generation: int = 0
    is_provisional: bool = False


FEED_STATE_SELECT = select(
    FeedStateRow.revision,
    FeedStateRow.changed_at,
    FeedStateRow.full_rebuild_revision,
    FeedStateRow.epoch,
    FeedStateRow.epoch_started_at,
)


def read_feed_state(connection: Connection) -> FeedState:
    return FeedState(*connection.execute(FEED_STATE_SELECT).one())
