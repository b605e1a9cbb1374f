"""Changing, cancelling and removing deadlines, and the selection of deadlines for a feed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Unpack

import pytest
from sqlalchemy import select

from eventcal.events.fields import EventFields
from eventcal.events.filter import Filter
from eventcal.events.service import edit_event
from eventcal.events.state_changes import cancel_event, redact_event
from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.entry_selection import Feed
from eventcal.feeds.format_registry import Options
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.index.models import FeedEntry
from tests.clocks import FixedClock
from tests.factories import MODERATOR_CALLER
from tests.feed_support.feed_calendar import FeedCalendar, add_event, load_event, open_feed_calendar
from tests.feed_support.ics_reader import Component

ONE_DAY = timedelta(days=1)
OPENING_KIND, CLOSING_KIND = DEADLINE_KINDS
CALL_FIELDS = {"opens": "2026-03-20T09:00:00", "closes": "2026-05-01T18:00:00"}
OPENING_TITLE, CLOSING_TITLE = "Call for talks opens: Xen Summit", "Call for talks closes: Xen Summit"
CANCELLED_TITLES = [f"CANCELLED: {CLOSING_TITLE}", f"CANCELLED: {OPENING_TITLE}"]


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


def make_deadlines_feed(*kinds: EntryKind, **filters: Any) -> Feed:
    return Feed(filters=Filter(**filters), kinds=frozenset(kinds or DEADLINE_KINDS))


def edit_stored_event(calendar: FeedCalendar, event_id: str, **fields: Unpack[EventFields]) -> None:
    with calendar.write_session() as session:
        edit_event(session, load_event(session, event_id), fields, now=calendar.clock.now())


def cancel_stored_event(calendar: FeedCalendar, event_id: str) -> None:
    with calendar.write_session() as session:
        cancel_event(session, load_event(session, event_id), now=calendar.clock.now())


def redact_stored_event(calendar: FeedCalendar, event_id: str) -> None:
    with calendar.write_session() as session:
        redact_event(session, load_event(session, event_id), caller=MODERATOR_CALLER, now=calendar.clock.now())


def property_texts(entry: Component, *names: str) -> list[str]:
    return [entry.text(name) for name in names]


# Changes


def test_moved_deadline_keeps_its_uid_and_raises_its_sequence(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    edit_stored_event(calendar, event_id, call_for_talks={"closes_at": "2026-05-08T18:00:00"})
    entry = calendar.parse_deadlines(event_id)[CLOSING_KIND]
    names = ("UID", "SEQUENCE", "LAST-MODIFIED", "DTEND")
    assert property_texts(entry, *names) == [
        f"closing-{event_id}@cal.example.org",
        "1",
        "20260301T120200Z",
        "20260508T180000",
    ]


def test_deadline_changes_only_with_displayed_fields_of_its_event(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    edit_stored_event(calendar, event_id, description="Else", location={"city": "Bonn"})
    assert {entry.value("SEQUENCE") for entry in calendar.parse_deadlines(event_id).values()} == {"0"}
    edit_stored_event(calendar, event_id, title="Else")
    assert sorted(entry.text("SUMMARY") for entry in calendar.parse_deadlines(event_id).values()) == [
        *("Call for talks closes: Else", "Call for talks opens: Else")
    ]


def test_removed_call_is_shown_as_cancelled_until_30_days_after_its_end(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    edit_stored_event(calendar, event_id, call_for_talks=None)
    entry = calendar.parse_deadlines(event_id)[CLOSING_KIND]
    assert property_texts(entry, "SUMMARY", "STATUS", "TRANSP", "SEQUENCE") == [
        CANCELLED_TITLES[0],
        "CANCELLED",
        "TRANSPARENT",
        "1",
    ]
    on = {
        day: calendar.list_titles(make_deadlines_feed(), later=_time_until(calendar, day))
        for day in ((4, 19), (4, 20), (5, 31), (6, 1))
    }
    assert on == {(4, 19): CANCELLED_TITLES, (4, 20): CANCELLED_TITLES[:1], (5, 31): CANCELLED_TITLES[:1], (6, 1): []}


def _time_until(calendar: FeedCalendar, day: tuple[int, int]) -> timedelta:
    return datetime(2026, *day, 12, tzinfo=UTC) - calendar.clock.now()


def test_call_removed_after_its_end_is_shown_as_cancelled_for_30_days(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    calendar.clock.set_time(datetime(2026, 6, 1, 12, tzinfo=UTC))
    edit_stored_event(calendar, event_id, call_for_talks=None)
    assert [calendar.list_titles(make_deadlines_feed(), later=days * ONE_DAY) for days in (0, 30, 31)] == [
        CANCELLED_TITLES,
        CANCELLED_TITLES,
        [],
    ]


def test_event_change_does_not_extend_the_tombstone_of_a_removed_call(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    edit_stored_event(calendar, event_id, call_for_talks=None)
    calendar.clock.set_time(datetime(2026, 5, 30, 12, tzinfo=UTC))
    edit_stored_event(calendar, event_id, title="Else")
    assert [calendar.list_titles(make_deadlines_feed(), later=days * ONE_DAY) for days in (0, 2)] == [
        CANCELLED_TITLES[:1],
        [],
    ]


def test_restored_call_reuses_its_entry(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    edit_stored_event(calendar, event_id, call_for_talks=None)
    edit_stored_event(calendar, event_id, call_for_talks={"closes_at": CALL_FIELDS["closes"]})
    entry = calendar.parse_deadlines(event_id)[CLOSING_KIND]
    assert property_texts(entry, "SUMMARY", "STATUS", "SEQUENCE") == [CLOSING_TITLE, "CONFIRMED", "2"]
    assert calendar.list_titles(make_deadlines_feed(CLOSING_KIND), later=3000 * ONE_DAY) == [CLOSING_TITLE]


def test_deadlines_of_a_cancelled_event_are_cancelled_and_expire_with_it(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    cancel_stored_event(calendar, event_id)
    assert {entry.value("STATUS") for entry in calendar.parse_deadlines(event_id).values()} == {"CANCELLED"}
    assert {
        day: calendar.list_titles(make_deadlines_feed(), later=_time_until(calendar, day)) for day in ((7, 12), (7, 13))
    } == {
        (7, 12): CANCELLED_TITLES,
        (7, 13): [],
    }


@pytest.mark.parametrize("taken_back", [False, True])
def test_deadlines_of_a_redacted_event_contain_none_of_its_text(calendar: FeedCalendar, *, taken_back: bool) -> None:
    event_id = add_event(calendar, slug="spam", title="Secret", tags=["Secret"], call={**CALL_FIELDS, "note": "Secret"})
    if taken_back:
        edit_stored_event(calendar, event_id, call_for_talks=None)
    redact_stored_event(calendar, event_id)
    with calendar.database.read_session() as session:
        rows = session.scalars(select(FeedEntry)).all()
        texts = "".join(f"{row.ics}{row.entry}{row.resource}" for row in rows)
    assert ("Secret" in texts, {row.deleted for row in rows}) == (False, {True})
    assert calendar.list_titles(make_deadlines_feed(CLOSING_KIND)) == [
        "CANCELLED: Call for talks" if taken_back else "CANCELLED: Call for talks closes: [removed]"
    ]


# Selection for a feed


def test_feed_contains_only_the_requested_kinds(calendar: FeedCalendar) -> None:
    add_event(calendar, call=CALL_FIELDS)
    assert calendar.list_titles() == ["Xen Summit"]
    assert calendar.list_titles(make_deadlines_feed()) == [CLOSING_TITLE, OPENING_TITLE]
    assert calendar.list_titles(make_deadlines_feed(OPENING_KIND)) == [OPENING_TITLE]
    assert calendar.list_titles(make_deadlines_feed(*EntryKind)) == [CLOSING_TITLE, OPENING_TITLE, "Xen Summit"]


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ({"cities": ("Bonn",)}, True),
        ({"countries": ("FR",)}, False),
        ({"series": ("Xen",)}, True),
        ({"tags": ("xen",)}, True),
        ({"tags": ("arm",)}, False),
        ({"kinds": ("conference",)}, True),
        ({"kinds": ("keynote",)}, False),
        ({"states": ("confirmed",)}, True),
        ({"states": ("cancelled",)}, False),
        ({"events": ("summit",)}, True),
        ({"q": "summit"}, True),
        ({"scheduled": True}, True),
        # Filters for talks only, or for unscheduled talks, match no deadline.
        ({"scheduled": False}, False),
        ({"speakers": ("grace",)}, False),
        ({"tracks": ("ARM",)}, False),
    ],
)
def test_deadlines_are_filtered_by_the_fields_of_their_event(
    calendar: FeedCalendar, wanted: dict[str, Any], *, shown: bool
) -> None:
    add_event(calendar, slug="summit", city="Bonn", country="DE", series="Xen", tags=["xen"], call=CALL_FIELDS)
    assert calendar.list_titles(make_deadlines_feed(**wanted)) == [CLOSING_TITLE, OPENING_TITLE] * shown


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("2026-03-20", "2026-03-20", [OPENING_TITLE]),
        ("2026-03-21", "2026-04-30", []),
        ("2026-03-21", "2026-05-01", [CLOSING_TITLE]),
        ("2026-05-02", None, []),
        (None, "2026-03-19", []),
        (None, "2026-12-31", [CLOSING_TITLE, OPENING_TITLE]),
    ],
)
def test_deadlines_are_filtered_by_their_own_days(
    calendar: FeedCalendar, first: str | None, last: str | None, shown: list[str]
) -> None:
    add_event(calendar, call=CALL_FIELDS)
    days = {"from_day": first and date.fromisoformat(first), "to_day": last and date.fromisoformat(last)}
    assert calendar.list_titles(make_deadlines_feed(**days)) == shown


def test_cancelled_deadlines_can_be_hidden_or_marked(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar, call=CALL_FIELDS)
    edit_stored_event(calendar, event_id, call_for_talks={"opens_at": None})
    assert calendar.list_titles(make_deadlines_feed(), options=Options(cancelled=Cancelled.HIDE)) == [CLOSING_TITLE]
    marked = calendar.fetch_parsed(make_deadlines_feed(), options=Options(cancelled=Cancelled.MARK)).events()
    assert {entry.text("SUMMARY"): entry.value("STATUS") for entry in marked} == {
        CANCELLED_TITLES[1]: "CONFIRMED",
        CLOSING_TITLE: "CONFIRMED",
    }
