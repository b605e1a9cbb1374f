"""The shapes of the records of a data set: what the API takes, with other records named by slug or title."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load

from eventcal.datasets.reading import Section
from eventcal.kit.refusals import Invalid
from eventcal.sponsors import limits as sponsor_limits
from eventcal.sponsors.words import SponsorshipState
from eventcal.talks import limits as talk_limits
from eventcal.talks.words import TalkState
from eventcal.web.http.errors import faults_in
from eventcal.web.schemas.event_parts import RoomIn, TrackIn
from eventcal.web.schemas.events import CallForTalksIn, EventPatch
from eventcal.web.schemas.fields import Items, Line, Part, Shape, Slug, Text, Word
from eventcal.web.schemas.speakers import SpeakerPatch
from eventcal.web.schemas.sponsors import SponsorPatch, TierIn
from eventcal.web.schemas.talks import TalkPatch

# Tracks, rooms, tiers or sponsorships of one event.
_PARTS = 500


class Facts(Shape):
    """The base of what a file may hold: null means unknown, as if a field that is not nullable was left out."""

    @classmethod
    def like(cls, shape: type[Shape], **fields: fields.Field[Any]) -> type[Shape]:
        """Return a schema with the fields of another, and these."""
        return type(f"{shape.__name__}Facts", (cls, shape), dict(fields))

    @pre_load
    def leave_out_unknown(self, given: object, **_: object) -> object:
        """Return what is given without the fields that are null and not nullable."""
        if not isinstance(given, Mapping):
            return given
        nullable = {name for name in given if name not in self.fields or self.fields[name].allow_none}
        return {name: value for name, value in given.items() if value is not None or name in nullable}


class SponsorshipRecord(Facts):
    """Which sponsor, by slug, holds or asks for which tier of the event, by name."""

    sponsor = Slug(required=True)
    tier = Line(sponsor_limits.TIER_NAME, required=True)
    state = Word(SponsorshipState)
    note = Text(sponsor_limits.NOTE, allow_none=True)


class EventRecord(Facts, EventPatch):
    """An event; a new one also needs title, timezone and starts, which is seen when it is loaded."""

    slug = Slug(required=True)
    call_for_talks = Part(Facts.like(CallForTalksIn), allow_none=True)
    tracks = Items(Part(Facts.like(TrackIn)), limit=_PARTS)
    rooms = Items(Part(Facts.like(RoomIn)), limit=_PARTS)
    tiers = Items(Part(Facts.like(TierIn)), limit=_PARTS)
    sponsorships = Items(Part(SponsorshipRecord), limit=_PARTS)


class TalkName(Shape):
    """What a talk is known by: the slug of its event, and its title."""

    event = Slug(required=True)
    title = Line(talk_limits.TITLE, required=True)


class TalkRecord(Facts, TalkPatch, TalkName):
    """A talk, with its speakers by slug."""

    title = Line(talk_limits.TITLE, required=True)
    speakers = Items(Slug(), limit=talk_limits.SPEAKERS)
    reprise_of = Part(TalkName, allow_none=True)
    state = Word(TalkState)


RECORDS: Mapping[Section, Shape] = {
    "speakers": Facts.like(SpeakerPatch, slug=Slug(required=True))(),
    "sponsors": Facts.like(SponsorPatch, slug=Slug(required=True))(),
    "events": EventRecord(),
    "talks": TalkRecord(),
}


def read_record(section: Section, given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
    """Return the fields of one record, checked in shape. Raises Invalid with every fault."""
    try:
        fields: dict[str, Any] = RECORDS[section].load(given)
    except ValidationError as error:
        raise Invalid(faults=faults_in(error.messages, location="json")) from error
    return fields
