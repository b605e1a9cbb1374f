"""The words that an event's fields may hold."""

from enum import StrEnum
from typing import Self

from eventcal.kit.refusals import Sentence


class StateWord(StrEnum):
    """The base of enumerations of states. Members are given as Sentences; `described` is that, for error messages."""

    described: str

    def __new__(cls, word: str) -> Self:
        """Return the member for a word."""
        member = str.__new__(cls, word)
        member._value_, member.described = str(member), word
        return member


class EventKind(StrEnum):
    """What sort of gathering."""

    CONFERENCE = "conference"
    MEETUP = "meetup"
    HACKATHON = "hackathon"
    WORKSHOP = "workshop"
    WEBINAR = "webinar"


class Programme(StrEnum):
    """Who decides on the talks."""

    CURATED = "curated"
    LISTED = "listed"


class Attendance(StrEnum):
    """Where people take part."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    HYBRID = "hybrid"


class EventStatus(StateWord):
    """How far along an event is."""

    DRAFT = Sentence("draft")
    PENDING = Sentence("pending")
    TENTATIVE = Sentence("tentative")
    CONFIRMED = Sentence("confirmed")
    POSTPONED = Sentence("postponed")
    CANCELLED = Sentence("cancelled")


class OccurrenceStatus(StrEnum):
    """How sure one occurrence of a recurring event is, where it is not as sure as the whole."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


PUBLIC_STATUSES = (EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.POSTPONED, EventStatus.CANCELLED)
# Events that still take place, or may. An organiser may set these by hand; the others are steps.
STANDING_STATUSES = (EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.POSTPONED)


class TeamRole(StrEnum):
    """What a member is to one event."""

    ORGANISER = "organiser"
    REVIEWER = "reviewer"


class TalkKind(StrEnum):
    """What sort of contribution; an event's call says which it takes."""

    TALK = "talk"
    KEYNOTE = "keynote"
    LIGHTNING = "lightning"
    TUTORIAL = "tutorial"
    WORKSHOP = "workshop"
    PANEL = "panel"
    BOF = "bof"
    POSTER = "poster"
