"""Checks of time zones: each must be defined, named, complete and correct (RFC 5545, 3.6.5).

To compare offsets, the rules of a VTIMEZONE are evaluated if they have a form that is usual for time zones: yearly, in
one month, on a numbered weekday or on days of the month. Zones with other rules are not compared, which limits the
time that a feed can take.
"""

from bisect import bisect_right
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from eventcal.kit.localtime import UTC_NAMES, known_zone
from eventcal.kit.rrule import WEEKDAYS, parse_rule, split_weekday
from eventcal.lint.moments import Kind, Moment, iana_offset, read_moment, read_offset
from eventcal.lint.reading import ENTRIES, Component, Property, Reading
from eventcal.lint.rules import Finding, finding, quoted
from eventcal.lint.times import TIMES, moments

_NEEDED = ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")
# The maximum number of lookups in the observances of a zone. Further times in the zone are not compared.
_MOST_LOOKUPS = 200_000


def check_zones(reading: Reading) -> Iterator[Finding]:
    """Yield findings about time zones and references to them, separately for each calendar."""
    of_calendars: dict[int, list[Component]] = {id(calendar): [] for calendar in reading.calendars}
    for component in reading.components:
        if id(component.root) in of_calendars:
            of_calendars[id(component.root)].append(component)
    for components in of_calendars.values():
        yield from _check_calendar(components)


def _check_calendar(components: list[Component]) -> Iterator[Finding]:
    described = dict[str, Component]()
    for zone in (component for component in components if component.name == "VTIMEZONE"):
        yield from _check_zone(zone)
        written = zone.first("TZID")
        if written is None or not written.value:
            yield finding("zone-nameless", zone.line, "the VTIMEZONE has no TZID")
        elif written.value in described:
            yield finding("zone-twice", written.line, f"{quoted(written.value)} is described above already")
        else:
            described[written.value] = zone
    used = _first_uses(components)
    for tzid, line in used.items():
        yield from _check_use(tzid, line, described.get(tzid))
    for tzid, zone in described.items():
        if tzid not in used:
            yield finding("zone-unused", zone.line, f"no entry uses {quoted(tzid)}")
    yield from _check_offsets(components, described)


def _first_uses(components: list[Component]) -> dict[str, int]:
    uses = dict[str, int]()
    for component in components:
        for written in component.properties:
            if written.tzid and component.name not in {"VTIMEZONE", "STANDARD", "DAYLIGHT"}:
                uses.setdefault(written.tzid, written.line)
    return uses


def _check_use(tzid: str, line: int, zone: Component | None) -> Iterator[Finding]:
    name = quoted(tzid)
    if tzid in UTC_NAMES or tzid == "GMT":
        yield finding("zone-utc", line, f"TZID is {name}, which a Z says")
    elif not known_zone(tzid):
        yield finding("zone-not-iana", line, f"{name} is not a name of the IANA database")
    # A name that begins with a slash is globally unique and needs no VTIMEZONE (RFC 5545, 3.2.19).
    if zone is None and not tzid.startswith("/"):
        yield finding("zone-missing", line, f"no VTIMEZONE describes {name}")
    elif zone and zone.line > line:
        yield finding("zone-late", zone.line, f"line {line} uses {name} already")


def _check_zone(zone: Component) -> Iterator[Finding]:
    observances = [part for part in zone.parts if part.name in {"STANDARD", "DAYLIGHT"}]
    if not observances:
        yield finding("zone-empty", zone.line, "the VTIMEZONE has neither STANDARD nor DAYLIGHT")
    for observance in observances:
        yield from _check_observance(observance)
    names = Counter(part.name for part in observances)
    if any(part.first("RRULE") for part in observances) and max(names.values()) > 1:
        counted = " and ".join(f"{number} {name}" for name, number in sorted(names.items()))
        yield finding("zone-observances", zone.line, f"the VTIMEZONE has {counted}")


def _check_observance(observance: Component) -> Iterator[Finding]:
    for name in _NEEDED:
        written = observance.first(name)
        if written is None:
            yield finding("zone-observance", observance.line, f"the {observance.name} has no {name}")
        elif not (_is_floating(written) if name == "DTSTART" else read_offset(written.value) is not None):
            yield finding("zone-observance", written.line, written.shown)
    for written in observance.all("RDATE"):
        if "," in written.value:
            yield finding("zone-rdate-list", written.line, "RDATE has several values")


def _is_floating(written: Property) -> bool:
    moment = read_moment(written.value, written.tzid)
    return moment is not None and moment.kind is Kind.FLOATING


def _check_offsets(components: list[Component], described: dict[str, Component]) -> Iterator[Finding]:
    observances = {tzid: read_observances(zone) for tzid, zone in described.items() if known_zone(tzid)}
    lookups = Counter[str]()
    for line, tzid, local in _zoned_times(components):
        known = observances.get(tzid)
        if not known or lookups[tzid] > _MOST_LOOKUPS:
            continue
        lookups[tzid] += len(known)
        here, iana = offset_at(known, local), iana_offset(tzid, local)
        if iana is not None and here != iana:
            observances[tzid] = None
            at = f"{quoted(tzid)} is {_east(here)} here at {local:%Y-%m-%dT%H:%M:%S}"
            yield finding("zone-offset", line, f"{at}, {_east(iana)} in the IANA database")


def _zoned_times(components: list[Component]) -> Iterator[tuple[int, str, datetime]]:
    for entry in (component for component in components if component.name in ENTRIES):
        for written in entry.all(*TIMES):
            for moment in moments(written):
                if moment and moment.kind is Kind.ZONED and moment.tzid:
                    yield written.line, moment.tzid, moment.local


