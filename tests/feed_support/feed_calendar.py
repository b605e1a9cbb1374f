"""A calendar whose ledger follows each change, for tests of feeds: small steps, each in a unit of work of its own."""

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
from eventcal.feeds.feed import Feed, with_resolved_ids
from eventcal.feeds.feed_assembly import AssembledFeed, AssemblyRequest, assemble_feed
from eventcal.feeds.format_registry import DEFAULT_OPTIONS, ICS, Format, Options
from eventcal.feeds.index.entry_loader import DEADLINE_KINDS
from eventcal.feeds.index.feed_index import FeedIndex, get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.resource_queries import PublicChange, list_public_changes
from eventcal.kit.database import Database, UnitOfWork
from eventcal.talks.enums import TalkState
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.stored_resource_renderer import JsonResourceRenderer
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
    """Give the ledger of an installation."""
    links = UrlBuilder(base_url)
    return FeedIndex(EntryBuilder(links=links, domain=domain), JsonResourceRenderer(links))


@dataclass(frozen=True)
class EntryVersion:
    """What of an entry only rises, and what it is about."""

    sequence: int
    last_modified: datetime
    revision: int
    ics: str


class _RollBackError(Exception):
    """Nothing is wrong: what was done is to be undone."""


def load_entry_versions(session: Session) -> dict[str, EntryVersion]:
    """Give the numbers of every event's and talk's entry, by the id of what it shows."""
    return {
        row.subject_id: _to_entry_version(row)
        for row in _load_feed_entries(session)
        if row.kind in {EntryKind.EVENT, EntryKind.TALK}
    }


def load_deadline_versions(session: Session) -> dict[tuple[str, EntryKind], EntryVersion]:
    """Give the numbers of every entry of a call for talks, by the event's id and what it tells of."""
    found = {(row.subject_id, row.kind): _to_entry_version(row) for row in _load_feed_entries(session)}
    return {key: numbers for key, numbers in found.items() if key[1] in DEADLINE_KINDS}


def load_feed_rows(session: Session) -> dict[str, dict[str, Any]]:
    """Give every column of every row of the ledger, by UID."""
    names = [column.key for column in inspect(FeedEntry).columns]
    return {row.uid: {name: getattr(row, name) for name in names} for row in _load_feed_entries(session)}


def _load_feed_entries(session: Session) -> Iterable[FeedEntry]:
    return session.scalars(select(FeedEntry).execution_options(populate_existing=True))


def _to_entry_version(row: FeedEntry) -> EntryVersion:
    return EntryVersion(row.sequence, row.last_modified, row.revision, row.ics)


