"""JSCalendar serializer (RFC 8984): a feed is a Group of Events.

It converts entries rather than iCalendar components, because the model differs: durations instead of ends,
occurrences as patches, time zones by name only. The output is deterministic.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, Part, Participant, Relation, Stamps
from eventcal.feeds.entries.sanitize import strip_controls, uri
from eventcal.feeds.formats.components import NUMBERS, degrees, rule_parts
from eventcal.feeds.formats.vevent import PRODID, rule_of
from eventcal.kit.localtime import UTC_NAMES, format_utc, local_to_utc, zone
from eventcal.kit.rrule import split_weekday

MEDIA_TYPE = "application/jscalendar+json;type=group; charset=utf-8"
SEPARATOR = b","

Json = dict[str, Any]

# A Group requires `updated` (RFC 8984, 4.1.6), even without entries.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# JSCalendar has no sibling relation, so the relation is left empty (RFC 8984, 1.4.10).
_RELATIONS = {Relation.PARENT: {"parent": True}, Relation.SIBLING: {}}
# There are no invitations. Speakers are expected to attend, sponsors are not (RFC 8984, 4.4.6).
_ROLES = {Part.SPEAKER: "attendee", Part.SPONSOR: "informational"}
# Properties that a patch must not change (RFC 8984, 4.3.5).
_UNPATCHED = frozenset({"@type", "prodId", "relatedTo", "uid"})

# Parts of a recurrence rule (RFC 8984, 4.3.3) with other names than in iCalendar.
_NAMES = {
    "freq": "frequency",
    "wkst": "firstDayOfWeek",
    "byday": "byDay",
    "bymonthday": "byMonthDay",
    "bymonth": "byMonth",
    "byyearday": "byYearDay",
    "byweekno": "byWeekNo",
    "bysetpos": "bySetPosition",
}


def piece(entry: CalendarEntry, stamps: Stamps) -> bytes:
    """Return the entry as an Event with all overridden occurrences (RFC 8984, 5.1), as JSON in UTF-8."""
    event = _event(entry, stamps)
    # The rule as in iCalendar, so that all formats agree.
    rule = rule_of(entry)
    if rule is not None:
        event["recurrenceRules"] = [_rule(rule, _zone_name(entry))]
    overrides: Json = {_local(entry, occurrence): {"excluded": True} for occurrence in entry.excluded}
    for one in entry.overrides:
        occurrence = _local(entry, one.occurrence)
        overrides[occurrence] = _patch({**event, "start": occurrence}, _event(one.entry, stamps))
    if overrides:
        event["recurrenceOverrides"] = overrides
    return orjson.dumps(event)


def around(head: FeedHead) -> tuple[bytes, bytes]:
    """Return the Group before and after the pieces of a feed (RFC 8984, 5.3), which are joined by SEPARATOR."""
    group: Json = {
        "@type": "Group",
        "uid": strip_controls(head.uid),
        "prodId": PRODID,
        "updated": format_utc(head.changed_at or _NEVER),
        "title": strip_controls(head.name),
        "description": strip_controls(head.description),
        "descriptionContentType": "text/plain",
        "links": _page(head.url),
    }
    if head.source is not None:
        group["source"] = uri(head.source)
    return orjson.dumps(group)[:-1] + b',"entries":[', b"]}"


def _event(entry: CalendarEntry, stamps: Stamps) -> Json:
    """Return the properties of an Event, without its recurrence."""
    event = {
        "@type": "Event",
        "uid": strip_controls(entry.uid),
        "prodId": PRODID,
        "created": format_utc(entry.created_at),
        "updated": format_utc(stamps.changed_at),
        "sequence": stamps.sequence,
        "title": strip_controls(entry.title),
        "description": strip_controls(entry.description),
        "descriptionContentType": "text/plain",
        **_times(entry),
        "status": entry.status.lower(),
        "freeBusyStatus": "free" if entry.transparent else "busy",
        "links": _page(entry.url),
    }
    maps = {
        "locations": _places(entry),
        "virtualLocations": _rooms(entry),
        "keywords": {strip_controls(category): True for category in entry.categories},
        "relatedTo": _related(entry),
        "participants": {f"{one.part.lower()}-{one.key}": _participant(one) for one in entry.participants},
    }
    event.update({name: found for name, found in maps.items() if found})
    return event


def _times(entry: CalendarEntry) -> Json:
    starts, ends = entry.starts, entry.ends
    start = _local(entry, starts)
    if isinstance(starts, datetime) and isinstance(ends, datetime):
        elapsed = _elapsed(starts, ends, entry.zone)
        return {"start": start, "timeZone": _zone_name(entry), "duration": _duration(elapsed)}
    return {"start": start, "duration": f"P{ends.toordinal() - starts.toordinal()}D", "showWithoutTime": True}


def _zone_name(entry: CalendarEntry) -> str | None:
    """Return the zone of an entry's start, or None for whole days, which have no zone."""
    if not isinstance(entry.starts, datetime):
        return None
    # An ambiguous local time means the first of the two (RFC 5545, 3.3.5), so the second is written in UTC.
    return "Etc/UTC" if entry.zone in UTC_NAMES or entry.starts.fold else entry.zone


