"""Registration, email confirmation, password changes and the related emails.

The tokens in emails are signed and not stored. The format, salts and signing key of the tokens are those of
Flask-Security, which created the tokens in earlier releases.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from eventcal.config import Registration
from eventcal.invitations.queries import has_open_invitation
from eventcal.kit.errors import FieldError, Invalid, Message
from eventcal.members.authentication_factors import delete_all_passkeys, disable_totp
from eventcal.members.errors import DuplicateEmail, InvalidEmailToken, NotInvited, RegistrationClosed
from eventcal.members.models import Member
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import (
    create_member,
    delete_all_access_tokens,
    find_active_member_by_uniquifier,
    find_member_by_email,
    revoke_all_personal_feeds,
)
from eventcal.members.sessions import end_sessions_and_email_tokens
from eventcal.outbox.enums import MailKind
from eventcal.outbox.service import pretend_to_queue_mail, queue_mail
from eventcal.speakers.service import prefer_member_data
from eventcal.web.identity import password_hashes
from eventcal.web.identity.current_user import current_member, end_other_sessions, is_email_confirmed
from eventcal.web.request.context import now, read_session, settings, unit_of_work
from eventcal.web.request.rate_limits import count_email

CONFIRM_MAX_AGE = timedelta(days=2)
RESET_MAX_AGE = timedelta(hours=1)

_CONFIRM_SALT, _RESET_SALT = "confirm-salt", "reset-salt"
_INVALID_LINK = Message("This link is invalid or has expired. Request a new one.")


def register_member(*, email: str, password: str, name: str) -> bool:
    """Register a member, and return whether the email address counts as confirmed.

    If email is enabled, registering a known address appears to succeed, and the owner of the address is notified. If
    email is disabled, registering a known address raises DuplicateEmail.

    Raises RegistrationClosed, NotInvited, or Invalid if the address or the password is not allowed.
    """
    _check_registration_allowed(email)
    password_hash = password_hashes.hash_new_password(password, email=email, name=name)
    sends_mail = settings().mail_url is not None
    with unit_of_work() as session:
        try:
            new = create_member(session, email=email, name=name, password_hash=password_hash, now=now())
        except DuplicateEmail:
            owner = find_member_by_email(session, email)
            if owner is None or not sends_mail:
                raise
            _queue_template_email(session, owner, MailKind.EXISTS, now=now())
        else:
            _queue_template_email(session, new, MailKind.CONFIRM, now=now())
            if not sends_mail:
                prefer_member_data(session, new, now=now())
    return not sends_mail


def _check_registration_allowed(email: str) -> None:
    # The result does not depend on whether the address has an account, which would otherwise be revealed.
    mode, domains = settings().registration, settings().registration_domains
    if mode == Registration.CLOSED:
        raise RegistrationClosed(Message("Registration is closed."))
    if domains and email.rpartition("@")[2] not in domains:
        detail = Message("must be an address at %(domains)s", domains=", ".join(domains))
        raise Invalid(errors=[FieldError("/email", detail)])
    if mode == Registration.INVITED:
        with read_session() as session:
            invited = has_open_invitation(session, email, now=now())
        if not invited:
            raise NotInvited(Message("Use the address to which you received an invitation."))


def send_link_by_email(email: str, kind: Literal[MailKind.CONFIRM, MailKind.RESET]) -> None:
    """Email a link for confirming the address or resetting the password. Raises TooManyRequests."""
    count_email(email)
    with unit_of_work() as session:
        found = find_member_by_email(session, email)
        if found is None or not found.active or (kind == MailKind.CONFIRM and is_email_confirmed(found)):
            # Requests for known and unknown addresses must take the same time.
            pretend_to_queue_mail(session, kind, to=email, now=now())
        else:
            _queue_template_email(session, found, kind, now=now())
            if kind == MailKind.RESET:
                log_security_event_on_commit(session, SecurityEvent.PASSWORD_RESET_REQUESTED, member_id=found.id)


def confirm_email_by_token(session: Session, token: str, *, now: datetime) -> None:
    """Mark the email address of a member as confirmed. Idempotent. Raises InvalidEmailToken."""
    row, address = _parse_token(session, token, salt=_CONFIRM_SALT, max_age=CONFIRM_MAX_AGE)
    if address != _sha256(row.email):
        raise InvalidEmailToken(_INVALID_LINK)
    if row.confirmed_at is None:
        _mark_confirmed(session, row, now=now)


def _mark_confirmed(session: Session, member: Member, *, now: datetime) -> None:
    member.confirmed_at = now
    prefer_member_data(session, member, now=now)
    log_security_event_on_commit(session, SecurityEvent.EMAIL_CONFIRMED, member_id=member.id)


def reset_password(token: str, password: str) -> None:
    """Set a new password, authorised by a token from an email. Raises InvalidEmailToken, or Invalid for `/password`.

    All sessions, access tokens and passkeys are revoked, because an intruder could have created them. The second factor
    and personal feeds are removed if the email address was unconfirmed, because another person could have registered
    that address. Using the token also confirms the email address.
    """
    with read_session() as session:
        owner, _detail = _parse_token(session, token, salt=_RESET_SALT, max_age=RESET_MAX_AGE)
    password_hash = password_hashes.hash_new_password(password, email=owner.email, name=owner.name)
    with unit_of_work() as session:
        _reset_password(session, token, password_hash, now=now())


def _reset_password(session: Session, token: str, password_hash: str, *, now: datetime) -> None:
    row, _detail = _parse_token(session, token, salt=_RESET_SALT, max_age=RESET_MAX_AGE)
    delete_all_access_tokens(session, row)
    delete_all_passkeys(session, row)
    if row.confirmed_at is None:
        _mark_confirmed(session, row, now=now)
        disable_totp(session, row)
        revoke_all_personal_feeds(session, row, now=now)
    change_password(session, row, password_hash, now=now)


def change_own_password(password: str) -> Member:
    """Set a new password of the current user. Raises Invalid for `/new_password`."""
    with read_session() as session:
        owner = current_member(session)
    password_hash = password_hashes.hash_new_password(
        password, email=owner.email, name=owner.name, pointer="/new_password"
    )
    with unit_of_work() as session:
        return change_password(session, current_member(session), password_hash, now=now())


def change_password(session: Session, member: Member, password_hash: str, *, now: datetime) -> Member:
    """Set a new password, end all sessions of the member, and notify the member by email."""
    member.password = password_hash
    end_sessions_and_email_tokens(session, member)
    _queue_template_email(session, member, MailKind.CHANGED, now=now)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.PASSWORD_CHANGED, member_id=member.id)
    return member


def end_other_sessions_and_notify(session: Session, member: Member, *, now: datetime) -> None:
    """End all other sessions of the current user, and notify the member that the sign-in methods have changed."""
    end_other_sessions(session, member)
    _queue_template_email(session, member, MailKind.FACTORS, now=now)


def notify_of_guessing(session: Session, member: Member, *, now: datetime) -> None:
    """Notify a member that someone repeatedly tries to guess their password or second-factor code."""
    _queue_template_email(session, member, MailKind.GUESSING, now=now)


def _queue_template_email(session: Session, member: Member, kind: MailKind, *, now: datetime) -> None:
    if settings().mail_url is None:
        return
    calendar = settings().name
    subjects = {
        MailKind.CONFIRM: _("%(calendar)s: confirm your address", calendar=calendar),
        MailKind.RESET: _("%(calendar)s: choose a new password", calendar=calendar),
        MailKind.EXISTS: _("%(calendar)s: you have an account already", calendar=calendar),
        MailKind.FACTORS: _("%(calendar)s: how you sign in was changed", calendar=calendar),
        MailKind.CHANGED: _("%(calendar)s: your password was changed", calendar=calendar),
        MailKind.GUESSING: _("%(calendar)s: failed attempts to sign in", calendar=calendar),
    }
    tokens = {MailKind.CONFIRM: confirmation_token, MailKind.RESET: reset_token, MailKind.EXISTS: reset_token}
    token = tokens[kind](member) if kind in tokens else ""
    # Emails contain no text written by members, because anyone can trigger an email to any address.
    # Emails use the language of the request, because the recipient most likely sent the request.
    mail = current_app.jinja_env.get_template(f"mail/{kind}.txt")
    text = mail.render(base=settings().base_url, calendar=calendar, token=token)
    queue_mail(session, kind, to=member.email, subject=subjects[kind], text=text, now=now)


def confirmation_token(member: Member) -> str:
    return str(_token_serializer(_CONFIRM_SALT).dumps([member.fs_uniquifier, _sha256(member.email)]))


def reset_token(member: Member) -> str:
    """Return a token for resetting the password. Changing the password invalidates the token."""
    # The second value in the token is not checked and exists only for compatibility with earlier releases.
    return str(_token_serializer(_RESET_SALT).dumps([member.fs_uniquifier, None]))


def _parse_token(session: Session, token: str, *, salt: str, max_age: timedelta) -> tuple[Member, object]:
    """Return the member to whom a token belongs, and the second value in the token. Raises InvalidEmailToken."""
    try:
        key, detail = _token_serializer(salt).loads(token, max_age=int(max_age.total_seconds()))
    except (BadSignature, TypeError, ValueError) as error:
        raise InvalidEmailToken(_INVALID_LINK) from error
    member = find_active_member_by_uniquifier(session, key) if isinstance(key, str) else None
    if member is None:
        raise InvalidEmailToken(_INVALID_LINK)
    return member, detail


def _token_serializer(salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt=salt)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
