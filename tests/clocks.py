"""A clock that does not advance until a test changes the time."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""The time at which every test begins."""


class FixedClock:
    """A clock that always returns the same time. Waiting sets the clock instead of pausing the thread."""

    def __init__(self, moment: datetime = NOON) -> None:
        self._now = moment

    def now(self) -> datetime:
        """Return the current time of the clock in UTC."""
        return self._now

    def wait_until(self, moment: datetime) -> None:
        """Set the clock to `moment` unless it shows a later time."""
        self._now = max(self._now, moment.astimezone(UTC))

    def set_time(self, to: datetime) -> None:
        """Set the clock to an earlier or later time."""
        self._now = to.astimezone(UTC)

    def tick(self, seconds: float = 1) -> None:
        """Advance the clock by a number of seconds."""
        self._now += timedelta(seconds=seconds)
