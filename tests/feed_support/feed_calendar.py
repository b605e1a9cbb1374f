"""A calendar with a feed index for tests of feeds. Each change is made in a separate unit of work."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from eventcal.events.filter import NO_FILTER
from eventcal.events.models import Event
from eventcal.feeds.entries.entry import EntryKind, FeedHead, Status
from eventcal.feeds.entries.entry_builder import EntryBuilder
from eventcal.feeds.entry_selection import Feed, exclude_absent_recurring_events
from eventcal.feeds.feed_assembly import AssembledFeed, AssemblyRequest, assemble_feed
from eventcal.feeds.format_registry import DEFAULT_OPTIONS, ICS, Format, Options
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.index.feed_index import FeedIndex, get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.stored_json_queries import PublicChange, list_public_changes
from eventcal.kit.database import Database, UnitOfWork
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.json_resource_renderer import JsonResourceRenderer
from tests.clocks import FixedClock
from tests.factories import make_event, make_talk
from tests.feed_support.ics_reader import Component, feed_errors, parse_ics
from tests.feed_support.sample_entries import ALL_DAY_ENTRY

BASE_URL, DOMAIN = "https://cal.example.org", "cal.example.org"

SAMPLE_ENTRY = replace(ALL_DAY_ENTRY, status=Status.CONFIRMED, transparent=False)

FEED_HEAD = FeedHead(
    uid="feed-1@cal.example.org",
    name="Events",
    description="Events and talks.",
    zone="UTC",
    url="https://cal.example.org/",
    source="https://cal.example.org/calendar.ics",
    changed_at=None,
)

UNFILTERED_FEED = Feed(filters=NO_FILTER)


def make_feed_index(base_url: str = BASE_URL, domain: str = DOMAIN) -> FeedIndex:
    """Return a feed index for a base URL and a domain."""
    links = UrlBuilder(base_url)
    return FeedIndex(EntryBuilder(links=links, domain=domain), JsonResourceRenderer(links))


@dataclass(frozen=True)
class EntryVersion:
    """A version of a feed entry: its numbers and time, which never decrease, and its iCalendar text."""

    sequence: int
    last_modified: datetime
    revision: int
    ics: str


class _RollBackError(Exception):
    """Raised to roll back a unit of work."""


def load_entry_versions(session: Session) -> dict[str, EntryVersion]:
    """Return the versions of all event and talk entries, by the id of the event or talk."""
    return {
        row.subject_id: _to_entry_version(row)
        for row in _load_feed_entries(session)
        if row.kind in {EntryKind.EVENT, EntryKind.TALK}
    }


def load_deadline_versions(session: Session) -> dict[tuple[str, EntryKind], EntryVersion]:
    """Return the versions of all deadline entries, by event id and entry kind."""
    found = {(row.subject_id, row.kind): _to_entry_version(row) for row in _load_feed_entries(session)}
    return {key: numbers for key, numbers in found.items() if key[1] in DEADLINE_KINDS}


def load_feed_rows(session: Session) -> dict[str, dict[str, Any]]:
    """Return all columns of all feed entries, by UID."""
    names = [column.key for column in inspect(FeedEntry).columns]
    return {row.uid: {name: getattr(row, name) for name in names} for row in _load_feed_entries(session)}


def _load_feed_entries(session: Session) -> Iterable[FeedEntry]:
    return session.scalars(select(FeedEntry).execution_options(populate_existing=True))


def _to_entry_version(row: FeedEntry) -> EntryVersion:
    return EntryVersion(row.sequence, row.last_modified, row.revision, row.ics)


@dataclass(frozen=True)
class FeedCalendar:
    """A database with a feed index. Every unit of work begins a minute after the previous one."""

    database: Database
    clock: FixedClock
    feed_index: FeedIndex

    @contextmanager
    def write_session(self) -> Iterator[Session]:
        """Provide the session of a unit of work that begins a minute after the previous one."""
        self.clock.tick(60)
        with self.database.unit_of_work() as unit:
            yield unit.session

    def rerender(self, unit: UnitOfWork) -> None:
        """Render all entries again, in a single unit of work."""
        for table in (Event, Talk):
            ids = unit.session.scalars(select(table.id)).all()
            self.feed_index.rerender(unit.session, table, ids, now=unit.now)

    @contextmanager
    def rolled_back_unit(self) -> Iterator[UnitOfWork]:
        """Provide a unit of work that begins a minute after the previous one and is rolled back at the end."""
        self.clock.tick(60)
        with suppress(_RollBackError), self.database.unit_of_work() as unit:
            yield unit
            raise _RollBackError

    def set_columns(self, table: Any, key: str, **columns: Any) -> None:  # noqa: ANN401 - any table, any column
        """Set columns of a row."""
        with self.write_session() as session:
            row = session.get_one(table, key)
            for name, value in columns.items():
                setattr(row, name, value)

    def entry_versions(self) -> dict[str, EntryVersion]:
        """Return the versions of all event and talk entries, by the id of the event or talk."""
        with self.database.read_session() as session:
            return load_entry_versions(session)

    def parse_entry(self, subject_id: str) -> Component:
        """Return the parsed entry of an event or talk."""
        return _parse_entry(self.entry_versions()[subject_id].ics)

    def parse_deadlines(self, event_id: str) -> dict[EntryKind, Component]:
        """Return the parsed deadline entries of an event, by entry kind."""
        with self.database.read_session() as session:
            found = load_deadline_versions(session)
        return {kind: _parse_entry(numbers.ics) for (of, kind), numbers in found.items() if of == event_id}

    def get_revision(self) -> int:
        """Return the current revision of the feed index."""
        with self.database.read_session() as session:
            return get_feed_state(session).revision

    def get_feed_state(self) -> tuple[int, datetime]:
        """Return the revision and the time of the last public change."""
        with self.database.read_session() as session:
            state = get_feed_state(session)
            return state.revision, state.changed_at

    def list_changes(self, since: int = 0, limit: int = 50) -> tuple[list[PublicChange], int]:
        """Return the public changes since a revision, and the revision at which to continue."""
        with self.database.read_session() as session:
            return list_public_changes(session, since=since, limit=limit)

    def fetch_valid(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> bytes:
        """Return the bytes of a feed after checking that the feed is valid."""
        body = self.fetch_bytes(feed, options=options, later=later)
        found = feed_errors(body)
        if found:
            raise AssertionError(found)
        return body

    def fetch_bytes(
        self,
        feed: Feed = UNFILTERED_FEED,
        *,
        fmt: Format = ICS,
        options: Options = DEFAULT_OPTIONS,
        later: timedelta = timedelta(0),
    ) -> bytes:
        """Return the bytes of a feed without checking them."""
        return self.assemble(feed, fmt=fmt, options=options, later=later).body

    def fetch_version(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> str:
        """Return the version of a feed, from which its ETag is derived."""
        return self.assemble(feed, options=options, later=later).version

    def assemble(
        self,
        feed: Feed = UNFILTERED_FEED,
        *,
        fmt: Format = ICS,
        options: Options = DEFAULT_OPTIONS,
        later: timedelta = timedelta(0),
    ) -> AssembledFeed:
        """Return the assembled feed."""
        with self.database.read_session() as session:
            wanted = self.assembly_request(session, feed, fmt=fmt, options=options)
            revision = get_feed_state(session).revision
            return assemble_feed(session, wanted, revision=revision, now=self.clock.now() + later)

    def assembly_request(
        self, session: Session, feed: Feed, *, fmt: Format = ICS, options: Options = DEFAULT_OPTIONS
    ) -> AssemblyRequest:
        """Return the request for assembling a feed."""
        asked = exclude_absent_recurring_events(session, replace(feed, cancelled=options.cancelled))
        return AssemblyRequest(
            feed=asked, format=fmt, options=options, head=FEED_HEAD, renderer_version=self.feed_index.renderer_version
        )

    def fetch_parsed(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> Component:
        """Return a valid feed as a parsed component."""
        return parse_ics(self.fetch_valid(feed, options=options, later=later))

    def list_titles(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> list[str]:
        """Return the sorted titles of the entries in a feed."""
        return sorted(entry.text("SUMMARY") for entry in self.fetch_parsed(feed, options=options, later=later).events())


def _parse_entry(text: str) -> Component:
    whole = f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n"
    return parse_ics(whole.encode()).events()[0]


@contextmanager
def open_feed_calendar(url: str, clock: FixedClock, ledger: FeedIndex | None = None) -> Iterator[FeedCalendar]:
    """Provide a calendar in a migrated database."""
    ledger = ledger or make_feed_index()
    database = Database(url, clock=clock, hooks=[ledger.update_entries])
    yield FeedCalendar(database, clock, ledger)
    database.engine.dispose()


def with_feed_index(calendar: FeedCalendar, ledger: FeedIndex) -> FeedCalendar:
    """Return the same calendar with another feed index."""
    database = Database(
        calendar.database.engine.url.render_as_string(hide_password=False),
        clock=calendar.clock,
        hooks=[ledger.update_entries],
    )
    return replace(calendar, database=database, feed_index=ledger)


def add_event(calendar: FeedCalendar, **fields: Any) -> str:
    """Add a public event and return its id."""
    with calendar.write_session() as session:
        return make_event(session, **fields).id


def add_talk(calendar: FeedCalendar, event_id: str, **fields: Any) -> str:
    """Add a confirmed talk to an event, by default on the first day, and return its id."""
    with calendar.write_session() as session:
        event = load_event(session, event_id)
        values: dict[str, Any] = {"state": TalkState.CONFIRMED, "starts": "2026-06-10T13:30:00", **fields}
        return make_talk(session, event, **values).id


def load_event(session: Session, event_id: str) -> Event:
    """Return an event with its related rows loaded."""
    event = session.get_one(Event, event_id)
    session.refresh(event, ["tags", "tracks", "rooms", "call", "neighbours"])
    return event
