"""Rules about RRULE (RFC 5545, 3.3.10)."""

import re
from collections.abc import Iterator

from eventcal.kit.rrule import WEEKDAYS, parse_rule, split_rule
from eventcal.lint.findings import Finding, error, quoted, warning
from eventcal.lint.moments import Kind, read_moment
from eventcal.lint.reading import Component, Property, Reading

RULE = error(
    "rrule",
    "RFC 5545, 3.3.10",
    "A recurrence rule has a part that there is not, one twice, one out of range, or no FREQ.",
)
UNTIL = error(
    "rrule-until",
    "RFC 5545, 3.3.10",
    "UNTIL is of another kind than it has to be: a date where DTSTART is one, local where DTSTART floats, "
    "and otherwise (in a VTIMEZONE always) a time in UTC.",
)
UNTIL_AND_COUNT = error("rrule-until-and-count", "RFC 5545, 3.3.10", "A recurrence rule has both UNTIL and COUNT.")
SEVERAL = warning(
    "rrule-twice",
    "RFC 5545, 3.8.5.3",
    "A component has more than one RRULE, whose meaning is not defined; programs follow one of them.",
)

RULES = (RULE, UNTIL, UNTIL_AND_COUNT, SEVERAL)

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
# Parts that go with some frequencies only, as the table in 3.3.10 has it.
_NOT_WITH = {
    "BYWEEKNO": {"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"},
    "BYYEARDAY": {"DAILY", "WEEKLY", "MONTHLY"},
    "BYMONTHDAY": {"WEEKLY"},
}
_WITH_NUMBERED_DAYS = {"MONTHLY", "YEARLY"}


def check_recurrence(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with recurrence rules, those of time zones too."""
    for component in reading.components:
        rules = component.all("RRULE")
        for written in rules[1:]:
            yield SEVERAL.at(written.line, "the component has another RRULE already")
        for written in rules:
            fault = _fault(written.value)
            if fault:
                yield RULE.at(written.line, f"RRULE is {quoted(written.value)}: {fault}")
            else:
                yield from _check_until(written, component)


def _fault(value: str) -> str | None:
    named = split_rule(value)
    parts = dict(named)
    if len(named) > len(parts):
        return "a part is there twice"
    for name, text in parts.items():
        known = name in _PARTS
        if not known and not name.startswith("X-"):
            return f"there is no part {quoted(name)}"
        if known and not _PARTS[name].fullmatch(text):
            return f"{name} cannot be {quoted(text)}"
    frequency = parts.get("FREQ")
    if frequency is None:
        return "it has no FREQ"
    return _misfit(parts, frequency)


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
        yield UNTIL_AND_COUNT.at(written.line, "RRULE has both UNTIL and COUNT")
    until = read_moment(parts["UNTIL"], Property(written.line, "UNTIL", {}, parts["UNTIL"]))
    wanted = _until_kind(component)
    if until is None:
        yield RULE.at(written.line, f"UNTIL is {quoted(parts['UNTIL'])}, which no calendar has")
    elif wanted and until.kind is not wanted:
        yield UNTIL.at(written.line, f"UNTIL is {until.kind}, not {wanted}")


def _until_kind(component: Component) -> Kind | None:
    if component.name in {"STANDARD", "DAYLIGHT"}:
        return Kind.UTC
    starts = component.first("DTSTART")
    moment = read_moment(starts.value, starts) if starts else None
    if moment is None:
        return None
    return Kind.UTC if moment.kind is Kind.ZONED else moment.kind
