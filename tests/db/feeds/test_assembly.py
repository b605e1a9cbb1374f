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
from eventcal.feeds.entries.entry import EntryKind, StoredEntry
from eventcal.feeds.feed import Feed, with_window
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
from eventcal.feeds.options import Cancelled
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.clocks import NOON, FixedClock
from tests.feed_support.feed_changes import CHANGES, change, empty
from tests.feed_support.feed_world import World, make_world
from tests.feed_support.icslint import parse
from tests.feed_support.make_feeds import EVERY_FEED, HEAD, Calendar, add_event, add_talk, open_calendar
from tests.statements import statements

A_DAY = timedelta(days=1)
ALL_KINDS = frozenset(EntryKind)
TALKS = frozenset({EntryKind.TALK})


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Calendar]:
    with open_calendar(database_url, clock) as calendar:
        yield calendar


@dataclass(frozen=True)
class Asked:
    """A feed and the parameters of the request for it. `named`: the feed carries the title of an event."""

    feed: Feed
    options: Options = DEFAULT_OPTIONS
    fmt: Format = ICS
    windowed: bool = False
    named: bool = False


def asking(of: frozenset[EntryKind] = ALL_KINDS, **wanted: Any) -> Feed:
    return Feed(filters=Filter(**wanted), kinds=of)


WHOLE = asking()
FEEDS: Mapping[str, Asked] = {
    "all": Asked(WHOLE),
    "the usual": Asked(EVERY_FEED, windowed=True),
    "scheduled": Asked(asking(scheduled=True), windowed=True),
    "waiting": Asked(asking(scheduled=False)),
    "event": Asked(asking(events=("summit",), scheduled=True), named=True),
    "city": Asked(asking(cities=("Bonn", "Köln"))),
    "country": Asked(asking(countries=("DE",))),
    "tag": Asked(asking(tags=("a",))),
    "series": Asked(asking(series=("Xen",))),
    "track": Asked(asking(tracks=("ARM",))),
    "room": Asked(asking(rooms=("Room 1",))),
    "grace": Asked(asking(speakers=("grace",))),
    "ada": Asked(asking(TALKS, speakers=("ada",))),
    "unknown": Asked(asking(speakers=("unknown",))),
    "language": Asked(asking(languages=("de",))),
    "confirmed": Asked(asking(states=("confirmed",))),
    "cancelled": Asked(asking(states=("cancelled", "tentative"))),
    "kind": Asked(asking(kinds=("keynote", "meetup"))),
    "words": Asked(asking(q="else")),
    "since": Asked(asking(updated_since=NOON + timedelta(minutes=5))),
    "days": Asked(asking(from_day=date(2026, 6, 11), to_day=date(2026, 6, 18))),
    "deadlines": Asked(asking(frozenset(DEADLINE_KINDS)), windowed=True),
    "deadlines hidden": Asked(
        asking(frozenset(DEADLINE_KINDS), to_day=date(2026, 4, 1)), Options(cancelled=Cancelled.HIDE)
    ),
    "marked": Asked(WHOLE, Options(cancelled=Cancelled.MARK)),
    "hidden": Asked(asking(tags=("a",)), Options(cancelled=Cancelled.HIDE)),
    "all hidden": Asked(WHOLE, Options(cancelled=Cancelled.HIDE, utc=True)),
    "in UTC": Asked(WHOLE, Options(utc=True)),
    "rich": Asked(WHOLE, Options(rich=True)),
    "rich, hidden, of a speaker": Asked(asking(speakers=("grace",)), Options(rich=True, cancelled=Cancelled.HIDE)),
    **{fmt.name: Asked(WHOLE, fmt=fmt) for fmt in (*CALENDAR_FORMATS[1:], CSV)},
    **{f"{fmt.name} of a tag": Asked(asking(tags=("a",)), fmt=fmt) for fmt in (*CALENDAR_FORMATS[1:], CSV)},
}


