"""Sponsorship rules that do not access the database: state transitions and validation of tiers."""

from collections.abc import Mapping
from enum import StrEnum

from eventcal.kit.errors import FieldError, Message, Transition
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Tier


class SponsorshipAction(StrEnum):
    """An action on a sponsorship, as used in URLs."""

    CONFIRM = "confirm"
    CANCEL = "cancel"


SPONSORSHIP_TRANSITIONS: Mapping[SponsorshipAction, Transition[SponsorshipState]] = {
    SponsorshipAction.CONFIRM: Transition(frozenset({SponsorshipState.ENQUIRY}), SponsorshipState.CONFIRMED),
    SponsorshipAction.CANCEL: Transition(
        frozenset({SponsorshipState.ENQUIRY, SponsorshipState.CONFIRMED}), SponsorshipState.CANCELLED
    ),
}


def has_free_place(capacity: int | None, taken: int) -> bool:
    return capacity is None or taken < capacity


def tier_errors(tier: Tier, *, taken: int) -> list[FieldError]:
    errors: list[FieldError] = []
    if (tier.price_amount is None) is not (tier.price_currency is None):
        errors.append(FieldError("/price", Message("must have both an amount and a currency, or be null")))
    if tier.capacity is not None and tier.capacity < taken:
        few = Message("must be at least %(taken)s, the number of confirmed sponsorships", taken=taken)
        errors.append(FieldError("/capacity", few))
    return errors
