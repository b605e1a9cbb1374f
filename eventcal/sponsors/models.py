"""Tables for tiers, sponsors and sponsorships."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eventcal.events.models import Event, EventPart, MemberReference
from eventcal.kit.models import PRIVATE_COLUMN, Base, RandomIdMixin, enum_column
from eventcal.members.models import Member
from eventcal.sponsors.enums import SponsorshipState


class Tier(EventPart):
    """A sponsorship tier of an event. `capacity` is the maximum number of sponsors, or None for no limit."""

    __tablename__ = "tiers"
    __table_args__ = (UniqueConstraint("event_id", "name"),)

    rank: Mapped[int] = mapped_column(default=1)
    price_amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2), default=None)
    price_currency: Mapped[str | None] = mapped_column(String(3), default=None)
    capacity: Mapped[int | None] = mapped_column(default=None)
    benefits: Mapped[list[str]] = mapped_column(default=list)

    event: Mapped[Event] = relationship(lazy="raise")


class Sponsor(RandomIdMixin, Base):
    """An organisation that sponsors events."""

    __tablename__ = "sponsors"

    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str | None] = mapped_column(String(2000), default=None)
    logo_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    description: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Sponsorship(RandomIdMixin, Base):
    """A requested, confirmed or cancelled sponsorship of an event in one of the event's tiers."""

    __tablename__ = "sponsorships"
    __table_args__ = (Index("ix_sponsorships_tier_state", "tier_id", "state"),)

    tier_id: Mapped[str] = mapped_column(ForeignKey("tiers.id"))
    sponsor_id: Mapped[str] = mapped_column(ForeignKey("sponsors.id"), index=True)
    state: Mapped[SponsorshipState] = enum_column(SponsorshipState, default=SponsorshipState.ENQUIRY)
    note: Mapped[str | None] = mapped_column(default=None, info=PRIVATE_COLUMN)
    enquirer_id: Mapped[MemberReference]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    tier: Mapped[Tier] = relationship(lazy="raise")
    sponsor: Mapped[Sponsor] = relationship(lazy="raise")
    enquirer: Mapped[Member | None] = relationship(lazy="raise")
