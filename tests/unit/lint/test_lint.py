"""Every linter rule, with a calendar that violates only that rule, and a calendar without findings."""

import pytest

from eventcal.lint import Finding, Severity, lint
from eventcal.lint.rules import RULES_BY_SUBJECT
from tests.feed_support.lint_feeds import (
    BERLIN_VTIMEZONE,
    NOW,
    ONE_DAY_VEVENT,
    VALID_FEED,
    LintCase,
    make_case,
    to_crlf_bytes,
)

RULES_BY_CODE = {rule.code: rule for rules in RULES_BY_SUBJECT.values() for rule in rules}

DTSTART = "DTSTART;TZID=Europe/Berlin:20260610T090000"
DTEND = "DTEND;TZID=Europe/Berlin:20260610T100000"
DATE_END = "DTEND;VALUE=DATE:20260616"
UTC_START, UTC_END = "DTSTART:20260616T100000Z", "DTEND:20260616T110000Z"
UNTIL_RULE = "RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20260701T070000Z"
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
LOTUS_ZONE = UTC_ZONE.replace("TZID:UTC", "TZID:Lotus")
OLD_STANDARD = """\
BEGIN:STANDARD
DTSTART:19500101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
"""
RDATES = "RDATE:19480418T020000,19490410T020000\n"


def octet_cases() -> list[LintCase]:
    good = to_crlf_bytes(VALID_FEED)
    lines = good.split(b"\r\n")
    stand = lines.index(b"LOCATION:Room 1") + 1
    count = good.count(b"\r\n")

    def located(value: bytes) -> bytes:
        return good.replace(b"LOCATION:Room 1", b"LOCATION:" + value)

    return [
        LintCase("byte-order-mark", b"\xef\xbb\xbf" + good, 1),
        LintCase("not-utf-8", located(b"M\xfcnchen"), stand),
        LintCase("line-end", good.replace(b"\r\n", b"\n"), 1),
        LintCase("line-end", good.replace(b"Room 1\r\n", b"Room 1\n"), stand).with_name("one"),
        LintCase("bare-cr", located(b"Room\r1"), stand),
        LintCase("bare-cr", located(b"Room 1\r"), stand).with_name("twice-converted"),
        LintCase("last-line", good.removesuffix(b"\r\n"), count),
        LintCase("empty-line", located(b"Room 1\r\n"), stand + 1),
        LintCase("control-character", located(b"Room\x071"), stand),
        LintCase("content-line", located(b"Room 1\r\nthe big one"), stand + 1),
        LintCase("content-line", located(b'Room 1\r\nNOTE;X="a:b'), stand + 1).with_name("open-quote"),
        LintCase("line-length", located(b"a" * 67), stand),
        LintCase("line-length", located(b"a" * 60 + b"\r\n " + b"b" * 75), stand + 1).with_name("fold"),
        LintCase("fold-in-character", located(b"Caf\xc3\r\n \xa9"), stand),
        LintCase("fold-in-escape", located(b"a\\\r\n ,b"), stand),
        LintCase("line-separator", located("a\u2028b".encode()), stand),
        LintCase("no-calendar", b"<!doctype html>\n<p>Sign in", 1),
        LintCase("no-calendar", b"", 1).with_name("nothing"),
    ]


