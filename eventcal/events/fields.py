"""The fields of an event. A missing key leaves the field unchanged, and None clears the field."""

from decimal import Decimal
from typing import TypedDict

from eventcal.events.enums import Attendance, EventKind, EventStatus, OccurrenceStatus, Programme, TalkKind


class Location(TypedDict, total=False):
    """The location of an event."""

    venue: str | None
    address: str | None
    city: str | None
    region: str | None
    country: str | None
    latitude: float | None
    longitude: float | None


class Price(TypedDict, total=False):
    """A price. A complete price has both an amount and a currency."""

    amount: Decimal
    currency: str


class Registration(TypedDict, total=False):
    """The registration for an event."""

    url: str | None
    price: Price | None


class CallForTalksFields(TypedDict, total=False):
    """The fields of a call for talks."""

    opens_at: str | None
    closes_at: str | None
    anywhere_on_earth: bool
    kinds: list[TalkKind] | None
    note: str | None


class OverrideFields(TypedDict, total=False):
    """The fields of an override for one occurrence."""

    excluded: bool | None
    title: str | None
    summary: str | None
    starts: str | None
    ends: str | None
    status: OccurrenceStatus | None
    venue: str | None
    online_url: str | None


class EventFields(TypedDict, total=False):
    """The fields of an event."""

    slug: str
    title: str
    kind: EventKind
    summary: str | None
    description: str | None
    programme: Programme
    attendance: Attendance
    timezone: str
    starts: str
    ends: str
    location: Location | None
    online_url: str | None
    url: str | None
    registration: Registration | None
    tags: list[str] | None
    status: EventStatus
    series: str | None
    recurrence: str | None
    recurrence_overrides: dict[str, OverrideFields | None] | None
    co_located_with: list[str] | None
    call_for_talks: CallForTalksFields | None
