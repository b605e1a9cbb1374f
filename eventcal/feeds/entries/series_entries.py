"""What of a recurring event's entry is otherwise in single occurrences: those excluded, and those with an override."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from html import escape

from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import Occurrence, excluded_occurrences, overridden_occurrences
from eventcal.events.words import Attendance, EventStatus
from eventcal.feeds.entries.entry import CalendarEntry, Override
from eventcal.feeds.entries.status_mapping import status_of, titled
from eventcal.kit.localtime import parse_local, zone
from eventcal.kit.markdown import to_html, to_plain


def excluded_of(event: Event) -> tuple[date | datetime, ...]:
    """Return the occurrences of the rule that there are not (EXDATE), in order, each as the entry's `starts` is."""
    return tuple(parse_local(occurrence) for occurrence in excluded_occurrences(event))


def override_entries(event: Event, entry: CalendarEntry) -> tuple[Override, ...]:
    """Return the occurrences that are otherwise (RECURRENCE-ID), in the rule's order; `entry` is the event's own."""
    single = replace(entry, recurrence=None, excluded=(), overrides=())
    return tuple(
        Override(occurrence=parse_local(one.slot.occurrence), entry=_entry(event, single, one))
        for one in overridden_occurrences(event)
    )


def _entry(event: Event, single: CalendarEntry, one: Occurrence) -> CalendarEntry:
    starts, ends = _times(event, one)
    here = one.venue == event.venue
    return replace(
        single,
        title=titled(one.title, one.status),
        starts=starts,
        ends=ends,
        status=status_of(one.status),
        transparent=single.transparent or one.status == EventStatus.CANCELLED,
        description=_description(event, single.description, one),
        html=_html(event, single.html, one),
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


def _description(event: Event, text: str, one: Occurrence) -> str:
    """Return an entry's plain text, which begins with the summary, with what this occurrence says instead."""
    before, after = (to_plain(summary) if summary else "" for summary in (event.summary, one.summary))
    if before != after:
        rest = text.removeprefix(f"{before}\n\n") if before else text
        text = f"{after}\n\n{rest}" if after else rest
    if _is_online_as_ever(event, one):
        return text
    line = f"Online: {one.online_url}\n"
    return text.replace(f"Online: {event.online_url}\n", line) if event.online_url else f"{line}\n{text}"


def _html(event: Event, html: str, one: Occurrence) -> str:
    """Return the same of its HTML."""
    before, after = (to_html(summary) if summary else "" for summary in (event.summary, one.summary))
    html = after + html.removeprefix(before)
    if _is_online_as_ever(event, one):
        return html
    line = f"Online: {escape(one.online_url or '')}"
    item = f"<li>Online: {escape(event.online_url or '')}</li>"
    return html.replace(item, f"<li>{line}</li>") if event.online_url else f"<p>{line}</p>{html}"


def _is_online_as_ever(event: Event, one: Occurrence) -> bool:
    return one.online_url == event.online_url or event.attendance == Attendance.IN_PERSON
