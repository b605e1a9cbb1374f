"""Recurrence rules as events take them: RFC 5545, 3.3.10, once a day at the most often.

dateutil reads more than the RFC has (EXDATE on further lines, Easter, month 13 as never), and what it reads ends in
feeds. So each part is held against its own form first, and against the others.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from eventcal.kit.localtime import FIRST_YEAR, LAST_YEAR
from eventcal.kit.refusals import Sentence
from eventcal.kit.rrule import WEEKDAYS, parse_until, split_rule, split_weekday

_DAY = f"({'|'.join(WEEKDAYS)})"
_NUMBERED = f"([+-]?([1-9]|[1-4][0-9]|5[0-3]))?{_DAY}"
_FORMS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,3}",
    "COUNT": "[1-9][0-9]{0,3}",
    "WKST": _DAY,
    "BYDAY": f"{_NUMBERED}(,{_NUMBERED})*",
}
# The parts that are lists of numbers, and how far from zero these may be.
_NUMBERS = {"BYMONTH": (1, 12), "BYMONTHDAY": (-31, 31), "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53)}
_NUMBERS["BYSETPOS"] = (-366, 366)
# What goes with some frequencies only, as the table in 3.3.10 has it.
_ONLY_WITH = {
    "BYMONTHDAY": {"DAILY", "MONTHLY", "YEARLY"},
    "BYYEARDAY": {"YEARLY"},
    "BYWEEKNO": {"YEARLY"},
}
_MOST_OF_A_WEEKDAY = 5

_USUAL = Sentence("must be an RRULE such as FREQ=MONTHLY;BYDAY=1TU, daily at the most often")


def recurrence_faults(rule: str, starts: str) -> Iterator[str]:
    """Yield what is wrong with a rule for an event that starts when `starts` says (a local date or time)."""
    named = split_rule(rule)
    parts = dict(named)
    if len(parts) != len(named) or "FREQ" not in parts:
        yield _USUAL
        return
    wrong = [name for name, value in named if not _is_well_formed(name, value)]
    misfit = None if wrong else _misfit(parts)
    if wrong:
        yield _misshapen(wrong)
    elif misfit:
        yield misfit
    elif {"COUNT", "UNTIL"} <= parts.keys():
        yield Sentence("ends by COUNT or by UNTIL, not by both")
    elif "UNTIL" in parts and parts["UNTIL"][:8] < starts[:10].replace("-", ""):
        yield Sentence("UNTIL lies before starts")


def _misshapen(parts: Sequence[str]) -> Sentence:
    """Return what is said of parts that are not as they must be; one that is empty has no name."""
    if not all(parts):
        return Sentence("cannot be taken for its empty part; it %(usual)s", usual=_USUAL)
    return Sentence("cannot be taken for its %(parts)s; it %(usual)s", parts=", ".join(parts), usual=_USUAL)


def _is_well_formed(name: str, value: str) -> bool:
    if name in _FORMS:
        return re.fullmatch(_FORMS[name], value) is not None
    if name == "UNTIL":
        return _is_until(value)
    if name not in _NUMBERS:
        return False
    least, most = _NUMBERS[name]
    numbers = value.split(",")
    # Only a list that also counts from the end has signs.
    form = "[+-]?[0-9]{1,3}" if least < 0 else "[0-9]{1,2}"
    return all(re.fullmatch(form, one) and least <= int(one) <= most and int(one) != 0 for one in numbers)


def _is_until(value: str) -> bool:
    try:
        return FIRST_YEAR <= parse_until(value).day.year <= LAST_YEAR
    except ValueError:
        return False


def _misfit(parts: Mapping[str, str]) -> str | None:
    """Return which parts do not go together, or None."""
    frequency = parts["FREQ"]
    for name, frequencies in _ONLY_WITH.items():
        if name in parts and frequency not in frequencies:
            return Sentence(
                "%(part)s does not go with FREQ=%(frequency)s (RFC 5545, 3.3.10)", part=name, frequency=frequency
            )
    if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts.keys() - {"BYSETPOS"}):
        return Sentence("BYSETPOS chooses among the days of another BY part; there is none (RFC 5545, 3.3.10)")
    if "BYWEEKNO" in parts and parts.keys().isdisjoint(("BYDAY", "BYMONTHDAY", "BYYEARDAY")):
        return Sentence(
            "BYWEEKNO needs a BYDAY beside it: programs disagree on the days of those weeks (RFC 5545, 3.3.10)"
        )
    return _misfit_of_days(parts)


def _misfit_of_days(parts: Mapping[str, str]) -> str | None:
    numbers = [number for number, _ in map(split_weekday, parts.get("BYDAY", "").split(",")) if number]
    if not numbers:
        return None
    if parts["FREQ"] not in {"MONTHLY", "YEARLY"} or "BYWEEKNO" in parts:
        return Sentence(
            "BYDAY has numbers, such as 1TU, only with FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO (RFC 5545, 3.3.10)"
        )
    in_months = parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts
    if in_months and max(map(abs, numbers)) > _MOST_OF_A_WEEKDAY:
        return Sentence(
            "no month has more than %(most)s of a weekday, as BYDAY asks for (RFC 5545, 3.3.10)",
            most=_MOST_OF_A_WEEKDAY,
        )
    return None
