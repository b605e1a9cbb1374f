"""The location of calendar entries as a single line of text."""

from babel import Locale

from eventcal.events.enums import Attendance
from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import Occurrence


def event_location(event: Event, *, room: str | None = None) -> str | None:
    """Return "Room, Venue, Street, City, Region, Country", without missing parts.

    The name of the country is English, whatever the language of the reader. The location of an online event without a
    place is the URL for joining it.
    """
    return _format_location(event, [event.venue, event.address], online_url=event.online_url, room=room)


def occurrence_location(event: Event, occurrence: Occurrence) -> str | None:
    """Return the location of an occurrence. The address is known only for the event's own venue."""
    address = event.address if occurrence.venue == event.venue else None
    return _format_location(event, [occurrence.venue, address], online_url=occurrence.online_url)


def _format_location(
    event: Event, place: list[str | None], *, online_url: str | None, room: str | None = None
) -> str | None:
    country = _english_country_name(event.country) if event.country else None
    parts = [*place, event.city, event.region, country]
    if not any(parts) and event.attendance != Attendance.IN_PERSON:
        parts = [online_url]
    return ", ".join(part for part in (room, *parts) if part) or None


def _english_country_name(code: str) -> str:
    return str(Locale("en").territories.get(code, code))