@dataclass(frozen=True)
class FeedCalendar:
    """A database that the ledger follows. Each write is a moment later than the one before."""

    database: Database
    clock: FixedClock
    feed_index: FeedIndex

    @contextmanager
    def write_session(self) -> Iterator[Session]:
        """Give the session of a unit of work, a minute after the last one."""
        self.clock.tick(60)
        with self.database.unit_of_work() as unit:
            yield unit.session

    @contextmanager
    def rolled_back_unit(self) -> Iterator[UnitOfWork]:
        """Give a unit of work, a minute after the last one, of which nothing remains in the end."""
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
        """Give the numbers of every event's and talk's entry, by the id of what it shows."""
        with self.database.read_session() as session:
            return load_entry_versions(session)

    def parse_entry(self, subject_id: str) -> Component:
        """Give an event's or talk's entry as a strict reader reads it."""
        return _parse_entry(self.entry_versions()[subject_id].ics)

    def parse_deadlines(self, event_id: str) -> dict[EntryKind, Component]:
        """Give the entries of an event's call for talks, by what they tell of, as a strict reader reads them."""
        with self.database.read_session() as session:
            found = load_deadline_versions(session)
        return {kind: _parse_entry(numbers.ics) for (of, kind), numbers in found.items() if of == event_id}

    def get_revision(self) -> int:
        """Give how far the ledger is."""
        with self.database.read_session() as session:
            return get_feed_state(session).revision

    def get_feed_state(self) -> tuple[int, datetime]:
        """Give everything that the public could tell a change by."""
        with self.database.read_session() as session:
            state = get_feed_state(session)
            return state.revision, state.changed_at

    def list_changes(self, since: int = 0, limit: int = 50) -> tuple[list[PublicChange], int]:
        """Give what changed since a revision, and where to go on."""
        with self.database.read_session() as session:
            return list_public_changes(session, since=since, limit=limit)

    def fetch_valid(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> bytes:
        """Give a feed's bytes, which have no faults."""
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
        """Give a feed's bytes, whatever is in them."""
        return self.assemble(feed, fmt=fmt, options=options, later=later).body

    def fetch_version(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> str:
        """Give what names a feed's bytes."""
        return self.assemble(feed, options=options, later=later).version

    def assemble(
        self,
        feed: Feed = UNFILTERED_FEED,
        *,
        fmt: Format = ICS,
        options: Options = DEFAULT_OPTIONS,
        later: timedelta = timedelta(0),
    ) -> AssembledFeed:
        """Give a feed, read whole."""
        with self.database.read_session() as session:
            wanted = self.assembly_request(session, feed, fmt=fmt, options=options)
            revision = get_feed_state(session).revision
            return assemble_feed(session, wanted, revision=revision, now=self.clock.now() + later)

    def assembly_request(
        self, session: Session, feed: Feed, *, fmt: Format = ICS, options: Options = DEFAULT_OPTIONS
    ) -> AssemblyRequest:
        """Give what is to be assembled of a feed."""
        asked = with_resolved_ids(session, replace(feed, cancelled=options.cancelled))
        return AssemblyRequest(
            feed=asked, format=fmt, options=options, head=FEED_HEAD, renderer_version=self.feed_index.renderer_version
        )

    def fetch_parsed(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> Component:
        """Give a feed as a strict reader reads it."""
        return parse_ics(self.fetch_valid(feed, options=options, later=later))

    def list_titles(
        self, feed: Feed = UNFILTERED_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> list[str]:
        """Give the titles in a feed, sorted."""
        return sorted(entry.text("SUMMARY") for entry in self.fetch_parsed(feed, options=options, later=later).events())


def _parse_entry(text: str) -> Component:
    whole = f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n"
    return parse_ics(whole.encode()).events()[0]


@contextmanager
def open_feed_calendar(url: str, clock: FixedClock, ledger: FeedIndex | None = None) -> Iterator[FeedCalendar]:
    """Give the calendar in a migrated database."""
    ledger = ledger or make_feed_index()
    database = Database(url, clock=clock, hooks=[ledger.update_entries])
    yield FeedCalendar(database, clock, ledger)
    database.engine.dispose()


def with_feed_index(calendar: FeedCalendar, ledger: FeedIndex) -> FeedCalendar:
    """Give the same calendar with another installation's settings."""
    database = Database(
        calendar.database.engine.url.render_as_string(hide_password=False),
        clock=calendar.clock,
        hooks=[ledger.update_entries],
    )
    return replace(calendar, database=database, feed_index=ledger)


def add_event(calendar: FeedCalendar, **fields: Any) -> str:
    """Give the id of a public event."""
    with calendar.write_session() as session:
        return make_event(session, **fields).id


def add_talk(calendar: FeedCalendar, event_id: str, **fields: Any) -> str:
    """Give the id of a confirmed talk of the event, on its first day unless told otherwise."""
    with calendar.write_session() as session:
        event = load_event(session, event_id)
        values: dict[str, Any] = {"state": TalkState.CONFIRMED, "starts": "2026-06-10T13:30:00", **fields}
        return make_talk(session, event, **values).id


def load_event(session: Session, event_id: str) -> Event:
    """Give an event with all that belongs to it."""
    event = session.get_one(Event, event_id)
    session.refresh(event, ["tags", "tracks", "rooms", "call", "neighbours"])
    return event
