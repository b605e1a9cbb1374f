"""A member's passkeys: listed, added, used, removed. web/identity/passkeys.py checks before what their devices say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.kit.refusals import Sentence
from eventcal.members.errors import NoSuchPasskey, PasskeyKnown, PasskeyRefused
from eventcal.members.models import Member, Passkey


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """What a device told of a key that it made."""

    user_handle: bytes
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: Sequence[str]


def list_passkeys(session: Session, member_id: str) -> Sequence[Passkey]:
    """Return a member's passkeys, the oldest first."""
    rows = select(Passkey).where(Passkey.member_id == member_id).order_by(Passkey.created_at, Passkey.id)
    return session.scalars(rows).all()


def get_passkey(session: Session, passkey_id: str, member_id: str) -> Passkey:
    """Return one of the member's passkeys. Raises NoSuchPasskey."""
    found = session.get(Passkey, passkey_id)
    if found is None or found.member_id != member_id:
        raise NoSuchPasskey(passkey_id)
    return found


def find_by_credential(session: Session, credential_id: bytes) -> tuple[Passkey, Member] | None:
    """Return the passkey that a device knows by this id, and whose it is, if they may sign in."""
    rows = select(Passkey, Member).join(Member, Member.id == Passkey.member_id)
    found = session.execute(rows.where(Passkey.credential_id == credential_id, Member.active)).one_or_none()
    return None if found is None else (found[0], found[1])


def add_passkey(session: Session, member: Member, key: NewKey, *, name: str, now: datetime) -> Passkey:
    """Add a passkey. Raises PasskeyKnown where somebody has it already."""
    # Writers follow one another: nobody adds it between this look and the commit.
    if session.scalars(select(Passkey.id).where(Passkey.credential_id == key.credential_id)).first() is not None:
        raise PasskeyKnown(Sentence("This device has a passkey here already."))
    passkey = Passkey(
        member_id=member.id,
        user_handle=key.user_handle,
        credential_id=key.credential_id,
        public_key=key.public_key,
        sign_count=key.sign_count,
        transports=list(key.transports),
        name=name,
        created_at=now,
    )
    session.add(passkey)
    session.flush()
    return passkey


def use_passkey(session: Session, passkey_id: str, *, sign_count: int, now: datetime) -> Member:
    """Note that a passkey was used, and return whose it is.

    Raises PasskeyRefused where it is gone meanwhile, or where its count did not rise: then there are two of it.
    """
    passkey = session.get(Passkey, passkey_id)
    if passkey is None or ((sign_count or passkey.sign_count) and sign_count <= passkey.sign_count):
        raise PasskeyRefused(Sentence("This passkey was not taken."))
    passkey.sign_count = sign_count
    passkey.last_used_at = now
    session.flush()
    return session.get_one(Member, passkey.member_id)


def remove_passkey(session: Session, passkey: Passkey) -> None:
    """Take a passkey away."""
    session.delete(passkey)
    session.flush()