@dataclass
class Subscriber:
    """A subscriber who fetches every feed and keeps the first and the last assembly of the day of each."""

    world: World
    day: date | None = None
    first: dict[str, AssembledFeed] = field(default_factory=dict)
    last: dict[str, AssembledFeed] = field(default_factory=dict)

    def look(self) -> None:
        """Fetch every feed and check that its incremental assembly equals the full one."""
        calendar = self.world.calendar
        now = calendar.clock.now()
        if self.day != now.date():
            self.day, self.first, self.last = now.date(), {}, {}
        with calendar.database.read_session() as session:
            state = read_feed_state(session.connection())
            for name, asked in self._feeds().items():
                wanted = self._wanted(session, asked)
                whole = assemble_feed(session, wanted, revision=state.revision, now=now)
                for before in (self.first.get(name), self.last.get(name)):
                    if before and can_increment(
                        before, revision=state.revision, full_rebuild_revision=state.full_rebuild_revision
                    ):
                        made = assemble_incremental(session, wanted, before, revision=state.revision, now=now)
                        assert (name, told(made)) == (name, told(whole))
                self.first.setdefault(name, whole)
                self.last[name] = whole

    def _feeds(self) -> Mapping[str, Asked]:
        talk = frozenset({self.world.ids["talk"]})
        return {**FEEDS, "one talk": Asked(Feed(filters=NO_FILTER, kinds=TALKS, talk_ids=talk), named=True)}

    def _wanted(self, session: Session, asked: Asked) -> AssemblyRequest:
        calendar, feed = self.world.calendar, asked.feed
        if asked.windowed:
            feed = replace(feed, filters=with_window(feed.filters, now=calendar.clock.now()))
        wanted = calendar.wanted(session, feed, fmt=asked.fmt, options=asked.options)
        if not asked.named:
            return wanted
        return replace(wanted, head=replace(HEAD, name=session.get_one(Event, self.world.ids["summit"]).title))


def told(assembly: AssembledFeed) -> tuple[object, ...]:
    """Return all observable properties of an assembly."""
    entries = tuple(assembly.entries), tuple(assembly.sizes), assembly.entries_offset
    return assembly.revision, assembly.version, assembly.body, *entries


DAYS = {"a day": 1, "a month": 30}
STEPS = st.one_of(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=3), st.sampled_from(sorted(DAYS)))


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=6, max_size=12))
def test_incremental_feed_equals_full_feed_after_any_changes(calendar: Calendar, steps: list[list[str] | str]) -> None:
    empty(calendar)
    subscriber = Subscriber(make_world(calendar))
    subscriber.look()
    for step in steps:
        if isinstance(step, str):
            calendar.clock.tick(86400 * DAYS[step])
        else:
            change(subscriber.world, *step)
        subscriber.look()


# Single changes


def followed(calendar: Calendar, before: AssembledFeed, feed: Feed = WHOLE, **asked: Any) -> AssembledFeed:
    """Return the assembly built from `before`, after checking that it equals the full one."""
    with calendar.database.read_session() as session:
        state = read_feed_state(session.connection())
        assert can_increment(before, revision=state.revision, full_rebuild_revision=state.full_rebuild_revision)
        wanted = calendar.wanted(session, feed, **asked)
        made = assemble_incremental(session, wanted, before, revision=state.revision, now=calendar.clock.now())
    assert told(made) == told(calendar.assembled(feed, **asked))
    return made


def may_be_followed(calendar: Calendar, before: AssembledFeed) -> bool:
    with calendar.database.read_session() as session:
        state = read_feed_state(session.connection())
    return can_increment(before, revision=state.revision, full_rebuild_revision=state.full_rebuild_revision)


@pytest.mark.parametrize("fmt", [*CALENDAR_FORMATS, CSV], ids=lambda fmt: fmt.name)
def test_entry_that_leaves_and_returns_keeps_its_position(calendar: Calendar, fmt: Format) -> None:
    event = add_event(calendar)
    talk = add_talk(calendar, event, language="de")
    add_talk(calendar, event, language="de", starts="2026-06-11T09:00:00")
    german = asking(languages=("de",))
    seen = [calendar.assembled(german, fmt=fmt)]
    for language in ("en", "de"):
        calendar.change(Talk, talk, language=language)
        seen.append(followed(calendar, seen[-1], german, fmt=fmt))
    assert [len(one.entries) for one in seen] == [2, 1, 2]
    assert seen[0].body == seen[2].body != seen[1].body
    # Compared over both changes together, the entry never left.
    assert followed(calendar, seen[0], german, fmt=fmt).body == seen[0].body


@pytest.mark.parametrize("fmt", [*CALENDAR_FORMATS, CSV], ids=lambda fmt: fmt.name)
def test_incremental_feed_handles_the_first_and_the_last_entry(calendar: Calendar, fmt: Format) -> None:
    talk = add_talk(calendar, add_event(calendar), language="en")
    german = asking(languages=("de",))
    seen = [calendar.assembled(german, fmt=fmt)]
    for language in ("de", None):
        calendar.change(Talk, talk, language=language)
        seen.append(followed(calendar, seen[-1], german, fmt=fmt))
    assert [len(one.entries) for one in seen] == [0, 1, 0]
    assert seen[0].body == seen[2].body


