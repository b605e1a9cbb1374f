"""Titles for the feeds of a single event or talk."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.errors import EventNotFound
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.members.caller import Caller
from eventcal.talks.errors import TalkNotFound
from eventcal.talks.models import Talk


class EventTitle(NamedTuple):
    """The title, Markdown summary and time zone of an event."""

    title: str
    summary: str | None
    timezone: str


class TalkTitle(NamedTuple):
    """The title of a talk, and the title and time zone of its event."""

    title: str
    event_title: str
    timezone: str


def get_event_title(session: Session, slug: str) -> EventTitle:
    """Return the title, summary and time zone of a public event. Raises EventNotFound."""
    rows = select(Event.title, Event.summary, Event.timezone).where(Event.slug == slug)
    found = session.execute(rows.where(Event.status.in_(PUBLIC_STATUSES))).one_or_none()
    if found is None:
        raise EventNotFound(slug)
    return EventTitle(*found)


def check_event_visible(session: Session, slug: str, caller: Caller) -> None:
    """Raise EventNotFound if the event does not exist or the caller is not allowed to see the event."""
    if caller.is_signed_in:
        get_event(session, slug, caller)
    else:
        get_event_title(session, slug)


def get_talk_title(session: Session, talk_id: str) -> TalkTitle:
    """Return the title of a public talk, and the title and time zone of its event. Raises TalkNotFound."""
    rows = select(Talk.title, Event.title, Event.timezone).join(Talk.event)
    rows = rows.where(Talk.id == talk_id, Talk.published_at.is_not(None), Event.status.in_(PUBLIC_STATUSES))
    found = session.execute(rows).one_or_none()
    if found is None:
        raise TalkNotFound(talk_id)
    return TalkTitle(*found)
