"""Table of invitations."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eventcal.events.enums import TeamRole
from eventcal.events.models import Event, MemberReference
from eventcal.invitations.enums import InvitationKind, InvitationState
from eventcal.kit.models import Base, RandomIdMixin, enum_column


class Invitation(RandomIdMixin, Base):
    """An invitation to take on a role at an event, sent to an email address that need not belong to a member.

    `email_key` is the normalised form of `email`. The emailed link contains a random token, of which only the hash is
    stored.
    """

    __tablename__ = "invitations"

    kind: Mapped[InvitationKind] = enum_column(InvitationKind)
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), index=True)
    role: Mapped[TeamRole] = enum_column(TeamRole)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    invited_by_id: Mapped[MemberReference]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[InvitationState] = enum_column(InvitationState, default=InvitationState.OPEN)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    event: Mapped[Event] = relationship(lazy="raise", viewonly=True)
