"""Identifiers: random ids, secrets that are stored as hashes, and unique slugs derived from names."""

import hashlib
import secrets

from sqlalchemy import exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.kit.errors import Conflict, Message
from eventcal.kit.text import SLUG_LIMIT, slugify

# Crockford's Base32 alphabet has no letters that look like digits and spells no obscene words.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Leaves room for a numeric suffix.
_STEM_LIMIT = SLUG_LIMIT - 10


def new_id() -> str:
    """Return a new random id of 16 characters (80 bits), safe in URLs and iCalendar UIDs."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def new_secret(prefix: str) -> str:
    """Return a new secret with 256 random bits. The prefix lets secret scanners identify its kind."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a secret in hex, for storing. Secrets are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class DuplicateSlug(Conflict):
    """Another event, speaker or sponsor has this slug."""

    code = "slug-taken"
    title = Message("This slug is taken")

    def __init__(self, slug: str) -> None:
        super().__init__(Message("The slug “%(slug)s” is taken; choose another, or leave it out.", slug=slug))


class SlugImmutable(Conflict):
    """The slug of a published object cannot be changed."""

    code = "slug-fixed"
    title = Message("This slug is fixed")


def generate_unique_slug(session: Session, column: InstrumentedAttribute[str], name: str, *, fallback: str) -> str:
    """Return a slug for `name` that is unique in `column`, with a numeric suffix if necessary.

    If the name has no characters that a slug may contain, the slug is `fallback` and random characters. The unit of
    work holds the write lock, so the slug is still unique when it is written.
    """
    stem = slugify(name)[:_STEM_LIMIT].rstrip("-") or f"{fallback}-{new_id()[:6]}"
    slug, number = stem, 1
    while is_slug_taken(session, column, slug):
        number += 1
        slug = f"{stem}-{number}"
    return slug


def is_slug_taken(session: Session, column: InstrumentedAttribute[str], slug: str) -> bool:
    """Return whether a row has this slug in `column`."""
    return bool(session.scalar(select(exists().where(column == slug))))
