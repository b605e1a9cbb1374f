import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from io import BytesIO, StringIO
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Timezone

from eventcal.feeds.zones.posix import Span
from eventcal.feeds.zones.tzif import get_zone, parse_tzif, read_tzif
from tests.feed_support.zone_text import vtimezone_text

ZONES = files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
HOUR_SECONDS = 3_600
ONE_SECOND = timedelta(seconds=1)


@cache
def load_zoneinfo(tzid: str) -> ZoneInfo:
    return ZoneInfo.from_file(BytesIO(read_tzif(tzid)), key=tzid)


def is_existing_local_time(local_time: datetime, zone: ZoneInfo) -> bool:
    there = local_time.replace(tzinfo=zone)
    return there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local_time


def local_times_around_changes(tzid: str, span: Span) -> Iterator[datetime]:
    """Yield local times before, in and after each repeated hour, but none that the clocks skip."""
    zone = load_zoneinfo(tzid)
    for change in get_zone(tzid).offsets_within(span)[1:]:
        for hours in (-30, -1, 1, 30):
            instant = datetime.fromtimestamp(change.at + hours * HOUR_SECONDS, UTC)
            for nudge in (-ONE_SECOND, timedelta(0)):
                wall = (instant + nudge).astimezone(zone).replace(tzinfo=None, fold=0)
                if is_existing_local_time(wall, zone):
                    yield wall


def misread_times(text: str, tzid: str, local_times: list[datetime]) -> list[tuple[str, str, datetime]]:
    """Return each reader and local time for which the offset read from the text differs from the zone's."""
    zone = load_zoneinfo(tzid)
    component = Timezone.from_ical(text)
    assert isinstance(component, Timezone)
    readers = {
        "dateutil": tzical(StringIO(text)).get(tzid),
        "icalendar": component.to_tz(lookup_tzid=False),
    }
    return [
        (tzid, name, wall)
        for name, reader in readers.items()
        for wall in local_times
        if wall.replace(tzinfo=reader).utcoffset() != wall.replace(tzinfo=zone).utcoffset()
    ]


def to_crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def observance_lines(tzid: str, first: date, last: date) -> list[str]:
    """Return one line per observance: kind, DTSTART, offset before and offset after."""
    observance = r"BEGIN:(STANDARD|DAYLIGHT)\r\nDTSTART:(.*)\r\nTZOFFSETFROM:(.*)\r\nTZOFFSETTO:(.*)\r\n"
    return [" ".join(found) for found in re.findall(observance, vtimezone_text(tzid, first, last))]


def test_zone_with_summer_time_has_yearly_standard_and_daylight_rules() -> None:
    assert vtimezone_text("Europe/Berlin", date(2014, 6, 4), date(2014, 6, 4)) == to_crlf("""\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
""")


def test_zone_without_summer_time_has_one_standard_observance() -> None:
    assert vtimezone_text("Asia/Kathmandu", date(2014, 6, 4), date(2030, 6, 4)) == to_crlf("""\
BEGIN:VTIMEZONE
TZID:Asia/Kathmandu
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0545
TZOFFSETTO:+0545
TZNAME:+0545
END:STANDARD
END:VTIMEZONE
""")


def test_zone_without_yearly_rule_lists_each_onset() -> None:
    # Morocco sets the clocks back an hour for Ramadan, which follows no yearly rule.
    assert vtimezone_text("Africa/Casablanca", date(2024, 1, 10), date(2024, 12, 10)) == to_crlf("""\
BEGIN:VTIMEZONE
TZID:Africa/Casablanca
BEGIN:DAYLIGHT
DTSTART:20230423T020000
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
TZNAME:+01
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20240310T030000
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
TZNAME:+00
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20240414T020000
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
TZNAME:+01
END:DAYLIGHT
END:VTIMEZONE
""")


def test_irish_winter_time_is_standard_despite_tzdata() -> None:
    assert observance_lines("Europe/Dublin", date(2014, 1, 1), date(2014, 12, 31)) == [
        "STANDARD 19701025T020000 +0100 +0000",
        "DAYLIGHT 19700329T010000 +0000 +0100",
    ]


def test_southern_zone_starts_summer_time_in_october() -> None:
    assert observance_lines("Australia/Sydney", date(2014, 1, 1), date(2014, 12, 31)) == [
        "STANDARD 19700405T030000 +1100 +1000",
        "DAYLIGHT 19701004T020000 +1000 +1100",
    ]


def test_summer_time_may_differ_by_half_an_hour_or_two_hours() -> None:
    assert observance_lines("Australia/Lord_Howe", date(2014, 1, 1), date(2014, 12, 31))[1].endswith("+1030 +1100")
    assert observance_lines("Antarctica/Troll", date(2014, 1, 1), date(2014, 12, 31))[1].endswith("+0000 +0200")


