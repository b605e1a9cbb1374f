"""What follows from an event's own fields, set in one place: instants, days, search text, how long it is shown."""

from collections.abc import Iterator
from datetime import datetime

from eventcal.events.models import CallForTalks, Event
from eventcal.events.recurrence.occurrences import days_of, over_at
from eventcal.events.rules import call_moment, span_of, tombstone_until
from eventcal.events.words import EventStatus
from eventcal.kit.text import search_words


def derive_event(event: Event, *, now: datetime) -> None:
    """Set every derived value of an event whose tags and call are loaded. The same again changes nothing."""
    span = span_of(event.starts, event.ends, event.timezone)
    event.starts_at, event.ends_at = span.starts_at, span.ends_at
    event.first_day, event.last_day = days_of(event) if event.recurrence else (span.first_day, span.last_day)
    event.over_at = over_at(event) if event.recurrence else span.ends_at
    event.search = search_words(
        event.title,
        event.summary,
        event.description,
        event.city,
        event.venue,
        *(tag.tag for tag in event.tags),
        *_said_of_occurrences(event),
    )
    if event.status != EventStatus.CANCELLED:
        event.shown_until = None
    elif event.shown_until is None:
        event.shown_until = tombstone_until(event.ends_at, now=now)
    if event.call is not None:
        _derive_call(event.call, event.timezone)


def _said_of_occurrences(event: Event) -> Iterator[str]:
    for override in (event.recurrence_overrides or {}).values():
        yield from (override[name] for name in ("title", "summary", "venue") if name in override)


def _derive_call(call: CallForTalks, tzid: str) -> None:
    written = {"opens_at": call.opens, "closes_at": call.closes, "anywhere_on_earth": call.anywhere_on_earth}
    call.opens_at = call_moment(written, "opens_at", tzid)
    call.closes_at = call_moment(written, "closes_at", tzid)
