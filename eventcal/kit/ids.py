"""Names that nobody can guess: opaque ids, and secrets that are shown once and kept hashed."""

import hashlib
import secrets

# Crockford's alphabet: no letter that is taken for a digit, no accidental words.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """Return a new opaque id: 16 characters, 80 random bits, safe in a URL and in an iCalendar UID."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def new_secret(prefix: str) -> str:
    """Return a new secret with 256 random bits; the prefix lets people and scanners know what they found."""
    return prefix + secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256 in hex. No salt is needed, it is random itself."""
    return hashlib.sha256(secret.encode()).hexdigest()
