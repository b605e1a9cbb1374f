"""The background worker, which sends queued email and deletes expired data.

Before sending an email, the worker postpones the next attempt in a separate transaction, so that no other worker sends
the same email. If the worker stops before it has sent the email, the email is sent by the next attempt.
"""

import logging
import multiprocessing
import signal
import smtplib
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

from eventcal.config import Settings
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import MAX_ATTEMPTS, find_due_mail

_LOG = logging.getLogger(__name__)

POLL_SECONDS = 3.0
PRUNE_INTERVAL = timedelta(hours=1)
# The first deletion does not delay the start of the server.
_FIRST_PRUNE_DELAY = timedelta(minutes=1)
# The period for which a worker claims an email, which is longer than any SMTP session.
CLAIM_DURATION = timedelta(minutes=10)
_MAX_ERROR_LENGTH = 1000
_TIMEOUT_SECONDS = 30
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


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
        send_mail(server, claimed, domain=settings.domain)
    except MailDeliveryError as refused:
        error = str(refused)
    _record_attempt(database, claimed, error)
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


def _record_attempt(database: Database, message: OutboxMessage, error: str | None) -> None:
    with database.unit_of_work() as unit:
        row = unit.session.get_one(OutboxMessage, message.id)
        if error is None:
            row.sent_at, row.last_error = unit.now, None
            # The text of a sent email is deleted, because it can contain a link that grants access to an account.
            row.payload = {**row.payload, "text": ""}
        else:
            row.last_error = error[:_MAX_ERROR_LENGTH]
            row.due_at = unit.now + timedelta(minutes=2 ** (message.attempts - 1))
    if error is not None:
        given_up = message.attempts >= MAX_ATTEMPTS
        _LOG.warning("mail %s was not sent%s: %s", message.id, ", and is given up" if given_up else "", error)


class MailDeliveryError(Exception):
    """An email could not be sent. The exception message contains the reason."""


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """The SMTP server and the sender address."""

    host: str
    port: int
    tls: bool
    sender: str
    require_tls: bool = False
    user: str | None = None
    password: str | None = None


def parse_mail_url(mail_url: str, *, domain: str, require_tls: bool = False) -> MailServer:
    """Parse smtp(s)://user:password@host:port?from=address. The default sender is `eventcal@<domain>`."""
    parts = urlsplit(mail_url)
    tls = parts.scheme == "smtps"
    [sender] = parse_qs(parts.query).get("from", [f"eventcal@{domain}"])
    return MailServer(
        host=parts.hostname or "localhost",
        port=parts.port or (smtplib.SMTP_SSL_PORT if tls else smtplib.SMTP_PORT),
        tls=tls,
        sender=sender,
        require_tls=require_tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def send_mail(server: MailServer, message: OutboxMessage, *, domain: str) -> None:
    """Send an email from the outbox. Raises MailDeliveryError if sending fails for any reason."""
    try:
        with _connect(server) as connection:
            connection.send_message(_build_mail(server, message, domain=domain))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise MailDeliveryError(f"{type(error).__name__}: {error}") from error


def _connect(server: MailServer) -> smtplib.SMTP:
    if server.tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.ehlo()
        secure = server.tls or server.host in _LOCAL_HOSTS
        if not secure and connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo()
            secure = True
        if server.require_tls and not secure:
            message = "the server offers no TLS, which MAIL_REQUIRE_TLS requires; use smtps://"
            raise smtplib.SMTPNotSupportedError(message)
        if server.user is not None:
            if not secure:
                message = "the server offers no TLS, so no password is sent to it; use smtps://"
                raise smtplib.SMTPNotSupportedError(message)
            connection.login(server.user, server.password or "")
    except BaseException:
        connection.close()
        raise
    return connection


def _build_mail(server: MailServer, outbox_message: OutboxMessage, *, domain: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = server.sender
    message["To"] = _to_ascii_address(outbox_message.payload["to"])
    message["Subject"] = outbox_message.payload["subject"]
    message["Date"] = format_datetime(outbox_message.created_at)
    # The Message-ID is the same for every attempt, so that mail servers can detect duplicates.
    message["Message-ID"] = f"<outbox-{outbox_message.id}-{outbox_message.created_at:%Y%m%d%H%M%S}@{domain}>"
    # The Auto-Submitted header suppresses automatic replies (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(outbox_message.payload["text"])
    return message


def _to_ascii_address(address: str) -> str:
    """Return the address with its domain in Punycode, which every mail server accepts."""
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return found.ascii_email or found.normalized
