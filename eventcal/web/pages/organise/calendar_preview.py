"""Previews that show how calendar apps will display an event. Previews are not counted as feed requests."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.models import Event
from eventcal.events.state_changes import EventAction, apply_transition
from eventcal.feeds.clients import CLIENTS, ClientKind
from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.feeds.event_preview import build_entry_if_public, preview_ics
from eventcal.feeds.fetch_counts import list_feed_fetches
from eventcal.web.params.listing_filters import FeedQuery, fetch_counter_key
from eventcal.web.rendering.dates import FormattedTimes, format_times, recurrence_rule_label
from eventcal.web.request.context import now, services

_COMMON_CALENDAR_APPS = (
    ClientKind.GOOGLE,
    ClientKind.APPLE,
    ClientKind.MICROSOFT365,
    ClientKind.OUTLOOK,
    ClientKind.THUNDERBIRD,
)
_NON_CALENDAR_CLIENTS = frozenset({ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER})


@dataclass(frozen=True)
class CalendarPreview:
    """A preview of a calendar entry: its times, its recurrence rule as text, and its iCalendar source."""

    entry: CalendarEntry
    when: FormattedTimes | None
    recurrence_label: str | None
    ics_text: str


def build_calendar_preview(session: Session, event: Event, *, was_public: bool) -> CalendarPreview | None:
    """Return the preview of a persistent or detached event, or None if no feed would contain the event."""
    entry = build_entry_if_public(session, services().feed_index.builder, event)
    if entry is None:
        return None
    ics_text = preview_ics(entry, sequence=event.sequence + 1 if was_public else 0, now=now())
    label = recurrence_rule_label(event.recurrence) if event.recurrence else None
    return CalendarPreview(entry, format_times(event), label, ics_text)


def build_preview_as_published(session: Session, event: Event) -> CalendarPreview | None:
    """Return the preview of an event in its published state. The event must be detached from the database session."""
    was_public = event.status in PUBLIC_STATUSES
    if not was_public:
        apply_transition(event, EventAction.PUBLISH, now=now())
    return build_calendar_preview(session, event, was_public=was_public)


def subscribed_apps_context(session: Session, event: Event) -> dict[str, object]:
    """Return the apps that recently fetched an event's feed, or common calendar apps if no app fetched the feed."""
    rows = list_feed_fetches(session, fetch_counter_key(f"/events/{event.slug}.ics", FeedQuery()))
    kinds = [row.client for row in rows if row.client not in _NON_CALENDAR_CLIENTS]
    return {"known": bool(kinds), "programs": [CLIENTS[kind] for kind in kinds or _COMMON_CALENDAR_APPS]}
