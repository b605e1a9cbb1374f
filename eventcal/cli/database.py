"""The settings and the database of a command, without the app."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import InterfaceError, OperationalError

from eventcal.cli.root_group import CommandFailed
from eventcal.config import ConfigurationError, Settings, read_settings
from eventcal.kit.database import Database
from eventcal.kit.errors import Conflict, Message


class NotMigrated(Conflict):
    """The database schema is out of date."""

    code = "not-migrated"
    title = Message("The database schema is out of date")

    def __init__(self) -> None:
        super().__init__("The database schema is out of date. Run `eventcal db upgrade` first.")


def load_settings() -> Settings:
    """Return the settings. Raises CommandFailed if a setting is invalid or the instance folder cannot be used."""
    try:
        return read_settings(os.environ)
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
