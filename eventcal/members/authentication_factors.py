"""Authentication factors in addition to the password: authenticator apps (TOTP), recovery codes and passkeys."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from passlib.exc import TokenError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from eventcal.kit.errors import Message, NotFound
from eventcal.kit.ids import hash_secret, new_code
from eventcal.members.errors import DuplicatePasskey, InvalidCode, InvalidPasskey, SecondFactorAlreadyEnabled
from eventcal.members.models import Member, Passkey, RecoveryCode, TotpSecret
from eventcal.members.security_log import SecurityEvent, log_security_event, log_security_event_on_commit
from eventcal.members.sessions import end_sessions_and_email_tokens

RECOVERY_CODE_COUNT = 10
RECOVERY_CODE_LENGTH = 24
"""The number of characters in new recovery codes: 120 bits, so that the stored hashes need no salt."""
MAX_CLOCK_DRIFT = 30
"""The accepted clock drift in seconds: one time step, so the previous and next codes are also valid."""

_KEY_DERIVATION_INFO = b"eventcal: secrets of authenticator apps"
# Recovery codes do not contain the letters o, i and l, which are easily confused with digits.
_LETTERS_TO_DIGITS = str.maketrans("oil", "011")


@dataclass(frozen=True)
class TotpAuthenticator:
    """Creates and reads encrypted TOTP secrets. `issuer` is the name of the website as shown in authenticator apps."""

    secret_key: str
    issuer: str

    def new_encrypted_secret(self) -> str:
        return str(self._totp.new().to_json(encrypt=True))

    def format_secret(self, encrypted_secret: str) -> str:
        return str(self._totp.from_source(encrypted_secret).pretty_key())

    def build_otpauth_uri(self, encrypted_secret: str, *, account_name: str) -> str:
        return str(self._totp.from_source(encrypted_secret).to_uri(_replace_colons(account_name)))

    def find_time_step(
        self, encrypted_secret: str, code: str, *, now: datetime, last_time_step: int | None = None
    ) -> int | None:
        """Return the time step of a code, or None if the code is wrong or not newer than `last_time_step`."""
        totp = self._totp.from_source(encrypted_secret)
        try:
            return int(totp.match(code, time=now, window=MAX_CLOCK_DRIFT, last_counter=last_time_step).counter)
        except TokenError:
            return None

    @cached_property
    def _totp(self) -> Any:  # noqa: ANN401 - the library has no types
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        from passlib.totp import TOTP, AppWallet

        # Key stretching has no benefit for a long, random key.
        derived = HKDF(SHA256(), length=32, salt=None, info=_KEY_DERIVATION_INFO).derive(self.secret_key.encode())
        wallet = AppWallet({"1": derived.hex()}, encrypt_cost=0)
        return TOTP.using(issuer=_replace_colons(self.issuer), wallet=wallet)


def _replace_colons(name: str) -> str:
    # In an `otpauth:` URI, a colon separates the issuer from the account name.
    return name.replace(":", " ")


def find_totp_secret(session: Session, member_id: str) -> TotpSecret | None:
    return session.get(TotpSecret, member_id)


def count_recovery_codes(session: Session, member_id: str) -> int:
    return session.scalars(select(func.count()).where(RecoveryCode.member_id == member_id)).one()


def enable_totp(session: Session, member: Member, encrypted_secret: str, *, counter: int, now: datetime) -> list[str]:
    """Enable an authenticator app and return new recovery codes. `counter` is the time step of the verified code.

    Raises SecondFactorAlreadyEnabled.
    """
    if find_totp_secret(session, member.id) is not None:
        detail = Message("An authenticator app is already set up. Remove it before you set up another one.")
        raise SecondFactorAlreadyEnabled(detail)
    session.add(TotpSecret(member_id=member.id, sealed=encrypted_secret, last_counter=counter, created_at=now))
    log_security_event_on_commit(session, SecurityEvent.SECOND_FACTOR_ADDED, member_id=member.id, factor="totp")
    return replace_recovery_codes(session, member)


def disable_totp(session: Session, member: Member) -> None:
    secret = find_totp_secret(session, member.id)
    session.execute(delete(RecoveryCode).where(RecoveryCode.member_id == member.id))
    if secret is not None:
        session.delete(secret)
        session.flush()
        log_security_event_on_commit(session, SecurityEvent.SECOND_FACTOR_REMOVED, member_id=member.id, factor="totp")


def replace_recovery_codes(session: Session, member: Member) -> list[str]:
    """Replace the recovery codes of a member and return the new codes, formatted in groups of characters."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.member_id == member.id))
    codes = [new_code(RECOVERY_CODE_LENGTH) for _ in range(RECOVERY_CODE_COUNT)]
    session.add_all(RecoveryCode(member_id=member.id, code_hash=hash_secret(code)) for code in codes)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.RECOVERY_CODES_REPLACED, member_id=member.id)
    return ["-".join(re.findall("....", code)) for code in codes]


