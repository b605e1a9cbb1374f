"""Rules about components: what stands in what, what must be there, and what only once (RFC 5545, 3.4 and 3.6)."""

from collections.abc import Iterator

from eventcal.lint.findings import Finding, error, quoted, warning
from eventcal.lint.reading import ENTRIES, Component, Reading

NO_CALENDAR = error(
    "no-calendar",
    "RFC 5545, 3.4",
    "There is no BEGIN:VCALENDAR: this is no calendar, perhaps the HTML of a sign-in page. Nothing else is looked at.",
)
OUTSIDE = error("outside", "RFC 5545, 3.4", "A property or component stands outside of VCALENDAR.")
UNBALANCED = error("unbalanced", "RFC 5545, 3.6", "A BEGIN has no END, or an END no BEGIN. Often a file was cut off.")
MISPLACED = error(
    "misplaced-component",
    "RFC 5545, 3.6",
    "A component stands in another where it may not: an event in an event, an alarm in the calendar.",
)
VERSION = error("version", "RFC 5545, 3.7.4", "The calendar does not say VERSION:2.0.")
PRODID = error("prodid", "RFC 5545, 3.7.3", "The calendar does not say which program made it (PRODID).")
CALSCALE = error("calscale", "RFC 5545, 3.7.1", "CALSCALE is something other than GREGORIAN.")
ONCE = error("property-twice", "RFC 5545, 3.6", "A property that may be there only once is there more often.")
UID_MISSING = error(
    "uid-missing",
    "RFC 5545, 3.8.4.7",
    "An entry has no UID; programs make it anew at every fetch, or not at all.",
)
UID_TWICE = error(
    "uid-twice",
    "RFC 5545, 3.8.4.7",
    "Two entries have the same UID, and no RECURRENCE-ID that tells them apart. Programs show one of the two.",
)
DTSTAMP_MISSING = error("dtstamp-missing", "RFC 5545, 3.8.7.2", "An entry has no DTSTAMP.")
DTSTART_MISSING = error("dtstart-missing", "RFC 5545, 3.8.2.4", "An event has no DTSTART.")
SEVERAL = warning(
    "several-calendars",
    "RFC 5545, 3.4",
    "There is more than one VCALENDAR; most programs read the first only.",
)
EMPTY = warning(
    "no-entries",
    "RFC 5545, 3.6",
    "The calendar holds no component. The standard demands one, and programs show an error for an empty subscription.",
)
NESTED = warning(
    "nested-component",
    "RFC 9073, 7",
    "An entry holds a component other than an alarm. Older programs take its properties for those of the entry.",
)
SUMMARY_MISSING = warning(
    "summary-missing",
    "RFC 5545, 3.8.1.12",
    "An event has no SUMMARY; programs show a blank or their own words for none.",
)

RULES = (
    *(NO_CALENDAR, OUTSIDE, UNBALANCED, MISPLACED, VERSION, PRODID, CALSCALE, ONCE),
    *(UID_MISSING, UID_TWICE, DTSTAMP_MISSING, DTSTART_MISSING, SEVERAL, EMPTY, NESTED, SUMMARY_MISSING),
)

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
    """Yield what is wrong with how the file is built."""
    yield from _check_places(reading)
    for again in reading.calendars[1:]:
        yield SEVERAL.at(again.line, "another VCALENDAR begins")
    for calendar in reading.calendars:
        yield from _check_calendar(calendar)
    for component in reading.components:
        yield from _check_once(component)
        yield from _check_needed(component)
    yield from _check_uids(reading)


def _check_places(reading: Reading) -> Iterator[Finding]:
    for written in reading.outside:
        yield OUTSIDE.at(written.line, f"{quoted(written.name)} stands outside of VCALENDAR")
    for written in reading.stray_ends:
        yield UNBALANCED.at(written.line, f"END:{written.value[:20]!a} ends nothing that was begun")
    for component in reading.components:
        name = quoted(component.name)
        holder = component.parent.name if component.parent else None
        if not component.ended:
            yield UNBALANCED.at(component.line, f"{name} has no END")
        if holder is None and component.name != "VCALENDAR":
            yield OUTSIDE.at(component.line, f"{name} stands outside of VCALENDAR")
        elif component.name in _IN and holder not in _IN[component.name]:
            yield MISPLACED.at(component.line, f"{name} stands in {quoted(holder or 'nothing')}")
        elif holder in ENTRIES and component.name != "VALARM":
            yield NESTED.at(component.line, f"{name} stands in a {holder}")


def _check_calendar(calendar: Component) -> Iterator[Finding]:
    version = calendar.first("VERSION")
    if version is None:
        yield VERSION.at(calendar.line, "there is no VERSION")
    elif version.value != "2.0":
        yield VERSION.at(version.line, f"VERSION is {quoted(version.value)}, not 2.0")
    prodid = calendar.first("PRODID")
    if prodid is None or not prodid.value:
        yield PRODID.at(prodid.line if prodid else calendar.line, "there is no PRODID")
    scale = calendar.first("CALSCALE")
    if scale and scale.value.upper() != "GREGORIAN":
        yield CALSCALE.at(scale.line, f"CALSCALE is {quoted(scale.value)}, not GREGORIAN")
    if not calendar.parts:
        yield EMPTY.at(calendar.line, "the calendar holds no entry")


def _check_once(component: Component) -> Iterator[Finding]:
    allowed_once = _ONCE.get(component.name, frozenset())
    for name, written in component.by_name.items():
        if len(written) > 1 and name in allowed_once:
            yield ONCE.at(written[1].line, f"{name} is there {len(written)} times, in a {component.name}")


def _check_needed(component: Component) -> Iterator[Finding]:
    if component.name not in (*ENTRIES, "VFREEBUSY"):
        return
    missing = [(UID_MISSING, "UID"), (DTSTAMP_MISSING, "DTSTAMP")]
    if component.name == "VEVENT":
        missing += [(DTSTART_MISSING, "DTSTART"), (SUMMARY_MISSING, "SUMMARY")]
    for rule, name in missing:
        written = component.first(name)
        if written is None or not written.value:
            yield rule.at(written.line if written else component.line, f"the {component.name} has no {name}")


def _check_uids(reading: Reading) -> Iterator[Finding]:
    first_lines = dict[tuple[int, str, str], int]()
    for entry in reading.entries:
        uid, recurrence = entry.first("UID"), entry.first("RECURRENCE-ID")
        if uid is None or not uid.value:
            continue
        key = id(entry.parent), uid.value, recurrence.value if recurrence else ""
        if key in first_lines:
            yield UID_TWICE.at(uid.line, f"UID {quoted(uid.value)} is on line {first_lines[key]} already")
        first_lines.setdefault(key, uid.line)
