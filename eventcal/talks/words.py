"""Enumerations of the values of talk fields."""

from eventcal.events.words import StateWord
from eventcal.kit.refusals import Message


class TalkState(StateWord):
    """The state of a talk."""

    DRAFT = Message("draft")
    SUBMITTED = Message("submitted")
    WAITLISTED = Message("waitlisted")
    ACCEPTED = Message("accepted")
    CONFIRMED = Message("confirmed")
    REJECTED = Message("rejected")
    WITHDRAWN = Message("withdrawn")
    CANCELLED = Message("cancelled")
