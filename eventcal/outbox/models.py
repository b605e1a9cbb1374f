"""The table of messages to send."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.kit.models import Base, enum_column
from eventcal.outbox.enums import MailKind


class OutboxMessage(Base):
    """A message to send, or a record of an email that is not sent. `sent_at` is None for unsent messages.

    `failed_at` is the time at which the attempts to send the message were given up, or None.

    The content of `payload` depends on `kind`. `recipient_key` is the normalised email address of the recipient.
    `event_id` and `talk_id` identify the event and the talk from which the message contains text.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        Index("ix_outbox_messages_due", "sent_at", "due_at"),
        Index("ix_outbox_messages_recipient_key", "recipient_key", "mail_kind", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(default=None)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    mail_kind: Mapped[MailKind | None] = enum_column(MailKind)
    recipient_key: Mapped[str | None] = mapped_column(String(254), default=None)
    event_id: Mapped[str | None] = mapped_column(String(36), default=None)
    talk_id: Mapped[str | None] = mapped_column(String(36), default=None)
    failed_at: Mapped[datetime | None] = mapped_column(default=None)

    def content(self, *, domain: str, base_url: str) -> dict[str, Any]:
        """Return the arguments of `smtp.build_mail`.

        The Message-ID is the same for every attempt, so that mail servers can detect duplicates.
        """
        link = f"\n\n{base_url}{self.payload['link_path']}\n" if "link_path" in self.payload else ""
        return {
            "to": self.payload["to"],
            "subject": self.payload["subject"],
            "text": self.payload["text"] + link,
            "message_id": f"outbox-{self.id}-{self.created_at:%Y%m%d%H%M%S}@{domain}",
            "created_at": self.created_at,
        }