STRUCTURE_CASES = [
    make_case("outside", {"END:VCALENDAR\n": "END:VCALENDAR\nX-LATE:1\n"}, "X-LATE"),
    make_case("outside", {"END:VCALENDAR\n": f"END:VCALENDAR\n{BERLIN_VTIMEZONE}"}, 75).with_name("component"),
    make_case("unbalanced", {"END:VCALENDAR\n": ""}, 1),
    make_case("unbalanced", {"END:VEVENT\n": "END:VEVENT\nEND:VTODO\n"}, "END:VTODO").with_name("end"),
    make_case("misplaced-component", {"END:VEVENT\n": f"{ONE_DAY_VEVENT}END:VEVENT\n"}, 52),
    make_case("version", {"VERSION:2.0\n": ""}, 1),
    make_case("version", {"VERSION:2.0\n": "VERSION:1.0\n"}, 2).with_name("old"),
    make_case("prodid", {"PRODID:-//Example//Talks//EN\n": ""}, 1),
    make_case("calscale", {"GREGORIAN": "JULIAN"}, 4),
    make_case("property-twice", {"LOCATION:Room 1": "LOCATION:Room 1\nLOCATION:Room 2"}, "LOCATION:Room 2"),
    make_case("property-twice", {"VERSION:2.0": "VERSION:2.0\nVERSION:2.0"}, 3).with_name("head"),
    make_case("uid-missing", {"UID:two@example.org\n": ""}, 53),
    make_case("uid-twice", {"UID:two@": "UID:one@"}, 54),
    make_case("dtstamp-missing", {f"{STAMP}\nSUMMARY:A day": "SUMMARY:A day"}, 60),
    make_case("dtstart-missing", {UTC_START + "\n": ""}, 67),
    make_case("several-calendars", {"END:VCALENDAR\n": f"END:VCALENDAR\n{VALID_FEED}"}, 75),
    make_case(
        "nested-component", {"END:VEVENT\n": "BEGIN:PARTICIPANT\nUID:p\nEND:PARTICIPANT\nEND:VEVENT\n"}, "BEGIN:PART"
    ),
    make_case("summary-missing", {"SUMMARY:A day\n": ""}, 60),
    make_case("property-order", {"END:VCALENDAR": "NAME:Again\nEND:VCALENDAR"}, "NAME:Again"),
    make_case("property-order", {"END:VALARM": "END:VALARM\nCOMMENT:Late"}, "COMMENT:Late").with_name("alarm"),
    *(
        make_case("alarm-property", {line: ""}, "BEGIN:VALARM").with_name(name)
        for name, line in (
            ("action", "ACTION:DISPLAY\n"),
            ("trigger", "TRIGGER:-PT10M\n"),
            ("description", "DESCRIPTION:Soon\n"),
        )
    ),
    LintCase(
        "no-entries", to_crlf_bytes(VALID_FEED[: VALID_FEED.index("BEGIN:VTIME")] + "END:VCALENDAR\n"), 1, "no-entries"
    ),
]

TIME_CASES = [
    make_case("bad-time", {UTC_START: "DTSTART:2026-06-16T10:00:00Z"}, "DTSTART:2026-"),
    make_case("bad-time", {UTC_START: "DTSTART:20260631T100000Z"}, "DTSTART:20260631").with_name("no-such-day"),
    make_case("value-date", {"DTSTART;VALUE=DATE:20260615": "DTSTART:20260615"}, "DTSTART:20260615"),
    make_case("tzid-not-allowed", {UTC_START: f"DTSTART;TZID=Europe/Berlin:{UTC_START[8:]}"}, 71),
    make_case("stamp-not-utc", {STAMP: STAMP.removesuffix("Z")}, "DTSTAMP"),
    make_case("stamp-not-utc", {"CREATED:20260201T100000Z": "CREATED:yesterday"}, "CREATED").with_name("created"),
    make_case("end-kind", {DATE_END: "DTEND:20260616T000000Z"}, "DTEND:20260616T000000Z"),
    make_case("end-order", {DATE_END: "DTEND;VALUE=DATE:20260615"}, "DTEND;VALUE"),
    make_case("end-order", {DTEND: "DTEND:20260610T070000Z"}, "DTEND:20260610").with_name("zones"),
    make_case("end-and-duration", {DATE_END: f"{DATE_END}\nDURATION:P1D"}, "DURATION:P1D"),
    make_case("duration", {"DURATION:P3D": "DURATION:3 days"}, "DURATION"),
    make_case("duration", {"DURATION:P3D": "DURATION:P"}, "DURATION").with_name("empty"),
    make_case("duration", {"DURATION:P3D": "DURATION:-P3D"}, "DURATION").with_name("negative"),
    make_case("duration", {"DURATION:P3D": "DURATION:PT72H"}, "DURATION").with_name("hours-from-a-date"),
    make_case("duration", {"DURATION:P3D": "DURATION:P3DT1H30S"}, "DURATION").with_name("without-minutes"),
    make_case("trigger", {"TRIGGER:-PT10M": "TRIGGER:10 minutes"}, "TRIGGER"),
    make_case("trigger", {"TRIGGER:-PT10M": "TRIGGER:-PT1H30S"}, "TRIGGER").with_name("without-minutes"),
    make_case("trigger", {"TRIGGER:": "TRIGGER;VALUE=DATE-TIME:"}, "TRIGGER").with_name("value"),
    make_case("trigger", {"TRIGGER:-PT10M": "TRIGGER;VALUE=DATE-TIME:20260610T065000"}, "TRIGGER").with_name("local"),
    make_case("instance-kind", {"EXDATE;TZID=Europe/Berlin:20260617T090000": "EXDATE;VALUE=DATE:20260617"}, "EXDATE"),
    make_case("floating-time", {UTC_START: "DTSTART:20260616T100000", UTC_END: "DURATION:PT1H"}, "DTSTART:20260616"),
    make_case("stamp-in-future", {STAMP: "DTSTAMP:20260301T130000Z"}, "DTSTAMP"),
]

