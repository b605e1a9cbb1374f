"""The shapes of a talk."""

from marshmallow import ValidationError, fields, validates_schema

from eventcal.events.words import TalkKind
from eventcal.talks.words import TalkState
from eventcal.web.api.schemas.base import (
    Address,
    Flag,
    HttpUrl,
    Instant,
    Items,
    Language,
    Line,
    LocalTime,
    Part,
    Shape,
    Slug,
    Text,
    Whole,
    Word,
    page_of,
)
from eventcal.web.api.schemas.events import TITLE

ABSTRACT, NOTES, REASON = 20_000, 5000, 2000
_LONGEST_MINUTES = 24 * 60


class SpeakerOnTalk(Shape):
    """Who speaks: somebody known by slug, or somebody described."""

    slug = Slug()
    name = Line(200)
    email = Address(allow_none=True)
    job_title = Line(200, allow_none=True)
    affiliation = Line(200, allow_none=True)

    @validates_schema
    def check_one_way(self, data: dict[str, object], **_: object) -> None:
        """Refuse a speaker who is named in no way or in two."""
        if "slug" in data and len(data) > 1:
            raise ValidationError("names somebody known; leave the other fields out", "slug")
        if "slug" not in data and "name" not in data:
            raise ValidationError("is required, unless a slug names somebody known", "name")


class TalkFields(Shape):
    """What may be written of a talk."""

    title = Line(TITLE)
    abstract = Text(ABSTRACT, allow_none=True)
    kind = Word(TalkKind)
    language = Language(allow_none=True)
    track = Line(100, allow_none=True)
    starts = LocalTime(allow_none=True)
    ends = LocalTime(allow_none=True)
    duration_minutes = Whole(least=1, most=_LONGEST_MINUTES, allow_none=True)
    tags = Items(Line(50), limit=20, allow_none=True)
    speakers = Items(Part(SpeakerOnTalk), limit=20)
    notes = Text(NOTES, allow_none=True)
    slides_url = HttpUrl(allow_none=True)
    recording_url = HttpUrl(allow_none=True)
    reprise_of = Line(40, allow_none=True)


class TalkIn(TalkFields):
    """A talk that is offered. `title` may be left out where `reprise_of` gives it."""

    draft = Flag()


class TalkPatch(TalkFields):
    """What changes of a talk (RFC 7396)."""

    room = Line(100, allow_none=True)


class StepIn(Shape):
    """What goes with a step."""

    reason = Text(REASON, allow_none=True)


class SpeakerBrief(Shape):
    """A speaker as a talk shows them."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    job_title = fields.String(required=True, allow_none=True)
    affiliation = fields.String(required=True, allow_none=True)


class TalkLinks(Shape):
    """Where a talk leads."""

    self = fields.Url(required=True)
    html = fields.Url(required=True)
    ics = fields.Url(required=True)
    event = fields.Url(required=True)


class TalkOut(Shape):
    """A talk as it is given out."""

    id = fields.String(required=True)
    event = fields.String(required=True)
    title = fields.String(required=True)
    abstract = fields.String(required=True, allow_none=True)
    abstract_html = fields.String(required=True, allow_none=True)
    kind = fields.Enum(TalkKind, by_value=True, required=True)
    language = fields.String(required=True, allow_none=True)
    track = fields.String(required=True, allow_none=True)
    room = fields.String(required=True, allow_none=True)
    starts = fields.String(required=True, allow_none=True)
    ends = fields.String(required=True, allow_none=True)
    starts_at = Instant(required=True, allow_none=True)
    ends_at = Instant(required=True, allow_none=True)
    duration_minutes = fields.Integer(required=True, allow_none=True)
    state = fields.Enum(TalkState, by_value=True, required=True)
    speakers = fields.List(fields.Nested(SpeakerBrief), required=True)
    tags = fields.List(fields.String(), required=True)
    slides_url = fields.String(required=True, allow_none=True)
    recording_url = fields.String(required=True, allow_none=True)
    reprise_of = fields.String(required=True, allow_none=True)
    sequence = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    links = fields.Nested(TalkLinks, required=True)


TalkPage = page_of(TalkOut, "TalkPage")
