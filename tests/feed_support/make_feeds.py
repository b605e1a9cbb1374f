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
from eventcal.feeds.stored_json import PublicChange, list_public_changes
from eventcal.kit.database import Database, UnitOfWork
from eventcal.talks.enums import TalkState
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.resource_renderer import JsonResourceRenderer
from tests.clocks import FixedClock
from tests.feed_support.entries import DAYS
from tests.feed_support.icslint import Component, faults, parse
from tests.make import make_event, make_talk

BASE_URL, DOMAIN = "https://cal.example.org", "cal.example.org"

ENTRY = replace(DAYS, status=Status.CONFIRMED, transparent=False)

HEAD = FeedHead(
    uid="feed-1@cal.example.org",
    name="Events",
    description="Events and talks.",
    zone="UTC",
    url="https://cal.example.org/",
    source="https://cal.example.org/calendar.ics",
    changed_at=None,
)

EVERY_FEED = Feed(filters=NO_FILTER)


def ledger_of(base_url: str = BASE_URL, domain: str = DOMAIN) -> FeedIndex:
    """Give the ledger of an installation."""
    links = UrlBuilder(base_url)
    return FeedIndex(EntryBuilder(links=links, domain=domain), JsonResourceRenderer(links))


@dataclass(frozen=True)
class Numbers:
    """What of an entry only rises, and what it is about."""

    sequence: int
    stamp: datetime
    revision: int
    text: str


class _UndoneError(Exception):
    """Nothing is wrong: what was done is to be undone."""


def numbers_of(session: Session) -> dict[str, Numbers]:
    """Give the numbers of every event's and talk's entry, by the id of what it shows."""
    return {row.subject_id: _numbers(row) for row in _rows(session) if row.kind in {EntryKind.EVENT, EntryKind.TALK}}


def deadlines_of(session: Session) -> dict[tuple[str, EntryKind], Numbers]:
    """Give the numbers of every entry of a call for talks, by the event's id and what it tells of."""
    found = {(row.subject_id, row.kind): _numbers(row) for row in _rows(session)}
    return {key: numbers for key, numbers in found.items() if key[1] in DEADLINE_KINDS}


def kept(session: Session) -> dict[str, dict[str, Any]]:
    """Give every column of every row of the ledger, by UID."""
    names = [column.key for column in inspect(FeedEntry).columns]
    return {row.uid: {name: getattr(row, name) for name in names} for row in _rows(session)}


def _rows(session: Session) -> Iterable[FeedEntry]:
    return session.scalars(select(FeedEntry).execution_options(populate_existing=True))


def _numbers(row: FeedEntry) -> Numbers:
    return Numbers(row.sequence, row.last_modified, row.revision, row.ics)


