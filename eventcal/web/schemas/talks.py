"""Schemas of talks."""

from enum import StrEnum
from typing import Any

from marshmallow import fields

from eventcal.events.enums import TalkKind
from eventcal.events.limits import PART_NAME, TAG, TAGS
from eventcal.kit.validators import LANGUAGE
from eventcal.speakers.limits import AFFILIATION, JOB_TITLE
from eventcal.talks import limits
from eventcal.talks.enums import TalkRole, TalkState
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk
from eventcal.talks.queries import is_public
from eventcal.talks.rules import TalkAction
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.params.fields import ChoiceParam, CommaSeparatedParam, described, short_line_param
from eventcal.web.schemas import fields as strict
from eventcal.web.schemas.fields import LOCAL_PATTERN, URI, BaseSchema, PageQuery, ReferenceOrInline, TypedSchema
from eventcal.web.schemas.response_schema import Json, ResponseSchema, format_local_instant
from eventcal.web.schemas.speakers import SpeakerBrief


class SpeakerOnTalk(ReferenceOrInline):
    """A speaker of a talk, given as the slug of an existing speaker or as the data of a new speaker."""

    email = strict.EmailField(allow_none=True)
    job_title = strict.SingleLine(JOB_TITLE, allow_none=True)
    affiliation = strict.SingleLine(AFFILIATION, allow_none=True)


class TalkBase(TypedSchema[TalkFields]):
    """The writable fields of a talk."""

    title = strict.SingleLine(limits.TITLE)
    abstract = strict.MultiLine(limits.ABSTRACT, allow_none=True, doc="Markdown.")
    kind = strict.EnumField(TalkKind)
    language = strict.PatternString(LANGUAGE, allow_none=True, doc="A BCP 47 language tag.")
    track = strict.SingleLine(PART_NAME, allow_none=True, doc="The name of one of the event's tracks.")
    starts = strict.LocalTime(allow_none=True, doc="A local time in the event's time zone, within its days.")
    ends = strict.LocalTime(allow_none=True, doc="In the format of `starts`, and later.")
    duration_minutes = strict.IntegerField(
        least=1, most=limits.MINUTES, allow_none=True, doc="Used without `ends`. The default depends on the kind."
    )
    tags = strict.ListField(strict.SingleLine(TAG), limit=TAGS, allow_none=True)
    speakers = strict.ListField(
        strict.NestedField(SpeakerOnTalk), limit=limits.SPEAKERS, doc="In order of appearance. Default: the submitter."
    )
    notes = strict.MultiLine(limits.NOTES, allow_none=True, doc="For the organisers. Never included in responses.")
    slides_url = strict.HttpUrl(allow_none=True)
    recording_url = strict.HttpUrl(allow_none=True)
    reprise_of: fields.Field[Any] = strict.SingleLine(
        40, allow_none=True, doc="The id of an earlier talk that is repeated."
    )


class TalkIn(TalkBase):
    """A new talk. `title` is optional if `reprise_of` is given."""

    draft = strict.BoolField(doc="true: save as a draft that only the submitter sees until `submit`.")


class TalkPatch(TalkBase):
    """Changes to a talk, as a JSON merge patch (RFC 7396)."""

    room = strict.SingleLine(PART_NAME, allow_none=True, doc="The name of one of the event's rooms.")


class OwnTalksQuery(PageQuery):
    """The query parameters of the list of the current user's talks."""

    roles = CommaSeparatedParam(
        ChoiceParam(TalkRole),
        data_key="role",
        load_default=(),
        metadata=described("Talks in which you have this role."),
    )
    states = CommaSeparatedParam(
        ChoiceParam(TalkState), data_key="state", load_default=(), metadata=described("Talks in any of these states.")
    )
    events = CommaSeparatedParam(
        short_line_param(), data_key="event", load_default=(), metadata=described("Talks at these events, by slug.")
    )


class StepIn(BaseSchema):
    """The optional body of a request that changes the state of a talk."""

    reason = strict.MultiLine(limits.REASON, allow_none=True)


class DecisionStep(StrEnum):
    """The actions of organisers on several talks."""

    ACCEPT = TalkAction.ACCEPT.value
    REJECT = TalkAction.REJECT.value
    WAITLIST = TalkAction.WAITLIST.value
    CANCEL = TalkAction.CANCEL.value
    REINSTATE = TalkAction.REINSTATE.value


class DecisionIn(StepIn):
    """A decision on several talks of an event. Either all of the talks change or none of them."""

    step = strict.EnumField(DecisionStep, required=True)
    talks = strict.ListField(
        strict.SingleLine(40), least=1, limit=limits.DECISION, required=True, doc="The ids of the talks."
    )


class TalkLinks(ResponseSchema):
    """The URLs of a talk."""

    self = fields.String(required=True, metadata=URI)
    html = fields.String(required=True, metadata=URI)
    ics = fields.String(required=True, metadata=URI)
    event = fields.String(required=True, metadata=URI)


class TalkOut(ResponseSchema):
    """A talk, as returned by the API."""

    id = fields.String(required=True)
    event = fields.String(required=True, metadata=described("The event's slug."))
    title = fields.String(required=True)
    abstract = fields.String(required=True, allow_none=True)
    abstract_html = fields.String(required=True, allow_none=True)
    kind = fields.Enum(TalkKind, by_value=True, required=True)
    language = fields.String(required=True, allow_none=True)
    track = fields.String(required=True, allow_none=True)
    room = fields.String(required=True, allow_none=True)
    starts = fields.String(required=True, allow_none=True, metadata={"pattern": LOCAL_PATTERN})
    ends = fields.String(required=True, allow_none=True, metadata={"pattern": LOCAL_PATTERN})
    starts_at = strict.InstantField(required=True, allow_none=True)
    ends_at = strict.InstantField(required=True, allow_none=True)
    duration_minutes = fields.Integer(required=True, allow_none=True)
    state = fields.Enum(TalkState, by_value=True, required=True)
    speakers = fields.List(fields.Nested(SpeakerBrief), required=True)
    tags = fields.List(fields.String(), required=True)
    slides_url = fields.String(required=True, allow_none=True, metadata=URI)
    recording_url = fields.String(required=True, allow_none=True, metadata=URI)
    reprise_of = fields.String(required=True, allow_none=True)
    sequence = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    created_at = strict.InstantField(required=True)
    updated_at = strict.InstantField(required=True)
    links = fields.Nested(TalkLinks, required=True)


class DecisionOut(ResponseSchema):
    """The talks that a decision changed, in the order of the request."""

    items = fields.List(fields.Nested(TalkOut), required=True)


def talk_json(talk: Talk, links: UrlBuilder, *, state: str | None = None) -> Json:
    """Return the JSON representation of a talk. `state` replaces the public state of the talk."""
    event, track, room, earlier = talk.event, talk.track, talk.room, talk.reprise_of
    return TalkOut.serialize(
        talk,
        event=event.slug,
        track=track.name if track else None,
        room=room.name if room else None,
        starts_at=format_local_instant(talk.starts_at, event.timezone),
        ends_at=format_local_instant(talk.ends_at, event.timezone),
        state=state or talk.public_state,
        speakers=[SpeakerBrief.serialize(speaker) for speaker in talk.speakers],
        tags=[tag.tag for tag in talk.tags],
        reprise_of=earlier.id if earlier is not None and is_public(earlier) else None,
        links={
            "self": links.api_talk(talk.id),
            "html": links.talk_page(talk.id),
            "ics": links.talk_feed(talk.id),
            "event": links.api_event(event.slug),
        },
    )
