"""Tables for events and their tags, tracks, rooms, team members and calls for talks."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from sqlalchemy import ForeignKey, Index, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eventcal.events.enums import Attendance, EventKind, EventStatus, Programme, TeamRole
from eventcal.kit.models import PRIVATE_COLUMN, Base, RandomIdMixin, TagRow, enum_column

MemberReference = Annotated[
    str | None, mapped_column(ForeignKey("members.id", ondelete="SET NULL"), default=None, info=PRIVATE_COLUMN)
]
"""A private foreign key to a member, which is set to NULL when the member is deleted."""

child_relationship = partial(relationship, lazy="raise", cascade="all, delete-orphan", passive_deletes=True)
"""Return a relationship to rows that are deleted together with their parent row."""


# `sort_order` keeps the columns in the order in which the migrations create them.
class ListingMixin(RandomIdMixin):
    """Columns shared by events and talks. All columns except `created_at` are derived."""

    first_day: Mapped[str] = mapped_column(String(10), sort_order=1)
    last_day: Mapped[str] = mapped_column(String(10), sort_order=1)
    tombstone_until: Mapped[datetime | None] = mapped_column(default=None, sort_order=1)
    search: Mapped[str] = mapped_column(default="", info=PRIVATE_COLUMN, sort_order=1)
    sequence: Mapped[int] = mapped_column(default=0, sort_order=1)
    revision: Mapped[int] = mapped_column(default=0, sort_order=1)
    created_at: Mapped[datetime] = mapped_column(sort_order=1)
    updated_at: Mapped[datetime] = mapped_column(sort_order=1)


class EventPart(RandomIdMixin, Base):
    """Base class for named parts of an event. Subclasses define a unique constraint on event ID and name."""

    __abstract__ = True

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), sort_order=-1)
    name: Mapped[str] = mapped_column(String(100), sort_order=-1)


class Event(ListingMixin, Base):
    """An event. `starts` and `ends` are stored as entered. `starts_at` and `ends_at` (UTC) are derived columns."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_sort", "starts_at", "id"), Index("ix_events_revision", "revision"))

    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[EventKind] = enum_column(EventKind, default=EventKind.CONFERENCE)
    summary: Mapped[str | None] = mapped_column(default=None)
    description: Mapped[str | None] = mapped_column(default=None)
    programme: Mapped[Programme] = enum_column(Programme, default=Programme.CURATED)
    attendance: Mapped[Attendance] = enum_column(Attendance, default=Attendance.IN_PERSON)
    timezone: Mapped[str] = mapped_column(String(64))
    starts: Mapped[str] = mapped_column(String(19))
    ends: Mapped[str] = mapped_column(String(19))
    venue: Mapped[str | None] = mapped_column(String(200), default=None)
    address: Mapped[str | None] = mapped_column(String(500), default=None)
    city: Mapped[str | None] = mapped_column(String(200), default=None)
    region: Mapped[str | None] = mapped_column(String(200), default=None)
    country: Mapped[str | None] = mapped_column(String(2), default=None)
    latitude: Mapped[float | None] = mapped_column(default=None)
    longitude: Mapped[float | None] = mapped_column(default=None)
    online_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    url: Mapped[str | None] = mapped_column(String(2000), default=None)
    registration_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    price_amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2), default=None)
    price_currency: Mapped[str | None] = mapped_column(String(3), default=None)
    status: Mapped[EventStatus] = enum_column(EventStatus, default=EventStatus.PENDING)
    series: Mapped[str | None] = mapped_column(String(80), default=None)
    recurrence: Mapped[str | None] = mapped_column(String(500), default=None)
    # A mapping from occurrence IDs to overrides, in chronological order (see events/recurrence/overrides.py).
    recurrence_overrides: Mapped[dict[str, Any]] = mapped_column(default=dict, sort_order=2)
    proposer_id: Mapped[MemberReference]

    redacted_at: Mapped[datetime | None] = mapped_column(default=None)

    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    # The end of the event or of the last day with an occurrence, or None if the event recurs forever.
    last_ends_at: Mapped[datetime | None] = mapped_column(default=None, info=PRIVATE_COLUMN, sort_order=2)

    tags: Mapped[list["EventTag"]] = child_relationship(order_by="EventTag.position")
    tracks: Mapped[list["Track"]] = child_relationship(order_by="(Track.position, Track.id)")
    rooms: Mapped[list["Room"]] = child_relationship(order_by="(Room.position, Room.id)")
    call: Mapped["CallForTalks | None"] = child_relationship(uselist=False)
    neighbours: Mapped[list["CoLocation"]] = child_relationship(
        foreign_keys="CoLocation.event_id", order_by="(CoLocation.position, CoLocation.other_id)"
    )


class EventTag(TagRow):
    """A tag of an event and its position in the list of tags."""

    __tablename__ = "event_tags"
    __table_args__ = (Index("ix_event_tags_tag", "tag"),)

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)


class CoLocation(Base):
    """A reference between co-located events. Each co-location is stored as two rows, one for each direction."""

    __tablename__ = "co_locations"

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(default=0)

    other: Mapped[Event] = relationship(lazy="raise", foreign_keys=[other_id])


class CallForTalks(Base):
    """The call for talks of an event. `opens_at` and `closes_at` (UTC) are derived from `opens` and `closes`."""

    __tablename__ = "calls_for_talks"

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    opens: Mapped[str | None] = mapped_column(String(40), default=None)
    closes: Mapped[str | None] = mapped_column(String(40), default=None)
    anywhere_on_earth: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[datetime | None] = mapped_column(default=None)
    closes_at: Mapped[datetime | None] = mapped_column(default=None)
    kinds: Mapped[list[str]] = mapped_column(default=list)
    note: Mapped[str | None] = mapped_column(default=None)


class Track(EventPart):
    """A track of an event's programme."""

    __tablename__ = "tracks"
    __table_args__ = (UniqueConstraint("event_id", "name"),)

    colour: Mapped[str | None] = mapped_column(String(7), default=None)
    position: Mapped[int] = mapped_column(default=0)


class Room(EventPart):
    """A room in an event's venue."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("event_id", "name"),)

    capacity: Mapped[int | None] = mapped_column(default=None)
    position: Mapped[int] = mapped_column(default=0)


class TeamMember(Base):
    """The role of a registered member in an event's team."""

    __tablename__ = "team_members"

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[TeamRole] = enum_column(TeamRole)
