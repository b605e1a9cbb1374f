"""The background worker, which sends queued email and deletes expired data.

Before sending an email, the worker postpones the next attempt in a separate transaction, so that no other worker sends
the same email. If the worker stops before it has sent the email, the email is sent by the next attempt.
"""

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

from eventcal.config import Settings
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import find_due_mail, record_failure, record_success
from eventcal.outbox.smtp import MailDeliveryError, build_mail, parse_mail_url, send_mail

_LOG = logging.getLogger(__name__)

POLL_SECONDS = 3.0
PRUNE_INTERVAL = timedelta(hours=1)
# The first deletion does not delay the start of the server.
_FIRST_PRUNE_DELAY = timedelta(minutes=1)
# The period for which a worker claims an email, which is longer than any SMTP session.
CLAIM_DURATION = timedelta(minutes=10)


def run_worker(database: Database, settings: Settings, stop: threading.Event, *, prune: Callable[[], None]) -> None:
    """Send due email until `stop` is set, and call `prune` every hour, which deletes expired data.

    Exceptions are logged and do not stop the worker.
    """
    prune_at = database.clock.now() + _FIRST_PRUNE_DELAY
    while not stop.is_set():
        try:
            if database.clock.now() >= prune_at:
                prune_at = database.clock.now() + PRUNE_INTERVAL
                prune()
            while not stop.is_set() and send_next_mail(database, settings):
                pass
        except Exception:  # noqa: BLE001 - no error may keep the next email from being sent
            _LOG.exception("the worker failed; it goes on in a moment")
        stop.wait(POLL_SECONDS)


def delete_expired_data_in_child(settings: Settings) -> None:
    """Delete expired data in a child process. The models of all tables would use 11 MB of memory in the master process.

    Raises RuntimeError if the child process fails, which then has logged the reason.
    """
    process = multiprocessing.get_context("spawn").Process(
        target=_delete_expired_data, args=(settings,), name="eventcal-prune", daemon=True
    )
    process.start()
    process.join()
    if process.exitcode:
        message = f"the deletion of expired data ended with status {process.exitcode}"
        raise RuntimeError(message)


def _delete_expired_data(settings: Settings) -> None:
    # Ctrl-C in a terminal also reaches this process, which then completes its transaction.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from eventcal.retention import delete_expired_data  # noqa: PLC0415 - imports all models, only in the child

    database = Database(settings.database_url, clock=SystemClock())
    try:
        delete_expired_data(database, settings)
    finally:
        database.engine.dispose()


def send_next_mail(database: Database, settings: Settings) -> bool:
    """Try to send the email that has been due the longest. Return False if there is no email to send."""
    if settings.mail_url is None:
        return False
    server = parse_mail_url(settings.mail_url, domain=settings.domain, require_tls=settings.mail_require_tls)
    claimed = _claim_due_mail(database)
    if claimed is None:
        return False
    error = None
    try:
        send_mail(server, build_mail(server, **claimed.content(domain=settings.domain, base_url=settings.base_url)))
    except MailDeliveryError as refused:
        error = refused
    _record_attempt(database, claimed.id, error)
    return True


def _claim_due_mail(database: Database) -> OutboxMessage | None:
    # The first query does not acquire the write lock, because usually no email is due.
    with database.read_session() as session:
        if find_due_mail(session, now=database.clock.now()) is None:
            return None
    with database.unit_of_work() as unit:
        row = find_due_mail(unit.session, now=unit.now)
        if row is not None:
            row.attempts += 1
            row.due_at = unit.now + CLAIM_DURATION
        return row


def _record_attempt(database: Database, message_id: int, error: MailDeliveryError | None) -> None:
    with database.unit_of_work() as unit:
        row = unit.session.get_one(OutboxMessage, message_id)
        if error is None:
            record_success(row, now=unit.now)
        else:
            record_failure(row, str(error), is_permanent=error.is_permanent, now=unit.now)
        given_up = row.failed_at is not None
    if error is not None:
        hint = ", and is given up; see `eventcal mail list --failed`" if given_up else ""
        _LOG.warning("mail %s was not sent%s: %s", message_id, hint, error)
