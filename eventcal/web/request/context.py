"""Access to the services of the current app and to the unit of work of the current request."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app, g
from sqlalchemy.orm import Session

from eventcal.config import Settings
from eventcal.feeds.index.feed_index import FeedIndex
from eventcal.kit.clock import Clock
from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.database import Database, UnitOfWork
from eventcal.web.feed_states import FeedStates
from eventcal.web.http.body_reader import BodyReader
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.limiters import Limiters
from eventcal.web.process_state import BackgroundThread, FetchCounter
from eventcal.web.response_cache import ResponseCache


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services of an app, which are created at start-up.

    `idempotency_keys`: the keys of the requests in progress, each of which is used by one request at a time.
    """

    settings: Settings
    clock: Clock
    database: Database
    feed_index: FeedIndex
    feed_states: FeedStates
    links: UrlBuilder
    responses: ResponseCache
    fetch_counter: FetchCounter
    background: BackgroundThread
    body_reader: BodyReader
    limiters: Limiters
    idempotency_keys: ConcurrencyLimiter


EXTENSION_KEY = "eventcal"
_WRITE_SLOT = "write_slot"


def attach_services(app: Flask, services: Services) -> None:
    app.extensions[EXTENSION_KEY] = services


def services() -> Services:
    return cast("Services", current_app.extensions[EXTENSION_KEY])


def settings() -> Settings:
    return services().settings


def links() -> UrlBuilder:
    return services().links


def now() -> datetime:
    """Return the time (UTC) at which the current unit of work began, or the current time outside of a unit of work."""
    return unit.now if (unit := _current_unit_of_work()) is not None else services().clock.now()


@contextmanager
def read_session() -> Iterator[Session]:
    """Yield a session on a snapshot of the primary database, or the session of the current unit of work."""
    unit = _current_unit_of_work()
    if unit is not None:
        yield unit.session
        return
    with services().database.read_session() as session:
        try:
            yield session
        finally:
            if services().feed_states.has_standby:
                services().feed_states.note_primary_read()


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Begin a unit of work or join the request's current unit of work, and yield the database session.

    Only the outermost `with` block commits the transaction. The flush hooks run at the end of each `with` block, so
    that a view can return derived values such as the revision. The first unit of work of a request takes one of the
    worker's slots for writes, which the request keeps until its end, so that no later unit of work is refused after the
    first one has been committed. Raises Overloaded if no slot is free, and DatabaseBusy like `Database.write_session`.
    """
    outer = _current_unit_of_work()
    if outer is not None:
        yield outer.session
        outer.flush_hooks()
        return
    _hold_write_slot()
    with services().database.unit_of_work() as unit:
        g.unit = unit
        try:
            yield unit.session
            unit.flush_hooks()
        finally:
            del g.unit
    if services().feed_states.has_standby:
        services().feed_states.note_commit()


def _hold_write_slot() -> None:
    if _WRITE_SLOT not in g:
        with ExitStack() as slot:
            slot.enter_context(services().limiters.writes.slot())
            setattr(g, _WRITE_SLOT, slot.pop_all())


def release_write_slot(_error: BaseException | None = None) -> None:
    """Release the slot of the request that ends, if it has written (`Flask.teardown_appcontext`)."""
    slot: ExitStack | None = g.pop(_WRITE_SLOT, None)
    if slot is not None:
        slot.close()


def _current_unit_of_work() -> UnitOfWork | None:
    return cast("UnitOfWork | None", g.get("unit"))
