"""Tables of transitions: from which states a step may be taken, and to which state it leads."""

from typing import Generic, NamedTuple, TypeVar

from eventcal.kit.refusals import Refusal

State = TypeVar("State")


class Transition(NamedTuple, Generic[State]):
    """One row of such a table; the target is None where the step alone does not determine it."""

    sources: frozenset[State]
    target: State

    def check(self, state: State, refusal: Refusal) -> None:
        """Raise the refusal unless the step may be taken from this state."""
        if state not in self.sources:
            raise refusal
