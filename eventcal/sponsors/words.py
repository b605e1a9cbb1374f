"""The words that a sponsorship's fields may hold."""

from enum import StrEnum


class SponsorshipState(StrEnum):
    """How far along a sponsorship is."""

    ENQUIRY = "enquiry"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
