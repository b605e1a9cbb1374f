"""Access to the services of the current app and to the unit of work of the current request."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app, g
from sqlalchemy.orm import Session

from eventcal.config import Settings
from eventcal.feeds.index.feed_index import FeedIndex
from eventcal.kit.clock import Clock
from eventcal.kit.database import Database, UnitOfWork
from eventcal.kit.row_reader.base import RowReader
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.limiters import Limiters
from eventcal.web.process_state import BackgroundThread, FetchCounter
from eventcal.web.response_cache import ResponseCache


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services of an app, which are created at start-up."""

    settings: Settings
    clock: Clock
    database: Database
    feed_index: FeedIndex
    feed_state_reader: RowReader
    links: UrlBuilder
    responses: ResponseCache
    fetch_counter: FetchCounter
    background: BackgroundThread
    limiters: Limiters


EXTENSION_KEY = "eventcal"


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
    unit = _current_unit_of_work()
    with services().database.read_session() if unit is None else nullcontext(unit.session) as session:
        yield session


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Begin a unit of work or join the request's current unit of work, and yield the database session.

    Only the outermost `with` block commits the transaction. The flush hooks run at the end of each `with` block, so
    that a view can return derived values such as the revision.
    """
    outer = _current_unit_of_work()
    if outer is not None:
        yield outer.session
        outer.flush_hooks()
        return
    with services().database.unit_of_work() as unit:
        g.unit = unit
        try:
            yield unit.session
            unit.flush_hooks()
        finally:
            del g.unit


def _current_unit_of_work() -> UnitOfWork | None:
    return cast("UnitOfWork | None", g.get("unit"))
