"""The tables of events and of what belongs to one: tags, tracks, rooms, team, call for talks."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from sqlalchemy import ForeignKey, Index, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eventcal.events.words import Attendance, EventKind, EventStatus, Programme, TeamRole
from eventcal.kit.models import PRIVATE, Base, Identified, TagRow, word_column

MemberReference = Annotated[
    str | None, mapped_column(ForeignKey("members.id", ondelete="SET NULL"), default=None, info=PRIVATE)
]
"""The type of a private column that names a member, if they are still there."""

child_rows = partial(relationship, lazy="raise", cascade="all, delete-orphan", passive_deletes=True)
"""Return a relation to rows that are deleted together with this one."""


# sort_order: where the migrations have these columns.
class Listed(Identified):
    """The columns that events and talks share; all but `created_at` are derived, never set by a service."""

    first_day: Mapped[str] = mapped_column(String(10), sort_order=1)
    last_day: Mapped[str] = mapped_column(String(10), sort_order=1)
    shown_until: Mapped[datetime | None] = mapped_column(default=None, sort_order=1)
    search: Mapped[str] = mapped_column(default="", info=PRIVATE, sort_order=1)
    sequence: Mapped[int] = mapped_column(default=0, sort_order=1)
    revision: Mapped[int] = mapped_column(default=0, sort_order=1)
    created_at: Mapped[datetime] = mapped_column(sort_order=1)
    updated_at: Mapped[datetime] = mapped_column(sort_order=1)


class EventPart(Identified, Base):
    """What belongs to one event and has a name that is unique in it, by a constraint of each table."""

    __abstract__ = True

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), sort_order=-1)
    name: Mapped[str] = mapped_column(String(100), sort_order=-1)


class Event(Listed, Base):
    """A gathering. `starts` and `ends` are what a person wrote; instants and search text follow from the rest."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_sort", "starts_at", "id"), Index("ix_events_revision", "revision"))

    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[EventKind] = word_column(EventKind, default=EventKind.CONFERENCE)
    summary: Mapped[str | None] = mapped_column(default=None)
    description: Mapped[str | None] = mapped_column(default=None)
    programme: Mapped[Programme] = word_column(Programme, default=Programme.CURATED)
    attendance: Mapped[Attendance] = word_column(Attendance, default=Attendance.IN_PERSON)
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
    status: Mapped[EventStatus] = word_column(EventStatus, default=EventStatus.PENDING)
    series: Mapped[str | None] = mapped_column(String(80), default=None)
    recurrence: Mapped[str | None] = mapped_column(String(500), default=None)
    # By occurrence, in their order; what an override may hold, events/recurrence/overrides.py says.
    recurrence_overrides: Mapped[dict[str, Any]] = mapped_column(default=dict, sort_order=2)
    proposer_id: Mapped[MemberReference]

    redacted_at: Mapped[datetime | None] = mapped_column(default=None)

    # Derived, as the columns of Listed.
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    # When the last occurrence's day is over; None if the event recurs for ever.
    over_at: Mapped[datetime | None] = mapped_column(default=None, info=PRIVATE, sort_order=2)

    tags: Mapped[list["EventTag"]] = child_rows(order_by="EventTag.position")
    tracks: Mapped[list["Track"]] = child_rows(order_by="(Track.position, Track.id)")
    rooms: Mapped[list["Room"]] = child_rows(order_by="(Room.position, Room.id)")
    call: Mapped["CallForTalks | None"] = child_rows(uselist=False)
    neighbours: Mapped[list["CoLocation"]] = child_rows(
        foreign_keys="CoLocation.event_id", order_by="(CoLocation.position, CoLocation.other_id)"
    )


class EventTag(TagRow):
    """One tag of an event, as it was written, in its place."""

    __tablename__ = "event_tags"
    __table_args__ = (Index("ix_event_tags_tag", "tag"),)

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)


class CoLocation(Base):
    """One event held beside another, as seen from `event_id`; the other side has a row of its own."""

    __tablename__ = "co_locations"

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(default=0)

    other: Mapped[Event] = relationship(lazy="raise", foreign_keys=[other_id])


class CallForTalks(Base):
    """When and for what an event takes talks: as it was written, and the instants that follow from it."""

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
    """A strand of an event's programme."""

    __tablename__ = "tracks"
    __table_args__ = (UniqueConstraint("event_id", "name"),)

    colour: Mapped[str | None] = mapped_column(String(7), default=None)
    position: Mapped[int] = mapped_column(default=0)


class Room(EventPart):
    """A place inside an event's venue."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("event_id", "name"),)

    capacity: Mapped[int | None] = mapped_column(default=None)
    position: Mapped[int] = mapped_column(default=0)


class TeamMember(Base):
    """What a member may do for one event."""

    __tablename__ = "team_members"

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[TeamRole] = word_column(TeamRole)
