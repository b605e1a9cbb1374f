"""Passwords: hashed, compared and changed; and the emails about them.

A password is hashed in its normal form (NFKD), so that it is the same however a keyboard writes it. Hashes are
computed with no transaction open: 40 ms would be long to hold the write lock.
"""

import unicodedata
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.kit.refusals import Sentence
from eventcal.members.errors import SignInRefused
from eventcal.members.factors import remove_passkeys, turn_off
from eventcal.members.models import Member
from eventcal.members.queries import find_member_by_email
from eventcal.members.service import new_member_key, revoke_every_feed, revoke_every_token
from eventcal.members.sessions import end_sessions
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import queue_mail
from eventcal.web.identity import email_tokens
from eventcal.web.identity.current_user import current_member, current_member_id, end_other_sessions
from eventcal.web.request import rate_limits
from eventcal.web.request.context import reading, settings, unit_of_work

ARGON2_COST = {"memory_cost": 19456, "time_cost": 2, "parallelism": 1}
"""As OWASP recommends: 19 MiB and two passes. That is 40 ms, and many sign-ins at once do not exhaust the memory."""

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128

_LENGTH = Sentence("must have %(least)s to %(most)s characters", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD)


def check_new_password(password: str) -> tuple[list[Sentence], str]:
    """Return what is wrong with a new password (nothing: fit), and its normal form, NFKD."""
    normal = _normal(password)
    return [] if SHORTEST_PASSWORD <= len(normal) <= LONGEST_PASSWORD else [_LENGTH], normal


def hashed(password: str) -> str:
    """Return the argon2 hash of a password in its normal form."""
    return _hasher().hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Say whether the password, in whatever normal form it was typed, belongs to the hash. None has no password."""
    normal = _normal(password)
    if password_hash is None:
        hashed(normal)  # costs what a comparison costs
        return False
    try:
        return _hasher().verify(password_hash, normal)
    except VerifyMismatchError:
        return False


def is_own_password(password: str) -> bool:
    """Return whether this is the password of the member who calls. Raises TooMany."""
    rate_limits.count_sign_in(current_member_id())
    with reading() as session:
        return matches(password, current_member(session).password)


def authenticate(address: str, password: str) -> Member:
    """Return the member with this address and password. Raises SignInRefused, after the same work whoever was named."""
    with reading() as session:
        found = find_member_by_email(session, address)
    known = found.password if found is not None and found.active else None
    if not matches(password, known) or found is None or known is None:
        raise SignInRefused(Sentence("Address and password do not belong together."))
    if _hasher().check_needs_rehash(known):
        _renew_hash(found, password)
    return found


def _renew_hash(found: Member, password: str) -> None:
    """Store the hash anew after its costs were changed, unless the password was changed meanwhile."""
    renewed = hashed(_normal(password))
    with unit_of_work() as session:
        row = session.get(Member, found.id)
        if row is not None and row.password == found.password:
            row.password = renewed


def mail_confirmation(session: Session, to: Member, *, now: datetime) -> None:
    """Queue the mail that confirms the address."""
    _mail(
        session,
        to,
        "confirm",
        subject=_("%(calendar)s: confirm your address", calendar=settings().name),
        now=now,
        token=email_tokens.confirmation_token(to),
    )


def mail_reset(session: Session, to: Member, *, now: datetime) -> None:
    """Queue the mail that leads to a new password."""
    _mail(
        session,
        to,
        "reset",
        subject=_("%(calendar)s: choose a new password", calendar=settings().name),
        now=now,
        token=email_tokens.reset_token(to),
    )


def mail_account_exists(session: Session, to: Member, *, now: datetime) -> None:
    """Queue the mail that tells the owner of an account that somebody tried to register it again."""
    token = email_tokens.reset_token(to)
    _mail(
        session,
        to,
        "exists",
        subject=_("%(calendar)s: you have an account already", calendar=settings().name),
        now=now,
        token=token,
    )


def factors_changed(session: Session, to: Member, *, now: datetime) -> None:
    """End the member's other sessions, and queue the mail that says that there is another way to sign in, or one less.

    For the member who calls.
    """
    end_other_sessions(session, to)
    _mail(
        session,
        to,
        "factors",
        subject=_("%(calendar)s: how you sign in was changed", calendar=settings().name),
        now=now,
    )


def mail_nobody(session: Session, *, now: datetime) -> None:
    """Write a row that is never sent, so that an unknown address costs what a known one costs."""
    session.add(OutboxMessage(kind="nothing", payload={}, due_at=now, sent_at=now, created_at=now))


def _mail(session: Session, to: Member, template: str, *, subject: str, now: datetime, token: str = "") -> None:
    if settings().mail_url is None:
        return
    # No word in these mails is a member's own: they go to addresses that anybody can name. Their language is that of
    # whoever asked, most likely the same person.
    text = current_app.jinja_env.get_template(f"mail/{template}.txt").render(
        base=settings().base_url, calendar=settings().name, token=token
    )
    queue_mail(session, to=to.email, subject=subject, text=text, now=now)


def confirm_by_token(session: Session, token: str, *, now: datetime) -> Member:
    """Note that the address is the member's; a second time changes nothing. Raises MailedTokenRefused."""
    row = email_tokens.member_to_confirm(session, token)
    row.confirmed_at = row.confirmed_at or now
    session.flush()
    return row


def reset_by_token(session: Session, token: str, password_hash: str, *, now: datetime) -> Member:
    """Set a new password by mailed token. Raises MailedTokenRefused.

    Every session, every access token and every passkey ends: whoever made them may be why the password is reset.
    The second factor and secret feeds stay, but where the address had not been confirmed: then it was somebody else
    who made them. The token has shown whose the address is.
    """
    row = email_tokens.member_to_reset(session, token)
    revoke_every_token(session, row)
    remove_passkeys(session, row)
    if row.confirmed_at is None:
        row.confirmed_at = now
        turn_off(session, row)
        revoke_every_feed(session, row, now=now)
    _set_password(session, row, password_hash, now=now)
    return row


def change_password(session: Session, row: Member, password_hash: str, *, now: datetime) -> Member:
    """Set a new password for a member who knows the old one, and end every session of theirs."""
    _set_password(session, row, password_hash, now=now)
    return row


def _set_password(session: Session, row: Member, password_hash: str, *, now: datetime) -> None:
    row.password = password_hash
    row.fs_uniquifier = new_member_key()
    end_sessions(session, row)
    _mail(
        session, row, "changed", subject=_("%(calendar)s: your password was changed", calendar=settings().name), now=now
    )
    session.flush()


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKD", password)


def _hasher() -> PasswordHasher:
    return PasswordHasher(
        memory_cost=ARGON2_COST["memory_cost"],
        time_cost=ARGON2_COST["time_cost"],
        parallelism=ARGON2_COST["parallelism"],
    )
