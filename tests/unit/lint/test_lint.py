"""Every linter rule, with a calendar that violates only that rule, and a calendar without findings."""

import pytest

from eventcal.lint import Finding, Severity, lint
from eventcal.lint.rules import RULES_BY_SUBJECT
from tests.feed_support.lint_feeds import BERLIN, EVENT, GOOD, NOW, Case, broken, octets

RULES = {rule.code: rule for rules in RULES_BY_SUBJECT.values() for rule in rules}

DTSTART = "DTSTART;TZID=Europe/Berlin:20260610T090000"
DTEND = "DTEND;TZID=Europe/Berlin:20260610T100000"
DATE_END = "DTEND;VALUE=DATE:20260616"
UTC_START, UTC_END = "DTSTART:20260616T100000Z", "DTEND:20260616T110000Z"
UNTIL = "RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20260701T070000Z"
STAMP = "DTSTAMP:20260210T100000Z"
ZONE_NAME = "TZID:Europe/Berlin"
ORGANIZER = "ORGANIZER:mailto:ada@example.org"
UTC_ZONE = """\
BEGIN:VTIMEZONE
TZID:UTC
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0000
TZOFFSETTO:+0000
END:STANDARD
END:VTIMEZONE
"""
LOTUS = UTC_ZONE.replace("TZID:UTC", "TZID:Lotus")
OLD_STANDARD = """\
BEGIN:STANDARD
DTSTART:19500101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
"""
RDATES = "RDATE:19480418T020000,19490410T020000\n"


def octet_cases() -> list[Case]:
    good = octets(GOOD)
    lines = good.split(b"\r\n")
    stand = lines.index(b"LOCATION:Room 1") + 1
    count = good.count(b"\r\n")

    def located(value: bytes) -> bytes:
        return good.replace(b"LOCATION:Room 1", b"LOCATION:" + value)

    return [
        Case("byte-order-mark", b"\xef\xbb\xbf" + good, 1),
        Case("not-utf-8", located(b"M\xfcnchen"), stand),
        Case("line-end", good.replace(b"\r\n", b"\n"), 1),
        Case("line-end", good.replace(b"Room 1\r\n", b"Room 1\n"), stand).called("one"),
        Case("bare-cr", located(b"Room\r1"), stand),
        Case("bare-cr", located(b"Room 1\r"), stand).called("twice-converted"),
        Case("last-line", good.removesuffix(b"\r\n"), count),
        Case("empty-line", located(b"Room 1\r\n"), stand + 1),
        Case("control-character", located(b"Room\x071"), stand),
        Case("content-line", located(b"Room 1\r\nthe big one"), stand + 1),
        Case("content-line", located(b'Room 1\r\nNOTE;X="a:b'), stand + 1).called("open-quote"),
        Case("line-length", located(b"a" * 67), stand),
        Case("line-length", located(b"a" * 60 + b"\r\n " + b"b" * 75), stand + 1).called("fold"),
        Case("fold-in-character", located(b"Caf\xc3\r\n \xa9"), stand),
        Case("fold-in-escape", located(b"a\\\r\n ,b"), stand),
        Case("line-separator", located("a\u2028b".encode()), stand),
        Case("no-calendar", b"<!doctype html>\n<p>Sign in", 1),
        Case("no-calendar", b"", 1).called("nothing"),
    ]


