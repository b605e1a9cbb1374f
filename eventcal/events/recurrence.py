"""Recurrence rules as events take them: RFC 5545, 3.3.10, once a day at the most often.

dateutil reads more than the RFC has (EXDATE on further lines, Easter, month 13 as never), and what it reads ends in
feeds. So each part is held against its own form first.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from dateutil.rrule import rrulestr

_DAY = "(MO|TU|WE|TH|FR|SA|SU)"
_NUMBERED = f"([+-]?([1-9]|[1-4][0-9]|5[0-3]))?{_DAY}"
_FORMS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,3}",
    "COUNT": "[1-9][0-9]{0,3}",
    "UNTIL": "[0-9]{8}(T[0-9]{6}Z?)?",
    "WKST": _DAY,
    "BYDAY": f"{_NUMBERED}(,{_NUMBERED})*",
}
# The parts that are lists of numbers, and how far from zero these may be.
_NUMBERS = {"BYMONTH": (1, 12), "BYMONTHDAY": (-31, 31), "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53)}
_NUMBERS["BYSETPOS"] = (-366, 366)

_USUAL = "must be an RRULE such as FREQ=MONTHLY;BYDAY=1TU, daily at the most often"


def recurrence_faults(rule: str, starts: str) -> Iterator[str]:
    """Yield what is wrong with a rule for an event that starts when `starts` says (a local date or time)."""
    named = [part.partition("=")[::2] for part in rule.upper().split(";")]
    parts = dict(named)
    if len(parts) != len(named) or "FREQ" not in parts:
        yield _USUAL
        return
    wrong = [name for name, value in named if not _is_well_formed(name, value)]
    if wrong:
        yield f"cannot be taken for its {', '.join(name or 'empty part' for name in wrong)}; it {_USUAL}"
    elif {"COUNT", "UNTIL"} <= parts.keys():
        yield "ends by COUNT or by UNTIL, not by both"
    elif "UNTIL" in parts and parts["UNTIL"][:8] < starts[:10].replace("-", ""):
        yield "UNTIL lies before starts"
    elif not _can_be_read(rule, starts):
        yield "cannot be read as an RFC 5545 recurrence rule"


def _is_well_formed(name: str, value: str) -> bool:
    if name in _FORMS:
        return re.fullmatch(_FORMS[name], value) is not None
    if name not in _NUMBERS:
        return False
    least, most = _NUMBERS[name]
    numbers = value.split(",")
    # Only a list that also counts from the end has signs.
    form = "[+-]?[0-9]{1,3}" if least < 0 else "[0-9]{1,2}"
    return all(re.fullmatch(form, one) and least <= int(one) <= most and int(one) != 0 for one in numbers)


def _can_be_read(rule: str, starts: str) -> bool:
    try:
        rrulestr(rule, dtstart=datetime.fromisoformat(starts), ignoretz=True)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False
    return True