@dataclass(frozen=True)
class Calendar:
    """A database that the ledger follows. Each write is a moment later than the one before."""

    database: Database
    clock: FixedClock
    ledger: FeedIndex

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give the session of a unit of work, a minute after the last one."""
        self.clock.tick(60)
        with self.database.unit_of_work() as unit:
            yield unit.session

    @contextmanager
    def undone(self) -> Iterator[UnitOfWork]:
        """Give a unit of work, a minute after the last one, of which nothing remains in the end."""
        self.clock.tick(60)
        with suppress(_UndoneError), self.database.unit_of_work() as unit:
            yield unit
            raise _UndoneError

    def change(self, table: Any, key: str, **columns: Any) -> None:  # noqa: ANN401 - any table, any column
        """Set columns of a row."""
        with self.write() as session:
            row = session.get_one(table, key)
            for name, value in columns.items():
                setattr(row, name, value)

    def numbers(self) -> dict[str, Numbers]:
        """Give the numbers of every event's and talk's entry, by the id of what it shows."""
        with self.database.read_session() as session:
            return numbers_of(session)

    def entry(self, subject_id: str) -> Component:
        """Give an event's or talk's entry as a strict reader reads it."""
        return _parsed(self.numbers()[subject_id].text)

    def deadlines(self, event_id: str) -> dict[EntryKind, Component]:
        """Give the entries of an event's call for talks, by what they tell of, as a strict reader reads them."""
        with self.database.read_session() as session:
            found = deadlines_of(session)
        return {kind: _parsed(numbers.text) for (of, kind), numbers in found.items() if of == event_id}

    def revision(self) -> int:
        """Give how far the ledger is."""
        with self.database.read_session() as session:
            return get_feed_state(session).revision

    def state(self) -> tuple[int, datetime]:
        """Give everything that the public could tell a change by."""
        with self.database.read_session() as session:
            state = get_feed_state(session)
            return state.revision, state.changed_at

    def changes(self, since: int = 0, limit: int = 50) -> tuple[list[PublicChange], int]:
        """Give what changed since a revision, and where to go on."""
        with self.database.read_session() as session:
            return list_public_changes(session, since=since, limit=limit)

    def fetch(
        self, feed: Feed = EVERY_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> bytes:
        """Give a feed's bytes, which have no faults."""
        body = self.take(feed, options=options, later=later)
        found = faults(body)
        if found:
            raise AssertionError(found)
        return body

    def take(
        self,
        feed: Feed = EVERY_FEED,
        *,
        fmt: Format = ICS,
        options: Options = DEFAULT_OPTIONS,
        later: timedelta = timedelta(0),
    ) -> bytes:
        """Give a feed's bytes, whatever is in them."""
        return self.assembled(feed, fmt=fmt, options=options, later=later).body

    def version(
        self, feed: Feed = EVERY_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> str:
        """Give what names a feed's bytes."""
        return self.assembled(feed, options=options, later=later).version

    def assembled(
        self,
        feed: Feed = EVERY_FEED,
        *,
        fmt: Format = ICS,
        options: Options = DEFAULT_OPTIONS,
        later: timedelta = timedelta(0),
    ) -> AssembledFeed:
        """Give a feed, read whole."""
        with self.database.read_session() as session:
            wanted = self.wanted(session, feed, fmt=fmt, options=options)
            revision = get_feed_state(session).revision
            return assemble_feed(session, wanted, revision=revision, now=self.clock.now() + later)

    def wanted(
        self, session: Session, feed: Feed, *, fmt: Format = ICS, options: Options = DEFAULT_OPTIONS
    ) -> AssemblyRequest:
        """Give what is to be assembled of a feed."""
        asked = with_resolved_ids(session, replace(feed, cancelled=options.cancelled))
        return AssemblyRequest(
            feed=asked, format=fmt, options=options, head=HEAD, renderer_version=self.ledger.renderer_version
        )

    def read(
        self, feed: Feed = EVERY_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> Component:
        """Give a feed as a strict reader reads it."""
        return parse(self.fetch(feed, options=options, later=later))

    def shown(
        self, feed: Feed = EVERY_FEED, *, options: Options = DEFAULT_OPTIONS, later: timedelta = timedelta(0)
    ) -> list[str]:
        """Give the titles in a feed, sorted."""
        return sorted(entry.text("SUMMARY") for entry in self.read(feed, options=options, later=later).events())


def _parsed(text: str) -> Component:
    whole = f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n"
    return parse(whole.encode()).events()[0]


@contextmanager
def open_calendar(url: str, clock: FixedClock, ledger: FeedIndex | None = None) -> Iterator[Calendar]:
    """Give the calendar in a migrated database."""
    ledger = ledger or ledger_of()
    database = Database(url, clock=clock, hooks=[ledger.update_entries])
    yield Calendar(database, clock, ledger)
    database.engine.dispose()


def moved_to(calendar: Calendar, ledger: FeedIndex) -> Calendar:
    """Give the same calendar with another installation's settings."""
    database = Database(
        calendar.database.engine.url.render_as_string(hide_password=False),
        clock=calendar.clock,
        hooks=[ledger.update_entries],
    )
    return replace(calendar, database=database, ledger=ledger)


def add_event(calendar: Calendar, **fields: Any) -> str:
    """Give the id of a public event."""
    with calendar.write() as session:
        return make_event(session, **fields).id


def add_talk(calendar: Calendar, event_id: str, **fields: Any) -> str:
    """Give the id of a confirmed talk of the event, on its first day unless told otherwise."""
    with calendar.write() as session:
        event = whole_event(session, event_id)
        values: dict[str, Any] = {"state": TalkState.CONFIRMED, "starts": "2026-06-10T13:30:00", **fields}
        return make_talk(session, event, **values).id


def whole_event(session: Session, event_id: str) -> Event:
    """Give an event with all that belongs to it."""
    event = session.get_one(Event, event_id)
    session.refresh(event, ["tags", "tracks", "rooms", "call", "neighbours"])
    return event
