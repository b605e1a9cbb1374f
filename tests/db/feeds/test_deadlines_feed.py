"""Changing, cancelling and removing deadlines, and the selection of deadlines for a feed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from eventcal.events.filter import Filter
from eventcal.events.service import edit_event
from eventcal.events.state_changes import cancel_event, redact_event
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.feed import Feed
from eventcal.feeds.format_registry import Options
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.options import Cancelled
from tests.clocks import FixedClock
from tests.feed_support.icslint import Component
from tests.feed_support.make_feeds import Calendar, add_event, open_calendar, whole_event
from tests.make import MODERATOR

A_DAY = timedelta(days=1)
OPENING, CLOSING = DEADLINE_KINDS
CALL = {"opens": "2026-03-20T09:00:00", "closes": "2026-05-01T18:00:00"}
OPENS, CLOSES = "Call for talks opens: Xen Summit", "Call for talks closes: Xen Summit"
OFF = [f"CANCELLED: {CLOSES}", f"CANCELLED: {OPENS}"]


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Calendar]:
    with open_calendar(database_url, clock) as calendar:
        yield calendar


def deadlines(*kinds: EntryKind, **wanted: Any) -> Feed:
    return Feed(filters=Filter(**wanted), kinds=frozenset(kinds or DEADLINE_KINDS))


def edit(calendar: Calendar, event_id: str, **fields: Any) -> None:
    with calendar.write() as session:
        edit_event(session, whole_event(session, event_id), fields, now=calendar.clock.now())


def cancel(calendar: Calendar, event_id: str) -> None:
    with calendar.write() as session:
        cancel_event(session, whole_event(session, event_id), now=calendar.clock.now())


def redact(calendar: Calendar, event_id: str) -> None:
    with calendar.write() as session:
        redact_event(session, whole_event(session, event_id), caller=MODERATOR, now=calendar.clock.now())


def said(entry: Component, *names: str) -> list[str]:
    return [entry.text(name) for name in names]


# Changes


def test_moved_deadline_keeps_its_uid_and_raises_its_sequence(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    edit(calendar, event_id, call_for_talks={"closes_at": "2026-05-08T18:00:00"})
    entry = calendar.deadlines(event_id)[CLOSING]
    names = ("UID", "SEQUENCE", "LAST-MODIFIED", "DTEND")
    assert said(entry, *names) == [f"closing-{event_id}@cal.example.org", "1", "20260301T120200Z", "20260508T180000"]


def test_deadline_changes_only_with_displayed_fields_of_its_event(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    edit(calendar, event_id, description="Else", location={"city": "Bonn"})
    assert {entry.value("SEQUENCE") for entry in calendar.deadlines(event_id).values()} == {"0"}
    edit(calendar, event_id, title="Else")
    assert sorted(entry.text("SUMMARY") for entry in calendar.deadlines(event_id).values()) == [
        *("Call for talks closes: Else", "Call for talks opens: Else")
    ]


def test_removed_call_is_shown_as_cancelled_until_30_days_after_its_end(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    edit(calendar, event_id, call_for_talks=None)
    entry = calendar.deadlines(event_id)[CLOSING]
    assert said(entry, "SUMMARY", "STATUS", "TRANSP", "SEQUENCE") == [OFF[0], "CANCELLED", "TRANSPARENT", "1"]
    on = {day: calendar.shown(deadlines(), later=_until(calendar, day)) for day in ((4, 19), (4, 20), (5, 31), (6, 1))}
    assert on == {(4, 19): OFF, (4, 20): OFF[:1], (5, 31): OFF[:1], (6, 1): []}


def _until(calendar: Calendar, day: tuple[int, int]) -> timedelta:
    return datetime(2026, *day, 12, tzinfo=UTC) - calendar.clock.now()


def test_call_removed_after_its_end_is_shown_as_cancelled_for_30_days(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    calendar.clock.move(datetime(2026, 6, 1, 12, tzinfo=UTC))
    edit(calendar, event_id, call_for_talks=None)
    assert [calendar.shown(deadlines(), later=days * A_DAY) for days in (0, 30, 31)] == [OFF, OFF, []]


def test_event_change_does_not_extend_the_tombstone_of_a_removed_call(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    edit(calendar, event_id, call_for_talks=None)
    calendar.clock.move(datetime(2026, 5, 30, 12, tzinfo=UTC))
    edit(calendar, event_id, title="Else")
    assert [calendar.shown(deadlines(), later=days * A_DAY) for days in (0, 2)] == [OFF[:1], []]


def test_restored_call_reuses_its_entry(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    edit(calendar, event_id, call_for_talks=None)
    edit(calendar, event_id, call_for_talks={"closes_at": CALL["closes"]})
    entry = calendar.deadlines(event_id)[CLOSING]
    assert said(entry, "SUMMARY", "STATUS", "SEQUENCE") == [CLOSES, "CONFIRMED", "2"]
    assert calendar.shown(deadlines(CLOSING), later=3000 * A_DAY) == [CLOSES]


def test_deadlines_of_a_cancelled_event_are_cancelled_and_expire_with_it(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    cancel(calendar, event_id)
    assert {entry.value("STATUS") for entry in calendar.deadlines(event_id).values()} == {"CANCELLED"}
    assert {day: calendar.shown(deadlines(), later=_until(calendar, day)) for day in ((7, 12), (7, 13))} == {
        (7, 12): OFF,
        (7, 13): [],
    }


@pytest.mark.parametrize("taken_back", [False, True])
def test_deadlines_of_a_redacted_event_contain_none_of_its_text(calendar: Calendar, *, taken_back: bool) -> None:
    event_id = add_event(calendar, slug="spam", title="Secret", tags=["Secret"], call={**CALL, "note": "Secret"})
    if taken_back:
        edit(calendar, event_id, call_for_talks=None)
    redact(calendar, event_id)
    with calendar.database.read_session() as session:
        rows = session.scalars(select(FeedEntry)).all()
        texts = "".join(f"{row.ics}{row.entry}{row.resource}" for row in rows)
    assert ("Secret" in texts, {row.deleted for row in rows}) == (False, {True})
    assert calendar.shown(deadlines(CLOSING)) == [
        "CANCELLED: Call for talks" if taken_back else "CANCELLED: Call for talks closes: [removed]"
    ]


# Selection for a feed


def test_feed_contains_only_the_requested_kinds(calendar: Calendar) -> None:
    add_event(calendar, call=CALL)
    assert calendar.shown() == ["Xen Summit"]
    assert calendar.shown(deadlines()) == [CLOSES, OPENS]
    assert calendar.shown(deadlines(OPENING)) == [OPENS]
    assert calendar.shown(deadlines(*EntryKind)) == [CLOSES, OPENS, "Xen Summit"]


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
    calendar: Calendar, wanted: dict[str, Any], *, shown: bool
) -> None:
    add_event(calendar, slug="summit", city="Bonn", country="DE", series="Xen", tags=["xen"], call=CALL)
    assert calendar.shown(deadlines(**wanted)) == [CLOSES, OPENS] * shown


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("2026-03-20", "2026-03-20", [OPENS]),
        ("2026-03-21", "2026-04-30", []),
        ("2026-03-21", "2026-05-01", [CLOSES]),
        ("2026-05-02", None, []),
        (None, "2026-03-19", []),
        (None, "2026-12-31", [CLOSES, OPENS]),
    ],
)
def test_deadlines_are_filtered_by_their_own_days(
    calendar: Calendar, first: str | None, last: str | None, shown: list[str]
) -> None:
    add_event(calendar, call=CALL)
    days = {"from_day": first and date.fromisoformat(first), "to_day": last and date.fromisoformat(last)}
    assert calendar.shown(deadlines(**days)) == shown


def test_cancelled_deadlines_can_be_hidden_or_marked(calendar: Calendar) -> None:
    event_id = add_event(calendar, call=CALL)
    edit(calendar, event_id, call_for_talks={"opens_at": None})
    assert calendar.shown(deadlines(), options=Options(cancelled=Cancelled.HIDE)) == [CLOSES]
    marked = calendar.read(deadlines(), options=Options(cancelled=Cancelled.MARK)).events()
    assert {entry.text("SUMMARY"): entry.value("STATUS") for entry in marked} == {
        OFF[1]: "CONFIRMED",
        CLOSES: "CONFIRMED",
    }
