"""Tombstones of cancelled and redacted entries, and talks without times."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from eventcal.events.state_changes import cancel_event, redact_event
from eventcal.feeds.format_registry import Options
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.options import Cancelled
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk
from eventcal.talks.service import redact_talk
from tests.clocks import FixedClock
from tests.feed_support.make_feeds import Calendar, add_event, add_talk, open_calendar, whole_event
from tests.make import MODERATOR, make_speaker, make_talk

A_DAY = timedelta(days=1)


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Calendar]:
    with open_calendar(database_url, clock) as calendar:
        yield calendar


# Tombstones


KEEP, HIDE, MARK = (Options(cancelled=cancelled) for cancelled in Cancelled)


def withdraw(calendar: Calendar, talk_id: str) -> None:
    calendar.change(Talk, talk_id, state=TalkState.WITHDRAWN)


def cancel(calendar: Calendar, event_id: str) -> None:
    with calendar.write() as session:
        cancel_event(session, whole_event(session, event_id), now=calendar.clock.now())


def test_cancelled_talk_is_marked_cancelled_and_transparent(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    talk_id = add_talk(calendar, event_id)
    withdraw(calendar, talk_id)
    entry = calendar.entry(talk_id)
    said = {name: entry.text(name) for name in ("SUMMARY", "STATUS", "TRANSP", "SEQUENCE")}
    assert said == {
        "SUMMARY": "CANCELLED: Xen on ARM",
        "STATUS": "CANCELLED",
        "TRANSP": "TRANSPARENT",
        "SEQUENCE": "1",
    }


def test_cancelling_an_event_cancels_all_its_talks(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    add_talk(calendar, event_id)
    add_talk(calendar, event_id, title="Waiting", starts=None)
    cancel(calendar, event_id)
    assert calendar.shown() == ["CANCELLED: Waiting", "CANCELLED: Xen Summit", "CANCELLED: Xen on ARM"]
    assert {entry.value("STATUS") for entry in calendar.read().events()} == {"CANCELLED"}


def test_cancelled_entries_can_be_hidden_or_marked_in_their_title_only(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    add_talk(calendar, event_id, title="Stays")
    withdraw(calendar, add_talk(calendar, event_id))
    assert calendar.shown(options=HIDE) == ["Stays", "Xen Summit"]
    marked = {entry.text("SUMMARY"): entry.value("STATUS") for entry in calendar.read(options=MARK).events()}
    assert marked == {"CANCELLED: Xen on ARM": "CONFIRMED", "Stays": "CONFIRMED", "Xen Summit": "CONFIRMED"}
    kept = {entry.text("SUMMARY"): entry.value("STATUS") for entry in calendar.read(options=KEEP).events()}
    assert kept == marked | {"CANCELLED: Xen on ARM": "CANCELLED"}


def test_tombstone_is_shown_until_30_days_after_the_end(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    withdraw(calendar, add_talk(calendar, event_id))
    ends_at = datetime(2026, 6, 10, 12, 15, tzinfo=UTC)
    shown = [calendar.shown(later=ends_at + days - calendar.clock.now()) for days in (30 * A_DAY, 31 * A_DAY)]
    assert shown == [["CANCELLED: Xen on ARM", "Xen Summit"], ["Xen Summit"]]


def test_entry_cancelled_after_its_end_is_shown_for_30_days(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    add_talk(calendar, event_id)
    calendar.clock.move(datetime(2026, 8, 1, 12, tzinfo=UTC))
    cancel(calendar, event_id)
    both = ["CANCELLED: Xen Summit", "CANCELLED: Xen on ARM"]
    assert [calendar.shown(later=days) for days in (0 * A_DAY, 30 * A_DAY, 31 * A_DAY)] == [both, both, []]


def test_confirmed_entry_never_expires(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    assert calendar.shown(later=5000 * A_DAY) == ["Xen Summit", "Xen on ARM"]


# Redaction


def ledger_text(calendar: Calendar, *names: str) -> str:
    """Return the contents of the ledger, or of the given columns, as one text."""
    with calendar.database.read_session() as session:
        rows = session.scalars(select(FeedEntry)).all()
        columns = names or [column.key for column in FeedEntry.__table__.columns]
        return "\n".join(str(getattr(row, name)) for row in rows for name in columns).replace("\r\n ", "")


def test_tombstone_of_a_redacted_talk_contains_none_of_its_text(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    with calendar.write() as session:
        speaker = make_speaker(session, name="Secret Speaker")
        talk_id = make_talk(
            session,
            whole_event(session, event_id),
            state=TalkState.CONFIRMED,
            title="Secret title",
            abstract="Secret abstract",
            tags=["Secret tag"],
            speakers=[speaker],
        ).id
    # The talk has no time yet, so that the event lists it too: in the iCalendar text, entry and resource of each.
    assert [ledger_text(calendar, name).count("Secret title") for name in ("ics", "entry", "resource")] == [3, 3, 1]
    with calendar.write() as session:
        redact_talk(session, get_talk(session, talk_id, MODERATOR), caller=MODERATOR, now=calendar.clock.now())
    assert "Secret" not in ledger_text(calendar)
    assert calendar.shown() == ["CANCELLED: [removed]", "Xen Summit"]
    assert {change.id for change in calendar.changes()[0] if change.deleted} == {talk_id}


def test_tombstone_of_a_redacted_event_contains_none_of_its_text(calendar: Calendar) -> None:
    secret = {name: f"Secret {name}" for name in ("title", "summary", "description", "venue", "city")}
    event_id = add_event(
        calendar, slug="spam", tags=["Secret tag"], rooms=["Secret room"], tracks=["Secret track"], **secret
    )
    add_talk(calendar, event_id, room="Secret room", track="Secret track", title="A talk")
    assert "Secret" in ledger_text(calendar)
    with calendar.write() as session:
        redact_event(session, whole_event(session, event_id), caller=MODERATOR, now=calendar.clock.now())
    assert "Secret" not in ledger_text(calendar)
    assert calendar.shown() == ["CANCELLED: A talk", "CANCELLED: [removed]"]
    assert {change.id for change in calendar.changes()[0] if change.deleted} == {"spam"}


# Talks without times


def test_unscheduled_talk_spans_its_event_and_is_listed_in_the_line_up(calendar: Calendar) -> None:
    event_id = add_event(calendar)
    with calendar.write() as session:
        speaker = make_speaker(session)
        event = whole_event(session, event_id)
        talk_id = make_talk(session, event, state=TalkState.CONFIRMED, title="Waiting", speakers=[speaker]).id
    entry = calendar.entry(talk_id)
    said = {name: entry.value(name) for name in ("DTSTART", "DTEND", "STATUS", "TRANSP")}
    assert said == {"DTSTART": "20260610", "DTEND": "20260613", "STATUS": "TENTATIVE", "TRANSP": "TRANSPARENT"}
    assert "Line-up:\n- Waiting (Grace Hopper)\n" in calendar.entry(event_id).text("DESCRIPTION")
    assert calendar.entry(event_id).value("TRANSP") == "TRANSPARENT"
