"""Preview of an event's calendar entry, rendered without writing to the database."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.models import Event
from eventcal.feeds.entries.entry import CalendarEntry, Stamps
from eventcal.feeds.entries.entry_builder import EntryBuilder
from eventcal.feeds.formats.ics import render_entry, with_timestamps
from eventcal.feeds.index.entry_loader import count_talks, list_unscheduled_talks
from eventcal.kit.clock import truncate_to_second
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.rules import is_public_state


def build_entry_if_public(session: Session, builder: EntryBuilder, event: Event) -> CalendarEntry | None:
    """Return the entry of an event, or None if the event is not public. The event can be detached from the session."""
    if event.status not in PUBLIC_STATUSES:
        return None
    talk_count = count_talks_once_published(session, event)
    talks = list_unscheduled_talks(session, _public_talks_condition(event))
    return builder.build_event_entry(event, talk_count=talk_count, unscheduled_talks=talks)


def count_talks_once_published(session: Session, event: Event) -> int:
    """Return the number of talks that are public or will become public when the event is published."""
    return count_talks(session, _public_talks_condition(event))


def preview_ics(entry: CalendarEntry, *, sequence: int, now: datetime) -> str:
    """Return the VEVENTs that an iCalendar feed would contain if the entry changed at `now`."""
    return with_timestamps(render_entry(entry), Stamps(sequence=sequence, changed_at=truncate_to_second(now)))


def _public_talks_condition(event: Event) -> ColumnElement[bool]:
    public = [state for state in TalkState if is_public_state(event.programme, state)]
    return (Talk.event_id == event.id) & or_(Talk.published_at.is_not(None), Talk.state.in_(public))
