"""Offsets that third-party libraries read from the VTIMEZONE of every zone, compared with zoneinfo."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from io import BytesIO, StringIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from icalendar import Timezone
from icalendar.timezone import TZP

from eventcal.feeds.zones.tzif import read_tzif
from eventcal.kit.localtime import _zone_names
from tests.feed_support.zone_text import vtimezone_text
from tests.readers.changes import changes
from tests.readers.node import NodeReader, node_reader

RANGES = {
    "1975 to 1990": (date(1975, 1, 1), date(1990, 12, 31)),
    # Samoa skipped a day, and Russia and Turkey changed their rules.
    "2010 to 2012": (date(2010, 1, 1), date(2012, 12, 31)),
    "2014": (date(2014, 1, 1), date(2014, 12, 31)),
    "2024 to 2029": (date(2024, 1, 1), date(2029, 12, 31)),
    "2026 to 2037": (date(2026, 1, 1), date(2037, 12, 31)),
    "2036 to 2045": (date(2036, 1, 1), date(2045, 12, 31)),
}
ONE_SECOND, ONE_HOUR, ONE_DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NOON_INTERVAL = 29 * ONE_DAY


class LocalTimeOffsets(NamedTuple):
    """A local time with two offsets in seconds: the one of RFC 5545 (3.3.5) and the one some readers use.

    The RFC uses the first occurrence of a repeated time, and the offset before the change for a skipped time.
    The other offset is that of the second occurrence or after the change. For nearly all times, both are equal.
    """

    local: datetime
    rfc_offset: int
    other_offset: int

    @property
    def is_repeated(self) -> bool:
        """Return whether this time occurs twice in the zone."""
        return self.rfc_offset > self.other_offset

    @property
    def is_skipped(self) -> bool:
        """Return whether the clocks of the zone skip this time."""
        return self.rfc_offset < self.other_offset


@dataclass(frozen=True)
class ZoneCase:
    """A VTIMEZONE shared by some zones within the range, and the offsets expected from it."""

    tzids: tuple[str, ...]
    text: str
    local_times: tuple[LocalTimeOffsets, ...]


@cache
def distinct_zones() -> dict[tuple[str, ...], ZoneInfo]:
    """Return each zone with all its names. Names with identical files are one zone."""
    names: dict[bytes, list[str]] = {}
    for name in sorted(_zone_names()):
        names.setdefault(read_tzif(name), []).append(name)
    return {tuple(same): ZoneInfo.from_file(BytesIO(data), key=same[0]) for data, same in names.items()}


@cache
def zone_cases(years: str) -> list[ZoneCase]:
    """Return a case for each distinct VTIMEZONE text and expected offsets in a range of years."""
    first, last = RANGES[years]
    found: dict[tuple[str, tuple[LocalTimeOffsets, ...]], list[str]] = {}
    for names, zone in distinct_zones().items():
        walls = tuple(iter_local_times(zone, first, last))
        for name in names:
            text = vtimezone_text(name, first, last).replace(f"TZID:{name}\r\n", "TZID:Here\r\n")
            found.setdefault((text, walls), []).append(name)
    return [ZoneCase(tuple(names), text, walls) for (text, walls), names in found.items()]


def iter_local_times(zone: ZoneInfo, first: date, last: date) -> Iterator[LocalTimeOffsets]:
    """Yield local times from the first day to the end of the day after the last."""
    begin, end = datetime.combine(first, time()), datetime.combine(last + 2 * ONE_DAY, time())
    asked = {begin, end - ONE_SECOND}
    asked.update(begin + 12 * ONE_HOUR + NOON_INTERVAL * number for number in range((end - begin) // NOON_INTERVAL))
    for instant, before, after in changes(zone, first - ONE_DAY, last + 2 * ONE_DAY):
        at = instant.replace(tzinfo=None)
        asked.update(at + before - ahead for ahead in (ONE_HOUR, ONE_SECOND))
        asked.update(at + after + behind for behind in (timedelta(0), ONE_SECOND, ONE_HOUR))
        # The skipped or repeated times, from the first second to the last.
        least, most = sorted((at + before, at + after))
        asked.update((least, least + (most - least) // 2, most - ONE_SECOND, most))
    for local in sorted(asked):
        if begin <= local < end:
            yield LocalTimeOffsets(local, offset_seconds(local, zone), offset_seconds(local.replace(fold=1), zone))


def offset_seconds(local: datetime, zone: ZoneInfo) -> int:
    there = zone.utcoffset(local)
    assert there is not None
    return there // ONE_SECOND


OffsetReader = Callable[[str, Sequence[datetime]], list[int]]
"""Return the offset in seconds that a library reads from a VTIMEZONE for each local time."""


def read_with_dateutil(text: str, local_times: Sequence[datetime]) -> list[int]:
    zone = tzical(StringIO(text)).get()
    return [wall.replace(tzinfo=zone).utcoffset() // ONE_SECOND for wall in local_times]  # type: ignore[operator]  # not None


def read_with_icalendar(text: str, local_times: Sequence[datetime]) -> list[int]:
    zone = _parse_timezone(text).to_tz(lookup_tzid=False)
    return [wall.replace(tzinfo=zone).utcoffset() // ONE_SECOND for wall in local_times]  # type: ignore[operator]  # not None


def read_with_icalendar_on_pytz(text: str, local_times: Sequence[datetime]) -> list[int]:
    """Read with icalendar's own implementation. With zoneinfo, it delegates to dateutil."""
    zone = _parse_timezone(text).to_tz(TZP("pytz"), lookup_tzid=False)
    return [zone.localize(wall).utcoffset() // ONE_SECOND for wall in local_times]


def _parse_timezone(text: str) -> Timezone:
    component = Timezone.from_ical(text)
    assert isinstance(component, Timezone)
    return component


def is_recurring(case: ZoneCase) -> bool:
    return "RRULE" in case.text


@dataclass(frozen=True)
class Deviation:
    """How a library deviates from the RFC. The tests expect these deviations too."""

    reads_second_of_repeated: bool = False
    uses_offset_after_skipped: bool = False
    last_rule_year: int = date.max.year

    def expected_offset(self, wall: LocalTimeOffsets) -> int:
        """Return the offset that the library reads."""
        other = (self.reads_second_of_repeated and wall.is_repeated) or (
            self.uses_offset_after_skipped and wall.is_skipped
        )
        return wall.other_offset if other else wall.rfc_offset

    def can_read(self, case: ZoneCase, wall: LocalTimeOffsets) -> bool:
        """Return whether the library can read this time at all."""
        return wall.local.year <= self.last_rule_year or not is_recurring(case)


# dateutil compares local times with local onsets, so a change applies from the first skipped second.
DATEUTIL = Deviation(uses_offset_after_skipped=True)
# pytz's localise defaults to standard time. For pytz, icalendar expands a rule only until the end of 2038.
PYTZ = Deviation(reads_second_of_repeated=True, last_rule_year=2038)
# ical.js always uses standard time for repeated times, and treats skipped times like dateutil.
ICAL_JS = Deviation(reads_second_of_repeated=True, uses_offset_after_skipped=True)


def misread_times(
    reader: OffsetReader, deviation: Deviation, years: str
) -> list[tuple[tuple[str, ...], datetime, int, int]]:
    """Return the zones, local time, read offset and expected offset of each time that is misread."""
    wrong = []
    for case in zone_cases(years):
        walls = [wall for wall in case.local_times if deviation.can_read(case, wall)]
        found = reader(case.text, [wall.local for wall in walls])
        for wall, read in zip(walls, found, strict=True):
            if read != deviation.expected_offset(wall):
                wrong.append((case.tzids, wall.local, read, deviation.expected_offset(wall)))
    return wrong


@pytest.fixture(scope="module")
def javascript_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeReader]:
    with node_reader(tmp_path_factory) as reader:
        yield reader


