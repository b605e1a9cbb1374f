"""Passwords, hashed and compared; and the code that comes after the password of some members.

A password is hashed in its normal form (NFKD), so that it is the same however a keyboard writes it. Hashes are
computed with no transaction open: 40 ms would be long to hold the write lock.
"""

import unicodedata
from operator import attrgetter
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from marshmallow import Schema, ValidationError

from eventcal.kit.refusals import Fault, Invalid, Sentence, refuse_faults
from eventcal.members.errors import SecondFactorNeeded, SignInRefused
from eventcal.members.factors import Authenticator, find_totp, use_code
from eventcal.members.models import Member
from eventcal.members.service import find_member_by_email
from eventcal.web.http.errors import faults_in
from eventcal.web.identity.current_user import current_member, current_member_id
from eventcal.web.request import rate_limits, sessions
from eventcal.web.request.context import now, reading, settings, unit_of_work

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


def check_own_password(password: str) -> None:
    """Raise Invalid, with a fault at /password, unless this is the current user's password. Raises TooMany."""
    rate_limits.count_sign_in(current_member_id())
    with reading() as session:
        password_hash = current_member(session).password
    if not matches(password, password_hash):
        raise Invalid(faults=[Fault("/password", Sentence("is not your password"))])


def load_with_own_password(schema: Schema, given: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Load a body or a form with the schema, and check that its `password` is the current user's.

    A well-formed password is compared even if other fields are invalid. Raises Invalid with every fault; TooMany.
    """
    faults: list[Fault] = []
    try:
        fields: dict[str, Any] = schema.load(given)
    except ValidationError as error:
        fields = error.valid_data if isinstance(error.valid_data, dict) else {}
        faults = faults_in(error.messages, location="json")
    if "password" in fields:
        try:
            check_own_password(fields["password"])
        except Invalid as error:
            faults = sorted([*faults, *error.faults], key=attrgetter("pointer"))
    refuse_faults(faults)
    return fields


def authenticate(address: str, password: str) -> Member:
    """Return the member with this address and password. Raises SignInRefused, after the same work whoever was named."""
    with reading() as session:
        found = find_member_by_email(session, address)
    known = found.password if found is not None and found.active else None
    if not matches(password, known) or found is None or known is None:
        raise SignInRefused(Sentence("Address and password do not belong together."))
    if _hasher().check_needs_rehash(known):
        renewed = hashed(_normal(password))
        with unit_of_work() as session:
            row = session.get(Member, found.id)
            # Unless the password was changed meanwhile.
            if row is not None and row.password == known:
                row.password = renewed
    return found


def authenticator() -> Authenticator:
    """Return what makes and reads the secrets of authenticator apps on this installation."""
    return Authenticator(settings().secret_key, settings().name)


def needs_code(found: Member) -> bool:
    """Say whether this member's password is not enough."""
    with reading() as reader:
        return find_totp(reader, found.id) is not None


def check_code(found: Member, code: str) -> None:
    """Use up a code of the member's app, or a recovery code of theirs. Raises CodeRefused, TooMany."""
    rate_limits.count_code(found.id)
    with unit_of_work() as unit:
        use_code(unit, found, code, authenticator(), now=now())


def check_second_factor(found: Member, code: str | None) -> None:
    """Refuse whoever gave the right password and nothing else, where a code is needed.

    Raises SecondFactorNeeded, CodeRefused, TooMany.
    """
    if not needs_code(found):
        return
    if code is None:
        raise SecondFactorNeeded(
            Sentence("Send the code that your authenticator app shows, or a recovery code, as `code`.")
        )
    check_code(found, code)


def find_pending() -> Member | None:
    """Return the member whose password this browser gave within the last minutes, while that password is theirs."""
    stored = sessions.find_stored()
    return stored.member if stored is not None and stored.row.pending else None


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKD", password)


def _hasher() -> PasswordHasher:
    return PasswordHasher(
        memory_cost=ARGON2_COST["memory_cost"],
        time_cost=ARGON2_COST["time_cost"],
        parallelism=ARGON2_COST["parallelism"],
    )
