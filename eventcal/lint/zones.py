"""Rules about time zones: that each is there, named, whole, and right (RFC 5545, 3.6.5)."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from eventcal.kit.localtime import UTC_NAMES, known_zone
from eventcal.lint.findings import Finding, error, quoted, warning
from eventcal.lint.moments import Kind, iana_offset, read_moment, read_offset
from eventcal.lint.observances import offset_at, read_observances
from eventcal.lint.reading import ENTRIES, Component, Reading
from eventcal.lint.times import TIMES, moments

MISSING = error(
    "zone-missing",
    "RFC 5545, 3.2.19",
    "A TZID names a zone that no VTIMEZONE describes. Told once a zone, at its first use.",
)
TWICE = error("zone-twice", "RFC 5545, 3.6.5", "Two VTIMEZONEs have the same TZID.")
NAMELESS = error("zone-nameless", "RFC 5545, 3.8.3.1", "A VTIMEZONE has no TZID.")
EMPTY = error("zone-empty", "RFC 5545, 3.6.5", "A VTIMEZONE has neither STANDARD nor DAYLIGHT.")
OBSERVANCE = error(
    "zone-observance",
    "RFC 5545, 3.6.5",
    "A STANDARD or DAYLIGHT has no DTSTART in local time, or no TZOFFSETFROM or TZOFFSETTO of the form +0100.",
)
OFFSET = error(
    "zone-offset",
    "RFC 5545, 3.6.5",
    "For a time of an entry, the VTIMEZONE gives another offset than the IANA zone of that name: "
    "programs show it at different instants. Told once a zone, at the first such time.",
)
UNUSED = warning("zone-unused", "RFC 5545, 3.6.5", "No entry uses a VTIMEZONE.")
NOT_IANA = warning(
    "zone-not-iana",
    "RFC 5545, 3.8.3.1",
    "A TZID is not a name of the IANA database; many programs go by the name and not by the VTIMEZONE.",
)
UTC = warning("zone-utc", "RFC 5545, 3.3.5", "A TZID names UTC; a time in UTC is written with a Z and no TZID.")
LATE = warning(
    "zone-late",
    "RFC 5545, 3.6.5",
    "A VTIMEZONE stands after an entry that uses it; programs that read once do not know it yet.",
)
OUTLOOK = warning(
    "zone-observances",
    "RFC 5545, 3.6.5",
    "A VTIMEZONE with recurrence rules has more than one STANDARD or DAYLIGHT. Outlook reads one of each.",
)
RDATES = warning(
    "zone-rdate-list",
    "RFC 5545, 3.8.5.2",
    "An RDATE in a VTIMEZONE has several values; ical.js reads the first only.",
)

RULES = (MISSING, TWICE, NAMELESS, EMPTY, OBSERVANCE, OFFSET, UNUSED, NOT_IANA, UTC, LATE, OUTLOOK, RDATES)

_NEEDED = ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")
# How often a local time may be looked up in an observance; beyond it, a zone's later times are not compared.
_MOST_LOOKUPS = 200_000


def check_zones(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with time zones and with how they are named, each calendar by itself."""
    of_calendars: dict[int, list[Component]] = {id(calendar): [] for calendar in reading.calendars}
    for component in reading.components:
        if id(component.root) in of_calendars:
            of_calendars[id(component.root)].append(component)
    for components in of_calendars.values():
        yield from _check_calendar(components)


def _check_calendar(components: list[Component]) -> Iterator[Finding]:
    described = dict[str, Component]()
    for zone in (component for component in components if component.name == "VTIMEZONE"):
        yield from _check_zone(zone)
        written = zone.first("TZID")
        if written is None or not written.value:
            yield NAMELESS.at(zone.line, "the VTIMEZONE has no TZID")
        elif written.value in described:
            yield TWICE.at(written.line, f"{quoted(written.value)} is described above already")
        else:
            described[written.value] = zone
    used = _first_uses(components)
    for tzid, line in used.items():
        yield from _check_use(tzid, line, described.get(tzid))
    for tzid, zone in described.items():
        if tzid not in used:
            yield UNUSED.at(zone.line, f"no entry uses {quoted(tzid)}")
    yield from _check_offsets(components, described)


