"""Confirming the email address of a member, or their new address, with a link from an email."""

from collections.abc import Mapping

from eventcal.kit.errors import FieldError, Invalid, Message
from eventcal.members.errors import InvalidEmailToken
from eventcal.members.models import Member
from eventcal.members.service import change_email
from eventcal.members.sessions import end_sessions
from eventcal.web.identity import password_hashes
from eventcal.web.identity.accounts import INVALID_LINK, confirm_account, find_confirmation, take_over_account
from eventcal.web.identity.current_user import caller, check_csrf, current_member, current_session_id
from eventcal.web.identity.passwords_and_codes import check_password
from eventcal.web.request.context import now, read_session, unit_of_work


def is_signed_in_as(member: Member) -> bool:
    """Return whether the request comes from a browser that is signed in to this account."""
    here = caller()
    return here.scopes is None and here.member_id == member.id


def confirm_email(fields: Mapping[str, str]) -> None:
    """Confirm the address of a member, or their new address, with the fields of the schema `ConfirmIn`. Idempotent.

    The token shows that the reader has access to the mailbox, but another person could have registered the address. The
    reader therefore proves that the account is theirs: by being signed in, or with its password. Otherwise, the reader
    takes over the account with `new_password`. Confirming an address ends all other sessions and revokes all access
    tokens, because another person could have created them.

    Raises InvalidEmailToken, CsrfFailed, TooManyRequests, DuplicateEmail, or Invalid if the proof is missing or wrong.
    """
    token, new_password = fields["token"], fields.get("new_password")
    with read_session() as session:
        found = find_confirmation(session, token)
    kept_session_id = new_password_hash = None
    if new_password is not None:
        new_password_hash = password_hashes.hash_new_password(
            new_password, email=found.member.email, name=found.member.name, pointer="/new_password"
        )
    elif "password" in fields:
        check_password(found.member, fields["password"])
    elif is_signed_in_as(found.member):
        check_csrf()
        kept_session_id = current_session_id()
    else:
        detail = Message("is required: the password of the account, unless this browser is signed in to the account")
        raise Invalid(errors=[FieldError("/password", detail)])
    with unit_of_work() as session:
        # The session, the password or the address may have changed since they were checked.
        member, new_email = confirmation = find_confirmation(session, token)
        if kept_session_id is not None:
            current_member(session)
        elif member.password != found.member.password:
            raise InvalidEmailToken(INVALID_LINK)
        if new_password_hash is not None:
            if not confirmation.can_set_password:
                detail = Message("cannot be set with this link; enter the password of the account")
                raise Invalid(errors=[FieldError("/new_password", detail)])
            take_over_account(session, member, new_password_hash, now=now())
            return
        if new_email is not None:
            change_email(session, member, new_email)
            end_sessions(session, member, except_id=kept_session_id)
        if member.confirmed_at is None:
            confirm_account(session, member, now=now(), except_session_id=kept_session_id)
