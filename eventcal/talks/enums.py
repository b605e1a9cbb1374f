"""Enumerations for the fields of a talk."""

from enum import StrEnum

from eventcal.events.enums import StateEnum
from eventcal.kit.errors import Message


class TalkState(StateEnum):
    """The state of a talk."""

    DRAFT = Message("draft")
    SUBMITTED = Message("submitted")
    WAITLISTED = Message("waitlisted")
    ACCEPTED = Message("accepted")
    CONFIRMED = Message("confirmed")
    REJECTED = Message("rejected")
    WITHDRAWN = Message("withdrawn")
    CANCELLED = Message("cancelled")


class TalkRole(StrEnum):
    """How a member takes part in a talk."""

    SUBMITTER = "submitter"
    SPEAKER = "speaker"
