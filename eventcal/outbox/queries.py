"""What the outbox holds: what is due, and what need not be kept any longer."""

from datetime import datetime, timedelta

from sqlalchemy import Delete, Select, and_, delete, or_, select
from sqlalchemy.orm import Session

from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import MAIL

MOST_ATTEMPTS = 10
"""After so many a message is given up; its last error stays with it."""

KEPT_AFTERWARDS = timedelta(days=30)
"""How long a message stays after it was sent or given up."""

KEPT_UNSENT = timedelta(days=7)
"""How long a message waits for somebody to configure mail."""


def find_due_mail(session: Session, *, now: datetime) -> OutboxMessage | None:
    """Return the mail that has been due for longest, or None."""
    return session.scalars(_due(now)).first()


def _due(now: datetime) -> Select[OutboxMessage]:
    return (
        select(OutboxMessage)
        .where(
            OutboxMessage.kind == MAIL,
            OutboxMessage.sent_at.is_(None),
            OutboxMessage.attempts < MOST_ATTEMPTS,
            OutboxMessage.due_at <= now,
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
    )


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
