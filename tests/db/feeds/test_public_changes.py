"""Following `next` through the list of changes yields every change exactly once."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus
from eventcal.events.models import Event
from eventcal.events.state_changes import cancel_event, redact_event
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.stored_json_queries import PublicChange
from eventcal.sponsors.models import Tier
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import FixedClock
from tests.factories import MODERATOR_CALLER, make_event, make_tier
from tests.feed_support.feed_calendar import FeedCalendar, add_event, add_talk, load_event, open_feed_calendar


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


def change_tuples(changes: list[PublicChange]) -> list[tuple[str, str, bool]]:
    return [(change.kind.value, change.id, change.deleted) for change in changes]


def test_changes_are_ordered_by_their_latest_revision(calendar: FeedCalendar) -> None:
    first, second = add_event(calendar, slug="first"), add_event(calendar, slug="second")
    talk = add_talk(calendar, second)
    calendar.set_columns(Event, first, title="Else")
    calendar.set_columns(Event, first, title="Else again")
    changes, until = calendar.list_changes()
    # Adding the talk made the second event transparent; the first event changed last.
    assert sorted(change_tuples(changes[:2])) == [("event", "second", False), ("talk", talk, False)]
    assert change_tuples(changes[2:]) == [("event", "first", False)]
    assert [change.revision for change in changes] == sorted({change.revision for change in changes})
    assert until == changes[-1].revision == calendar.get_revision()


def test_next_continues_from_page_to_page(calendar: FeedCalendar) -> None:
    for number in range(5):
        add_event(calendar, slug=f"event-{number}")
    since, pages = 0, []
    for _ in range(4):
        changes, since = calendar.list_changes(since, limit=2)
        pages.append([change.id for change in changes])
    assert pages == [["event-0", "event-1"], ["event-2", "event-3"], ["event-4"], []]


def test_next_is_unchanged_if_there_are_no_changes(calendar: FeedCalendar) -> None:
    add_event(calendar)
    until = calendar.get_revision()
    assert calendar.list_changes(until) == ([], until)
    assert calendar.list_changes(until + 7) == ([], until + 7)


def test_redacted_event_is_deleted_and_cancelled_event_is_not(calendar: FeedCalendar) -> None:
    cancelled, blanked = add_event(calendar, slug="cancelled"), add_event(calendar, slug="blanked")
    with calendar.write_session() as session:
        now = calendar.clock.now()
        cancel_event(session, load_event(session, cancelled), now=now)
        redact_event(session, load_event(session, blanked), caller=MODERATOR_CALLER, now=now)
    assert sorted(change_tuples(calendar.list_changes()[0])) == [
        ("event", "blanked", True),
        ("event", "cancelled", False),
    ]


@dataclass
class ChangesClient:
    """A client that follows the changes from the beginning, and the revisions it knows."""

    calendar: FeedCalendar
    cursor: int = 0
    known_revisions: dict[tuple[str, str], int] = field(default_factory=dict)

    def read_page(self, limit: int) -> int:
        """Read one page. Return the number of changes on it."""
        changes, until = self.calendar.list_changes(self.cursor, limit)
        for change in changes:
            assert self.cursor < change.revision <= until
            assert change.revision > self.known_revisions.get((change.kind, change.id), 0)
            self.known_revisions[change.kind, change.id] = change.revision
        assert until >= self.cursor
        self.cursor = until
        return len(changes)


def load_public_revisions(calendar: FeedCalendar) -> dict[tuple[str, str], int]:
    """Return the revision of every public event and talk."""
    with calendar.database.read_session() as session:
        events = session.execute(select(Event.slug, Event.revision).where(Event.status.in_(PUBLIC_STATUSES)))
        talks = session.execute(
            select(Talk.id, Talk.revision)
            .join(Talk.event)
            .where(Talk.published_at.is_not(None), Event.status.in_(PUBLIC_STATUSES))
        )
        return {
            **{(EntryKind.EVENT, slug): revision for slug, revision in events},
            **{(EntryKind.TALK, id_): revision for id_, revision in talks},
        }


@dataclass
class Writers:
    """The writers: each step selects one of the existing rows by a number."""

    calendar: FeedCalendar
    event_ids: list[str] = field(default_factory=list)
    talk_ids: list[str] = field(default_factory=list)

    def add_event(self, number: int) -> None:
        """Propose an event or publish one at once."""
        self.event_ids.append(add_event(self.calendar, status=list(EventStatus)[number % 4]))

    def add_talk(self, number: int) -> None:
        """Add a talk in any state."""
        state = [TalkState.DRAFT, TalkState.ACCEPTED, TalkState.CONFIRMED][number % 3]
        starts = "2026-06-10T13:30:00" if number % 2 else None
        self.talk_ids.append(add_talk(self.calendar, self._pick(self.event_ids, number), state=state, starts=starts))

    def edit_title(self, number: int) -> None:
        """Change a title, public or not."""
        table, ids = (Event, self.event_ids) if number % 2 else (Talk, self.talk_ids)
        self.calendar.set_columns(
            table, self._pick(ids, number), title=f"Title {number} of {self.calendar.clock.now()}"
        )

    def edit_private_field(self, number: int) -> None:
        """Change a field that is not public, so that the revision of the row runs ahead."""
        for abstract in range(6):
            self.calendar.set_columns(Talk, self._pick(self.talk_ids, number), abstract=str(abstract))

    def publish_event_and_talk(self, number: int) -> None:
        """Publish an event and a talk."""
        self.calendar.set_columns(Event, self._pick(self.event_ids, number), status=EventStatus.CONFIRMED)
        self.calendar.set_columns(Talk, self._pick(self.talk_ids, number), state=TalkState.CONFIRMED)

    def withdraw_talk(self, number: int) -> None:
        """Withdraw a talk."""
        self.calendar.set_columns(Talk, self._pick(self.talk_ids, number), state=TalkState.WITHDRAWN)

    def add_tier(self, number: int) -> None:
        """Add a tier, which changes no public field of an event or talk."""
        with self.calendar.write_session() as session:
            make_tier(session, session.get_one(Event, self._pick(self.event_ids, number)))
        with self.calendar.write_session() as session:
            assert session.scalars(select(Tier)).first() is not None

    def _pick(self, ids: list[str], number: int) -> str:
        return ids[number % len(ids)]


WRITER_METHODS = (
    *("add_event", "add_talk", "edit_title", "edit_private_field"),
    *("publish_event_and_talk", "withdraw_talk", "add_tier"),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from([*WRITER_METHODS, "read"]), st.integers(0, 50)), min_size=5, max_size=25)
)
def test_client_reading_at_any_time_ends_up_with_every_change(
    calendar: FeedCalendar, steps: list[tuple[str, int]]
) -> None:
    # The examples share one database: each continues from the previous one, with a client that starts at the beginning.
    community, reader = Writers(calendar), ChangesClient(calendar)
    community.add_event(2)
    community.add_talk(0)
    for name, number in steps:
        if name == "read":
            reader.read_page(1 + number % 5)
        else:
            getattr(community, name)(number)
    while reader.read_page(20):
        pass
    assert reader.known_revisions == load_public_revisions(calendar)
    assert reader.cursor == calendar.get_revision()


def test_client_misses_no_change_written_concurrently(calendar: FeedCalendar) -> None:
    done = threading.Event()

    def write(name: str) -> None:
        for number in range(8):
            with calendar.database.unit_of_work() as unit:
                make_event(unit.session, slug=f"{name}-{number}")

    def wait() -> None:
        for writer in writers:
            writer.join()
        done.set()

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c")]
    waiter = threading.Thread(target=wait)
    for thread in (*writers, waiter):
        thread.start()
    reader = ChangesClient(calendar)
    # Read once more after the last commit.
    while not done.is_set() or reader.read_page(3):
        reader.read_page(3)
    waiter.join()
    assert reader.known_revisions == load_public_revisions(calendar)
    assert len(reader.known_revisions) == 24
