"""Overrides of single occurrences of a recurring event: applying changes, and validation.

They follow JSCalendar's recurrenceOverrides (RFC 8984, 4.3.5). An occurrence, identified by its start in the rule, has
either `excluded` or the fields that differ from the event.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from eventcal.events.recurrence.expansion import Expansion, expansion
from eventcal.events.recurrence.occurrences import LAST_DAY, Recurring, slot_of
from eventcal.kit.localtime import format_local, parse_local, to_instant
from eventcal.kit.refusals import FieldError, Message, pointer

MOST_OVERRIDES = 200
TOO_MANY_OVERRIDES = Message("must have at most %(most)s occurrences", most=MOST_OVERRIDES)
# The error for other values of `excluded`.
ONLY_TRUE = Message("must be true; null takes it back")
_WHERE = "/recurrence_overrides"
_TIMES = ("starts", "ends")

_AS_A_TIME = Message("must be a time, as the event's starts is")
_AS_A_DATE = Message("must be a date, as the event's starts is")

Override = Mapping[str, Any]
Overrides = Mapping[str, Override]


def merged(present: Overrides, given: Mapping[str, Mapping[str, Any] | None] | None) -> dict[str, dict[str, Any]]:
    """Return the overrides after a change (RFC 7396 at both levels, so null removes), in chronological order.

    Overrides that become empty are kept, so that their errors can be reported; see `normalise_override`.
    """
    if given is None:
        return {}
    whole = {occurrence: dict(override) for occurrence, override in present.items()}
    for occurrence, change in given.items():
        if change is None:
            whole.pop(occurrence, None)
        else:
            both = {**whole.get(occurrence, {}), **change}
            # Enumeration members are stored as plain strings.
            plain = {name: str(value) if isinstance(value, str) else value for name, value in both.items()}
            whole[occurrence] = {name: plain[name] for name in sorted(plain) if plain[name] is not None}
    return {occurrence: whole[occurrence] for occurrence in sorted(whole)}


def normalise_override(overrides: Overrides) -> dict[str, dict[str, Any]]:
    """Return the overrides without empty ones."""
    return {occurrence: dict(override) for occurrence, override in overrides.items() if override}


def override_faults(event: Recurring, overrides: Overrides, *, changed: Collection[str]) -> list[FieldError]:
    """Return all field errors in the overrides of an otherwise valid event.

    `changed` names the occurrences whose overrides are being changed. Errors in the others result from changes to the
    event, and their messages say so.
    """
    if not overrides:
        return []
    if len(overrides) > MOST_OVERRIDES:
        counts = {"most": MOST_OVERRIDES, "number": len(overrides)}
        return [FieldError(_WHERE, Message("must have at most %(most)s occurrences; these are %(number)s", **counts))]
    dates = expansion(event.recurrence, event.starts, event.timezone) if event.recurrence else None
    if dates is None:
        missing = Message("are the exceptions of a recurrence, and there is none; give one, or null for these")
        return [FieldError(_WHERE, missing)]
    return [
        FieldError(f"{_WHERE}{pointer([occurrence])}{fault.pointer}", fault.detail)
        for occurrence, override in overrides.items()
        for fault in (
            *_which_faults(event, dates, occurrence, is_new=occurrence in changed),
            *_what_faults(event, occurrence, override),
        )
    ]


def occurrence_fault(written: str) -> str | None:
    """Return the error if `written` cannot identify an occurrence of any rule, or None."""
    try:
        if format_local(parse_local(written)) == written:
            return None
    except ValueError:
        pass
    return Message(
        "must be a date or a local time to the second, as the rule has it: 2014-08-18 or 2014-06-04T13:30:00"
    )


def _which_faults(event: Recurring, dates: Expansion, occurrence: str, *, is_new: bool) -> Iterator[FieldError]:
    if "T" in occurrence and "T" not in event.starts:
        yield FieldError("", _AS_A_DATE)
    elif "T" in event.starts and "T" not in occurrence:
        yield FieldError("", Message("must be a date and a time, as the event's starts is"))
    elif not dates.has(datetime.fromisoformat(occurrence)):
        found = next(dates.since(date.fromisoformat(occurrence[:10])), None)
        ahead = format_local(found if "T" in occurrence else found.date()) if found else None
        yield FieldError("", _no_occurrence(ahead, is_new=is_new))


def _no_occurrence(ahead: str | None, *, is_new: bool) -> Message:
    if is_new and ahead is None:
        return Message("is no occurrence of the rule; from that day on, the rule has none")
    if is_new:
        return Message("is no occurrence of the rule; from that day on, the rule has %(ahead)s first", ahead=ahead)
    if ahead is None:
        return Message("is no longer an occurrence of the rule; from that day on, the rule has none")
    return Message(
        "is no longer an occurrence of the rule; from that day on, the rule has %(ahead)s first", ahead=ahead
    )


def _what_faults(event: Recurring, occurrence: str, override: Override) -> Iterator[FieldError]:
    if override.get("excluded") and len(override) > 1:
        others = ", ".join(name for name in override if name != "excluded")
        yield FieldError("/excluded", Message("goes with nothing else; null this, or %(others)s", others=others))
    faults = [fault for name in _TIMES if name in override for fault in _time_faults(event, name, override[name])]
    yield from faults
    if not faults and ("T" in occurrence) is ("T" in event.starts):
        yield from _order_faults(event, occurrence, override)


def _time_faults(event: Recurring, name: str, written: str) -> Iterator[FieldError]:
    if ("T" in written) is not ("T" in event.starts):
        yield FieldError(f"/{name}", _AS_A_TIME if "T" in event.starts else _AS_A_DATE)
        return
    try:
        local = parse_local(written)
        if isinstance(local, datetime):
            to_instant(local, event.timezone)
    except ValueError as error:
        yield FieldError(f"/{name}", str(error))


def _order_faults(event: Recurring, occurrence: str, override: Override) -> Iterator[FieldError]:
    if override.keys().isdisjoint(_TIMES):
        return
    starts = override.get("starts", occurrence)
    usual = slot_of(event, occurrence, {"starts": starts})
    ends = parse_local(override["ends"]) if "ends" in override else None
    if ends is None:
        if usual.ends[:10] > LAST_DAY:
            late = Message(
                "lets it end after %(last_day)s; let it start earlier, or say when it ends", last_day=LAST_DAY
            )
            yield FieldError("/starts", late)
    elif isinstance(ends, datetime):
        if to_instant(ends, event.timezone) <= usual.starts_at:
            yield FieldError("/ends", Message("must be later than %(starts)s, when it starts", starts=usual.starts))
    elif override["ends"] < starts:
        early = Message("must not be before %(starts)s, when it starts; the last day counts", starts=starts)
        yield FieldError("/ends", early)