RECURRENCE_CASES = [
    make_case("rrule", {UNTIL_RULE: "RRULE:BYDAY=WE"}, "RRULE:BYDAY"),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;BYDAY=1WE"}, "RRULE:FREQ=WEEKLY").with_name("numbered-day"),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;FREQ=DAILY"}, "RRULE:FREQ=WEEKLY").with_name("twice"),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;EVERY=2"}, "RRULE:FREQ=WEEKLY").with_name("no-such-part"),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;INTERVAL=0"}, "RRULE:FREQ=WEEKLY").with_name("interval"),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;BYMONTHDAY=1"}, "RRULE:FREQ=WEEKLY").with_name("misfit"),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;UNTIL=20260631T000000Z"}, "RRULE:FREQ=WEEKLY").with_name(
        "no-such-day"
    ),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;"}, "RRULE:FREQ=WEEKLY").with_name("empty-part"),
    make_case("rrule", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;BYSETPOS=1"}, "RRULE:FREQ=WEEKLY").with_name("setpos-alone"),
    make_case("rrule-until-early", {UNTIL_RULE: "RRULE:FREQ=WEEKLY;UNTIL=20260610T065959Z"}, "RRULE:FREQ=WEEKLY"),
    make_case(
        "rrule-until-early", {DATE_END: f"{DATE_END}\nRRULE:FREQ=DAILY;UNTIL=20260614"}, "RRULE:FREQ=DAILY"
    ).with_name("date"),
    make_case("rrule-until-early", {"BYDAY=-1SU": "BYDAY=-1SU;UNTIL=19701025T005959Z"}, 17).with_name("zone"),
    make_case("rrule-until", {UNTIL_RULE: UNTIL_RULE.removesuffix("Z")}, "RRULE:FREQ=WEEKLY"),
    make_case("rrule-until", {UNTIL_RULE: UNTIL_RULE.removesuffix("T070000Z")}, "RRULE:FREQ=WEEKLY").with_name("date"),
    make_case("rrule-until", {"BYDAY=-1SU": "BYDAY=-1SU;UNTIL=20370101T000000"}, 17).with_name("zone"),
    make_case("rrule-until-and-count", {UNTIL_RULE: f"{UNTIL_RULE};COUNT=3"}, "RRULE:FREQ=WEEKLY"),
    make_case("rrule-twice", {UNTIL_RULE: f"{UNTIL_RULE}\nRRULE:FREQ=DAILY"}, "RRULE:FREQ=DAILY"),
]

