"""What subscribers would see of an event, as a calendar program shows it; looking changes and counts nothing."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.steps import EventStep, become
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.feeds.clients import CLIENTS, ClientKind
from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.feeds.fetches import fetches_of
from eventcal.feeds.preview import entry_of, lines_of
from eventcal.web.params.listing_filters import Asked, feed_key
from eventcal.web.rendering.dates import When, rule_in_words, when_of
from eventcal.web.request.context import house, now

# What most people have; said of where nobody has come for the feed yet.
_USUAL = (
    ClientKind.GOOGLE,
    ClientKind.APPLE,
    ClientKind.MICROSOFT365,
    ClientKind.OUTLOOK,
    ClientKind.THUNDERBIRD,
)
# What fetches feeds without showing a calendar to anybody.
_NO_CALENDARS = frozenset({ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER})


@dataclass(frozen=True)
class Look:
    """An entry as a calendar shows it: when it is, how it recurs in words if that is simple, and its lines in .ics."""

    entry: CalendarEntry
    when: When | None
    often: str | None
    lines: str


def look_at(session: Session, event: Event, *, was_public: bool) -> Look | None:
    """Return how an event, which no session need hold, would look in calendars; None where it would be in none."""
    entry = entry_of(session, house().ledger.builder, event)
    if entry is None:
        return None
    lines = lines_of(entry, sequence=event.sequence + 1 if was_public else 0, now=now())
    return Look(entry, when_of(event), rule_in_words(event.recurrence) if event.recurrence else None, lines)


def look_once_public(session: Session, event: Event) -> Look | None:
    """Return how an event, which no session holds, would look in calendars as soon as it is public, if it is not."""
    was_public = event.status in PUBLIC_STATUSES
    if not was_public:
        become(event, EventStep.PUBLISH, now=now())
    return look_at(session, event, was_public=was_public)


def notices_of(session: Session, event: Event) -> dict[str, object]:
    """Return the programs that fetched an event's own feed of late, or, with `known` false, the usual ones."""
    rows = fetches_of(session, feed_key(f"/events/{event.slug}.ics", Asked()))
    kinds = [row.client for row in rows if row.client not in _NO_CALENDARS]
    return {"known": bool(kinds), "programs": [CLIENTS[kind] for kind in kinds or _USUAL]}
