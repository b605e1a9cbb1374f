"""JSCalendar serializer (RFC 8984): a feed is a Group of Events."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, Participant, ParticipantType, Relation, Stamps
from eventcal.feeds.entries.sanitize import percent_encode_url, replace_controls
from eventcal.feeds.formats.components import NUMERIC_RULE_PARTS, parse_rule_values, round_degrees
from eventcal.feeds.formats.vevent import PRODID, rfc5545_rule
from eventcal.kit.localtime import format_utc, get_zone, local_to_utc_lenient
from eventcal.kit.rrule_syntax import split_weekday

MEDIA_TYPE = "application/jscalendar+json;type=group; charset=utf-8"
SEPARATOR = b","

Json = dict[str, Any]

# The value of the required `updated` property (RFC 8984, section 4.1.6) in a Group without entries.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# JSCalendar has no relation type for siblings, so siblings have an empty set of types (RFC 8984, section 1.4.10).
_RELATIONS = {Relation.PARENT: {"parent": True}, Relation.SIBLING: {}}
# Speakers are expected to attend, but sponsors are not (RFC 8984, section 4.4.6).
_ROLES = {ParticipantType.SPEAKER: "attendee", ParticipantType.SPONSOR: "informational"}
# Properties that a patch must not change (RFC 8984, section 4.3.5).
_UNPATCHABLE = frozenset({"@type", "prodId", "relatedTo", "uid"})

# The parts of a recurrence rule (RFC 8984, section 4.3.3) that have a different name in iCalendar.
_RULE_PART_NAMES = {
    "freq": "frequency",
    "wkst": "firstDayOfWeek",
    "byday": "byDay",
    "bymonthday": "byMonthDay",
    "bymonth": "byMonth",
    "byyearday": "byYearDay",
    "byweekno": "byWeekNo",
    "bysetpos": "bySetPosition",
}


def entry_to_json(entry: CalendarEntry, stamps: Stamps) -> bytes:
    """Return the entry and its overridden occurrences as a JSCalendar Event (RFC 8984, section 5.1) in UTF-8."""
    event = _single_event_to_json(entry, stamps)
    # The recurrence rule is the same as in iCalendar, so that all formats are consistent.
    rule = rfc5545_rule(entry)
    if rule is not None:
        event["recurrenceRules"] = [_rule_to_json(rule, _start_zone(entry))]
    overrides: Json = {_format_local_start(entry, occurrence): {"excluded": True} for occurrence in entry.excluded}
    for one in entry.overrides:
        occurrence = _format_local_start(entry, one.occurrence)
        overrides[occurrence] = _build_patch({**event, "start": occurrence}, _single_event_to_json(one.entry, stamps))
    if overrides:
        event["recurrenceOverrides"] = overrides
    return orjson.dumps(event)


def jscal_header_and_footer(head: FeedHead) -> tuple[bytes, bytes]:
    """Return the JSON around the entries of a Group (RFC 8984, section 5.3). Entries must be joined by SEPARATOR."""
    group: Json = {
        "@type": "Group",
        "uid": replace_controls(head.uid),
        "prodId": PRODID,
        "updated": format_utc(head.changed_at or _EPOCH),
        "title": replace_controls(head.name),
        "description": replace_controls(head.description),
        "descriptionContentType": "text/plain",
        "links": _page_link(head.url),
    }
    if head.source is not None:
        group["source"] = percent_encode_url(head.source)
    return orjson.dumps(group)[:-1] + b',"entries":[', b"]}"


def _single_event_to_json(entry: CalendarEntry, stamps: Stamps) -> Json:
    event: Json = {
        "@type": "Event",
        "uid": replace_controls(entry.uid),
        "prodId": PRODID,
        "created": format_utc(entry.created_at),
        "updated": format_utc(stamps.changed_at),
        "sequence": stamps.sequence,
        "title": replace_controls(entry.title),
        "description": replace_controls(entry.description),
        "descriptionContentType": "text/plain",
        **_time_properties(entry),
        "status": entry.status.lower(),
        "freeBusyStatus": "free" if entry.transparent else "busy",
        "links": _page_link(entry.url) | (_website_link(entry.website) if entry.website else {}),
    }
    maps = {
        "locations": _locations_to_json(entry),
        "virtualLocations": _virtual_location_to_json(entry.conference) if entry.conference else {},
        "keywords": {replace_controls(category): True for category in entry.categories},
        "relatedTo": _relations_to_json(entry),
        "participants": {f"{one.part.lower()}-{one.key}": _participant_to_json(one) for one in entry.participants},
    }
    return event | {name: found for name, found in maps.items() if found}


def _time_properties(entry: CalendarEntry) -> Json:
    starts, ends = entry.starts, entry.ends
    start = _format_local_start(entry, starts)
    if isinstance(starts, datetime) and isinstance(ends, datetime):
        elapsed = _elapsed_time(starts, ends, entry.zone)
        return {"start": start, "timeZone": _start_zone(entry), "duration": _format_duration(elapsed)}
    return {"start": start, "duration": f"P{ends.toordinal() - starts.toordinal()}D", "showWithoutTime": True}


def _start_zone(entry: CalendarEntry) -> str | None:
    if not isinstance(entry.starts, datetime):
        return None
    return entry.zone if entry.needs_zone else "Etc/UTC"


def _format_local_start(entry: CalendarEntry, moment: date | datetime) -> str:
    if not isinstance(moment, datetime):
        return f"{moment.isoformat()}T00:00:00"
    if not entry.needs_zone:
        moment = local_to_utc_lenient(moment, entry.zone).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds")


def _elapsed_time(starts: datetime, ends: datetime, tzid: str) -> timedelta:
    """Return the elapsed time between local times, including changes of the UTC offset (RFC 8984, section 1.4.6)."""
    elapsed = local_to_utc_lenient(ends, tzid) - local_to_utc_lenient(starts, tzid)
    # The start of a recurring entry can be after its end if daylight-saving time skips the local start time.
    return elapsed if elapsed > timedelta() else max(ends - starts, timedelta())


def _format_duration(elapsed: timedelta) -> str:
    minutes, seconds = divmod(int(elapsed.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    # In a duration with hours and seconds, the minutes are required.
    in_minutes = f"{minutes}M" if minutes or (hours and seconds) else ""
    in_seconds = f"{seconds}S" if seconds or not (hours or minutes) else ""
    return f"PT{f'{hours}H' if hours else ''}{in_minutes}{in_seconds}"


def _page_link(url: str) -> Json:
    """Return a link to the web page of an entry or a participant (RFC 8984, section 4.2.7)."""
    link = {"@type": "Link", "href": percent_encode_url(url), "contentType": "text/html", "rel": "describedby"}
    return {"page": link}


def _website_link(url: str) -> Json:
    return {"website": {"@type": "Link", "href": percent_encode_url(url), "rel": "related"}}


def _locations_to_json(entry: CalendarEntry) -> Json:
    place: Json = {}
    if entry.location:
        place["name"] = replace_controls(entry.location)
    if entry.geo:
        place["coordinates"] = f"geo:{','.join([_format_degrees(number) for number in entry.geo])}"
    return {"place": {"@type": "Location", **place}} if place else {}


def _format_degrees(number: float) -> str:
    """Return a coordinate in the notation of RFC 5870, without an exponent."""
    return f"{round_degrees(number):.6f}".rstrip("0").rstrip(".")


def _virtual_location_to_json(url: str) -> Json:
    return {"online": {"@type": "VirtualLocation", "uri": percent_encode_url(url), "features": {"video": True}}}


def _relations_to_json(entry: CalendarEntry) -> Json:
    relations: dict[str, dict[str, bool]] = {}
    for relation, uid in entry.related:
        relations.setdefault(replace_controls(uid), {}).update(_RELATIONS[relation])
    return {uid: {"@type": "Relation", "relation": relation} for uid, relation in relations.items()}


def _participant_to_json(participant: Participant) -> Json:
    # The description contains the role, because JSCalendar has no role for speakers.
    facts = (participant.part.capitalize(), participant.about)
    found: Json = {
        "@type": "Participant",
        "name": replace_controls(participant.name),
        "description": ", ".join([replace_controls(fact) for fact in facts if fact]),
        "roles": {_ROLES[participant.part]: True},
    }
    if participant.part == ParticipantType.SPEAKER:
        found["kind"] = "individual"
    if participant.url:
        found["links"] = _page_link(participant.url)
    return found


def _build_patch(inherited: Mapping[str, Any], event: Mapping[str, Any]) -> Json:
    """Return the differences between `inherited` and `event` as a PatchObject (RFC 8984, section 1.4.9)."""
    patch = {name: value for name, value in event.items() if inherited.get(name) != value and name not in _UNPATCHABLE}
    gone = [name for name in inherited if name not in event and name not in _UNPATCHABLE and name != "recurrenceRules"]
    return {**patch, **dict.fromkeys(gone)}


def _rule_to_json(rule: str, zone_name: str | None) -> Json:
    """Return a recurrence rule as JSON. UNTIL is a local time in `zone_name`, or a date if `zone_name` is None."""
    parts = {
        _RULE_PART_NAMES.get(name, name): _rule_part_to_json(name, values, zone_name)
        for name, values in parse_rule_values(rule).items()
    }
    return {"@type": "RecurrenceRule", **parts}


def _rule_part_to_json(name: str, values: Sequence[str], zone_name: str | None) -> object:
    if name in {"freq", "wkst"}:
        return values[0].lower()
    if name in {"interval", "count"}:
        return int(values[0])
    if name == "until":
        return _format_until(values[0], zone_name)
    if name == "byday":
        return [_weekday_to_json(value) for value in values]
    # JSCalendar represents months as strings, because some calendar systems have leap months.
    return [int(value) for value in values] if name in NUMERIC_RULE_PARTS - {"bymonth"} else list(values)


def _weekday_to_json(value: str) -> Json:
    number, weekday = split_weekday(value)
    day = {"@type": "NDay", "day": weekday.lower()}
    return day if number is None else {**day, "nthOfPeriod": number}


def _format_until(value: str, zone_name: str | None) -> str:
    if zone_name is None or "T" not in value:
        return f"{value[:10]}T00:00:00"
    until = datetime.fromisoformat(value).astimezone(get_zone(zone_name))
    return until.replace(tzinfo=None).isoformat(timespec="seconds")
