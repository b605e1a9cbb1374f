"""The shapes of a speaker."""

from marshmallow import fields

from eventcal.web.api.schemas.base import URI, HttpUrl, Items, Line, Part, Shape, Slug, Text, page_of

BIO = 10_000


class LinkIn(Shape):
    """A link to somewhere else, with what it is called."""

    title = Line(100, required=True)
    url = HttpUrl(required=True)


class SpeakerPatch(Shape):
    """What changes of a speaker (RFC 7396)."""

    slug = Slug()
    name = Line(200)
    job_title = Line(200, allow_none=True)
    affiliation = Line(200, allow_none=True)
    bio = Text(BIO, allow_none=True)
    links = Items(Part(LinkIn), limit=10)
    photo_url = HttpUrl(allow_none=True)


class MergeIn(Shape):
    """Who else is this speaker: the other's talks come here, and the other's address leads here."""

    other = Slug(required=True)


class LinkOut(Shape):
    """A link as it is given out."""

    title = fields.String(required=True)
    url = fields.String(required=True, metadata=URI)


class SpeakerOut(Shape):
    """A speaker as it is given out."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    job_title = fields.String(required=True, allow_none=True)
    affiliation = fields.String(required=True, allow_none=True)
    bio = fields.String(required=True, allow_none=True)
    bio_html = fields.String(required=True, allow_none=True)
    links = fields.List(fields.Nested(LinkOut), required=True)
    photo_url = fields.String(required=True, allow_none=True, metadata=URI)


SpeakerPage = page_of(SpeakerOut, "SpeakerPage")
