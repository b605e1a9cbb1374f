"""Checks for components (RFC 5545, sections 3.4 and 3.6) and for properties that calendar subscriptions use."""

from collections.abc import Iterator

from eventcal.kit.localtime import is_known_zone
from eventcal.lint.parser import ENTRY_NAMES, Component, ParsedFile
from eventcal.lint.rules import Finding, finding, quote_excerpt

_ONCE_PER_ENTRY = frozenset(
    {"UID", "DTSTAMP", "DTSTART", "CLASS", "CREATED", "GEO", "LAST-MODIFIED", "LOCATION", "ORGANIZER", "PRIORITY"}
    | {"SEQUENCE", "STATUS", "SUMMARY", "URL", "RECURRENCE-ID", "DURATION", "COLOR"}
)
_ONCE_PER_COMPONENT = {
    "VCALENDAR": frozenset(
        {"VERSION", "PRODID", "CALSCALE", "METHOD", "UID", "LAST-MODIFIED", "URL", "REFRESH-INTERVAL", "SOURCE"}
        | {"COLOR"}
    ),
    "VEVENT": _ONCE_PER_ENTRY | {"DTEND", "TRANSP", "DESCRIPTION"},
    "VTODO": _ONCE_PER_ENTRY | {"DUE", "COMPLETED", "PERCENT-COMPLETE", "DESCRIPTION"},
    "VJOURNAL": _ONCE_PER_ENTRY,
    "VFREEBUSY": frozenset({"UID", "DTSTAMP", "DTSTART", "DTEND", "CONTACT", "ORGANIZER", "URL"}),
    "VTIMEZONE": frozenset({"TZID", "LAST-MODIFIED", "TZURL"}),
    **dict.fromkeys(("STANDARD", "DAYLIGHT"), frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO"})),
    "VALARM": frozenset({"ACTION", "TRIGGER", "DURATION", "REPEAT"}),
}
_ALLOWED_PARENTS = {
    "VCALENDAR": (None,),
    **dict.fromkeys((*ENTRY_NAMES, "VFREEBUSY", "VTIMEZONE"), ("VCALENDAR",)),
    **dict.fromkeys(("STANDARD", "DAYLIGHT"), ("VTIMEZONE",)),
    "VALARM": ("VEVENT", "VTODO"),
}
_ACTIONS_WITH_DESCRIPTION = frozenset({"DISPLAY", "EMAIL"})


def check_structure(file: ParsedFile) -> Iterator[Finding]:
    yield from _check_nesting(file)
    for again in file.calendars[1:]:
        yield finding("several-calendars", again.line, "the file contains another VCALENDAR")
    for calendar in file.calendars:
        yield from _check_calendar_properties(calendar)
    for component in file.components:
        yield from _check_repeated_properties(component)
        yield from _check_required_properties(component)
        yield from _check_property_order(component)
        if component.name == "VALARM":
            yield from _check_alarm(component)
    yield from _check_uids(file)
    yield from _check_subscription_properties(file)


def _check_nesting(file: ParsedFile) -> Iterator[Finding]:
    for written in file.outside_properties:
        yield finding("outside", written.line, f"{quote_excerpt(written.name)} is outside of VCALENDAR")
    for written in file.stray_ends:
        yield finding("unbalanced", written.line, f"END:{written.value[:20]!a} has no matching BEGIN")
    for component in file.components:
        name = quote_excerpt(component.name)
        holder = component.parent.name if component.parent else None
        if not component.has_end:
            yield finding("unbalanced", component.line, f"{name} has no END")
        if holder is None and component.name != "VCALENDAR":
            yield finding("outside", component.line, f"{name} is outside of VCALENDAR")
        elif component.name in _ALLOWED_PARENTS and holder not in _ALLOWED_PARENTS[component.name]:
            message = f"{name} is inside of {quote_excerpt(holder or 'nothing')}"
            yield finding("misplaced-component", component.line, message)
        elif holder in ENTRY_NAMES and component.name != "VALARM":
            yield finding("nested-component", component.line, f"{name} is inside of a {holder}")


def _check_calendar_properties(calendar: Component) -> Iterator[Finding]:
    version = calendar.find_property("VERSION")
    if version is None:
        yield finding("version", calendar.line, "there is no VERSION")
    elif version.value != "2.0":
        yield finding("version", version.line, f"{version.label}, but must be 2.0")
    prodid = calendar.find_property("PRODID")
    if prodid is None or not prodid.value:
        yield finding("prodid", prodid.line if prodid else calendar.line, "there is no PRODID")
    scale = calendar.find_property("CALSCALE")
    if scale and scale.value.upper() != "GREGORIAN":
        yield finding("calscale", scale.line, f"{scale.label}, but must be GREGORIAN")
    if not calendar.children:
        yield finding("no-entries", calendar.line, "the calendar has no entries")


def _check_repeated_properties(component: Component) -> Iterator[Finding]:
    allowed_once = _ONCE_PER_COMPONENT.get(component.name, frozenset())
    for name, found in component.properties_by_name.items():
        if len(found) > 1 and name in allowed_once:
            yield finding("property-twice", found[1].line, f"the {component.name} has {len(found)} {name} properties")


def _check_required_properties(component: Component) -> Iterator[Finding]:
    if component.name not in (*ENTRY_NAMES, "VFREEBUSY"):
        return
    for name in ("UID", "DTSTAMP", *(("DTSTART", "SUMMARY") if component.name == "VEVENT" else ())):
        written = component.find_property(name)
        if written is None or not written.value:
            line = written.line if written else component.line
            yield finding(f"{name.lower()}-missing", line, f"the {component.name} has no {name}")


def _check_property_order(component: Component) -> Iterator[Finding]:
    if component.name not in ("VCALENDAR", *ENTRY_NAMES) or not component.children:
        return
    first = component.children[0]
    late = next((prop for prop in component.properties if prop.line > first.line), None)
    if late:
        message = f"{quote_excerpt(late.name)} follows the {quote_excerpt(first.name)} on line {first.line}"
        yield finding("property-order", late.line, message)


def _check_alarm(alarm: Component) -> Iterator[Finding]:
    action = alarm.find_property("ACTION")
    needs_description = action is not None and action.value.upper() in _ACTIONS_WITH_DESCRIPTION
    for name in ("ACTION", "TRIGGER", *(("DESCRIPTION",) if needs_description else ())):
        if alarm.find_property(name) is None:
            yield finding("alarm-property", alarm.line, f"the VALARM has no {name}")


def _check_uids(file: ParsedFile) -> Iterator[Finding]:
    lines = dict[tuple[int, str, str], int]()
    for entry in file.entries:
        uid, recurrence = entry.find_property("UID"), entry.find_property("RECURRENCE-ID")
        if uid is None or not uid.value:
            continue
        key = id(entry.parent), uid.value, recurrence.value if recurrence else ""
        if key in lines:
            yield finding("uid-twice", uid.line, f"UID {quote_excerpt(uid.value)} is already used on line {lines[key]}")
        lines.setdefault(key, uid.line)


def _check_subscription_properties(file: ParsedFile) -> Iterator[Finding]:
    for calendar in file.calendars:
        for name in ("NAME", "X-WR-CALNAME", "REFRESH-INTERVAL"):
            if calendar.find_property(name) is None:
                code = f"{name.removeprefix('X-WR-').lower()}-missing"
                yield finding(code, calendar.line, f"the calendar has no {name}")
        for written in calendar.list_properties("X-WR-TIMEZONE"):
            if not is_known_zone(written.value):
                yield finding("calendar-zone", written.line, written.label)
        yield from _check_method(calendar, [entry for entry in file.entries if entry.parent is calendar])
    for name in ("ORGANIZER", "ATTENDEE"):
        if found := [entry for entry in file.entries if entry.find_property(name)]:
            more = f", and so have {len(found) - 1} other entries" if len(found) > 1 else ""
            line = found[0].list_properties(name)[0].line
            yield finding(name.lower(), line, f"the {found[0].name} has an {name}{more}")


def _check_method(calendar: Component, entries: list[Component]) -> Iterator[Finding]:
    method = calendar.find_property("METHOD")
    if method is None:
        return
    if bare := next((entry for entry in entries if entry.find_property("ORGANIZER") is None), None):
        message = f"{method.label}, but the {bare.name} on line {bare.line} has no ORGANIZER"
        yield finding("method-without-organizer", method.line, message)
    else:
        yield finding("method", method.line, method.label)
    if method.value.upper() == "PUBLISH":
        for entry in entries:
            if attendee := entry.find_property("ATTENDEE"):
                message = "METHOD is PUBLISH, but the entry has an ATTENDEE"
                yield finding("publish-with-attendee", attendee.line, message)
