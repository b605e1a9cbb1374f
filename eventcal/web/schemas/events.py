"""Schemas of events, including the location, the registration and the call for talks of an event."""

from marshmallow import fields

from eventcal.events import limits
from eventcal.events.enums import PUBLIC_STATUSES, Attendance, EventKind, EventStatus, Programme, TalkKind
from eventcal.events.fields import EventFields
from eventcal.events.filter import Filter
from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import complete_day_range, occurrences_between
from eventcal.events.rules import is_all_day
from eventcal.kit.markdown import to_html
from eventcal.kit.text import SLUG_PATTERN
from eventcal.kit.validators import COUNTRY, TIMEZONE
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.params.fields import described
from eventcal.web.schemas import fields as strict
from eventcal.web.schemas.event_parts import RoomOut, TrackOut
from eventcal.web.schemas.fields import LOCAL_PATTERN, URI, BaseSchema, BoolField, TypedSchema
from eventcal.web.schemas.money import Money, PriceOut, price_json
from eventcal.web.schemas.occurrences import OccurrenceOut, OverrideOut, OverridesField, occurrence_json
from eventcal.web.schemas.response_schema import Json, ResponseSchema, format_local_instant

# The maximum number of occurrences per event in the list of events.
_MAX_OCCURRENCES = 100
_LOCAL_HELP = "A date, or a local date-time in the event's zone."
_INSTANT_HELP = "A local time in the event's zone, or with an offset."


class Place(BaseSchema):
    """The location of an event."""

    venue = strict.SingleLine(limits.VENUE, allow_none=True)
    address = strict.SingleLine(limits.ADDRESS, allow_none=True)
    city = strict.SingleLine(limits.CITY, allow_none=True)
    region = strict.SingleLine(limits.REGION, allow_none=True)
    country = strict.PatternString(COUNTRY, allow_none=True)
    latitude = strict.DegreesField(limits.LATITUDE, allow_none=True)
    longitude = strict.DegreesField(limits.LONGITUDE, allow_none=True)


class Registration(BaseSchema):
    """The registration URL and price of an event."""

    url = strict.HttpUrl(allow_none=True)
    price = strict.NestedField(Money, allow_none=True)


class CallForTalksIn(BaseSchema):
    """The call for talks of an event."""

    opens_at = strict.SingleLine(limits.CALL_TIME, allow_none=True, doc=f"{_INSTANT_HELP} Default: immediately.")
    closes_at = strict.SingleLine(
        limits.CALL_TIME, allow_none=True, doc=f"{_INSTANT_HELP} Default: when the event begins."
    )
    anywhere_on_earth = strict.BoolField(doc="Whether `closes_at` is a date that ends at midnight in UTC-12.")
    kinds = strict.ListField(strict.EnumField(TalkKind), limit=limits.CALL_KINDS, allow_none=True)
    note = strict.MultiLine(limits.CALL_NOTE, allow_none=True)


class EventPatch(TypedSchema[EventFields]):
    """Changes to an event, as a JSON merge patch (RFC 7396)."""

    slug = strict.Slug(doc="Used in URLs. Default: made from the title. Cannot be changed once public.")
    title = strict.SingleLine(limits.TITLE)
    kind = strict.EnumField(EventKind)
    summary = strict.MultiLine(limits.SUMMARY, allow_none=True)
    description = strict.MultiLine(limits.DESCRIPTION, allow_none=True, doc="Markdown.")
    programme = strict.EnumField(
        Programme, doc="curated: a committee selects the talks; listed: a moderator lists them."
    )
    attendance = strict.EnumField(Attendance)
    timezone = strict.PatternString(TIMEZONE, doc="An IANA time zone name.")
    starts = strict.LocalTime(doc=_LOCAL_HELP)
    ends = strict.LocalTime(doc="In the same format as `starts`, date or time. A date is the last day.")
    location = strict.NestedField(Place, allow_none=True)
    online_url = strict.HttpUrl(allow_none=True)
    url = strict.HttpUrl(allow_none=True)
    registration = strict.NestedField(Registration, allow_none=True)
    tags = strict.ListField(strict.SingleLine(limits.TAG), limit=limits.TAGS, allow_none=True)
    status = strict.EnumField(EventStatus, doc="draft or pending; for public events tentative, confirmed or postponed.")
    series = strict.SingleLine(limits.SERIES, allow_none=True, doc="The name shared by all editions.")
    recurrence = strict.SingleLine(
        limits.RECURRENCE,
        allow_none=True,
        doc="An RFC 5545 RRULE. `starts` must be its first date.",
        metadata={"examples": ["FREQ=MONTHLY;BYDAY=1TU"]},
    )
    recurrence_overrides = OverridesField(
        allow_none=True,
        doc="Changes to single occurrences. The key is the start time by the rule, in the format of `starts`. "
        "null removes a field, an override or all overrides.",
        metadata={"examples": [{"2026-12-01T16:00:00": {"starts": "2026-12-02T16:00:00"}}]},
    )
    co_located_with = strict.ListField(
        strict.Slug(), limit=limits.CO_LOCATIONS, allow_none=True, doc="Slugs of public events."
    )
    call_for_talks = strict.NestedField(CallForTalksIn, allow_none=True)


