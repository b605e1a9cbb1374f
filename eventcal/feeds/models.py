"""The tables of the ledger: one row for each entry, and the one counter that revisions come from."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.kit.database import Base, word_column


class EntryKind(StrEnum):
    """What an entry shows."""

    EVENT = "event"
    TALK = "talk"


class LedgerEntry(Base):
    """One entry as subscribers have it: the finished text, and the numbers that must only rise.

    `subject_id` is the event's or talk's id, with no foreign key: an entry outlives its subject.
    `content` is the digest of what was rendered, its stamps apart; where it stays, nothing is rendered anew.
    `stamp` is DTSTAMP and LAST-MODIFIED.
    `zone` is None where no VTIMEZONE is needed; the days are local ones, for the VTIMEZONE's range.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id"),
        Index("ix_ledger_entries_revision", "revision"),
    )

    uid: Mapped[str] = mapped_column(String(300), primary_key=True)
    kind: Mapped[EntryKind] = word_column(EntryKind)
    subject_id: Mapped[str] = mapped_column(String(16))
    # How /changes names it: an event's slug, a talk's id.
    public_id: Mapped[str] = mapped_column(String(80))
    deleted: Mapped[bool] = mapped_column(default=False)
    cancelled: Mapped[bool] = mapped_column(default=False)
    sequence: Mapped[int]
    revision: Mapped[int] = mapped_column(BigInteger)
    stamp: Mapped[datetime]
    created_at: Mapped[datetime]
    zone: Mapped[str | None] = mapped_column(String(64))
    first_day: Mapped[str] = mapped_column(String(10))
    last_day: Mapped[str] = mapped_column(String(10))
    content: Mapped[str] = mapped_column(String(64))
    ics: Mapped[str]


class LedgerState(Base):
    """One row: how far the ledger is.

    `revision` rises with every change that the public can see, `changed_at` is when the last one was.
    `renderer` names what the texts were made with.
    """

    __tablename__ = "ledger_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    changed_at: Mapped[datetime]
    renderer: Mapped[str] = mapped_column(String(64), default="")
