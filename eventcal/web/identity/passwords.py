"""Passwords and mailed tokens: Flask-Security's functions, each behind a typed one of ours.

Hashes are computed with no transaction open: 40 ms would be long to hold the writers' lock.
"""

from collections.abc import Callable
from datetime import datetime

from flask import current_app
from flask_babel import gettext as _
from flask_security import Security, hash_password, verify_password
from flask_security.confirmable import confirm_email_token_status, generate_confirmation_token
from flask_security.recoverable import generate_reset_password_token, reset_password_token_status
from sqlalchemy.orm import Session

from eventcal.kit.sentences import Sentence
from eventcal.members.errors import MailedTokenRefused, SignInRefused
from eventcal.members.factors import remove_passkeys, turn_off
from eventcal.members.models import Member
from eventcal.members.queries import find_member_by_email
from eventcal.members.service import new_session_key, revoke_every_feed, revoke_every_token
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import queue_mail
from eventcal.web.identity.security import LONGEST_PASSWORD, SHORTEST_PASSWORD
from eventcal.web.request.context import reading, settings, unit_of_work

_LENGTH = Sentence("must have %(least)s to %(most)s characters", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD)


def security() -> Security:
    """Return the current app's Flask-Security."""
    found = current_app.extensions["security"]
    assert isinstance(found, Security)  # noqa: S101 - tells the type checker what the registry holds
    return found


def check_new_password(password: str) -> tuple[list[Sentence], str]:
    """Return what is wrong with a new password (nothing: fit), and its normal form, NFKD."""
    faults, normal = security().password_util.validate(password, is_register=True)
    # The library would say it in the language of the request, to programs too; length is all that it looks at.
    return [_LENGTH] if faults else [], normal


def hashed(password: str) -> str:
    """Return the argon2 hash of a password in its normal form."""
    return str(hash_password(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Say whether the password, in whatever normal form it was typed, belongs to the hash. None has no password."""
    normal = security().password_util.normalize(password)
    if password_hash is None:
        hashed(normal)  # costs what a comparison costs
        return False
    return bool(verify_password(normal, password_hash))


def authenticate(address: str, password: str) -> Member:
    """Return the member with this address and password. Raises SignInRefused, after the same work whoever was named."""
    with reading() as session:
        found = find_member_by_email(session, address)
    known = found.password if found is not None and found.active else None
    if not matches(password, known) or found is None or known is None:
        raise SignInRefused(Sentence("Address and password do not belong together."))
    if security().pwd_context.needs_update(known):
        _renew_hash(found, password)
    return found


def _renew_hash(found: Member, password: str) -> None:
    """Store the hash anew after its costs were changed, unless the password was changed meanwhile."""
    renewed = hashed(security().password_util.normalize(password))
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
        token=generate_confirmation_token(to),
    )


def mail_reset(session: Session, to: Member, *, now: datetime) -> None:
    """Queue the mail that leads to a new password."""
    _mail(
        session,
        to,
        "reset",
        subject=_("%(calendar)s: choose a new password", calendar=settings().name),
        now=now,
        token=generate_reset_password_token(to),
    )


def mail_account_exists(session: Session, to: Member, *, now: datetime) -> None:
    """Queue the mail that tells the owner of an account that somebody tried to register it again."""
    token = generate_reset_password_token(to)
    _mail(
        session,
        to,
        "exists",
        subject=_("%(calendar)s: you have an account already", calendar=settings().name),
        now=now,
        token=token,
    )


def mail_factors_changed(session: Session, to: Member, *, now: datetime) -> None:
    """Queue the mail that tells a member that there is another way to sign in, or one less."""
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
    row = _named(session, token, confirm_email_token_status)
    row.confirmed_at = row.confirmed_at or now
    session.flush()
    return row


def reset_by_token(session: Session, token: str, password_hash: str, *, now: datetime) -> Member:
    """Set a new password by mailed token. Raises MailedTokenRefused.

    Every session, every access token and every passkey ends: whoever made them may be why the password is reset.
    The second factor and secret feeds stay, but where the address had not been confirmed: then it was somebody else
    who made them. The token has shown whose the address is.
    """
    row = _named(session, token, reset_password_token_status)
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
    row.fs_uniquifier = new_session_key()
    _mail(
        session, row, "changed", subject=_("%(calendar)s: your password was changed", calendar=settings().name), now=now
    )
    session.flush()


TokenStatus = Callable[[str], tuple[bool, bool, Member | None]]


def _named(session: Session, token: str, status: TokenStatus) -> Member:
    """Return the member whom a mailed token names, of this session."""
    expired, invalid, found = status(token)
    row = None if expired or invalid or found is None else session.get(Member, found.id)
    if row is None:
        raise MailedTokenRefused(Sentence("This link is no longer good; ask for a new one."))
    return row
