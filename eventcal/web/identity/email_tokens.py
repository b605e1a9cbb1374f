"""Tokens that are emailed: one confirms an address, the other sets a new password. Signed, and not stored.

Format, salts and signing key are those of Flask-Security, which made these tokens in earlier releases.
"""

import hashlib
from datetime import timedelta

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from eventcal.kit.refusals import Sentence
from eventcal.members.errors import MailedTokenRefused
from eventcal.members.models import Member
from eventcal.members.queries import find_active_member
from eventcal.web.request.context import settings

CONFIRM_WITHIN = timedelta(days=2)
RESET_WITHIN = timedelta(hours=1)

_CONFIRM_SALT, _RESET_SALT = "confirm-salt", "reset-salt"
_REFUSED = Sentence("This link is no longer good; ask for a new one.")


def confirmation_token(member: Member) -> str:
    """Return a token that confirms the member's present address."""
    return str(_serializer(_CONFIRM_SALT).dumps([member.fs_uniquifier, _digest(member.email)]))


def reset_token(member: Member) -> str:
    """Return a token that sets a new password; the password that it sets voids it."""
    # Earlier releases wrote a digest of the password in the second place, and did not look at it either.
    return str(_serializer(_RESET_SALT).dumps([member.fs_uniquifier, None]))


def member_to_confirm(session: Session, token: str) -> Member:
    """Return the member whose address a token confirms. Raises MailedTokenRefused."""
    member, address = _read(session, token, salt=_CONFIRM_SALT, within=CONFIRM_WITHIN)
    if address != _digest(member.email):
        raise MailedTokenRefused(_REFUSED)
    return member


def member_to_reset(session: Session, token: str) -> Member:
    """Return the member whose password a token may set. Raises MailedTokenRefused."""
    member, _ = _read(session, token, salt=_RESET_SALT, within=RESET_WITHIN)
    return member


def _read(session: Session, token: str, *, salt: str, within: timedelta) -> tuple[Member, object]:
    """Return the member whom a token names, and what it holds in the second place. Raises MailedTokenRefused."""
    try:
        key, detail = _serializer(salt).loads(token, max_age=int(within.total_seconds()))
    except (BadSignature, TypeError, ValueError) as error:
        raise MailedTokenRefused(_REFUSED) from error
    member = find_active_member(session, key) if isinstance(key, str) else None
    if member is None:
        raise MailedTokenRefused(_REFUSED)
    return member, detail


def _serializer(salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt=salt)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