EventIn = EventPatch.with_required(
    "title",
    "timezone",
    "starts",
    name="EventIn",
    description="A new event. Without `ends`, it ends on the day it starts.",
)


class PublishIn(BaseSchema):
    """The optional body of a request that publishes an event."""

    with_talks = BoolField(metadata=described("Whether to publish the submitted talks of the proposer, too."))


class CallForTalksOut(ResponseSchema):
    """A call for talks, as returned by the API. Instants have the UTC offset of the event's time zone."""

    opens_at = strict.InstantField(required=True, allow_none=True)
    closes_at = fields.String(
        required=True,
        allow_none=True,
        metadata=described("An instant, or a date if `anywhere_on_earth` is true."),
    )
    anywhere_on_earth = fields.Boolean(
        required=True, metadata=described("Whether the call closes at the end of the day `closes_at` in UTC-12.")
    )
    kinds = fields.List(fields.Enum(TalkKind, by_value=True), required=True)
    note = fields.String(required=True, allow_none=True)


class RegistrationOut(ResponseSchema):
    """The registration URL and price of an event, as returned by the API."""

    url = fields.String(required=True, allow_none=True, metadata=URI)
    price = fields.Nested(PriceOut, required=True, allow_none=True)


class PlaceOut(ResponseSchema):
    """The location of an event, as returned by the API."""

    venue = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    region = fields.String(required=True, allow_none=True)
    country = fields.String(required=True, allow_none=True, metadata={"pattern": f"^{COUNTRY.pattern}$"})
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)


class EventLinks(ResponseSchema):
    """The URLs of an event."""

    self = fields.String(required=True, metadata=URI)
    html = fields.String(required=True, metadata=URI)
    ics = fields.String(required=True, metadata=URI)
    talks = fields.String(required=True, metadata=URI)


class EventOut(ResponseSchema):
    """An event, as returned by the API."""

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
    starts_at = strict.InstantField(required=True)
    ends_at = strict.InstantField(required=True, doc="Exclusive. If all-day, the start of the day after `ends`.")
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
        metadata=described("Changes to single occurrences. The key is the start by the recurrence rule."),
    )
    co_located_with = fields.List(fields.String(), required=True)
    call_for_talks = fields.Nested(CallForTalksOut, required=True, allow_none=True)
    tracks = fields.List(fields.Nested(TrackOut), required=True)
    rooms = fields.List(fields.Nested(RoomOut), required=True)
    sequence = fields.Integer(
        required=True, metadata=described("Increases when the calendar entry changes (RFC 5545).")
    )
    revision = fields.Integer(required=True, metadata=described("Increases with every change. The ETag contains it."))
    created_at = strict.InstantField(required=True)
    updated_at = strict.InstantField(required=True)
    links = fields.Nested(EventLinks, required=True)
    occurrences = fields.List(
        fields.Nested(OccurrenceOut),
        required=True,
        allow_none=True,
        metadata=described(
            "For recurring events in a list with `from` or `to`: up to 100 occurrences on these days. A missing day is "
            "400 days from the other. Otherwise null; use the event's list of occurrences."
        ),
    )


def event_json(event: Event, links: UrlBuilder) -> Json:
    call, tzid = event.call, event.timezone
    call_json = call and CallForTalksOut.serialize(
        call,
        opens_at=format_local_instant(call.opens_at, tzid),
        closes_at=call.closes if call.anywhere_on_earth else format_local_instant(call.closes_at, tzid),
    )
    return EventOut.serialize(
        event,
        description_html=None if event.description is None else to_html(event.description),
        starts_at=format_local_instant(event.starts_at, tzid),
        ends_at=format_local_instant(event.ends_at, tzid),
        all_day=is_all_day(event.starts),
        location=PlaceOut.serialize(event),
        registration={"url": event.registration_url, "price": price_json(event.price_amount, event.price_currency)},
        tags=[tag.tag for tag in event.tags],
        co_located_with=[row.other.slug for row in event.neighbours if row.other.status in PUBLIC_STATUSES],
        call_for_talks=call_json,
        tracks=[TrackOut.serialize(track) for track in event.tracks],
        rooms=[RoomOut.serialize(room) for room in event.rooms],
        links={
            "self": links.api_event(event.slug),
            "html": links.event_page(event.slug),
            "ics": links.event_feed(event.slug),
            "talks": links.api(f"/events/{event.slug}/talks"),
        },
        occurrences=None,
    )


def with_occurrences(body: Json, event: Event, event_filter: Filter) -> Json:
    """Return an event's JSON with up to 100 occurrences if the event recurs and the filter specifies dates."""
    days = complete_day_range(event_filter.from_day, event_filter.to_day)
    if event.recurrence is None or days is None:
        return body
    found = occurrences_between(event, *days, limit=_MAX_OCCURRENCES)
    return {**body, "occurrences": [occurrence_json(one, event.timezone) for one in found]}
