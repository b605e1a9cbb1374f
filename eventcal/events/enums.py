"""Enumerations for the fields of an event."""

from enum import StrEnum
from typing import Self

from eventcal.kit.errors import Message


class StateEnum(StrEnum):
    """Base class for state enumerations whose members each have a translatable `label`."""

    label: str

    def __new__(cls, label: str) -> Self:
        member = str.__new__(cls, label)
        member._value_, member.label = str(member), label
        return member


class EventKind(StrEnum):
    """The kind of an event."""

    CONFERENCE = "conference"
    MEETUP = "meetup"
    HACKATHON = "hackathon"
    WORKSHOP = "workshop"
    WEBINAR = "webinar"


class Programme(StrEnum):
    """How talks are selected: by organisers (`curated`) or by moderators (`listed`)."""

    CURATED = "curated"
    LISTED = "listed"


class Attendance(StrEnum):
    """The form of attendance at an event."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    HYBRID = "hybrid"


class EventStatus(StateEnum):
    """The status of an event."""

    DRAFT = Message("draft")
    PENDING = Message("pending")
    TENTATIVE = Message("tentative")
    CONFIRMED = Message("confirmed")
    POSTPONED = Message("postponed")
    CANCELLED = Message("cancelled")


class OccurrenceStatus(StrEnum):
    """The statuses that a single occurrence can have instead of the status of the event."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


PUBLIC_STATUSES = (EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.POSTPONED, EventStatus.CANCELLED)
ACTIVE_STATUSES = (EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.POSTPONED)


class TeamRole(StrEnum):
    """The role of a registered member in an event's team."""

    ORGANISER = "organiser"
    REVIEWER = "reviewer"


class TalkKind(StrEnum):
    """The kind of a talk. A call for talks can be restricted to certain kinds of talks."""

    TALK = "talk"
    KEYNOTE = "keynote"
    LIGHTNING = "lightning"
    TUTORIAL = "tutorial"
    WORKSHOP = "workshop"
    PANEL = "panel"
    BOF = "bof"
    POSTER = "poster"
