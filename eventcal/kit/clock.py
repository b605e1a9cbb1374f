"""The system clock. All other modules receive the current time as an argument, so that tests can control the time."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the current time in UTC, which can also block until a given time."""

    def now(self) -> datetime: ...

    def wait_until(self, moment: datetime) -> None: ...


class SystemClock:
    """The clock of the operating system."""

    # Limiting each wait prevents long delays after the system clock is set back.
    MAX_WAIT = timedelta(seconds=3)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait_until(self, moment: datetime) -> None:
        """Sleep until `moment`, but no longer than `MAX_WAIT`."""
        wait = min(moment - self.now(), self.MAX_WAIT)
        if wait > timedelta(0):
            time.sleep(wait.total_seconds())


def truncate_to_second(moment: datetime) -> datetime:
    """Return `moment` without microseconds, which iCalendar and HTTP dates cannot represent."""
    return moment.replace(microsecond=0)
