"""The shapes of an event and of what belongs to it."""

from marshmallow import fields

from eventcal.events import limits
from eventcal.events.words import Attendance, EventKind, EventStatus, Programme, TalkKind, TeamRole
from eventcal.kit.text import SLUG_PATTERN
from eventcal.kit.values import COLOUR, COUNTRY, CURRENCY, TIMEZONE
from eventcal.web.params.fields import says
from eventcal.web.schemas.fields import (
    LOCAL_PATTERN,
    URI,
    Address,
    Degrees,
    Flag,
    Form,
    HttpUrl,
    Instant,
    Items,
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
from eventcal.web.schemas.money import Money
from eventcal.web.schemas.occurrences import OccurrenceOut, OverrideOut, Overrides

_LOCAL = "A date, or a time on the wall of the event's zone."
_MOMENT = "Local to the event's zone, or with an offset."


class Place(Shape):
    """Where an event is."""

    venue = Line(limits.VENUE, allow_none=True)
    address = Line(limits.ADDRESS, allow_none=True)
    city = Line(limits.CITY, allow_none=True)
    region = Line(limits.REGION, allow_none=True)
    country = Form(COUNTRY, allow_none=True)
    latitude = Degrees(limits.LATITUDE, allow_none=True)
    longitude = Degrees(limits.LONGITUDE, allow_none=True)


class Registration(Shape):
    """How to take part, and what it costs."""

    url = HttpUrl(allow_none=True)
    price = Part(Money, allow_none=True)


class CallForTalksIn(Shape):
    """When and for what talks are taken."""

    opens_at = Line(limits.CALL_TIME, allow_none=True, metadata=says(f"{_MOMENT} Without it, at once."))
    closes_at = Line(limits.CALL_TIME, allow_none=True, metadata=says(f"{_MOMENT} Without it, when the event begins."))
    anywhere_on_earth = Flag(metadata=says("`closes_at` is a date, and means the end of that day at UTC-12."))
    kinds = Items(Word(TalkKind), limit=limits.CALL_KINDS, allow_none=True)
    note = Text(limits.CALL_NOTE, allow_none=True)


class EventFields(Shape):
    """What may be written of an event."""

    slug = Slug(metadata=says("What its addresses have; made from the title where left out, and fixed once public."))
    title = Line(limits.TITLE)
    kind = Word(EventKind)
    summary = Text(limits.SUMMARY, allow_none=True)
    description = Text(limits.DESCRIPTION, allow_none=True, metadata=says("Markdown."))
    programme = Word(
        Programme, metadata=says("curated: a committee chooses the talks; listed: a moderator lists them.")
    )
    attendance = Word(Attendance)
    timezone = Form(TIMEZONE, metadata=says("An IANA name."))
    starts = LocalTime(metadata=says(_LOCAL))
    ends = LocalTime(metadata=says("As `starts`: both are dates, or both are times. A date is the last day."))
    location = Part(Place, allow_none=True)
    online_url = HttpUrl(allow_none=True)
    url = HttpUrl(allow_none=True)
    registration = Part(Registration, allow_none=True)
    tags = Items(Line(limits.TAG), limit=limits.TAGS, allow_none=True)
    status = Word(EventStatus, metadata=says("draft or pending; once public, tentative, confirmed or postponed."))
    series = Line(limits.SERIES, allow_none=True, metadata=says("What its editions have in common."))
    recurrence = Line(
        limits.RECURRENCE,
        allow_none=True,
        metadata=says("An RFC 5545 RRULE that `starts` is the first date of.")
        | {"examples": ["FREQ=MONTHLY;BYDAY=1TU"]},
    )
    recurrence_overrides = Overrides(
        allow_none=True,
        metadata=says(
            "What is otherwise in single occurrences, each named by what the rule has, written as `starts` is. "
            "null removes an override, or all of them, or a field of one."
        )
        | {"examples": [{"2026-12-01T16:00:00": {"starts": "2026-12-02T16:00:00"}}]},
    )
    co_located_with = Items(Slug(), limit=limits.NEIGHBOURS, allow_none=True, metadata=says("Slugs of public events."))
    call_for_talks = Part(CallForTalksIn, allow_none=True)


class EventIn(EventFields):
    """A new event. Without `ends` it lasts the day that it starts on."""

    title = Line(limits.TITLE, required=True)
    timezone = Form(TIMEZONE, metadata=says("An IANA name."), required=True)
    starts = LocalTime(required=True, metadata=says(_LOCAL))


class EventPatch(EventFields):
    """What changes of an event (RFC 7396)."""


class TrackFields(Shape):
    """What may be written of a track."""

    name = Line(limits.PART_NAME)
    colour = Form(COLOUR, allow_none=True)


class TrackIn(TrackFields):
    """A new track."""

    name = Line(limits.PART_NAME, required=True)


class RoomFields(Shape):
    """What may be written of a room."""

    name = Line(limits.PART_NAME)
    capacity = Whole(least=1, allow_none=True)


class RoomIn(RoomFields):
    """A new room."""

    name = Line(limits.PART_NAME, required=True)


class TrackOut(Shape):
    """A track as it is given out."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    colour = fields.String(required=True, allow_none=True, metadata={"pattern": f"^{COLOUR.pattern}$"})


class RoomOut(Shape):
    """A room as it is given out."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    capacity = fields.Integer(required=True, allow_none=True)


class CallForTalksOut(Shape):
    """A call as it is given out: instants with the offset of the event's zone."""

    opens_at = Instant(required=True, allow_none=True)
    closes_at = Instant(required=True, allow_none=True)
    kinds = fields.List(fields.Enum(TalkKind, by_value=True), required=True)
    note = fields.String(required=True, allow_none=True)


class PriceOut(Shape):
    """A price as it is given out."""

    amount = fields.String(required=True, metadata={"pattern": r"^[0-9]+\.[0-9]{2}$", "examples": ["12.50"]})
    currency = fields.String(required=True, metadata={"pattern": f"^{CURRENCY.pattern}$"})


class RegistrationOut(Shape):
    """How to take part, as it is given out."""

    url = fields.String(required=True, allow_none=True, metadata=URI)
    price = fields.Nested(PriceOut, required=True, allow_none=True)


class PlaceOut(Shape):
    """Where an event is, as it is given out."""

    venue = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    region = fields.String(required=True, allow_none=True)
    country = fields.String(required=True, allow_none=True, metadata={"pattern": f"^{COUNTRY.pattern}$"})
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)


