"""The only reader of the wall clock: everybody else is handed the time."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time and can let it pass."""

    def now(self) -> datetime:
        """Return this instant, in UTC."""

    def wait_until(self, moment: datetime) -> None:
        """Return once `moment` has come; at once if it has."""


class SystemClock:
    """The machine's clock."""

    # Nobody waits longer for a moment of ours than this: a clock set back must not stop the house.
    LONGEST_WAIT = timedelta(seconds=3)

    def now(self) -> datetime:
        """Return this instant, in UTC."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime) -> None:
        """Sleep until `moment`, but never longer than `LONGEST_WAIT`."""
        wait = min(moment - self.now(), self.LONGEST_WAIT)
        if wait > timedelta(0):
            time.sleep(wait.total_seconds())


def whole_second(moment: datetime) -> datetime:
    """Return the second that `moment` lies in; iCalendar and HTTP dates know nothing finer."""
    return moment.replace(microsecond=0)
