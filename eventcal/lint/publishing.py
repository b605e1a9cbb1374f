"""Rules about a calendar that is there to be subscribed to: invitations, its name, how often to look."""

from collections.abc import Iterator

from eventcal.kit.localtime import known_zone
from eventcal.lint.findings import Finding, error, quoted, warning
from eventcal.lint.reading import Component, Reading

WITHOUT_ORGANISER = error(
    "method-without-organizer",
    "RFC 5546, 3.2",
    "The calendar has a METHOD, which demands an ORGANIZER in every entry, and one has none. Leave METHOD out.",
)
PUBLISHED_ATTENDEE = error(
    "publish-with-attendee",
    "RFC 5546, 3.2.1",
    "The calendar has METHOD:PUBLISH, and an entry an ATTENDEE, which it must not.",
)
METHOD = warning(
    "method",
    "RFC 5546, 1.4",
    "The calendar has a METHOD. That is for messages between organiser and attendees; "
    "programs ask to accept what they should just show.",
)
ORGANIZER = warning(
    "organizer",
    "RFC 5545, 3.8.4.3",
    "An entry has an ORGANIZER: Apple's calendar refuses to import it, and Outlook asks to accept it. Told once.",
)
ATTENDEE = warning(
    "attendee",
    "RFC 5545, 3.8.4.1",
    "An entry has an ATTENDEE: it looks like an invitation, and tells everybody who comes. Told once.",
)
NAME = warning("name-missing", "RFC 7986, 5.1", "The calendar has no NAME.")
CALNAME = warning(
    "calname-missing",
    "RFC 7986, 5.1",
    "The calendar has no X-WR-CALNAME, which most programs read instead of NAME.",
)
REFRESH = warning(
    "refresh-interval-missing",
    "RFC 7986, 5.7",
    "The calendar does not say how often to look for changes (REFRESH-INTERVAL); some programs look once a week.",
)
WR_TIMEZONE = warning(
    "calendar-zone",
    "RFC 5545, 3.8.3.1",
    "X-WR-TIMEZONE is not a name of the IANA database.",
)

RULES = (WITHOUT_ORGANISER, PUBLISHED_ATTENDEE, METHOD, ORGANIZER, ATTENDEE, NAME, CALNAME, REFRESH, WR_TIMEZONE)

_HEAD = ((NAME, "NAME"), (CALNAME, "X-WR-CALNAME"), (REFRESH, "REFRESH-INTERVAL"))


def check_publishing(reading: Reading) -> Iterator[Finding]:
    """Yield what makes a calendar worse to subscribe to."""
    for calendar in reading.calendars:
        for rule, name in _HEAD:
            if calendar.first(name) is None:
                yield rule.at(calendar.line, f"the calendar has no {name}")
        for written in calendar.all("X-WR-TIMEZONE"):
            if not known_zone(written.value):
                yield WR_TIMEZONE.at(written.line, f"X-WR-TIMEZONE is {quoted(written.value)}")
        yield from _check_method(calendar, [entry for entry in reading.entries if entry.parent is calendar])
    for rule, name in ((ORGANIZER, "ORGANIZER"), (ATTENDEE, "ATTENDEE")):
        found = [entry for entry in reading.entries if entry.first(name)]
        if found:
            more = f", and so have {len(found) - 1} more" if len(found) > 1 else ""
            yield rule.at(found[0].all(name)[0].line, f"the {found[0].name} has an {name}{more}")


def _check_method(calendar: Component, entries: list[Component]) -> Iterator[Finding]:
    method = calendar.first("METHOD")
    if method is None:
        return
    bare = next((entry for entry in entries if entry.first("ORGANIZER") is None), None)
    if bare is not None:
        message = f"METHOD is {quoted(method.value)}, and the {bare.name} of line {bare.line} has no ORGANIZER"
        yield WITHOUT_ORGANISER.at(method.line, message)
    else:
        yield METHOD.at(method.line, f"METHOD is {quoted(method.value)}")
    if method.value.upper() == "PUBLISH":
        for entry in entries:
            if attendee := entry.first("ATTENDEE"):
                yield PUBLISHED_ATTENDEE.at(attendee.line, "METHOD is PUBLISH, and here is an ATTENDEE")