def use_second_factor_code(
    session: Session, member: Member, typed_code: str, *, authenticator: TotpAuthenticator, now: datetime
) -> None:
    """Verify a TOTP code or a recovery code of a member and mark the code as used. Raises InvalidCode."""
    code = re.sub(r"[\s-]", "", typed_code).lower()
    is_totp_code = re.fullmatch("[0-9]{6}", code) is not None
    if is_totp_code:
        taken = _use_totp_code(session, member, code, app=authenticator, now=now)
    else:
        taken = _use_recovery_code(session, member, code.translate(_LETTERS_TO_DIGITS))
    factor = "totp" if is_totp_code else "recovery-code"
    if not taken:
        log_security_event(SecurityEvent.SECOND_FACTOR_FAILED, member_id=member.id, factor=factor)
        raise InvalidCode(Message("This code is wrong, expired or already used."))
    log_security_event_on_commit(session, SecurityEvent.SECOND_FACTOR_USED, member_id=member.id, factor=factor)


def _use_totp_code(session: Session, member: Member, code: str, *, app: TotpAuthenticator, now: datetime) -> bool:
    totp = find_totp_secret(session, member.id)
    counter = app.find_time_step(totp.sealed, code, now=now, last_time_step=totp.last_counter) if totp else None
    if totp is None or counter is None:
        return False
    totp.last_counter = counter
    return True


def _use_recovery_code(session: Session, member: Member, code: str) -> bool:
    rows = select(RecoveryCode).where(RecoveryCode.member_id == member.id, RecoveryCode.code_hash == hash_secret(code))
    found = session.scalars(rows).one_or_none()
    if found is None:
        return False
    session.delete(found)
    return True


def remove_second_factors(session: Session, member: Member) -> None:
    disable_totp(session, member)
    delete_all_passkeys(session, member)
    end_sessions_and_email_tokens(session, member)


def list_passkeys(session: Session, member_id: str) -> Sequence[Passkey]:
    rows = select(Passkey).where(Passkey.member_id == member_id).order_by(Passkey.created_at, Passkey.id)
    return session.scalars(rows).all()


def get_passkey(session: Session, passkey_id: str, member_id: str) -> Passkey:
    """Return the member's passkey with this ID. Raises NotFound."""
    found = session.get(Passkey, passkey_id)
    if found is None or found.member_id != member_id:
        raise NotFound(Message("You have no passkey “%(passkey_id)s”.", passkey_id=passkey_id))
    return found


def find_passkey_by_credential_id(session: Session, credential_id: bytes) -> Passkey | None:
    """Return the passkey with this credential ID, or None if no active member has such a passkey."""
    rows = select(Passkey).join(Member, Member.id == Passkey.member_id)
    return session.scalars(rows.where(Passkey.credential_id == credential_id, Member.active)).one_or_none()


def register_passkey(session: Session, passkey: Passkey) -> Passkey:
    """Add a passkey. Raises DuplicatePasskey if the credential ID is already registered."""
    # Write transactions are serialised, so concurrent requests cannot add the same passkey.
    if session.scalars(select(Passkey.id).where(Passkey.credential_id == passkey.credential_id)).first() is not None:
        raise DuplicatePasskey(Message("This device already has a passkey for this account."))
    session.add(passkey)
    session.flush()
    log_security_event_on_commit(
        session, SecurityEvent.SECOND_FACTOR_ADDED, member_id=passkey.member_id, factor="passkey", passkey=passkey.id
    )
    return passkey


def record_passkey_use(session: Session, passkey_id: str, *, sign_count: int, now: datetime) -> Member:
    """Record the use of a passkey and return its member. Raises InvalidPasskey if the passkey was deleted or copied."""
    passkey = session.get(Passkey, passkey_id)
    # A signature counter that does not increase indicates that the passkey was copied.
    if passkey is None or ((sign_count or passkey.sign_count) and sign_count <= passkey.sign_count):
        raise InvalidPasskey(Message("The passkey could not be verified."))
    passkey.sign_count = sign_count
    passkey.last_used_at = now
    session.flush()
    log_security_event_on_commit(
        session, SecurityEvent.SECOND_FACTOR_USED, member_id=passkey.member_id, factor="passkey", passkey=passkey.id
    )
    return session.get_one(Member, passkey.member_id)


def delete_passkey(session: Session, passkey_id: str, member_id: str) -> None:
    """Delete a passkey of the member. Raises NotFound."""
    _delete_passkeys(session, [get_passkey(session, passkey_id, member_id)])


def delete_all_passkeys(session: Session, member: Member) -> None:
    _delete_passkeys(session, list_passkeys(session, member.id))


def _delete_passkeys(session: Session, passkeys: Sequence[Passkey]) -> None:
    for passkey in passkeys:
        session.delete(passkey)
        log_security_event_on_commit(
            session,
            SecurityEvent.SECOND_FACTOR_REMOVED,
            member_id=passkey.member_id,
            factor="passkey",
            passkey=passkey.id,
        )
    session.flush()
