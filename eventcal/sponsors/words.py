"""The words that a sponsorship's fields may hold."""

from collections.abc import Mapping
from enum import StrEnum

from eventcal.kit.refusals import Sentence


class SponsorshipState(StrEnum):
    """How far along a sponsorship is."""

    ENQUIRY = "enquiry"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


STATE_WORDS: Mapping[str, Sentence] = {
    SponsorshipState.ENQUIRY: Sentence("enquiry"),
    SponsorshipState.CONFIRMED: Sentence("confirmed"),
    SponsorshipState.CANCELLED: Sentence("cancelled"),
}
"""What is said in refusals of how far along it is: it is …"""
