"""The worker sends the messages of the outbox through a mail server on the loopback interface."""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import select

from eventcal import worker
from eventcal.config import Settings
from eventcal.kit.database import Database
from eventcal.outbox.enums import MailKind
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import MAX_ATTEMPTS, queue_mail
from eventcal.outbox.smtp import MailServer as Destination
from eventcal.outbox.smtp import parse_mail_url as destination
from eventcal.retention import delete_expired_data
from eventcal.talks.rules import TalkAction
from eventcal.talks.state_changes import render_decision_email
from eventcal.worker import (
    CLAIM_DURATION,
    PRUNE_INTERVAL,
    delete_expired_data_in_child,
    run_worker,
    send_next_mail,
)
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_talk
from tests.http_app import PASSWORD, create_test_app, get_json, post_to_api, sign_in_with_password
from tests.mail_server import MailServer, run_mail_server

MAIL_TEXT = "Grüße,\n.\nfollow this link: https://example.org/reset?token=abc\n"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with run_mail_server() as server:
        yield server


@pytest.fixture
def settings(database_url: str, server: MailServer) -> Settings:
    return make_settings(database_url, server.url)


def make_settings(database_url: str, mail_url: str | None) -> Settings:
    return Settings(instance=Path("instance"), database_url=database_url, secret_key="k" * 40, mail_url=mail_url)


def queue_test_mail(database: Database, to: str = "ada@example.org", subject: str = "Grüße") -> None:
    with database.unit_of_work() as unit:
        queue_mail(unit.session, MailKind.DECISION, to=to, subject=subject, text=MAIL_TEXT, now=unit.now)


