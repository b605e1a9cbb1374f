"""The linter returns findings for any input within a short time."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventcal.lint import Finding, lint
from eventcal.lint.parser import parse_file
from tests.feed_support.lint_feeds import GOOD, NOW, octets

LINES = GOOD.splitlines()
PIECES = [
    *("BEGIN:", "END:", "VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT", "\r\n", "\n", "\r", " ", ":", ";"),
    *("=", ",", '"', "\\", "TZID", "VALUE=DATE", "VALUE=PERIOD", "DTSTART", "RDATE", "UNTIL", "RRULE:FREQ=YEARLY;"),
    *("BYMONTH=", "BYDAY=", "00000000", "00010101T000000", "99991231T235960Z", "-5SU", "+9999", "PT", "-P1D", "\0"),
    *("\u2028", "\N{COMBINING ACUTE ACCENT}", "Europe/Berlin", "../etc/passwd", "9" * 5_000, "\ufeff", "\u0661"),
]
# In seconds. Each case takes far less, but the machine may be busy.
SOON = 20.0


def check(data: bytes) -> list[Finding]:
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
    check(data)
    check(b"BEGIN:VCALENDAR\r\n" + data)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40))
def test_pieces_in_any_order_are_linted(pieces: list[str]) -> None:
    check(octets("BEGIN:VCALENDAR\n") + "".join(pieces).encode())


@settings(max_examples=200)
@given(st.integers(0, len(LINES) - 1), st.lists(st.sampled_from(PIECES), max_size=3), st.integers(0, 40))
def test_valid_calendar_with_one_corrupted_line_is_linted(at: int, pieces: list[str], kept: int) -> None:
    changed = [*LINES[:at], LINES[at][:kept] + "".join(pieces), *LINES[at + 1 :]]
    check(octets("\n".join(changed)))


@settings(max_examples=100)
@given(st.data())
def test_calendar_with_missing_repeated_and_reordered_lines_is_linted(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(LINES), max_size=60))
    check(octets("BEGIN:VCALENDAR\n" + "\n".join(lines)))


@settings(max_examples=100)
@given(st.integers(0, len(octets(GOOD))), st.integers(0, 30), st.binary(max_size=5))
def test_valid_calendar_with_replaced_octets_is_linted(at: int, lost: int, added: bytes) -> None:
    good = octets(GOOD)
    check(good[:at] + added + good[at + lost :])


@given(st.integers(0, len(octets(GOOD)) - 1))
def test_truncated_calendar_always_has_findings(length: int) -> None:
    assert check(octets(GOOD)[:length]) != []


def calendar(inside: str) -> bytes:
    return octets(f"BEGIN:VCALENDAR\n{inside}END:VCALENDAR\n")


def many(number: int, line: Callable[[int], str]) -> str:
    return "".join(line(one) for one in range(number))


OBSERVANCE = "BEGIN:STANDARD\nDTSTART:00010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n{}END:STANDARD\n"
IN_BERLIN = "BEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:{:04}0229T090000\nEND:VEVENT\n"
FOR_EVER, NEVER = "RRULE:FREQ=SECONDLY\n", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n"
HOSTILE = {
    "nested": calendar(many(50_000, lambda _: "BEGIN:A\n") + many(50_000, lambda _: "END:B\n")),
    "folds": calendar("X:a\n" + many(200_000, lambda _: " a\n")),
    "backslashes": calendar("SUMMARY:" + "\\" * 500_000 + "\n"),
    "parameters": calendar("X" + ";A=b" * 100_000 + ":c\n"),
    "open quote": calendar('X;A="' * 100_000 + "\n"),
    "a long list": calendar("BEGIN:VEVENT\nDTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=" + "1," * 200_000 + "\n"),
    "a rule for ever": calendar(
        f"BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n{OBSERVANCE.format(FOR_EVER)}END:VTIMEZONE\n"
        + many(2_000, lambda number: IN_BERLIN.format(number + 1))
    ),
    "a rule that never comes": calendar(
        f"BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n{OBSERVANCE.format(NEVER)}"
        "END:VTIMEZONE\n" + many(2_000, lambda number: IN_BERLIN.format(4 * number + 4))
    ),
    "many observances": calendar(
        f"BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n{OBSERVANCE.format('') * 3_000}END:VTIMEZONE\n"
        + IN_BERLIN.format(2024) * 3_000
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_calendar_is_linted_in_bounded_time(name: str) -> None:
    begun = time.monotonic()
    check(HOSTILE[name])
    assert time.monotonic() - begun < SOON


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
