"""Registration, email confirmation, password changes and the related emails.

The tokens in emails are signed and not stored. A token is valid only for the email address that the account has when
the token is created, and becomes invalid when the member's `fs_uniquifier` changes.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature
from sqlalchemy.orm import Session

from eventcal.config import Registration
from eventcal.invitations.queries import has_open_invitation
from eventcal.kit.errors import FieldError, Invalid, Message
from eventcal.members.access import confirm_member
from eventcal.members.authentication_factors import delete_all_passkeys, disable_totp
from eventcal.members.errors import DuplicateEmail, InvalidEmailToken, NotInvited, RegistrationClosed
from eventcal.members.models import Member
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import (
    change_email,
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
from eventcal.web.i18n import current_language_code
from eventcal.web.identity import current_user, password_hashes
from eventcal.web.identity.current_user import current_member
from eventcal.web.identity.known_browsers import remember_browser
from eventcal.web.request.context import now, read_session, settings, unit_of_work
from eventcal.web.request.rate_limits import count_email
from eventcal.web.request.signing import token_serializer

CONFIRM_MAX_AGE = timedelta(days=2)
RESET_MAX_AGE = timedelta(hours=1)

_CONFIRM_SALT, _RESET_SALT = "confirm", "reset"
INVALID_LINK = Message("This link is invalid or has expired. Request a new one.")


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
            new = create_member(
                session,
                email=email,
                name=name,
                password_hash=password_hash,
                language=current_language_code(),
                now=now(),
            )
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
        is_confirmed = found is not None and current_user.is_email_confirmed(found)
        if found is None or not found.active or (kind == MailKind.CONFIRM and is_confirmed):
            # Requests for known and unknown addresses must take the same time.
            pretend_to_queue_mail(session, kind, to=email, now=now())
        else:
            _queue_template_email(session, found, kind, now=now())
            if kind == MailKind.RESET:
                log_security_event_on_commit(session, SecurityEvent.PASSWORD_RESET_REQUESTED, member_id=found.id)


class Confirmation(NamedTuple):
    """What a confirmation token confirms: the address of a member, or `new_email` as their new address."""

    member: Member
    new_email: str | None

    @property
    def can_set_password(self) -> bool:
        """Whether the token is sufficient to set a new password for the account.

        It is not sufficient for changing an address, because a mistyped new address can belong to another person.
        """
        return self.new_email is None and self.member.confirmed_at is None


def find_confirmation(session: Session, token: str) -> Confirmation:
    """Return what a token from a confirmation email confirms. Raises InvalidEmailToken."""
    member, further = _parse_token(session, token, salt=_CONFIRM_SALT, max_age=CONFIRM_MAX_AGE)
    return Confirmation(member, further[0] if further else None)


def request_email_change(session: Session, member: Member, new_email: str) -> None:
    """Send a link to the new address of the current user and a notice to the old address.

    `new_email` must be normalised. If sending email is disabled, the address changes at once, or DuplicateEmail is
    raised. Otherwise, no response reveals whether another person has an account.
    """
    if new_email == member.email:
        return
    if settings().mail_url is None:
        change_email(session, member, new_email)
        return
    log_security_event_on_commit(session, SecurityEvent.EMAIL_CHANGE_REQUESTED, member_id=member.id)
    owner = find_member_by_email(session, new_email)
    if owner is None or owner.id == member.id:
        _queue_template_email(session, member, MailKind.ADDRESS, to=new_email, now=now())
    else:
        _queue_template_email(session, owner, MailKind.EXISTS, now=now())
    _queue_template_email(session, member, MailKind.MOVING, now=now())


def reset_password(token: str, password: str) -> None:
    """Set a new password, authorised by a token from an email. Raises InvalidEmailToken, or Invalid for `/password`.

    All sessions, access tokens and passkeys are revoked, because an intruder could have created them. Using the token
    also confirms the email address.
    """
    with read_session() as session:
        owner, _further = _parse_token(session, token, salt=_RESET_SALT, max_age=RESET_MAX_AGE)
    password_hash = password_hashes.hash_new_password(password, email=owner.email, name=owner.name)
    with unit_of_work() as session:
        _reset_password(session, token, password_hash, now=now())
    # The owner can sign in even while somebody guesses the password.
    remember_browser(owner.email)


def _reset_password(session: Session, token: str, password_hash: str, *, now: datetime) -> None:
    row, _further = _parse_token(session, token, salt=_RESET_SALT, max_age=RESET_MAX_AGE)
    if row.confirmed_at is None:
        take_over_account(session, row, password_hash, now=now)
    else:
        delete_all_access_tokens(session, row)
        delete_all_passkeys(session, row)
        change_password(session, row, password_hash, now=now)


def confirm_account(session: Session, member: Member, *, now: datetime, except_session_id: str | None = None) -> None:
    """Confirm the address of a member, end all access from before, and show the member's data where they speak."""
    confirm_member(session, member, now=now, except_session_id=except_session_id)
    prefer_member_data(session, member, now=now)


