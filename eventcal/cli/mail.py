"""Commands for outgoing email."""

import secrets

import click

from eventcal.cli.common import open_services
from eventcal.cli.root_group import CommandFailed
from eventcal.kit.text import format_count
from eventcal.outbox.service import list_unsent_mail, resend_failed_mail
from eventcal.outbox.smtp import MailDeliveryError, build_mail, parse_mail_url, send_mail


@click.group()
def mail() -> None:
    """Manage outgoing email."""


@mail.command("list")
@click.option("--failed", is_flag=True, help="List only email that could not be sent.")
def list_mail(*, failed: bool) -> None:
    """List email that has not been sent, with the last error."""
    with open_services() as services, services.database.read_session() as session:
        rows = list_unsent_mail(session, failed_only=failed)
    for row in rows:
        state = f"due {row.due_at:%Y-%m-%d %H:%M}" if row.failed_at is None else "failed"
        error = f": {row.last_error}" if row.last_error else ""
        attempts = format_count(row.attempts, "attempt")
        click.echo(f"{row.id}  {row.mail_kind}  {row.payload['to']}  {state}, {attempts}{error}")
    click.echo(f"{format_count(len(rows), 'email')}.", err=True)


@mail.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
def resend(*, ids: tuple[int, ...]) -> None:
    """Send failed email again: the email with the given IDs, or all of it."""
    with open_services() as services, services.database.unit_of_work() as unit:
        queued = resend_failed_mail(unit.session, ids, now=unit.now)
    if ids and queued < len(set(ids)):
        missing = len(set(ids)) - queued
        click.echo(f"{format_count(missing, 'ID')} of no failed email. See `eventcal mail list --failed`.", err=True)
    click.echo(f"{format_count(queued, 'email')} queued.")


@mail.command()
@click.argument("address")
def test(*, address: str) -> None:
    """Send a test email to an address at once, and report any error of the mail server."""
    with open_services(must_be_migrated=False) as services:
        settings, now = services.settings, services.clock.now()
    if settings.mail_url is None:
        raise CommandFailed("Email is disabled. Set EVENTCAL_MAIL_URL, such as smtp://localhost.")
    server = parse_mail_url(settings.mail_url, domain=settings.domain, require_tls=settings.mail_require_tls)
    message_id = f"test-{secrets.token_hex(8)}@{settings.domain}"
    subject, text = f"{settings.name}: test", f"{settings.base_url} can send email.\n"
    message = build_mail(server, to=address, subject=subject, text=text, message_id=message_id, created_at=now)
    try:
        send_mail(server, message)
    except MailDeliveryError as error:
        raise CommandFailed(f"The email was not sent: {error}. Check EVENTCAL_MAIL_URL.") from error
    click.echo(f"{server.host} has accepted an email to {address}.")
