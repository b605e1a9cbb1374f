"""A clock that does not advance until a test changes the time."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""The moment at which every test begins."""


class FixedClock:
    """A clock for tests: it always says the same, and who waits for a moment is there at once."""

    def __init__(self, moment: datetime = NOON) -> None:
        self._now = moment

    def now(self) -> datetime:
        """Return the moment at which the clock stands, in UTC."""
        return self._now

    def wait_until(self, moment: datetime) -> None:
        """Put the clock forward to `moment`; never back."""
        self._now = max(self._now, moment.astimezone(UTC))

    def set_time(self, to: datetime) -> None:
        """Put the clock to `to`, forward or back."""
        self._now = to.astimezone(UTC)

    def tick(self, seconds: float = 1) -> None:
        """Let this many seconds pass."""
        self._now += timedelta(seconds=seconds)