STRUCTURE = [
    broken("outside", {"END:VCALENDAR\n": "END:VCALENDAR\nX-LATE:1\n"}, "X-LATE"),
    broken("outside", {"END:VCALENDAR\n": f"END:VCALENDAR\n{BERLIN}"}, 75).called("component"),
    broken("unbalanced", {"END:VCALENDAR\n": ""}, 1),
    broken("unbalanced", {"END:VEVENT\n": "END:VEVENT\nEND:VTODO\n"}, "END:VTODO").called("end"),
    broken("misplaced-component", {"END:VEVENT\n": f"{EVENT}END:VEVENT\n"}, 52),
    broken("version", {"VERSION:2.0\n": ""}, 1),
    broken("version", {"VERSION:2.0\n": "VERSION:1.0\n"}, 2).called("old"),
    broken("prodid", {"PRODID:-//Example//Talks//EN\n": ""}, 1),
    broken("calscale", {"GREGORIAN": "JULIAN"}, 4),
    broken("property-twice", {"LOCATION:Room 1": "LOCATION:Room 1\nLOCATION:Room 2"}, "LOCATION:Room 2"),
    broken("property-twice", {"VERSION:2.0": "VERSION:2.0\nVERSION:2.0"}, 3).called("head"),
    broken("uid-missing", {"UID:two@example.org\n": ""}, 53),
    broken("uid-twice", {"UID:two@": "UID:one@"}, 54),
    broken("dtstamp-missing", {f"{STAMP}\nSUMMARY:A day": "SUMMARY:A day"}, 60),
    broken("dtstart-missing", {UTC_START + "\n": ""}, 67),
    broken("several-calendars", {"END:VCALENDAR\n": f"END:VCALENDAR\n{GOOD}"}, 75),
    broken(
        "nested-component", {"END:VEVENT\n": "BEGIN:PARTICIPANT\nUID:p\nEND:PARTICIPANT\nEND:VEVENT\n"}, "BEGIN:PART"
    ),
    broken("summary-missing", {"SUMMARY:A day\n": ""}, 60),
    Case("no-entries", octets(GOOD[: GOOD.index("BEGIN:VTIME")] + "END:VCALENDAR\n"), 1, "no-entries"),
]

TIMES = [
    broken("bad-time", {UTC_START: "DTSTART:2026-06-16T10:00:00Z"}, "DTSTART:2026-"),
    broken("bad-time", {UTC_START: "DTSTART:20260631T100000Z"}, "DTSTART:20260631").called("no-such-day"),
    broken("value-date", {"DTSTART;VALUE=DATE:20260615": "DTSTART:20260615"}, "DTSTART:20260615"),
    broken("tzid-not-allowed", {UTC_START: f"DTSTART;TZID=Europe/Berlin:{UTC_START[8:]}"}, 71),
    broken("stamp-not-utc", {STAMP: STAMP.removesuffix("Z")}, "DTSTAMP"),
    broken("stamp-not-utc", {"CREATED:20260201T100000Z": "CREATED:yesterday"}, "CREATED").called("created"),
    broken("end-kind", {DATE_END: "DTEND:20260616T000000Z"}, "DTEND:20260616T000000Z"),
    broken("end-order", {DATE_END: "DTEND;VALUE=DATE:20260615"}, "DTEND;VALUE"),
    broken("end-order", {DTEND: "DTEND:20260610T070000Z"}, "DTEND:20260610").called("zones"),
    broken("end-and-duration", {DATE_END: f"{DATE_END}\nDURATION:P1D"}, "DURATION:P1D"),
    broken("duration", {"DURATION:P3D": "DURATION:3 days"}, "DURATION"),
    broken("duration", {"DURATION:P3D": "DURATION:P"}, "DURATION").called("empty"),
    broken("duration", {"DURATION:P3D": "DURATION:-P3D"}, "DURATION").called("negative"),
    broken("duration", {"DURATION:P3D": "DURATION:PT72H"}, "DURATION").called("hours-from-a-date"),
    broken("instance-kind", {"EXDATE;TZID=Europe/Berlin:20260617T090000": "EXDATE;VALUE=DATE:20260617"}, "EXDATE"),
    broken("floating-time", {UTC_START: "DTSTART:20260616T100000", UTC_END: "DURATION:PT1H"}, "DTSTART:20260616"),
    broken("stamp-in-future", {STAMP: "DTSTAMP:20260301T130000Z"}, "DTSTAMP"),
]

