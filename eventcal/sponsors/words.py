"""Enumerations of the values of sponsorship fields."""

from eventcal.events.words import StateWord
from eventcal.kit.refusals import Sentence


class SponsorshipState(StateWord):
    """The state of a sponsorship."""

    ENQUIRY = Sentence("enquiry")
    CONFIRMED = Sentence("confirmed")
    CANCELLED = Sentence("cancelled")
