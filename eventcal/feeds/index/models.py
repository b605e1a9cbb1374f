"""The tables of the ledger: one row for each entry, and the one counter that revisions come from."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.feeds.entries.entry import EntryKind
from eventcal.kit.models import Base, word_column

# Columns with a sort_order came later, and stand last in the database too.


class LedgerEntry(Base):
    """One entry as subscribers have it: the finished text, and the numbers that must only rise.

    `subject_id` is the event's or talk's id, with no foreign key: an entry outlives its subject; a deadline's is its
    event's. `number` is a small whole number that is the entry's own for ever.
    `content` is the digest of what calendars show of it, stamps apart; where it stays, SEQUENCE does.
    `stamp` is DTSTAMP and LAST-MODIFIED. `shown_until` is when a tombstone may go, where the subject does not say.
    `zone` is None where no VTIMEZONE is needed; the days are local ones, for the VTIMEZONE's range.
    `ics` is the finished VEVENT, `entry` what every other format is written from (stored.py), and `resource` the
    finished JSON of the event or talk in the API, as everybody may see it.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id"),
        UniqueConstraint("number"),
        Index("ix_ledger_entries_revision", "revision"),
    )

    uid: Mapped[str] = mapped_column(String(300), primary_key=True)
    kind: Mapped[EntryKind] = word_column(EntryKind)
    subject_id: Mapped[str] = mapped_column(String(16))
    # How /changes names it: an event's slug, a talk's id.
    public_id: Mapped[str] = mapped_column(String(80))
    number: Mapped[int] = mapped_column(sort_order=1)
    deleted: Mapped[bool] = mapped_column(default=False)
    cancelled: Mapped[bool] = mapped_column(default=False)
    sequence: Mapped[int]
    revision: Mapped[int] = mapped_column(BigInteger)
    stamp: Mapped[datetime]
    created_at: Mapped[datetime]
    shown_until: Mapped[datetime | None] = mapped_column(default=None, sort_order=1)
    zone: Mapped[str | None] = mapped_column(String(64))
    first_day: Mapped[str] = mapped_column(String(10))
    last_day: Mapped[str] = mapped_column(String(10))
    content: Mapped[str] = mapped_column(String(64))
    ics: Mapped[str]
    entry: Mapped[str] = mapped_column(sort_order=1)
    resource: Mapped[str | None] = mapped_column(default=None, sort_order=1)


class LedgerState(Base):
    """One row: how far the ledger is.

    `revision` rises with everything that the public can see, `changed_at` is when it last did.
    `reshaped_at` is the revision of the last change after which other feeds may hold an entry that was not touched
    itself: an event moved to another country, and its talks with it.
    `numbers` is the last number that an entry was given. `renderer` names what the texts were made with.
    """

    __tablename__ = "ledger_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    changed_at: Mapped[datetime]
    reshaped_at: Mapped[int] = mapped_column(BigInteger, default=0, sort_order=1)
    numbers: Mapped[int] = mapped_column(default=0, sort_order=1)
    renderer: Mapped[str] = mapped_column(String(64), default="")


class State(NamedTuple):
    """The public data's revision, when it last rose (UTC), and since when feeds have to be read whole."""

    revision: int
    changed_at: datetime
    reshaped_at: int


_STATE = select(*(LedgerState.__table__.c[name] for name in State._fields))


def read_state(connection: Connection) -> State:
    """Return the state that this connection's transaction sees; every response to a reader begins with it."""
    return State(*connection.execute(_STATE).one())
