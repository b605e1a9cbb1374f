"""Limits for repeated log messages."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta


class LogThrottle:
    """Admits at most one message per key and interval, and counts the suppressed messages. Thread-safe.

    If there are `max_keys` keys, all further keys share one interval, so memory and the size of the log are bounded.
    """

    def __init__(self, *, interval: timedelta = timedelta(minutes=1), max_keys: int = 1000) -> None:
        self._interval = interval
        self._max_keys = max_keys
        self._lock = threading.Lock()
        # The time of the last admitted message, and the number of messages that were suppressed since then. The entries
        # are ordered by time.
        self._entries: OrderedDict[Hashable, tuple[datetime, int]] = OrderedDict()

    def admit(self, key: Hashable, *, now: datetime) -> int | None:
        """Return the number of suppressed messages to report, or None if this message must be suppressed."""
        with self._lock:
            self._drop_expired(key, now)
            if key not in self._entries and len(self._entries) >= self._max_keys:
                key = _OTHER_KEYS
            last, suppressed = self._entries.get(key, (None, 0))
            # If the system clock has been set back, `last` is in the future, and the message is admitted.
            if last is not None and last <= now < last + self._interval:
                self._entries[key] = (last, suppressed + 1)
                return None
            self._entries[key] = (now, 0)
            self._entries.move_to_end(key)
            return suppressed

    def _drop_expired(self, kept: Hashable, now: datetime) -> None:
        for key, (last, _suppressed) in list(self._entries.items()):
            if last <= now < last + self._interval:
                break
            if key not in {kept, _OTHER_KEYS}:
                del self._entries[key]


_OTHER_KEYS = object()
