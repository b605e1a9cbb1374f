"""A transition may be taken from its sources, and from no other state."""

import pytest

from eventcal.kit.refusals import Conflict, Transition

CLOSE = Transition(frozenset({"open", "ajar"}), "closed")


@pytest.mark.parametrize("state", ["open", "ajar"])
def test_a_transition_can_be_taken_from_each_of_its_sources(state: str) -> None:
    CLOSE.check(state, Conflict("It is closed already."))


@pytest.mark.parametrize("state", ["closed", "gone"])
def test_a_transition_from_another_state_raises_the_refusal_that_was_given(state: str) -> None:
    refusal = Conflict("It is closed already.")
    with pytest.raises(Conflict) as caught:
        CLOSE.check(state, refusal)
    assert caught.value is refusal