def test_alias_has_its_own_name_and_the_rules_of_its_zone() -> None:
    day = date(2014, 6, 4)
    alias, zone = vtimezone_text("Asia/Calcutta", day, day), vtimezone_text("Asia/Kolkata", day, day)
    assert alias == zone.replace("Asia/Kolkata", "Asia/Calcutta")


def test_hour_outside_its_day_shifts_the_weekday_of_the_rule() -> None:
    # Greenland changes in the hour before the last Sunday of March: in 2024 to 2028, on the last Saturday.
    assert observance_lines("America/Nuuk", date(2024, 1, 1), date(2028, 12, 1)) == [
        "STANDARD 19701025T000000 -0100 -0200",
        "DAYLIGHT 19700328T230000 -0200 -0100",
    ]


def test_hour_outside_its_day_lists_each_onset_if_no_weekday_fits() -> None:
    # In 2029, the last Sunday is the 25th and the last Saturday is six days later.
    assert observance_lines("America/Nuuk", date(2029, 1, 1), date(2029, 12, 1)) == [
        "STANDARD 20281029T000000 -0100 -0200",
        "DAYLIGHT 20290324T230000 -0200 -0100",
        "STANDARD 20291028T000000 -0100 -0200",
    ]


def test_rule_that_took_effect_within_the_range_is_not_used() -> None:
    # Turkey stayed on summer time in 2016.
    assert observance_lines("Europe/Istanbul", date(2016, 1, 1), date(2017, 1, 1)) == [
        "STANDARD 20151108T040000 +0300 +0200",
        "DAYLIGHT 20160327T030000 +0200 +0300",
    ]
    assert observance_lines("Europe/Istanbul", date(2017, 1, 1), date(2018, 1, 1)) == [
        "STANDARD 19700101T000000 +0300 +0300"
    ]


def test_rule_is_not_used_for_a_range_with_a_different_offset() -> None:
    # Britain kept British Standard Time, an hour ahead of Greenwich, through the winter of 1970.
    assert observance_lines("Europe/London", date(1970, 12, 1), date(1970, 12, 8)) == [
        "STANDARD 19680218T020000 +0000 +0100"
    ]


def test_two_changes_within_a_week_are_both_written() -> None:
    # Boa Vista tried summer time from 8 to 15 October 2000.
    assert observance_lines("America/Boa_Vista", date(2000, 10, 1), date(2000, 10, 31)) == [
        "STANDARD 20000227T000000 -0300 -0400",
        "DAYLIGHT 20001008T000000 -0400 -0300",
        "STANDARD 20001015T000000 -0300 -0400",
    ]


def test_offset_with_seconds_is_written_with_seconds() -> None:
    assert observance_lines("Africa/Monrovia", date(1972, 1, 1), date(1972, 1, 31)) == [
        "STANDARD 19190301T000000 -004308 -004430",
        "DAYLIGHT 19720107T000000 -004430 +0000",
    ]


def test_first_onset_precedes_the_first_entry_in_any_year() -> None:
    assert observance_lines("Europe/Paris", date(1901, 1, 1), date(1901, 1, 1)) == [
        "STANDARD 19000101T000000 +000921 +000921"
    ]
    assert observance_lines("Etc/GMT+5", date.min, date.max) == ["STANDARD 00010101T000000 -0500 -0500"]


@pytest.mark.parametrize(
    ("tzid", "year"),
    [("Europe/Berlin", 2014), ("America/Nuuk", 2029), ("Pacific/Fiji", 2014), ("Pacific/Apia", 2011)],
)
def test_entries_at_both_ends_of_the_range_are_covered(tzid: str, year: int) -> None:
    zone = load_zoneinfo(tzid)
    for change in get_zone(tzid).offsets_within(Span.covering_days(date(year, 1, 5), date(year, 12, 31)))[1:]:
        day = datetime.fromtimestamp(change.at, zone).replace(tzinfo=None)
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a local time
        for first in (midnight - timedelta(days=1), midnight, midnight + timedelta(days=1)):
            text = vtimezone_text(tzid, first.date(), first.date())
            walls = [first + timedelta(minutes=minutes) for minutes in range(0, 48 * 60, 15)]
            assert misread_times(text, tzid, [wall for wall in walls if is_existing_local_time(wall, zone)]) == []


