"""Checks of the times of entries (RFC 5545, 3.8.2), their timestamps (3.8.7) and RRULE (3.3.10)."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from eventcal.kit.rrule import WEEKDAYS, parse_rule, split_rule
from eventcal.lint.moments import Kind, Moment, read_duration, read_moment
from eventcal.lint.reading import Component, Property, Reading
from eventcal.lint.rules import Finding, finding, quoted

TIMES = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE")
_STAMPS = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED")
_LISTS = frozenset({"EXDATE", "RDATE"})
# Tolerates small differences between clocks.
_SLACK = timedelta(minutes=5)


def check_times(reading: Reading) -> Iterator[Finding]:
    """Yield findings about the times of entries."""
    for entry in reading.entries:
        for written in entry.all(*TIMES):
            yield from _check_values(written)
        yield from _check_span(entry)
    yield from _check_instances(reading.entries)


def check_stamps(reading: Reading, now: datetime | None) -> Iterator[Finding]:
    """Yield findings about timestamps. Those in the future are reported only if `now` is given."""
    for component in reading.components:
        for written in component.all(*_STAMPS):
            moment = read_moment(written.value, written.tzid)
            if moment is None or moment.kind is not Kind.UTC:
                yield finding("stamp-not-utc", written.line, f"{written.shown}, no time in UTC")
            elif now and moment.local.replace(tzinfo=UTC) - _SLACK > now:
                yield finding("stamp-in-future", written.line, f"{written.shown}, which has not come yet")


def moments(written: Property) -> list[Moment | None]:
    """Return the parsed values of a property, with None for each invalid one. A period is reduced to its start."""
    values = written.value.split(",") if written.name in _LISTS else [written.value]
    if written.kind == "PERIOD":
        values = [value.partition("/")[0] for value in values]
    return [read_moment(value, written.tzid) for value in values]


def _check_values(written: Property) -> Iterator[Finding]:
    found = moments(written)
    kinds = {moment.kind for moment in found if moment}
    if None in found:
        yield finding("bad-time", written.line, f"{written.shown}, no date and no time")
    elif (kinds == {Kind.DATE}) is not (written.kind == "DATE"):
        kind = written.kind or "DATE-TIME"
        yield finding("value-date", written.line, f"{written.shown}, which VALUE={kind} does not say")
    elif written.tzid and kinds & {Kind.DATE, Kind.UTC}:
        yield finding("tzid-not-allowed", written.line, f"{written.shown}, which goes with no TZID")
    elif Kind.FLOATING in kinds:
        yield finding("floating-time", written.line, f"{written.shown}, without a zone")


def _first_moment(written: Property | None) -> Moment | None:
    return moments(written)[0] if written else None


def _check_span(entry: Component) -> Iterator[Finding]:
    starts, duration = _first_moment(entry.first("DTSTART")), entry.first("DURATION")
    written = entry.first("DUE" if entry.name == "VTODO" else "DTEND")
    ends = _first_moment(written)
    if duration:
        yield from _check_duration(duration, starts)
    if written and ends and duration:
        line = max(duration.line, written.line)
        yield finding("end-and-duration", line, f"{written.name} and DURATION are both there")
    if written and starts and ends:
        yield from _check_end(written, starts, ends)


def _check_end(written: Property, starts: Moment, ends: Moment) -> Iterator[Finding]:
    for kind in (Kind.DATE, Kind.FLOATING):
        if (starts.kind is kind) is not (ends.kind is kind):
            yield finding("end-kind", written.line, f"{written.name} is {ends.kind}, DTSTART {starts.kind}")
            return
    since, until = (starts.local, ends.local) if starts.tzid == ends.tzid else (starts.instant, ends.instant)
    if since is not None and until is not None and until <= since:
        yield finding("end-order", written.line, f"{written.shown}, no later than DTSTART")


def _check_duration(written: Property, starts: Moment | None) -> Iterator[Finding]:
    duration = read_duration(written.value)
    if duration is None or duration < timedelta(0):
        yield finding("duration", written.line, written.shown)
    elif starts and starts.kind is Kind.DATE and "T" in written.value:
        yield finding("duration", written.line, f"{written.shown}, from a date on")


def _check_instances(entries: Sequence[Component]) -> Iterator[Finding]:
    """Check that EXDATE and RECURRENCE-ID are dates or times as the DTSTART of the series is."""
    begins = {id(entry): _first_moment(entry.first("DTSTART")) for entry in entries}
    series = {
        _series(entry): starts
        for entry in entries
        if not entry.first("RECURRENCE-ID") and (starts := begins[id(entry)])
    }
    for entry in entries:
        for written, starts in (
            *((written, begins[id(entry)]) for written in entry.all("EXDATE")),
            *((written, series.get(_series(entry))) for written in entry.all("RECURRENCE-ID")),
        ):
            kinds = {moment.kind for moment in moments(written) if moment}
            if starts and any((kind is Kind.DATE) is not (starts.kind is Kind.DATE) for kind in kinds):
                message = f"{written.shown}, and the series begins at {starts.kind}"
                yield finding("instance-kind", written.line, message)


def _series(entry: Component) -> tuple[int, str]:
    uid = entry.first("UID")
    return id(entry.parent), uid.value if uid else ""


_WEEKDAY = f"(?:{'|'.join(WEEKDAYS)})"
_MOST = r"(?:,(?!$)|$)"


def _listed(one: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{one}{_MOST})+", re.ASCII)


_PARTS = {
    "FREQ": re.compile("SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY"),
    "INTERVAL": re.compile(r"0*[1-9]\d{0,8}", re.ASCII),
    "COUNT": re.compile(r"0*[1-9]\d{0,8}", re.ASCII),
    "UNTIL": re.compile(r"\d{8}(?:T\d{6}Z?)?", re.ASCII),
    "BYSECOND": _listed("(?:[0-5]?[0-9]|60)"),
    "BYMINUTE": _listed("[0-5]?[0-9]"),
    "BYHOUR": _listed("(?:[01]?[0-9]|2[0-3])"),
    "BYDAY": _listed(f"(?:[+-]?(?:0?[1-9]|[1-4][0-9]|5[0-3]))?{_WEEKDAY}"),
    "BYMONTHDAY": _listed("[+-]?(?:0?[1-9]|[12][0-9]|3[01])"),
    "BYYEARDAY": _listed("[+-]?(?:36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0?[1-9][0-9]|0{0,2}[1-9])"),
    "BYWEEKNO": _listed("[+-]?(?:0?[1-9]|[1-4][0-9]|5[0-3])"),
    "BYMONTH": _listed("(?:0?[1-9]|1[0-2])L?"),
    "BYSETPOS": _listed("[+-]?(?:36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0?[1-9][0-9]|0{0,2}[1-9])"),
    "WKST": re.compile(_WEEKDAY),
    # RFC 7529
    "RSCALE": re.compile(r"[A-Z0-9-]+"),
    "SKIP": re.compile("OMIT|BACKWARD|FORWARD"),
}
# The frequencies with which a part is not allowed (table in RFC 5545, 3.3.10).
_NOT_WITH = {
    "BYWEEKNO": {"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"},
    "BYYEARDAY": {"DAILY", "WEEKLY", "MONTHLY"},
    "BYMONTHDAY": {"WEEKLY"},
}
_WITH_NUMBERED_DAYS = {"MONTHLY", "YEARLY"}


def check_recurrence(reading: Reading) -> Iterator[Finding]:
    """Yield findings about recurrence rules, including those of time zones."""
    for component in reading.components:
        rules = component.all("RRULE")
        for written in rules[1:]:
            yield finding("rrule-twice", written.line, "the component has another RRULE already")
        for written in rules:
            fault = _fault(written.value)
            if fault:
                yield finding("rrule", written.line, f"{written.shown}: {fault}")
            else:
                yield from _check_until(written, component)


def _fault(value: str) -> str | None:
    named = split_rule(value)
    parts = dict(named)
    if len(named) > len(parts):
        return "a part is there twice"
    for name, text in parts.items():
        if name not in _PARTS and not name.startswith("X-"):
            return f"there is no part {quoted(name)}"
        if name in _PARTS and not _PARTS[name].fullmatch(text):
            return f"{name} cannot be {quoted(text)}"
    return _misfit(parts, parts["FREQ"]) if "FREQ" in parts else "it has no FREQ"


def _misfit(parts: dict[str, str], frequency: str) -> str | None:
    for name, frequencies in _NOT_WITH.items():
        if name in parts and frequency in frequencies:
            return f"{name} does not go with FREQ={frequency}"
    numbered = any(sign.isdigit() for sign in parts.get("BYDAY", ""))
    if numbered and (frequency not in _WITH_NUMBERED_DAYS or "BYWEEKNO" in parts):
        return f"numbered days do not go with FREQ={frequency}"
    return None


def _check_until(written: Property, component: Component) -> Iterator[Finding]:
    parts = parse_rule(written.value)
    if "UNTIL" not in parts:
        return
    if "COUNT" in parts:
        yield finding("rrule-until-and-count", written.line, "RRULE has both UNTIL and COUNT")
    until = read_moment(parts["UNTIL"])
    wanted = _until_kind(component)
    if until is None:
        yield finding("rrule", written.line, f"UNTIL is {quoted(parts['UNTIL'])}, which no calendar has")
    elif wanted and until.kind is not wanted:
        yield finding("rrule-until", written.line, f"UNTIL is {until.kind}, not {wanted}")


def _until_kind(component: Component) -> Kind | None:
    if component.name in {"STANDARD", "DAYLIGHT"}:
        return Kind.UTC
    starts = component.first("DTSTART")
    moment = read_moment(starts.value, starts.tzid) if starts else None
    if moment is None:
        return None
    return Kind.UTC if moment.kind is Kind.ZONED else moment.kind
