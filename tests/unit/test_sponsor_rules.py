"""The state transitions of a sponsorship and the capacity of a tier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.kit.errors import FieldError
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Tier
from eventcal.sponsors.rules import SPONSORSHIP_TRANSITIONS, SponsorshipAction, has_free_place, tier_errors


def test_sponsorship_has_the_specified_transitions() -> None:
    assert {
        (step, source, target) for step, (sources, target) in SPONSORSHIP_TRANSITIONS.items() for source in sources
    } == {
        ("confirm", "enquiry", "confirmed"),
        ("cancel", "enquiry", "cancelled"),
        ("cancel", "confirmed", "cancelled"),
    }
    assert set(SPONSORSHIP_TRANSITIONS) == set(SponsorshipAction)
    assert {target for _, target in SPONSORSHIP_TRANSITIONS.values()} == set(SponsorshipState) - {
        SponsorshipState.ENQUIRY
    }


def test_tier_has_places_until_its_capacity_is_reached() -> None:
    assert [has_free_place(3, taken) for taken in (0, 2, 3, 4)] == [True, True, False, False]


@given(st.integers(min_value=0))
def test_tier_without_capacity_always_has_a_place(taken: int) -> None:
    assert has_free_place(None, taken) is True


@pytest.mark.parametrize(
    ("tier", "faults"),
    [
        ({"price_amount": "5.00", "price_currency": "EUR", "capacity": 2}, []),
        ({"price_amount": None, "price_currency": None, "capacity": None}, []),
        (
            {"price_amount": None, "price_currency": "EUR", "capacity": 1},
            [
                FieldError("/price", "must have both an amount and a currency, or be null"),
                FieldError("/capacity", "must be at least 2, the number of confirmed sponsorships"),
            ],
        ),
    ],
)
def test_tier_with_incomplete_price_or_too_small_capacity_is_rejected(
    tier: dict[str, object], faults: list[FieldError]
) -> None:
    assert tier_errors(Tier(**tier), taken=2) == faults
