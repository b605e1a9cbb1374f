"""The settings and the database of a command, without the app."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from sqlalchemy.exc import InterfaceError, OperationalError

from eventcal.cli.root_group import CommandFailed
from eventcal.config import ConfigurationError, Settings, read_settings
from eventcal.feeds.index.models import FeedStateRow
from eventcal.feeds.index.renderer_version import build_renderer_version
from eventcal.kit.database import Database
from eventcal.kit.errors import Conflict, Message
from eventcal.kit.row_reader.base import MAX_IDLE_CONNECTIONS
from eventcal.kit.text import format_count
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.limiters import POOLED_CONNECTIONS

# The master process sends email and reads the metrics.
_MASTER_CONNECTIONS = 2


class NotMigrated(Conflict):
    """The database schema is out of date."""

    code = "not-migrated"
    title = Message("The database schema is out of date")

    def __init__(self) -> None:
        super().__init__("The database schema is out of date. Run `eventcal db upgrade` first.")


class FeedsOutOfDate(Conflict):
    """The feed entries were rendered by another release or with other settings."""

    code = "rendered-otherwise"


def load_settings(overrides: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """Return the settings. `overrides` takes precedence over the environment.

    Raises CommandFailed if a setting is invalid or the instance folder cannot be used.
    """
    try:
        return read_settings({**os.environ, **overrides})
    except ConfigurationError as error:
        raise CommandFailed(str(error)) from error
    except OSError as error:
        raise CommandFailed(f"The instance folder cannot be used: {error}.") from error


@contextmanager
def use_database(database: Database, *, must_be_migrated: bool = True) -> Iterator[None]:
    """Report connection errors in the block as CommandFailed, and close all connections at the end of the block.

    Raises NotMigrated if `must_be_migrated` is set and the schema is outdated.
    """
    try:
        if must_be_migrated and not database.is_migrated():
            raise NotMigrated
        yield
    except (OperationalError, InterfaceError) as error:
        said = str(error.orig).strip().partition("\n")[0].rstrip(".")
        raise CommandFailed(f"The database cannot be reached: {said}. Check EVENTCAL_DATABASE_URL.") from error
    finally:
        database.engine.dispose()


def list_connection_warnings(database: Database, *, workers: int) -> Iterator[str]:
    """Yield a warning if the PostgreSQL server allows fewer connections than the workers can use."""
    allowed, needed = database.count_allowed_connections(), count_needed_connections(workers)
    if allowed is not None and allowed < needed:
        yield (
            f"{format_count(workers, 'worker')} can use {needed} connections, but PostgreSQL allows {allowed}. "
            "Increase max_connections, or use fewer workers. When no connection is left, requests get status 503."
        )


def count_needed_connections(workers: int) -> int:
    """Return the number of connections that `eventcal serve` uses at most."""
    return workers * (POOLED_CONNECTIONS + MAX_IDLE_CONNECTIONS) + _MASTER_CONNECTIONS


def check_renderer_version(database: Database, settings: Settings) -> None:
    sample_url = UrlBuilder(settings.base_url).event_page("x")
    with database.read_session() as session:
        stored = session.get_one(FeedStateRow, 1).renderer_version
    if stored != build_renderer_version(domain=settings.domain, sample_url=sample_url):
        problem = "The feeds were rendered by another release, or with another BASE_URL or DOMAIN."
        raise FeedsOutOfDate(f"{problem} Run `eventcal db upgrade` with the same settings.")