RECURRENCE = [
    broken("rrule", {UNTIL: "RRULE:BYDAY=WE"}, "RRULE:BYDAY"),
    broken("rrule", {UNTIL: "RRULE:FREQ=WEEKLY;BYDAY=1WE"}, "RRULE:FREQ=WEEKLY").called("numbered-day"),
    broken("rrule", {UNTIL: "RRULE:FREQ=WEEKLY;FREQ=DAILY"}, "RRULE:FREQ=WEEKLY").called("twice"),
    broken("rrule", {UNTIL: "RRULE:FREQ=WEEKLY;EVERY=2"}, "RRULE:FREQ=WEEKLY").called("no-such-part"),
    broken("rrule", {UNTIL: "RRULE:FREQ=WEEKLY;INTERVAL=0"}, "RRULE:FREQ=WEEKLY").called("interval"),
    broken("rrule", {UNTIL: "RRULE:FREQ=WEEKLY;BYMONTHDAY=1"}, "RRULE:FREQ=WEEKLY").called("misfit"),
    broken("rrule", {UNTIL: "RRULE:FREQ=WEEKLY;UNTIL=20260631T000000Z"}, "RRULE:FREQ=WEEKLY").called("no-such-day"),
    broken("rrule", {UNTIL: "RRULE:FREQ=WEEKLY;"}, "RRULE:FREQ=WEEKLY").called("empty-part"),
    broken("rrule-until", {UNTIL: UNTIL.removesuffix("Z")}, "RRULE:FREQ=WEEKLY"),
    broken("rrule-until", {UNTIL: UNTIL.removesuffix("T070000Z")}, "RRULE:FREQ=WEEKLY").called("date"),
    broken("rrule-until", {"BYDAY=-1SU": "BYDAY=-1SU;UNTIL=20370101T000000"}, 17).called("zone"),
    broken("rrule-until-and-count", {UNTIL: f"{UNTIL};COUNT=3"}, "RRULE:FREQ=WEEKLY"),
    broken("rrule-twice", {UNTIL: f"{UNTIL}\nRRULE:FREQ=DAILY"}, "RRULE:FREQ=DAILY"),
]

ZONES = [
    broken("zone-missing", {BERLIN: ""}, "DTSTART;TZID"),
    broken("zone-twice", {BERLIN: BERLIN + BERLIN}, 28),
    broken("zone-nameless", {BERLIN: BERLIN + BERLIN.replace(ZONE_NAME + "\n", "")}, 27),
    broken("zone-empty", {BERLIN: f"BEGIN:VTIMEZONE\n{ZONE_NAME}\nEND:VTIMEZONE\n"}, 10),
    broken("zone-observance", {"TZOFFSETFROM:+0200\n": ""}, 12),
    broken("zone-observance", {"TZOFFSETFROM:+0200": "TZOFFSETFROM:2"}, 14).called("form"),
    broken("zone-observance", {"DTSTART:19701025T030000": "DTSTART:19701025T030000Z"}, 13).called("utc"),
    broken("zone-offset", {"TZOFFSETTO:+0200": "TZOFFSETTO:+0300"}, "DTSTART;TZID"),
    broken("zone-offset", {"DTSTART:19700329": "DTSTART:20270328"}, "DTSTART;TZID").called("begins-late"),
    broken(
        "zone-offset", {"BYMONTH=3;BYDAY=-1SU": "BYMONTH=3;BYDAY=-1SU;UNTIL=20250330T010000Z"}, "DTSTART;TZID"
    ).called("ends-early"),
    broken("zone-unused", {BERLIN: BERLIN + BERLIN.replace("Europe/Berlin", "Europe/Vienna")}, 27),
    broken("zone-utc", {UTC_START: "DTSTART;TZID=UTC:20260616T100000", BERLIN: BERLIN + UTC_ZONE}, "DTSTART;TZID=UTC"),
    broken("zone-not-iana", {BERLIN: BERLIN + LOTUS, UTC_END: "DTEND;TZID=Lotus:20260616T120000"}, "DTEND;TZID=Lotus"),
    broken("zone-late", {BERLIN: "", "END:VCALENDAR": f"{BERLIN}END:VCALENDAR"}, "BEGIN:VTIMEZONE"),
    broken("zone-observances", {"BEGIN:DAYLIGHT": f"{OLD_STANDARD}BEGIN:DAYLIGHT"}, 10),
    broken("zone-rdate-list", {"BYMONTH=3;BYDAY=-1SU\n": "BYMONTH=3;BYDAY=-1SU\n" + RDATES}, "RDATE"),
]

