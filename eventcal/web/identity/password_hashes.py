"""Password hashing.

Passwords are normalised before hashing, so that the hash does not depend on how a keyboard composes characters. Hashes
are computed outside transactions, because hashing takes 40 ms and would block other writers.
"""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from eventcal.kit.errors import FieldError, raise_if_invalid
from eventcal.members.password_rules import normalise_password, password_errors
from eventcal.web.request.context import settings

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


def needs_rehash(password_hash: str) -> bool:
    """Return whether a hash was computed with other parameters than those of new hashes."""
    return _password_hasher().check_needs_rehash(password_hash)


def _password_hasher() -> PasswordHasher:
    return PasswordHasher(ARGON2_COST["time_cost"], ARGON2_COST["memory_cost"], ARGON2_COST["parallelism"])
