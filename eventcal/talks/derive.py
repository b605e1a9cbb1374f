"""What follows from a talk's own fields and its event's, set in one place."""

from datetime import datetime
from typing import Any

from eventcal.events.models import Event
from eventcal.events.rules import instant, tombstone_until
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.kit.localtime import parse_local, zone
from eventcal.kit.text import search_words
from eventcal.talks.models import Talk
from eventcal.talks.rules import GONE, length, makes_public

# What a talk that is not stored yet has in place of a value.
_UNSET = object()


def derive_talk(talk: Talk, *, now: datetime) -> None:
    """Set every derived value of a talk whose event, speakers and tags are loaded. The same again changes nothing."""
    names = [speaker.name for speaker in talk.speakers]
    search = search_words(talk.title, talk.abstract, *names, *(tag.tag for tag in talk.tags))
    for name, value in {**_times(talk, talk.event), "search": search}.items():
        # Set again, it would be written again, for each of hundreds of talks whose room was renamed.
        if talk.__dict__.get(name, _UNSET) != value:
            setattr(talk, name, value)
    stands_open = talk.event.status in PUBLIC_STATUSES
    if talk.published_at is None and stands_open and makes_public(talk.event.programme, talk.state):
        talk.published_at = now
    if talk.state not in GONE:
        if talk.shown_until is not None:
            talk.shown_until = None
    elif talk.shown_until is None:
        talk.shown_until = tombstone_until(talk.ends_at or talk.event.ends_at, now=now)


def _times(talk: Talk, event: Event) -> dict[str, Any]:
    """Return when a talk is, by column; without a time of its own it lies over its event's days."""
    starts = parse_local(talk.starts) if talk.starts else None
    if not isinstance(starts, datetime):
        days = {"first_day": event.first_day, "last_day": event.last_day}
        return {"starts_at": None, "ends_at": None, "sort_at": event.starts_at, **days}
    ends = parse_local(talk.ends) if talk.ends else None
    starts_at = instant(starts, event.timezone)
    if isinstance(ends, datetime):
        ends_at = max(instant(ends, event.timezone), starts_at)
    else:
        ends_at = starts_at + length(talk.kind, talk.duration_minutes)
    return {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "sort_at": starts_at,
        "first_day": starts.date().isoformat(),
        "last_day": ends_at.astimezone(zone(event.timezone)).date().isoformat(),
    }