@pytest.mark.parametrize("year", [1972, 1990, 2011, 2014, 2026, 2029, 2040])
def test_explicit_onsets_change_the_offset(year: int) -> None:
    """ical4j ignores an observance whose offsets are equal, so a zone with several onsets must have none of these."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    for tzid in ZONES:
        before_first = Span.covering_days(first, first)
        if get_zone(tzid).last_change_before(before_first) is None:
            continue
        # Only a rule without summer time is written as a single observance that changes nothing.
        for month in (first, date(year, 9, 1)):
            lines = observance_lines(tzid, month, last)
            equal = [line for line in lines if line.split()[2] == line.split()[3]]
            assert not equal or (len(lines) == 1 and lines[0].startswith("STANDARD 19")), (tzid, lines)


def test_every_zone_has_a_standard_observance() -> None:
    # Morocco was an hour ahead of Greenwich throughout June 2026.
    assert observance_lines("Africa/Casablanca", date(2026, 6, 1), date(2026, 6, 30)) == [
        "STANDARD 20260322T020000 +0000 +0100"
    ]


def test_last_date_before_the_first_is_rejected() -> None:
    with pytest.raises(ValueError, match="2014-06-03 is before 2014-06-04"):
        vtimezone_text("Europe/Berlin", date(2014, 6, 4), date(2014, 6, 3))


@pytest.mark.parametrize(
    "tzid",
    ["Europe/Atlantis", "Europe", "", "/etc/localtime", "../zoneinfo/UTC", "Europe//Berlin", "zone.tab", "__init__.py",
     "zonenow.tab", "UTC\n", "Europe/Berlin/Mitte", "tzdata.zi", "Zürich"],
)  # fmt: skip
def test_unknown_zone_name_is_rejected(tzid: str) -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        vtimezone_text(tzid, date(2014, 6, 4), date(2014, 6, 4))


def test_every_zone_has_short_crlf_lines_and_rules_only_in_standard_daylight_pairs() -> None:
    shapes = set()
    for tzid in ZONES:
        text = vtimezone_text(tzid, date(2024, 1, 1), date(2030, 12, 31))
        lines = text.split("\r\n")
        assert lines[:2] == ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
        assert lines[-2:] == ["END:VTIMEZONE", ""]
        assert "\n" not in "".join(lines)
        assert max(map(len, lines)) <= 75
        assert text.isascii()
        assert "RDATE" not in text
        shapes.add((lines.count("BEGIN:STANDARD"), lines.count("BEGIN:DAYLIGHT"), text.count("RRULE:")))
    assert {shape for shape in shapes if shape[2]} == {(1, 1, 2)}


def test_readers_compute_correct_offsets_for_every_zone() -> None:
    first, last = date(2024, 1, 1), date(2029, 12, 31)
    noons = [datetime(2024, 1, 2, 12) + timedelta(days=30 * n) for n in range(72)]  # noqa: DTZ001 - a local time
    read: set[str] = set()
    wrong = []
    for tzid in ZONES:
        text = vtimezone_text(tzid, first, last)
        body = text.replace(f"TZID:{tzid}\r\n", "")
        if body not in read:  # many zones share one rule, so each body is checked once
            read.add(body)
            wrong += misread_times(
                text, tzid, [*local_times_around_changes(tzid, Span.covering_days(first, last)), *noons]
            )
    assert wrong == []


def test_every_zone_changes_at_the_instants_of_zoneinfo() -> None:
    span = Span.covering_days(date(1800, 1, 1), date(2110, 1, 1))
    wrong = []
    for data, tzid in {read_tzif(tzid): tzid for tzid in ZONES}.items():
        zone, line = load_zoneinfo(tzid), parse_tzif(data).offsets_within(span)
        instants = [*(change.at for change in line), span.end]
        for (start, end), local in zip(pairwise(instants), [change.to for change in line], strict=True):
            # Samples between the ends reveal changes that were missed.
            for at in {start, end - 1, start + (end - start) // 3, *range(start, end, 150 * 86_400)}:
                there = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).astimezone(zone)
                if there.utcoffset() != timedelta(seconds=local.offset):
                    wrong.append((tzid, there))
    assert wrong == []


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_readers_compute_correct_offsets_for_any_range_of_dates(data: st.DataObject) -> None:
    tzid = data.draw(st.sampled_from(ZONES))
    first = data.draw(st.dates(date(1880, 1, 1), date(2095, 1, 1)))
    last = first + timedelta(days=data.draw(st.integers(0, 1_500)))
    morning = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - a local time
    minutes = st.integers(0, ((last - first).days + 1) * 24 * 60 - 1)
    walls = [morning + timedelta(minutes=data.draw(minutes)) for _ in range(5)]
    walls += local_times_around_changes(tzid, Span.covering_days(first, last))
    asked = [
        wall for wall in walls if first <= wall.date() <= last and is_existing_local_time(wall, load_zoneinfo(tzid))
    ]
    assert misread_times(vtimezone_text(tzid, first, last), tzid, asked) == []
