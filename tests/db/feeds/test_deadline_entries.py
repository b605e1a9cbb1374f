"""Calendar entries for calls for talks: one when a call opens, one that ends when it closes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from eventcal.events.enums import EventStatus
from eventcal.events.filter import NO_FILTER
from eventcal.events.models import Event
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.entry_selection import Feed
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from tests.clocks import FixedClock
from tests.feed_support.feed_calendar import FeedCalendar, add_event, open_feed_calendar
from tests.feed_support.ics_reader import Component

OPENING_KIND, CLOSING = DEADLINE_KINDS
CALL_FIELDS = {"opens": "2026-03-20T09:00:00", "closes": "2026-05-01T18:00:00"}
OPENING_TITLE, CLOSING_TITLE = "Call for talks opens: Xen Summit", "Call for talks closes: Xen Summit"


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


def property_texts(entry: Component, *names: str) -> list[str]:
    return [entry.text(name) for name in names]


def entry_span(entry: Component) -> list[datetime]:
    """Return the instants at which an entry begins and ends."""
    moments = [entry.get_property(name).date_or_time for name in ("DTSTART", "DTEND")]
    return [moment.astimezone(UTC) for moment in moments if isinstance(moment, datetime)]


def test_call_has_an_opening_and_a_closing_entry_at_its_times(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, slug="summit", tags=["xen", "arm"], call={**CALL_FIELDS, "note": "Be **brief**."})
    entries = calendar.parse_deadlines(event_id)
    assert {line.name + line.parameters: line.text for line in entries[OPENING_KIND].lines} == {
        "UID": f"opening-{event_id}@cal.example.org",
        "DTSTAMP": "20260301T120100Z",
        "LAST-MODIFIED": "20260301T120100Z",
        "CREATED": "20260301T120000Z",
        "SEQUENCE": "0",
        "SUMMARY": OPENING_TITLE,
        "DTSTART;TZID=Europe/Berlin": "20260320T090000",
        "DTEND;TZID=Europe/Berlin": "20260320T100000",
        "STATUS": "CONFIRMED",
        "TRANSP": "TRANSPARENT",
        "DESCRIPTION": "Xen Summit\nOpens: 2026-03-20 09:00 (Europe/Berlin)\n"
        "Closes: 2026-05-01 18:00 (Europe/Berlin)\n\nBe brief.\n\nhttps://cal.example.org/events/summit",
        "X-ALT-DESC;FMTTYPE=text/html": "<p>Xen Summit<br>Opens: 2026-03-20 09:00 (Europe/Berlin)<br>"
        "Closes: 2026-05-01 18:00 (Europe/Berlin)</p><p>Be <strong>brief</strong>.</p>\n"
        '<p><a href="https://cal.example.org/events/summit">https://cal.example.org/events/summit</a></p>',
        "URL": "https://cal.example.org/events/summit",
        "CATEGORIES": "xen,arm",
        "RELATED-TO;RELTYPE=PARENT": f"event-{event_id}@cal.example.org",
    }
    names = ("UID", "SUMMARY", "DTSTART", "DTEND")
    assert property_texts(entries[CLOSING], *names) == [
        *(f"closing-{event_id}@cal.example.org", CLOSING_TITLE, "20260501T170000", "20260501T180000")
    ]


def test_anywhere_on_earth_deadline_uses_the_time_zone_utc_minus_12(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call={"closes": "2026-04-01", "anywhere_on_earth": True}, timezone="Asia/Tokyo")
    entry = calendar.parse_deadlines(event_id)[CLOSING]
    assert entry.get_property("DTSTART").parameters == ";TZID=Etc/GMT+12"
    assert property_texts(entry, "DTSTART", "DTEND") == ["20260401T230000", "20260402T000000"]
    assert entry_span(entry) == [datetime(2026, 4, 2, hour, tzinfo=UTC) for hour in (11, 12)]
    assert "Closes: 2026-04-01, at the end of the day anywhere on earth (UTC-12)\n" in entry.text("DESCRIPTION")
    assert calendar.fetch_parsed(Feed(filters=NO_FILTER, kinds=frozenset(DEADLINE_KINDS))).timezone_ids() == [
        "Etc/GMT+12"
    ]


def test_closing_entry_lasts_one_hour_across_the_end_of_summer_time(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, starts="2026-12-10", ends="2026-12-12", call={"closes": "2026-10-25T03:00:00"})
    entry = calendar.parse_deadlines(event_id)[CLOSING]
    assert entry_span(entry) == [datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (1, 2)]


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        (None, []),
        ({}, []),
        ({"opens": "2026-03-20T09:00:00"}, [OPENING_KIND]),
        ({"closes": "2026-05-01T18:00:00+02:00"}, [CLOSING]),
        (CALL_FIELDS, [OPENING_KIND, CLOSING]),
    ],
)
def test_call_has_one_entry_for_each_given_time(
    calendar: FeedCalendar, call: dict[str, str] | None, kinds: list[EntryKind]
) -> None:
    assert sorted(calendar.parse_deadlines(add_event(calendar, call=call))) == sorted(kinds)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (EventStatus.PENDING, None),
        (EventStatus.TENTATIVE, "TENTATIVE"),
        (EventStatus.CONFIRMED, "CONFIRMED"),
        (EventStatus.POSTPONED, "TENTATIVE"),
    ],
)
def test_deadline_status_follows_the_event_and_pending_events_have_no_deadlines(
    calendar: FeedCalendar, status: EventStatus, shown: str | None
) -> None:
    entries = calendar.parse_deadlines(add_event(calendar, status=status, call=CALL_FIELDS))
    assert {entry.value("STATUS") for entry in entries.values()} == ({shown} if shown else set())


def test_deadline_is_not_listed_among_public_changes(calendar: FeedCalendar) -> None:
    add_event(calendar, slug="summit", call=CALL_FIELDS)
    changes, _ = calendar.list_changes()
    assert [(change.kind, change.id) for change in changes] == [(EntryKind.EVENT, "summit")]


def test_deadline_changes_with_the_time_zone_of_its_event(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    calendar.set_columns(Event, event_id, timezone="America/New_York")
    entry = calendar.parse_deadlines(event_id)[OPENING_KIND]
    assert (entry.get_property("DTSTART").parameters, entry.value("DTSTART")) == (
        ";TZID=America/New_York",
        "20260320T090000",
    )
