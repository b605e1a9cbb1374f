"""The version of a feed identifies its bytes: equal versions have equal bytes, other bytes another version."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventcal.events.enums import EventStatus
from eventcal.events.filter import NO_FILTER, Filter
from eventcal.events.models import Event, EventTag
from eventcal.feeds.feed import Feed, with_window
from eventcal.feeds.feed_assembly import AssembledFeed, assemble_feed, assemble_incremental
from eventcal.feeds.format_registry import CALENDAR_FORMATS, CSV, Options
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.options import Cancelled
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import NOON, FixedClock
from tests.feed_support.make_feeds import Calendar, add_event, add_talk, open_calendar, whole_event
from tests.statements import statements

A_DAY = timedelta(days=1)
TODAY = NOON.date()


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Calendar]:
    with open_calendar(database_url, clock) as calendar:
        yield calendar


def asking(**wanted: object) -> Feed:
    return Feed(filters=Filter(**wanted))  # type: ignore[arg-type]  # any field


# Versions


@dataclass
class Versions:
    """Every observed version of each feed, and the bytes it identified."""

    calendar: Calendar
    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    names: dict[tuple[str, bytes], str] = field(default_factory=dict)

    def look(self) -> None:
        """Check each feed's version against its bytes: each version has one body, and each body one version."""
        for kind, feed in self._feeds().items():
            self._hold(kind, self.calendar.assembled(feed))
        for options in OPTIONS:
            self._hold(repr(options), self.calendar.assembled(options=options))
        for fmt in CALENDAR_FORMATS:
            self._hold(fmt.name, self.calendar.assembled(fmt=fmt))
        # CSV shows fields that no calendar format does: equal bytes may have two versions, but never the reverse.
        table = self.calendar.assembled(fmt=CSV)
        assert self.bodies.setdefault((CSV.name, table.version), table.body) == table.body

    def _hold(self, kind: str, seen: AssembledFeed) -> None:
        assert self.bodies.setdefault((kind, seen.version), seen.body) == seen.body
        assert self.names.setdefault((kind, seen.body), seen.version) == seen.version

    def _feeds(self) -> dict[str, Feed]:
        return {
            "calendar": Feed(filters=with_window(NO_FILTER, now=self.calendar.clock.now())),
            "deadlines": Feed(filters=NO_FILTER, kinds=frozenset(DEADLINE_KINDS)),
            "city": asking(cities=("Berlin",)),
            "tag": asking(tags=("arm",)),
            "language": asking(languages=("de",)),
            "state": asking(states=("confirmed",)),
            "open calls": asking(call_open=True),
        }


OPTIONS = [*(Options(cancelled=cancelled) for cancelled in Cancelled), Options(utc=True), Options(rich=True)]

EDITS: dict[str, list[object]] = {
    "title": ["Xen", "Else"],
    "city": ["Berlin", "Bonn"],
    "country": ["DE", None],
    "status": [EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.CANCELLED],
    "starts": ["2026-02-01", "2026-03-05", "2026-06-10"],
    "timezone": ["Europe/Berlin", "Europe/London"],
}
TALK_EDITS: dict[str, list[object]] = {
    "title": ["On ARM", "Else"],
    "language": ["de", "en"],
    "starts": [None, "2026-06-10T09:00:00", "2026-06-11T01:30:00"],
    "state": [TalkState.CONFIRMED, TalkState.WITHDRAWN],
    "notes": ["private", "more private"],
}
DAYS = st.tuples(st.just("days"), st.just("days"), st.integers(1, 45), st.just(0))
CHANGES = st.one_of(
    st.tuples(st.just("event"), st.sampled_from(sorted(EDITS)), st.integers(0, 9), st.integers(0, 2)),
    st.tuples(st.just("talk"), st.sampled_from(sorted(TALK_EDITS)), st.integers(0, 9), st.integers(0, 2)),
    st.tuples(st.just("tag"), st.just("tag"), st.integers(0, 1), st.integers(0, 2)),
    DAYS,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGES, min_size=6, max_size=14))
def test_feed_version_changes_exactly_when_its_bytes_do(
    calendar: Calendar, changes: list[tuple[str, str, int, int]]
) -> None:
    # The examples share one database, like successive states of one installation.
    calendar.clock.move(max(NOON, calendar.clock.now()))
    call = {"opens": "2026-04-01T00:00:00", "closes": "2026-05-01T00:00:00"}
    events = [
        add_event(calendar, city="Berlin", call=call),
        add_event(calendar, starts="2026-03-20", ends="2026-07-21"),
    ]
    talks = [add_talk(calendar, event, language="de") for event in events]
    versions = Versions(calendar)
    for what, name, number, which in changes:
        if what == "days":
            calendar.clock.tick(number * 86400)
        elif what == "tag":
            with calendar.write() as session:
                whole_event(session, events[which % 2]).tags = [EventTag(position=0, tag="arm")] * number
        elif what == "event":
            values = EDITS[name]
            calendar.change(Event, events[which % 2], **{name: values[number % len(values)]})
        else:
            values = TALK_EDITS[name]
            calendar.change(Talk, talks[which % 2], **{name: values[number % len(values)]})
        versions.look()


def test_replacing_entries_within_a_day_changes_the_version(calendar: Calendar) -> None:
    # Two sets of revisions with equal count, sum and maximum: 1, 5, 6 and 2, 3, 7, beside 9.
    days = {1: 0, 5: 0, 6: 0, 2: 1, 3: 1, 7: 1, 9: None, 4: 500, 8: 500}
    for number in range(1, 10):
        day = days[number]
        first = TODAY if day is None else TODAY + (400 + day) * A_DAY if day in {1, 500} else TODAY - 30 * A_DAY
        add_event(calendar, title=f"{number}", starts=f"{first}", ends=f"{first}")
    feeds = [Feed(filters=with_window(NO_FILTER, now=calendar.clock.now() + later)) for later in (0 * A_DAY, A_DAY)]
    assert [calendar.shown(feed) for feed in feeds] == [["1", "5", "6", "9"], ["2", "3", "7", "9"]]
    assert calendar.version(feeds[0]) != calendar.version(feeds[1])


def test_moving_window_without_changed_entries_keeps_the_version(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    feeds = [Feed(filters=with_window(NO_FILTER, now=calendar.clock.now() + later)) for later in (0 * A_DAY, A_DAY)]
    assert calendar.version(feeds[0]) == calendar.version(feeds[1])


def test_entry_that_leaves_a_filter_changes_the_version_of_that_feed_only(calendar: Calendar) -> None:
    talk = add_talk(calendar, add_event(calendar), language="de")
    german = asking(languages=("de",))
    before = calendar.version(german), calendar.version()
    calendar.change(Talk, talk, language="en")
    assert calendar.version(german) != before[0]
    assert calendar.version() == before[1]


def test_assembling_a_feed_sends_one_select(calendar: Calendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.database.read_session() as session:
        wanted = calendar.wanted(session, Feed(filters=NO_FILTER))
        with statements(calendar.database) as seen:
            whole = assemble_feed(session, wanted, revision=2, now=calendar.clock.now())
            assemble_incremental(session, wanted, whole, revision=2, now=calendar.clock.now())
    assert sum(statement.startswith("SELECT") for statement in seen) == 2
