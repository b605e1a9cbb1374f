"""The words that a talk's fields may hold."""

from eventcal.events.words import StateWord
from eventcal.kit.refusals import Sentence


class TalkState(StateWord):
    """How far along a talk is."""

    DRAFT = Sentence("draft")
    SUBMITTED = Sentence("submitted")
    WAITLISTED = Sentence("waitlisted")
    ACCEPTED = Sentence("accepted")
    CONFIRMED = Sentence("confirmed")
    REJECTED = Sentence("rejected")
    WITHDRAWN = Sentence("withdrawn")
    CANCELLED = Sentence("cancelled")
