"""Password hashing, and verification of passwords and second factors.

Passwords are normalised before hashing, so that the hash does not depend on how a keyboard composes characters. Hashes
are computed outside transactions, because hashing takes 40 ms and would block other writers.
"""

from operator import attrgetter
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from marshmallow import Schema, ValidationError

from eventcal.kit.errors import FieldError, Invalid, Message, raise_if_invalid
from eventcal.members.authentication_factors import TotpAuthenticator, find_totp_secret, use_second_factor_code
from eventcal.members.errors import InvalidCredentials, SecondFactorRequired
from eventcal.members.models import Member
from eventcal.members.password_rules import normalise_password, password_errors
from eventcal.members.security_log import SecurityEvent, log_security_event
from eventcal.members.service import find_member_by_email
from eventcal.web.http.errors import to_field_errors
from eventcal.web.identity.current_user import current_member, current_member_id
from eventcal.web.request import browser_sessions, rate_limits
from eventcal.web.request.context import now, read_session, settings, unit_of_work

ARGON2_COST = {"memory_cost": 19456, "time_cost": 2, "parallelism": 1}
"""The Argon2 parameters recommended by OWASP (19 MiB, two passes). Hashing takes 40 ms."""


def hash_new_password(password: str, *, email: str, name: str, pointer: str = "/password") -> str:
    """Return the hash of a new password for the person with this email address and name.

    Raises Invalid with an error for `pointer` if the password is not allowed.
    """
    normal = normalise_password(password)
    errors = password_errors(normal, personal_texts=(settings().name, email, name))
    raise_if_invalid([FieldError(pointer, error) for error in errors])
    return hash_password(normal)


def hash_password(password: str) -> str:
    """Return the Argon2 hash of a normalised password."""
    return _password_hasher().hash(password)


def is_correct_password(password: str, password_hash: str | None) -> bool:
    """Return whether the password, after normalisation, matches the hash. If the hash is None, no password matches."""
    normal = normalise_password(password)
    if password_hash is None:
        hash_password(normal)  # The response time must not reveal that no hash exists.
        return False
    try:
        return _password_hasher().verify(password_hash, normal)
    except VerifyMismatchError:
        return False


def check_own_password(password: str) -> None:
    """Verify the current user's password. Raises TooManyRequests, or Invalid with an error for `/password`."""
    rate_limits.count_sign_in(current_member_id())
    with read_session() as session:
        password_hash = current_member(session).password
    if not is_correct_password(password, password_hash):
        log_security_event(SecurityEvent.SIGN_IN_FAILED, member_id=current_member_id())
        raise Invalid(errors=[FieldError("/password", Message("is not your current password"))])


def load_and_check_password(schema: Schema, data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Load data and verify the current user's password. Raises TooManyRequests, or Invalid with all field errors."""
    errors: list[FieldError] = []
    try:
        fields: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        fields = error.valid_data if isinstance(error.valid_data, dict) else {}
        errors = to_field_errors(error.messages, location="json")
    if "password" in fields:
        try:
            check_own_password(fields["password"])
        except Invalid as error:
            errors = sorted([*errors, *error.errors], key=attrgetter("pointer"))
    raise_if_invalid(errors)
    return fields


def authenticate_by_password(email: str, password: str) -> Member:
    """Return the active member with the given email address and password. Raises InvalidCredentials."""
    with read_session() as session:
        found = find_member_by_email(session, email)
    known = found.password if found is not None and found.active else None
    if not is_correct_password(password, known) or found is None or known is None:
        log_security_event(SecurityEvent.SIGN_IN_FAILED, member_id=None if found is None else found.id)
        raise InvalidCredentials(Message("Wrong email address or password."))
    if _password_hasher().check_needs_rehash(known):
        renewed = hash_password(normalise_password(password))
        with unit_of_work() as session:
            row = session.get(Member, found.id)
            # The password may have been changed while the new hash was being computed.
            if row is not None and row.password == known:
                row.password = renewed
    return found


def authenticator() -> TotpAuthenticator:
    return TotpAuthenticator(settings().secret_key, settings().name)


def is_code_required(member: Member) -> bool:
    with read_session() as reader:
        return find_totp_secret(reader, member.id) is not None


def consume_code(member: Member, code: str) -> None:
    """Verify and consume a recovery code or a code from an authenticator app. Raises InvalidCode or TooManyRequests."""
    rate_limits.count_code(member.id)
    with unit_of_work() as unit:
        use_second_factor_code(unit, member, code, authenticator=authenticator(), now=now())


def check_second_factor(member: Member, code: str | None) -> None:
    """Verify the second-factor code if one is required. Raises SecondFactorRequired, InvalidCode or TooManyRequests."""
    if not is_code_required(member):
        return
    if code is None:
        raise SecondFactorRequired(
            Message("Send the current code of your authenticator app, or a recovery code, as `code`.")
        )
    consume_code(member, code)


def find_pending_member() -> Member | None:
    """Return the member who has entered the correct password but no second-factor code yet, or None."""
    stored = browser_sessions.find_stored_session()
    return stored.member if stored is not None and stored.row.pending else None


def _password_hasher() -> PasswordHasher:
    return PasswordHasher(ARGON2_COST["time_cost"], ARGON2_COST["memory_cost"], ARGON2_COST["parallelism"])