def load_messages(database: Database) -> list[OutboxMessage]:
    with database.read_session() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until `happened()` is true, for at most ten seconds."""
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)


def test_email_is_sent_once_and_its_text_is_deleted(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock
) -> None:
    queue_test_mail(database)
    clock.tick()
    assert [send_next_mail(database, settings) for _ in range(2)] == [True, False]
    [mail] = server.mails
    assert {name: mail[name] for name in ("From", "To", "Subject", "Date", "Auto-Submitted", "Message-ID")} == {
        "From": "calendar@example.org",
        "To": "ada@example.org",
        "Subject": "Grüße",
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "Auto-Submitted": "auto-generated",
        "Message-ID": f"<outbox-{load_messages(database)[0].id}-20260301120000@127.0.0.1>",
    }
    assert mail.get_content().replace("\r\n", "\n") == MAIL_TEXT
    [row] = load_messages(database)
    assert (row.sent_at, row.attempts, row.last_error) == (NOON + timedelta(seconds=1), 1, None)
    assert row.payload == {"to": "ada@example.org", "subject": "Grüße", "text": ""}


def test_link_is_built_from_the_base_url_when_the_email_is_sent(
    database: Database, settings: Settings, server: MailServer
) -> None:
    with database.unit_of_work() as unit:
        to, subject, text = "ada@example.org", "Accepted", "Well done."
        queue_mail(
            unit.session,
            MailKind.DECISION,
            to=to,
            subject=subject,
            text=text,
            link_path="/me/talks/1",
            now=unit.now,
        )
    send_next_mail(database, replace(settings, base_url="https://calendar.example.org"))
    [mail] = server.mails
    assert mail.get_content().split() == ["Well", "done.", "https://calendar.example.org/me/talks/1"]


def test_member_text_in_email_cannot_inject_headers_or_html(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock
) -> None:
    hostile = "<script>alert(1)</script>\r\nBcc: everybody@example.org\r\n\r\n<img src=x onerror=alert(1)>"
    with database.unit_of_work() as unit:
        event = make_event(unit.session, title=hostile)
        talk = make_talk(unit.session, event, title=hostile)
        subject, text = render_decision_email(talk, TalkAction.REJECT, reason=hostile, language="en")
        queue_mail(unit.session, MailKind.DECISION, to="ada@example.org", subject=subject, text=text, now=unit.now)
    clock.tick()
    assert send_next_mail(database, settings)
    [mail] = server.mails
    assert (mail.get_content_type(), mail.is_multipart()) == ("text/plain", False)
    assert (mail["Bcc"], mail["To"]) == (None, "ada@example.org")
    assert str(mail["Subject"]).startswith("<script>alert(1)</script> Bcc: everybody@example.org <img")
    assert "<img src=x onerror=alert(1)>" in mail.get_content()


def test_oldest_email_is_sent_first(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock
) -> None:
    for subject in ("first", "second"):
        queue_test_mail(database, subject=subject)
        clock.tick()
    while send_next_mail(database, settings):
        pass
    assert [mail["Subject"] for mail in server.mails] == ["first", "second"]


def test_internationalised_domain_is_encoded_as_punycode(
    database: Database, settings: Settings, server: MailServer
) -> None:
    queue_test_mail(database, to="ada@bücher.example")
    send_next_mail(database, settings)
    assert server.recipients == ["ada@xn--bcher-kva.example"]


def test_rejected_email_is_retried_with_backoff_then_abandoned(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock
) -> None:
    server.rcpt_response = "450 come back"
    queue_test_mail(database)
    waits = []
    for _ in range(MAX_ATTEMPTS):
        assert send_next_mail(database, settings)
        assert not send_next_mail(database, settings)
        [row] = load_messages(database)
        waits.append((row.due_at - clock.now()) // timedelta(minutes=1))
        clock.set_time(row.due_at)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128] + [240] * (MAX_ATTEMPTS - 8)
    assert not send_next_mail(database, settings)
    [row] = load_messages(database)
    assert (row.sent_at, row.attempts, "come back" in str(row.last_error)) == (None, MAX_ATTEMPTS, True)
    assert row.failed_at is not None
    # The time until an email is given up (RFC 5321, section 4.5.4.1).
    assert timedelta(days=4) < row.failed_at - NOON < timedelta(days=5)


@pytest.mark.parametrize("reply", ["rcpt_response", "data_response"])
def test_permanently_rejected_email_is_not_retried(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock, reply: str
) -> None:
    setattr(server, reply, "550 no such mailbox")
    queue_test_mail(database)
    assert send_next_mail(database, settings)
    [row] = load_messages(database)
    assert (row.sent_at, row.failed_at, row.attempts) == (None, NOON, 1)
    assert "no such mailbox" in str(row.last_error)
    clock.set_time(NOON + timedelta(days=6))
    assert not send_next_mail(database, settings)


@pytest.mark.parametrize("reply", ["auth_response", "mail_response"])
def test_rejected_sign_in_or_sender_is_retried(
    database: Database, database_url: str, server: MailServer, reply: str
) -> None:
    setattr(server, reply, "535 wrong password")
    queue_test_mail(database)
    assert send_next_mail(database, make_settings(database_url, server.url_with_password))
    [row] = load_messages(database)
    assert (row.failed_at, row.due_at) == (None, NOON + timedelta(minutes=1))


@pytest.mark.parametrize("step", ["send_mail", "_record_attempt", "nothing"])
def test_email_is_sent_after_kill_at_any_step(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock, step: str
) -> None:
    queue_test_mail(database)
    process = get_context("spawn").Process(target=send_and_be_killed, args=(settings, step))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    clock.set_time(NOON + CLAIM_DURATION)
    send_next_mail(database, settings)
    assert not send_next_mail(database, settings)
    [row] = load_messages(database)
    assert (row.sent_at is not None, row.failed_at) == (True, None)
    # An email can be sent twice, with the same Message-ID, if its delivery was not recorded.
    assert len(server.mails) == (2 if step == "_record_attempt" else 1)
    assert len({mail["Message-ID"] for mail in server.mails}) == 1


def send_and_be_killed(settings: Settings, step: str) -> None:
    """Send the next email, and kill this process before a step, or at the end."""

    def kill(*_arguments: object, **_options: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    database = Database(settings.database_url, clock=FixedClock(NOON))
    if step != "nothing":
        setattr(worker, step, kill)
    send_next_mail(database, settings)
    kill()


def test_successful_retry_clears_last_error(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock
) -> None:
    server.rcpt_response = "450 come back"
    queue_test_mail(database)
    send_next_mail(database, settings)
    server.rcpt_response = "250 ok"
    clock.tick(60)
    send_next_mail(database, settings)
    [row] = load_messages(database)
    assert (len(server.mails), row.sent_at, row.last_error) == (1, clock.now(), None)


def test_unreachable_mail_server_is_recorded_as_last_error(database: Database, database_url: str) -> None:
    queue_test_mail(database)
    assert send_next_mail(database, make_settings(database_url, "smtp://127.0.0.1:1"))
    [row] = load_messages(database)
    assert (row.sent_at, str(row.last_error).partition(":")[0]) == (None, "ConnectionRefusedError")


def test_email_claimed_by_crashed_worker_is_sent_after_claim_expires(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock
) -> None:
    queue_test_mail(database)
    assert worker._claim_due_mail(database) is not None
    assert not send_next_mail(database, settings)
    clock.set_time(NOON + CLAIM_DURATION)
    assert send_next_mail(database, settings)
    assert len(server.mails) == 1


def test_two_workers_send_each_email_once(database: Database, settings: Settings, server: MailServer) -> None:
    subjects = [f"mail {number}" for number in range(12)]
    for subject in subjects:
        queue_test_mail(database, subject=subject)

    def send_all() -> None:
        while send_next_mail(database, settings):
            pass

    threads = [threading.Thread(target=send_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(mail["Subject"]) for mail in server.mails) == sorted(subjects)


def test_worker_sends_email_and_deletes_expired_data_until_stopped(
    database: Database, settings: Settings, clock: FixedClock, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned: list[datetime] = []
    with run_in_thread(database, settings, monkeypatch, prune=lambda: pruned.append(clock.now())) as thread:
        for number in range(3):
            queue_test_mail(database, subject=f"mail {number}")
        wait_until(lambda: len(server.mails) == 3)
        assert pruned == []
        clock.set_time(NOON + PRUNE_INTERVAL)
        wait_until(lambda: len(pruned) == 1)
        clock.set_time(NOON + 2 * PRUNE_INTERVAL)
        wait_until(lambda: len(pruned) == 2)
    assert (thread.is_alive(), len(server.mails)) == (False, 3)
    assert pruned == [NOON + PRUNE_INTERVAL, NOON + 2 * PRUNE_INTERVAL]


def test_worker_continues_after_errors(
    database_url: str,
    clock: FixedClock,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nowhere = Database(database_url.replace("eventcal.db", "no/such.db").replace("/test_", "/gone_"), clock=clock)
    with run_in_thread(nowhere, make_settings(database_url, server.url), monkeypatch, prune=lambda: None):
        wait_until(lambda: len(caplog.records) > 1)
    nowhere.engine.dispose()
    assert {record.message for record in caplog.records} == {"the worker failed; it goes on in a moment"}


def test_failed_deletion_does_not_keep_email_from_being_sent(
    database: Database, settings: Settings, clock: FixedClock, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []

    def prune() -> None:
        failures.append(1)
        raise RuntimeError

    with run_in_thread(database, settings, monkeypatch, prune=prune):
        clock.set_time(NOON + PRUNE_INTERVAL)
        wait_until(lambda: failures != [])
        queue_test_mail(database)
        wait_until(lambda: len(server.mails) == 1)
    assert failures == [1]


def test_expired_data_is_deleted_in_child_process(database: Database, database_url: str, clock: FixedClock) -> None:
    clock.set_time(datetime.now(UTC) - timedelta(days=8))
    queue_test_mail(database)
    delete_expired_data_in_child(make_settings(database_url, None))
    assert load_messages(database) == []


def test_failed_child_process_is_reported(database_url: str) -> None:
    nowhere = database_url.replace("eventcal.db", "no/such.db").replace("/test_", "/gone_")
    with pytest.raises(RuntimeError, match="ended with status 1"):
        delete_expired_data_in_child(make_settings(nowhere, None))


@contextmanager
def run_in_thread(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, *, prune: Callable[[], None]
) -> Iterator[threading.Thread]:
    """Run the worker with short pauses during the block."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.01)
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(database, settings, stop), kwargs={"prune": prune})
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(timeout=10)


