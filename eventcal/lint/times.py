"""Rules about when entries are (RFC 5545, 3.8.2) and about their stamps (3.8.7)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from eventcal.lint.findings import Finding, error, quoted, warning
from eventcal.lint.moments import Kind, Moment, read_duration, read_moment
from eventcal.lint.reading import Component, Property, Reading

BAD_TIME = error(
    "bad-time",
    "RFC 5545, 3.3.5",
    "A value is no date (20260301) and no time (20260301T120000, with Z where it is UTC), or one that no calendar has.",
)
VALUE_DATE = error(
    "value-date",
    "RFC 5545, 3.2.20",
    "A date stands where VALUE does not say DATE, or a time where it does.",
)
TZID = error(
    "tzid-not-allowed",
    "RFC 5545, 3.2.19",
    "TZID stands at a date, or at a time that says with its Z that it is UTC.",
)
STAMP = error(
    "stamp-not-utc",
    "RFC 5545, 3.8.7",
    "DTSTAMP, CREATED, LAST-MODIFIED or COMPLETED is not a time in UTC, with a Z at its end.",
)
END_KIND = error(
    "end-kind",
    "RFC 5545, 3.8.2.2",
    "The end is of another kind than DTSTART: one is a date and the other a time, or only one floats.",
)
END_ORDER = error(
    "end-order",
    "RFC 5545, 3.8.2.2",
    "The end is not later than DTSTART. The end of whole days is the day after the last.",
)
END_AND_DURATION = error("end-and-duration", "RFC 5545, 3.6.1", "An entry has both an end and a DURATION.")
DURATION = error(
    "duration",
    "RFC 5545, 3.8.2.5",
    "DURATION is not of the form PT1H30M, P3D or P2W, or is negative, or counts hours from a date.",
)
INSTANCE_KIND = error(
    "instance-kind",
    "RFC 5545, 3.8.4.4",
    "A RECURRENCE-ID or EXDATE is a date where the series begins at a time, or the other way round: it hits nothing.",
)
FLOATING = warning(
    "floating-time",
    "RFC 5545, 3.3.5",
    "A time has no zone: it happens at another instant for each reader.",
)
FUTURE = warning(
    "stamp-in-future",
    "RFC 5545, 3.8.7.2",
    "DTSTAMP, CREATED or LAST-MODIFIED has not come yet; a later change then looks older than what programs hold.",
)

RULES = (
    *(BAD_TIME, VALUE_DATE, TZID, STAMP, END_KIND, END_ORDER, END_AND_DURATION, DURATION),
    *(INSTANCE_KIND, FLOATING, FUTURE),
)

TIMES = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE")
_STAMPS = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED")
_LISTS = frozenset({"EXDATE", "RDATE"})
# Clocks differ a little.
_SLACK = timedelta(minutes=5)


def check_times(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with the times of entries."""
    for entry in reading.entries:
        for written in entry.all(*TIMES):
            yield from _check_values(written)
        yield from _check_span(entry)
    yield from _check_instances(reading.entries)


def check_stamps(reading: Reading, now: datetime | None) -> Iterator[Finding]:
    """Yield what is wrong with stamps; whether they have come is asked only where `now` is known."""
    for component in reading.components:
        for written in component.all(*_STAMPS):
            moment = read_moment(written.value, written)
            if moment is None or moment.kind is not Kind.UTC:
                yield STAMP.at(written.line, f"{written.name} is {quoted(written.value)}, no time in UTC")
            elif now and moment.local.replace(tzinfo=UTC) - _SLACK > now:
                yield FUTURE.at(written.line, f"{written.name} is {quoted(written.value)}, which has not come yet")


def moments(written: Property) -> list[Moment | None]:
    """Return what a property's values say, of a period its start; None for what cannot be read."""
    values = written.value.split(",") if written.name in _LISTS else [written.value]
    if written.kind == "PERIOD":
        values = [value.partition("/")[0] for value in values]
    return [read_moment(value, written) for value in values]


def _check_values(written: Property) -> Iterator[Finding]:
    name, value = written.name, quoted(written.value)
    found = moments(written)
    kinds = {moment.kind for moment in found if moment}
    if None in found:
        yield BAD_TIME.at(written.line, f"{name} is {value}, no date and no time")
    elif (kinds == {Kind.DATE}) is not (written.kind == "DATE"):
        yield VALUE_DATE.at(written.line, f"{name} is {value}, which VALUE={written.kind or 'DATE-TIME'} does not say")
    elif written.parameter("TZID") and kinds & {Kind.DATE, Kind.UTC}:
        yield TZID.at(written.line, f"{name} is {value}, which goes with no TZID")
    elif Kind.FLOATING in kinds:
        yield FLOATING.at(written.line, f"{name} is {value}, without a zone")


def _one(entry: Component, name: str) -> tuple[Property, Moment] | None:
    written = entry.first(name)
    moment = moments(written)[0] if written else None
    return (written, moment) if written and moment else None


def _check_span(entry: Component) -> Iterator[Finding]:
    starts, ends = _one(entry, "DTSTART"), _one(entry, "DUE" if entry.name == "VTODO" else "DTEND")
    duration = entry.first("DURATION")
    if duration:
        yield from _check_duration(duration, starts[1] if starts else None)
        if ends:
            yield END_AND_DURATION.at(max(duration.line, ends[0].line), f"{ends[0].name} and DURATION are both there")
    if starts and ends:
        yield from _check_end(ends[0], starts[1], ends[1])


def _check_end(written: Property, starts: Moment, ends: Moment) -> Iterator[Finding]:
    for kind in (Kind.DATE, Kind.FLOATING):
        if (starts.kind is kind) is not (ends.kind is kind):
            yield END_KIND.at(written.line, f"{written.name} is {ends.kind}, DTSTART {starts.kind}")
            return
    since, until = (starts.local, ends.local) if starts.tzid == ends.tzid else (starts.instant, ends.instant)
    if since is not None and until is not None and until <= since:
        yield END_ORDER.at(written.line, f"{written.name} is {quoted(written.value)}, no later than DTSTART")


def _check_duration(written: Property, starts: Moment | None) -> Iterator[Finding]:
    duration = read_duration(written.value)
    if duration is None or duration < timedelta(0):
        yield DURATION.at(written.line, f"DURATION is {quoted(written.value)}")
    elif starts and starts.kind is Kind.DATE and "T" in written.value:
        yield DURATION.at(written.line, f"DURATION is {quoted(written.value)}, from a date on")


def _check_instances(entries: Iterable[Component]) -> Iterator[Finding]:
    """Compare what names an occurrence with the DTSTART of the series: of this entry, or of the one with its UID."""
    entries = list(entries)
    series = {
        _series(entry): starts for entry in entries if not entry.first("RECURRENCE-ID") if (starts := _starts(entry))
    }
    for entry in entries:
        for written, starts in (
            *((written, _starts(entry)) for written in entry.all("EXDATE")),
            *((written, series.get(_series(entry))) for written in entry.all("RECURRENCE-ID")),
        ):
            kinds = {moment.kind for moment in moments(written) if moment}
            if starts and any((kind is Kind.DATE) is not (starts.kind is Kind.DATE) for kind in kinds):
                message = f"{written.name} is {quoted(written.value)}, and the series begins at {starts.kind}"
                yield INSTANCE_KIND.at(written.line, message)


def _starts(entry: Component) -> Moment | None:
    found = _one(entry, "DTSTART")
    return found[1] if found else None


def _series(entry: Component) -> tuple[int, str]:
    uid = entry.first("UID")
    return id(entry.parent), uid.value if uid else ""
