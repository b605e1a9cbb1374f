"""Repeating a change that was rejected because an entry has already been changed in the current second."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from eventcal.kit.clock import Clock, truncate_to_second
from eventcal.kit.errors import ChangedTooRecently

Result = TypeVar("Result")

_MAX_REPETITIONS = 2


def call_again_in_next_second(change: Callable[[], Result], *, clock: Clock) -> Result:
    """Call `change`, and call it again in the next second if it raises ChangedTooRecently.

    `change` must consist of a single unit of work. Raises ChangedTooRecently if others are changing the entry all the
    time.
    """
    for _ in range(_MAX_REPETITIONS):
        try:
            return change()
        except ChangedTooRecently:
            clock.wait_until(truncate_to_second(clock.now()) + timedelta(seconds=1))
    return change()
