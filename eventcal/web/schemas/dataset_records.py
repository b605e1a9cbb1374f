"""Schemas of data set records, which have the field names of the API and refer to other records by slug or title."""

from collections.abc import Mapping
from typing import Any, cast

from marshmallow import ValidationError, fields, pre_load

from eventcal.datasets.parser import Section
from eventcal.kit.errors import Invalid
from eventcal.sponsors import limits as sponsor_limits
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks import limits as talk_limits
from eventcal.talks.enums import TalkState
from eventcal.web.http.errors import to_field_errors
from eventcal.web.schemas.event_parts import RoomIn, TrackIn
from eventcal.web.schemas.events import CallForTalksIn, EventPatch
from eventcal.web.schemas.fields import BaseSchema, EnumField, ListField, MultiLine, NestedField, SingleLine, Slug
from eventcal.web.schemas.speakers import SpeakerPatch
from eventcal.web.schemas.sponsors import SponsorPatch, TierIn
from eventcal.web.schemas.talks import TalkPatch

# The maximum number of tracks of an event, which is also the maximum number of rooms, tiers and sponsorships.
_MAX_PARTS = 500


class RecordSchema(BaseSchema):
    """Base class for record schemas. In a field that is not nullable, null means "unknown" and is ignored."""

    @classmethod
    def from_schema(cls, schema: type[BaseSchema], **fields: fields.Field[Any]) -> type[BaseSchema]:
        """Return a record schema that has the fields of `schema` and the additional `fields`."""
        return type(f"{schema.__name__}Facts", (cls, schema), dict(fields))

    @pre_load
    def drop_disallowed_nulls(self, data: object, **_: object) -> object:
        """Remove null values from fields that are not nullable."""
        if not isinstance(data, Mapping):
            return data
        nullable = {name for name in data if name not in self.fields or self.fields[name].allow_none}
        return {name: value for name, value in data.items() if value is not None or name in nullable}


class SponsorshipRecord(RecordSchema):
    """A sponsorship or a sponsorship enquiry. `sponsor` is a slug, and `tier` is the name of a tier."""

    sponsor = Slug(required=True)
    tier = SingleLine(sponsor_limits.TIER_NAME, required=True)
    state = EnumField(SponsorshipState)
    note = MultiLine(sponsor_limits.NOTE, allow_none=True)


class EventRecord(RecordSchema, EventPatch):
    """An event. The import also checks that new events have `title`, `timezone` and `starts`."""

    slug = Slug(required=True)
    call_for_talks = NestedField(RecordSchema.from_schema(CallForTalksIn), allow_none=True)
    tracks = ListField(NestedField(RecordSchema.from_schema(TrackIn)), limit=_MAX_PARTS)
    rooms = ListField(NestedField(RecordSchema.from_schema(RoomIn)), limit=_MAX_PARTS)
    tiers = ListField(NestedField(RecordSchema.from_schema(TierIn)), limit=_MAX_PARTS)
    sponsorships = ListField(NestedField(SponsorshipRecord), limit=_MAX_PARTS)


class TalkKey(BaseSchema):
    """The title and the event slug of a talk, which identify the talk in a data set."""

    event = Slug(required=True)
    title = SingleLine(talk_limits.TITLE, required=True)


class TalkRecord(RecordSchema, TalkPatch, TalkKey):
    """A talk whose speakers are given as slugs."""

    title = SingleLine(talk_limits.TITLE, required=True)
    speakers = ListField(Slug(), limit=talk_limits.SPEAKERS)
    reprise_of = NestedField(TalkKey, allow_none=True)
    state = EnumField(TalkState)


RECORDS: Mapping[Section, BaseSchema] = {
    "speakers": RecordSchema.from_schema(SpeakerPatch, slug=Slug(required=True))(),
    "sponsors": RecordSchema.from_schema(SponsorPatch, slug=Slug(required=True))(),
    "events": EventRecord(),
    "talks": TalkRecord(),
}


def load_record(section: Section, data: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
    """Return the validated fields of a record. Raises Invalid with the errors of all fields."""
    try:
        return cast("Mapping[str, Any]", RECORDS[section].load(data))
    except ValidationError as error:
        raise Invalid(errors=to_field_errors(error.messages, location="json")) from error
