"""A calendar whose ledger follows each change, for tests of feeds: small steps, each in a unit of work of its own."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.filter import EVERYTHING
from eventcal.events.models import Event
from eventcal.feeds.build import Builder
from eventcal.feeds.changes import PublicChange, list_changes
from eventcal.feeds.entry import CalendarEntry, Status
from eventcal.feeds.feed import Feed, assemble, version_of
from eventcal.feeds.ics import FeedHead
from eventcal.feeds.ledger import Ledger, state_of
from eventcal.feeds.models import LedgerEntry
from eventcal.kit.database import Database, Unit
from eventcal.talks.words import TalkState
from eventcal.web.links import Links
from tests.clocks import NOON, FixedClock
from tests.icslint import Component, faults, parse
from tests.make import make_event, make_talk

BASE_URL, DOMAIN = "https://cal.example.org", "cal.example.org"

ENTRY = CalendarEntry(
    uid="event-1@cal.example.org",
    title="Xen Summit",
    starts=date(2026, 6, 10),
    ends=date(2026, 6, 13),
    zone="Europe/Berlin",
    status=Status.CONFIRMED,
    transparent=False,
    created_at=NOON,
    url="https://cal.example.org/events/xen-summit",
    description="Three days of Xen.",
    html="<p>Three days of Xen.</p>",
)

HEAD = FeedHead(
    uid="feed-1@cal.example.org",
    name="Events",
    description="Events and talks.",
    zone="UTC",
    url="https://cal.example.org/",
    source="https://cal.example.org/calendar.ics",
    changed_at=None,
)

EVERY_FEED = Feed(asked=EVERYTHING)


def ledger_of(base_url: str = BASE_URL, domain: str = DOMAIN) -> Ledger:
    """Give the ledger of an installation."""
    return Ledger(Builder(links=Links(base_url), domain=domain))


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
    """Give the numbers of every entry, by the id of what it shows."""
    rows = session.scalars(select(LedgerEntry).execution_options(populate_existing=True)).all()
    return {row.subject_id: Numbers(row.sequence, row.stamp, row.revision, row.ics) for row in rows}


@dataclass(frozen=True)
class Calendar:
    """A database that the ledger follows. Each write is a moment later than the one before."""

    database: Database
    clock: FixedClock
    ledger: Ledger

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give the session of a unit of work, a minute after the last one."""
        self.clock.tick(60)
        with self.database.unit_of_work() as unit:
            yield unit.session

    @contextmanager
    def undone(self) -> Iterator[Unit]:
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
        """Give the numbers of every entry, by the id of what it shows."""
        with self.database.reading() as session:
            return numbers_of(session)

    def entry(self, subject_id: str) -> Component:
        """Give an entry as a strict reader reads it."""
        text = self.numbers()[subject_id].text
        whole = f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n"
        return parse(whole.encode()).events()[0]

    def revision(self) -> int:
        """Give how far the ledger is."""
        with self.database.reading() as session:
            return state_of(session).revision

    def state(self) -> tuple[int, datetime]:
        """Give everything that the public could tell a change by."""
        with self.database.reading() as session:
            state = state_of(session)
            return state.revision, state.changed_at

    def changes(self, since: int = 0, limit: int = 50) -> tuple[list[PublicChange], int]:
        """Give what changed since a revision, and where to go on."""
        with self.database.reading() as session:
            return list_changes(session, since=since, limit=limit)

    def fetch(self, feed: Feed = EVERY_FEED, *, later: timedelta = timedelta(0)) -> bytes:
        """Give a feed's bytes, which have no faults."""
        body = self.take(feed, later=later)
        found = faults(body)
        if found:
            raise AssertionError(found)
        return body

    def take(self, feed: Feed = EVERY_FEED, *, later: timedelta = timedelta(0)) -> bytes:
        """Give a feed's bytes, whatever is in them."""
        with self.database.reading() as session:
            return assemble(session, feed, HEAD, now=self.clock.now() + later)

    def version(self, feed: Feed = EVERY_FEED, *, later: timedelta = timedelta(0)) -> str:
        """Give what names a feed's bytes."""
        with self.database.reading() as session:
            return version_of(session, feed, renderer="r", now=self.clock.now() + later)

    def read(self, feed: Feed = EVERY_FEED, *, later: timedelta = timedelta(0)) -> Component:
        """Give a feed as a strict reader reads it."""
        return parse(self.fetch(feed, later=later))

    def shown(self, feed: Feed = EVERY_FEED, *, later: timedelta = timedelta(0)) -> list[str]:
        """Give the titles in a feed, sorted."""
        return sorted(entry.text("SUMMARY") for entry in self.read(feed, later=later).events())


@contextmanager
def open_calendar(url: str, clock: FixedClock, ledger: Ledger | None = None) -> Iterator[Calendar]:
    """Give the calendar in a migrated database."""
    ledger = ledger or ledger_of()
    database = Database(url, clock=clock, hooks=[ledger.follow])
    yield Calendar(database, clock, ledger)
    database.engine.dispose()


def moved_to(calendar: Calendar, ledger: Ledger) -> Calendar:
    """Give the same calendar with another installation's settings."""
    database = Database(
        calendar.database.engine.url.render_as_string(hide_password=False),
        clock=calendar.clock,
        hooks=[ledger.follow],
    )
    return replace(calendar, database=database, ledger=ledger)


def add_event(calendar: Calendar, **fields: Any) -> str:  # noqa: ANN401 - any column
    """Give the id of a public event."""
    with calendar.write() as session:
        return make_event(session, **fields).id


def add_talk(calendar: Calendar, event_id: str, **fields: Any) -> str:  # noqa: ANN401 - any column
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