def take_over_account(session: Session, member: Member, password_hash: str, *, now: datetime) -> None:
    """Confirm the address of a member, set a new password, and revoke everything that the registrant has set up.

    Another person could have registered the address.
    """
    confirm_account(session, member, now=now)
    delete_all_passkeys(session, member)
    disable_totp(session, member)
    revoke_all_personal_feeds(session, member, now=now)
    change_password(session, member, password_hash, now=now)


def change_own_password(fields: Mapping[str, Any]) -> Member:
    """Set a new password of the current user, and revoke their access tokens if this is asked for.

    `fields` contains the fields of the schema `PasswordIn`. Raises Invalid for `/new_password`.
    """
    with read_session() as session:
        owner = current_member(session)
    password_hash = password_hashes.hash_new_password(
        fields["new_password"], email=owner.email, name=owner.name, pointer="/new_password"
    )
    with unit_of_work() as session:
        member = current_member(session)
        if fields["revoke_tokens"]:
            delete_all_access_tokens(session, member)
        return change_password(session, member, password_hash, now=now())


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
    current_user.end_other_sessions(session, member)
    _queue_template_email(session, member, MailKind.FACTORS, now=now)


def notify_of_guessing(session: Session, member: Member, *, now: datetime) -> None:
    """Notify a member that someone repeatedly tries to guess their password or second-factor code."""
    _queue_template_email(session, member, MailKind.GUESSING, now=now)


def _queue_template_email(
    session: Session, member: Member, kind: MailKind, *, to: str | None = None, now: datetime
) -> None:
    """Queue an email to a member, or to their future address `to`."""
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
        MailKind.ADDRESS: _("%(calendar)s: confirm your new address", calendar=calendar),
        MailKind.MOVING: _("%(calendar)s: your address is about to change", calendar=calendar),
    }
    token = ""
    if kind in {MailKind.CONFIRM, MailKind.ADDRESS}:
        token = confirmation_token(member, new_email=to)
    elif kind in {MailKind.RESET, MailKind.EXISTS}:
        token = reset_token(member)
    # Emails contain no text written by members, because anyone can trigger an email to any address.
    # Emails use the language of the request, because the recipient most likely sent the request.
    mail = current_app.jinja_env.get_template(f"mail/{kind}.txt")
    text = mail.render(base=settings().base_url, calendar=calendar, token=token)
    queue_mail(session, kind, to=to or member.email, subject=subjects[kind], text=text, now=now)


def confirmation_token(member: Member, *, new_email: str | None = None) -> str:
    """Return a token for confirming the address of a member or, with `new_email`, for changing it to that address."""
    return _create_token(member, _CONFIRM_SALT, *([] if new_email is None else [new_email]))


def reset_token(member: Member) -> str:
    """Return a token for resetting the password. Changing the password invalidates the token."""
    return _create_token(member, _RESET_SALT)


def _create_token(member: Member, salt: str, *further: str) -> str:
    return str(token_serializer(salt).dumps([member.fs_uniquifier, _sha256(member.email), *further]))


def _parse_token(session: Session, token: str, *, salt: str, max_age: timedelta) -> tuple[Member, list[str]]:
    """Return the member to whom a token belongs, and the further values in the token. Raises InvalidEmailToken."""
    try:
        key, address, *further = token_serializer(salt).loads(token, max_age=int(max_age.total_seconds()))
    except (BadSignature, TypeError, ValueError) as error:
        raise InvalidEmailToken(INVALID_LINK) from error
    member = find_active_member_by_uniquifier(session, key)
    if member is None or address != _sha256(member.email):
        raise InvalidEmailToken(INVALID_LINK)
    return member, further


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
