"""Enumerations of the values of sponsorship fields."""

from eventcal.events.words import StateWord
from eventcal.kit.refusals import Message


class SponsorshipState(StateWord):
    """The state of a sponsorship."""

    ENQUIRY = Message("enquiry")
    CONFIRMED = Message("confirmed")
    CANCELLED = Message("cancelled")