ZONE_CASES = [
    make_case("zone-missing", {BERLIN_VTIMEZONE: ""}, "DTSTART;TZID"),
    make_case("zone-twice", {BERLIN_VTIMEZONE: BERLIN_VTIMEZONE + BERLIN_VTIMEZONE}, 28),
    make_case(
        "zone-nameless", {BERLIN_VTIMEZONE: BERLIN_VTIMEZONE + BERLIN_VTIMEZONE.replace(ZONE_NAME + "\n", "")}, 27
    ),
    make_case("zone-empty", {BERLIN_VTIMEZONE: f"BEGIN:VTIMEZONE\n{ZONE_NAME}\nEND:VTIMEZONE\n"}, 10),
    make_case("zone-observance", {"TZOFFSETFROM:+0200\n": ""}, 12),
    make_case("zone-observance", {"TZOFFSETFROM:+0200": "TZOFFSETFROM:2"}, 14).with_name("form"),
    make_case("zone-observance", {"DTSTART:19701025T030000": "DTSTART:19701025T030000Z"}, 13).with_name("utc"),
    make_case("zone-offset", {"TZOFFSETTO:+0200": "TZOFFSETTO:+0300"}, "DTSTART;TZID"),
    make_case("zone-offset", {"DTSTART:19700329": "DTSTART:20270328"}, "DTSTART;TZID").with_name("begins-late"),
    make_case(
        "zone-offset", {"BYMONTH=3;BYDAY=-1SU": "BYMONTH=3;BYDAY=-1SU;UNTIL=20250330T010000Z"}, "DTSTART;TZID"
    ).with_name("ends-early"),
    make_case(
        "zone-unused",
        {BERLIN_VTIMEZONE: BERLIN_VTIMEZONE + BERLIN_VTIMEZONE.replace("Europe/Berlin", "Europe/Vienna")},
        27,
    ),
    make_case(
        "zone-utc",
        {UTC_START: "DTSTART;TZID=UTC:20260616T100000", BERLIN_VTIMEZONE: BERLIN_VTIMEZONE + UTC_ZONE},
        "DTSTART;TZID=UTC",
    ),
    make_case(
        "zone-not-iana",
        {BERLIN_VTIMEZONE: BERLIN_VTIMEZONE + LOTUS_ZONE, UTC_END: "DTEND;TZID=Lotus:20260616T120000"},
        "DTEND;TZID=Lotus",
    ),
    make_case(
        "zone-late", {BERLIN_VTIMEZONE: "", "END:VCALENDAR": f"{BERLIN_VTIMEZONE}END:VCALENDAR"}, "BEGIN:VTIMEZONE"
    ),
    make_case("zone-observances", {"BEGIN:DAYLIGHT": f"{OLD_STANDARD}BEGIN:DAYLIGHT"}, 10),
    make_case("zone-rdate-list", {"BYMONTH=3;BYDAY=-1SU\n": "BYMONTH=3;BYDAY=-1SU\n" + RDATES}, "RDATE"),
]

OTHER_CASES = [
    make_case("text-escape", {"Room 1": r"C:\Xen"}, "LOCATION"),
    make_case("text-escape", {"Room 1": "Room 1\\"}, "LOCATION").with_name("at-the-end"),
    make_case("text-separator", {"Room 1": "Room 1, Hall 2"}, "LOCATION"),
    make_case("text-separator", {"Room 1": r"Room 1\\, Hall 2"}, "LOCATION").with_name("after-a-backslash"),
    make_case("text-separator", {"food,bread": "food;bread"}, "CATEGORIES").with_name("list"),
    make_case("text-html", {"Three days": "Three<br>days"}, "SUMMARY:Three"),
    make_case("text-html", {"Every Wednesday.": "<P>Every Wednesday.</P>"}, "DESCRIPTION").with_name("pair"),
    make_case("text-html", {"Every Wednesday.": '<a href="https://example.org">Bread</a>'}, "DESCRIPTION").with_name(
        "link"
    ),
    make_case("color", {"STATUS:": "COLOR:#FF0000\nSTATUS:"}, "COLOR"),
    make_case("image-value", {"STATUS:": "IMAGE:https://example.org/bread.png\nSTATUS:"}, "IMAGE"),
    make_case("parameter-twice", {"LOCATION:": "LOCATION;LANGUAGE=en;language=de:"}, "LOCATION"),
    make_case("status", {"STATUS:CONFIRMED": "STATUS:CANCELED"}, "STATUS"),
    make_case("transp", {"TRANSP:OPAQUE": "TRANSP:FREE"}, "TRANSP"),
    make_case("sequence", {"SEQUENCE:2": "SEQUENCE:-1"}, "SEQUENCE"),
    make_case("sequence", {"SEQUENCE:2": "SEQUENCE:2147483648"}, "SEQUENCE").with_name("too-large"),
    make_case("priority", {"PRIORITY:5": "PRIORITY:10"}, "PRIORITY"),
    make_case("geo", {"52.520000;13.405000": "52.520000,13.405000"}, "GEO"),
    make_case("geo", {"52.520000": "91"}, "GEO").with_name("range"),
    make_case("url", {"https://example.org/talks/1": "example.org/talks/1"}, "URL"),
    make_case("url", {"b%20c": "b c"}, "URL").with_name("blank"),
    make_case("url", {"b%20c": "b%c"}, "URL").with_name("percent"),
    make_case("refresh-interval-form", {"PT1H": "1H"}, 9),
    make_case("refresh-interval-form", {"PT1H": "PT1H30S"}, 9).with_name("without-minutes"),
    make_case("refresh-interval-form", {";VALUE=DURATION": ""}, 9).with_name("value"),
    make_case("value-uri", {";VALUE=URI": ""}, 8),
    make_case("class", {"CLASS:PUBLIC": "CLASS:OPEN"}, "CLASS"),
    make_case("method-without-organizer", {"VERSION:2.0": "VERSION:2.0\nMETHOD:PUBLISH"}, 3),
    make_case("organizer", {"LOCATION:Room 1": ORGANIZER}, "ORGANIZER"),
    make_case("attendee", {"LOCATION:Room 1": "ATTENDEE:mailto:ada@example.org"}, "ATTENDEE"),
    make_case("name-missing", {"NAME:Talks\n": ""}, 1),
    make_case("calname-missing", {"X-WR-CALNAME:Talks\n": ""}, 1),
    make_case("refresh-interval-missing", {"REFRESH-INTERVAL;VALUE=DURATION:PT1H\n": ""}, 1),
    make_case("calendar-zone", {"X-WR-TIMEZONE:Europe/Berlin": "X-WR-TIMEZONE:CEST"}, 7),
]

