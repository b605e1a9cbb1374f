"""Slugs that nobody has, made from what people call things."""

from sqlalchemy import exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.kit.ids import new_id
from eventcal.kit.refusals import Conflict
from eventcal.kit.sentences import Sentence
from eventcal.kit.text import SLUG_LIMIT, slugify

# Room for a number behind it.
_STEM_LIMIT = SLUG_LIMIT - 10


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