def test_email_without_mail_server_is_kept_for_a_week(database: Database, database_url: str, clock: FixedClock) -> None:
    nobody = make_settings(database_url, None)
    queue_test_mail(database)
    assert not send_next_mail(database, nobody)
    delete_expired_data(database, nobody)
    assert len(load_messages(database)) == 1
    clock.set_time(NOON + timedelta(days=7, seconds=1))
    delete_expired_data(database, nobody)
    assert load_messages(database) == []


def test_worker_signs_in_to_mail_server(database: Database, database_url: str, server: MailServer) -> None:
    queue_test_mail(database)
    send_next_mail(database, make_settings(database_url, server.url_with_password))
    assert (server.login_count, len(server.mails)) == (1, 1)


@pytest.mark.parametrize("require_tls", [True, False])
def test_mail_is_sent_without_tls_unless_tls_is_required(
    database: Database, database_url: str, server: MailServer, *, require_tls: bool
) -> None:
    queue_test_mail(database)
    # 127.1 is the same machine, but is not recognised as a loopback address.
    settings = make_settings(database_url, server.url.replace("127.0.0.1", "127.1"))
    send_next_mail(database, replace(settings, mail_require_tls=require_tls))
    [row] = load_messages(database)
    assert (len(server.mails), row.sent_at is None) == ((0, True) if require_tls else (1, False))
    assert ("MAIL_REQUIRE_TLS" in str(row.last_error)) is require_tls


