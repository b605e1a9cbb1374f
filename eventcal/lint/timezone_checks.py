"""Checks for time zone definitions and references (RFC 5545, section 3.6.5).

The UTC offsets are compared with the IANA database only if all recurrence rules of the VTIMEZONE are yearly and select
days in a single month. The comparison of more complex rules would take too much time.
"""

from bisect import bisect_right
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.localtime import UTC_NAMES, is_known_zone
from eventcal.kit.rrule_syntax import WEEKDAYS, parse_rule, split_weekday
from eventcal.lint.parser import ENTRY_NAMES, Component, ParsedFile, Property
from eventcal.lint.rules import Finding, finding, quote_excerpt
from eventcal.lint.time_checks import TIME_PROPERTIES, parse_times
from eventcal.lint.time_values import TimeKind, TimeValue, iana_utc_offset, parse_time_value, parse_utc_offset

# The maximum number of observance lookups per time zone, after which offsets are no longer compared.
_MOST_LOOKUPS = 200_000


def check_zones(file: ParsedFile) -> Iterator[Finding]:
    of_calendars: dict[int, list[Component]] = {id(calendar): [] for calendar in file.calendars}
    for component in file.components:
        if id(component.root) in of_calendars:
            of_calendars[id(component.root)].append(component)
    for components in of_calendars.values():
        yield from _check_calendar_zones(components)


def _check_calendar_zones(components: list[Component]) -> Iterator[Finding]:
    described = dict[str, Component]()
    for zone in (component for component in components if component.name == "VTIMEZONE"):
        yield from _check_zone(zone)
        written = zone.find_property("TZID")
        if written is None or not written.value:
            yield finding("zone-nameless", zone.line, "the VTIMEZONE has no TZID")
        elif written.value in described:
            yield finding("zone-twice", written.line, f"{quote_excerpt(written.value)} already has a VTIMEZONE above")
        else:
            described[written.value] = zone
    used = _first_line_by_tzid(components)
    for tzid, line in used.items():
        yield from _check_tzid_use(tzid, line, described.get(tzid))
    # A calendar without entries contains a time zone because it must contain a component (RFC 5545, section 3.6).
    has_entries = any(component.name in ENTRY_NAMES for component in components)
    for tzid, zone in described.items():
        if has_entries and tzid not in used:
            yield finding("zone-unused", zone.line, f"no entry uses {quote_excerpt(tzid)}")
    yield from _check_offsets(components, described)


def _first_line_by_tzid(components: list[Component]) -> dict[str, int]:
    uses = dict[str, int]()
    for component in components:
        for written in component.properties:
            if written.tzid and component.name not in {"VTIMEZONE", "STANDARD", "DAYLIGHT"}:
                uses.setdefault(written.tzid, written.line)
    return uses


def _check_tzid_use(tzid: str, line: int, zone: Component | None) -> Iterator[Finding]:
    name = quote_excerpt(tzid)
    if tzid in UTC_NAMES or tzid == "GMT":
        yield finding("zone-utc", line, f"TZID is {name}; use the suffix Z instead")
    elif not is_known_zone(tzid):
        yield finding("zone-not-iana", line, f"{name} is not an IANA time zone")
    # A TZID that begins with a slash refers to a global time zone registry (RFC 5545, section 3.2.19).
    if zone is None and not tzid.startswith("/"):
        yield finding("zone-missing", line, f"there is no VTIMEZONE for {name}")
    elif zone and zone.line > line:
        yield finding("zone-late", zone.line, f"{name} is already used on line {line}")


def _check_zone(zone: Component) -> Iterator[Finding]:
    observances = [part for part in zone.children if part.name in {"STANDARD", "DAYLIGHT"}]
    if not observances:
        yield finding("zone-empty", zone.line, "the VTIMEZONE has neither STANDARD nor DAYLIGHT")
    for observance in observances:
        yield from _check_observance(observance)
    names = Counter(part.name for part in observances)
    if any(part.find_property("RRULE") for part in observances) and max(names.values()) > 1:
        counted = " and ".join(f"{number} {name}" for name, number in sorted(names.items()))
        yield finding("zone-observances", zone.line, f"the VTIMEZONE has {counted}")


