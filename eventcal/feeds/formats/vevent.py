"""Conversion of entries to iCalendar components (RFC 5545, RFC 7986 and RFC 9253).

Participants and locations (RFC 9073) are optional, because some clients misinterpret these components.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from icalendar import vRecur

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, Participant, Stamps
from eventcal.feeds.formats.components import (
    Component,
    Property,
    ValueType,
    date_time_property,
    text_property,
    uri_property,
)
from eventcal.kit.localtime import local_to_utc_lenient
from eventcal.kit.rrule_syntax import Until, format_rule, parse_rule, parse_until

PRODID = "-//eventcal//eventcal//EN"


def event_components(entry: CalendarEntry, stamps: Stamps | None = None) -> tuple[Component, ...]:
    """Return the VEVENT of an entry and a VEVENT for each overridden occurrence (RFC 5545, section 3.8.4.4)."""
    stamped = _stamp_properties(stamps) if stamps else ()
    whole = Component("VEVENT", (*stamped, *_iter_event_properties(entry)))
    others = [
        Component("VEVENT", (*stamped, *_iter_event_properties(one.entry, override_of=(entry, one.occurrence))))
        for one in entry.overrides
    ]
    return (whole, *others)


def event_components_with_rfc9073(entry: CalendarEntry, stamps: Stamps | None = None) -> tuple[Component, ...]:
    plain = event_components(entry, stamps)
    entries = (entry, *(override.entry for override in entry.overrides))
    return tuple(map(_add_rfc9073_parts, plain, entries))


def _add_rfc9073_parts(component: Component, entry: CalendarEntry) -> Component:
    parameters = (("FMTTYPE", "text/html"),)
    styled = Property("STYLED-DESCRIPTION", ValueType.TEXT, (entry.html,), parameters, explicit_type=True)
    within = (*(_participant_component(entry, one) for one in entry.participants), *_iter_location_components(entry))
    return replace(component, properties=(*component.properties, styled), components=within)


def vcalendar_properties(head: FeedHead) -> tuple[Property, ...]:
    """Return the properties of the VCALENDAR, except UID (RFC 5545, section 3.7, and RFC 7986, section 5).

    vdirsyncer copies a UID of the VCALENDAR to every entry, and then keeps only one entry.
    """
    source = [uri_property("SOURCE", head.source, explicit_type=True)] if head.source else []
    changed = [_utc_property("LAST-MODIFIED", head.changed_at)] if head.changed_at else []
    return (
        text_property("VERSION", "2.0"),
        text_property("PRODID", PRODID),
        text_property("CALSCALE", "GREGORIAN"),
        text_property("NAME", head.name),
        text_property("X-WR-CALNAME", head.name),
        text_property("DESCRIPTION", head.description),
        text_property("X-WR-CALDESC", head.description),
        text_property("X-WR-TIMEZONE", head.zone),
        uri_property("URL", head.url),
        *source,
        Property("REFRESH-INTERVAL", ValueType.DURATION, ("PT1H",), explicit_type=True),
        Property("X-PUBLISHED-TTL", ValueType.DURATION, ("PT1H",)),
        *changed,
    )


def vcalendar_properties_with_uid(head: FeedHead) -> tuple[Property, ...]:
    return (*vcalendar_properties(head), text_property("UID", head.uid))


def _stamp_properties(stamps: Stamps) -> tuple[Property, ...]:
    return (
        _utc_property("DTSTAMP", stamps.changed_at),
        _utc_property("LAST-MODIFIED", stamps.changed_at),
        Property("SEQUENCE", ValueType.INTEGER, (stamps.sequence,)),
    )


def _utc_property(name: str, moment: datetime) -> Property:
    return Property(name, ValueType.DATE_TIME, (moment.astimezone(UTC),))


def _iter_event_properties(
    entry: CalendarEntry, *, override_of: tuple[CalendarEntry, date | datetime] | None = None
) -> Iterator[Property]:
    yield text_property("UID", entry.uid)
    yield _utc_property("CREATED", entry.created_at)
    yield text_property("SUMMARY", entry.title)
    yield _entry_time_property("DTSTART", entry, entry.starts)
    yield _entry_time_property("DTEND", entry, entry.ends)
    if override_of is not None:
        series, occurrence = override_of
        yield _entry_time_property("RECURRENCE-ID", series, occurrence)
    yield from _iter_recurrence_properties(entry)
    yield text_property("STATUS", entry.status)
    yield text_property("TRANSP", "TRANSPARENT" if entry.transparent else "OPAQUE")
    yield text_property("DESCRIPTION", entry.description)
    yield text_property("X-ALT-DESC", entry.html, ("FMTTYPE", "text/html"))
    if entry.location:
        yield text_property("LOCATION", entry.location)
    if entry.geo:
        yield Property("GEO", ValueType.GEO, (entry.geo,))
    if entry.conference:
        yield uri_property("CONFERENCE", entry.conference, ("FEATURE", "VIDEO"), explicit_type=True)
    yield uri_property("URL", entry.url)
    if entry.categories:
        yield Property("CATEGORIES", ValueType.TEXT, entry.categories)
    for relation, uid in entry.related:
        yield text_property("RELATED-TO", uid, ("RELTYPE", relation.value))


def _entry_time_property(name: str, entry: CalendarEntry, value: date | datetime) -> Property:
    if entry.needs_zone:
        return date_time_property(name, [value], entry.zone)
    moment = local_to_utc_lenient(value, entry.zone) if isinstance(value, datetime) else value
    return date_time_property(name, [moment], None)


def _iter_recurrence_properties(entry: CalendarEntry) -> Iterator[Property]:
    rule = rfc5545_rule(entry)
    if rule is not None:
        yield Property("RRULE", ValueType.RECUR, (rule,))
        # Each EXDATE property has one value, because some clients read only the first value.
        for occurrence in entry.excluded:
            yield _entry_time_property("EXDATE", entry, occurrence)


_RULE_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST"}
)


def rfc5545_rule(entry: CalendarEntry) -> str | None:
    """Return the recurrence rule in RFC 5545 notation, or None if the entry has no rule that RFC 5545 supports."""
    parts = parse_rule(entry.recurrence or "")
    until = parts.pop("UNTIL", None)
    if "FREQ" not in parts or not parts.keys() <= _RULE_PARTS:
        return None
    try:
        rule: vRecur = vRecur.from_ical(format_rule(parts))
        if until is not None:
            rule["UNTIL"] = [_until_value(parse_until(until), entry)]
    except ValueError:
        return None
    return str(rule.to_ical().decode())  # type: ignore[no-untyped-call]  # to_ical has no type annotations


def _until_value(until: Until, entry: CalendarEntry) -> date | datetime:
    """Return UNTIL with the type that DTSTART requires: a date, or an instant in UTC (RFC 5545, section 3.3.10)."""
    if not entry.all_day:
        return until.instant(entry.zone)
    # A local date is not converted to an instant, because a time zone can skip a whole day.
    return until.last_day(entry.zone) if until.is_utc else until.day


def _participant_component(entry: CalendarEntry, participant: Participant) -> Component:
    """Return the PARTICIPANT component of a speaker or sponsor (RFC 9073, section 7.1)."""
    lines = [
        text_property("UID", f"{participant.part.lower()}-{participant.key}@{entry.uid.rpartition('@')[2]}"),
        text_property("PARTICIPANT-TYPE", participant.part),
        text_property("SUMMARY", participant.name),
    ]
    if participant.about:
        lines.append(text_property("DESCRIPTION", participant.about))
    if participant.url:
        lines.append(uri_property("URL", participant.url))
    return Component("PARTICIPANT", tuple(lines))


def _iter_location_components(entry: CalendarEntry) -> Iterator[Component]:
    if entry.location or entry.geo:
        lines = [text_property("UID", f"place-of-{entry.uid}")]
        if entry.location:
            lines.append(text_property("NAME", entry.location))
        if entry.geo:
            lines.append(Property("GEO", ValueType.GEO, (entry.geo,)))
        yield Component("VLOCATION", tuple(lines))