@pytest.mark.parametrize("offers_tls", [True, False])
def test_password_is_not_sent_to_remote_server_without_tls(
    database: Database, database_url: str, server: MailServer, *, offers_tls: bool
) -> None:
    server.offers_tls = offers_tls
    queue_test_mail(database)
    # 127.1 is the same machine, but is not recognised as a loopback address.
    send_next_mail(database, make_settings(database_url, server.url_with_password.replace("127.0.0.1", "127.1")))
    [row] = load_messages(database)
    assert (server.login_count, server.mails, row.sent_at) == (0, [], None)
    assert ("TLS" in str(row.last_error)) is not offers_tls


def test_undeliverable_email_does_not_block_the_next(
    database: Database, settings: Settings, server: MailServer
) -> None:
    queue_test_mail(database, to="nobody")
    queue_test_mail(database)
    assert [send_next_mail(database, settings) for _ in range(2)] == [True, True]
    assert server.recipients == ["nobody", "ada@example.org"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mx", Destination(host="mx", port=25, tls=False, sender="eventcal@here")),
        ("smtps://mx", Destination(host="mx", port=465, tls=True, sender="eventcal@here")),
        (
            "smtp://u%40x:p%2Fw@mx:587?from=cal@x.org",
            Destination(host="mx", port=587, tls=False, sender="cal@x.org", user="u@x", password="p/w"),
        ),
    ],
)
def test_mail_url_sets_server_tls_credentials_and_sender(url: str, expected: Destination) -> None:
    assert destination(url, domain="here") == expected


def test_new_member_confirms_address_with_token_from_email(
    database: Database, settings: Settings, server: MailServer, clock: FixedClock
) -> None:
    with create_test_app(settings.database_url, clock, mail_url=settings.mail_url) as app:
        registered = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada"}
        post_to_api(app, "/auth/register", registered)
        send_next_mail(database, settings)
        text = server.mails[0].get_content().replace("\r\n", "\n")
        found = re.search(r"^http://127\.0\.0\.1:8000/confirm\?token=(\S+)$", text, re.MULTILINE)
        assert found is not None
        answer = post_to_api(app, "/auth/confirm", {"token": found[1], "password": PASSWORD})
        assert get_json(answer) == {"confirmed": True}
        assert sign_in_with_password(app).member["confirmed"] is True
