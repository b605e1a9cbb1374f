"""What subscribers would see of an event, as a calendar program shows it; looking changes and counts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.steps import EventStep, become
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.feeds.clients import CLIENTS, ClientFacts, ClientKind
from eventcal.feeds.entries.entry import CalendarEntry, Status
from eventcal.feeds.fetches import fetches_of
from eventcal.feeds.preview import entry_of, lines_of
from eventcal.kit.localtime import with_offset
from eventcal.web.params.listing_filters import Asked, feed_key
from eventcal.web.rendering.dates import When, when
from eventcal.web.rendering.recurrence_text import rule_in_words
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


@dataclass(frozen=True, kw_only=True)
class Look:
    """An entry as a calendar shows it.

    often: how it recurs, in words where that is simple. busy: whether its times count as taken. lines: the .ics.
    """

    title: str
    when: When | None
    often: str | None
    recurs: bool
    where: str | None
    description: str
    busy: bool
    cancelled: bool
    tentative: bool
    lines: str


@dataclass(frozen=True, kw_only=True)
class Notices:
    """Which programs fetch an event's feed, and when they notice a change; `known` is whether any was seen to."""

    known: bool
    programs: Sequence[ClientFacts]


def look_at(session: Session, event: Event, *, was_public: bool) -> Look | None:
    """Return how an event, which no session need hold, would look in calendars; None where it would be in none."""
    entry = entry_of(session, house().ledger.builder, event)
    if entry is None:
        return None
    return _look(event, entry, sequence=event.sequence + 1 if was_public else 0)


def look_once_public(session: Session, event: Event) -> Look | None:
    """Return how an event, which no session holds, would look in calendars as soon as it is public, if it is not."""
    was_public = event.status in PUBLIC_STATUSES
    if not was_public:
        become(event, EventStep.PUBLISH, now=now())
    return look_at(session, event, was_public=was_public)


def notices_of(session: Session, event: Event) -> Notices:
    """Return which programs fetched an event's own feed of late, or, where none was seen, the usual ones."""
    rows = fetches_of(session, feed_key(f"/events/{event.slug}.ics", Asked()))
    kinds = [row.client for row in rows if row.client not in _NO_CALENDARS]
    return Notices(known=bool(kinds), programs=[CLIENTS[kind] for kind in kinds or _USUAL])


def _look(event: Event, entry: CalendarEntry, *, sequence: int) -> Look:
    span = {
        "starts": event.starts,
        "ends": event.ends,
        "starts_at": with_offset(event.starts_at, event.timezone),
        "ends_at": with_offset(event.ends_at, event.timezone),
    }
    return Look(
        title=entry.title,
        when=when(span, tzid=event.timezone),
        often=rule_in_words(event.recurrence) if event.recurrence else None,
        recurs=event.recurrence is not None,
        where=entry.location,
        description=entry.description,
        busy=not entry.transparent,
        cancelled=entry.status == Status.CANCELLED,
        tentative=entry.status == Status.TENTATIVE,
        lines=lines_of(entry, sequence=sequence, now=now()),
    )
