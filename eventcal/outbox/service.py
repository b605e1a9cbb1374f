"""What must be sent is written down in the transaction that caused it; the worker sends it later."""

from datetime import datetime

from sqlalchemy.orm import Session

from eventcal.outbox.models import OutboxMessage

MAIL = "mail"


def queue_mail(session: Session, *, to: str, subject: str, text: str, now: datetime) -> None:
    """Write a mail down to be sent once this unit is committed."""
    # A line break in a subject would be a header of somebody else's making.
    payload = {"to": to, "subject": " ".join(subject.split()), "text": text}
    session.add(OutboxMessage(kind=MAIL, payload=payload, due_at=now, created_at=now))