def _local(entry: CalendarEntry, moment: date | datetime) -> str:
    """Return a start of an entry as LocalDateTime in the entry's zone (see `_zone_name`)."""
    if not isinstance(moment, datetime):
        return f"{moment.isoformat()}T00:00:00"
    if isinstance(entry.starts, datetime) and entry.starts.fold:
        moment = local_to_utc(moment, entry.zone).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds")


def _elapsed(starts: datetime, ends: datetime, tzid: str) -> timedelta:
    """Return the elapsed time, independent of changes of the UTC offset (RFC 8984, 1.4.6)."""
    elapsed = local_to_utc(ends, tzid) - local_to_utc(starts, tzid)
    # A recurring entry may start at a local time that is skipped on its first day, and so after its end.
    return elapsed if elapsed > timedelta() else max(ends - starts, timedelta())


def _duration(elapsed: timedelta) -> str:
    minutes, seconds = divmod(int(elapsed.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if seconds or not (hours or minutes):
        # The syntax requires minutes between hours and seconds.
        return f"PT{hours}H{minutes}M{seconds}S" if hours else f"PT{minutes}M{seconds}S" if minutes else f"PT{seconds}S"
    return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"


def _page(url: str) -> Json:
    """Return the link to the web page of an entry or participant (RFC 8984, 4.2.7)."""
    return {"page": {"@type": "Link", "href": uri(url), "contentType": "text/html", "rel": "describedby"}}


def _places(entry: CalendarEntry) -> Json:
    place: Json = {}
    if entry.location:
        place["name"] = strip_controls(entry.location)
    if entry.geo:
        place["coordinates"] = f"geo:{','.join([_degrees(number) for number in entry.geo])}"
    return {"place": {"@type": "Location", **place}} if place else {}


def _degrees(number: float) -> str:
    """Return a number in RFC 5870 notation, without an exponent."""
    return f"{degrees(number):.6f}".rstrip("0").rstrip(".")


def _rooms(entry: CalendarEntry) -> Json:
    if not entry.conference:
        return {}
    return {"online": {"@type": "VirtualLocation", "uri": uri(entry.conference), "features": {"video": True}}}


def _related(entry: CalendarEntry) -> Json:
    relations: dict[str, dict[str, bool]] = {}
    for relation, uid in entry.related:
        relations.setdefault(strip_controls(uid), {}).update(_RELATIONS[relation])
    return {uid: {"@type": "Relation", "relation": relation} for uid, relation in relations.items()}


def _participant(one: Participant) -> Json:
    """Return a participant. Its description names the role, because no JSCalendar role means speaker or sponsor."""
    found: Json = {
        "@type": "Participant",
        "name": strip_controls(one.name),
        "description": ", ".join([one.part.capitalize(), *([strip_controls(one.about)] if one.about else [])]),
        "roles": {_ROLES[one.part]: True},
    }
    if one.part == Part.SPEAKER:
        found["kind"] = "individual"
    if one.url:
        found["links"] = _page(one.url)
    return found


def _patch(inherited: Mapping[str, Any], event: Mapping[str, Any]) -> Json:
    """Return the differences of an occurrence as a PatchObject (RFC 8984, 1.4.9)."""
    patch = {name: value for name, value in event.items() if inherited.get(name) != value and name not in _UNPATCHED}
    gone = [name for name in inherited if name not in event and name not in _UNPATCHED and name != "recurrenceRules"]
    return {**patch, **dict.fromkeys(gone)}


def _rule(rule: str, zone_name: str | None) -> Json:
    """Return a recurrence rule; UNTIL is local to `zone_name`, the zone of the start, or a date if it is None."""
    parts = {_NAMES.get(name, name): _value(name, values, zone_name) for name, values in rule_parts(rule).items()}
    return {"@type": "RecurrenceRule", **parts}


def _value(name: str, values: Sequence[str], zone_name: str | None) -> Any:  # noqa: ANN401 - any JSON value
    if name in {"freq", "wkst"}:
        return values[0].lower()
    if name in {"interval", "count"}:
        return int(values[0])
    if name == "until":
        return _until(values[0], zone_name)
    if name == "byday":
        return [_day(value) for value in values]
    # Months are strings, because other calendars have leap months.
    return [int(value) for value in values] if name in NUMBERS - {"bymonth"} else list(values)


def _day(value: str) -> Json:
    number, weekday = split_weekday(value)
    day = {"@type": "NDay", "day": weekday.lower()}
    return day if number is None else {**day, "nthOfPeriod": number}


def _until(value: str, zone_name: str | None) -> str:
    if zone_name is None or "T" not in value:
        return f"{value[:10]}T00:00:00"
    return datetime.fromisoformat(value).astimezone(zone(zone_name)).replace(tzinfo=None).isoformat(timespec="seconds")
