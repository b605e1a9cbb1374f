"""The system clock. All other code takes the current time as an argument, so that tests can control it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the current time that can also wait."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""

    def wait_until(self, moment: datetime) -> None:
        """Block until `moment`. Return immediately if it has passed."""


class SystemClock:
    """The clock of the operating system."""

    # Limits the wait, so that setting the system clock back does not block requests for long.
    MAX_WAIT = timedelta(seconds=3)

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime) -> None:
        """Sleep until `moment`, but at most `MAX_WAIT`."""
        wait = min(moment - self.now(), self.MAX_WAIT)
        if wait > timedelta(0):
            time.sleep(wait.total_seconds())


def truncate_to_second(moment: datetime) -> datetime:
    """Return `moment` without microseconds, which iCalendar and HTTP dates cannot express."""
    return moment.replace(microsecond=0)
