"""The words that an event's fields may hold."""

from collections.abc import Mapping
from enum import StrEnum

from eventcal.kit.refusals import Sentence


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


class EventStatus(StrEnum):
    """How far along an event is."""

    DRAFT = "draft"
    PENDING = "pending"
    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


class OccurrenceStatus(StrEnum):
    """How sure one occurrence of a recurring event is, where it is not as sure as the whole."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


PUBLIC_STATUSES = (EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.POSTPONED, EventStatus.CANCELLED)
# What still takes place, or may.
STANDING_STATUSES = (EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.POSTPONED)
# What an organiser may set by hand; the others are steps.
PLAIN_STATUSES = STANDING_STATUSES


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


STATUS_WORDS: Mapping[str, Sentence] = {
    EventStatus.DRAFT: Sentence("draft"),
    EventStatus.PENDING: Sentence("pending"),
    EventStatus.TENTATIVE: Sentence("tentative"),
    EventStatus.CONFIRMED: Sentence("confirmed"),
    EventStatus.POSTPONED: Sentence("postponed"),
    EventStatus.CANCELLED: Sentence("cancelled"),
}
"""What is said in refusals of how far along it is: it is …"""
