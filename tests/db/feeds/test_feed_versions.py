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
from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.entry_selection import Feed, with_window
from eventcal.feeds.feed_assembly import AssembledFeed, assemble_feed, assemble_incremental
from eventcal.feeds.format_registry import CALENDAR_FORMATS, CSV, Options
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import NOON, FixedClock
from tests.feed_support.feed_calendar import FeedCalendar, add_event, add_talk, load_event, open_feed_calendar
from tests.sql_statements import record_statements

ONE_DAY = timedelta(days=1)
TODAY = NOON.date()


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


def make_feed(**filters: object) -> Feed:
    return Feed(filters=Filter(**filters))  # type: ignore[arg-type]  # any field


# Versions


@dataclass
class VersionChecker:
    """Every observed version of each feed, and the bytes it identified."""

    calendar: FeedCalendar
    bodies_by_version: dict[tuple[str, str], bytes] = field(default_factory=dict)
    versions_by_body: dict[tuple[str, bytes], str] = field(default_factory=dict)

    def check_feeds(self) -> None:
        """Check each feed's version against its bytes: each version has one body, and each body one version."""
        for kind, feed in self._feeds().items():
            self._check_version(kind, self.calendar.assemble(feed))
        for options in OPTIONS:
            self._check_version(repr(options), self.calendar.assemble(options=options))
        for fmt in CALENDAR_FORMATS:
            self._check_version(fmt.name, self.calendar.assemble(fmt=fmt))
        # CSV shows fields that no calendar format does: equal bytes may have two versions, but never the reverse.
        table = self.calendar.assemble(fmt=CSV)
        assert self.bodies_by_version.setdefault((CSV.name, table.version), table.body) == table.body

    def _check_version(self, kind: str, seen: AssembledFeed) -> None:
        assert self.bodies_by_version.setdefault((kind, seen.version), seen.body) == seen.body
        assert self.versions_by_body.setdefault((kind, seen.body), seen.version) == seen.version

    def _feeds(self) -> dict[str, Feed]:
        return {
            "calendar": Feed(filters=with_window(NO_FILTER, now=self.calendar.clock.now())),
            "deadlines": Feed(filters=NO_FILTER, kinds=frozenset(DEADLINE_KINDS)),
            "city": make_feed(cities=("Berlin",)),
            "tag": make_feed(tags=("arm",)),
            "language": make_feed(languages=("de",)),
            "state": make_feed(states=("confirmed",)),
            "open calls": make_feed(call_open=True),
        }


OPTIONS = [*(Options(cancelled=cancelled) for cancelled in Cancelled), Options(utc=True), Options(rich=True)]

EVENT_EDITS: dict[str, list[object]] = {
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
DAYS_PASSING = st.tuples(st.just("days"), st.just("days"), st.integers(1, 45), st.just(0))
CHANGES = st.one_of(
    st.tuples(st.just("event"), st.sampled_from(sorted(EVENT_EDITS)), st.integers(0, 9), st.integers(0, 2)),
    st.tuples(st.just("talk"), st.sampled_from(sorted(TALK_EDITS)), st.integers(0, 9), st.integers(0, 2)),
    st.tuples(st.just("tag"), st.just("tag"), st.integers(0, 1), st.integers(0, 2)),
    DAYS_PASSING,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGES, min_size=6, max_size=14))
def test_feed_version_changes_exactly_when_its_bytes_do(
    calendar: FeedCalendar, changes: list[tuple[str, str, int, int]]
) -> None:
    # The examples share one database, like successive states of one installation.
    calendar.clock.set_time(max(NOON, calendar.clock.now()))
    call = {"opens": "2026-04-01T00:00:00", "closes": "2026-05-01T00:00:00"}
    events = [
        add_event(calendar, city="Berlin", call=call),
        add_event(calendar, starts="2026-03-20", ends="2026-07-21"),
    ]
    talks = [add_talk(calendar, event, language="de") for event in events]
    versions = VersionChecker(calendar)
    for what, name, number, which in changes:
        if what == "days":
            calendar.clock.tick(number * 86400)
        elif what == "tag":
            with calendar.write_session() as session:
                load_event(session, events[which % 2]).tags = [EventTag(position=0, tag="arm")] * number
        elif what == "event":
            values = EVENT_EDITS[name]
            calendar.set_columns(Event, events[which % 2], **{name: values[number % len(values)]})
        else:
            values = TALK_EDITS[name]
            calendar.set_columns(Talk, talks[which % 2], **{name: values[number % len(values)]})
        versions.check_feeds()


def test_replacing_entries_within_a_day_changes_the_version(calendar: FeedCalendar) -> None:
    # Two sets of revisions with equal count, sum and maximum: 1, 5, 6 and 2, 3, 7, beside 9.
    days = {1: 0, 5: 0, 6: 0, 2: 1, 3: 1, 7: 1, 9: None, 4: 500, 8: 500}
    for number in range(1, 10):
        day = days[number]
        first = TODAY if day is None else TODAY + (400 + day) * ONE_DAY if day in {1, 500} else TODAY - 30 * ONE_DAY
        add_event(calendar, title=f"{number}", starts=f"{first}", ends=f"{first}")
    feeds = [Feed(filters=with_window(NO_FILTER, now=calendar.clock.now() + later)) for later in (0 * ONE_DAY, ONE_DAY)]
    assert [calendar.list_titles(feed) for feed in feeds] == [["1", "5", "6", "9"], ["2", "3", "7", "9"]]
    assert calendar.fetch_version(feeds[0]) != calendar.fetch_version(feeds[1])


def test_moving_window_without_changed_entries_keeps_the_version(calendar: FeedCalendar) -> None:
    add_talk(calendar, add_event(calendar))
    feeds = [Feed(filters=with_window(NO_FILTER, now=calendar.clock.now() + later)) for later in (0 * ONE_DAY, ONE_DAY)]
    assert calendar.fetch_version(feeds[0]) == calendar.fetch_version(feeds[1])


def test_entry_that_leaves_a_filter_changes_the_version_of_that_feed_only(calendar: FeedCalendar) -> None:
    talk = add_talk(calendar, add_event(calendar), language="de")
    german = make_feed(languages=("de",))
    before = calendar.fetch_version(german), calendar.fetch_version()
    calendar.set_columns(Talk, talk, language="en")
    assert calendar.fetch_version(german) != before[0]
    assert calendar.fetch_version() == before[1]


def test_assembling_a_feed_sends_one_select(calendar: FeedCalendar) -> None:
    add_talk(calendar, add_event(calendar))
    with calendar.database.read_session() as session:
        wanted = calendar.assembly_request(session, Feed(filters=NO_FILTER))
        with record_statements(calendar.database) as seen:
            whole = assemble_feed(session, wanted, revision=2, now=calendar.clock.now())
            assemble_incremental(session, wanted, whole, revision=2, now=calendar.clock.now())
    assert sum(statement.startswith("SELECT") for statement in seen) == 2
