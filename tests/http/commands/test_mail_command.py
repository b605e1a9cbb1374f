"""`eventcal mail`: the list of unsent email, another attempt, and a test email."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventcal.outbox.enums import MailKind
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import queue_mail, record_failure
from tests.clocks import NOON, FixedClock
from tests.command_line import CommandLine, open_app
from tests.http_app import write_session
from tests.mail_server import MailServer, run_mail_server


@pytest.fixture
def server() -> Iterator[MailServer]:
    with run_mail_server() as server:
        yield server


@pytest.fixture
def cli(tmp_path: Path, sqlite_url: str, server: MailServer) -> CommandLine:
    """Return the command line with a migrated database and a mail server."""
    assert sqlite_url == f"sqlite:///{tmp_path}/eventcal.db"
    return CommandLine(tmp_path, EVENTCAL_MAIL_URL=server.url)


@pytest.fixture
def _three_emails(cli: CommandLine, clock: FixedClock) -> None:
    """Queue three emails, two of which have failed."""
    with open_app(cli, clock) as app, write_session(app) as session:
        for name in ("ada", "bob", "cyd"):
            queue_mail(
                session, MailKind.DECISION, to=f"{name}@example.org", subject="Accepted", text="secret", now=NOON
            )
        session.flush()
        for message in session.query(OutboxMessage).order_by(OutboxMessage.id).limit(2):
            message.attempts = 1
            record_failure(message, "no such mailbox", is_permanent=True, now=NOON)


@pytest.mark.usefixtures("_three_emails")
def test_list_shows_unsent_or_failed_email_without_text(cli: CommandLine) -> None:
    every = cli.run("mail", "list")
    assert every.stdout.splitlines() == [
        "1  decision  ada@example.org  failed, 1 attempt: no such mailbox",
        "2  decision  bob@example.org  failed, 1 attempt: no such mailbox",
        "3  decision  cyd@example.org  due 2026-03-01 12:00, 0 attempts",
    ]
    assert every.stderr == "3 emails.\n"
    failed = cli.run("mail", "list", "--failed")
    assert failed.stdout.splitlines() == every.stdout.splitlines()[:2]


@pytest.mark.usefixtures("_three_emails")
def test_resend_queues_chosen_or_all_failed_email(cli: CommandLine) -> None:
    some = cli.run("mail", "resend", "2", "3", "99")
    assert (some.exit_code, some.stdout) == (0, "1 email queued.\n")
    assert some.stderr == "2 IDs of no failed email. See `eventcal mail list --failed`.\n"
    assert cli.run_ok("mail", "resend") == "1 email queued.\n"
    assert cli.run_ok("mail", "resend") == "0 emails queued.\n"
    assert cli.run("mail", "list", "--failed").stdout == ""


def test_test_email_is_sent_at_once(cli: CommandLine, server: MailServer) -> None:
    assert cli.run_ok("mail", "test", "ada@example.org") == "127.0.0.1 has accepted an email to ada@example.org.\n"
    [mail] = server.mails
    assert (mail["To"], mail["Subject"]) == ("ada@example.org", "eventcal: test")


def test_test_email_reports_error_of_server(cli: CommandLine, server: MailServer) -> None:
    server.rcpt_response = "550 no such mailbox"
    said = cli.run_expecting_error("mail", "test", "ada@example.org")
    assert "no such mailbox" in said
    assert said.endswith("Check EVENTCAL_MAIL_URL.\n")


def test_test_email_requires_mail_server(tmp_path: Path) -> None:
    said = CommandLine(tmp_path).run_expecting_error("mail", "test", "ada@example.org")
    assert said == "Email is disabled. Set EVENTCAL_MAIL_URL, such as smtp://localhost.\n"