CASES = [*octet_cases(), *STRUCTURE_CASES, *TIME_CASES, *RECURRENCE_CASES, *ZONE_CASES, *OTHER_CASES]
# These rules are never violated alone. METHOD, for example, also requires organisers.
RULES_NEVER_ALONE = {"method", "publish-with-attendee"}


def list_findings(data: bytes) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in lint(data, now=NOW)]


def test_valid_calendar_has_no_findings() -> None:
    assert lint(to_crlf_bytes(VALID_FEED), now=NOW) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id or case.code)
def test_single_violation_gives_exactly_one_finding_on_its_line(case: LintCase) -> None:
    rule = RULES_BY_CODE[case.code]
    findings = lint(case.data, now=NOW)
    assert [(one.line, one.code, one.severity, one.section) for one in findings] == [
        (case.line, case.code, rule.severity, rule.section)
    ]


def test_every_file_rule_has_a_test_case() -> None:
    of_files = {rule.code for subject, rules in RULES_BY_SUBJECT.items() for rule in rules if subject != "Serving"}
    assert {case.code for case in CASES} | RULES_NEVER_ALONE == of_files


def test_rule_codes_are_unique() -> None:
    assert len(RULES_BY_CODE) == sum(len(rules) for rules in RULES_BY_SUBJECT.values())


@pytest.mark.parametrize(
    "edits",
    [
        {"STATUS:": "X-NOTE:a\nX-NOTE:b\nSTATUS:"},
        {"SOURCE;": "X-WR-CALDESC:a\nX-WR-CALDESC:b\nSOURCE;"},
        {"LOCATION:": "LOCATION;X-NOTE=a;X-NOTE=b:"},
        {"TRIGGER:-PT10M": "TRIGGER;VALUE=DATE-TIME:19760401T005545Z"},
        {"ACTION:DISPLAY\nDESCRIPTION:Soon": "ACTION:AUDIO"},
        {UNTIL_RULE: "RRULE:FREQ=WEEKLY;UNTIL=20260610T070000Z"},
        {DATE_END: f"{DATE_END}\nRRULE:FREQ=DAILY;UNTIL=20260615"},
        {"BYDAY=-1SU": "BYDAY=-1SU;UNTIL=20371025T010000Z"},
        {"P3D": "P3D\nIMAGE;VALUE=URI:https://example.org/a.png\nCOLOR:DarkRed"},
        {"Three days": "a < b > c, <ada@example.org>".replace(",", "\\,")},
        {"CREATED:20260201T100000Z": "CREATED:00010101T000000Z"},
        {"CREATED:20260201T100000Z": "CREATED:00010101T000400Z"},
        {"REFRESH-INTERVAL;VALUE=DURATION:PT1H": "REFRESH-INTERVAL;VALUE=DURATION:PT1H0M30S"},
    ],
    ids=str,
)
def test_valid_variant_has_no_findings(edits: dict[str, str]) -> None:
    assert list_findings(make_case("", edits, 1).data) == []


