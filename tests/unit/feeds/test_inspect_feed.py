"""The summary of a generated .ics file."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from eventcal.feeds.inspect_feed import FeedSummary, NewestChange, summarize_feed
from eventcal.web.http.conditional import etag_of

CALENDAR_HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nNAME:Xen\\, and more\r\n"


def vevent_text(uid: str, title: str, changed: str, extra: str = "") -> str:
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:{changed}\r\nLAST-MODIFIED:{changed}\r\n"
        f"DTSTART;VALUE=DATE:20260610\r\n{extra}SUMMARY:{title}\r\nEND:VEVENT\r\n"
    )


def summarize_entries(*entries: str) -> FeedSummary:
    body = f"{CALENDAR_HEAD}{''.join(entries)}END:VCALENDAR\r\n".encode()
    return summarize_feed(body, etag=etag_of(body))


def test_glance_returns_name_entry_count_and_newest_change() -> None:
    seen = summarize_entries(
        vevent_text("a", "First", "20260301T120000Z"),
        vevent_text("b", "Line one\\nline two\\; the long\r\n  end \\\\", "20260302T120000Z"),
        vevent_text("c", "Third", "20260228T120000Z"),
    )
    assert (seen.title, seen.entries, seen.errors) == ("Xen, and more", 3, 0)
    assert seen.newest_change == NewestChange(
        title="Line one line two; the long end \\", changed_at=datetime(2026, 3, 2, 12, tzinfo=UTC)
    )


def test_overridden_occurrence_is_not_counted_but_may_be_the_newest_change() -> None:
    series = vevent_text("a", "Meeting", "20260301T120000Z", "RRULE:FREQ=WEEKLY;COUNT=3\r\n")
    moved = vevent_text("a", "Moved", "20260302T120000Z", "RECURRENCE-ID;VALUE=DATE:20260617\r\n")
    seen = summarize_entries(series, moved)
    assert (seen.entries, seen.newest_change and seen.newest_change.title) == (1, "Moved")


def test_feed_without_entries_has_no_newest_change() -> None:
    seen = summarize_entries()
    assert (seen.title, seen.entries, seen.newest_change) == ("Xen, and more", 0, None)


def test_errors_are_counted_and_their_codes_listed_once() -> None:
    seen = summarize_entries(vevent_text("a", "A", "20261399T990000Z"), vevent_text("a", "B", "yesterday"))
    assert (seen.errors > 1, seen.newest_change) == (True, None)
    assert list(seen.finding_codes) == sorted(set(seen.finding_codes))


@given(st.binary())
def test_arbitrary_octets_give_a_glance(octets: bytes) -> None:
    assert summarize_feed(octets, etag=etag_of(octets)).entries >= 0


def test_large_feed_is_counted_completely_but_linted_in_part() -> None:
    entries = [vevent_text(str(number), "Talk", "20260301T120000Z", "COMMENT:x\r\n" * 8) for number in range(2000)]
    last = vevent_text("last", "Last", "20260302T120000Z", "DTEND:never\r\n")
    seen = summarize_entries(*entries, last)
    assert (seen.title, seen.entries, seen.is_linted_completely) == ("Xen, and more", 2001, False)
    assert seen.newest_change == NewestChange(title="Last", changed_at=datetime(2026, 3, 2, 12, tzinfo=UTC))
    # The last entry has an error, and the excerpt that is checked is a complete calendar.
    assert (seen.errors, summarize_entries(last).errors) == (0, 1)


def test_feed_with_the_same_etag_is_read_once() -> None:
    body = f"{CALENDAR_HEAD}{vevent_text('a', 'First', '20260301T120000Z')}END:VCALENDAR\r\n".encode()
    assert summarize_feed(body, etag="same") is summarize_feed(b"", etag="same")
