"""Conversion of entries to iCalendar components (RFC 5545, 7986, 9253) for all iCalendar notations.

`enriched_components` adds participants and places as in RFC 9073, which some clients misread.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from icalendar import vRecur

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, Participant, Stamps
from eventcal.feeds.formats.components import Component, Property, ValueType, moments, text, uri
from eventcal.kit.localtime import local_to_utc
from eventcal.kit.rrule import Until, format_rule, parse_rule, parse_until

PRODID = "-//eventcal//eventcal//EN"


def event_components(entry: CalendarEntry, stamps: Stamps | None = None) -> tuple[Component, ...]:
    """Return the VEVENT of an entry, and one for each overridden occurrence (RFC 5545, 3.8.4.4).

    Without `stamps` they lack DTSTAMP, LAST-MODIFIED and SEQUENCE, so that they depend on the content only.
    """
    stamped = _stamps(stamps) if stamps else ()
    whole = Component("VEVENT", (*stamped, *_properties(entry)))
    others = [
        Component("VEVENT", (*stamped, *_properties(one.entry, instead_of=(entry, one.occurrence))))
        for one in entry.overrides
    ]
    return (whole, *others)


def enriched_components(entry: CalendarEntry, stamps: Stamps | None = None) -> tuple[Component, ...]:
    """Return the same components with speakers, sponsors, place and styled text as in RFC 9073."""
    plain = event_components(entry, stamps)
    shown = (entry, *(override.entry for override in entry.overrides))
    return tuple(_enriched(component, one) for component, one in zip(plain, shown, strict=True))


def _enriched(component: Component, entry: CalendarEntry) -> Component:
    styled = Property("STYLED-DESCRIPTION", ValueType.TEXT, (entry.html,), (("FMTTYPE", "text/html"),), says_type=True)
    within = (*(_participant(entry, one) for one in entry.participants), *_places(entry))
    return replace(component, properties=(*component.properties, styled), components=within)


def head_properties(head: FeedHead) -> tuple[Property, ...]:
    """Return the properties of the VCALENDAR itself (RFC 5545, 3.7; RFC 7986, 5)."""
    names = [
        text("VERSION", "2.0"),
        text("PRODID", PRODID),
        text("CALSCALE", "GREGORIAN"),
        text("UID", head.uid),
        text("NAME", head.name),
        text("X-WR-CALNAME", head.name),
        text("DESCRIPTION", head.description),
        text("X-WR-CALDESC", head.description),
        text("X-WR-TIMEZONE", head.zone),
        uri("URL", head.url),
    ]
    if head.source:
        names.append(uri("SOURCE", head.source, says_type=True))
    names.append(Property("REFRESH-INTERVAL", ValueType.DURATION, ("PT1H",), says_type=True))
    names.append(Property("X-PUBLISHED-TTL", ValueType.DURATION, ("PT1H",)))
    if head.changed_at:
        names.append(_instant("LAST-MODIFIED", head.changed_at))
    return tuple(names)


def _stamps(stamps: Stamps) -> tuple[Property, ...]:
    return (
        _instant("DTSTAMP", stamps.changed_at),
        _instant("LAST-MODIFIED", stamps.changed_at),
        Property("SEQUENCE", ValueType.INTEGER, (stamps.sequence,)),
    )


def _instant(name: str, moment: datetime) -> Property:
    return Property(name, ValueType.DATE_TIME, (moment.astimezone(UTC),))


def _properties(
    entry: CalendarEntry, *, instead_of: tuple[CalendarEntry, date | datetime] | None = None
) -> Iterator[Property]:
    yield text("UID", entry.uid)
    yield _instant("CREATED", entry.created_at)
    yield text("SUMMARY", entry.title)
    yield _moments("DTSTART", entry, entry.starts)
    yield _moments("DTEND", entry, entry.ends)
    if instead_of is not None:
        series, occurrence = instead_of
        yield _moments("RECURRENCE-ID", series, occurrence)
    yield from _recurrence(entry)
    yield text("STATUS", entry.status)
    yield text("TRANSP", "TRANSPARENT" if entry.transparent else "OPAQUE")
    yield text("DESCRIPTION", entry.description)
    yield text("X-ALT-DESC", entry.html, ("FMTTYPE", "text/html"))
    if entry.location:
        yield text("LOCATION", entry.location)
    if entry.geo:
        yield Property("GEO", ValueType.GEO, (entry.geo,))
    if entry.conference:
        yield uri("CONFERENCE", entry.conference, ("FEATURE", "VIDEO"), says_type=True)
    yield uri("URL", entry.url)
    if entry.categories:
        yield Property("CATEGORIES", ValueType.TEXT, entry.categories)
    for relation, uid in entry.related:
        yield text("RELATED-TO", uid, ("RELTYPE", relation.value))


def _moments(name: str, entry: CalendarEntry, *values: date | datetime) -> Property:
    if entry.all_day:
        return moments(name, values, None)
    if entry.needs_zone:
        return moments(name, values, entry.zone)
    return moments(name, [local_to_utc(one, entry.zone) for one in values if isinstance(one, datetime)], None)


def _recurrence(entry: CalendarEntry) -> Iterator[Property]:
    rule = rule_of(entry)
    if rule is not None:
        yield Property("RRULE", ValueType.RECUR, (rule,))
        # One value per property, because some clients read only the first.
        for occurrence in entry.excluded:
            yield _moments("EXDATE", entry, occurrence)


_RULE_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST"}
)


def rule_of(entry: CalendarEntry) -> str | None:
    """Return the recurrence rule in RFC 5545 notation, or None if the entry has none that RFC 5545 supports."""
    if not entry.recurrence:
        return None
    parts = parse_rule(entry.recurrence)
    until = parts.pop("UNTIL", None)
    if "FREQ" not in parts or not parts.keys() <= _RULE_PARTS:
        return None
    try:
        rule: vRecur = vRecur.from_ical(format_rule(parts))
        if until is not None:
            rule["UNTIL"] = [_until(parse_until(until), entry)]
    except ValueError:
        return None
    return str(rule.to_ical().decode())  # type: ignore[no-untyped-call]  # untyped in icalendar


def _until(until: Until, entry: CalendarEntry) -> date | datetime:
    """Return UNTIL as DTSTART requires: a date, or an instant in UTC for times (RFC 5545, 3.3.10)."""
    if not entry.all_day:
        return until.instant(entry.zone)
    # A local date is not converted, even if the zone skips that day.
    return until.last_day(entry.zone) if until.in_utc else until.day


def _participant(entry: CalendarEntry, one: Participant) -> Component:
    """Return the PARTICIPANT component of a speaker or sponsor (RFC 9073, 7.1)."""
    lines = [
        text("UID", f"{one.part.lower()}-{one.key}@{entry.uid.rpartition('@')[2]}"),
        text("PARTICIPANT-TYPE", one.part),
        text("SUMMARY", one.name),
    ]
    if one.about:
        lines.append(text("DESCRIPTION", one.about))
    if one.url:
        lines.append(uri("URL", one.url))
    return Component("PARTICIPANT", tuple(lines))


def _places(entry: CalendarEntry) -> Iterator[Component]:
    if entry.location or entry.geo:
        lines = [text("UID", f"place-of-{entry.uid}")]
        if entry.location:
            lines.append(text("NAME", entry.location))
        if entry.geo:
            lines.append(Property("GEO", ValueType.GEO, (entry.geo,)))
        yield Component("VLOCATION", tuple(lines))
