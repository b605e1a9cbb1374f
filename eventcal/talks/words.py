"""Enumerations of the values of talk fields."""

from eventcal.events.words import StateWord
from eventcal.kit.refusals import Sentence


class TalkState(StateWord):
    """The state of a talk."""

    DRAFT = Sentence("draft")
    SUBMITTED = Sentence("submitted")
    WAITLISTED = Sentence("waitlisted")
    ACCEPTED = Sentence("accepted")
    CONFIRMED = Sentence("confirmed")
    REJECTED = Sentence("rejected")
    WITHDRAWN = Sentence("withdrawn")
    CANCELLED = Sentence("cancelled")
