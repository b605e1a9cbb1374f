"""Checks for times, timestamps and recurrence rules (RFC 5545, sections 3.8.2, 3.8.7 and 3.3.10)."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from eventcal.kit.rrule_syntax import WEEKDAYS, parse_rule, split_rule
from eventcal.lint.parser import Component, ParsedFile, Property
from eventcal.lint.rules import Finding, finding, quote_excerpt
from eventcal.lint.time_values import TimeKind, TimeValue, parse_duration, parse_time_value, parse_utc_offset

TIME_PROPERTIES = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE")
_TIMESTAMP_PROPERTIES = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED")
_LIST_PROPERTIES = frozenset({"EXDATE", "RDATE"})
_CLOCK_TOLERANCE = timedelta(minutes=5)


def check_times(file: ParsedFile) -> Iterator[Finding]:
    for entry in file.entries:
        for written in entry.list_properties(*TIME_PROPERTIES):
            yield from _check_time_values(written)
        yield from _check_start_and_end(entry)
    yield from _check_instance_kinds(file.entries)
    for component in file.components:
        if component.name == "VALARM":
            for written in component.list_properties("TRIGGER"):
                yield from _check_trigger(written)


def check_timestamps(file: ParsedFile, now: datetime | None) -> Iterator[Finding]:
    """Yield findings about timestamps. Timestamps in the future are reported only if `now` is given."""
    for component in file.components:
        for written in component.list_properties(*_TIMESTAMP_PROPERTIES):
            moment = parse_time_value(written.value, written.tzid)
            if moment is None or moment.kind is not TimeKind.UTC:
                yield finding("stamp-not-utc", written.line, f"{written.label}, which is not a time in UTC")
            elif now and moment.local.replace(tzinfo=UTC) > now + _CLOCK_TOLERANCE:
                yield finding("stamp-in-future", written.line, f"{written.label}, which is in the future")


def parse_times(prop: Property) -> list[TimeValue | None]:
    """Return the parsed values of a property. Invalid values are returned as None, and periods as their start times."""
    values = prop.value.split(",") if prop.name in _LIST_PROPERTIES else [prop.value]
    if prop.value_type == "PERIOD":
        values = [value.partition("/")[0] for value in values]
    return [parse_time_value(value, prop.tzid) for value in values]


def _check_time_values(prop: Property) -> Iterator[Finding]:
    found = parse_times(prop)
    kinds = {moment.kind for moment in found if moment}
    if None in found:
        yield finding("bad-time", prop.line, f"{prop.label}, which is neither a date nor a time")
    elif (kinds == {TimeKind.DATE}) is not (prop.value_type == "DATE"):
        kind = prop.value_type or "DATE-TIME"
        yield finding("value-date", prop.line, f"{prop.label}, which does not match VALUE={kind}")
    elif prop.tzid and kinds & {TimeKind.DATE, TimeKind.UTC}:
        yield finding("tzid-not-allowed", prop.line, f"{prop.label}, which must not have a TZID")
    elif TimeKind.FLOATING in kinds:
        yield finding("floating-time", prop.line, f"{prop.label}, without a time zone")


def _parse_first_time(prop: Property | None) -> TimeValue | None:
    return parse_times(prop)[0] if prop else None


def _check_start_and_end(entry: Component) -> Iterator[Finding]:
    starts, duration = _parse_first_time(entry.find_property("DTSTART")), entry.find_property("DURATION")
    written = entry.find_property("DUE" if entry.name == "VTODO" else "DTEND")
    ends = _parse_first_time(written)
    if duration:
        yield from _check_duration(duration, starts)
    if written and ends and duration:
        line = max(duration.line, written.line)
        yield finding("end-and-duration", line, f"the entry has both {written.name} and DURATION")
    if written and starts and ends:
        yield from _check_end(written, starts, ends)


def _check_end(prop: Property, starts: TimeValue, ends: TimeValue) -> Iterator[Finding]:
    for kind in (TimeKind.DATE, TimeKind.FLOATING):
        if (starts.kind is kind) is not (ends.kind is kind):
            yield finding("end-kind", prop.line, f"{prop.name} is {ends.kind}, but DTSTART is {starts.kind}")
            return
    since, until = (starts.local, ends.local) if starts.tzid == ends.tzid else (starts.utc, ends.utc)
    if since is not None and until is not None and until <= since:
        yield finding("end-order", prop.line, f"{prop.label}, which is not after DTSTART")


def _check_duration(prop: Property, starts: TimeValue | None) -> Iterator[Finding]:
    duration = parse_duration(prop.value)
    if duration is None or duration < timedelta(0):
        yield finding("duration", prop.line, prop.label)
    elif starts and starts.kind is TimeKind.DATE and "T" in prop.value:
        yield finding("duration", prop.line, f"{prop.label}, but DTSTART is a date")


def _check_trigger(prop: Property) -> Iterator[Finding]:
    if prop.value_type == "DATE-TIME":
        moment = parse_time_value(prop.value, prop.tzid)
        if moment is None or moment.kind is not TimeKind.UTC:
            yield finding("trigger", prop.line, f"{prop.label}, which is not a time in UTC")
    elif parse_duration(prop.value) is None:
        yield finding("trigger", prop.line, f"{prop.label}, which is not a duration")


def _check_instance_kinds(entries: Sequence[Component]) -> Iterator[Finding]:
    """Check that EXDATE and RECURRENCE-ID have the value type (DATE or DATE-TIME) of the DTSTART of the series."""
    begins = {id(entry): _parse_first_time(entry.find_property("DTSTART")) for entry in entries}
    series = {
        _series_key(entry): starts
        for entry in entries
        if not entry.find_property("RECURRENCE-ID") and (starts := begins[id(entry)])
    }
    for entry in entries:
        for written, starts in (
            *((written, begins[id(entry)]) for written in entry.list_properties("EXDATE")),
            *((written, series.get(_series_key(entry))) for written in entry.list_properties("RECURRENCE-ID")),
        ):
            kinds = {moment.kind for moment in parse_times(written) if moment}
            if starts and any((kind is TimeKind.DATE) is not (starts.kind is TimeKind.DATE) for kind in kinds):
                message = f"{written.label}, but the DTSTART of the series is {starts.kind}"
                yield finding("instance-kind", written.line, message)


def _series_key(entry: Component) -> tuple[int, str]:
    uid = entry.find_property("UID")
    return id(entry.parent), uid.value if uid else ""


_WEEKDAY = f"(?:{'|'.join(WEEKDAYS)})"


def _list_pattern(item: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{item}(?:,(?!$)|$))+", re.ASCII)


_RULE_PART_PATTERNS = {
    "FREQ": re.compile("SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY"),
    **dict.fromkeys(("INTERVAL", "COUNT"), re.compile(r"0*[1-9]\d{0,8}", re.ASCII)),
    "UNTIL": re.compile(r"\d{8}(?:T\d{6}Z?)?", re.ASCII),
    "BYSECOND": _list_pattern("(?:[0-5]?[0-9]|60)"),
    "BYMINUTE": _list_pattern("[0-5]?[0-9]"),
    "BYHOUR": _list_pattern("(?:[01]?[0-9]|2[0-3])"),
    "BYDAY": _list_pattern(f"(?:[+-]?(?:0?[1-9]|[1-4][0-9]|5[0-3]))?{_WEEKDAY}"),
    "BYMONTHDAY": _list_pattern("[+-]?(?:0?[1-9]|[12][0-9]|3[01])"),
    "BYYEARDAY": _list_pattern("[+-]?(?:36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0?[1-9][0-9]|0{0,2}[1-9])"),
    "BYWEEKNO": _list_pattern("[+-]?(?:0?[1-9]|[1-4][0-9]|5[0-3])"),
    "BYMONTH": _list_pattern("(?:0?[1-9]|1[0-2])L?"),
    "BYSETPOS": _list_pattern("[+-]?(?:36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0?[1-9][0-9]|0{0,2}[1-9])"),
    "WKST": re.compile(_WEEKDAY),
    # RFC 7529
    "RSCALE": re.compile(r"[A-Z0-9-]+"),
    "SKIP": re.compile("OMIT|BACKWARD|FORWARD"),
}
# The frequencies with which each rule part is not allowed (see the table in RFC 5545, section 3.3.10).
_FORBIDDEN_FREQUENCIES = {
    "BYWEEKNO": {"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"},
    "BYYEARDAY": {"DAILY", "WEEKLY", "MONTHLY"},
    "BYMONTHDAY": {"WEEKLY"},
}


def check_recurrence(file: ParsedFile) -> Iterator[Finding]:
    for component in file.components:
        rules = component.list_properties("RRULE")
        for written in rules[1:]:
            yield finding("rrule-twice", written.line, "the component has more than one RRULE")
        for written in rules:
            if error := _find_rule_error(written.value):
                yield finding("rrule", written.line, f"{written.label}: {error}")
            else:
                yield from _check_until(written, component)


def _find_rule_error(value: str) -> str | None:
    named = split_rule(value)
    parts = dict(named)
    if len(named) > len(parts):
        return "a part is repeated"
    for name, text in parts.items():
        if name not in _RULE_PART_PATTERNS and not name.startswith("X-"):
            return f"{quote_excerpt(name)} is not a rule part"
        if name in _RULE_PART_PATTERNS and not _RULE_PART_PATTERNS[name].fullmatch(text):
            return f"{name} cannot be {quote_excerpt(text)}"
    if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts if name != "BYSETPOS"):
        return "BYSETPOS requires another part such as BYDAY"
    return _find_frequency_conflict(parts, parts["FREQ"]) if "FREQ" in parts else "FREQ is missing"


def _find_frequency_conflict(parts: dict[str, str], frequency: str) -> str | None:
    for name, frequencies in _FORBIDDEN_FREQUENCIES.items():
        if name in parts and frequency in frequencies:
            return f"{name} cannot be combined with FREQ={frequency}"
    numbered = any(sign.isdigit() for sign in parts.get("BYDAY", ""))
    if numbered and (frequency not in {"MONTHLY", "YEARLY"} or "BYWEEKNO" in parts):
        return f"numbered days cannot be combined with FREQ={frequency}"
    return None


def _check_until(prop: Property, component: Component) -> Iterator[Finding]:
    parts = parse_rule(prop.value)
    if "UNTIL" not in parts:
        return
    if "COUNT" in parts:
        yield finding("rrule-until-and-count", prop.line, "RRULE has both UNTIL and COUNT")
    until = parse_time_value(parts["UNTIL"])
    wanted = _expected_until_kind(component)
    if until is None:
        message = f"UNTIL is {quote_excerpt(parts['UNTIL'])}, which does not exist in the calendar"
        yield finding("rrule", prop.line, message)
    elif wanted and until.kind is not wanted:
        yield finding("rrule-until", prop.line, f"UNTIL is {until.kind}, not {wanted}")
    elif (since := _start_on_until_clock(component)) and until.local < since:
        yield finding("rrule-until-early", prop.line, f"UNTIL is {quote_excerpt(parts['UNTIL'])}, before DTSTART")


def _expected_until_kind(component: Component) -> TimeKind | None:
    if component.name in {"STANDARD", "DAYLIGHT"}:
        return TimeKind.UTC
    starts = component.find_property("DTSTART")
    moment = parse_time_value(starts.value, starts.tzid) if starts else None
    if moment is None:
        return None
    return TimeKind.UTC if moment.kind is TimeKind.ZONED else moment.kind


def _start_on_until_clock(component: Component) -> datetime | None:
    """Return DTSTART in UTC, or a date or floating time unchanged; None if the UTC offset is unknown."""
    starts = _parse_first_time(component.find_property("DTSTART"))
    if component.name not in {"STANDARD", "DAYLIGHT"}:
        return starts.utc if starts else None
    before = component.find_property("TZOFFSETFROM")
    offset = parse_utc_offset(before.value) if before else None
    try:
        return None if starts is None or offset is None else starts.local - timedelta(seconds=offset)
    except OverflowError:
        return None
