"""Table of speakers."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.kit.models import PRIVATE_COLUMN, Base, RandomIdMixin


class Speaker(RandomIdMixin, Base):
    """A speaker, who can be linked to a member account. `email` identifies the speaker and is never published."""

    __tablename__ = "speakers"

    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    job_title: Mapped[str | None] = mapped_column(String(200), default=None)
    affiliation: Mapped[str | None] = mapped_column(String(200), default=None)
    bio: Mapped[str | None] = mapped_column(default=None)
    links: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    photo_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    email: Mapped[str | None] = mapped_column(String(254), unique=True, default=None, info=PRIVATE_COLUMN)
    member_id: Mapped[str | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), unique=True, default=None, info=PRIVATE_COLUMN
    )
    # Requests for a merged speaker are redirected to the speaker with the ID `merged_into_id`.
    merged_into_id: Mapped[str | None] = mapped_column(ForeignKey("speakers.id"), default=None)
    # The time at which a talk of the speaker first became public.
    published_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
