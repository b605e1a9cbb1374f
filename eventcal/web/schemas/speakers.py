"""The shapes of a speaker."""

from marshmallow import fields

from eventcal.kit.markdown import to_html
from eventcal.speakers import limits
from eventcal.speakers.models import Speaker
from eventcal.web.http.urls import Links
from eventcal.web.schemas.fields import URI, HttpUrl, Items, Line, Part, Shape, Slug, Text
from eventcal.web.schemas.out import Json, Out


class LinkIn(Shape):
    """A link to somewhere else, with what it is called."""

    title = Line(limits.LINK_TITLE, required=True)
    url = HttpUrl(required=True)


class SpeakerPatch(Shape):
    """What changes of a speaker (RFC 7396)."""

    slug = Slug()
    name = Line(limits.NAME)
    job_title = Line(limits.JOB_TITLE, allow_none=True)
    affiliation = Line(limits.AFFILIATION, allow_none=True)
    bio = Text(limits.BIO, allow_none=True)
    links = Items(Part(LinkIn), limit=limits.LINKS)
    photo_url = HttpUrl(allow_none=True)


class MergeIn(Shape):
    """Who else is this speaker: the other's talks come here, and the other's address leads here."""

    other = Slug(required=True)


class LinkOut(Out):
    """A link as it is given out."""

    title = fields.String(required=True)
    url = fields.String(required=True, metadata=URI)


class SpeakerBrief(Out):
    """A speaker as a talk shows them."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    job_title = fields.String(required=True, allow_none=True)
    affiliation = fields.String(required=True, allow_none=True)


class SpeakerOut(SpeakerBrief):
    """A speaker as it is given out."""

    bio = fields.String(required=True, allow_none=True)
    bio_html = fields.String(required=True, allow_none=True)
    links = fields.List(fields.Nested(LinkOut), required=True)
    photo_url = fields.String(required=True, allow_none=True, metadata=URI)


def speaker_json(speaker: Speaker, links: Links) -> Json:
    """Return a speaker's resource."""
    bio_html = None if speaker.bio is None else to_html(speaker.bio)
    return SpeakerOut.write(speaker, bio_html=bio_html, photo_url=links.picture(speaker.photo_url))
