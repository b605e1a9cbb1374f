"""Selecting due messages from the outbox, and deleting old ones."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from eventcal.kit.database import Database
from eventcal.outbox.enums import MailKind
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import MAIL_KIND, build_delete_old_messages, find_due_mail, queue_mail
from tests.clocks import NOON

MONTH = timedelta(days=30)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


def add_mail(database: Database, subject: str, **fields: Any) -> None:
    """Add a mail to the outbox, due at noon."""
    payload = {"to": "ada@example.org", "subject": subject, "text": ""}
    values = {"kind": "mail", "payload": payload, "due_at": NOON, "created_at": NOON} | fields
    with database.unit_of_work() as unit:
        unit.session.add(OutboxMessage(**values))


def due_subject(database: Database, now: datetime = NOON) -> str | None:
    """Return the subject of the mail that is due."""
    with database.read_session() as session:
        found = find_due_mail(session, now=now)
        return found.payload["subject"] if found else None


def remaining_subjects(database: Database, *, now: datetime, sends_mail: bool) -> list[str]:
    """Return the subjects of the messages that remain after deleting old ones."""
    with database.unit_of_work() as unit:
        unit.session.execute(build_delete_old_messages(now=now, is_mail_configured=sends_mail))
        rows = unit.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
        return [row.payload["subject"] for row in rows]


def test_queued_mail_is_due_at_once_and_its_subject_is_one_line(database: Database) -> None:
    with database.unit_of_work() as unit:
        queue_mail(
            unit.session, MailKind.DECISION, to="a@example.org", subject="a\r\nBcc: b@example.org", text="t", now=NOON
        )
    with database.read_session() as session:
        [row] = session.scalars(select(OutboxMessage))
    assert (row.payload, row.due_at, row.sent_at, row.attempts) == (
        {"to": "a@example.org", "subject": "a Bcc: b@example.org", "text": "t"},
        NOON,
        None,
        0,
    )


def test_empty_outbox_has_no_due_mail(database: Database) -> None:
    assert due_subject(database) is None


def test_mail_due_longest_is_sent_first(database: Database) -> None:
    add_mail(database, "later", due_at=NOON - SECOND)
    add_mail(database, "first", due_at=NOON - 2 * SECOND)
    assert due_subject(database) == "first"


@pytest.mark.parametrize(
    "fields",
    [{"due_at": NOON + SECOND}, {"sent_at": NOON}, {"failed_at": NOON}, {"kind": "nothing"}],
)
def test_sent_failed_or_future_messages_are_not_due(database: Database, fields: dict[str, Any]) -> None:
    add_mail(database, "x", **fields)
    assert due_subject(database) is None


def test_mail_is_due_exactly_at_its_due_time(database: Database) -> None:
    add_mail(database, "x", due_at=NOON + SECOND)
    assert due_subject(database, NOON + SECOND) == "x"


def test_sent_and_failed_mails_are_deleted_after_a_month_and_waiting_mails_kept(database: Database) -> None:
    now = NOON + MONTH + SECOND
    add_mail(database, "sent", sent_at=NOON)
    add_mail(database, "sent later", sent_at=NOON + SECOND)
    add_mail(database, "given up", failed_at=NOON)
    add_mail(database, "given up later", failed_at=NOON + SECOND)
    add_mail(database, "waiting")
    assert remaining_subjects(database, now=now, sends_mail=True) == ["sent later", "given up later", "waiting"]


def test_all_mails_are_deleted_after_a_week_if_mail_is_disabled(database: Database) -> None:
    add_mail(database, "old")
    add_mail(database, "new", created_at=NOON + SECOND)
    assert remaining_subjects(database, now=NOON + WEEK + SECOND, sends_mail=False) == ["new"]


@pytest.mark.parametrize("kind", list(MailKind))
def test_recipient_receives_at_most_three_limited_emails_of_a_kind_per_hour(database: Database, kind: MailKind) -> None:
    with database.unit_of_work() as unit:
        for minute in range(0, 130, 5):
            moment = NOON + timedelta(minutes=minute)
            queue_mail(unit.session, kind, to="Ada@Example.org", subject="s", text="t", now=moment)
        other = next(one for one in MailKind if one is not kind)
        queue_mail(unit.session, other, to="ada@example.org", subject="other", text="t", now=NOON)
        queue_mail(unit.session, kind, to="bob@example.org", subject="s", text="t", now=NOON)
    with database.read_session() as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == MAIL_KIND)).all()
    minutes = [
        (row.created_at - NOON).total_seconds() // 60
        for row in rows
        if row.recipient_key == "ada@example.org" and row.mail_kind == kind
    ]
    limited = [0, 5, 10, 60, 65, 70, 120, 125]
    assert minutes == (limited if kind.has_hourly_limit else list(range(0, 130, 5)))
    assert len(rows) == len(minutes) + 2
