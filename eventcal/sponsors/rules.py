"""Decisions about sponsorship that need nothing but values: the table of steps, the places of a tier."""

from collections.abc import Mapping
from enum import StrEnum

from eventcal.kit.refusals import Fault, Sentence, Transition
from eventcal.sponsors.models import Tier
from eventcal.sponsors.words import SponsorshipState


class SponsorshipStep(StrEnum):
    """What can be done to a sponsorship; the word is the one in the URL."""

    CONFIRM = "confirm"
    CANCEL = "cancel"


STEPS: Mapping[SponsorshipStep, Transition[SponsorshipState]] = {
    SponsorshipStep.CONFIRM: Transition(frozenset({SponsorshipState.ENQUIRY}), SponsorshipState.CONFIRMED),
    SponsorshipStep.CANCEL: Transition(
        frozenset({SponsorshipState.ENQUIRY, SponsorshipState.CONFIRMED}), SponsorshipState.CANCELLED
    ),
}


def has_place(capacity: int | None, taken: int) -> bool:
    """Say whether one more sponsor finds a place in a tier of this capacity; None is any number."""
    return capacity is None or taken < capacity


def tier_faults(tier: Tier, *, taken: int) -> list[Fault]:
    """Return everything about a tier that does not fit together; `taken` of it are sold."""
    faults: list[Fault] = []
    if (tier.price_amount is None) is not (tier.price_currency is None):
        faults.append(Fault("/price", Sentence("a price is an amount and a currency; give both or null")))
    if tier.capacity is not None and tier.capacity < taken:
        few = Sentence(
            "%(taken)s are taken already; give at least that many, or cancel a sponsorship first", taken=taken
        )
        faults.append(Fault("/capacity", few))
    return faults
