"""The VTIMEZONE components of feeds as iCalendar text."""

from datetime import date

from eventcal.feeds import zones
from eventcal.feeds.formats.ics import serialize_component


def vtimezone_text(tzid: str, first: date, last: date) -> str:
    return serialize_component(zones.vtimezone(tzid, first, last))
