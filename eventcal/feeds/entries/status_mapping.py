"""How the status of an event, or of one occurrence, shows in its calendar entry."""

from eventcal.events.words import EventStatus
from eventcal.feeds.entries.entry import Status

CANCELLED_PREFIX = "CANCELLED: "
POSTPONED_PREFIX = "POSTPONED: "

_PREFIXES = {EventStatus.CANCELLED: CANCELLED_PREFIX, EventStatus.POSTPONED: POSTPONED_PREFIX}
_STATUSES = {EventStatus.CANCELLED: Status.CANCELLED, EventStatus.CONFIRMED: Status.CONFIRMED}


def titled(title: str, status: EventStatus) -> str:
    """Return the title with what its status puts before it, once: some organisers write it themselves."""
    prefix = _PREFIXES.get(status, "")
    return title if title.startswith(prefix) else prefix + title


def status_of(status: EventStatus) -> Status:
    """Return how sure it is that something takes place."""
    return _STATUSES.get(status, Status.TENTATIVE)
