"""The worker: sends what the outbox holds, whatever happens meanwhile; on its own, or inside serve.

A mail is claimed in a unit of its own before it is sent: its next try is put off for long enough that nobody else
takes it. Should the worker die in between, the mail is sent again later rather than lost.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from eventcal.config import Settings
from eventcal.feeds.fetches import KEPT as FETCHES_KEPT
from eventcal.feeds.fetches import forget_fetches
from eventcal.jobs.sender import Mail, MailRefusedError, mail_server, send_mail
from eventcal.kit.database import Database
from eventcal.members.sessions import delete_expired_sessions
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import MOST_ATTEMPTS, find_due_mail, old_messages

_LOG = logging.getLogger(__name__)

POLL_SECONDS = 3.0
PRUNE_EVERY = timedelta(hours=1)
# Longer than any one conversation with a mail server may take.
CLAIMED_FOR = timedelta(minutes=10)
_LONGEST_ERROR = 1000


def run_worker(database: Database, settings: Settings, stop: threading.Event) -> None:
    """Send what becomes due, until `stop` is set. Whatever goes wrong is logged, and tried again."""
    prune_at = database.clock.now()
    while not stop.is_set():
        try:
            if database.clock.now() >= prune_at:
                prune(database, settings)
                prune_at = database.clock.now() + PRUNE_EVERY
            while not stop.is_set() and send_next(database, settings):
                pass
        except Exception:  # noqa: BLE001 - whatever it was, the next mail is not to wait for it
            _LOG.exception("the worker failed; it goes on in a moment")
        stop.wait(POLL_SECONDS)


def send_next(database: Database, settings: Settings) -> bool:
    """Try the mail that has been due for longest. Returns whether there was one."""
    if settings.mail_url is None:
        return False
    claim = _claim(database, settings)
    if claim is None:
        return False
    server = mail_server(settings.mail_url, domain=settings.domain)
    try:
        send_mail(server, claim.mail)
    except MailRefusedError as error:
        _note_failure(database, claim, str(error))
    else:
        _note_sent(database, claim)
    return True


def prune(database: Database, settings: Settings) -> None:
    """Remove mail that was sent or given up a month ago; where no mail is configured, what is a week old.

    Also how often feeds were fetched that nobody has fetched for three months, and expired sessions.
    """
    with database.unit_of_work() as unit:
        unit.session.execute(old_messages(now=unit.now, sends_mail=settings.mail_url is not None))
        forget_fetches(unit.session, before=unit.now - FETCHES_KEPT)
        delete_expired_sessions(unit.session, now=unit.now)


@dataclass(frozen=True)
class _Claim:
    """A mail that this worker is about to send."""

    row_id: int
    attempt: int
    mail: Mail


def _claim(database: Database, settings: Settings) -> _Claim | None:
    # Looked for without the lock: most of the time there is nothing.
    with database.reading() as session:
        if find_due_mail(session, now=database.clock.now()) is None:
            return None
    with database.unit_of_work() as unit:
        row = find_due_mail(unit.session, now=unit.now)
        if row is None:
            return None
        row.attempts += 1
        row.due_at = unit.now + CLAIMED_FOR
        mail = Mail(
            message_id=f"<outbox-{row.id}-{row.created_at:%Y%m%d%H%M%S}@{settings.domain}>",
            to=row.payload["to"],
            subject=row.payload["subject"],
            text=row.payload["text"],
            written_at=row.created_at,
        )
        return _Claim(row.id, row.attempts, mail)


def _note_sent(database: Database, claim: _Claim) -> None:
    with database.unit_of_work() as unit:
        row = unit.session.get_one(OutboxMessage, claim.row_id)
        row.sent_at = unit.now
        row.last_error = None
        # It may hold a way into somebody's account.
        row.payload = {**row.payload, "text": ""}


def _note_failure(database: Database, claim: _Claim, error: str) -> None:
    with database.unit_of_work() as unit:
        row = unit.session.get_one(OutboxMessage, claim.row_id)
        row.last_error = error[:_LONGEST_ERROR]
        row.due_at = next_try(claim.attempt, now=unit.now)
    given_up = claim.attempt >= MOST_ATTEMPTS
    _LOG.warning("mail %s was not sent%s: %s", claim.row_id, ", and is given up" if given_up else "", error)


def next_try(attempt: int, *, now: datetime) -> datetime:
    """Return when to try again after so many attempts: 1, 2, 4 … minutes, the last two eight hours apart."""
    return now + timedelta(minutes=2 ** (attempt - 1))
