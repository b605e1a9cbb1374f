"""Hands one mail to the mail server that MAIL_URL names."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

_SECONDS = 30
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_PORT, _TLS_PORT = 25, 465


class MailRefusedError(Exception):
    """The mail was not handed over; the message says why."""


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Where mail goes, and whom it is from."""

    host: str
    port: int
    tls: bool
    sender: str
    user: str | None = None
    password: str | None = None

    @property
    def here(self) -> bool:
        """Say whether it runs on this machine: nobody listens on the way."""
        return self.host in _HERE


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail. `message_id` stays the same when it is sent again, so that the receiver can tell."""

    message_id: str
    to: str
    subject: str
    text: str
    written_at: datetime


def mail_server(mail_url: str, *, domain: str) -> MailServer:
    """Return what smtp(s)://user:password@host:port?from=address says; without `from` it is eventcal@domain."""
    parts = urlsplit(mail_url)
    tls = parts.scheme == "smtps"
    [sender] = parse_qs(parts.query).get("from", [f"eventcal@{domain}"])
    return MailServer(
        host=parts.hostname or "localhost",
        port=parts.port or (_TLS_PORT if tls else _PORT),
        tls=tls,
        sender=sender,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def send_mail(server: MailServer, mail: Mail) -> None:
    """Hand the mail over. Raises MailRefusedError, whatever was in the way."""
    try:
        with _connect(server) as connection:
            connection.send_message(_message(server, mail))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise MailRefusedError(f"{type(error).__name__}: {error}") from error


def _connect(server: MailServer) -> smtplib.SMTP:
    if server.tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    try:
        _sign_in(connection, server)
    except BaseException:
        connection.close()
        raise
    return connection


def _sign_in(connection: smtplib.SMTP, server: MailServer) -> None:
    connection.ehlo()
    secure = server.tls or server.here
    if not secure and connection.has_extn("starttls"):
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()
        secure = True
    if server.user is None:
        return
    if not secure:
        raise smtplib.SMTPNotSupportedError("the server offers no TLS, so no password is sent to it; use smtps://")
    connection.login(server.user, server.password or "")


def _message(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = server.sender
    message["To"] = _sendable(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = mail.message_id
    # RFC 3834: no out-of-office notes for these.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def _sendable(address: str) -> str:
    """Return the address with its domain as the DNS knows it; ours are kept as people read them."""
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return found.ascii_email or found.normalized