@pytest.fixture(scope="module")
def ical_js_reader(javascript_process: NodeReader) -> OffsetReader:
    return lambda text, walls: javascript_process.offsets(text, [wall.isoformat() for wall in walls])


@pytest.mark.parametrize("years", RANGES)
def test_cases_cover_every_zone_and_its_changes(years: str) -> None:
    assert sorted(name for case in zone_cases(years) for name in case.tzids) == sorted(_zone_names())
    first, last = RANGES[years]
    noons = (last - first) // NOON_INTERVAL
    for case in zone_cases(years):
        assert len(case.local_times) >= noons
        # Besides noons, the cases contain the repeated and skipped times of each change.
        assert not is_recurring(case) or any(wall.is_repeated for wall in case.local_times)


@pytest.mark.parametrize("years", RANGES)
def test_dateutil_reads_every_zone_as_in_tzdata(years: str) -> None:
    assert misread_times(read_with_dateutil, DATEUTIL, years) == []


@pytest.mark.parametrize("years", RANGES)
def test_icalendar_reads_every_zone_as_in_tzdata(years: str) -> None:
    assert misread_times(read_with_icalendar, DATEUTIL, years) == []


@pytest.mark.parametrize("years", RANGES)
def test_icalendar_with_pytz_reads_every_zone_as_in_tzdata(years: str) -> None:
    assert misread_times(read_with_icalendar_on_pytz, PYTZ, years) == []


@pytest.mark.parametrize("years", RANGES)
def test_ical_js_reads_every_zone_as_in_tzdata(years: str, ical_js_reader: OffsetReader) -> None:
    assert misread_times(ical_js_reader, ICAL_JS, years) == []


# Limitations of the libraries, excluded above because they affect every VTIMEZONE


def test_icalendar_with_pytz_ignores_rules_after_2038() -> None:
    text = vtimezone_text("Europe/Berlin", date(2036, 1, 1), date(2045, 12, 31))
    summers = [datetime(year, 7, 1, 12) for year in (2038, 2039, 2045)]  # noqa: DTZ001 - local
    assert read_with_icalendar_on_pytz(text, summers) == [7_200, 3_600, 3_600]
    assert read_with_dateutil(text, summers) == [7_200, 7_200, 7_200]


def test_only_some_readers_use_the_first_occurrence_of_a_repeated_time(ical_js_reader: OffsetReader) -> None:
    day = date(2026, 10, 25)
    text, twice = vtimezone_text("Europe/Berlin", day, day), [datetime(2026, 10, 25, 2, 30)]  # noqa: DTZ001 - local
    readers = {
        "dateutil": read_with_dateutil,
        "icalendar": read_with_icalendar,
        "icalendar with pytz": read_with_icalendar_on_pytz,
        "ical.js": ical_js_reader,
    }
    assert {name: reader(text, twice) for name, reader in readers.items()} == {
        "dateutil": [7_200],
        "icalendar": [7_200],
        "icalendar with pytz": [3_600],
        "ical.js": [3_600],
    }
