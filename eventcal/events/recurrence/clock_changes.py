"""The dates of a recurrence rule on which the clocks change during or around the occurrence.

Calendar apps disagree on the start of an occurrence at a local time that is skipped or repeated, and on the end of an
occurrence during which the clocks change. Feeds therefore contain the start and end of each of these occurrences.
"""

from datetime import datetime, timedelta, tzinfo

from eventcal.events.recurrence.expansion import expand_rule
from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.localtime import get_zone, is_repeated, local_to_utc_lenient

_YEARS = 25
"""The period after the start of an event in which its occurrences are compared with the changes of the clocks.

A daily event without an end meets two changes a year, and each of these occurrences is written to the feeds.
"""
# No zone has changed its offset by more than 24 hours.
_LARGEST_CHANGE = timedelta(hours=24)


@bounded_cache(500_000)
def local_starts_at_clock_changes(rule: str, starts: str, ends: str, *, tzid: str) -> tuple[datetime, ...]:
    """Return the local starts, according to the rule, of the occurrences that meet a change of the clocks.

    `starts` and `ends` are the local times of a valid event. An invalid rule has no dates.
    """
    dates = expand_rule(rule, starts, tzid)
    if dates is None:
        return ()
    first, zone = dates.start, get_zone(tzid)
    lasts = local_to_utc_lenient(datetime.fromisoformat(ends), tzid) - local_to_utc_lenient(first, tzid)
    found = []
    for local in dates.iter_from(first.date()):
        if local.year > first.year + _YEARS:
            break
        if _has_change_nearby(local, lasts, zone) and _meets_change(local, lasts, tzid):
            found.append(local)
    return tuple(found)


def _has_change_nearby(local: datetime, lasts: timedelta, zone: tzinfo) -> bool:
    """Return whether the offsets before and after an occurrence differ, which takes less time than `_meets_change`."""
    return zone.utcoffset(local - _LARGEST_CHANGE) != zone.utcoffset(local + lasts + _LARGEST_CHANGE)


def _meets_change(local: datetime, lasts: timedelta, tzid: str) -> bool:
    zone = get_zone(tzid)
    starts_at = local_to_utc_lenient(local, tzid)
    start, end = starts_at.astimezone(zone), (starts_at + lasts).astimezone(zone)
    is_skipped = start.replace(tzinfo=None, fold=0) != local
    is_ambiguous = is_repeated(local, tzid) or is_repeated(end.replace(tzinfo=None), tzid)
    return is_skipped or is_ambiguous or start.utcoffset() != end.utcoffset()
