"""Pages of one event's occurrences, in the order of time; a cursor says where the last one stood."""

import re
from datetime import UTC, date, datetime

from eventcal.events.recurrence.occurrences import Occurrence, Recurring, occurrences_between
from eventcal.events.recurrence.slots import Place
from eventcal.kit.paging import Page, Paging
from eventcal.kit.refusals import Fault, Invalid, Sentence

_CURSOR = re.compile(r"(\d{8}T\d{6})Z_(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d))?", re.ASCII)


def list_occurrences(event: Recurring, first: date, last: date, *, paging: Paging) -> Page[Occurrence]:
    """Return a page of the occurrences that overlap these days, both counted, in the event's own zone.

    Raises Invalid for a cursor that is not ours.
    """
    after = _read(paging.cursor) if paging.cursor is not None else None
    found = occurrences_between(event, first, last, limit=paging.limit + 1, after=after)
    kept = tuple(found[: paging.limit])
    return Page(kept, _cursor(kept[-1].slot.place) if len(found) > paging.limit else None)


def _cursor(place: Place) -> str:
    starts_at, occurrence = place
    return f"{starts_at:%Y%m%dT%H%M%SZ}_{re.sub('[-:]', '', occurrence)}"


def _read(cursor: str) -> Place:
    found = _CURSOR.fullmatch(cursor)
    try:
        if found is None:
            raise ValueError
        starts_at, *day_and_time = found.groups()
        occurrence = "-".join(day_and_time[:3]) + (f"T{':'.join(day_and_time[3:])}" if day_and_time[3] else "")
        return datetime.strptime(starts_at, "%Y%m%dT%H%M%S").replace(tzinfo=UTC), occurrence
    except ValueError as error:
        raise Invalid(
            faults=[Fault("?cursor", Sentence("not a cursor of this list; leave it out to begin again"))],
        ) from error
