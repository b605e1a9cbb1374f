"""The words that a talk's fields may hold."""

from collections.abc import Mapping
from enum import StrEnum

from eventcal.kit.refusals import Sentence


class TalkState(StrEnum):
    """How far along a talk is."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WAITLISTED = "waitlisted"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


STATE_WORDS: Mapping[str, Sentence] = {
    TalkState.DRAFT: Sentence("draft"),
    TalkState.SUBMITTED: Sentence("submitted"),
    TalkState.WAITLISTED: Sentence("waitlisted"),
    TalkState.ACCEPTED: Sentence("accepted"),
    TalkState.CONFIRMED: Sentence("confirmed"),
    TalkState.REJECTED: Sentence("rejected"),
    TalkState.WITHDRAWN: Sentence("withdrawn"),
    TalkState.CANCELLED: Sentence("cancelled"),
}
"""What is said in refusals of how far along it is: it is …"""
