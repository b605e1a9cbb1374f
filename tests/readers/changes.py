"""Changes of UTC offset in a time zone, determined only with zoneinfo."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_A_SECOND, _A_DAY = timedelta(seconds=1), timedelta(days=1)


def changes(zone: ZoneInfo, first: date, last: date) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Yield each offset change between noon UTC on two days: the instant, and the offsets before and after."""
    noon = datetime.combine(first, time(12), tzinfo=UTC)
    days = [noon + _A_DAY * number for number in range((last - first).days + 1)]
    offsets = [offset_at(day, zone) for day in days]
    for day, (before, after) in zip(days, pairwise(offsets), strict=False):
        if before != after:
            early, late = day, day + _A_DAY
            while late - early > _A_SECOND:
                middle = (early + (late - early) / 2).replace(microsecond=0)
                early, late = (middle, late) if offset_at(middle, zone) == before else (early, middle)
            yield late, before, after


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Return the UTC offset of a zone at an instant."""
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def is_repeated(instant: datetime, zone: ZoneInfo) -> bool:
    """Return whether the local time of this instant occurs again later, after clocks are turned back."""
    local = instant.astimezone(zone)
    later = local.replace(fold=1).astimezone(UTC)
    return later > instant
