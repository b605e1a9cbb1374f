"""Merging and validation of overrides for single occurrences of a recurring event.

Overrides follow the `recurrenceOverrides` property of JSCalendar (RFC 8984, section 4.3.5). An occurrence is identified
by its start according to the rule. An override contains either `excluded` or the fields that differ from the event.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from itertools import islice
from typing import Any

from eventcal.events.fields import OverrideFields
from eventcal.events.recurrence.expansion import RuleExpansion, expand_rule
from eventcal.events.recurrence.occurrences import LAST_DAY, RecurringEvent, build_occurrence_slot
from eventcal.kit.errors import FieldError, Message, json_pointer
from eventcal.kit.localtime import format_local, local_to_utc_strict, parse_local

MAX_OVERRIDES = 200
TOO_MANY_OVERRIDES_ERROR = Message("must have at most %(most)s occurrences", most=MAX_OVERRIDES)
EXCLUDED_MUST_BE_TRUE = Message("must be true, or null to remove it")
_POINTER = "/recurrence_overrides"
_TIME_FIELDS = ("starts", "ends")

_ALL_EXCLUDED = Message("must not exclude every occurrence of the rule; keep at least one, or cancel the event")
_MUST_BE_TIME = Message("must be a date-time, like the event's `starts`")
_MUST_BE_DATE = Message("must be a date, like the event's `starts`")

Override = Mapping[str, Any]
Overrides = Mapping[str, Override]


def merge_overrides(old: Overrides, changes: Mapping[str, OverrideFields | None] | None) -> dict[str, dict[str, Any]]:
    """Merge the changes into the old overrides (RFC 7396), and return all overrides in chronological order."""
    if changes is None:
        return {}
    whole = {occurrence: dict(override) for occurrence, override in old.items()}
    for occurrence, change in changes.items():
        if change is None:
            whole.pop(occurrence, None)
        else:
            both = {**whole.get(occurrence, {}), **change}
            # Enum members are stored as plain strings.
            plain = {name: str(value) if isinstance(value, str) else value for name, value in both.items()}
            # Empty overrides are preserved so that their errors can be reported (see `drop_empty_overrides`).
            whole[occurrence] = {name: plain[name] for name in sorted(plain) if plain[name] is not None}
    return {occurrence: whole[occurrence] for occurrence in sorted(whole)}


def drop_empty_overrides(overrides: Overrides) -> dict[str, dict[str, Any]]:
    return {occurrence: dict(override) for occurrence, override in overrides.items() if override}


def override_errors(event: RecurringEvent, overrides: Overrides, *, changed: Collection[str]) -> list[FieldError]:
    """Return all field errors in the overrides. `changed` contains the occurrence IDs of the changed overrides."""
    if not overrides:
        return []
    if len(overrides) > MAX_OVERRIDES:
        counts = {"most": MAX_OVERRIDES, "number": len(overrides)}
        return [FieldError(_POINTER, Message("must have at most %(most)s occurrences; there are %(number)s", **counts))]
    dates = expand_rule(event.recurrence, event.starts, event.timezone) if event.recurrence else None
    if dates is None:
        missing = Message("requires a recurrence; set `recurrence`, or set this field to null")
        return [FieldError(_POINTER, missing)]
    excluded = {occurrence for occurrence, override in overrides.items() if override.get("excluded")}
    if excluded and all(
        occurrence in excluded for occurrence in islice(_iter_occurrence_ids(dates), len(excluded) + 1)
    ):
        return [FieldError(_POINTER, _ALL_EXCLUDED)]
    next_dates = dates.next_dates(date.fromisoformat(occurrence[:10]) for occurrence in overrides)
    return [
        FieldError(f"{_POINTER}{json_pointer([occurrence])}{error.pointer}", error.detail)
        for occurrence, override in overrides.items()
        for error in (
            *_id_errors(event, next_dates, occurrence, is_new=occurrence in changed),
            *_override_field_errors(event, occurrence, override),
        )
    ]


def _iter_occurrence_ids(dates: RuleExpansion) -> Iterator[str]:
    is_timed = "T" in dates.starts
    return (format_local(local if is_timed else local.date()) for local in dates.iter_from(dates.start.date()))


def occurrence_id_error(occurrence: str) -> str | None:
    """Return the error message for a malformed occurrence ID, or None if the format is valid."""
    with suppress(ValueError):
        if format_local(parse_local(occurrence)) == occurrence:
            return None
    return Message(
        "must be the original start of an occurrence: a date (2014-08-18) or local date-time (2014-06-04T13:30:00)"
    )


def _id_errors(
    event: RecurringEvent, next_dates: Mapping[date, datetime | None], occurrence: str, *, is_new: bool
) -> Iterator[FieldError]:
    found = next_dates[date.fromisoformat(occurrence[:10])]
    if "T" in occurrence and "T" not in event.starts:
        yield FieldError("", _MUST_BE_DATE)
    elif "T" in event.starts and "T" not in occurrence:
        yield FieldError("", Message("must be a date and a time, like the event's `starts`"))
    elif found != datetime.fromisoformat(occurrence):
        ahead = format_local(found if "T" in occurrence else found.date()) if found else None
        yield FieldError("", _no_occurrence_message(ahead, is_new=is_new))


def _no_occurrence_message(next_date: str | None, *, is_new: bool) -> Message:
    if is_new and next_date is None:
        return Message("is not an occurrence of the rule, which has none from that day on")
    if is_new:
        return Message("is not an occurrence of the rule; the next occurrence is %(ahead)s", ahead=next_date)
    if next_date is None:
        return Message("is no longer an occurrence of the rule, which has none from that day on")
    return Message("is no longer an occurrence of the rule; the next occurrence is %(ahead)s", ahead=next_date)


def _override_field_errors(event: RecurringEvent, occurrence: str, override: Override) -> Iterator[FieldError]:
    if override.get("excluded") and len(override) > 1:
        others = ", ".join(name for name in override if name != "excluded")
        mixed = Message("cannot be combined with %(others)s; set this field or the others to null", others=others)
        yield FieldError("/excluded", mixed)
    errors = [error for name in _TIME_FIELDS if name in override for error in _time_errors(event, name, override[name])]
    yield from errors
    if not errors and ("T" in occurrence) is ("T" in event.starts):
        yield from _override_order_errors(event, occurrence, override)


def _time_errors(event: RecurringEvent, name: str, value: str) -> Iterator[FieldError]:
    if ("T" in value) is not ("T" in event.starts):
        yield FieldError(f"/{name}", _MUST_BE_TIME if "T" in event.starts else _MUST_BE_DATE)
        return
    try:
        local = parse_local(value)
        if isinstance(local, datetime):
            local_to_utc_strict(local, event.timezone)
    except ValueError as error:
        yield FieldError(f"/{name}", str(error))


def _override_order_errors(event: RecurringEvent, occurrence: str, override: Override) -> Iterator[FieldError]:
    if override.keys().isdisjoint(_TIME_FIELDS):
        return
    starts = override.get("starts", occurrence)
    usual = build_occurrence_slot(event, occurrence, {"starts": starts})
    ends = parse_local(override["ends"]) if "ends" in override else None
    if ends is None:
        if usual.ends[:10] > LAST_DAY:
            late = Message(
                "makes the occurrence end after %(last_day)s; choose an earlier start or set `ends`", last_day=LAST_DAY
            )
            yield FieldError("/starts", late)
    elif isinstance(ends, datetime):
        if local_to_utc_strict(ends, event.timezone) <= usual.starts_at:
            yield FieldError("/ends", Message("must be later than the start, %(starts)s", starts=usual.starts))
    elif override["ends"] < starts:
        early = Message("must not be before the start, %(starts)s; the last day is included", starts=starts)
        yield FieldError("/ends", early)