@pytest.mark.parametrize("name", ["ORGANIZER", "ATTENDEE"])
@pytest.mark.parametrize("address", ["mailto: ada@example.org", "mailto:ada lovelace@example.org", "ada@example.org"])
def test_invalid_calendar_address_is_reported(name: str, address: str) -> None:
    case = make_case("url", {"LOCATION:Room 1": f"{name}:{address}"}, name)
    assert list_findings(case.data) == [(case.line, name.lower()), (case.line, "url")]


def test_method_is_reported_even_if_every_entry_has_an_organizer() -> None:
    text = VALID_FEED.replace("VERSION:2.0", "VERSION:2.0\nMETHOD:REQUEST").replace("UID:", f"{ORGANIZER}\nUID:")
    assert list_findings(to_crlf_bytes(text)) == [(3, "method"), (29, "organizer")]


def test_attendee_in_published_calendar_is_reported() -> None:
    text = VALID_FEED.replace("VERSION:2.0", "VERSION:2.0\nMETHOD:PUBLISH").replace("UID:", f"{ORGANIZER}\nUID:")
    text = text.replace("LOCATION:Room 1", "ATTENDEE:mailto:ada@example.org")
    assert list_findings(to_crlf_bytes(text)) == [
        (3, "method"),
        (29, "organizer"),
        (41, "attendee"),
        (41, "publish-with-attendee"),
    ]


def test_finding_has_line_code_severity_message_and_section() -> None:
    data = to_crlf_bytes(VALID_FEED.replace("STATUS:CONFIRMED", "STATUS:CANCELED"))
    assert lint(data) == [Finding(42, "status", Severity.ERROR, "STATUS is 'CANCELED'", "RFC 5545, 3.8.1.11")]


def test_future_stamps_are_not_reported_without_a_current_time() -> None:
    data = to_crlf_bytes(VALID_FEED.replace("DTSTAMP:2026", "DTSTAMP:2099"))
    assert (lint(data), len(lint(data, now=NOW))) == ([], 4)


def test_quoted_value_in_finding_is_shortened_and_printable() -> None:
    data = to_crlf_bytes(VALID_FEED.replace("STATUS:CONFIRMED", "STATUS:\u202e" + "x" * 50))
    assert [finding.message for finding in lint(data)] == ["STATUS is '\\u202e" + "x" * 38 + "\\u2026'"]


def test_overridden_occurrence_may_share_the_uid_of_its_series() -> None:
    instance = ONE_DAY_VEVENT.replace("UID:three", "UID:one").replace(
        "SUMMARY", "RECURRENCE-ID;TZID=Europe/Berlin:20260624T090000\nSUMMARY"
    )
    assert list_findings(to_crlf_bytes(VALID_FEED.replace("END:VCALENDAR", f"{instance}END:VCALENDAR"))) == []


def test_names_are_case_insensitive() -> None:
    text = (
        VALID_FEED.replace("BEGIN:VEVENT", "begin:vevent").replace("SUMMARY", "Summary").replace("DTSTART", "dtstart")
    )
    assert list_findings(to_crlf_bytes(text)) == []


def test_lines_are_unfolded_before_parsing() -> None:
    text = VALID_FEED.replace("STATUS:CONFIRMED", "STA\n TUS:CONF\n\tIRMED").replace("CLASS:PUBLIC", "CLASS:OPEN")
    assert list_findings(to_crlf_bytes(text)) == [(46, "class")]


def test_every_fold_inside_an_escape_is_reported() -> None:
    text = VALID_FEED.replace("Room 1", "a\\\n \\\\\n ,b")
    assert list_findings(to_crlf_bytes(text)) == [(39, "fold-in-escape"), (40, "fold-in-escape")]


def test_lf_line_endings_are_reported_once_with_their_count() -> None:
    assert [finding.message for finding in lint(VALID_FEED.encode())] == [
        "the line ends with a bare LF, and so do 73 other lines"
    ]


def test_globally_unique_tzid_needs_no_vtimezone() -> None:
    text = VALID_FEED.replace(UTC_START, "DTSTART;TZID=/example.org/Xen:20260616T100000")
    assert list_findings(to_crlf_bytes(text)) == [(71, "zone-not-iana")]
