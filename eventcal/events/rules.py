"""Business rules for events: validation, acceptance of talks and derived columns. No rule accesses the database."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from eventcal.events.enums import ACTIVE_STATUSES, EventStatus, Programme
from eventcal.events.models import Event
from eventcal.events.recurrence.expansion import MAX_GAP_DAYS, expand_rule, rule_error
from eventcal.events.recurrence.occurrences import LAST_DAY, occurrence_day_range
from eventcal.kit.clock import truncate_to_second
from eventcal.kit.errors import FieldError, Message
from eventcal.kit.localtime import (
    day_end,
    day_start,
    format_local,
    is_known_zone,
    local_to_utc_strict,
    parse_call_time,
    parse_local,
)
from eventcal.kit.text import build_search_text

TOMBSTONE_PERIOD = timedelta(days=30)


def is_all_day(starts: str) -> bool:
    return "T" not in starts


def start_and_end_instants(starts: str, ends: str, tzid: str) -> tuple[datetime, datetime]:
    """Return the start and end of an event in UTC. A local time in a DST gap is moved to the end of the gap."""
    first, last = parse_local(starts), parse_local(ends)
    if isinstance(first, datetime) and isinstance(last, datetime):
        return to_instant_or_gap_end(first, tzid), to_instant_or_gap_end(last, tzid)
    return day_start(first, tzid), day_end(last, tzid)


def to_instant_or_gap_end(local: datetime, tzid: str) -> datetime:
    """Return the UTC time of a local time, or of the end of the gap if newer time zone data skips the local time."""
    try:
        return local_to_utc_strict(local, tzid)
    except ValueError as skipped:
        return local_to_utc_strict(getattr(skipped, "next_valid", local + timedelta(hours=1)), tzid)


def event_errors(event: Mapping[str, Any]) -> list[FieldError]:
    """Return all field errors for an event. `event` maps field names to the values to be stored."""
    errors: list[FieldError] = []
    if (event.get("latitude") is None) is not (event.get("longitude") is None):
        errors.append(FieldError("/location", Message("latitude and longitude must be set together")))
    if (event.get("price_amount") is None) is not (event.get("price_currency") is None):
        incomplete = Message("must have both an amount and a currency, or be null")
        errors.append(FieldError("/registration/price", incomplete))
    tzid = event["timezone"]
    if not is_known_zone(tzid):
        unknown = Message("%(zone)s is not an IANA time zone; use a name such as Europe/London or UTC", zone=repr(tzid))
        return [*errors, FieldError("/timezone", unknown)]
    errors += start_end_errors(event["starts"], event["ends"], tzid)
    if event.get("recurrence") and not errors:
        misfit = _recurrence_error(event["recurrence"], event["starts"], tzid)
        errors += [FieldError("/recurrence", misfit)] if misfit else []
    if event.get("call_for_talks"):
        errors += _call_for_talks_errors(event["call_for_talks"], tzid)
    return errors


def _recurrence_error(rule: str, starts: str, tzid: str) -> Message | None:
    dates = expand_rule(rule, starts, tzid)
    if dates is None:
        return rule_error(rule, starts)
    # Section 3.8.5.3 of RFC 5545 does not define the recurrence set if the start is not a date of the rule.
    first = next(dates.iter_from(dates.start.date()), None)
    if first is not None and first != dates.start:
        return _different_start_message(first, starts)
    if dates.is_too_sparse:
        return Message(
            "has too few occurrences: none was found within %(days)s days; change the rule, or create an event for "
            "each occurrence",
            days=MAX_GAP_DAYS,
        )
    if first is not None:
        return None
    if dates.has_end:
        return Message("has no occurrence before it ends; choose a later end")
    return Message("has no occurrences; change the rule")


def _different_start_message(first: datetime, starts: str) -> Message:
    return Message(
        "has its first occurrence on %(first)s, but the event starts on %(starts)s; both must be the same",
        first=format_local(first if "T" in starts else first.date()),
        starts=starts,
    )


def start_end_errors(starts: str | None, ends: str | None, tzid: str) -> list[FieldError]:
    """Return errors for a start and end: invalid formats, mixed dates and times, skipped times or a wrong order."""
    errors: list[FieldError] = []
    read: dict[str, date | datetime] = {}
    for name, written in (("starts", starts), ("ends", ends)):
        if written is None:
            continue
        try:
            local = parse_local(written)
            if isinstance(local, datetime):
                local_to_utc_strict(local, tzid)
            read[name] = local
        except ValueError as error:
            errors.append(FieldError(f"/{name}", str(error)))
    if not errors and starts is not None and ends is not None:
        errors += _start_end_order_errors(read["starts"], read["ends"], tzid)
    return errors


def _start_end_order_errors(starts: date | datetime, ends: date | datetime, tzid: str) -> Iterator[FieldError]:
    if isinstance(starts, datetime) and isinstance(ends, datetime):
        if local_to_utc_strict(ends, tzid) <= local_to_utc_strict(starts, tzid):
            yield FieldError("/ends", Message("must be later than `starts`"))
    elif isinstance(starts, datetime):
        yield FieldError("/ends", Message("must be a date-time, like `starts`"))
    elif isinstance(ends, datetime):
        yield FieldError("/ends", Message("must be a date, like `starts`"))
    elif ends < starts:
        yield FieldError("/ends", Message("must not be before `starts`; the last day is included"))


def _call_for_talks_errors(call: Mapping[str, Any], tzid: str) -> Iterator[FieldError]:
    moments: dict[str, datetime | None] = {}
    for name in ("opens_at", "closes_at"):
        try:
            moments[name] = call_field_instant(call, name, tzid)
        except ValueError as error:
            yield FieldError(f"/call_for_talks/{name}", str(error))
    if call.get("anywhere_on_earth") and "T" in (call.get("closes_at") or "T"):
        yield FieldError("/call_for_talks/anywhere_on_earth", Message("requires `closes_at` to be a date"))
    opens_at, closes_at = moments.get("opens_at"), moments.get("closes_at")
    if opens_at is not None and closes_at is not None and closes_at <= opens_at:
        yield FieldError("/call_for_talks/closes_at", Message("must be later than `opens_at`"))


def call_field_instant(call: Mapping[str, Any], name: str, tzid: str) -> datetime | None:
    """Return the UTC time of `opens_at` or `closes_at` in a call for talks, or None if the field is not set."""
    if call.get(name) is None:
        return None
    # If anywhere_on_earth is set, a date without a time means the end of that day at UTC-12.
    on_earth = bool(call.get("anywhere_on_earth")) and "T" not in call[name]
    return parse_call_time(call[name], tzid, anywhere_on_earth=on_earth)


def is_accepting_talks(event: Event, *, now: datetime) -> bool:
    """Return whether an event accepts talks at `now`.

    Talks are accepted until the end of the second given by the closing time. A call for talks without a closing time
    closes when the event starts. Listed events without a call for talks accept talks until the event ends. Curated
    events without a call for talks accept no talks.
    """
    return event.status in ACTIVE_STATUSES and is_call_open(event, now=now)


def is_call_open(event: Event, *, now: datetime) -> bool:
    """Return whether an event accepts talks at `now` if its status permits it."""
    if is_over(event.last_ends_at, now=now):
        return False
    if event.call is None:
        return event.programme == Programme.LISTED
    if event.call.opens_at is not None and now < event.call.opens_at:
        return False
    if event.call.closes_at is None:
        return now < event.starts_at
    return truncate_to_second(now) <= event.call.closes_at


def is_over(last_ends_at: datetime | None, *, now: datetime) -> bool:
    """Return whether an event has ended at `now`. An event without `last_ends_at` never ends."""
    return last_ends_at is not None and now >= last_ends_at


def tombstone_until(ends_at: datetime, *, now: datetime) -> datetime:
    """Return the removal time of an entry cancelled at `now`: 30 days after the later of `now` and `ends_at`."""
    return max(ends_at, now) + TOMBSTONE_PERIOD


# The statuses that an organiser is allowed to set with a PATCH request, by current status.
ALLOWED_STATUS_EDITS: Mapping[EventStatus, frozenset[EventStatus]] = {
    EventStatus.DRAFT: frozenset({EventStatus.PENDING}),
    EventStatus.PENDING: frozenset({EventStatus.DRAFT}),
    EventStatus.TENTATIVE: frozenset({EventStatus.CONFIRMED, EventStatus.POSTPONED}),
    EventStatus.CONFIRMED: frozenset({EventStatus.TENTATIVE, EventStatus.POSTPONED}),
    EventStatus.POSTPONED: frozenset({EventStatus.TENTATIVE, EventStatus.CONFIRMED}),
    EventStatus.CANCELLED: frozenset(),
}


def recompute_event_columns(event: Event, *, now: datetime) -> None:
    """Set the derived columns of an event. The tags and the call for talks must be loaded."""
    event.starts_at, event.ends_at = start_and_end_instants(event.starts, event.ends, event.timezone)
    if event.recurrence:
        event.first_day, event.last_day = occurrence_day_range(event)
        endless = event.last_day == LAST_DAY
        event.last_ends_at = None if endless else day_end(date.fromisoformat(event.last_day), event.timezone)
    else:
        event.first_day, event.last_day, event.last_ends_at = event.starts[:10], event.ends[:10], event.ends_at
    own = (event.title, event.summary, event.description, event.city, event.venue)
    overrides = (event.recurrence_overrides or {}).values()
    otherwise = (override.get(name) for override in overrides for name in ("title", "summary", "venue"))
    event.search = build_search_text(*own, *(tag.tag for tag in event.tags), *otherwise)
    if event.status != EventStatus.CANCELLED:
        event.tombstone_until = None
    elif event.tombstone_until is None:
        event.tombstone_until = tombstone_until(event.ends_at, now=now)
    call = event.call
    if call is not None:
        written = {"opens_at": call.opens, "closes_at": call.closes, "anywhere_on_earth": call.anywhere_on_earth}
        call.opens_at = call_field_instant(written, "opens_at", event.timezone)
        call.closes_at = call_field_instant(written, "closes_at", event.timezone)