OTHERS = [
    broken("text-escape", {"Room 1": r"C:\Xen"}, "LOCATION"),
    broken("text-escape", {"Room 1": "Room 1\\"}, "LOCATION").called("at-the-end"),
    broken("text-separator", {"Room 1": "Room 1, Hall 2"}, "LOCATION"),
    broken("text-separator", {"Room 1": r"Room 1\\, Hall 2"}, "LOCATION").called("after-a-backslash"),
    broken("text-separator", {"food,bread": "food;bread"}, "CATEGORIES").called("list"),
    broken("status", {"STATUS:CONFIRMED": "STATUS:CANCELED"}, "STATUS"),
    broken("transp", {"TRANSP:OPAQUE": "TRANSP:FREE"}, "TRANSP"),
    broken("sequence", {"SEQUENCE:2": "SEQUENCE:-1"}, "SEQUENCE"),
    broken("sequence", {"SEQUENCE:2": "SEQUENCE:2147483648"}, "SEQUENCE").called("too-large"),
    broken("priority", {"PRIORITY:5": "PRIORITY:10"}, "PRIORITY"),
    broken("geo", {"52.520000;13.405000": "52.520000,13.405000"}, "GEO"),
    broken("geo", {"52.520000": "91"}, "GEO").called("range"),
    broken("url", {"https://example.org/talks/1": "example.org/talks/1"}, "URL"),
    broken("url", {"b%20c": "b c"}, "URL").called("blank"),
    broken("url", {"b%20c": "b%c"}, "URL").called("percent"),
    broken("refresh-interval-form", {"PT1H": "1H"}, 9),
    broken("refresh-interval-form", {";VALUE=DURATION": ""}, 9).called("value"),
    broken("value-uri", {";VALUE=URI": ""}, 8),
    broken("class", {"CLASS:PUBLIC": "CLASS:OPEN"}, "CLASS"),
    broken("method-without-organizer", {"VERSION:2.0": "VERSION:2.0\nMETHOD:PUBLISH"}, 3),
    broken("organizer", {"LOCATION:Room 1": ORGANIZER}, "ORGANIZER"),
    broken("attendee", {"LOCATION:Room 1": "ATTENDEE:mailto:ada@example.org"}, "ATTENDEE"),
    broken("name-missing", {"NAME:Talks\n": ""}, 1),
    broken("calname-missing", {"X-WR-CALNAME:Talks\n": ""}, 1),
    broken("refresh-interval-missing", {"REFRESH-INTERVAL;VALUE=DURATION:PT1H\n": ""}, 1),
    broken("calendar-zone", {"X-WR-TIMEZONE:Europe/Berlin": "X-WR-TIMEZONE:CEST"}, 7),
]

CASES = [*octet_cases(), *STRUCTURE, *TIMES, *RECURRENCE, *ZONES, *OTHERS]
# These rules are never violated alone. METHOD, for example, also requires organisers.
WITH_OTHERS = {"method", "publish-with-attendee"}


def found(data: bytes) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in lint(data, now=NOW)]


def test_valid_calendar_has_no_findings() -> None:
    assert lint(octets(GOOD), now=NOW) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id or case.code)
def test_single_violation_gives_exactly_one_finding_on_its_line(case: Case) -> None:
    rule = RULES[case.code]
    findings = lint(case.data, now=NOW)
    assert [(one.line, one.code, one.severity, one.section) for one in findings] == [
        (case.line, case.code, rule.severity, rule.section)
    ]


