"""Checks of components (RFC 5545, 3.4 and 3.6) and of properties that calendar subscriptions need."""

from collections.abc import Iterator

from eventcal.kit.localtime import known_zone
from eventcal.lint.reading import ENTRIES, Component, Reading
from eventcal.lint.rules import Finding, finding, quoted

_OF_AN_ENTRY = frozenset(
    {"UID", "DTSTAMP", "DTSTART", "CLASS", "CREATED", "GEO", "LAST-MODIFIED", "LOCATION", "ORGANIZER", "PRIORITY"}
    | {"SEQUENCE", "STATUS", "SUMMARY", "URL", "RECURRENCE-ID", "DURATION", "COLOR"}
)
_OF_AN_OBSERVANCE = frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO"})
_ONCE = {
    "VCALENDAR": frozenset(
        {"VERSION", "PRODID", "CALSCALE", "METHOD", "UID", "LAST-MODIFIED", "URL", "REFRESH-INTERVAL", "SOURCE"}
        | {"COLOR", "X-WR-CALNAME", "X-WR-CALDESC", "X-WR-TIMEZONE", "X-PUBLISHED-TTL"}
    ),
    "VEVENT": _OF_AN_ENTRY | {"DTEND", "TRANSP", "DESCRIPTION"},
    "VTODO": _OF_AN_ENTRY | {"DUE", "COMPLETED", "PERCENT-COMPLETE", "DESCRIPTION"},
    "VJOURNAL": _OF_AN_ENTRY,
    "VFREEBUSY": frozenset({"UID", "DTSTAMP", "DTSTART", "DTEND", "CONTACT", "ORGANIZER", "URL"}),
    "VTIMEZONE": frozenset({"TZID", "LAST-MODIFIED", "TZURL"}),
    "STANDARD": _OF_AN_OBSERVANCE,
    "DAYLIGHT": _OF_AN_OBSERVANCE,
    "VALARM": frozenset({"ACTION", "TRIGGER", "DURATION", "REPEAT"}),
}
_IN = {
    "VCALENDAR": (None,),
    **dict.fromkeys((*ENTRIES, "VFREEBUSY", "VTIMEZONE"), ("VCALENDAR",)),
    **dict.fromkeys(("STANDARD", "DAYLIGHT"), ("VTIMEZONE",)),
    "VALARM": ("VEVENT", "VTODO"),
}


def check_structure(reading: Reading) -> Iterator[Finding]:
    """Yield findings about the nesting of components, and about missing and repeated properties."""
    yield from _check_places(reading)
    for again in reading.calendars[1:]:
        yield finding("several-calendars", again.line, "another VCALENDAR begins")
    for calendar in reading.calendars:
        yield from _check_calendar(calendar)
    for component in reading.components:
        yield from _check_once(component)
        yield from _check_needed(component)
    yield from _check_uids(reading)


def _check_places(reading: Reading) -> Iterator[Finding]:
    for written in reading.outside:
        yield finding("outside", written.line, f"{quoted(written.name)} stands outside of VCALENDAR")
    for written in reading.stray_ends:
        yield finding("unbalanced", written.line, f"END:{written.value[:20]!a} ends nothing that was begun")
    for component in reading.components:
        name = quoted(component.name)
        holder = component.parent.name if component.parent else None
        if not component.ended:
            yield finding("unbalanced", component.line, f"{name} has no END")
        if holder is None and component.name != "VCALENDAR":
            yield finding("outside", component.line, f"{name} stands outside of VCALENDAR")
        elif component.name in _IN and holder not in _IN[component.name]:
            yield finding("misplaced-component", component.line, f"{name} stands in {quoted(holder or 'nothing')}")
        elif holder in ENTRIES and component.name != "VALARM":
            yield finding("nested-component", component.line, f"{name} stands in a {holder}")


def _check_calendar(calendar: Component) -> Iterator[Finding]:
    version = calendar.first("VERSION")
    if version is None:
        yield finding("version", calendar.line, "there is no VERSION")
    elif version.value != "2.0":
        yield finding("version", version.line, f"{version.shown}, not 2.0")
    prodid = calendar.first("PRODID")
    if prodid is None or not prodid.value:
        yield finding("prodid", prodid.line if prodid else calendar.line, "there is no PRODID")
    scale = calendar.first("CALSCALE")
    if scale and scale.value.upper() != "GREGORIAN":
        yield finding("calscale", scale.line, f"{scale.shown}, not GREGORIAN")
    if not calendar.parts:
        yield finding("no-entries", calendar.line, "the calendar holds no entry")


def _check_once(component: Component) -> Iterator[Finding]:
    allowed_once = _ONCE.get(component.name, frozenset())
    for name, written in component.by_name.items():
        if len(written) > 1 and name in allowed_once:
            message = f"{name} is there {len(written)} times, in a {component.name}"
            yield finding("property-twice", written[1].line, message)


def _check_needed(component: Component) -> Iterator[Finding]:
    if component.name not in (*ENTRIES, "VFREEBUSY"):
        return
    for name in ("UID", "DTSTAMP", *(("DTSTART", "SUMMARY") if component.name == "VEVENT" else ())):
        written = component.first(name)
        if written is None or not written.value:
            line = written.line if written else component.line
            yield finding(f"{name.lower()}-missing", line, f"the {component.name} has no {name}")


def _check_uids(reading: Reading) -> Iterator[Finding]:
    first_lines = dict[tuple[int, str, str], int]()
    for entry in reading.entries:
        uid, recurrence = entry.first("UID"), entry.first("RECURRENCE-ID")
        if uid is None or not uid.value:
            continue
        key = id(entry.parent), uid.value, recurrence.value if recurrence else ""
        if key in first_lines:
            yield finding("uid-twice", uid.line, f"UID {quoted(uid.value)} is on line {first_lines[key]} already")
        first_lines.setdefault(key, uid.line)


_HEAD = (
    ("name-missing", "NAME"),
    ("calname-missing", "X-WR-CALNAME"),
    ("refresh-interval-missing", "REFRESH-INTERVAL"),
)


def check_publishing(reading: Reading) -> Iterator[Finding]:
    """Yield findings that affect subscribers of the calendar."""
    for calendar in reading.calendars:
        for code, name in _HEAD:
            if calendar.first(name) is None:
                yield finding(code, calendar.line, f"the calendar has no {name}")
        for written in calendar.all("X-WR-TIMEZONE"):
            if not known_zone(written.value):
                yield finding("calendar-zone", written.line, written.shown)
        yield from _check_method(calendar, [entry for entry in reading.entries if entry.parent is calendar])
    for name in ("ORGANIZER", "ATTENDEE"):
        found = [entry for entry in reading.entries if entry.first(name)]
        if found:
            more = f", and so have {len(found) - 1} more" if len(found) > 1 else ""
            yield finding(name.lower(), found[0].all(name)[0].line, f"the {found[0].name} has an {name}{more}")


def _check_method(calendar: Component, entries: list[Component]) -> Iterator[Finding]:
    method = calendar.first("METHOD")
    if method is None:
        return
    bare = next((entry for entry in entries if entry.first("ORGANIZER") is None), None)
    if bare is not None:
        message = f"{method.shown}, and the {bare.name} of line {bare.line} has no ORGANIZER"
        yield finding("method-without-organizer", method.line, message)
    else:
        yield finding("method", method.line, method.shown)
    if method.value.upper() == "PUBLISH":
        for entry in entries:
            if attendee := entry.first("ATTENDEE"):
                yield finding("publish-with-attendee", attendee.line, "METHOD is PUBLISH, and here is an ATTENDEE")
