"""Tombstones of cancelled and redacted entries, and talks without times."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from eventcal.events.state_changes import cancel_event, redact_event
from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.format_registry import Options
from eventcal.feeds.index.models import FeedEntry
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk
from eventcal.talks.service import redact_talk
from tests.clocks import FixedClock
from tests.factories import MODERATOR_CALLER, make_speaker, make_talk
from tests.feed_support.feed_calendar import FeedCalendar, add_event, add_talk, load_event, open_feed_calendar

ONE_DAY = timedelta(days=1)


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


# Tombstones


KEEP_CANCELLED, HIDE_CANCELLED, MARK_CANCELLED = (Options(cancelled=cancelled) for cancelled in Cancelled)


def withdraw_talk(calendar: FeedCalendar, talk_id: str) -> None:
    calendar.set_columns(Talk, talk_id, state=TalkState.WITHDRAWN)


def cancel_stored_event(calendar: FeedCalendar, event_id: str) -> None:
    with calendar.write_session() as session:
        cancel_event(session, load_event(session, event_id), now=calendar.clock.now())


def test_cancelled_talk_is_marked_cancelled_and_transparent(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    withdraw_talk(calendar, talk_id)
    entry = calendar.parse_entry(talk_id)
    said = {name: entry.text(name) for name in ("SUMMARY", "STATUS", "TRANSP", "SEQUENCE")}
    assert said == {
        "SUMMARY": "CANCELLED: Xen on ARM",
        "STATUS": "CANCELLED",
        "TRANSP": "TRANSPARENT",
        "SEQUENCE": "1",
    }


def test_cancelling_an_event_cancels_all_its_talks(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    add_talk(calendar, event_id)
    add_talk(calendar, event_id, title="Waiting", starts=None)
    cancel_stored_event(calendar, event_id)
    assert calendar.list_titles() == ["CANCELLED: Waiting", "CANCELLED: Xen Summit", "CANCELLED: Xen on ARM"]
    assert {entry.value("STATUS") for entry in calendar.fetch_parsed().events()} == {"CANCELLED"}


def test_cancelled_entries_can_be_hidden_or_marked_in_their_title_only(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    add_talk(calendar, event_id, title="Stays")
    withdraw_talk(calendar, add_talk(calendar, event_id))
    assert calendar.list_titles(options=HIDE_CANCELLED) == ["Stays", "Xen Summit"]
    marked = {
        entry.text("SUMMARY"): entry.value("STATUS") for entry in calendar.fetch_parsed(options=MARK_CANCELLED).events()
    }
    assert marked == {"CANCELLED: Xen on ARM": "CONFIRMED", "Stays": "CONFIRMED", "Xen Summit": "CONFIRMED"}
    kept = {
        entry.text("SUMMARY"): entry.value("STATUS") for entry in calendar.fetch_parsed(options=KEEP_CANCELLED).events()
    }
    assert kept == marked | {"CANCELLED: Xen on ARM": "CANCELLED"}


def test_tombstone_is_shown_until_30_days_after_the_end(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    withdraw_talk(calendar, add_talk(calendar, event_id))
    ends_at = datetime(2026, 6, 10, 12, 15, tzinfo=UTC)
    shown = [calendar.list_titles(later=ends_at + days - calendar.clock.now()) for days in (30 * ONE_DAY, 31 * ONE_DAY)]
    assert shown == [["CANCELLED: Xen on ARM", "Xen Summit"], ["Xen Summit"]]


def test_entry_cancelled_after_its_end_is_shown_for_30_days(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    add_talk(calendar, event_id)
    calendar.clock.set_time(datetime(2026, 8, 1, 12, tzinfo=UTC))
    cancel_stored_event(calendar, event_id)
    both = ["CANCELLED: Xen Summit", "CANCELLED: Xen on ARM"]
    assert [calendar.list_titles(later=days) for days in (0 * ONE_DAY, 30 * ONE_DAY, 31 * ONE_DAY)] == [both, both, []]


def test_confirmed_entry_never_expires(calendar: FeedCalendar) -> None:
    add_talk(calendar, add_event(calendar))
    assert calendar.list_titles(later=5000 * ONE_DAY) == ["Xen Summit", "Xen on ARM"]


# Redaction


def load_feed_index_text(calendar: FeedCalendar, *names: str) -> str:
    """Return the contents of the ledger, or of the given columns, as one text."""
    with calendar.database.read_session() as session:
        rows = session.scalars(select(FeedEntry)).all()
        columns = names or [column.key for column in FeedEntry.__table__.columns]
        return "\n".join(str(getattr(row, name)) for row in rows for name in columns).replace("\r\n ", "")


def test_tombstone_of_a_redacted_talk_contains_none_of_its_text(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    with calendar.write_session() as session:
        speaker = make_speaker(session, name="Secret Speaker")
        talk_id = make_talk(
            session,
            load_event(session, event_id),
            state=TalkState.CONFIRMED,
            title="Secret title",
            abstract="Secret abstract",
            tags=["Secret tag"],
            speakers=[speaker],
        ).id
    # The talk has no time yet, so that the event lists it too: in the iCalendar text, entry and resource of each.
    assert [load_feed_index_text(calendar, name).count("Secret title") for name in ("ics", "entry", "resource")] == [
        3,
        3,
        1,
    ]
    with calendar.write_session() as session:
        redact_talk(
            session, get_talk(session, talk_id, MODERATOR_CALLER), caller=MODERATOR_CALLER, now=calendar.clock.now()
        )
    assert "Secret" not in load_feed_index_text(calendar)
    assert calendar.list_titles() == ["CANCELLED: [removed]", "Xen Summit"]
    assert {change.id for change in calendar.list_changes()[0] if change.deleted} == {talk_id}


def test_tombstone_of_a_redacted_event_contains_none_of_its_text(calendar: FeedCalendar) -> None:
    secret = {name: f"Secret {name}" for name in ("title", "summary", "description", "venue", "city")}
    event_id = add_event(
        calendar, slug="spam", tags=["Secret tag"], rooms=["Secret room"], tracks=["Secret track"], **secret
    )
    add_talk(calendar, event_id, room="Secret room", track="Secret track", title="A talk")
    assert "Secret" in load_feed_index_text(calendar)
    with calendar.write_session() as session:
        redact_event(session, load_event(session, event_id), caller=MODERATOR_CALLER, now=calendar.clock.now())
    assert "Secret" not in load_feed_index_text(calendar)
    assert calendar.list_titles() == ["CANCELLED: A talk", "CANCELLED: [removed]"]
    assert {change.id for change in calendar.list_changes()[0] if change.deleted} == {"spam"}


# Talks without times


def test_unscheduled_talk_spans_its_event_and_is_listed_in_the_line_up(calendar: FeedCalendar) -> None:
    event_id = add_event(calendar)
    with calendar.write_session() as session:
        speaker = make_speaker(session)
        event = load_event(session, event_id)
        talk_id = make_talk(session, event, state=TalkState.CONFIRMED, title="Waiting", speakers=[speaker]).id
    entry = calendar.parse_entry(talk_id)
    said = {name: entry.value(name) for name in ("DTSTART", "DTEND", "STATUS", "TRANSP")}
    assert said == {"DTSTART": "20260610", "DTEND": "20260613", "STATUS": "TENTATIVE", "TRANSP": "TRANSPARENT"}
    assert "Line-up:\n- Waiting (Grace Hopper)\n" in calendar.parse_entry(event_id).text("DESCRIPTION")
    assert calendar.parse_entry(event_id).value("TRANSP") == "TRANSPARENT"
