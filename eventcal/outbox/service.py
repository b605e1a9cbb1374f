"""Services for email that is queued in a transaction and sent later by the worker."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Delete, delete, func, or_, select, update
from sqlalchemy.orm import Session

from eventcal.kit.text import email_key
from eventcal.outbox.enums import MailKind
from eventcal.outbox.models import OutboxMessage

MAIL_KIND, NOTHING_KIND = "mail", "nothing"
HOURLY_LIMIT = 3
# An email is given up about five days after it was queued (RFC 5321, section 4.5.4.1).
MAX_ATTEMPTS = 37
_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=4)
_MAX_ERROR_LENGTH = 1000
RETENTION = timedelta(days=30)
# Unsent messages are deleted earlier if email is not configured.
UNSENT_RETENTION = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class MailTopic:
    """The IDs of the event and of the talk from which an email contains text."""

    event_id: str | None = None
    talk_id: str | None = None


_NO_TOPIC = MailTopic()


def queue_mail(
    session: Session,
    kind: MailKind,
    *,
    to: str,
    subject: str,
    text: str,
    link_path: str | None = None,
    about: MailTopic = _NO_TOPIC,
    now: datetime,
) -> None:
    """Queue an email, which is sent after the transaction commits.

    `link_path` is the path of a page of the site, whose URL follows the text. If the recipient has received
    `HOURLY_LIMIT` emails of this kind within an hour, the email is silently discarded.
    """
    if kind.has_hourly_limit and _count_recent(session, kind, to, now=now) >= HOURLY_LIMIT:
        _add_nothing(session, now=now)
        return
    # A line break in the subject would allow header injection.
    payload = {"to": to, "subject": " ".join(subject.split()), "text": text}
    if link_path is not None:
        payload["link_path"] = link_path
    message = OutboxMessage(kind=MAIL_KIND, mail_kind=kind, recipient_key=email_key(to), payload=payload)
    message.due_at = message.created_at = now
    message.event_id, message.talk_id = about.event_id, about.talk_id
    session.add(message)


def pretend_to_queue_mail(session: Session, kind: MailKind, *, to: str, now: datetime) -> None:
    """Do the work of `queue_mail` without sending an email, so that both take the same time."""
    _count_recent(session, kind, to, now=now)
    _add_nothing(session, now=now)


def _add_nothing(session: Session, *, now: datetime) -> None:
    session.add(OutboxMessage(kind=NOTHING_KIND, payload={}, due_at=now, sent_at=now, created_at=now))


def _count_recent(session: Session, kind: MailKind, to: str, *, now: datetime) -> int:
    session.flush()
    same = (OutboxMessage.recipient_key == email_key(to), OutboxMessage.mail_kind == kind)
    recent = OutboxMessage.created_at > now - timedelta(hours=1)
    return session.scalars(select(func.count()).select_from(OutboxMessage).where(*same, recent)).one()


def erase_mail_about_event(session: Session, event_id: str) -> None:
    """Erase email that contains text of an event. Unsent email is not sent."""
    session.execute(_ERASE_MAIL.where(OutboxMessage.event_id == event_id))


def erase_mail_about_talk(session: Session, talk_id: str) -> None:
    """Erase email that contains text of a talk. Unsent email is not sent."""
    session.execute(_ERASE_MAIL.where(OutboxMessage.talk_id == talk_id))


# The rows are kept, because they count towards the limit of emails per recipient.
_ERASE_MAIL = update(OutboxMessage).values(
    kind=NOTHING_KIND, payload={}, last_error=None, sent_at=OutboxMessage.created_at
)


def find_due_mail(session: Session, *, now: datetime) -> OutboxMessage | None:
    due = select(OutboxMessage).where(*_IS_WAITING, OutboxMessage.due_at <= now)
    return session.scalars(due.order_by(OutboxMessage.due_at, OutboxMessage.id).limit(1)).first()


_IS_UNSENT = (OutboxMessage.kind == MAIL_KIND, OutboxMessage.sent_at.is_(None))
_IS_WAITING = (*_IS_UNSENT, OutboxMessage.failed_at.is_(None))
_HAS_FAILED = (*_IS_UNSENT, OutboxMessage.failed_at.is_not(None))


def record_success(message: OutboxMessage, *, now: datetime) -> None:
    """Record that an email was sent. Its text is deleted, because it can contain a link that grants access."""
    message.sent_at, message.last_error = now, None
    message.payload = {**message.payload, "text": ""}


def record_failure(message: OutboxMessage, error: str, *, is_permanent: bool, now: datetime) -> None:
    """Record a failed attempt to send an email, which is repeated later unless the error is permanent."""
    message.last_error = error[:_MAX_ERROR_LENGTH]
    message.due_at = now + min(_FIRST_RETRY * 2 ** (message.attempts - 1), _LONGEST_RETRY)
    if is_permanent or message.attempts >= MAX_ATTEMPTS:
        message.failed_at = now


def list_unsent_mail(session: Session, *, failed_only: bool = False) -> Sequence[OutboxMessage]:
    """Return the email that is waiting to be sent or has failed, oldest first."""
    rows = select(OutboxMessage).where(*(_HAS_FAILED if failed_only else _IS_UNSENT))
    return session.scalars(rows.order_by(OutboxMessage.id)).all()


def resend_failed_mail(session: Session, ids: Collection[int] = (), *, now: datetime) -> int:
    """Queue failed email again, either the email with the given IDs or all of it, and return the number of emails."""
    failed = update(OutboxMessage).where(*_HAS_FAILED)
    if ids:
        failed = failed.where(OutboxMessage.id.in_(ids))
    again = failed.values(failed_at=None, attempts=0, due_at=now).returning(OutboxMessage.id)
    return len(session.scalars(again).all())


def count_unsent_mail(session: Session) -> tuple[int, int]:
    """Return the number of emails that are waiting to be sent, and of those that could not be sent."""
    waiting, failed = (
        session.scalars(select(func.count()).select_from(OutboxMessage).where(*conditions)).one()
        for conditions in (_IS_WAITING, _HAS_FAILED)
    )
    return waiting, failed


def build_delete_old_messages(*, now: datetime, is_mail_configured: bool) -> Delete:
    old = or_(OutboxMessage.sent_at < now - RETENTION, OutboxMessage.failed_at < now - RETENTION)
    if not is_mail_configured:
        old = or_(old, OutboxMessage.created_at < now - UNSENT_RETENTION)
    return delete(OutboxMessage).where(old)