class EventLinks(Shape):
    """Where an event leads."""

    self = fields.String(required=True, metadata=URI)
    html = fields.String(required=True, metadata=URI)
    ics = fields.String(required=True, metadata=URI)
    talks = fields.String(required=True, metadata=URI)


class EventOut(Shape):
    """An event as it is given out."""

    slug = fields.String(required=True, metadata={"pattern": SLUG_PATTERN})
    title = fields.String(required=True)
    kind = fields.Enum(EventKind, by_value=True, required=True)
    summary = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    description_html = fields.String(required=True, allow_none=True)
    programme = fields.Enum(Programme, by_value=True, required=True)
    attendance = fields.Enum(Attendance, by_value=True, required=True)
    timezone = fields.String(required=True)
    starts = fields.String(required=True, metadata={"pattern": LOCAL_PATTERN})
    ends = fields.String(required=True, metadata={"pattern": LOCAL_PATTERN})
    starts_at = Instant(required=True)
    ends_at = Instant(required=True, metadata={"description": "Exclusive: of a last day, when the next begins."})
    all_day = fields.Boolean(required=True)
    location = fields.Nested(PlaceOut, required=True)
    online_url = fields.String(required=True, allow_none=True, metadata=URI)
    url = fields.String(required=True, allow_none=True, metadata=URI)
    registration = fields.Nested(RegistrationOut, required=True)
    tags = fields.List(fields.String(), required=True)
    status = fields.Enum(EventStatus, by_value=True, required=True)
    series = fields.String(required=True, allow_none=True)
    recurrence = fields.String(required=True, allow_none=True)
    recurrence_overrides = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(OverrideOut),
        required=True,
        metadata=says("What is otherwise in single occurrences, each named by what the rule has."),
    )
    co_located_with = fields.List(fields.String(), required=True)
    call_for_talks = fields.Nested(CallForTalksOut, required=True, allow_none=True)
    tracks = fields.List(fields.Nested(TrackOut), required=True)
    rooms = fields.List(fields.Nested(RoomOut), required=True)
    sequence = fields.Integer(required=True, metadata=says("Rises whenever its calendar entry changes (RFC 5545)."))
    revision = fields.Integer(required=True, metadata=says("Rises with every change; the ETag names it."))
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    links = fields.Nested(EventLinks, required=True)
    occurrences = fields.List(
        fields.Nested(OccurrenceOut),
        required=True,
        allow_none=True,
        metadata=says(
            "Of a recurring event in a list that names `from` or `to`: what overlaps these days, at most 100; "
            "of a day that is missing, within 400 days of the other. Else null: see its own list of occurrences."
        ),
    )


class TeamMemberOut(Shape):
    """Somebody on an event's team."""

    member_id = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.Enum(TeamRole, by_value=True, required=True)


class TeamRoleIn(Shape):
    """What a member is to be on the team."""

    role = Word(TeamRole, required=True)


class TeamMemberIn(TeamRoleIn):
    """Who is to be what on the team."""

    email = Address(required=True)


EventPage = page_of(EventOut, "EventPage")
TrackPage = page_of(TrackOut, "TrackPage")
RoomPage = page_of(RoomOut, "RoomPage")
TeamPage = page_of(TeamMemberOut, "TeamPage")
