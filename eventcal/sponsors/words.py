"""The words that a sponsorship's fields may hold."""

from eventcal.events.words import StateWord
from eventcal.kit.refusals import Sentence


class SponsorshipState(StateWord):
    """How far along a sponsorship is."""

    ENQUIRY = Sentence("enquiry")
    CONFIRMED = Sentence("confirmed")
    CANCELLED = Sentence("cancelled")
