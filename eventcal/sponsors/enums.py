"""Enumeration of the states of a sponsorship."""

from eventcal.events.enums import StateEnum
from eventcal.kit.errors import Message


class SponsorshipState(StateEnum):
    """The state of a sponsorship."""

    ENQUIRY = Message("enquiry")
    CONFIRMED = Message("confirmed")
    CANCELLED = Message("cancelled")
