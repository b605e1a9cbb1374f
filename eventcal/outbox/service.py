"""The outbox: mail is queued in the transaction that causes it, and the worker sends it later."""

from datetime import datetime, timedelta

from sqlalchemy import Delete, and_, delete, or_, select
from sqlalchemy.orm import Session

from eventcal.outbox.models import OutboxMessage

MAIL = "mail"
MOST_ATTEMPTS = 10
"""After so many a message is given up; its last error stays with it."""
KEPT_AFTERWARDS = timedelta(days=30)
"""How long a message stays after it was sent or given up."""
KEPT_UNSENT = timedelta(days=7)
"""How long a message waits for somebody to configure mail."""


def queue_mail(session: Session, *, to: str, subject: str, text: str, now: datetime) -> None:
    """Write a mail down to be sent once this unit is committed."""
    # A line break in a subject would be a header of somebody else's making.
    payload = {"to": to, "subject": " ".join(subject.split()), "text": text}
    session.add(OutboxMessage(kind=MAIL, payload=payload, due_at=now, created_at=now))


def find_due_mail(session: Session, *, now: datetime) -> OutboxMessage | None:
    """Return the mail that has been due for longest, or None."""
    due = (
        OutboxMessage.kind == MAIL,
        OutboxMessage.sent_at.is_(None),
        OutboxMessage.attempts < MOST_ATTEMPTS,
        OutboxMessage.due_at <= now,
    )
    rows = select(OutboxMessage).where(*due).order_by(OutboxMessage.due_at, OutboxMessage.id)
    return session.scalars(rows.limit(1)).first()


def old_messages(*, now: datetime, sends_mail: bool) -> Delete:
    """Return the statement that removes what was sent or given up long ago, and what nobody will send."""
    given_up = and_(
        OutboxMessage.attempts >= MOST_ATTEMPTS,
        OutboxMessage.sent_at.is_(None),
        OutboxMessage.created_at < now - KEPT_AFTERWARDS,
    )
    old = or_(OutboxMessage.sent_at < now - KEPT_AFTERWARDS, given_up)
    if not sends_mail:
        old = or_(old, OutboxMessage.created_at < now - KEPT_UNSENT)
    return delete(OutboxMessage).where(old)
