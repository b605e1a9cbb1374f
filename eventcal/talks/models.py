"""Tables for talks and their speakers, tags, state changes and stars."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypedDict

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from eventcal.events.enums import TalkKind
from eventcal.events.models import Event, ListingMixin, MemberReference, Room, Track, child_relationship
from eventcal.kit.markdown import to_html, to_plain_text
from eventcal.kit.models import PRIVATE_COLUMN, Base, RandomIdMixin, TagRow, enum_column
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState


@dataclass(frozen=True, kw_only=True)
class EnteredSpeaker:
    """A speaker as the submitter of a talk entered them.

    Anybody can name a speaker by email, so the name and the profile of a speaker who is not public stay hidden.
    """

    name: str
    job_title: str | None = None
    affiliation: str | None = None
    slug: ClassVar[None] = None
    published_at: ClassVar[None] = None


class TalkTexts(TypedDict, total=False):
    """The optional texts of a talk, which are cleared when the talk is redacted."""

    abstract: str | None
    language: str | None
    slides_url: str | None
    recording_url: str | None
    notes: str | None


TEXT_COLUMNS = tuple(TalkTexts.__annotations__)

_MULTI_DAY = text("first_day < last_day")


class Talk(ListingMixin, Base):
    """A talk at an event. `published_at` is the time when the talk first became public, and is never reset."""

    __tablename__ = "talks"
    __table_args__ = (
        Index("ix_talks_sort", "sort_at", "id"),
        Index("ix_talks_event_sort", "event_id", "sort_at", "id"),
        Index("ix_talks_revision", "revision"),
        Index("ix_talks_updated", "updated_at", "id"),
        # The few talks that span several days, in the order of `ix_talks_sort`.
        Index("ix_talks_multi_day", "sort_at", "last_day", sqlite_where=_MULTI_DAY, postgresql_where=_MULTI_DAY),
    )

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"))
    title: Mapped[str] = mapped_column(String(200))
    abstract: Mapped[str | None] = mapped_column(default=None)
    kind: Mapped[TalkKind] = enum_column(TalkKind, default=TalkKind.TALK)
    language: Mapped[str | None] = mapped_column(String(35), default=None)
    track_id: Mapped[str | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"), default=None, index=True)
    room_id: Mapped[str | None] = mapped_column(ForeignKey("rooms.id", ondelete="SET NULL"), default=None, index=True)
    starts: Mapped[str | None] = mapped_column(String(19), default=None)
    ends: Mapped[str | None] = mapped_column(String(19), default=None)
    duration_minutes: Mapped[int | None] = mapped_column(default=None)
    state: Mapped[TalkState] = enum_column(TalkState, default=TalkState.SUBMITTED)
    submitter_id: Mapped[MemberReference] = mapped_column(index=True)
    notes: Mapped[str | None] = mapped_column(default=None, info=PRIVATE_COLUMN)
    slides_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    recording_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    reprise_of_id: Mapped[str | None] = mapped_column(ForeignKey("talks.id"), default=None, index=True)
    published_at: Mapped[datetime | None] = mapped_column(default=None)
    redacted_at: Mapped[datetime | None] = mapped_column(default=None)

    starts_at: Mapped[datetime | None] = mapped_column(default=None)
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    sort_at: Mapped[datetime]
    # Whether the occurrence of the event on the day of the talk is cancelled or excluded.
    is_occurrence_cancelled: Mapped[bool] = mapped_column(default=False, sort_order=3)
    # The abstract rendered from Markdown, updated whenever `abstract` is assigned.
    abstract_html: Mapped[str | None] = mapped_column(default=None, info=PRIVATE_COLUMN, sort_order=2)
    abstract_plain: Mapped[str | None] = mapped_column(default=None, info=PRIVATE_COLUMN, sort_order=2)

    # Assigning a relationship sets the corresponding `_id` column (see `_set_reference_id`).
    # The relationships are `viewonly`, because cascade checks took most of the time of a flush.
    event: Mapped[Event] = relationship(lazy="raise", viewonly=True)
    track: Mapped[Track | None] = relationship(lazy="raise", viewonly=True)
    room: Mapped[Room | None] = relationship(lazy="raise", viewonly=True)
    reprise_of: Mapped["Talk | None"] = relationship(lazy="raise", remote_side="Talk.id", viewonly=True)
    speaking: Mapped[list["TalkSpeaker"]] = child_relationship(order_by="TalkSpeaker.position")
    tags: Mapped[list["TalkTag"]] = child_relationship(order_by="TalkTag.position")

    def render_abstract(self) -> None:
        """Render the abstract again, for example after an upgrade of the Markdown library."""
        self.abstract = self.abstract

    @validates("event", "track", "room", "reprise_of")
    def _set_reference_id(self, name: str, other: RandomIdMixin | None) -> RandomIdMixin | None:
        if other is not None and other.id is None:
            raise ValueError(f"a talk cannot refer to a {name} that was not flushed")
        setattr(self, f"{name}_id", other.id if other is not None else None)
        return other

    @validates("abstract")
    def _set_rendered_abstract(self, _name: str, abstract: str | None) -> str | None:
        self.abstract_html = abstract and to_html(abstract)
        self.abstract_plain = abstract and to_plain_text(abstract)
        return abstract

    @property
    def speakers(self) -> list[Speaker | EnteredSpeaker]:
        """The speakers as they may be shown. Speakers who are not public are replaced by what the submitter entered."""
        return [part.shown for part in self.speaking]

    @property
    def speaker_rows(self) -> list[Speaker]:
        """The speakers as stored, whose data must not be shown to anyone who merely knows their email address."""
        return [part.speaker for part in self.speaking]

    @property
    def public_state(self) -> TalkState:
        """The published state: `cancelled` for a public talk that was withdrawn, or whose event was cancelled.

        Only the occurrence of the event on the day of the talk may be cancelled.
        """
        gone = self.state == TalkState.WITHDRAWN or self.event.status == "cancelled" or self.is_occurrence_cancelled
        return TalkState.CANCELLED if self.published_at is not None and gone else self.state


class TalkSpeaker(Base):
    """A speaker of a talk.

    `entered` contains the fields of an `EnteredSpeaker` if the speaker was named by email, or else None.
    """

    __tablename__ = "talk_speakers"

    talk_id: Mapped[str] = mapped_column(ForeignKey("talks.id", ondelete="CASCADE"), primary_key=True)
    speaker_id: Mapped[str] = mapped_column(ForeignKey("speakers.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(default=0)
    entered: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)

    speaker: Mapped[Speaker] = relationship(lazy="raise")

    @property
    def shown(self) -> Speaker | EnteredSpeaker:
        """The speaker, or what the submitter entered if the speaker was named by email and is not public."""
        if self.entered is None or self.speaker.published_at is not None:
            return self.speaker
        return EnteredSpeaker(**self.entered)


class TalkTag(TagRow):
    """A tag of a talk and its position in the list of tags."""

    __tablename__ = "talk_tags"
    __table_args__ = (Index("ix_talk_tags_tag", "tag"),)

    talk_id: Mapped[str] = mapped_column(ForeignKey("talks.id", ondelete="CASCADE"), primary_key=True)


class TalkStateChange(Base):
    """A state change in the history of a talk."""

    __tablename__ = "talk_state_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    talk_id: Mapped[str] = mapped_column(ForeignKey("talks.id", ondelete="CASCADE"), index=True)
    from_state: Mapped[TalkState | None] = enum_column(TalkState)
    to_state: Mapped[TalkState] = enum_column(TalkState)
    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), default=None)
    reason: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]


class Star(Base):
    """A talk on a member's agenda."""

    __tablename__ = "stars"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    talk_id: Mapped[str] = mapped_column(ForeignKey("talks.id", ondelete="CASCADE"), primary_key=True, index=True)
    starred_at: Mapped[datetime]