def test_every_file_rule_has_a_test_case() -> None:
    of_files = {rule.code for subject, rules in RULES_BY_SUBJECT.items() for rule in rules if subject != "Serving"}
    assert {case.code for case in CASES} | WITH_OTHERS == of_files


def test_rule_codes_are_unique() -> None:
    assert len(RULES) == sum(len(rules) for rules in RULES_BY_SUBJECT.values())


def test_method_is_reported_even_if_every_entry_has_an_organizer() -> None:
    text = GOOD.replace("VERSION:2.0", "VERSION:2.0\nMETHOD:REQUEST").replace("UID:", f"{ORGANIZER}\nUID:")
    assert found(octets(text)) == [(3, "method"), (29, "organizer")]


def test_attendee_in_published_calendar_is_reported() -> None:
    text = GOOD.replace("VERSION:2.0", "VERSION:2.0\nMETHOD:PUBLISH").replace("UID:", f"{ORGANIZER}\nUID:")
    text = text.replace("LOCATION:Room 1", "ATTENDEE:mailto:ada@example.org")
    assert found(octets(text)) == [
        (3, "method"),
        (29, "organizer"),
        (41, "attendee"),
        (41, "publish-with-attendee"),
    ]


def test_finding_has_line_code_severity_message_and_section() -> None:
    data = octets(GOOD.replace("STATUS:CONFIRMED", "STATUS:CANCELED"))
    assert lint(data) == [Finding(42, "status", Severity.ERROR, "STATUS is 'CANCELED'", "RFC 5545, 3.8.1.11")]


def test_future_stamps_are_not_reported_without_a_current_time() -> None:
    data = octets(GOOD.replace("DTSTAMP:2026", "DTSTAMP:2099"))
    assert (lint(data), len(lint(data, now=NOW))) == ([], 4)


def test_quoted_value_in_finding_is_shortened_and_printable() -> None:
    data = octets(GOOD.replace("STATUS:CONFIRMED", "STATUS:\u202e" + "x" * 50))
    assert [finding.message for finding in lint(data)] == ["STATUS is '\\u202e" + "x" * 38 + "\\u2026'"]


def test_overridden_occurrence_may_share_the_uid_of_its_series() -> None:
    instance = EVENT.replace("UID:three", "UID:one").replace(
        "SUMMARY", "RECURRENCE-ID;TZID=Europe/Berlin:20260624T090000\nSUMMARY"
    )
    assert found(octets(GOOD.replace("END:VCALENDAR", f"{instance}END:VCALENDAR"))) == []


def test_names_are_case_insensitive() -> None:
    text = GOOD.replace("BEGIN:VEVENT", "begin:vevent").replace("SUMMARY", "Summary").replace("DTSTART", "dtstart")
    assert found(octets(text)) == []


def test_lines_are_unfolded_before_parsing() -> None:
    text = GOOD.replace("STATUS:CONFIRMED", "STA\n TUS:CONF\n\tIRMED").replace("CLASS:PUBLIC", "CLASS:OPEN")
    assert found(octets(text)) == [(46, "class")]


def test_every_fold_inside_an_escape_is_reported() -> None:
    text = GOOD.replace("Room 1", "a\\\n \\\\\n ,b")
    assert found(octets(text)) == [(39, "fold-in-escape"), (40, "fold-in-escape")]


def test_lf_line_endings_are_reported_once_with_their_count() -> None:
    assert [finding.message for finding in lint(GOOD.encode())] == ["the line ends with LF alone, and so do 73 more"]


def test_globally_unique_tzid_needs_no_vtimezone() -> None:
    text = GOOD.replace(UTC_START, "DTSTART;TZID=/example.org/Xen:20260616T100000")
    assert found(octets(text)) == [(71, "zone-not-iana")]
