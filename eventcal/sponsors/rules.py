"""Decisions about sponsorship that need nothing but values: the table of steps, the places of a tier."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from eventcal.kit.refusals import Fault, Sentence, Transition
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


def tier_faults(tier: Mapping[str, Any], *, taken: int) -> Iterator[Fault]:
    """Give everything about a tier, as it would be stored, that does not fit together; `taken` of it are sold."""
    if (tier["price_amount"] is None) is not (tier["price_currency"] is None):
        yield Fault("/price", Sentence("a price is an amount and a currency; give both or null"))
    if tier["capacity"] is not None and tier["capacity"] < taken:
        yield Fault(
            "/capacity",
            Sentence(
                "%(taken)s are taken already; give at least that many, or cancel a sponsorship first", taken=taken
            ),
        )