def _first_uses(components: list[Component]) -> dict[str, int]:
    """Return every TZID that a property names, with the line of the first."""
    uses = dict[str, int]()
    for component in components:
        for written in component.properties:
            tzid = written.parameter("TZID")
            if tzid and component.name not in {"VTIMEZONE", "STANDARD", "DAYLIGHT"}:
                uses.setdefault(tzid, written.line)
    return uses


def _check_use(tzid: str, line: int, zone: Component | None) -> Iterator[Finding]:
    name = quoted(tzid)
    if tzid in UTC_NAMES or tzid == "GMT":
        yield UTC.at(line, f"TZID is {name}, which a Z says")
    elif not known_zone(tzid):
        yield NOT_IANA.at(line, f"{name} is not a name of the IANA database")
    # A name that begins with a slash is known everywhere (RFC 5545, 3.2.19).
    if zone is None and not tzid.startswith("/"):
        yield MISSING.at(line, f"no VTIMEZONE describes {name}")
    elif zone and zone.line > line:
        yield LATE.at(zone.line, f"line {line} uses {name} already")


def _check_zone(zone: Component) -> Iterator[Finding]:
    observances = [part for part in zone.parts if part.name in {"STANDARD", "DAYLIGHT"}]
    if not observances:
        yield EMPTY.at(zone.line, "the VTIMEZONE has neither STANDARD nor DAYLIGHT")
    for observance in observances:
        yield from _check_observance(observance)
    names = Counter(part.name for part in observances)
    if any(part.first("RRULE") for part in observances) and max(names.values()) > 1:
        counted = " and ".join(f"{number} {name}" for name, number in sorted(names.items()))
        yield OUTLOOK.at(zone.line, f"the VTIMEZONE has {counted}")


def _check_observance(observance: Component) -> Iterator[Finding]:
    for name in _NEEDED:
        written = observance.first(name)
        if written is None:
            yield OBSERVANCE.at(observance.line, f"the {observance.name} has no {name}")
            continue
        if name == "DTSTART":
            moment = read_moment(written.value, written)
            right = moment is not None and moment.kind is Kind.FLOATING
        else:
            right = read_offset(written.value) is not None
        if not right:
            yield OBSERVANCE.at(written.line, f"{name} is {quoted(written.value)}")
    for written in observance.all("RDATE"):
        if "," in written.value:
            yield RDATES.at(written.line, "RDATE has several values")


def _check_offsets(components: list[Component], described: dict[str, Component]) -> Iterator[Finding]:
    observances = {tzid: read_observances(zone) for tzid, zone in described.items() if known_zone(tzid)}
    lookups = Counter[str]()
    for line, tzid, local in _zoned_times(components):
        known = observances.get(tzid)
        if not known or lookups[tzid] > _MOST_LOOKUPS:
            continue
        lookups[tzid] += len(known)
        here, iana = offset_at(known, local), iana_offset(tzid, local)
        if iana is not None and here != iana:
            observances[tzid] = None
            at = f"{local:%Y-%m-%dT%H:%M:%S}"
            yield OFFSET.at(line, f"{quoted(tzid)} is {_east(here)} here at {at}, {_east(iana)} in the IANA database")


def _zoned_times(components: list[Component]) -> Iterator[tuple[int, str, datetime]]:
    for entry in (component for component in components if component.name in ENTRIES):
        for written in entry.all(*TIMES):
            for moment in moments(written):
                if moment and moment.kind is Kind.ZONED and moment.tzid:
                    yield written.line, moment.tzid, moment.local


def _east(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3_600)
    text = f"{'-' if seconds < 0 else '+'}{hours:02}:{rest // 60:02}"
    return f"{text}:{rest % 60:02}" if rest % 60 else text
