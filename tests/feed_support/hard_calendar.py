"""A calendar with events at offset changes of many time zones, and the occurrences that clients must show."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.kit.localtime import get_zone
from tests.feed_support.in_memory_entries import build_event_entry
from tests.readers.changes import changes
from tests.readers.libraries import Occurrence

ZONES = (
    # Clocks go forward in March or October, by one hour, half an hour (Lord Howe) or two hours (Troll).
    *("Europe/Berlin", "Europe/London", "Europe/Chisinau", "America/New_York", "America/Los_Angeles", "America/Havana"),
    *("America/St_Johns", "America/Nuuk", "America/Santiago", "America/Asuncion", "Asia/Jerusalem", "Africa/Cairo"),
    *("Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Norfolk"),
    "Antarctica/Troll",
    # The winter time of Dublin and the time of Morocco in Ramadan are negative daylight saving time.
    *("Europe/Dublin", "Africa/Casablanca"),
    # Daylight saving time was abolished, or the standard time changed.
    *("America/Sao_Paulo", "America/Mexico_City", "Asia/Tehran", "Asia/Amman", "Europe/Istanbul", "Europe/Moscow"),
    *("Asia/Pyongyang", "America/Caracas"),
    # The offset is constant and is not a multiple of an hour.
    "Asia/Kathmandu",
)
YEARS_OF_EVENTS = frozenset({2007, 2018, 2026, 2031})
YEARS_OF_SERIES = frozenset({2018, 2026, 2030})
ALL_YEARS = YEARS_OF_EVENTS | YEARS_OF_SERIES
FIRST_DAY, LAST_DAY = date(2006, 12, 20), date(2032, 1, 10)
DURATION, ONE_MINUTE, ONE_DAY = timedelta(hours=3), timedelta(minutes=1), timedelta(days=1)
DAYS_OF_SERIES = 5


@dataclass(frozen=True)
class HardCalendar:
    """The feed entries of a calendar, and their occurrences."""

    entries: tuple[CalendarEntry, ...]
    occurrences: frozenset[Occurrence]


def build_hard_calendar(zones: Sequence[str] = ZONES, *, years: AbstractSet[int] = ALL_YEARS) -> HardCalendar:
    """Return a calendar whose events begin in these years, in these time zones."""
    entries, occurrences = list[CalendarEntry](), set[Occurrence]()
    for tzid in zones:
        zone = get_zone(tzid)
        for local in sorted(set(_iter_starts_of_events(zone, YEARS_OF_EVENTS & years))):
            title = f"{tzid} {local:%Y-%m-%dT%H:%M}"
            entries.append(_build_entry(title, local, local + DURATION, tzid=tzid))
            occurrences.add(Occurrence(title, to_utc(local, zone), to_utc(local + DURATION, zone)))
        for local in sorted(set(_iter_starts_of_series(zone, YEARS_OF_SERIES & years))):
            title = f"{tzid} from {local:%Y-%m-%dT%H:%M}"
            rule = f"FREQ=DAILY;COUNT={DAYS_OF_SERIES}"
            entries.append(_build_entry(title, local, local + DURATION, tzid=tzid, recurrence=rule))
            # Each occurrence has the exact duration of the first (RFC 5545, section 3.8.5.3).
            duration = to_utc(local + DURATION, zone) - to_utc(local, zone)
            starts = [to_utc(local + number * ONE_DAY, zone) for number in range(DAYS_OF_SERIES)]
            occurrences.update(Occurrence(title, start, start + duration) for start in starts)
    return HardCalendar(tuple(entries), frozenset(occurrences))


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant of a repeated time, and the offset before the gap for a skipped time."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _build_entry(
    title: str, starts: datetime, ends: datetime, *, tzid: str, recurrence: str | None = None
) -> CalendarEntry:
    return build_event_entry(
        id=title.lower().translate(str.maketrans("/_: ", "----")),
        title=title,
        timezone=tzid,
        starts=starts.isoformat(),
        ends=ends.isoformat(),
        recurrence=recurrence,
        recurrence_overrides={},
    )


def _iter_starts_of_events(zone: ZoneInfo, years: AbstractSet[int]) -> Iterator[datetime]:
    """Yield local times that exist. Events cannot start at a skipped time."""
    for year in years:
        yield datetime(year, 1, 15, 12)  # noqa: DTZ001 - local
        yield datetime(year, 7, 15, 12)  # noqa: DTZ001 - local
        for at, before, after in _changes_in(zone, year):
            for by in (-ONE_DAY, -ONE_MINUTE, 0 * ONE_MINUTE, ONE_DAY, abs(after - before) / -2):
                yield (at + by).astimezone(zone).replace(tzinfo=None, fold=0)


def _iter_starts_of_series(zone: ZoneInfo, years: AbstractSet[int]) -> Iterator[datetime]:
    for year in years:
        for middle in _iter_ambiguous_times(zone, year):
            yield middle - 2 * ONE_DAY
            # These occurrences begin before the change and end after it.
            yield middle - 2 * ONE_DAY - timedelta(hours=2)


def _iter_ambiguous_times(zone: ZoneInfo, year: int) -> Iterator[datetime]:
    """Yield the local time in the middle of each skipped and of each repeated period."""
    for at, before, after in _changes_in(zone, year):
        yield (at + (before + after) / 2).replace(tzinfo=None)


def _changes_in(zone: ZoneInfo, year: int) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    return changes(zone, date(year, 1, 2), date(year, 12, 31))
