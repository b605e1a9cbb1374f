"""A feed built incrementally from an earlier one is byte-identical to the feed built from scratch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from eventcal.events.filter import NO_FILTER, Filter
from eventcal.events.models import Event
from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.entries.entry import EntryKind, StoredEntry
from eventcal.feeds.entry_selection import Feed, with_window
from eventcal.feeds.feed_assembly import (
    AssembledFeed,
    AssemblyRequest,
    assemble_feed,
    assemble_incremental,
    can_increment,
)
from eventcal.feeds.format_registry import CALENDAR_FORMATS, CSV, DEFAULT_OPTIONS, ICS, Format, Options
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.index.models import read_feed_state
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import NOON, FixedClock
from tests.feed_support.feed_calendar import (
    FEED_HEAD,
    UNFILTERED_FEED,
    FeedCalendar,
    add_event,
    add_talk,
    open_feed_calendar,
)
from tests.feed_support.feed_changes import CHANGES, apply_changes, clear_calendar
from tests.feed_support.feed_scenario import FeedScenario, create_scenario
from tests.feed_support.ics_reader import parse_ics
from tests.sql_statements import record_statements

ONE_DAY = timedelta(days=1)
ALL_KINDS = frozenset(EntryKind)
TALKS_ONLY = frozenset({EntryKind.TALK})


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


@dataclass(frozen=True)
class FeedRequest:
    """A feed and the parameters of the request for it. `has_event_title`: the feed carries the title of an event."""

    feed: Feed
    options: Options = DEFAULT_OPTIONS
    fmt: Format = ICS
    has_window: bool = False
    has_event_title: bool = False


def make_feed(entry_kinds: frozenset[EntryKind] = ALL_KINDS, **filters: Any) -> Feed:
    return Feed(filters=Filter(**filters), kinds=entry_kinds)


COMPLETE_FEED = make_feed()
FEED_REQUESTS: Mapping[str, FeedRequest] = {
    "all": FeedRequest(COMPLETE_FEED),
    "the usual": FeedRequest(UNFILTERED_FEED, has_window=True),
    "scheduled": FeedRequest(make_feed(scheduled=True), has_window=True),
    "waiting": FeedRequest(make_feed(scheduled=False)),
    "event": FeedRequest(make_feed(events=("summit",), scheduled=True), has_event_title=True),
    "city": FeedRequest(make_feed(cities=("Bonn", "Köln"))),
    "country": FeedRequest(make_feed(countries=("DE",))),
    "tag": FeedRequest(make_feed(tags=("a",))),
    "series": FeedRequest(make_feed(series=("Xen",))),
    "track": FeedRequest(make_feed(tracks=("ARM",))),
    "room": FeedRequest(make_feed(rooms=("Room 1",))),
    "grace": FeedRequest(make_feed(speakers=("grace",))),
    "ada": FeedRequest(make_feed(TALKS_ONLY, speakers=("ada",))),
    "unknown": FeedRequest(make_feed(speakers=("unknown",))),
    "language": FeedRequest(make_feed(languages=("de",))),
    "confirmed": FeedRequest(make_feed(states=("confirmed",))),
    "cancelled": FeedRequest(make_feed(states=("cancelled", "tentative"))),
    "kind": FeedRequest(make_feed(kinds=("keynote", "meetup"))),
    "words": FeedRequest(make_feed(q="else")),
    "since": FeedRequest(make_feed(updated_since=NOON + timedelta(minutes=5))),
    "days": FeedRequest(make_feed(from_day=date(2026, 6, 11), to_day=date(2026, 6, 18))),
    "deadlines": FeedRequest(make_feed(frozenset(DEADLINE_KINDS)), has_window=True),
    "deadlines hidden": FeedRequest(
        make_feed(frozenset(DEADLINE_KINDS), to_day=date(2026, 4, 1)), Options(cancelled=Cancelled.HIDE)
    ),
    "marked": FeedRequest(COMPLETE_FEED, Options(cancelled=Cancelled.MARK)),
    "hidden": FeedRequest(make_feed(tags=("a",)), Options(cancelled=Cancelled.HIDE)),
    "all hidden": FeedRequest(COMPLETE_FEED, Options(cancelled=Cancelled.HIDE, utc=True)),
    "in UTC": FeedRequest(COMPLETE_FEED, Options(utc=True)),
    "rich": FeedRequest(COMPLETE_FEED, Options(rich=True)),
    "rich, hidden, of a speaker": FeedRequest(
        make_feed(speakers=("grace",)), Options(rich=True, cancelled=Cancelled.HIDE)
    ),
    **{fmt.name: FeedRequest(COMPLETE_FEED, fmt=fmt) for fmt in (*CALENDAR_FORMATS[1:], CSV)},
    **{f"{fmt.name} of a tag": FeedRequest(make_feed(tags=("a",)), fmt=fmt) for fmt in (*CALENDAR_FORMATS[1:], CSV)},
}


@dataclass
class Subscriber:
    """A subscriber who fetches every feed and keeps the first and the last assembly of the day of each."""

    world: FeedScenario
    day: date | None = None
    first_assemblies: dict[str, AssembledFeed] = field(default_factory=dict)
    last_assemblies: dict[str, AssembledFeed] = field(default_factory=dict)

    def fetch_all(self) -> None:
        """Fetch every feed and check that its incremental assembly equals the full one."""
        calendar = self.world.calendar
        now = calendar.clock.now()
        if self.day != now.date():
            self.day, self.first_assemblies, self.last_assemblies = now.date(), {}, {}
        with calendar.database.read_session() as session:
            state = read_feed_state(session.connection())
            for name, asked in self._feed_requests().items():
                wanted = self._assembly_request(session, asked)
                whole = assemble_feed(session, wanted, revision=state.revision, now=now)
                for before in (self.first_assemblies.get(name), self.last_assemblies.get(name)):
                    if before and can_increment(
                        before, revision=state.revision, full_rebuild_revision=state.full_rebuild_revision
                    ):
                        made = assemble_incremental(session, wanted, before, revision=state.revision, now=now)
                        assert (name, observable_properties(made)) == (name, observable_properties(whole))
                self.first_assemblies.setdefault(name, whole)
                self.last_assemblies[name] = whole

    def _feed_requests(self) -> Mapping[str, FeedRequest]:
        talk = frozenset({self.world.ids["talk"]})
        return {
            **FEED_REQUESTS,
            "one talk": FeedRequest(Feed(filters=NO_FILTER, kinds=TALKS_ONLY, talk_ids=talk), has_event_title=True),
        }

    def _assembly_request(self, session: Session, asked: FeedRequest) -> AssemblyRequest:
        calendar, feed = self.world.calendar, asked.feed
        if asked.has_window:
            feed = replace(feed, filters=with_window(feed.filters, now=calendar.clock.now()))
        wanted = calendar.assembly_request(session, feed, fmt=asked.fmt, options=asked.options)
        if not asked.has_event_title:
            return wanted
        return replace(wanted, head=replace(FEED_HEAD, name=session.get_one(Event, self.world.ids["summit"]).title))


def observable_properties(assembly: AssembledFeed) -> tuple[object, ...]:
    """Return all observable properties of an assembly."""
    entries = tuple(assembly.entries), tuple(assembly.sizes), assembly.entries_offset
    return assembly.revision, assembly.version, assembly.body, *entries


PAUSE_DAYS = {"a day": 1, "a month": 30}
CHANGES_AND_PAUSES = st.one_of(
    st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=3), st.sampled_from(sorted(PAUSE_DAYS))
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(CHANGES_AND_PAUSES, min_size=6, max_size=12))
def test_incremental_feed_equals_full_feed_after_any_changes(
    calendar: FeedCalendar, steps: list[list[str] | str]
) -> None:
    clear_calendar(calendar)
    subscriber = Subscriber(create_scenario(calendar))
    subscriber.fetch_all()
    for step in steps:
        if isinstance(step, str):
            calendar.clock.tick(86400 * PAUSE_DAYS[step])
        else:
            apply_changes(subscriber.world, *step)
        subscriber.fetch_all()


# Single changes


def assemble_incrementally(
    calendar: FeedCalendar,
    before: AssembledFeed,
    feed: Feed = COMPLETE_FEED,
    **options: Any,
) -> AssembledFeed:
    """Return the assembly built from `before`, after checking that it equals the full one."""
    with calendar.database.read_session() as session:
        state = read_feed_state(session.connection())
        assert can_increment(before, revision=state.revision, full_rebuild_revision=state.full_rebuild_revision)
        wanted = calendar.assembly_request(session, feed, **options)
        made = assemble_incremental(session, wanted, before, revision=state.revision, now=calendar.clock.now())
    assert observable_properties(made) == observable_properties(calendar.assemble(feed, **options))
    return made


def can_assemble_incrementally(calendar: FeedCalendar, before: AssembledFeed) -> bool:
    with calendar.database.read_session() as session:
        state = read_feed_state(session.connection())
    return can_increment(before, revision=state.revision, full_rebuild_revision=state.full_rebuild_revision)


@pytest.mark.parametrize("fmt", [*CALENDAR_FORMATS, CSV], ids=lambda fmt: fmt.name)
def test_entry_that_leaves_and_returns_keeps_its_position(calendar: FeedCalendar, fmt: Format) -> None:
    event = add_event(calendar)
    talk = add_talk(calendar, event, language="de")
    add_talk(calendar, event, language="de", starts="2026-06-11T09:00:00")
    german = make_feed(languages=("de",))
    seen = [calendar.assemble(german, fmt=fmt)]
    for language in ("en", "de"):
        calendar.set_columns(Talk, talk, language=language)
        seen.append(assemble_incrementally(calendar, seen[-1], german, fmt=fmt))
    assert [len(one.entries) for one in seen] == [2, 1, 2]
    assert seen[0].body == seen[2].body != seen[1].body
    # Compared over both changes together, the entry never left.
    assert assemble_incrementally(calendar, seen[0], german, fmt=fmt).body == seen[0].body


@pytest.mark.parametrize("fmt", [*CALENDAR_FORMATS, CSV], ids=lambda fmt: fmt.name)
def test_incremental_feed_handles_the_first_and_the_last_entry(calendar: FeedCalendar, fmt: Format) -> None:
    talk = add_talk(calendar, add_event(calendar), language="en")
    german = make_feed(languages=("de",))
    seen = [calendar.assemble(german, fmt=fmt)]
    for language in ("de", None):
        calendar.set_columns(Talk, talk, language=language)
        seen.append(assemble_incrementally(calendar, seen[-1], german, fmt=fmt))
    assert [len(one.entries) for one in seen] == [0, 1, 0]
    assert seen[0].body == seen[2].body


def test_incremental_feed_applies_many_changes_at_once(calendar: FeedCalendar) -> None:
    event = add_event(calendar)
    first, second, third = (add_talk(calendar, event, starts=f"2026-06-1{day}T09:00:00") for day in range(3))
    before = calendar.assemble(COMPLETE_FEED)
    calendar.set_columns(Talk, first, starts="2026-06-12T18:00:00")
    calendar.set_columns(Talk, second, title="Else")
    calendar.set_columns(Talk, first, title="Last of all")
    calendar.set_columns(Talk, third, state=TalkState.WITHDRAWN)
    titles = [entry.text("SUMMARY") for entry in parse_ics(assemble_incrementally(calendar, before).body).events()]
    # Entries of the same day are in the order of their random UIDs.
    assert (titles[:2], sorted(titles[2:])) == (["Xen Summit", "Else"], ["CANCELLED: Xen on ARM", "Last of all"])


def test_talk_that_becomes_public_requires_a_full_rebuild(calendar: FeedCalendar) -> None:
    event = add_event(calendar)
    talk = add_talk(calendar, event, state=TalkState.DRAFT)
    before = calendar.assemble(COMPLETE_FEED)
    calendar.set_columns(Talk, talk, state=TalkState.CONFIRMED)
    assert not can_assemble_incrementally(calendar, before)


def test_feed_without_changed_entries_keeps_its_body_object(calendar: FeedCalendar) -> None:
    event = add_event(calendar, city="Bonn")
    talk = add_talk(calendar, add_event(calendar))
    add_talk(calendar, event)
    bonn = make_feed(cities=("Bonn",))
    before = calendar.assemble(bonn)
    calendar.set_columns(Talk, talk, title="Else")
    made = assemble_incrementally(calendar, before, bonn)
    assert made.body is before.body
    assert (before.revision, made.revision) == (calendar.get_revision() - 1, calendar.get_revision())


def test_incremental_feed_rewrites_only_changed_entries_in_one_statement(calendar: FeedCalendar) -> None:
    event = add_event(calendar)
    talks = [add_talk(calendar, event) for _ in range(5)]
    written: list[str] = []

    def write(kept: StoredEntry, options: Options) -> bytes:
        written.append(kept.entry.uid)
        return ICS.serialize_entry(kept, options)

    counting = replace(ICS, is_stored_rendered=False, serialize_entry=write)
    before = calendar.assemble(COMPLETE_FEED, fmt=counting)
    calendar.set_columns(Talk, talks[2], title="Else")
    written.clear()
    with calendar.database.read_session() as session:
        wanted, revision = (
            calendar.assembly_request(session, COMPLETE_FEED, fmt=counting),
            read_feed_state(session.connection()).revision,
        )
        with record_statements(calendar.database) as asked:
            made = assemble_incremental(session, wanted, before, revision=revision, now=calendar.clock.now())
    assert (written, len(asked)) == ([f"talk-{talks[2]}@cal.example.org"], 1)
    assert made.body == calendar.fetch_bytes(COMPLETE_FEED)


def test_merging_an_unpublished_speaker_requires_a_full_rebuild(calendar: FeedCalendar) -> None:
    world = create_scenario(calendar)
    unknown = make_feed(TALKS_ONLY, speakers=("unknown",))
    before = calendar.assemble(unknown)
    apply_changes(world, "unknown is grace")
    assert (len(before.entries), len(calendar.assemble(unknown).entries)) == (0, 4)
    assert calendar.get_revision() > before.revision
    assert not can_assemble_incrementally(calendar, before)


@pytest.mark.parametrize(
    ("changed", "shows"),
    [({"country": "FR"}, True), ({"series": "Xen"}, False), ({"city": "Bonn"}, True), ({"title": "Else"}, True)],
)
def test_event_change_that_affects_filters_requires_a_full_rebuild(
    calendar: FeedCalendar, changed: dict[str, str], *, shows: bool
) -> None:
    event = add_event(calendar, country="DE")
    add_talk(calendar, event)
    before = calendar.assemble(COMPLETE_FEED)
    calendar.set_columns(Event, event, **changed)
    assert not can_assemble_incrementally(calendar, before)
    assert (calendar.assemble(COMPLETE_FEED).body != before.body) is shows


def test_assembly_can_be_followed_over_at_most_500_revisions() -> None:
    before = AssembledFeed(revision=7, version="v", body=b"", entries=(), sizes=(), entries_offset=0)
    assert [can_increment(before, revision=revision, full_rebuild_revision=7) for revision in (7, 8, 507, 508)] == [
        *(True, True, True, False)
    ]
    assert [
        can_increment(before, revision=9, full_rebuild_revision=full_rebuild_revision)
        for full_rebuild_revision in (0, 7, 8)
    ] == [*(True, True, False)]
