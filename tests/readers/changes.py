"""When zones change their offset, found by asking zoneinfo alone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_A_SECOND, _A_DAY = timedelta(seconds=1), timedelta(days=1)


def changes(zone: ZoneInfo, first: date, last: date) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Give each change of offset between two noons in UTC: when it is, in UTC, and the offset before and after."""
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
    """Give the offset that a zone has at an instant."""
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def is_repeated(instant: datetime, zone: ZoneInfo) -> bool:
    """Say whether the zone shows the local time of this instant again later."""
    local = instant.astimezone(zone)
    later = local.replace(fold=1).astimezone(UTC)
    return later > instant