def _check_observance(observance: Component) -> Iterator[Finding]:
    for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO"):
        written = observance.find_property(name)
        if written is None:
            yield finding("zone-observance", observance.line, f"the {observance.name} has no {name}")
        elif not (_is_floating(written) if name == "DTSTART" else parse_utc_offset(written.value) is not None):
            yield finding("zone-observance", written.line, written.label)
    for written in observance.list_properties("RDATE"):
        if "," in written.value:
            yield finding("zone-rdate-list", written.line, "RDATE has several values")


def _is_floating(prop: Property) -> bool:
    moment = parse_time_value(prop.value, prop.tzid)
    return moment is not None and moment.kind is TimeKind.FLOATING


def _check_offsets(components: list[Component], zones_by_tzid: dict[str, Component]) -> Iterator[Finding]:
    observances = {tzid: parse_observances(zone) for tzid, zone in zones_by_tzid.items() if is_known_zone(tzid)}
    lookups = Counter[str]()
    for line, tzid, local in _iter_zoned_times(components):
        known = observances.get(tzid)
        if not known or lookups[tzid] > _MOST_LOOKUPS:
            continue
        lookups[tzid] += len(known)
        here, iana = utc_offset_at(known, local), iana_utc_offset(tzid, local)
        if iana is not None and here != iana:
            observances[tzid] = None
            at = f"{quote_excerpt(tzid)} has the offset {_format_utc_offset(here)} at {local:%Y-%m-%dT%H:%M:%S}"
            yield finding("zone-offset", line, f"{at}, but {_format_utc_offset(iana)} in the IANA database")


def _iter_zoned_times(components: list[Component]) -> Iterator[tuple[int, str, datetime]]:
    for entry in (component for component in components if component.name in ENTRY_NAMES):
        for written in entry.list_properties(*TIME_PROPERTIES):
            for moment in parse_times(written):
                if moment and moment.kind is TimeKind.ZONED and moment.tzid:
                    yield written.line, moment.tzid, moment.local


def _format_utc_offset(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3_600)
    text = f"{'-' if seconds < 0 else '+'}{hours:02}:{rest // 60:02}"
    return f"{text}:{rest % 60:02}" if rest % 60 else text


_SUPPORTED_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "WKST"})
# The longest gap between onsets of a yearly rule is eight years: between 29 February 1896 and 29 February 1904.
_MAX_YEARS_BACK = 8


@dataclass(frozen=True, slots=True)
class YearlyRule:
    """A yearly rule. `weekdays` contains pairs of an optional ordinal and a weekday (0 for Monday)."""

    month: int
    weekdays: tuple[tuple[int | None, int], ...]
    month_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Observance:
    """A STANDARD or DAYLIGHT component with sorted onsets, an optional rule, and UTC offsets in seconds east of UTC."""

    onsets: tuple[datetime, ...]
    rule: YearlyRule | None
    until: datetime | None
    offset_before: int
    offset_after: int

    def find_latest_onset(self, local: datetime) -> datetime | None:
        """Return the last onset at or before a local time with the UTC offset `offset_before`, or None."""
        at = bisect_right(self.onsets, local)
        latest = (self.onsets[at - 1] if at else None, self._find_latest_rule_onset(local))
        return max((onset for onset in latest if onset), default=None)

    def _find_latest_rule_onset(self, local: datetime) -> datetime | None:
        if self.rule is None or local < self.onsets[0]:
            return None
        first, last = self.onsets[0], min(local, self.until or local)
        for year in range(last.year, max(first.year, last.year - _MAX_YEARS_BACK) - 1, -1):
            for day in reversed(_onset_days(self.rule, year)):
                onset = datetime.combine(day, first.time())
                if first <= onset <= last:
                    return onset
        return None


