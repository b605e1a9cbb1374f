"""Limits on guessing the password or a second-factor code of an account, and the email to its owner."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil

from flask import current_app
from werkzeug.exceptions import TooManyRequests

from eventcal.kit.errors import Invalid, Message
from eventcal.kit.text import email_key
from eventcal.members.errors import InvalidCode, InvalidCredentials
from eventcal.members.guessing_limits import GuessingLimit, count_attempt, forget_attempts, remaining_delay
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import find_member_by_email
from eventcal.web.identity.accounts import notify_of_guessing
from eventcal.web.identity.known_browsers import find_known_browser, remember_browser
from eventcal.web.request.context import now, read_session, settings, unit_of_work

_PURPOSE = b"eventcal: account whose secret is guessed"


@contextmanager
def limit_guessing(limit: GuessingLimit, email: str) -> Iterator[None]:
    """Limit attempts to guess a secret of the account with this email address, which need not exist.

    An attempt fails if the block raises InvalidCredentials, InvalidCode or Invalid. Raises TooManyRequests without
    executing the block if the attempt must be delayed. Guesses of the password in other browsers do not delay an
    attempt in a browser in which the password has been entered before.
    """
    if not current_app.config["RATELIMIT_ENABLED"]:
        yield
        return
    browser = find_known_browser(email) if limit.allows_known_browsers else None
    subject = _subject(email, browser)
    attempts = _begin_attempt(limit, subject)
    try:
        yield
    except (InvalidCredentials, InvalidCode, Invalid):
        if attempts == limit.free_attempts:
            _report_guessing(email, limit)
        raise
    with unit_of_work() as session:
        forget_attempts(session, limit, subject)
    if limit.allows_known_browsers:
        remember_browser(email)


def _subject(email: str, browser: str | None) -> str:
    message = b"\0".join([_PURPOSE, email_key(email).encode(), (browser or "").encode()])
    return hmac.digest(settings().secret_key.encode(), message, "sha256").hex()


def _begin_attempt(limit: GuessingLimit, subject: str) -> int:
    # Rejected attempts do not acquire the write lock, which they could otherwise occupy.
    with read_session() as session:
        _raise_if_delayed(remaining_delay(session, limit, subject, now=now()))
    with unit_of_work() as session:
        # Another attempt may have been counted in the meantime.
        _raise_if_delayed(remaining_delay(session, limit, subject, now=now()))
        return count_attempt(session, limit, subject, now=now())


def _raise_if_delayed(delay: timedelta) -> None:
    if delay > timedelta():
        seconds = ceil(delay.total_seconds())
        detail = Message("Too many attempts. Please wait %(seconds)s seconds and try again.", seconds=seconds)
        raise TooManyRequests(detail, retry_after=seconds)


def _report_guessing(email: str, limit: GuessingLimit) -> None:
    with unit_of_work() as session:
        owner = find_member_by_email(session, email)
        if owner is not None and owner.active:
            notify_of_guessing(session, owner, now=now())
            log_security_event_on_commit(
                session, SecurityEvent.SIGN_IN_DELAYED, member_id=owner.id, secret=limit.purpose
            )
