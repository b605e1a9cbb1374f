"""When events and talks are, in words; and the fields of a form for a day of an event and a time on it."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

from eventcal.events.models import Event
from eventcal.kit.localtime import with_offset
from eventcal.talks.models import Talk
from eventcal.web.rendering.dates import When, short_day, when
from eventcal.web.rendering.forms import Typed

Choices = list[tuple[str, str]]

# Of an event that lasts longer, a day is typed and not chosen.
_MOST_DAYS = 31
_HOUR_AND_MINUTE = re.compile(r"(\d{1,2})[:.](\d{2})", re.ASCII)


def event_when(event: Event) -> When | None:
    """Return when an event is."""
    return _when(event, event.timezone)


def talk_when(talk: Talk) -> When | None:
    """Return when a talk is, None as long as it has no time."""
    return _when(talk, talk.event.timezone)


def _when(row: Event | Talk, tzid: str) -> When | None:
    if row.starts_at is None or row.ends_at is None:
        return None
    written = {"starts": row.starts, "ends": row.ends}
    return when(
        written | {"starts_at": with_offset(row.starts_at, tzid), "ends_at": with_offset(row.ends_at, tzid)}, tzid=tzid
    )


def days_of(event: Event, *also: str | None) -> Choices:
    """Return the days of an event to choose from, and those of other local times; none of one that lasts long."""
    first, last = date.fromisoformat(event.first_day), date.fromisoformat(event.last_day)
    if last - first >= timedelta(days=_MOST_DAYS):
        return []
    days = {first + timedelta(days=number) for number in range((last - first).days + 1)}
    days |= {date.fromisoformat(local[:10]) for local in also if local}
    return [(day.isoformat(), short_day(day)) for day in sorted(days)]


def fields_of(name: str, local: str | None, *, day: str) -> Mapping[str, str]:
    """Return a local time as what stands in the fields for its day and its time; without one, `day` is chosen."""
    if local is None:
        return {name: day, f"{name}_time": ""}
    time = local[11:]
    return {name: local[:10], f"{name}_time": time.removesuffix(":00") if time.count(":") > 1 else time}


def read_time(typed: Typed, name: str) -> str | None:
    """Return the local time of the fields for a day and a time; without a time there is none."""
    time = typed.get(f"{name}_time", "").strip()
    if not time:
        return None
    found = _HOUR_AND_MINUTE.fullmatch(time)
    return f"{typed.get(name, '').strip()}T{f'{found[1]:0>2}:{found[2]}' if found else time}"
