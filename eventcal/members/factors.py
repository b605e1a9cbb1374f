"""A member's second factor: an authenticator app, and recovery codes for whoever has lost it."""

import re
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from eventcal.kit.ids import new_id, secret_hash
from eventcal.kit.refusals import Sentence
from eventcal.members.errors import CodeRefused, SecondFactorOn
from eventcal.members.models import Member, Passkey, RecoveryCode, TotpSecret
from eventcal.members.service import new_member_key
from eventcal.members.sessions import end_sessions
from eventcal.members.totp import Authenticator

RECOVERY_CODES = 10

# As people read them: ids have none of these letters.
_READ_AS = str.maketrans("oil", "011")


def find_totp(session: Session, member_id: str) -> TotpSecret | None:
    """Return what a member's authenticator app makes codes from; None where their password is enough."""
    return session.get(TotpSecret, member_id)


def count_recovery_codes(session: Session, member_id: str) -> int:
    """Return how many recovery codes a member has left."""
    return session.scalars(
        select(func.count()).select_from(RecoveryCode).where(RecoveryCode.member_id == member_id)
    ).one()


def turn_on(session: Session, member: Member, sealed: str, *, counter: int, now: datetime) -> list[str]:
    """Have a member's password need a code, too. Returns their recovery codes, which are not kept.

    counter: the step of the code that showed that the app has the secret; it is used up. Raises SecondFactorOn.
    """
    if find_totp(session, member.id) is not None:
        raise SecondFactorOn(Sentence("You have set up an app already; turn it off before you set up another."))
    session.add(TotpSecret(member_id=member.id, sealed=sealed, last_counter=counter, created_at=now))
    return renew_recovery_codes(session, member)


def turn_off(session: Session, member: Member) -> None:
    """Have a member's password be enough again; their recovery codes end with it."""
    session.execute(delete(TotpSecret).where(TotpSecret.member_id == member.id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.member_id == member.id))


def renew_recovery_codes(session: Session, member: Member) -> list[str]:
    """Give a member new recovery codes, in groups to be read; those from before end."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.member_id == member.id))
    codes = [new_id() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(member_id=member.id, code_hash=secret_hash(code)) for code in codes)
    session.flush()
    return ["-".join(re.findall("....", code)) for code in codes]


def use_code(session: Session, member: Member, typed: str, authenticator: Authenticator, *, now: datetime) -> None:
    """Use up a code of the member's app, or a recovery code of theirs. Raises CodeRefused.

    Writers follow one another, so of two who come with one code, one is refused.
    """
    code = re.sub(r"[\s-]", "", typed).lower()
    if re.fullmatch("[0-9]{6}", code):
        taken = _use_app_code(session, member, code, authenticator, now=now)
    else:
        taken = _use_recovery_code(session, member, code.translate(_READ_AS))
    if not taken:
        raise CodeRefused(Sentence("This code is wrong, too old, or was used before."))


def reset_factors(session: Session, member: Member) -> None:
    """Take away every way to sign in but the password, and end every session: for whoever has lost their devices."""
    turn_off(session, member)
    remove_passkeys(session, member)
    member.fs_uniquifier = new_member_key()
    end_sessions(session, member)


def remove_passkeys(session: Session, member: Member) -> None:
    """Take away every passkey of a member's."""
    session.execute(delete(Passkey).where(Passkey.member_id == member.id))


def _use_app_code(session: Session, member: Member, code: str, authenticator: Authenticator, *, now: datetime) -> bool:
    totp = find_totp(session, member.id)
    if totp is None:
        return False
    counter = authenticator.find_counter(totp.sealed, code, now=now, after=totp.last_counter)
    if counter is None:
        return False
    totp.last_counter = counter
    session.flush()
    return True


def _use_recovery_code(session: Session, member: Member, code: str) -> bool:
    rows = select(RecoveryCode).where(RecoveryCode.member_id == member.id, RecoveryCode.code_hash == secret_hash(code))
    found = session.scalars(rows).one_or_none()
    if found is None:
        return False
    session.delete(found)
    session.flush()
    return True