def test_incremental_feed_applies_many_changes_at_once(calendar: Calendar) -> None:
    event = add_event(calendar)
    first, second, third = (add_talk(calendar, event, starts=f"2026-06-1{day}T09:00:00") for day in range(3))
    before = calendar.assembled(WHOLE)
    calendar.change(Talk, first, starts="2026-06-12T18:00:00")
    calendar.change(Talk, second, title="Else")
    calendar.change(Talk, first, title="Last of all")
    calendar.change(Talk, third, state=TalkState.WITHDRAWN)
    titles = [entry.text("SUMMARY") for entry in parse(followed(calendar, before).body).events()]
    # Entries of the same day are in the order of their random UIDs.
    assert (titles[:2], sorted(titles[2:])) == (["Xen Summit", "Else"], ["CANCELLED: Xen on ARM", "Last of all"])


def test_talk_that_becomes_public_requires_a_full_rebuild(calendar: Calendar) -> None:
    event = add_event(calendar)
    talk = add_talk(calendar, event, state=TalkState.DRAFT)
    before = calendar.assembled(WHOLE)
    calendar.change(Talk, talk, state=TalkState.CONFIRMED)
    assert not may_be_followed(calendar, before)


def test_feed_without_changed_entries_keeps_its_body_object(calendar: Calendar) -> None:
    event = add_event(calendar, city="Bonn")
    talk = add_talk(calendar, add_event(calendar))
    add_talk(calendar, event)
    bonn = asking(cities=("Bonn",))
    before = calendar.assembled(bonn)
    calendar.change(Talk, talk, title="Else")
    made = followed(calendar, before, bonn)
    assert made.body is before.body
    assert (before.revision, made.revision) == (calendar.revision() - 1, calendar.revision())


def test_incremental_feed_rewrites_only_changed_entries_in_one_statement(calendar: Calendar) -> None:
    event = add_event(calendar)
    talks = [add_talk(calendar, event) for _ in range(5)]
    written: list[str] = []

    def write(kept: StoredEntry, options: Options) -> bytes:
        written.append(kept.entry.uid)
        return ICS.serialize_entry(kept, options)

    counting = replace(ICS, is_stored_rendered=False, serialize_entry=write)
    before = calendar.assembled(WHOLE, fmt=counting)
    calendar.change(Talk, talks[2], title="Else")
    written.clear()
    with calendar.database.read_session() as session:
        wanted, revision = calendar.wanted(session, WHOLE, fmt=counting), read_feed_state(session.connection()).revision
        with statements(calendar.database) as asked:
            made = assemble_incremental(session, wanted, before, revision=revision, now=calendar.clock.now())
    assert (written, len(asked)) == ([f"talk-{talks[2]}@cal.example.org"], 1)
    assert made.body == calendar.take(WHOLE)


def test_merging_an_unpublished_speaker_requires_a_full_rebuild(calendar: Calendar) -> None:
    world = make_world(calendar)
    unknown = asking(TALKS, speakers=("unknown",))
    before = calendar.assembled(unknown)
    change(world, "unknown is grace")
    assert (len(before.entries), len(calendar.assembled(unknown).entries)) == (0, 4)
    assert calendar.revision() > before.revision
    assert not may_be_followed(calendar, before)


@pytest.mark.parametrize(
    ("changed", "shows"),
    [({"country": "FR"}, False), ({"series": "Xen"}, False), ({"city": "Bonn"}, True), ({"title": "Else"}, True)],
)
def test_event_change_that_affects_filters_requires_a_full_rebuild(
    calendar: Calendar, changed: dict[str, str], *, shows: bool
) -> None:
    event = add_event(calendar, country="DE")
    add_talk(calendar, event)
    before = calendar.assembled(WHOLE)
    calendar.change(Event, event, **changed)
    assert not may_be_followed(calendar, before)
    assert (calendar.assembled(WHOLE).body != before.body) is shows


def test_assembly_can_be_followed_over_at_most_500_revisions() -> None:
    before = AssembledFeed(revision=7, version="v", body=b"", entries=(), sizes=(), entries_offset=0)
    assert [can_increment(before, revision=revision, full_rebuild_revision=7) for revision in (7, 8, 507, 508)] == [
        *(True, True, True, False)
    ]
    assert [
        can_increment(before, revision=9, full_rebuild_revision=full_rebuild_revision)
        for full_rebuild_revision in (0, 7, 8)
    ] == [*(True, True, False)]
