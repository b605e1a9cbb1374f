"""Sending email with SMTP (RFC 5321)."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

_TIMEOUT_SECONDS = 30
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# Replies from this code on are permanent errors (RFC 5321, section 4.2.1).
_PERMANENT = 500


class MailDeliveryError(Exception):
    """An email could not be sent. The exception message contains the reason.

    `is_permanent` is true if the server has rejected this email or its recipient, so that another attempt would fail
    as well. Errors that concern all email, such as a wrong password, are not permanent.
    """

    def __init__(self, message: str, *, is_permanent: bool) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent


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


def send_mail(server: MailServer, mail: EmailMessage) -> None:
    """Send an email. Raises MailDeliveryError if sending fails for any reason."""
    try:
        with _connect(server) as connection:
            connection.send_message(mail)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise MailDeliveryError(f"{type(error).__name__}: {error}", is_permanent=_is_permanent(error)) from error


def _is_permanent(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= _PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _PERMANENT


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


def build_mail(
    server: MailServer, *, to: str, subject: str, text: str, message_id: str, created_at: datetime
) -> EmailMessage:
    """Return an email. `message_id` is the Message-ID without angle brackets."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = server.sender
    mail["To"] = _to_ascii_address(to)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(created_at)
    mail["Message-ID"] = f"<{message_id}>"
    # The Auto-Submitted header suppresses automatic replies (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def _to_ascii_address(address: str) -> str:
    """Return the address with its domain in Punycode, which every mail server accepts."""
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return found.ascii_email or found.normalized
