"""Reads JSCalendar as strictly as RFC 8984 is written: what is wrong with a Group, and when its Events really are.

A reader of its own: it knows nothing of what writes them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from dateutil.rrule import rrulestr

from eventcal.kit.localtime import known_zone, zone

Json = dict[str, Any]
Check = Callable[[Any], Iterator[str]]

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?", re.ASCII)
_DURATION = re.compile(
    r"P(?=.)((?P<weeks>\d+)W)?((?P<days>\d+)D)?"
    r"(T(?=.)((?P<hours>\d+)H(?=\d+M|$))?((?P<minutes>\d+)M)?((?P<seconds>\d+)S)?)?",
    re.ASCII,
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_GEO = re.compile(r"geo:-?\d+(\.\d+)?,-?\d+(\.\d+)?", re.ASCII)
_MONTH = re.compile("([1-9]|1[0-2])L?")
_UNPATCHED = (
    *("@type", "excludedRecurrenceRules", "method", "privacy", "prodId", "recurrenceId", "recurrenceOverrides"),
    *("recurrenceRules", "relatedTo", "replyTo", "sentBy", "timeZones", "uid"),
)


def faults(value: Any, kind: str = "Group") -> list[str]:  # noqa: ANN401 - whatever JSON holds
    """Give what is wrong with an object of the RFC, each with the way to it."""
    return list(_object(kind)(value))


def patched(event: Json, patch: Mapping[str, Any], occurrence: str) -> Json:
    """Give an occurrence of a recurring event: the event with its PatchObject (1.4.9, 4.3.5)."""
    whole = {name: value for name, value in event.items() if not name.startswith("recurrence")}
    whole |= {"start": occurrence, **patch}
    return {name: value for name, value in whole.items() if value is not None}


def occurrences(event: Json, before: datetime) -> dict[str, Json]:
    """Give an event's occurrences by their recurrence ids, as far as they are before a local time (4.3)."""
    start = datetime.fromisoformat(event["start"])
    ids = {start.isoformat()}
    for rule in event.get("recurrenceRules", []):
        wanted = rrulestr(_rrule(rule), dtstart=start)
        ids |= {moment.isoformat() for moment in wanted.between(start, before, inc=True)}
    overrides = event.get("recurrenceOverrides", {})
    found = {one: patched(event, overrides.get(one, {}), one) for one in sorted({*ids, *overrides})}
    return {one: whole for one, whole in found.items() if not whole.get("excluded")}


def span(event: Json) -> tuple[datetime, datetime]:
    """Give when an event begins and ends: instants, or local times where it has no zone (1.4.6, 5.1)."""
    start = datetime.fromisoformat(event["start"])
    found = _DURATION.fullmatch(event.get("duration", "PT0S"))
    assert found is not None
    nominal, exact = (
        timedelta(**{unit: int(found[unit] or 0) for unit in units})
        for units in (("weeks", "days"), ("hours", "minutes", "seconds"))
    )
    if event.get("timeZone") is None:
        return start, start + nominal + exact
    here = zone(event["timeZone"])
    first, last = (moment.replace(tzinfo=here).astimezone(UTC) for moment in (start, start + nominal))
    return first, last + exact


def _rrule(rule: Json) -> str:
    names = {"frequency": "FREQ", "firstDayOfWeek": "WKST", "bySetPosition": "BYSETPOS"}
    parts = []
    for name, value in rule.items():
        if name != "@type":
            values = value if isinstance(value, list) else [value]
            written = [f"{one.get('nthOfPeriod', '')}{one['day']}" if name == "byDay" else str(one) for one in values]
            text = ",".join(written)
            parts.append(f"{names.get(name, name)}={re.sub('[-:]', '', text) if name == 'until' else text}")
    return ";".join(parts).upper()


# Checks: each gives what is wrong with a value.