def parse_observances(vtimezone: Component) -> list[Observance] | None:
    """Return the observances of a time zone, or None if an observance is invalid or has an unsupported rule."""
    found = [_parse_observance(part) for part in vtimezone.children if part.name in {"STANDARD", "DAYLIGHT"}]
    whole = [observance for observance in found if observance is not None]
    return whole if whole and len(whole) == len(found) else None


def utc_offset_at(observances: Sequence[Observance], local: datetime) -> int:
    """Return the UTC offset of a local time, in seconds east of UTC, as `iana_utc_offset` does for IANA time zones."""
    latest = [(onset, observance) for observance in observances if (onset := observance.find_latest_onset(local))]
    if not latest:
        return min(observances, key=lambda observance: observance.onsets[0]).offset_before
    onset, observance = max(latest, key=lambda pair: pair[0])
    skipped = timedelta(seconds=max(0, observance.offset_after - observance.offset_before))
    return observance.offset_before if local - onset < skipped else observance.offset_after


def _parse_observance(component: Component) -> Observance | None:
    starts, rules = component.find_property("DTSTART"), component.list_properties("RRULE")
    before, after = component.find_property("TZOFFSETFROM"), component.find_property("TZOFFSETTO")
    if starts is None or before is None or after is None or len(rules) > 1:
        return None
    since = parse_time_value(starts.value, starts.tzid)
    east, then = parse_utc_offset(before.value), parse_utc_offset(after.value)
    more = [parse_time_value(text, p.tzid) for p in component.list_properties("RDATE") for text in p.value.split(",")]
    if since is None or None in more or east is None or then is None:
        return None
    written = tuple(sorted(moment.local for moment in [since, *more] if moment))
    if not rules:
        return Observance(written, None, None, east, then)
    parts = parse_rule(rules[0].value)
    rule = _parse_yearly_rule(parts, since)
    until = _parse_until_as_local(parts["UNTIL"], east) if "UNTIL" in parts else None
    if rule is None or ("UNTIL" in parts and until is None):
        return None
    return Observance(written, rule, until, east, then)


def _parse_until_as_local(text: str, offset_before: int) -> datetime | None:
    """Return an UNTIL value (UTC) as a local time with the offset before the onset, or None if the value is invalid."""
    try:
        until = datetime.strptime(text, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - converted to local time
        return until + timedelta(seconds=offset_before)
    except (ValueError, OverflowError):
        return None


def _parse_yearly_rule(parts: dict[str, str], start: TimeValue) -> YearlyRule | None:
    if parts.get("FREQ") != "YEARLY" or not parts.keys() <= _SUPPORTED_RULE_PARTS or parts.get("INTERVAL", "1") != "1":
        return None
    try:
        month = int(parts.get("BYMONTH", start.local.month))
        dates = tuple(int(text) for text in parts["BYMONTHDAY"].split(",")) if "BYMONTHDAY" in parts else ()
        numbered = map(split_weekday, parts["BYDAY"].split(",")) if "BYDAY" in parts else ()
        days = tuple((number or None, WEEKDAYS.index(weekday)) for number, weekday in numbered)
    except ValueError:
        return None
    # Without BYMONTH, a numbered weekday is counted within the whole year.
    if not 1 <= month <= 12 or (days and "BYMONTH" not in parts):  # noqa: PLR2004 - months
        return None
    return YearlyRule(month, days, dates if dates or days else (start.local.day,))


@bounded_cache(1_000_000)
def _onset_days(rule: YearlyRule, year: int) -> tuple[date, ...]:
    length = monthrange(year, rule.month)[1]
    month = [date(year, rule.month, day) for day in range(1, length + 1)]
    return tuple(day for day in month if _is_onset_day(rule, day, length))


def _is_onset_day(rule: YearlyRule, day: date, month_length: int) -> bool:
    by_date = not rule.month_days or day.day in rule.month_days or day.day - month_length - 1 in rule.month_days
    from_start, from_end = (day.day - 1) // 7 + 1, -((month_length - day.day) // 7 + 1)
    by_day = not rule.weekdays or any(
        weekday == day.weekday() and number in {None, from_start, from_end} for number, weekday in rule.weekdays
    )
    return by_date and by_day
