"""Identifiers: random IDs, secrets that are stored as hashes, and unique slugs derived from names."""

import hashlib
import secrets
from itertools import chain, count

from sqlalchemy import exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.kit.errors import Conflict, Message
from eventcal.kit.text import SLUG_LIMIT, slugify

# Crockford's Base32 alphabet excludes letters that resemble digits and avoids accidental obscenities.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """Return a new random ID of 16 characters (80 bits) for use in URLs and iCalendar UIDs."""
    return new_code(16)


def new_code(length: int) -> str:
    """Return a random code for people to type, with 5 bits per character."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_secret(prefix: str) -> str:
    """Return a new secret with 256 random bits. Secret scanners identify the kind of a secret by its prefix."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Return the SHA-256 hash of a secret in hexadecimal. Random secrets need no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


class DuplicateSlug(Conflict):
    """Another event, speaker or sponsor has this slug."""

    code = "slug-taken"
    title = Message("Duplicate slug")

    def __init__(self, slug: str) -> None:
        super().__init__(Message("The slug “%(slug)s” is already used. Choose another one or omit it.", slug=slug))


class SlugImmutable(Conflict):
    """The slug of a published object cannot be changed."""

    code = "slug-fixed"
    title = Message("Slug cannot be changed")


def generate_unique_slug(session: Session, column: InstrumentedAttribute[str], name: str, *, fallback: str) -> str:
    """Return a slug for `name`, with a numeric suffix if necessary to make the slug unique in `column`.

    If `name` contains no characters that are allowed in slugs, the slug is `fallback` with a random suffix.
    """
    # Ten characters are reserved for the numeric suffix.
    stem = slugify(name)[: SLUG_LIMIT - 10].rstrip("-") or f"{fallback}-{new_id()[:6]}"
    candidates = chain([stem], (f"{stem}-{number}" for number in count(2)))
    return next(slug for slug in candidates if not is_slug_taken(session, column, slug))


def is_slug_taken(session: Session, column: InstrumentedAttribute[str], slug: str) -> bool:
    return bool(session.scalar(select(exists().where(column == slug))))
