"""The shapes of a data set: the API's fields, told apart by what a file can say and a request cannot."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load

from eventcal.sponsors.limits import NOTE, TIER_NAME
from eventcal.sponsors.words import SponsorshipState
from eventcal.talks.limits import TITLE
from eventcal.talks.words import TalkState
from eventcal.web.api.schemas.base import Items, Line, Part, Shape, Slug, Text, Word
from eventcal.web.api.schemas.events import CallForTalksIn, EventFields, RoomIn, TrackIn
from eventcal.web.api.schemas.speakers import SpeakerPatch
from eventcal.web.api.schemas.sponsors import SponsorPatch, TierIn
from eventcal.web.api.schemas.talks import TalkPatch

# Tracks, rooms, tiers or sponsorships of one event.
_PARTS = 500


class Record(Shape):
    """The base of what a file holds: null stands for a fact that is not known, wherever nothing else is meant."""

    @pre_load
    def leave_unknown_out(self, data: Any, **_: Any) -> Any:  # noqa: ANN401 - marshmallow's signature
        """Take a null as "not given" where the field itself has no null."""
        if not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if value is not None or self._takes_null(name)}

    def _takes_null(self, name: str) -> bool:
        # Whoever is not known is refused, null or not.
        return name not in self.fields or bool(self.fields[name].allow_none)


class SpeakerRecord(Record, SpeakerPatch):
    """A speaker."""

    slug = Slug(required=True)


class SponsorRecord(Record, SponsorPatch):
    """An organisation that sponsors."""

    slug = Slug(required=True)


class TrackRecord(Record, TrackIn):
    """A track of an event."""


class RoomRecord(Record, RoomIn):
    """A room of an event."""


class TierRecord(Record, TierIn):
    """A level that an event sells."""


class SponsorshipRecord(Record):
    """A sponsor, by slug, that holds or asks for a tier of the event, by name."""

    sponsor = Slug(required=True)
    tier = Line(TIER_NAME, required=True)
    state = Word(SponsorshipState)
    note = Text(NOTE, allow_none=True)


class CallRecord(Record, CallForTalksIn):
    """When and for what an event takes talks."""


class EventRecord(Record, EventFields):
    """An event with its parts. A new one needs title, timezone and starts, one that is known only its slug."""

    slug = Slug(required=True)
    call_for_talks = Part(CallRecord, allow_none=True)
    tracks = Items(Part(TrackRecord), limit=_PARTS)
    rooms = Items(Part(RoomRecord), limit=_PARTS)
    tiers = Items(Part(TierRecord), limit=_PARTS)
    sponsorships = Items(Part(SponsorshipRecord), limit=_PARTS)


class TalkName(Shape):
    """What a talk is known by: its event's slug, and its title."""

    event = Slug(required=True)
    title = Line(TITLE, required=True)


class TalkRecord(Record, TalkPatch):
    """A talk: its speakers by slug, and the one that it repeats by event and title."""

    event = Slug(required=True)
    title = Line(TITLE, required=True)
    state = Word(TalkState)
    speakers = Items(Slug(), limit=20)
    reprise_of = Part(TalkName, allow_none=True)  # type: ignore[assignment]  # a request names it by its id


class FileShape(Record):
    """A whole file. What is in its lists is looked at one by one; where the data come from is not looked at."""

    about = fields.Raw()
    calendar = fields.Raw()
    speakers = fields.Raw()
    sponsors = fields.Raw()
    events = fields.Raw()
    talks = fields.Raw()
