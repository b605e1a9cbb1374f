"""Calendar entries for the opening and the closing of a call for talks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from eventcal.events.enums import EventStatus
from eventcal.events.models import CallForTalks, Event
from eventcal.feeds.entries.descriptions import (
    format_html_description,
    format_plain_description,
    ical_status,
    prefix_title,
)
from eventcal.feeds.entries.entry import CalendarEntry, EntryKind, Relation, Status
from eventcal.feeds.entries.entry_builder import EntryBuilder, local_start_and_end
from eventcal.kit.localtime import format_with_offset, get_zone
from eventcal.kit.markdown import to_html, to_plain_text

# The IANA name for UTC-12, the last time zone in which a day ends.
_ANYWHERE_ON_EARTH = "Etc/GMT+12"
_DURATION = timedelta(hours=1)


def build_deadline_entries(builder: EntryBuilder, event: Event) -> Mapping[EntryKind, CalendarEntry]:
    """Return the entries for the opening and the closing of an event's call for talks, keyed by kind."""
    call = event.call
    if call is None:
        return {}
    # The closing entry ends when the call for talks closes.
    begins = {EntryKind.OPENING: call.opens_at, EntryKind.CLOSING: call.closes_at and call.closes_at - _DURATION}
    return {
        kind: _build_deadline_entry(builder, event, call, kind=kind, starts_at=moment)
        for kind, moment in begins.items()
        if moment is not None
    }


def cancel_deadline_entry(entry: CalendarEntry) -> CalendarEntry:
    title = prefix_title(entry.title, EventStatus.CANCELLED)
    return replace(entry, title=title, status=Status.CANCELLED, transparent=True)


def _build_deadline_entry(
    builder: EntryBuilder, event: Event, call: CallForTalks, *, kind: EntryKind, starts_at: datetime
) -> CalendarEntry:
    here = _deadline_zone(event, kind, call)
    starts, ends = local_start_and_end(starts_at, starts_at + _DURATION, here)
    does = "opens" if kind == EntryKind.OPENING else "closes"
    url, said, note = builder.links.event_page(event.slug), _describe_call(event, call), call.note
    entry = CalendarEntry(
        uid=builder.deadline_uid(kind, event.id),
        kind=kind,
        title=f"Call for talks {does}: {event.title}",
        starts=starts,
        ends=ends,
        zone=here,
        status=ical_status(event.status),
        transparent=True,
        created_at=event.created_at,
        url=url,
        description=format_plain_description([to_plain_text(note) if note else None], first_lines=said, url=url),
        html=format_html_description([to_html(note) if note else None], first_lines=said, url=url),
        categories=tuple(tag.tag for tag in event.tags),
        related=((Relation.PARENT, builder.event_uid(event.id)),),
    )
    return cancel_deadline_entry(entry) if entry.status == Status.CANCELLED else entry


def _deadline_zone(event: Event, kind: EntryKind, call: CallForTalks) -> str:
    written = call.opens if kind == EntryKind.OPENING else call.closes
    on_earth = call.anywhere_on_earth and written is not None and "T" not in written
    return _ANYWHERE_ON_EARTH if on_earth else event.timezone


def _describe_call(event: Event, call: CallForTalks) -> list[str]:
    said = [event.title]
    if call.opens_at is not None:
        said.append(f"Opens: {_format_deadline(event, EntryKind.OPENING, call, moment=call.opens_at)}")
    if call.closes_at is not None:
        said.append(f"Closes: {_format_deadline(event, EntryKind.CLOSING, call, moment=call.closes_at)}")
    if call.kinds:
        said.append(f"Taken are: {', '.join(call.kinds)}")
    return said


def _format_deadline(event: Event, kind: EntryKind, call: CallForTalks, *, moment: datetime) -> str:
    here = _deadline_zone(event, kind, call)
    if here == _ANYWHERE_ON_EARTH:
        day = (moment - timedelta(seconds=1)).astimezone(get_zone(here)).date()
        return f"{day.isoformat()}, at the end of the day anywhere on earth (UTC-12)"
    return f"{format_with_offset(moment, here)[:16].replace('T', ' ')} ({here})"
