"""The table of a sponsorship's steps, and the places of a tier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.kit.refusals import Fault
from eventcal.sponsors.models import Tier
from eventcal.sponsors.rules import STEPS, SponsorshipStep, has_place, tier_faults
from eventcal.sponsors.words import SponsorshipState


def test_the_steps_are_those_that_were_promised() -> None:
    assert {(step, source, target) for step, (sources, target) in STEPS.items() for source in sources} == {
        ("confirm", "enquiry", "confirmed"),
        ("cancel", "enquiry", "cancelled"),
        ("cancel", "confirmed", "cancelled"),
    }
    assert set(STEPS) == set(SponsorshipStep)
    assert {target for _, target in STEPS.values()} == set(SponsorshipState) - {SponsorshipState.ENQUIRY}


def test_a_tier_has_a_place_until_its_last_one_is_taken() -> None:
    assert [has_place(3, taken) for taken in (0, 2, 3, 4)] == [True, True, False, False]


@given(st.integers(min_value=0))
def test_a_tier_without_a_number_of_places_always_has_one(taken: int) -> None:
    assert has_place(None, taken) is True


@pytest.mark.parametrize(
    ("tier", "faults"),
    [
        ({"price_amount": "5.00", "price_currency": "EUR", "capacity": 2}, []),
        ({"price_amount": None, "price_currency": None, "capacity": None}, []),
        (
            {"price_amount": None, "price_currency": "EUR", "capacity": 1},
            [
                Fault("/price", "a price is an amount and a currency; give both or null"),
                Fault("/capacity", "2 are taken already; give at least that many, or cancel a sponsorship first"),
            ],
        ),
    ],
)
def test_a_tier_fits_together_and_has_room_for_those_who_hold_it(tier: dict[str, object], faults: list[Fault]) -> None:
    assert tier_faults(Tier(**tier), taken=2) == faults
