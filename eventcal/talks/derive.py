"""What follows from a talk's own fields and its event's, set in one place."""

from datetime import datetime

from eventcal.events.models import Event
from eventcal.events.rules import instant, tombstone_until
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.kit.localtime import parse_local, zone
from eventcal.kit.text import search_words
from eventcal.talks.models import Talk
from eventcal.talks.rules import GONE, length, makes_public


def derive_talk(talk: Talk, *, now: datetime) -> None:
    """Set every derived value of a talk whose event, speakers and tags are loaded. The same again changes nothing."""
    _derive_times(talk, talk.event)
    names = [speaker.name for speaker in talk.speakers]
    talk.search = search_words(talk.title, talk.abstract, *names, *(tag.tag for tag in talk.tags))
    stands_open = talk.event.status in PUBLIC_STATUSES
    if talk.published_at is None and stands_open and makes_public(talk.event.programme, talk.state):
        talk.published_at = now
    if talk.state not in GONE:
        talk.shown_until = None
    elif talk.shown_until is None:
        talk.shown_until = tombstone_until(talk.ends_at or talk.event.ends_at, now=now)


def _derive_times(talk: Talk, event: Event) -> None:
    starts = parse_local(talk.starts) if talk.starts else None
    if not isinstance(starts, datetime):
        talk.starts_at = talk.ends_at = None
        talk.sort_at = event.starts_at
        talk.first_day, talk.last_day = event.first_day, event.last_day
        return
    ends = parse_local(talk.ends) if talk.ends else None
    talk.starts_at = talk.sort_at = instant(starts, event.timezone)
    if isinstance(ends, datetime):
        talk.ends_at = max(instant(ends, event.timezone), talk.starts_at)
    else:
        talk.ends_at = talk.starts_at + length(talk.kind, talk.duration_minutes)
    talk.first_day = starts.date().isoformat()
    talk.last_day = talk.ends_at.astimezone(zone(event.timezone)).date().isoformat()
