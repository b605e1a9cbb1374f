"""What of a recurring event's entry is otherwise in single occurrences: those excluded, and those with an override."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import Occurrence, excluded_occurrences, overridden_occurrences
from eventcal.events.words import EventStatus
from eventcal.feeds.entries.descriptions import EventDescription
from eventcal.feeds.entries.entry import CalendarEntry, Override
from eventcal.feeds.entries.status_mapping import status_of, titled
from eventcal.kit.localtime import parse_local, zone


def excluded_of(event: Event) -> tuple[date | datetime, ...]:
    """Return the occurrences of the rule that there are not (EXDATE), in order, each as the entry's `starts` is."""
    return tuple(parse_local(occurrence) for occurrence in excluded_occurrences(event))


def override_entries(event: Event, entry: CalendarEntry, description: EventDescription) -> tuple[Override, ...]:
    """Return the overridden occurrences (RECURRENCE-ID), in the rule's order; `entry` is the event's own."""
    single = replace(entry, recurrence=None, excluded=(), overrides=())
    return tuple(
        Override(occurrence=parse_local(one.slot.occurrence), entry=_entry(event, single, one, description))
        for one in overridden_occurrences(event)
    )


def _entry(event: Event, single: CalendarEntry, one: Occurrence, description: EventDescription) -> CalendarEntry:
    starts, ends = _times(event, one)
    here = one.venue == event.venue
    return replace(
        single,
        title=titled(one.title, one.status),
        starts=starts,
        ends=ends,
        status=status_of(one.status),
        transparent=single.transparent or one.status == EventStatus.CANCELLED,
        description=description.plain(summary=one.summary, online_url=one.online_url),
        html=description.html(summary=one.summary, online_url=one.online_url),
        location=single.location if here else ", ".join(part for part in (one.venue, event.city) if part),
        # Nobody said where on earth the other venue is.
        geo=single.geo if here else None,
        conference=one.online_url,
    )


def _times(event: Event, one: Occurrence) -> tuple[date | datetime, date | datetime]:
    """Return what the clocks show then, the second of two same times told apart by `fold`; the end is exclusive."""
    if "T" not in one.slot.starts:
        return date.fromisoformat(one.slot.starts), date.fromisoformat(one.slot.ends) + timedelta(days=1)
    here = zone(event.timezone)
    starts, ends = (instant.astimezone(here).replace(tzinfo=None) for instant in (one.slot.starts_at, one.slot.ends_at))
    return starts, ends
