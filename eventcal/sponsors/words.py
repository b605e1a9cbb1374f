"""Enumerations of the values of sponsorship fields."""

from eventcal.events.words import StateEnum
from eventcal.kit.refusals import Message


class SponsorshipState(StateEnum):
    """The state of a sponsorship."""

    ENQUIRY = Message("enquiry")
    CONFIRMED = Message("confirmed")
    CANCELLED = Message("cancelled")
