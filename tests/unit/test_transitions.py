"""A transition is allowed only from its source states."""

import pytest

from eventcal.kit.errors import Conflict, Transition

CLOSE_TRANSITION = Transition(frozenset({"open", "ajar"}), "closed")


@pytest.mark.parametrize("state", ["open", "ajar"])
def test_transition_is_allowed_from_each_source(state: str) -> None:
    CLOSE_TRANSITION.check(state, Conflict("It is closed already."))


@pytest.mark.parametrize("state", ["closed", "gone"])
def test_transition_from_another_state_raises_the_given_error(state: str) -> None:
    refusal = Conflict("It is closed already.")
    with pytest.raises(Conflict) as caught:
        CLOSE_TRANSITION.check(state, refusal)
    assert caught.value is refusal