def _when(good: Callable[[Any], bool], name: str) -> Check:
    def check(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
        if not good(value):
            yield f"{value!r} is no {name}"

    return check


def _text(pattern: re.Pattern[str], name: str) -> Check:
    return _when(lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None, name)


def _one_of(*words: str) -> Check:
    return _when(lambda value: value in words, f"word of {words}")


def _list(check: Check) -> Check:
    def each(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
        if not isinstance(value, list) or not value:
            yield f"{value!r} is no list, or an empty one"
            return
        for one in value:
            yield from check(one)

    return each


def _map(key: Check, check: Check, *, least: int = 0) -> Check:
    def each(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
        if not isinstance(value, dict) or len(value) < least:
            yield f"{value!r} is no map, or too small"
            return
        for name, one in value.items():
            yield from key(name)
            yield from (f"{name}: {fault}" for fault in check(one))

    return each


def _object(kind: str) -> Check:
    def whole(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
        if not isinstance(value, dict) or value.get("@type") != kind:
            yield f"{value!r} is no {kind}"
            return
        yield from (f"{kind} lacks {name}" for name in _NEEDED.get(kind, ()) if name not in value)
        for name, one in value.items():
            if name != "@type":
                check = _SHAPES[kind].get(name, _unknown)
                yield from (f"{kind}.{name}: {fault}" for fault in check(one))
        yield from _MORE.get(kind, _nothing)(value)

    return whole


def _unknown(_: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    yield "there is no such property"


def _nothing(_: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    return iter(())


def _rule_faults(rule: Json) -> Iterator[str]:
    if {"count", "until"} <= rule.keys():
        yield "a rule ends by count or by until, not by both"


def _event_faults(event: Json) -> Iterator[str]:
    for occurrence, patch in event.get("recurrenceOverrides", {}).items():
        if patch.get("excluded") and patch.keys() != {"excluded"}:
            yield f"{occurrence} is excluded and says more"
        yield from (f"{name} cannot be patched" for name in patch if name.startswith(_UNPATCHED) or "/" in name)
        yield from (f"{occurrence}: {fault}" for fault in faults(patched(event, patch, occurrence), "Event"))


def _entries(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, list):
        yield "the entries are no list"
        return
    for one in value:
        yield from _object("Event")(one)
    uids = [one.get("uid") for one in value]
    if len(set(uids)) < len(uids):
        yield "two entries have the same uid"


def _between(least: int, most: int) -> Check:
    def good(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
        return type(value) is int and least <= value <= most and (value != 0 or least >= 0)

    return _when(good, f"number from {least} to {most}")


_STRING = _when(lambda value: isinstance(value, str), "text")
_PRESENT = _when(lambda value: isinstance(value, str) and value != "", "text that says something")
_TRUE = _when(lambda value: value is True, "true")
_BOOLEAN = _when(lambda value: isinstance(value, bool), "yes or no")
_UNSIGNED = _between(0, 2**53 - 1)
_IDS = _text(_ID, "Id")
_LOCAL_TIME = _text(_LOCAL, "LocalDateTime")
_INSTANT = _text(re.compile(f"{_LOCAL.pattern}Z", re.ASCII), "UTCDateTime")
_ADDRESS = _when(
    lambda value: isinstance(value, str) and _URI.fullmatch(value) is not None and urlsplit(value).scheme != "", "URI"
)
_LINKS = _map(_IDS, _object("Link"), least=1)
_DAY = _one_of("mo", "tu", "we", "th", "fr", "sa", "su")

_COMMON: dict[str, Check] = {
    "uid": _PRESENT,
    "prodId": _PRESENT,
    "created": _INSTANT,
    "updated": _INSTANT,
    "title": _STRING,
    "description": _STRING,
    "descriptionContentType": _one_of("text/plain", "text/html"),
    "links": _LINKS,
    "keywords": _map(_STRING, _TRUE),
}
_SHAPES: dict[str, dict[str, Check]] = {
    "Group": {**_COMMON, "source": _ADDRESS, "entries": _entries},
    "Event": {
        **_COMMON,
        "sequence": _UNSIGNED,
        "start": _LOCAL_TIME,
        "timeZone": _when(lambda value: isinstance(value, str) and known_zone(value), "zone"),
        "duration": _text(_DURATION, "Duration"),
        "showWithoutTime": _BOOLEAN,
        "status": _one_of("confirmed", "cancelled", "tentative"),
        "freeBusyStatus": _one_of("free", "busy"),
        "locations": _map(_IDS, _object("Location")),
        "virtualLocations": _map(_IDS, _object("VirtualLocation")),
        "relatedTo": _map(_PRESENT, _object("Relation")),
        "participants": _map(_IDS, _object("Participant")),
        "recurrenceRules": _list(_object("RecurrenceRule")),
        "recurrenceOverrides": _map(_LOCAL_TIME, _map(_PRESENT, _nothing)),
        "excluded": _BOOLEAN,
    },
    "Link": {"href": _ADDRESS, "contentType": _PRESENT, "rel": _one_of("describedby", "alternate"), "title": _STRING},
    "Location": {"name": _STRING, "coordinates": _text(_GEO, "geo URI"), "links": _LINKS},
    "VirtualLocation": {
        "name": _STRING,
        "uri": _ADDRESS,
        "features": _map(_one_of("audio", "chat", "feed", "moderator", "phone", "screen", "video"), _TRUE),
    },
    "Relation": {"relation": _map(_one_of("first", "next", "child", "parent"), _TRUE)},
    "Participant": {
        "name": _STRING,
        "description": _STRING,
        "kind": _one_of("individual", "group", "location", "resource"),
        "roles": _map(_one_of("owner", "attendee", "optional", "informational", "chair", "contact"), _TRUE, least=1),
        "links": _LINKS,
    },
    "RecurrenceRule": {
        "frequency": _one_of("yearly", "monthly", "weekly", "daily"),
        "interval": _between(1, 2**53 - 1),
        "count": _UNSIGNED,
        "until": _LOCAL_TIME,
        "firstDayOfWeek": _DAY,
        "byDay": _list(_object("NDay")),
        "byMonthDay": _list(_between(-31, 31)),
        "byMonth": _list(_text(_MONTH, "month")),
        "byYearDay": _list(_between(-366, 366)),
        "byWeekNo": _list(_between(-53, 53)),
        "bySetPosition": _list(_between(-366, 366)),
    },
    "NDay": {"day": _DAY, "nthOfPeriod": _between(-53, 53)},
}
_NEEDED = {
    "Group": ("uid", "updated", "entries"),
    "Event": ("uid", "updated", "start"),
    "Link": ("href",),
    "VirtualLocation": ("uri",),
    "Participant": ("roles",),
    "RecurrenceRule": ("frequency",),
    "NDay": ("day",),
}
_MORE: dict[str, Check] = {"Event": _event_faults, "RecurrenceRule": _rule_faults}
