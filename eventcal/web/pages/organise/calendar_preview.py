"""Previews of an event as a calendar app would show it. A preview changes nothing and is not counted as a fetch."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.models import Event
from eventcal.events.state_changes import EventAction, apply_transition
from eventcal.feeds.clients import CLIENTS, ClientKind
from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.feeds.fetch_counts import list_feed_fetches
from eventcal.feeds.preview import preview_entry, preview_ics
from eventcal.web.params.listing_filters import FeedQuery, fetch_counter_key
from eventcal.web.rendering.dates import FormattedTimes, format_times, recurrence_rule_label
from eventcal.web.request.context import now, services

# Common calendar apps, named if no client has fetched the feed yet.
_COMMON_CALENDAR_APPS = (
    ClientKind.GOOGLE,
    ClientKind.APPLE,
    ClientKind.MICROSOFT365,
    ClientKind.OUTLOOK,
    ClientKind.THUNDERBIRD,
)
# Clients that fetch feeds but do not show a calendar.
_NON_CALENDAR_CLIENTS = frozenset({ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER})


@dataclass(frozen=True)
class CalendarPreview:
    """A preview of an entry: its times, its recurrence as text if that is simple, and its lines in the .ics file."""

    entry: CalendarEntry
    when: FormattedTimes | None
    recurrence_label: str | None
    ics_text: str


def build_calendar_preview(session: Session, event: Event, *, was_public: bool) -> CalendarPreview | None:
    """Return the preview of an event, which may be outside a session, or None if it would not be in any calendar."""
    entry = preview_entry(session, services().feed_index.builder, event)
    if entry is None:
        return None
    lines = preview_ics(entry, sequence=event.sequence + 1 if was_public else 0, now=now())
    return CalendarPreview(
        entry, format_times(event), recurrence_rule_label(event.recurrence) if event.recurrence else None, lines
    )


def build_published_preview(session: Session, event: Event) -> CalendarPreview | None:
    """Return the preview of an event outside a session, as it would look once published if it is not public yet."""
    was_public = event.status in PUBLIC_STATUSES
    if not was_public:
        apply_transition(event, EventAction.PUBLISH, now=now())
    return build_calendar_preview(session, event, was_public=was_public)


def subscribed_apps_context(session: Session, event: Event) -> dict[str, object]:
    """Return the apps that recently fetched an event's own feed, or, with `known` false, the common ones."""
    rows = list_feed_fetches(session, fetch_counter_key(f"/events/{event.slug}.ics", FeedQuery()))
    kinds = [row.client for row in rows if row.client not in _NON_CALENDAR_CLIENTS]
    return {"known": bool(kinds), "programs": [CLIENTS[kind] for kind in kinds or _COMMON_CALENDAR_APPS]}
