"""The limitations in tests/readers/limits.py are reader bugs that also occur with other feeds."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.readers import libraries
from tests.readers.libraries import Reader, of_node
from tests.readers.node import NodeReader, node_reader

PLAIN_TIMES = ("DTSTART:20260610T080000Z", "DTEND:20260610T090000Z")


def make_feed(*lines: str, times: tuple[str, str] = PLAIN_TIMES, above: tuple[str, ...] = ()) -> str:
    """Return a feed with one entry that has these lines."""
    texts = [f"{name}:x" for name in ("SUMMARY", "DESCRIPTION") if not any(line.startswith(name) for line in lines)]
    entry = ("UID:1@example.org", "DTSTAMP:20260101T000000Z", "STATUS:CONFIRMED", *times, *lines, *texts)
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//EN", *above)
    return "".join(f"{line}\r\n" for line in (*head, "BEGIN:VEVENT", *entry, "END:VEVENT", "END:VCALENDAR"))


@pytest.fixture(scope="module")
def javascript_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeReader]:
    with node_reader(tmp_path_factory) as reader:
        yield reader


def javascript_reader(node: NodeReader, name: str) -> Reader:
    return lambda text: [of_node(entry) for entry in node.ask({"reader": name, "text": text})["entries"]]


def read_field(reader: Reader, text: str, field: str) -> object:
    (entry,) = reader(text)
    return getattr(entry, field)


# Each case: the reader, the line, the field, the correct value (as read by icalendar) and the misread value.
PYTHON_CASES = [
    (libraries.by_ical, r"CATEGORIES:a\,b", "categories", ("a,b",), ("a\\", "b")),
    (libraries.by_ics, r"SUMMARY:C:\\new", "title", r"C:\new", "C:\\\new"),
    (libraries.by_ics, f"SUMMARY:a\r\n {' ' * 74}\r\n b", "title", f"a{' ' * 74}b", "ab"),
    (libraries.by_ics, r"CATEGORIES:a\\,b", "categories", ("a\\", "b"), (r"a\,b",)),
]
JAVASCRIPT_CASES = [
    ("ical.js", r"CATEGORIES:a\\,b", "categories", ("a\\", "b"), (r"a\,b",)),
    ("node-ical", r"SUMMARY:C:\\new", "title", r"C:\new", "C:\\\new"),
    ("node-ical", 'SUMMARY:"a"', "title", '"a"', "a"),
    ("node-ical", 'SUMMARY:a "b" TZID=', "title", 'a "b" TZID=', "a b TZID="),
    ("node-ical", r"CATEGORIES:a\,b", "categories", ("a,b",), ("a\\", "b")),
    ("node-ical", "CATEGORIES: a , b", "categories", (" a ", " b"), ("a", "b")),
    ("node-ical", r"CATEGORIES:a\;b", "categories", ("a;b",), (r"a\;b",)),
]


@pytest.mark.parametrize(("reader", "line", "field", "right", "found"), PYTHON_CASES)
def test_python_readers_misread_some_texts(
    reader: Reader, line: str, field: str, *, right: object, found: object
) -> None:
    text = make_feed(line)
    assert (read_field(libraries.by_icalendar, text, field), read_field(reader, text, field)) == (right, found)


@pytest.mark.parametrize(("name", "line", "field", "right", "found"), JAVASCRIPT_CASES)
def test_javascript_readers_misread_some_texts(
    javascript_process: NodeReader, name: str, line: str, field: str, *, right: object, found: object
) -> None:
    text = make_feed(line)
    assert (
        read_field(libraries.by_icalendar, text, field),
        read_field(javascript_reader(javascript_process, name), text, field),
    ) == (right, found)


def vtimezone_lines(name: str, offset: str) -> tuple[str, ...]:
    """Return a VTIMEZONE with a fixed offset."""
    offsets = (f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}")
    standard = ("BEGIN:STANDARD", "DTSTART:19700101T000000", *offsets, "END:STANDARD")
    return ("BEGIN:VTIMEZONE", f"TZID:{name}", *standard, "END:VTIMEZONE")


def parse_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_recurring_ical_events_loses_the_repeated_hour() -> None:
    text = make_feed(
        times=("DTSTART:20261025T003000Z", "DTEND:20261025T013000Z"), above=("X-WR-TIMEZONE:Europe/Berlin",)
    )
    assert read_field(libraries.by_icalendar, text, "end") == parse_utc("2026-10-25T01:30")
    assert read_field(libraries.by_recurring_ical_events, text, "end") == parse_utc("2026-10-25T00:30")


def test_vobject_drops_a_zone_with_offset_zero() -> None:
    times = ("DTSTART;TZID=Its/Own:20261001T090000", "DTEND;TZID=Its/Own:20261001T100000")
    text = make_feed(times=times, above=vtimezone_lines("Its/Own", "+0000"))
    assert read_field(libraries.by_icalendar, text, "start") == parse_utc("2026-10-01T09:00")
    with pytest.raises(AssertionError, match="2026-10-01 09:00:00 is floating"):
        libraries.by_vobject(text)


def test_ics_ignores_vtimezone() -> None:
    times = ("DTSTART;TZID=Its/Other:20261001T090000", "DTEND;TZID=Its/Other:20261001T100000")
    text = make_feed(times=times, above=vtimezone_lines("Its/Other", "+0200"))
    assert read_field(libraries.by_icalendar, text, "start") == parse_utc("2026-10-01T07:00")
    assert read_field(libraries.by_ics, text, "start") == parse_utc("2026-10-01T09:00")


def test_javascript_readers_use_the_second_occurrence_of_a_repeated_time(javascript_process: NodeReader) -> None:
    times = ("DTSTART;TZID=Europe/Berlin:20261025T023000", "DTEND;TZID=Europe/Berlin:20261025T040000")
    summer = ("BEGIN:DAYLIGHT", "DTSTART:20260329T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "END:DAYLIGHT")
    winter = ("BEGIN:STANDARD", "DTSTART:20261025T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD")
    text = make_feed(times=times, above=("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", *summer, *winter, "END:VTIMEZONE"))
    assert read_field(libraries.by_icalendar, text, "start") == parse_utc("2026-10-25T00:30")
    for name in ("ical.js", "node-ical"):
        assert (name, read_field(javascript_reader(javascript_process, name), text, "start")) == (
            name,
            parse_utc("2026-10-25T01:30"),
        )