def _east(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3_600)
    text = f"{'-' if seconds < 0 else '+'}{hours:02}:{rest // 60:02}"
    return f"{text}:{rest % 60:02}" if rest % 60 else text


_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "WKST"})
# A rule may skip years. The longest gap is the eight years between leap days around 1900.
_YEARS_BACK = 8


@dataclass(frozen=True, slots=True)
class Yearly:
    """A yearly rule: `days` are pairs of a number or None and a weekday (0 to 6), `dates` are days of the month."""

    month: int
    days: tuple[tuple[int | None, int], ...]
    dates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Observance:
    """A STANDARD or DAYLIGHT component: its explicit onsets in order, its rule, and its UTC offsets in seconds east."""

    onsets: tuple[datetime, ...]
    rule: Yearly | None
    until: datetime | None
    before: int
    after: int

    def latest(self, local: datetime) -> datetime | None:
        """Return the last onset at or before a local time, both in the offset before the onset, or None."""
        at = bisect_right(self.onsets, local)
        latest = (self.onsets[at - 1] if at else None, self._latest_by_rule(local))
        return max((onset for onset in latest if onset), default=None)

    def _latest_by_rule(self, local: datetime) -> datetime | None:
        if self.rule is None or local < self.onsets[0]:
            return None
        last = min(local, self.until) if self.until else local
        first = self.onsets[0]
        for year in range(last.year, max(first.year, last.year - _YEARS_BACK) - 1, -1):
            for day in reversed(_days(self.rule, year)):
                onset = datetime.combine(day, first.time())
                if first <= onset <= last:
                    return onset
        return None


def read_observances(vtimezone: Component) -> list[Observance] | None:
    """Return the observances of a zone, or None if one is invalid or has an unsupported rule."""
    found = [_observance(part) for part in vtimezone.parts if part.name in {"STANDARD", "DAYLIGHT"}]
    whole = [observance for observance in found if observance is not None]
    return whole if whole and len(whole) == len(found) else None


def offset_at(observances: Sequence[Observance], local: datetime) -> int:
    """Return the UTC offset of a local time in a zone, in seconds east.

    Times before all onsets use the offset before the first onset. Of a time that occurs twice, the first is used. A
    skipped time uses the offset before the gap (RFC 5545, 3.3.5).
    """
    latest = [(onset, observance) for observance in observances if (onset := observance.latest(local))]
    if not latest:
        return min(observances, key=lambda observance: observance.onsets[0]).before
    onset, observance = max(latest, key=lambda pair: pair[0])
    skipped = timedelta(seconds=max(0, observance.after - observance.before))
    return observance.before if local - onset < skipped else observance.after


def _observance(component: Component) -> Observance | None:
    starts, rules = component.first("DTSTART"), component.all("RRULE")
    before, after = component.first("TZOFFSETFROM"), component.first("TZOFFSETTO")
    if starts is None or before is None or after is None or len(rules) > 1:
        return None
    since, east, then = read_moment(starts.value, starts.tzid), read_offset(before.value), read_offset(after.value)
    others = [read_moment(value, one.tzid) for one in component.all("RDATE") for value in one.value.split(",")]
    if since is None or None in others or east is None or then is None:
        return None
    written = tuple(sorted(moment.local for moment in [since, *others] if moment))
    if not rules:
        return Observance(written, None, None, east, then)
    parts = parse_rule(rules[0].value)
    rule = _yearly(parts, since)
    until = _until(parts["UNTIL"], east) if "UNTIL" in parts else None
    if rule is None or ("UNTIL" in parts and until is None):
        return None
    return Observance(written, rule, until, east, then)


def _until(text: str, before: int) -> datetime | None:
    """Convert an UNTIL in UTC to local time with the offset before the onset. Return None if it is invalid."""
    try:
        until = datetime.strptime(text, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - converted to local time
        return until + timedelta(seconds=before)
    except (ValueError, OverflowError):
        return None


def _yearly(parts: dict[str, str], since: Moment) -> Yearly | None:
    if parts.get("FREQ") != "YEARLY" or not parts.keys() <= _RULE_PARTS or parts.get("INTERVAL", "1") != "1":
        return None
    try:
        month = int(parts.get("BYMONTH", since.local.month))
        dates = tuple(int(text) for text in parts["BYMONTHDAY"].split(",")) if "BYMONTHDAY" in parts else ()
        numbered = map(split_weekday, parts["BYDAY"].split(",")) if "BYDAY" in parts else ()
        days = tuple((number or None, WEEKDAYS.index(weekday)) for number, weekday in numbered)
    except ValueError:
        return None
    # Without BYMONTH, a numbered weekday counts within the year.
    if not 1 <= month <= 12 or (days and "BYMONTH" not in parts):  # noqa: PLR2004 - months
        return None
    return Yearly(month, days, dates if dates or days else (since.local.day,))


@lru_cache(maxsize=4096)
def _days(rule: Yearly, year: int) -> tuple[date, ...]:
    length = monthrange(year, rule.month)[1]
    month = [date(year, rule.month, day) for day in range(1, length + 1)]
    return tuple(day for day in month if _is_meant(rule, day, length))


def _is_meant(rule: Yearly, day: date, length: int) -> bool:
    by_date = not rule.dates or day.day in rule.dates or day.day - length - 1 in rule.dates
    from_start, from_end = (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)
    by_day = not rule.days or any(
        weekday == day.weekday() and number in {None, from_start, from_end} for number, weekday in rule.days
    )
    return by_date and by_day
