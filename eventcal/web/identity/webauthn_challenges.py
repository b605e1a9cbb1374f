"""Challenges of passkeys: what a browser's key has to sign. Each is of one session, and answered once."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from eventcal.kit.refusals import Sentence
from eventcal.members.errors import PasskeyRefused
from eventcal.web.request.idempotency import is_first_time
from eventcal.web.request.session_state import find_note, forget_note, note

ADD, SIGN_IN = "passkey_to_add", "passkey_to_sign_in"
NOT_TAKEN = Sentence("This passkey was not taken.")

_GOOD_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Asked:
    """What a browser is asked with; `handle`: who a member without a passkey is to be to their devices."""

    challenge: bytes
    handle: bytes


def ask(what: str) -> Asked:
    """Return the challenge of this session, the one that other tabs show or else a new one."""
    found = _find(what)
    if found is None:
        found = Asked(secrets.token_bytes(32), secrets.token_bytes(64))
        note(what, challenge=bytes_to_base64url(found.challenge), handle=bytes_to_base64url(found.handle))
    return found


def take(what: str) -> Asked:
    """Return the challenge of this session, and forget it there. Raises PasskeyRefused."""
    found = _find(what)
    forget_note(what)
    if found is None:
        raise PasskeyRefused(NOT_TAKEN)
    return found


def spend(unit: Session, asked: Asked, member_id: str) -> None:
    """Note that a member answered a challenge. Raises PasskeyRefused where it was answered before.

    Whoever kept the cookie that holds it could answer it again.
    """
    if not is_first_time(unit, f"passkey {asked.challenge.hex()}", member_id=member_id):
        raise PasskeyRefused(NOT_TAKEN)


def _find(what: str) -> Asked | None:
    noted = find_note(what, within=_GOOD_FOR)
    if noted is None:
        return None
    return Asked(base64url_to_bytes(noted["challenge"]), base64url_to_bytes(noted["handle"]))
