"""The linter returns findings for any input within a short time."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventcal.lint import Finding, lint
from eventcal.lint.parser import parse_file
from tests.feed_support.lint_feeds import NOW, VALID_FEED, to_crlf_bytes

VALID_LINES = VALID_FEED.splitlines()
CALENDAR_PIECES = [
    *("BEGIN:", "END:", "VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT", "\r\n", "\n", "\r", " ", ":", ";"),
    *("=", ",", '"', "\\", "TZID", "VALUE=DATE", "VALUE=PERIOD", "DTSTART", "RDATE", "UNTIL", "RRULE:FREQ=YEARLY;"),
    *("BYMONTH=", "BYDAY=", "00000000", "00010101T000000", "99991231T235960Z", "-5SU", "+9999", "PT", "-P1D", "\0"),
    *("\u2028", "\N{COMBINING ACUTE ACCENT}", "Europe/Berlin", "../etc/passwd", "9" * 5_000, "\ufeff", "\u0661"),
]
# In seconds. Each case takes far less, but the machine may be busy.
MAX_SECONDS = 20.0


def check_findings(data: bytes) -> list[Finding]:
    """Lint the octets and check that the findings are sorted, have valid line numbers and printable messages."""
    findings = lint(data, now=NOW)
    assert findings == sorted(findings)
    last = data.count(b"\n") + 1
    assert all(1 <= finding.line <= last for finding in findings)
    assert all(finding.message.isascii() and finding.message.isprintable() for finding in findings)
    assert [finding.message for finding in findings if len(finding.message) > 300] == []
    return findings


@settings(max_examples=200)
@given(st.binary(max_size=300))
@example(b"BEGIN:VCALENDAR")
@example(b"\xef\xbb\xbf")
@example(b" ")
def test_arbitrary_octets_are_linted(data: bytes) -> None:
    check_findings(data)
    check_findings(b"BEGIN:VCALENDAR\r\n" + data)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(CALENDAR_PIECES) | st.text(max_size=4), max_size=40))
def test_pieces_in_any_order_are_linted(pieces: list[str]) -> None:
    check_findings(to_crlf_bytes("BEGIN:VCALENDAR\n") + "".join(pieces).encode())


@settings(max_examples=200)
@given(st.integers(0, len(VALID_LINES) - 1), st.lists(st.sampled_from(CALENDAR_PIECES), max_size=3), st.integers(0, 40))
def test_valid_calendar_with_one_corrupted_line_is_linted(at: int, pieces: list[str], kept: int) -> None:
    changed = [*VALID_LINES[:at], VALID_LINES[at][:kept] + "".join(pieces), *VALID_LINES[at + 1 :]]
    check_findings(to_crlf_bytes("\n".join(changed)))


@settings(max_examples=100)
@given(st.data())
def test_calendar_with_missing_repeated_and_reordered_lines_is_linted(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(VALID_LINES), max_size=60))
    check_findings(to_crlf_bytes("BEGIN:VCALENDAR\n" + "\n".join(lines)))


@settings(max_examples=100)
@given(st.integers(0, len(to_crlf_bytes(VALID_FEED))), st.integers(0, 30), st.binary(max_size=5))
def test_valid_calendar_with_replaced_octets_is_linted(at: int, lost: int, added: bytes) -> None:
    good = to_crlf_bytes(VALID_FEED)
    check_findings(good[:at] + added + good[at + lost :])


@given(st.integers(0, len(to_crlf_bytes(VALID_FEED)) - 1))
def test_truncated_calendar_always_has_findings(length: int) -> None:
    assert check_findings(to_crlf_bytes(VALID_FEED)[:length]) != []


def wrap_in_calendar(content: str) -> bytes:
    return to_crlf_bytes(f"BEGIN:VCALENDAR\n{content}END:VCALENDAR\n")


def repeat_line(count: int, line: Callable[[int], str]) -> str:
    return "".join(line(one) for one in range(count))


OBSERVANCE_TEMPLATE = "BEGIN:STANDARD\nDTSTART:00010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n{}END:STANDARD\n"
BERLIN_EVENT_TEMPLATE = "BEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:{:04}0229T090000\nEND:VEVENT\n"
ENDLESS_RULE, RULE_WITHOUT_DATES = "RRULE:FREQ=SECONDLY\n", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n"
HOSTILE_CALENDARS = {
    "nested": wrap_in_calendar(repeat_line(50_000, lambda _: "BEGIN:A\n") + repeat_line(50_000, lambda _: "END:B\n")),
    "folds": wrap_in_calendar("X:a\n" + repeat_line(200_000, lambda _: " a\n")),
    "backslashes": wrap_in_calendar("SUMMARY:" + "\\" * 500_000 + "\n"),
    "parameters": wrap_in_calendar("X" + ";A=b" * 100_000 + ":c\n"),
    "open quote": wrap_in_calendar('X;A="' * 100_000 + "\n"),
    "a long list": wrap_in_calendar(
        "BEGIN:VEVENT\nDTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=" + "1," * 200_000 + "\n"
    ),
    "a rule for ever": wrap_in_calendar(
        f"BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n{OBSERVANCE_TEMPLATE.format(ENDLESS_RULE)}END:VTIMEZONE\n"
        + repeat_line(2_000, lambda number: BERLIN_EVENT_TEMPLATE.format(number + 1))
    ),
    "a rule that never comes": wrap_in_calendar(
        f"BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n{OBSERVANCE_TEMPLATE.format(RULE_WITHOUT_DATES)}"
        "END:VTIMEZONE\n" + repeat_line(2_000, lambda number: BERLIN_EVENT_TEMPLATE.format(4 * number + 4))
    ),
    "many observances": wrap_in_calendar(
        f"BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n{OBSERVANCE_TEMPLATE.format('') * 3_000}END:VTIMEZONE\n"
        + BERLIN_EVENT_TEMPLATE.format(2024) * 3_000
    ),
}


@pytest.mark.parametrize("name", HOSTILE_CALENDARS)
def test_hostile_calendar_is_linted_in_bounded_time(name: str) -> None:
    begun = time.monotonic()
    check_findings(HOSTILE_CALENDARS[name])
    assert time.monotonic() - begun < MAX_SECONDS


def test_parsed_components_and_properties_keep_their_first_line_number() -> None:
    reading = parse_file(b'BEGIN:VCALENDAR\r\nX;a=b,"c:d":e\r\n f\r\n\r\nEND:vcalendar\r\n')
    (calendar,) = reading.calendars
    (written,) = calendar.properties
    assert (calendar.line, calendar.has_end) == (1, True)
    assert (written.line, written.name, written.parameters, written.value) == (2, "X", {"A": ("b", "c:d")}, "ef")
    assert [(line.number, line.octets, line.line_ending) for line in reading.physical_lines][2:] == [
        (3, b" f", b"\r\n"),
        (4, b"", b"\r\n"),
        (5, b"END:vcalendar", b"\r\n"),
    ]
