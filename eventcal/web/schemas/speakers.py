"""Schemas of speakers."""

from marshmallow import fields

from eventcal.kit.markdown import to_html
from eventcal.speakers import limits
from eventcal.speakers.models import Speaker
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.fields import URI, BaseSchema, HttpUrl, ListField, MultiLine, NestedField, SingleLine, Slug
from eventcal.web.schemas.response_schema import Json, ResponseSchema


class LinkIn(BaseSchema):
    """The URL and title of a link to another website."""

    title = SingleLine(limits.LINK_TITLE, required=True)
    url = HttpUrl(required=True)


class SpeakerPatch(BaseSchema):
    """Changes to a speaker, as a JSON merge patch (RFC 7396)."""

    slug = Slug()
    name = SingleLine(limits.NAME)
    job_title = SingleLine(limits.JOB_TITLE, allow_none=True)
    affiliation = SingleLine(limits.AFFILIATION, allow_none=True)
    bio = MultiLine(limits.BIO, allow_none=True)
    links = ListField(NestedField(LinkIn), limit=limits.LINKS)
    photo_url = HttpUrl(allow_none=True)


class MergeIn(BaseSchema):
    """The slug of another speaker. The speaker that the path identifies takes over the other speaker's talks."""

    other = Slug(required=True)


class LinkOut(ResponseSchema):
    """A link, as returned by the API."""

    title = fields.String(required=True)
    url = fields.String(required=True, metadata=URI)


class SpeakerBrief(ResponseSchema):
    """A speaker, as included in the representation of a talk.

    A speaker who was named by email and is not public is returned as entered, with null as the slug.
    """

    slug = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    job_title = fields.String(required=True, allow_none=True)
    affiliation = fields.String(required=True, allow_none=True)


class SpeakerOut(SpeakerBrief):
    """A speaker, as returned by the API."""

    slug = fields.String(required=True)
    bio = fields.String(required=True, allow_none=True)
    bio_html = fields.String(required=True, allow_none=True)
    links = fields.List(fields.Nested(LinkOut), required=True)
    photo_url = fields.String(required=True, allow_none=True, metadata=URI)


def speaker_json(speaker: Speaker, links: UrlBuilder) -> Json:
    bio_html = None if speaker.bio is None else to_html(speaker.bio)
    return SpeakerOut.serialize(speaker, bio_html=bio_html, photo_url=links.image(speaker.photo_url))
