"""Preview of an event's entry as subscribers would see it; nothing is written to the database."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.feeds.entries.entry import CalendarEntry, Stamps
from eventcal.feeds.entries.entry_builder import Builder
from eventcal.feeds.formats.ics import render_entry, with_timestamps
from eventcal.feeds.index.entry_loader import count_talks, waiting_talks
from eventcal.kit.clock import truncate_to_second
from eventcal.talks.models import Talk
from eventcal.talks.rules import makes_public
from eventcal.talks.words import TalkState


def entry_of(session: Session, builder: Builder, event: Event) -> CalendarEntry | None:
    """Return the entry of an event, which need not be attached to a session, or None if the event is not public."""
    if event.status not in PUBLIC_STATUSES:
        return None
    line_up = waiting_talks(session, _shown(event))
    return builder.event_entry(event, talks=count_shown_talks(session, event), line_up=line_up)


def count_shown_talks(session: Session, event: Event) -> int:
    """Return the number of an event's talks that are public or will be once the event is published."""
    return count_talks(session, _shown(event))


def lines_of(entry: CalendarEntry, *, sequence: int, now: datetime) -> str:
    """Return the VEVENTs of an entry as in an .ics feed, with the stamps of a change at `now`."""
    return with_timestamps(render_entry(entry), Stamps(sequence=sequence, changed_at=truncate_to_second(now)))


def _shown(event: Event) -> ColumnElement[bool]:
    public = [state for state in TalkState if makes_public(event.programme, state)]
    return (Talk.event_id == event.id) & or_(Talk.published_at.is_not(None), Talk.state.in_(public))
