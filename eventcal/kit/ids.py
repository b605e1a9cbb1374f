"""Identifiers: opaque ids, secrets that are shown once and stored hashed, and free slugs made from names."""

import hashlib
import secrets

from sqlalchemy import exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.kit.refusals import Conflict, Sentence
from eventcal.kit.text import SLUG_LIMIT, slugify

# Crockford's alphabet: no letter that is taken for a digit, no accidental words.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Room for a number behind it.
_STEM_LIMIT = SLUG_LIMIT - 10


def new_id() -> str:
    """Return a new opaque id: 16 characters, 80 random bits, safe in a URL and in an iCalendar UID."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def new_secret(prefix: str) -> str:
    """Return a new secret with 256 random bits; the prefix lets people and scanners know what they found."""
    return prefix + secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256 in hex. No salt is needed, it is random itself."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SlugTaken(Conflict):
    """Another event, speaker or sponsor has this slug."""

    code = "slug-taken"
    title = Sentence("This slug is taken")

    def __init__(self, slug: str) -> None:
        super().__init__(Sentence("The slug “%(slug)s” is taken; choose another, or leave it out.", slug=slug))


class SlugFixed(Conflict):
    """A slug that the public knows does not change."""

    code = "slug-fixed"
    title = Sentence("This slug is fixed")


def free_slug(session: Session, column: InstrumentedAttribute[str], name: str, *, otherwise: str) -> str:
    """Return a slug for `name` that no row has in `column`, numbered where others have its stem.

    `otherwise` is what stands before a few random characters where nothing of the name can be in a slug. The
    unit of work holds the write lock, so the slug is still free when it is written.
    """
    stem = slugify(name)[:_STEM_LIMIT].rstrip("-") or f"{otherwise}-{new_id()[:6]}"
    slug, number = stem, 1
    while slug_is_taken(session, column, slug):
        number += 1
        slug = f"{stem}-{number}"
    return slug


def slug_is_taken(session: Session, column: InstrumentedAttribute[str], slug: str) -> bool:
    """Say whether a row has this slug in `column`."""
    return bool(session.scalar(select(exists().where(column == slug))))
